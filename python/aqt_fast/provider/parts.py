"""The parts of a provider by where circuits run: cloud by workspace, machines, this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from qiskit.providers import QiskitBackendNotFoundError

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.api_client import ListedResource
from aqt_fast.backends.base import AQTResource
from aqt_fast.exceptions import AQTCredentialsError
from aqt_fast.provider.connections import Connections
from aqt_fast.provider.offline_simulators import OFFLINE_SIMULATORS

if TYPE_CHECKING:
    from aqt_fast.backends.cloud.backend import CloudResource
    from aqt_fast.backends.direct.backend import AQTDirectAccessResource
    from aqt_fast.backends.offline.backend import OfflineSimulatorResource

B_co = TypeVar("B_co", bound=AQTResource, covariant=True)
W = TypeVar("W", bound="WorkspaceProvider[Any]")


class ResourceType(str, Enum):
    """Types of resources in the cloud."""

    DEVICE = "device"
    """A quantum computer."""
    SIMULATOR = "simulator"
    """A program that simulates one."""


@dataclass(frozen=True)
class WorkspaceResource:
    """A resource in the list of a workspace."""

    id: str
    """Identifier."""
    name: str
    """Name for display."""
    type: ResourceType
    """``device`` or ``simulator``; equal to this text."""


class WorkspaceProvider(Generic[B_co]):
    """The backends of one workspace."""

    def __init__(
        self,
        workspace_id: str,
        listed: Sequence[ListedResource],
        make: Callable[[ListedResource], B_co],
    ) -> None:
        """``make`` requests the details of a listed resource and makes its backend."""
        self._id = workspace_id
        self._listed = {item.resource_id: item for item in listed}
        self._make = make

    def __repr__(self) -> str:
        name, names = one_line(self._id, LONGEST_NAME), one_line(", ".join(self._listed))
        return f"<{type(self).__name__}({name!r}): {names or 'no resources'}>"

    @property
    def id(self) -> str:
        """Identifier of the workspace."""
        return self._id

    def list_backends(self) -> list[WorkspaceResource]:
        """List the resources, as they were when the workspaces were fetched."""
        return [
            WorkspaceResource(
                item.resource_id, item.resource_name, ResourceType(item.resource_type)
            )
            for item in self._listed.values()
        ]

    def get_backend(self, backend_id: str) -> B_co:
        """Request the details of a resource and return its backend.

        Args:
            backend_id: identifier of the resource.

        Raises:
            QiskitBackendNotFoundError: the workspace has no such resource. The message names those
                that it has.
            APIError: the portal does not answer or refuses.
        """
        try:
            listed = self._listed[backend_id]
        except (KeyError, TypeError):
            known = ", ".join(self._listed) or "none"
            message = (
                f"Backend with ID '{backend_id}' not found in workspace '{self._id}'. "
                f"Its backends: {known}"
            )
            raise QiskitBackendNotFoundError(one_line(message)) from None
        return self._make(listed)


class WorkspaceCollection(list[W]):
    """The workspaces of a user, those without resources included."""

    def get_by_id(self, workspace_id: str) -> W | None:
        """Return the workspace with this identifier, None if there is none."""
        return next((item for item in self if item.id == workspace_id), None)


class CloudProvider:
    """AQT's cloud, by workspace."""

    def __init__(self, provider: Any, connections: Connections) -> None:
        """``provider`` becomes the provider of the backends, ``connections`` are its own."""
        self._provider = provider
        self._connections = connections

    def log_in(self) -> None:
        """Log in to AQT's cloud: see :meth:`aqt_fast.AQTProvider.log_in`."""
        self._provider.log_in()

    def fetch_workspaces(self) -> WorkspaceCollection[WorkspaceProvider[CloudResource]]:
        """Request the workspaces that the user may submit to.

        Raises:
            AQTCredentialsError: there is no access token, or it is not accepted.
            APIError: the portal does not answer or refuses.
        """
        return WorkspaceCollection(
            WorkspaceProvider(workspace_id, listed, self.backend)
            for workspace_id, listed in self.listing()
        )

    def close(self) -> None:
        """Close the provider with all its connections: see :meth:`aqt_fast.AQTProvider.close`."""
        self._provider.close()

    def listing(self) -> Iterable[tuple[str, list[ListedResource]]]:
        """Request the identifiers and resources of the workspaces.

        Raises:
            AQTCredentialsError: there is no access token, or it is not accepted.
            APIError: the portal does not answer or refuses.
        """
        if not self._connections.token:
            raise AQTCredentialsError("there is no access token: call log_in(), or set AQT_TOKEN")
        return self._connections.cloud().portal.list_workspaces().items()

    def backend(self, listed: ListedResource) -> CloudResource:
        """Request the details of a resource and make its backend.

        Raises:
            APIError: the portal does not answer or refuses.
        """
        (resource,) = self._connections.cloud().portal.resources([listed])
        backend: CloudResource = self._provider.backend_class("device")(
            resource, provider=self._provider, connect=self._connections.cloud
        )
        return backend


class DirectAccessProvider:
    """Machines in the same network, each with its own token."""

    def __init__(self, provider: Any) -> None:
        """``provider`` connects to machines that take its token; other tokens get another one."""
        self._provider = provider
        self._others: dict[str, Any] = {}

    def get_resource(self, base_url: str, access_token: str) -> AQTDirectAccessResource:
        """Connect to a machine: see :meth:`aqt_fast.AQTProvider.get_direct_access_backend`.

        Args:
            base_url: URL of the machine.
            access_token: the machine's token, or the empty string.
        """
        provider = self._provider
        if access_token != provider.access_token:
            provider = self._others.get(access_token) or provider.for_restoring(access_token)
            self._others[access_token] = provider
        backend: AQTDirectAccessResource = provider.get_direct_access_backend(base_url)
        return backend

    def close(self) -> None:
        """Close the connections to machines with tokens of their own."""
        others, self._others = self._others, {}
        for provider in others.values():
            provider.close()


class OfflineSimulatorProvider:
    """The simulators in this process."""

    def __init__(self, provider: Any) -> None:
        """``provider`` becomes the provider of the backends."""
        self._provider = provider

    def ideal(self) -> OfflineSimulatorResource:
        """Return the simulator without noise."""
        backend: OfflineSimulatorResource = self._provider.get_backend(IDEAL.id)
        return backend

    def noisy(self) -> OfflineSimulatorResource:
        """Return the simulator with depolarising noise: 0.003 on r, 0.01 on rxx."""
        backend: OfflineSimulatorResource = self._provider.get_backend(NOISY.id)
        return backend


IDEAL = next(simulator for simulator in OFFLINE_SIMULATORS if not simulator.noisy)
"""The simulator without noise."""
NOISY = next(simulator for simulator in OFFLINE_SIMULATORS if simulator.noisy)
"""The simulator with noise."""
