"""What the commands take that run circuits, or tell what that would take."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from aqt_fast.cli.backend_names import backend_names

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.argument(
        "files",
        nargs=-1,
        required=True,
        metavar="FILE...",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
    ),
    click.option(
        "--backend",
        required=True,
        metavar="NAME",
        shell_complete=backend_names,
        help="ID of the resource.",
    ),
    click.option(
        "--workspace", default=None, metavar="ID", help="Its workspace, if several have it."
    ),
    click.option(
        "--shots", default=100, show_default=True, type=click.IntRange(1), help="Of each circuit."
    ),
    click.option(
        "--optimization-level",
        default=2,
        show_default=True,
        type=click.IntRange(0, 3),
        help="How circuits are compiled.",
    ),
)


def job_options(command: F) -> F:
    """Give a command the circuits' files, the backend, shots and the level of compiling."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
