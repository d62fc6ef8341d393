"""AQT's cloud in the 2.x face: workspaces and their backends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aqt_fast._pickles import Single
from aqt_fast.exceptions import APIError
from aqt_fast.provider import parts
from aqt_fast.provider.parts import ResourceType, WorkspaceResource
from aqt_fast.v2.engine import Engine
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


class WorkspaceCollection(parts.WorkspaceCollection[WorkspaceProvider]):
    """The workspaces of a user, those without resources included."""


class CloudProvider(Single):
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
        self._config = _default_config() if config is None else config
        with raised_as_v2():
            self._engine = Engine(None, self._config)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_config": None}  # it may have a secret

    def log_in(self, *, anew: bool = False) -> None:
        """Log in to AQT's cloud, and save the tokens for later sessions.

        With a client's id and secret in the configuration, the login runs unattended. Otherwise,
        open the link that it prints to standard error. While the tokens of the last login are valid
        or can be renewed, say so and do nothing. Requires the ``login`` extra.

        Args:
            anew: log in all the same.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        with raised_as_v2():
            self._engine.log_in(anew=anew)

    def fetch_workspaces(self) -> WorkspaceCollection:
        """Request the workspaces that the user may submit to, with their resources.

        Raises:
            AQTCredentialsError: there is no access token, or it is not accepted.
            AQTRequestError: the portal refuses the request, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            try:
                return _workspaces(self._engine)
            except APIError as error:
                url = self._engine.other_portal_url if error.status_code == _NOT_FOUND else None
                if url is None:
                    raise
            other = Engine(None, self._config, url)
            found = _workspaces(other)
            self._engine, before = other, self._engine
            before.close()
            return found

    def close(self) -> None:
        """Close all connections. Jobs that have not ended stay with the portal.

        Wait up to 10 s for the answers to submissions.
        """
        self._engine.close()


def _workspaces(engine: Engine) -> WorkspaceCollection:
    """Request the workspaces, and make them those of the 2.x face."""
    cloud = engine.cloud()
    make: Any = cloud.backend  # whose class the engine decides
    return WorkspaceCollection(
        WorkspaceProvider(workspace_id, listed, make) for workspace_id, listed in cloud.listing()
    )


def _default_config() -> ArnicaConfig | None:
    """Return the configuration of environment and home; None without the ``login`` extra."""
    try:
        from aqt_fast.login.config import ArnicaConfig
    except ImportError:
        return None
    return ArnicaConfig()
