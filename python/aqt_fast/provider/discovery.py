"""Find the available backends, and those that match the user's request.

Each way of running is loaded with its first backend.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from qiskit.providers import QiskitBackendNotFoundError

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.api_client import BackendType, ListedResource, Resource
from aqt_fast.api_client.models import fits
from aqt_fast.aqt_options import checked_integer
from aqt_fast.backends.base import AQTResource
from aqt_fast.exceptions import APIError, AQTCredentialsError, InvalidOptionError
from aqt_fast.provider.connections import Connections
from aqt_fast.provider.criteria import check_criterion
from aqt_fast.provider.offline_simulators import OFFLINE_SIMULATORS
from aqt_fast.wire.circuits import API_LIMITS

if TYPE_CHECKING:
    from aqt_fast.backends.direct.backend import AQTDirectAccessResource

DEFAULT_WORKSPACE = "default"
"""Workspace of all backends outside the portal."""

DEFAULT_NUM_QUBITS = 20
"""Default number of qubits of an offline simulator."""


class PortalUnavailableWarning(UserWarning):
    """The portal, one of its resources or a machine does not answer, and is not listed."""


class Problem(NamedTuple):
    """Why backends may be missing."""

    what: str
    """What has failed."""
    error: APIError | None = None
    """The reason, if a server has given one."""

    def __str__(self) -> str:
        return self.what if self.error is None else f"{self.what}: {self.error}"


@dataclass(frozen=True)
class WantedBackends:
    """Criteria for backends, as for :meth:`AQTProvider.backends`.

    Raises:
        InvalidOptionError: there is no such ``backend_type``, or another criterion has a wrong
            type.
    """

    name: str | re.Pattern[str] | None = None
    backend_type: BackendType | None = None
    workspace: str | re.Pattern[str] | None = None

    def __post_init__(self) -> None:
        if self.backend_type is not None and self.backend_type not in get_args(BackendType):
            expected = f"one of {', '.join(get_args(BackendType))}"
            raise InvalidOptionError("backend_type", self.backend_type, expected)
        check_criterion("name", self.name)
        check_criterion("workspace", self.workspace)

    def fits(self, resource: Resource | ListedResource) -> bool:
        """Return whether a resource meets the criteria."""
        return (
            self.backend_type in (None, resource.resource_type)
            and fits(self.name, resource.resource_id)
            and fits(self.workspace, resource.workspace_id)
        )

    @property
    def may_be_in_the_cloud(self) -> bool:
        """Whether the portal may have a matching backend."""
        return self.backend_type in (None, "device", "simulator") and not self._is_offline

    @property
    def may_be_a_machine(self) -> bool:
        """Whether the machine in the same network may match."""
        return (
            self.backend_type in (None, "direct_access")
            and fits(self.workspace, DEFAULT_WORKSPACE)
            and not self._is_offline
        )

    @property
    def _is_offline(self) -> bool:
        return self.name in [simulator.id for simulator in OFFLINE_SIMULATORS]


class Discovery:
    """Finds the backends of a provider."""

    def __init__(self, provider: Any, connections: Connections) -> None:
        """``provider`` becomes the provider of the backends."""
        self._provider = provider
        self._connections = connections

    def all(self, wanted: WantedBackends) -> tuple[list[AQTResource], list[str]]:
        """Return all matching backends, and why portal, resources or machine are missing."""
        listed, problems = self._listed(wanted)
        cloud, more = self._detailed(listed)
        machines, yet_more = self._machine(wanted)
        backends = [*self.offline(wanted), *machines, *cloud]
        return backends, [str(problem) for problem in (*problems, *more, *yet_more)]

    def one(self, wanted: WantedBackends, num_qubits: int | None) -> tuple[AQTResource, list[str]]:
        """Return the one matching backend, and the reasons why others may be missing.

        Args:
            wanted: the criteria.
            num_qubits: number of qubits of an offline simulator, None for the default.

        Raises:
            QiskitBackendNotFoundError: no backend matches, several do, or its details are
                unavailable.
            AQTCredentialsError: the same, because the portal does not accept the access token.
        """
        offline = self.offline(wanted, num_qubits)
        listed, problems = self._listed(wanted)
        machines, more = self._machine(wanted)
        problems += more
        names = [backend.name for backend in (*offline, *machines)] + _names(listed)
        if len(names) != 1:
            if not names:
                _raise_refused_token(problems)
            raise QiskitBackendNotFoundError(one_line(self._not_found(wanted, names, problems)))
        cloud, unavailable = self._detailed(listed)
        if unavailable:
            _raise_refused_token(unavailable)
            raise QiskitBackendNotFoundError(one_line(str(unavailable[0])))
        if num_qubits is not None and not offline:
            (found,) = *machines, *cloud
            raise QiskitBackendNotFoundError(
                f"available_qubits={num_qubits} is for offline simulators only: "
                f"{one_line(found.name, LONGEST_NAME)} has "
                f"{found.num_qubits} qubits"
            )
        return [*offline, *machines, *cloud][0], [str(problem) for problem in problems]

    def direct(
        self, url: str, max_shots: int, *, allow_plain_http: bool | None = None
    ) -> AQTDirectAccessResource:
        """Return the backend for the machine at a URL.

        Args:
            url: URL of the machine.
            max_shots: maximum number of shots per circuit.
            allow_plain_http: as for :meth:`Connections.machine`.

        Raises:
            InvalidOptionError: ``max_shots`` is out of range.
            APIError: the machine does not answer, or would get the token over plain HTTP.
        """
        most = API_LIMITS.shots or max_shots
        max_shots = checked_integer("max_shots", max_shots, 1, most)
        connection = self._connections.machine(url, allow_plain_http=allow_plain_http)
        resource = Resource(
            workspace_id=DEFAULT_WORKSPACE,
            resource_id=connection.client.system_name(),
            resource_name=f"Machine at {url}",
            resource_type="direct_access",
            available_qubits=connection.client.num_ions(),
        )
        backend: AQTDirectAccessResource = self._provider.backend_class("direct_access")(
            resource,
            provider=self._provider,
            connect=partial(self._connections.machine, url, allow_plain_http=allow_plain_http),
            max_shots=max_shots,
        )
        return backend

    def offline(self, wanted: WantedBackends, num_qubits: int | None = None) -> list[AQTResource]:
        """Return the matching offline simulators."""
        make = self._provider.backend_class("offline_simulator")
        backends: list[AQTResource] = []
        for simulator in OFFLINE_SIMULATORS:
            resource = Resource(
                workspace_id=DEFAULT_WORKSPACE,
                resource_id=simulator.id,
                resource_name=simulator.name,
                resource_type="offline_simulator",
                available_qubits=num_qubits or DEFAULT_NUM_QUBITS,
            )
            if wanted.fits(resource):
                backends.append(
                    make(resource, provider=self._provider, with_noise_model=simulator.noisy)
                )
        return backends

    def _listed(self, wanted: WantedBackends) -> tuple[list[ListedResource], list[Problem]]:
        """Return the matching resources of the portal, and why it did not answer."""
        if not wanted.may_be_in_the_cloud:
            return [], []
        if not self._connections.token:
            missing = self._connections.missing_token
            return [], [] if missing is None else [Problem(missing)]
        try:
            listed = self._connections.cloud().portal.list_resources()
        except APIError as error:
            return [], [Problem("AQT's portal cannot be asked for its resources", error)]
        return [resource for resource in listed if wanted.fits(resource)], []

    def _detailed(self, listed: list[ListedResource]) -> tuple[list[AQTResource], list[Problem]]:
        """Return the backends of listed resources, and why some details are unavailable."""
        if not listed:
            return [], []
        make = self._provider.backend_class("device")
        problems: list[Problem] = []

        def note(resource: ListedResource, error: APIError) -> None:
            name = one_line(resource.resource_id, LONGEST_NAME)
            problems.append(Problem(f"resource {name} cannot be asked for", error))

        resources = self._connections.cloud().portal.resources(listed, on_error=note)
        return [
            make(resource, provider=self._provider, connect=self._connections.cloud)
            for resource in resources
        ], problems

    def _machine(self, wanted: WantedBackends) -> tuple[list[AQTResource], list[Problem]]:
        """Return the machine at ``AQT_DIRECT_URL`` if it matches, and why it did not answer."""
        url = self._connections.named_machine
        if not url or not wanted.may_be_a_machine:
            return [], []
        try:
            backend = self.direct(url, API_LIMITS.shots or 1)
        except APIError as error:
            return [], [Problem(f"the machine at {url} cannot be asked", error)]
        return [backend] if wanted.fits(backend.resource_id) else [], []

    def _not_found(self, wanted: WantedBackends, names: list[str], problems: list[Problem]) -> str:
        reasons = [str(problem) for problem in problems]
        if names:
            several = f"several backends fit: {', '.join(names)}"
            if wanted.workspace is None:
                several += "; a workspace may tell them apart"
            return "; ".join([*reasons, several])
        everything = WantedBackends()
        candidates = [backend.name for backend in self.offline(everything)]
        if not problems and not self._connections.token and wanted.may_be_in_the_cloud:
            reasons.append("AQT's portal was not asked, for there is no access token")
        elif not problems:
            listed, problems = self._listed(everything)
            reasons = [str(problem) for problem in problems]
            candidates += _names(listed)
        return "; ".join([*reasons, f"no backend fits; there are: {', '.join(candidates)}"])


def _raise_refused_token(problems: list[Problem]) -> None:
    """Raise the error of a token that is not accepted, if that is one of the problems."""
    for problem in problems:
        if isinstance(problem.error, AQTCredentialsError):
            raise AQTCredentialsError(
                str(problem), status_code=problem.error.status_code
            ) from problem.error


def _names(listed: list[ListedResource]) -> list[str]:
    return [f"{item.resource_id} ({item.workspace_id})" for item in listed]
