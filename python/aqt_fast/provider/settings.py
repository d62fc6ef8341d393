"""Settings of a provider: the environment's variables ``AQT_…``, then those of a ``.env`` file."""

from __future__ import annotations

import io
import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dotenv

from aqt_fast._warnings import warn_caller
from aqt_fast.exceptions import InvalidOptionError

_PREFIX = "AQT_"

_PROJECT_MARKS = (".git", "pyproject.toml")
"""A directory that holds one of these is the top of a project."""


class DotenvWarning(UserWarning):
    """A ``.env`` file is not used; the warning gives the reason."""


class Settings:
    """The environment's variables ``AQT_…``, and those of a file where the environment has none.

    Reading a file changes nothing in the environment of the process. A pickle has no values: where
    it is unpickled, the file is searched for there, when a value is needed.
    """

    def __init__(self, from_file: Mapping[str, str] | None = None) -> None:
        """``from_file`` holds the values of a ``.env`` file, see :func:`read_dotenv`."""
        self._path: str | None = None
        self._search = False
        self._values = {} if from_file is None else dict(from_file)

    @classmethod
    def read(cls, path: Path | None, *, search: bool) -> Settings:
        """Read a ``.env`` file, if there is one.

        Args:
            path: the file, None to search for it.
            search: whether to search for the file if ``path`` is None.

        Warns:
            DotenvWarning: the file cannot be read, or another user can have written it.
        """
        settings = cls()
        settings._path = None if path is None else str(path.absolute())
        settings._search = search
        settings._values = settings._read()
        return settings

    def __getstate__(self) -> dict[str, Any]:
        return {"_path": self._path, "_search": self._search}

    @property
    def from_file(self) -> dict[str, str]:
        """The values of the file."""
        if "_values" not in vars(self):  # unpickled
            self._values = self._read()
        return self._values

    def _read(self) -> dict[str, str]:
        if self._path is not None:
            file: Path | None = Path(self._path)
        else:
            file = find_dotenv() if self._search else None
        return read_dotenv(file) if file is not None and file.is_file() else {}

    def get(self, name: str) -> str | None:
        """Return the present value of a variable, None if neither source has it."""
        return os.environ.get(name, self.from_file.get(name))

    def flag(self, name: str) -> bool:
        """Return whether a variable says yes: 1, true, yes or on; False if it is not set.

        Raises:
            InvalidOptionError: it says neither yes nor no.
        """
        value = self.get(name) or "0"
        for words, meaning in (("1 true yes on", True), ("0 false no off", False)):
            if value.strip().lower() in words.split():
                return meaning
        raise InvalidOptionError(name, value, "1, true, yes or on, or else 0, false, no or off")


def find_dotenv() -> Path | None:
    """Find the ``.env`` file of the project that the working directory belongs to.

    Search from the working directory up to the first directory with ``.git`` or
    ``pyproject.toml``, or up to the home directory. Without any of these, search the working
    directory alone.
    """
    try:
        start = Path.cwd()
        home = Path.home().resolve()
    except (OSError, RuntimeError):
        return None
    searched = []
    for directory in (start, *start.parents):
        searched.append(directory)
        if directory == home or any((directory / mark).exists() for mark in _PROJECT_MARKS):
            break
    else:
        searched = [start]
    files = (directory / ".env" for directory in searched)
    return next((file for file in files if file.is_file()), None)


def read_dotenv(path: Path) -> dict[str, str]:
    """Read the variables ``AQT_…`` of a ``.env`` file; empty if the file is refused.

    Warns:
        DotenvWarning: the file cannot be read, or another user can have written it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            doubt = _doubt(os.fstat(file.fileno())) or _doubt_of_link(path.lstat())
            if doubt:
                warn_caller(f"{path} is not used: {doubt}", DotenvWarning)
                return {}
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        warn_caller(f"{path} is not used: it cannot be read: {error}", DotenvWarning)
        return {}
    values = dotenv.dotenv_values(stream=io.StringIO(text))
    return {
        name: value
        for name, value in values.items()
        if name.startswith(_PREFIX) and value is not None
    }


def _doubt(status: os.stat_result) -> str | None:
    """Say why a file may hold what another user has written, None if it cannot."""
    if sys.platform == "win32":
        return None
    if status.st_uid not in (os.geteuid(), 0):
        return f"it belongs to another user (uid {status.st_uid})"
    if status.st_mode & stat.S_IWOTH:
        return "others can write it; run 'chmod o-w' on it if its content is yours"
    if status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid):
        return "its group can write it; run 'chmod g-w' on it if its content is yours"
    return None


def _doubt_of_link(status: os.stat_result) -> str | None:
    """Say why another user can have chosen the file, None if the path is no such link."""
    if sys.platform == "win32" or not stat.S_ISLNK(status.st_mode):
        return None
    if status.st_uid in (os.geteuid(), 0):
        return None
    return f"it is a link of another user (uid {status.st_uid})"


def _is_own_group(gid: int) -> bool:
    """Whether this user is the only member of a group, as in systems with a group for each user."""
    if sys.platform == "win32":
        return False
    import grp
    import pwd

    try:
        user = pwd.getpwuid(os.geteuid())
        group = grp.getgrgid(gid)
    except KeyError:
        return False
    return (
        gid == user.pw_gid
        and group.gr_name == user.pw_name
        and not {*group.gr_mem} - {user.pw_name}
    )
