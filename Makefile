# The few commands that people and CI use. Each makes the environments it needs below this folder.
PYTHON ?= python3
RUST_SOURCES := $(shell find rust -path rust/fuzz -prune -o -path '*/src/*.rs' -print -o -name Cargo.toml -print) Cargo.toml Cargo.lock
SOURCES := $(RUST_SOURCES) $(shell find python -name '*.py' -o -name '*.pyi' -o -name '*.qasm' -o -path '*/server/page/*') pyproject.toml
WHEEL := dist/.built

# Environments are kept although the rules only pass through them.
.SECONDARY:
.SECONDEXPANSION:

.PHONY: dev wheels test test-rust test-python test-install test-ecosystem test-browser lint lint-workflows hooks lock demo docs notebooks bench bench-batch bench-large bench-noisy bench-offline bench-planner bench-primitives bench-shots bench-mqt bench-device-form bench-templates bench-estimate bench-trajectories bench-noisy-outcomes faults clean

# Everything but the tools that build comes through uv, which is one of them.
export UV_PYTHON_DOWNLOADS := never
export UV_COMPILE_BYTECODE := 1
# Compiling all of Qiskit anew in each process would take longer than most tests.
unexport PYTHONDONTWRITEBYTECODE
UV := .venv-build/bin/uv

.venv-build/.ready: requirements/build.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet -r $<
	touch $@

# The other environments begin with exactly what their lock says ...
LOCK-dev := test
LOCK-bench-new := test
LOCK-bench-mqt := test
LOCK-bench-2.4 := 2.4
lock-of = requirements/$(or $(LOCK-$(1)),$(1)).txt

.venv-%/.ready: $$(call lock-of,$$*) | .venv-build/.ready
	$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
	$(UV) pip sync --quiet --python $(@D) $<
	$(if $(MORE-$*),$(UV) pip install --quiet --python $(@D) -c $< $(MORE-$*))
	touch $@

# ... to which the benches add what no lock fixes.
MORE-bench-new := --group peer
MORE-bench-mqt := --group peer --group algorithms
MORE-bench-2.4 := --group peer

# What each lock is made from, beside pyproject.toml.
ECOSYSTEM := ecosystem-few ecosystem-many ecosystem-pennylane ecosystem-supermarq
LOCKS := build audit test 2.5 2.4 lint docs browser peer $(ECOSYSTEM)
OURS := pyproject.toml --extra login --extra server
FROM-build := --group build
FROM-audit := --group audit
FROM-test := $(OURS) --group test
FROM-2.5 := $(OURS) --group test
FROM-2.4 := $(OURS) --group test
FROM-lint := $(OURS) --group lint
FROM-docs := pyproject.toml --extra docs
FROM-browser := $(OURS) --group browser
$(foreach name,$(ECOSYSTEM),$(eval FROM-$(name) := $(OURS) --group $(name)))
FROM-ecosystem-pennylane += --override requirements/ecosystem-pennylane.override
PIN-2.5 := qiskit==2.5.*
PIN-2.4 := qiskit==2.4.*
PIN-peer := qiskit-aqt-provider==1.15.*

# For which Python each lock is, if not for the package's oldest and all newer ones on all systems:
# mitiq and mqt.bench need different versions of numpy on Python 3.14.
FOR-ecosystem-many := --python-version 3.11 --python-platform linux
FOR-ecosystem-pennylane := --universal --python-version 3.11

# What is installed against its own pins does not pass their check.
UNCHECKED-ecosystem-pennylane := yes

# `make lock` changes as little as it can; `make lock UPGRADE=1` takes the newest of everything.
lock: $(addprefix lock-,$(LOCKS))
lock-%: .venv-build/.ready
	echo '$(PIN-$*)' | $(UV) pip compile --quiet $(or $(FOR-$*),--universal --python-version 3.10) \
		--custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) \
		$(FROM-$*) - --output-file requirements/$*.txt

# Linked with Zig against an old glibc: the wheel installs on the clusters' systems, RHEL 8 and newer.
# maturin refuses a wheel that needs a newer one.
GLIBC := manylinux_2_28
PORTABLE := $(if $(filter Linux,$(shell uname -s)),--zig --compatibility $(GLIBC))
BUILD_WHEEL := PATH="$(CURDIR)/.venv-build/bin:$$PATH" maturin build --release --locked

$(WHEEL): $(SOURCES) .venv-build/.ready
	rm -rf dist && mkdir -p dist
	$(BUILD_WHEEL) $(PORTABLE) --out dist
	touch $@

# What a release has for Linux, with the symbols that each wheel takes from the system's libraries.
wheels: $(WHEEL) .venv-audit/.ready
	rm -rf dist/release && mkdir -p dist/release && cp dist/*.whl dist/release
	rustup target add aarch64-unknown-linux-gnu
	$(BUILD_WHEEL) $(PORTABLE) --out dist/release --target aarch64-unknown-linux-gnu --interpreter python3.10
	.venv-build/bin/maturin sdist --out dist/release
	for wheel in dist/release/*.whl; do .venv-build/bin/auditwheel show $$wheel || exit 1; done
	.venv-audit/bin/abi3audit --strict --summary dist/release/*.whl

# The wheel in an environment; what it declares must be met by the lock.
.venv-%/.installed: .venv-%/.ready $(WHEEL)
	$(UV) pip install --quiet --python $(@D) --no-deps --reinstall dist/*.whl
	$(if $(MORE-$*)$(UNCHECKED-$*),,$(UV) pip check --quiet --python $(@D))
	touch $@

# As for a user: the wheel alone, without a lock.
.venv-run/.installed: .venv-build/.ready $(WHEEL)
	$(UV) venv --quiet --clear --python $(PYTHON) $(@D)
	$(UV) pip install --quiet --python $(@D) "$$(echo dist/*.whl)[login,server]"
	touch $@

demo: .venv-run/.installed
	.venv-run/bin/aqt-fast demo

# The site, in docs/_build/html: a warning, a dead link or a public name that the reference lacks
# is an error. Nothing is requested from other hosts.
docs: .venv-docs/.installed
	rm -rf docs/_build
	.venv-docs/bin/python -m sphinx -W -q -d docs/_build/doctrees docs docs/_build/html

# An editable build, and with t= the tests to run: make dev t='tests/wire/test_decoding.py -k counts'.
# PROFILE=debug has all of Rust's checks, and is slow.
PROFILE ?= dev-release
CARGO_PROFILE := $(PROFILE:debug=dev)

dev: .venv-dev/.built-$(PROFILE)
	$(if $(t),.venv-dev/bin/python -m pytest -q $(if $(filter debug,$(PROFILE)),-W 'ignore:aqt-fast is a slow debug build:RuntimeWarning') $(t))

.venv-dev/.built-$(PROFILE): .venv-dev/.ready $(RUST_SOURCES) pyproject.toml
	rm -f $(@D)/.built-*
	PATH="$(CURDIR)/.venv-build/bin:$$PATH" VIRTUAL_ENV="$(CURDIR)/.venv-dev" \
		maturin develop --quiet --uv --locked --profile $(CARGO_PROFILE)
	touch $@

test: test-rust test-python

# Without LTO, which would take minutes for each of the test programs.
test-rust:
	cargo test --locked --profile dev-release --workspace

# More processes than cores: many tests wait.
PARALLEL := -n 3 --dist worksteal

test-python: .venv-test/.installed .venv-2.5/.installed .venv-2.4/.installed .venv-peer/.ready
	.venv-test/bin/python -m pytest $(PARALLEL)
	.venv-2.5/bin/python -m pytest $(PARALLEL) -m all_qiskits
	.venv-2.4/bin/python -m pytest $(PARALLEL) -m all_qiskits

# The wheel as a user installs it, on every Python that this machine has; not a part of `make test`.
test-install: $(WHEEL)
	$(PYTHON) tests/install/check.py dist/*.whl

# Packages on top of Qiskit, in environments of their own; the first is quick.
test-ecosystem: $(ECOSYSTEM:%=test-%)

test-ecosystem-%: .venv-ecosystem-%/.installed
	.venv-ecosystem-$*/bin/python -m pytest $(PARALLEL) tests/ecosystem/$*

# Executes the notebooks of the documentation and stores their outputs; look at them before you commit.
notebooks: .venv-test/.installed
	.venv-test/bin/python tests/notebooks/executing.py

# Pages in a real browser, Debian's or CHROMIUM=…; what it showed is in dist/screenshots.
CHROMIUM ?= /usr/bin/chromium

test-browser: .venv-browser/.installed | $(CHROMIUM)
	CHROMIUM=$(CHROMIUM) .venv-browser/bin/python -m pytest tests/browser

/usr/bin/chromium:
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get update
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get install --yes --no-install-recommends chromium fonts-dejavu

# import-linter reads source code only: an empty file stands for the native module, which Python
# finds first all the same.
# mypy knows which functions each system has.
lint: .venv-lint/.installed lint-workflows
	cargo fmt --all --check
	cargo clippy --locked --release --all-targets -- -D warnings
	.venv-lint/bin/ruff check
	.venv-lint/bin/ruff format --check
	.venv-lint/bin/mypy
	.venv-lint/bin/mypy --platform darwin --cache-dir .mypy_cache/darwin python/aqt_fast
	.venv-lint/bin/mypy --platform win32 --cache-dir .mypy_cache/win32 python/aqt_fast
	.venv-lint/bin/python -m mypy.stubtest aqt_fast._native --mypy-config-file pyproject.toml
	touch "$$(.venv-lint/bin/python -c 'import aqt_fast; print(aqt_fast.__path__[0])')/_native.py"
	.venv-lint/bin/lint-imports --no-logo --no-cache
	! grep -rnw --include='*.py' __import__ python tests benches
	.venv-lint/bin/codespell

# A fork of actionlint, because actionlint's own package downloads the program when it is installed.
# Actions come by major version.
lint-workflows: .venv-lint/.ready
	.venv-lint/bin/jactionlint --ignore unpinned-uses --shellcheck= --no-online

# Before each commit the quick part of `make lint` runs.
hooks: .venv-lint/.ready
	.venv-lint/bin/pre-commit install

# The peer pins an older Qiskit than the newest, which it works with all the same.
.venv-bench-%/.peer: .venv-bench-%/.installed
	$(UV) pip install --quiet --python $(@D) --no-deps qiskit-aqt-provider==2.0.1
	touch $@

bench bench-batch bench-large bench-noisy bench-offline bench-planner bench-primitives bench-shots bench-mqt bench-device-form bench-templates bench-estimate bench-trajectories bench-noisy-outcomes faults: export PYTHONPATH := $(CURDIR)/benches/support

bench: .venv-bench-new/.peer .venv-bench-2.4/.peer
	.venv-bench-new/bin/python benches/speed/compare.py
	.venv-bench-2.4/bin/python benches/speed/compare.py

bench-batch: .venv-bench-new/.installed .venv-peer/.ready
	.venv-bench-new/bin/python benches/speed/batch.py

bench-large: .venv-bench-new/.installed
	.venv-bench-new/bin/python benches/speed/large.py

bench-noisy: .venv-test/.installed
	.venv-test/bin/python benches/speed/noisy.py

bench-offline: .venv-bench-new/.peer
	.venv-bench-new/bin/python benches/speed/offline.py

bench-planner: .venv-test/.installed
	.venv-test/bin/python benches/speed/planner.py

bench-estimate: .venv-test/.installed
	.venv-test/bin/python benches/speed/estimate.py

bench-primitives: .venv-bench-new/.peer
	.venv-bench-new/bin/python benches/speed/primitives.py

bench-shots: .venv-test/.installed
	.venv-test/bin/python benches/correctness/shots.py

bench-mqt: .venv-bench-mqt/.peer
	.venv-bench-mqt/bin/python benches/correctness/algorithms.py --random 10000
	.venv-bench-mqt/bin/python benches/correctness/compilation.py --sizes 4 8

# Random circuits: folding of angles, round trips through QASM, and what offline simulators run.
bench-device-form: .venv-test/.installed
	.venv-test/bin/python -W ignore benches/correctness/device_form.py
	.venv-test/bin/python -W ignore benches/correctness/round_trip.py

bench-trajectories: .venv-test/.installed
	.venv-test/bin/python benches/speed/trajectories.py

bench-noisy-outcomes: .venv-test/.installed
	.venv-test/bin/python benches/correctness/noisy_outcomes.py

bench-templates: .venv-test/.installed
	.venv-test/bin/python -W ignore benches/correctness/templates.py

# 1000 API jobs while a fifth of all requests suffers a fault, first as 1000 jobs, then as one; and 300
# behind a proxy that mistreats their bytes; then each system call of the store fails. See
# benches/README.md.
faults: .venv-test/.installed
	.venv-test/bin/python benches/correctness/faults.py
	.venv-test/bin/python benches/correctness/faults_one_job.py
	.venv-test/bin/python benches/correctness/chaos.py --rate 0.15
	.venv-test/bin/python benches/correctness/chaos.py --rate 0.5 --no-labels
	.venv-test/bin/python benches/correctness/chaos.py --rate 0.7
	.venv-test/bin/python benches/correctness/damaged_journals.py
	.venv-test/bin/python benches/correctness/many_jobs.py
	.venv-test/bin/python benches/correctness/malformed_requests.py
	.venv-test/bin/python benches/correctness/failing_calls.py

clean:
	rm -rf .venv-* dist target docs/_build
