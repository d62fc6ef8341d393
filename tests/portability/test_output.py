"""What is printed into a file or a pipe on Windows, which has a code page and not Unicode."""

from __future__ import annotations

import io
import json
import sys

import click
import pytest
from aqt_fast.cli.terminal import Commands, print_json


@pytest.mark.parametrize(
    ("encoding", "shown", "escapes"),
    [("cp1252", "é ?", 1), ("cp437", "é █", 0), ("utf-8", "é █", 0)],
)
def test_code_page(monkeypatch, encoding, shown, escapes):
    """Nothing fails; JSON keeps every character."""
    content = {"label": "é █"}

    @click.group(cls=Commands)
    def group() -> None:
        """Print."""

    @group.command()
    def both() -> None:
        click.echo("é █")
        print_json(content)

    output = io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, newline="\n"))
        group.main(["both"], standalone_mode=False)
        sys.stdout.flush()
        text = output.getvalue().decode(encoding)
    line, _, document = text.partition("\n")
    assert line == shown
    assert json.loads(document) == content
    assert document.count("\\u") == escapes
