# The few commands that people and CI use. Each makes the environments it needs below this folder.
PYTHON ?= python3
SOURCES := $(shell find rust/core/src rust/compile/src rust/py python -name '*.rs' -o -name '*.py' -o -name '*.pyi' -o -name '*.qasm' -o -name 'Cargo.toml') Cargo.toml pyproject.toml
WHEEL := dist/.built

# Environments are kept although the rules only pass through them.
.SECONDARY:

.PHONY: demo test test-rust test-python lint bench bench-batch bench-large bench-mqt faults clean

# One environment each for running, linting, and testing with every supported Qiskit.
.venv%/.ready: pyproject.toml Makefile
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(@D)/bin/python -m pip install --quiet $(PACKAGES$*)
	touch $@

PACKAGES-build := 'maturin>=1.9,<2'
PACKAGES-run   := 'qiskit>=2.4,<3'
PACKAGES-test  := 'qiskit>=2.4,<3' --group test
PACKAGES-2.5   := 'qiskit==2.5.*' --group test
PACKAGES-2.4   := 'qiskit==2.4.*' --group test
PACKAGES-lint  := 'qiskit>=2.4,<3' --group lint
PACKAGES-peer  := 'qiskit-aqt-provider==1.15.*' 'qiskit<2'
PACKAGES-bench-new := 'qiskit>=2.4,<3' --group test --group peer
PACKAGES-bench-mqt := 'qiskit>=2.4,<3' --group test --group peer --group algorithms
PACKAGES-bench-2.4 := 'qiskit==2.4.*' --group test --group peer

$(WHEEL): $(SOURCES) .venv-build/.ready
	rm -rf dist && mkdir -p dist
	.venv-build/bin/maturin build --release --locked --out dist
	touch $@

# The wheel in an environment, with the dependencies that it declares.
.venv%/.installed: .venv%/.ready $(WHEEL)
	$(@D)/bin/python -m pip install --quiet "$$(echo dist/*.whl)[login,server]"
	$(@D)/bin/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	touch $@

demo: .venv-run/.installed
	.venv-run/bin/aqt-fast demo

test: test-rust test-python

test-rust:
	cargo test --locked --release --package aqt-core --package aqt-compile --package aqt-fast-native

# More processes than cores: many tests wait.
PARALLEL := -n 3 --dist worksteal

test-python: .venv-test/.installed .venv-2.5/.installed .venv-2.4/.installed .venv-peer/.ready
	.venv-test/bin/python -m pytest $(PARALLEL)
	.venv-2.5/bin/python -m pytest $(PARALLEL) -m all_qiskits
	.venv-2.4/bin/python -m pytest $(PARALLEL) -m all_qiskits

lint: .venv-lint/.installed
	cargo fmt --all --check
	cargo clippy --locked --release --all-targets -- -D warnings
	.venv-lint/bin/ruff check
	.venv-lint/bin/ruff format --check
	.venv-lint/bin/mypy
	.venv-lint/bin/python -m mypy.stubtest aqt_fast._native --mypy-config-file pyproject.toml

# The peer pins an older Qiskit than the newest, which it works with all the same.
.venv-bench%/.peer: .venv-bench%/.installed
	$(@D)/bin/python -m pip install --quiet --no-deps qiskit-aqt-provider==2.0.1
	touch $@

bench: .venv-bench-new/.peer .venv-bench-2.4/.peer
	.venv-bench-new/bin/python benches/compare.py
	.venv-bench-2.4/bin/python benches/compare.py

bench-batch: .venv-bench-new/.installed .venv-peer/.ready
	.venv-bench-new/bin/python benches/batch.py

bench-large: .venv-bench-new/.installed
	.venv-bench-new/bin/python benches/large.py

bench-mqt: .venv-bench-mqt/.peer
	.venv-bench-mqt/bin/python benches/algorithms.py --random 10000
	.venv-bench-mqt/bin/python benches/compilation.py --sizes 4 8

# 1000 API jobs while a fifth of all requests suffers a fault, first as 1000 jobs, then as one; see
# benches/README.md.
faults: .venv-test/.installed
	.venv-test/bin/python benches/faults.py
	.venv-test/bin/python benches/faults_one_job.py

clean:
	rm -rf .venv-* dist target
