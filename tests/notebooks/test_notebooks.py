"""The notebooks of the documentation run, and the outputs that they are stored with are theirs."""

from __future__ import annotations

import nbformat
import pytest
from notebooks.executing import executed, notebooks


def kinds(cell) -> list[list[str]]:
    """What a cell has put out: the formats of each output."""
    return [sorted(output.get("data", {output.get("name"): ""})) for output in cell.outputs]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_runs(path):
    """All cells run in a new kernel, without a warning, and put out what is stored."""
    fresh, stored = executed(path), nbformat.read(path, as_version=4)
    nbformat.validate(stored)
    for now, before in zip(fresh.cells, stored.cells, strict=True):
        assert now.source == before.source
        if now.cell_type == "code":
            assert kinds(now) == kinds(before), now.source
            assert ["stderr"] not in kinds(now), now.outputs
    pages = [
        output.data["text/html"]
        for cell in fresh.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    ]
    assert sum("aqt-fast" in page for page in pages) > 2


def test_there_are_three():
    """As the pages say."""
    assert [path.stem for path in notebooks()] == [
        "first_job",
        "noise_twin",
        "sweep_with_restore",
    ]


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_stored_as_jupyter_stores_it(path):
    """What the person who stored it has on the computer is not in it."""
    content = path.read_text()
    assert "/work/" not in content
    assert "/home/" not in content
    assert "Traceback" not in content
