"""Where a command writes a result, and in which format: settled before anything is sent."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from aqt_fast._texts import printable
from aqt_fast.cli.result_formats import ENDINGS, result_as
from aqt_fast.cli.terminal import say

if TYPE_CHECKING:
    from types import TracebackType

    from qiskit.result import Result

output_option = click.option(
    "--output",
    default="-",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Write the result to this file, which is replaced as a whole.",
)


class ResultOutput:
    """A file, which gets its name once it is whole; a device or a pipe; or standard output.

    Args:
        path: of the file; ``-`` is standard output.
        style: one of the formats; None follows the file's ending.
        default: the format otherwise.

    Raises:
        click.UsageError: it cannot be written, or the format is not for a terminal.
    """

    def __init__(self, path: Path, style: str | None, default: str) -> None:
        """Open it."""
        self._path = path
        self._style = style or ENDINGS.get(path.suffix.lower(), default)
        self._temporary: Path | None = None
        try:
            self._file = self._opened()
        except OSError as error:
            reason = error.strerror or str(error)
            raise click.UsageError(f"cannot write {printable(str(path))}: {reason}") from error

    def _opened(self) -> BinaryIO:
        if str(self._path) == "-":
            if sys.stdout is None:
                raise OSError(errno.EBADF, "standard output is closed")
            if self._style == "npz" and sys.stdout.isatty():
                raise click.UsageError("--format npz is not for a terminal: use --output")
            return sys.stdout.buffer
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._path.exists() and not self._path.is_file():  # a device or a pipe stays what it is
            return self._path.open("wb")
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        target = self._path.resolve()
        self._temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        return self._temporary.open("wb")

    def __enter__(self) -> ResultOutput:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if str(self._path) != "-":
            self._file.close()
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)

    def write(self, result: Result, job_id: str | None) -> None:
        """Write a result; if that fails, tell where it still is, and exit with code 1.

        Args:
            result: the result.
            job_id: the job's identifier; None if it is not stored.

        Raises:
            BrokenPipeError: nobody reads.
        """
        try:
            written = result_as(self._style, result)
            if self._style == "csv" and str(self._path) == "-" and sys.stdout.isatty():
                written = printable(written.decode()).encode()  # names may have any characters
            self._file.write(written)
            self._file.flush()
            if self._temporary is not None:
                self._file.close()
                self._temporary.replace(self._path.resolve())
        except BrokenPipeError:
            raise
        except OSError as error:
            say(f"cannot write {self._path}: {error.strerror or error}")
            if job_id is not None:
                say(f"the job has its result: aqt-fast jobs result {job_id}")
            sys.exit(1)
