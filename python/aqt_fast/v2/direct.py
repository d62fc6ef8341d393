"""Machines in the same network in the 2.x face."""

from __future__ import annotations

from functools import partial
from typing import Any

from aqt_fast import aqt_provider
from aqt_fast.api_client import Resource
from aqt_fast.provider.discovery import DEFAULT_WORKSPACE
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.resources import DirectAccessResource

__all__ = ["DirectAccessProvider"]


class DirectAccessProvider:
    """Connects to machines in the same network."""

    def __init__(self) -> None:
        """Open no connection."""
        self._engines: dict[tuple[str, str], Engine] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {"_engines": {}}  # their keys have tokens

    def __copy__(self) -> DirectAccessProvider:
        """Return this object: a copy would share its connections."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> DirectAccessProvider:
        """Return this object: a copy would share its connections."""
        return self

    def get_resource(self, base_url: str, access_token: str) -> DirectAccessResource:
        """Ask a machine for its name and size, and return its backend.

        Args:
            base_url: URL of the machine.
            access_token: the machine's token, or the empty string.

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
            resource = engine.machine(base_url)
            self._engines[base_url, access_token] = engine
            return resource

    def close(self) -> None:
        """Close all connections. What the machines have accepted runs there."""
        engines, self._engines = self._engines, {}
        for engine in engines.values():
            engine.close()


class Engine(aqt_provider.AQTProvider):
    """Our provider for one machine's token, which makes backends of the 2.x face."""

    def __init__(self, access_token: str) -> None:
        """Open no connection."""
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", aqt_provider.NoTokenWarning)
            super().__init__(access_token, load_dotenv=False)

    def machine(self, base_url: str) -> DirectAccessResource:
        """Ask a machine for its name and size, and return its backend."""
        connection = self._connections.machine(base_url)
        resource = Resource(
            workspace_id=DEFAULT_WORKSPACE,
            resource_id=connection.client.system_name(),
            resource_name=f"Machine at {connection.client.base_url}",
            resource_type="direct_access",
            available_qubits=connection.client.num_ions(),
        )
        connect = partial(self._connections.machine, base_url)
        return DirectAccessResource(resource, provider=self, connect=connect)
