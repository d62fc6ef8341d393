"""Qiskit's ``plot_gate_map`` of a backend draws all pairs.

Graphviz draws; here a program that keeps the graph it is given takes its place.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from qiskit.visualization import plot_gate_map

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
