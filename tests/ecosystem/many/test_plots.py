"""Qiskit's ``plot_gate_map`` of a backend draws all pairs, ``plot_error_map`` their errors.

Graphviz draws; here a program that keeps the graph it is given takes its place.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from qiskit.visualization import plot_error_map, plot_gate_map
from qiskit_aer import AerSimulator

GRAPHVIZ = """#!{python}
import sys
from pathlib import Path
from PIL import Image
if "-V" not in sys.argv:
    Path({kept!r}).write_bytes(sys.stdin.buffer.read())
    Image.new("RGB", (1, 1)).save(sys.stdout.buffer, "PNG")
"""


@pytest.fixture
def drawn(tmp_path, monkeypatch) -> Path:
    """The file in which a graph is kept that Graphviz should draw."""
    kept = tmp_path / "graph"
    for name in ("dot", "neato"):
        program = tmp_path / name
        program.write_text(GRAPHVIZ.format(python=sys.executable, kept=str(kept)))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return kept


def test_all_pairs_are_drawn(noisy, drawn):
    """Eight qubits have 28 pairs."""
    assert plot_gate_map(noisy) is not None
    edges = re.findall(r"(\d+) -- (\d+)", drawn.read_text())
    assert len({frozenset(edge) for edge in edges}) == 28


def test_errors_are_drawn(noisy, drawn):
    """Aer's simulator of a backend takes its place: it has the same errors, for all pairs."""
    figure = plot_error_map(AerSimulator.from_backend(noisy))
    titles = [axes.get_title() for axes in figure.axes]
    assert "H error rate (%) [Avg. = 0.15]" in titles
    assert "CNOT error rate (%) [Avg. = 0.75]" in titles
    assert len(re.findall(r"\d+ -- \d+", drawn.read_text())) == 28
