"""Executes the notebooks of the documentation: ``python executing.py`` stores them with outputs."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
SECONDS = 300
"""How long a cell may take, on a busy machine."""


def notebooks() -> list[Path]:
    """The notebooks of the documentation."""
    return sorted(FOLDER.glob("*.ipynb"))


def executed(path: Path) -> NotebookNode:
    """Run all cells in a fresh kernel of this Python, and return the notebook with outputs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell has failed.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=SECONDS, record_timing=False, kernel_name="python3")
    client.execute(cwd=str(path.parent))
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {}
    return notebook


def main() -> None:
    """Execute those that are named, or all, in a home of their own, and store them."""
    with TemporaryDirectory() as home:
        os.environ.update(HOME=home, IPYTHONDIR=home)
        for path in [Path(name) for name in sys.argv[1:]] or notebooks():
            nbformat.write(executed(path), path)


if __name__ == "__main__":
    main()
