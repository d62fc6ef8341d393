"""AQT's cloud in the 2.x face: workspaces and their backends."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aqt_fast import aqt_provider
from aqt_fast.api_client import ListedResource
from aqt_fast.exceptions import APIError
from aqt_fast.provider import parts
from aqt_fast.provider.parts import ResourceType, WorkspaceResource
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.resources import CloudResource

if TYPE_CHECKING:
    from aqt_connector import ArnicaConfig

__all__ = [
    "CloudProvider",
    "ResourceType",
    "WorkspaceCollection",
    "WorkspaceProvider",
    "WorkspaceResource",
]

_NOT_FOUND = 404


class WorkspaceProvider(parts.WorkspaceProvider[CloudResource]):
    """The backends of one workspace."""

    def get_backend(self, backend_id: str) -> CloudResource:
        """Request the details of a resource and return its backend.

        Args:
            backend_id: identifier of the resource.

        Raises:
            QiskitBackendNotFoundError: the workspace has no such resource. The message names those
                that it has.
            AQTCredentialsError: the access token is not accepted.
            AQTRequestError: the portal refuses the request, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            return super().get_backend(backend_id)


class WorkspaceCollection(list[WorkspaceProvider]):
    """The workspaces of a user, those without resources included."""

    def get_by_id(self, workspace_id: str) -> WorkspaceProvider | None:
        """Return the workspace with this identifier, None if there is none."""
        return next((item for item in self if item.id == workspace_id), None)


class CloudProvider:
    """AQT's cloud.

    The access token is that of ``AQT_TOKEN``, or that of the last :meth:`log_in`.

    Args:
        config: how to log in, and where the portal is (``arnica_url``, with or without ``/api``).
            None reads the environment and ``~/.aqt/config``.

    Raises:
        AQTCredentialsError: others can read the saved token.
    """

    def __init__(self, config: ArnicaConfig | None = None) -> None:
        """Find the token; open no connection."""
        with raised_as_v2():
            self._engine = Engine.of(config)

    def log_in(self) -> None:
        """Log in to AQT's cloud, and save the tokens for later sessions.

        With a client's id and secret in the configuration, the login runs unattended. Otherwise,
        open the link that it prints to standard error. Requires the ``login`` extra.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        with raised_as_v2():
            self._engine.log_in()

    def fetch_workspaces(self) -> WorkspaceCollection:
        """Request the workspaces that the user may submit to, with their resources.

        Raises:
            AQTCredentialsError: there is no access token, or it is not accepted.
            AQTRequestError: the portal refuses the request, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            try:
                return self._engine.workspaces()
            except APIError as error:
                other = self._engine.below_api() if error.status_code == _NOT_FOUND else None
                if other is None:
                    raise
            found = other.workspaces()
            self._engine, before = other, self._engine
            before.close()
            return found

    def close(self) -> None:
        """Close all connections. Jobs that have not ended stay with the portal.

        Wait up to 10 s for the answers to submissions.
        """
        self._engine.close()


class Engine(aqt_provider.AQTProvider):
    """Our provider, which makes backends of the 2.x face."""

    _config: ArnicaConfig | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_config": None}  # it may have a secret

    @classmethod
    def of(cls, config: ArnicaConfig | None, portal_url: str | None = None) -> Engine:
        """Make a provider without a warning if there is no token yet."""
        if config is None:
            config = _default_config()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", aqt_provider.NoTokenWarning)
            engine = cls(arnica_config=config, portal_url=portal_url, load_dotenv=False)
        engine._config = config
        return engine

    def workspaces(self) -> WorkspaceCollection:
        """Request the workspaces."""
        cloud = _Cloud(self, self._connections)
        return WorkspaceCollection(
            WorkspaceProvider(workspace_id, listed, cloud.backend)
            for workspace_id, listed in cloud.listing()
        )

    def below_api(self) -> Engine | None:
        """Return a provider for the same server with the API below ``/api``; None if it is there.

        The ``arnica_url`` of 2.x is that of the API, but users give the portal's, too.
        """
        url = self._connections.cloud().portal.portal_url
        if not url.endswith("/v1"):
            return None
        return Engine.of(self._config, url.removesuffix("/v1"))


class _Cloud(parts.CloudProvider):
    """What lists workspaces and makes backends of the 2.x face."""

    def listing(self) -> Iterable[tuple[str, list[ListedResource]]]:
        """Request identifiers and resources of the workspaces."""
        return self._listing()

    def backend(self, listed: ListedResource) -> CloudResource:
        """Request the details of a resource and make its backend."""
        return CloudResource(
            self._resource(listed),
            provider=self._provider,
            connect=self._connections.cloud,
        )


def _default_config() -> ArnicaConfig | None:
    """Return the configuration of environment and home; None without the ``login`` extra."""
    try:
        from aqt_fast.login.config import ArnicaConfig
    except ImportError:
        return None
    return ArnicaConfig()
