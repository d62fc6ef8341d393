"""Access tokens on this computer, in files that only their owner can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from aqt_fast._files import make_directory, write_file
from aqt_fast.exceptions import AQTCredentialsError

_ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a file
_REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a file


def default_directory() -> Path:
    """Return the directory in which AQT's packages keep configuration and tokens."""
    return Path.home() / ".aqt"


class TokenStore:
    """The tokens of the last login, in files that only their owner can read."""

    def __init__(self, directory: Path | None = None) -> None:
        """``directory`` is created on saving; None stands for ``~/.aqt``."""
        self.directory = default_directory() if directory is None else directory

    def access_token(self) -> str | None:
        """Return the saved access token, None if there is none.

        Raises:
            AQTCredentialsError: others can read the file, or it cannot be read.
        """
        return self._read(_ACCESS_TOKEN)

    def refresh_token(self) -> str | None:
        """Return the saved refresh token, None if there is none.

        Raises:
            AQTCredentialsError: others can read the file, or it cannot be read.
        """
        return self._read(_REFRESH_TOKEN)

    def save(self, access_token: str, refresh_token: str | None) -> None:
        """Save the tokens of a login and replace the previous ones.

        Raises:
            OSError: the directory or a file cannot be written.
        """
        make_directory(self.directory)
        for name, token in ((_ACCESS_TOKEN, access_token), (_REFRESH_TOKEN, refresh_token)):
            path = self.directory / name
            if token is None:
                path.unlink(missing_ok=True)
            else:
                write_file(path, token.encode())

    def _read(self, name: str) -> str | None:
        path = self.directory / name
        try:
            with path.open() as file:
                mode = os.fstat(file.fileno()).st_mode
                if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise AQTCredentialsError(
                        f"others can read the access token in {path}: run 'chmod 600 {path}', "
                        f"and log in again if somebody may have read it"
                    )
                return file.read().strip() or None
        except FileNotFoundError:
            return None
        except AQTCredentialsError:
            raise
        except (OSError, UnicodeDecodeError) as error:
            raise AQTCredentialsError(f"cannot read the access token in {path}: {error}") from error
