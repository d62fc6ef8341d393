"""Access tokens on this computer, in files that only their owner can read."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from aqt_fast._files import make_directory, write_file
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL, is_same_portal
from aqt_fast.exceptions import AQTCredentialsError

_ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a file
_REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a file
_ORIGINS = "aqt_fast_origins.json"


@dataclass(frozen=True)
class Origin:
    """What has given a token: a portal, by the login service that issues tokens for it.

    The defaults are AQT's own.
    """

    portal_url: str = DEFAULT_PORTAL_URL
    """URL of the portal that the token is for."""
    issuer: str = "https://arnica.eu.auth0.com/"
    """URL of the login service, which gets the refresh token."""

    def agrees_with(self, other: Origin) -> bool:
        """Whether both name the same portal and the same login service."""
        same_issuer = self.issuer.rstrip("/") == other.issuer.rstrip("/")
        return same_issuer and is_same_portal(self.portal_url, other.portal_url)


def default_directory() -> Path:
    """Return the directory in which AQT's packages keep configuration and tokens."""
    return Path.home() / ".aqt"


class TokenStore:
    """The tokens of the last login, in files that only their owner can read.

    A file beside them notes which portal they are for, by the SHA-256 of each. Tokens that are not
    in it were saved by AQT's own package or by an older version: they are for AQT's own portal.
    """

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

    def origin(self, token: str) -> Origin:
        """Return what has given a saved token.

        Raises:
            AQTCredentialsError: the file that tells it cannot be read.
        """
        return self._origins().get(_digest(token), Origin())

    def access_token_for(self, portal_url: str) -> str | None:
        """Return the saved access token if it is for a portal, else None.

        Raises:
            AQTCredentialsError: others can read a file, or it cannot be read.
        """
        token = self.access_token()
        if token is None or not is_same_portal(self.origin(token).portal_url, portal_url):
            return None
        return token

    def save(
        self, access_token: str, refresh_token: str | None, origin: Origin | None = None
    ) -> None:
        """Save the tokens of a login and replace the previous ones.

        Args:
            access_token: the access token.
            refresh_token: the refresh token, None for none.
            origin: what has given them, None for AQT's own portal.

        Raises:
            OSError: the directory or a file cannot be written.
            AQTCredentialsError: others can read the files, or they cannot be read.
        """
        make_directory(self.directory)
        # First the note, about old and new tokens: at no time are there tokens without one.
        known = self._origins()
        before = [_digest(token) for token in (self.access_token(), self.refresh_token()) if token]
        origins = {digest: known[digest] for digest in before if digest in known}
        given = [token for token in (access_token, refresh_token) if token]
        origins |= {_digest(token): origin or Origin() for token in given}
        noted = {digest: asdict(one) for digest, one in origins.items()}
        write_file(self.directory / _ORIGINS, orjson.dumps(noted))
        for name, token in ((_ACCESS_TOKEN, access_token), (_REFRESH_TOKEN, refresh_token)):
            path = self.directory / name
            if token is None:
                path.unlink(missing_ok=True)
            else:
                write_file(path, token.encode())

    def remove(self) -> bool:
        """Delete the tokens, without reading them. Return whether there were any.

        Raises:
            OSError: a file cannot be deleted.
        """
        found = False
        for name in (_ACCESS_TOKEN, _REFRESH_TOKEN, _ORIGINS):  # the note last, as on saving
            try:
                (self.directory / name).unlink()
            except FileNotFoundError:
                continue
            found = found or name != _ORIGINS
        return found

    def _origins(self) -> dict[str, Origin]:
        path = self.directory / _ORIGINS
        try:
            noted = orjson.loads(path.read_bytes())
            return {str(digest): Origin(**values) for digest, values in noted.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise AQTCredentialsError(
                f"cannot read in {path} which portal the saved login is for: {error}; remove it, "
                "and log in again"
            ) from error

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


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
