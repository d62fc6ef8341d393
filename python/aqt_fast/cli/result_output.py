"""Where a command writes a result, and in which format: settled before anything is sent."""

from __future__ import annotations

import errno
import os
import secrets
import stat
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
    """A file, which gets its name once it is whole; a device, pipe or open file; standard output.

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
        self._terminal = (sys.stdout if str(path) == "-" else self._file).isatty()
        if self._style == "npz" and self._terminal:
            self._close()
            raise click.UsageError("--format npz is not for a terminal: use --output")

    def _opened(self) -> BinaryIO:
        if str(self._path) == "-":
            if sys.stdout is None:
                raise OSError(errno.EBADF, "standard output is closed")
            return sys.stdout.buffer
        descriptor = _descriptor(self._path)
        if descriptor is not None:  # others write to the open file, too: go on where it is
            os.write(descriptor, b"")  # fails if it is closed, or open for reading only
            return os.fdopen(os.dup(descriptor), "wb")
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if self._path.exists() and not self._path.is_file():  # a device or a pipe stays what it is
            return self._path.open("wb")
        if self._path.exists() and not os.access(self._path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        target = self._path.resolve()
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
        temporary = target.with_name(f".aqt-fast-{secrets.token_hex(8)}.tmp")
        file = temporary.open("xb")
        self._temporary = temporary
        if mode is not None:
            temporary.chmod(mode)
        return file

    def __enter__(self) -> ResultOutput:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def _close(self) -> None:
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
            if self._style == "csv" and self._terminal:
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


def _descriptor(path: Path) -> int | None:
    """Return the open file of this process that a path stands for, such as ``/dev/stdout``."""
    descriptors = os.path.realpath("/dev/fd")
    for _ in range(_MOST_LINKS):
        if os.path.realpath(path.parent) == descriptors and path.name.isdecimal():
            return int(path.name)
        if not path.is_symlink():
            break
        path = path.parent / path.readlink()
    return None


_MOST_LINKS = 40
"""So many symbolic links a path has at most, as on Linux."""
