"""The examples of the page on the command line, and the help of each command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from aqt_fast.cli.main import main
from click.testing import CliRunner

PAGE = Path(__file__).parents[2] / "docs" / "command-line.md"
EXAMPLES = re.findall(r"^\$ aqt-fast (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
BELL = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
"""
NOT_RUN = ("log-in", "jobs adopt", "demo", "serve")
"""What needs a person, a lost answer or much time; other tests run it."""


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """All commands below a group."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)


COMMANDS = [" ".join(path) for path in commands(main)]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    """Each command explains itself, and the page has an example of it."""
    for option in ("--help", "-h"):
        result = CliRunner().invoke(main, [*command.split(), option])
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: aqt-fast {command} ".replace("aqt-fast", "main"))
    shown = [*EXAMPLES, "completion bash"]
    assert any(f"{example} ".startswith(f"{command} ") for example in shown)


@pytest.mark.usefixtures("environment")
def test_page(tmp_path, monkeypatch):
    """The examples run, one after the other."""
    monkeypatch.chdir(tmp_path)
    for name in ("bell", "scan1", "scan2"):
        Path(f"{name}.qasm").write_text(BELL)
    tried = [example for example in EXAMPLES if not example.startswith(NOT_RUN)]
    assert len(tried) > 20
    for example in tried:
        result = CliRunner().invoke(main, shlex.split(example), input="y\n")
        assert result.exit_code == 0, (example, result.output)
    for name in ("bell.csv", "scan.csv", "scan.npz", "scan.json"):
        assert Path(name).stat().st_size
