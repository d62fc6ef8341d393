"""Machines in the same network in the 2.x face."""

from __future__ import annotations

from typing import Any, cast

from aqt_fast._pickles import Single
from aqt_fast.v2.engine import Engine
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.resources import DirectAccessResource

__all__ = ["DirectAccessProvider"]


class DirectAccessProvider(Single):
    """Connects to machines in the same network."""

    def __init__(self) -> None:
        """Open no connection."""
        self._engines: dict[tuple[str, str], Engine] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_engines": {}}  # their keys have tokens

    def get_resource(
        self, base_url: str, access_token: str, *, allow_plain_http: bool | None = None
    ) -> DirectAccessResource:
        """Ask a machine for its name and size, and return its backend.

        Args:
            base_url: URL of the machine.
            access_token: the machine's token, or the empty string.
            allow_plain_http: send the token unprotected, as for
                :meth:`aqt_fast.AQTProvider.get_direct_access_backend`.

        Raises:
            AQTCredentialsError: the token is not accepted, or would travel over plain HTTP to
                another computer.
            AQTRequestError: the machine cannot be reached, or refuses.
            AQTApiError: ``base_url`` is no URL, or the machine has failed.
        """
        with raised_as_v2():
            engine = self._engines.get((base_url, access_token))
            if engine is None:
                engine = Engine(access_token)
            resource = engine.get_direct_access_backend(base_url, allow_plain_http=allow_plain_http)
            self._engines[base_url, access_token] = engine
            return cast("DirectAccessResource", resource)

    def close(self) -> None:
        """Close all connections. What the machines have accepted runs there."""
        engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.close()
