"""Credentials → backends."""

from __future__ import annotations

import os
import re
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import dotenv
from qiskit.providers import QiskitBackendNotFoundError

from aqt_fast import login, wire
from aqt_fast.api_client import BackendType, ListedResource, Resource
from aqt_fast.api_client.models import fits
from aqt_fast.aqt_options import checked_integer
from aqt_fast.aqt_resource import (
    AQTDirectAccessResource,
    AQTResource,
    CloudResource,
    OfflineSimulatorResource,
)
from aqt_fast.backends_table import BackendsTable
from aqt_fast.caller import warn_caller
from aqt_fast.exceptions import APIError, AQTCredentialsError, InvalidOptionError
from aqt_fast.persistence import JobStore

if TYPE_CHECKING:
    from aqt_fast.api_client import Credentials
    from aqt_fast.arnica_config import ArnicaConfig
    from aqt_fast.cloud import CloudSession
    from aqt_fast.direct_access import DirectAccessSession
    from aqt_fast.job_states import JobState
    from aqt_fast.jobs_table import JobsTable

__all__ = [
    "OFFLINE_SIMULATORS",
    "AQTProvider",
    "ArnicaConfig",
    "BackendsTable",
    "NoTokenWarning",
    "OfflineSimulator",
    "PortalUnavailableWarning",
]

DEFAULT_WORKSPACE = "default"
"""The workspace that everything outside of the portal is listed in."""

DEFAULT_NUM_QUBITS = 20
"""Size of an offline simulator's register unless another is asked for."""

_MOST_QUBITS = 10_000


class NoTokenWarning(UserWarning):
    """There is no access token: only the offline simulators are listed."""


class PortalUnavailableWarning(UserWarning):
    """The portal, or one of its resources, cannot be asked, and so is not listed."""


@dataclass(frozen=True)
class OfflineSimulator:
    """A simulator that runs in this process."""

    id: str
    """Name of the backend."""
    name: str
    """Description of the backend."""
    noisy: bool
    """Whether gates are noisy."""


OFFLINE_SIMULATORS = (
    OfflineSimulator("offline_simulator_no_noise", "Offline ideal simulator", noisy=False),
    OfflineSimulator("offline_simulator_noise", "Offline noisy simulator", noisy=True),
)


class AQTProvider:
    """Lists AQT's backends and hands them out.

    A context manager: at the end of a ``with`` block its connections are closed.

    Args:
        access_token: the token for AQT's portal. None takes it from the environment variable
            ``AQT_TOKEN``, or from the last login; the empty string stands for no token, also in
            the variable.
        arnica_config: how to log in, None for what the environment and ``~/.aqt/config`` say.
        load_dotenv: take environment variables that are not set from a ``.env`` file.
        dotenv_path: that file; None looks for ``.env`` in the working directory and above it.
        portal_url: where the portal is. None takes it from ``AQT_PORTAL_URL``, or the default,
            https://arnica.aqt.eu.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer, or for more of it.
        max_parallel_requests: submissions to the portal that are under way at the same time, and
            polls as well, 1 to 64.

    Raises:
        FileNotFoundError: there is no file ``dotenv_path``.
        AQTCredentialsError: others can read the saved token.
        InvalidOptionError: ``max_parallel_requests`` is out of range.

    Warns:
        NoTokenWarning: there is no token, and only offline simulators can be used.
    """

    def __init__(
        self,
        access_token: str | None = None,
        arnica_config: ArnicaConfig | None = None,
        *,
        load_dotenv: bool = True,
        dotenv_path: str | Path | None = None,
        portal_url: str | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        max_parallel_requests: int = 8,
    ) -> None:
        """Looks for the token; connects to nothing."""
        if load_dotenv:
            if dotenv_path is not None and not Path(dotenv_path).is_file():
                raise FileNotFoundError(f"no file {dotenv_path}")
            dotenv.load_dotenv(dotenv_path or dotenv.find_dotenv(usecwd=True))
        self._config = arnica_config
        self._portal_url = portal_url
        self._max_parallel = checked_integer("max_parallel_requests", max_parallel_requests, 1, 64)
        self._timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout}
        self._closed = False
        self._cloud: CloudSession | None = None
        self._credentials: Credentials | None = None
        self._machines: dict[str, DirectAccessSession] = {}
        self._lock = threading.Lock()
        saved = False
        if access_token is None:
            access_token = os.environ.get("AQT_TOKEN")
        if access_token is None:
            access_token = self._token_store().access_token()
            saved = access_token is not None
        self._token = access_token or ""
        self._renewable = saved
        if not self._token:
            message = "no access token was given: only offline simulators are available"
            warn_caller(message, NoTokenWarning)

    def __repr__(self) -> str:
        return f"<AQTProvider({'with' if self._token else 'without'} access token)>"

    def __enter__(self) -> AQTProvider:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def access_token(self) -> str:
        """The token, or the empty string."""
        return self._token if self._credentials is None else self._credentials.token

    def close(self) -> None:
        """Close all connections. Jobs that have not ended stay with the portal.

        Submissions that were not answered yet are waited for, up to 10 s.
        """
        with self._lock:
            self._closed = True
            sessions = [self._cloud, *self._machines.values()]
        for session in sessions:
            if session is not None:
                session.close()

    def log_in(self) -> None:
        """Log in to AQT's cloud, and save the tokens for other providers and later sessions.

        With a client's id and secret (``AQT_CLIENT_ID`` and ``AQT_CLIENT_SECRET``, or in
        ``arnica_config``) that needs nobody; without, somebody has to open a link that is shown
        on standard error. Needs the extra ``login``.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        token = login.log_in(self._config, self._token_store(), out=sys.stderr)
        with self._lock:
            self._token = token
            self._renewable = True
            if self._credentials is not None:
                self._credentials.replace(token, self._renew)

    def backends(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
    ) -> BackendsTable:
        """List the backends that fit all that is given.

        Only of those the details are asked for, all at the same time.

        Args:
            name: identifier of the resource. A string must be equal, a compiled pattern must
                match at the start.
            backend_type: ``device``, ``simulator``, ``offline_simulator`` or ``direct_access``
                (the machine at ``AQT_DIRECT_URL``, if that is set).
            workspace: identifier of the workspace, compared like ``name``.

        Raises:
            InvalidOptionError: there is no such ``backend_type``.

        Warns:
            PortalUnavailableWarning: the portal, a resource or the machine cannot be asked; it
                tells why, and the others are listed.
        """
        wanted = _Wanted(name, backend_type, workspace)
        listed, problems = self._listed(wanted)
        cloud, more = self._detailed(listed)
        machines, yet_more = self._machine(wanted)
        for problem in (*problems, *more, *yet_more):
            warn_caller(problem, PortalUnavailableWarning)
        return BackendsTable([*self._offline(wanted), *machines, *cloud])

    def get_backend(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
        available_qubits: int | None = None,
    ) -> AQTResource:
        """Get the one backend that fits all that is given.

        Args:
            name: as for :meth:`backends`.
            backend_type: as for :meth:`backends`.
            workspace: as for :meth:`backends`.
            available_qubits: size of an offline simulator's register, 1 to 10 000. Default: 20.

        Raises:
            QiskitBackendNotFoundError: no backend fits, or several; the message names them. It
                also tells if the portal could not be asked.
            InvalidOptionError: there is no such ``backend_type``, or ``available_qubits`` is not
                a whole number in its range.

        Warns:
            PortalUnavailableWarning: one fits, but the portal or the machine cannot be asked.
        """
        wanted = _Wanted(name, backend_type, workspace)
        if available_qubits is not None:
            available_qubits = checked_integer(
                "available_qubits", available_qubits, 1, _MOST_QUBITS
            )
        offline = self._offline(wanted, available_qubits)
        listed, problems = self._listed(wanted)
        machines, more = self._machine(wanted)
        problems += more
        names = [backend.name for backend in (*offline, *machines)]
        names += [f"{item.resource_id} ({item.workspace_id})" for item in listed]
        if len(names) != 1:
            raise QiskitBackendNotFoundError(self._not_found(names, problems))
        for problem in problems:
            # Where it cannot be asked, there may be another that fits.
            warn_caller(problem, PortalUnavailableWarning)
        cloud, more = self._detailed(listed)
        if more:
            raise QiskitBackendNotFoundError(more[0])
        return [*offline, *machines, *cloud][0]

    def get_direct_access_backend(
        self, base_url: str | None = None, /, *, max_shots: int = 2000
    ) -> AQTDirectAccessResource:
        """Connect to a machine in the same network.

        Args:
            base_url: where it is; None takes it from ``AQT_DIRECT_URL``.
            max_shots: repetitions of a circuit that the machine takes, 1 to 2000.

        Raises:
            QiskitBackendNotFoundError: no URL is given.
            InvalidOptionError: ``max_shots`` is out of range.
            InsecureConnectionError: there is a token, and the URL is plain HTTP to another
                machine. Where the machine wants no token, use ``AQTProvider("")``.
            APIError: the machine cannot be asked.
        """
        url = base_url or os.environ.get("AQT_DIRECT_URL")
        if not url:
            raise QiskitBackendNotFoundError(
                "no URL of a direct-access machine: give it, or set AQT_DIRECT_URL"
            )
        most = wire.API_LIMITS.shots or max_shots
        max_shots = checked_integer("max_shots", max_shots, 1, most)
        session = self._direct_session(url)
        resource = Resource(
            workspace_id=DEFAULT_WORKSPACE,
            resource_id=session.client.system_name(),
            resource_name=f"Machine at {url}",
            resource_type="direct_access",
            available_qubits=session.client.num_ions(),
        )
        return AQTDirectAccessResource(
            resource, provider=self, session=session, max_shots=max_shots
        )

    def jobs(
        self,
        backend: str | re.Pattern[str] | None = None,
        *,
        state: JobState | re.Pattern[str] | None = None,
        label: str | re.Pattern[str] | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        store_path: str | Path | None = None,
    ) -> JobsTable:
        """List the jobs in the store that fit all that is given, the newest first.

        These are the jobs in the cloud that have a journal, and what was saved by ``persist()``.
        Neither are circuits read, nor is the portal asked; processes that work on a job do not
        notice. Data that cannot be read is listed as ``damaged``.

        Args:
            backend: name of the job's backend. A string must be equal, a compiled pattern must
                match at the start.
            state: one of :data:`~aqt_fast.job_states.JobState`, compared like ``backend``.
            label: what the portal shows with the job, compared like ``backend``.
            since: only jobs that were made then or later; a local time if it has no time zone.
            before: only jobs that were made earlier.
            limit: only so many of them, 1 or more.
            store_path: directory of saved jobs and journals, None for the default one.

        Raises:
            InvalidOptionError: ``state``, ``since``, ``before`` or ``limit`` is something else.
            OSError: the directory cannot be read.
        """
        table = import_module("aqt_fast.jobs_table")
        if limit is not None:
            limit = checked_integer("limit", limit, 1, sys.maxsize)
        wanted = table.WantedJobs(backend, state, label, since, before)
        found: JobsTable = table.list_jobs(JobStore(store_path), wanted, limit=limit, provider=self)
        return found

    def saved_backend(
        self, name: str, available_qubits: int, settings: dict[str, Any]
    ) -> AQTResource:
        """The backend of a saved job; asks nobody.

        Args:
            name: its name.
            available_qubits: size of its register.
            settings: what the job's execution has saved.

        Raises:
            APIError: it belongs to another portal or machine, or there is no token.
        """
        if "machine_url" in settings:
            return self._saved_machine(name, available_qubits, settings)
        if "portal_url" not in settings:
            return self.get_backend(
                name, backend_type="offline_simulator", available_qubits=available_qubits
            )
        if not self._token:
            raise AQTCredentialsError("the job is with AQT's portal, and there is no access token")
        session = self._cloud_session()
        if settings["portal_url"] != session.portal.portal_url:
            raise APIError(
                f"the job is with {settings['portal_url']}, not with "
                f"{session.portal.portal_url}; set AQT_PORTAL_URL"
            )
        resource = Resource(
            workspace_id=settings["workspace_id"],
            resource_id=name,
            resource_name=settings["resource_name"],
            resource_type=settings["resource_type"],
            available_qubits=available_qubits,
        )
        return CloudResource(resource, provider=self, session=session)

    def _saved_machine(
        self, name: str, available_qubits: int, settings: dict[str, Any]
    ) -> AQTDirectAccessResource:
        """The machine of a saved job."""
        url = settings["machine_url"]
        named = os.environ.get("AQT_DIRECT_URL")
        if named:
            self._direct_session(named)
        # The token goes to no address that is known from a file alone.
        if self._token and url not in self._machines:
            raise APIError(
                f"the job is with the machine at {url}, which would get the access token: set "
                "AQT_DIRECT_URL to this address"
            )
        resource = Resource(
            workspace_id=DEFAULT_WORKSPACE,
            resource_id=name,
            resource_name=settings["resource_name"],
            resource_type="direct_access",
            available_qubits=available_qubits,
        )
        return AQTDirectAccessResource(
            resource,
            provider=self,
            session=self._direct_session(url),
            max_shots=settings["max_shots"],
        )

    def _offline(self, wanted: _Wanted, num_qubits: int | None = None) -> list[AQTResource]:
        """The simulators of this process that fit."""
        resources = [
            Resource(
                workspace_id=DEFAULT_WORKSPACE,
                resource_id=simulator.id,
                resource_name=simulator.name,
                resource_type="offline_simulator",
                available_qubits=num_qubits or DEFAULT_NUM_QUBITS,
            )
            for simulator in OFFLINE_SIMULATORS
        ]
        return [
            OfflineSimulatorResource(resource, provider=self, with_noise_model=simulator.noisy)
            for resource, simulator in zip(resources, OFFLINE_SIMULATORS, strict=True)
            if wanted.fits(resource)
        ]

    def _listed(self, wanted: _Wanted) -> tuple[list[ListedResource], list[str]]:
        """The resources of the portal that fit, and why it could not be asked."""
        if not self._token or not wanted.may_be_in_the_cloud:
            return [], []
        try:
            listed = self._cloud_session().portal.list_resources()
        except APIError as error:
            return [], [f"AQT's portal cannot be asked for its resources: {error}"]
        return [resource for resource in listed if wanted.fits(resource)], []

    def _detailed(self, listed: list[ListedResource]) -> tuple[list[AQTResource], list[str]]:
        """The backends of listed resources, and why some of them could not be asked for."""
        if not listed:
            return [], []
        problems: list[str] = []

        def note(resource: ListedResource, error: APIError) -> None:
            problems.append(f"resource {resource.resource_id} cannot be asked for: {error}")

        session = self._cloud_session()
        resources = session.portal.resources(listed, on_error=note)
        return [
            CloudResource(resource, provider=self, session=session) for resource in resources
        ], problems

    def _machine(self, wanted: _Wanted) -> tuple[list[AQTResource], list[str]]:
        """The machine at ``AQT_DIRECT_URL`` if it fits, and why it could not be asked."""
        url = os.environ.get("AQT_DIRECT_URL")
        if not url or not wanted.may_be_a_machine:
            return [], []
        try:
            backend = self.get_direct_access_backend(url)
        except APIError as error:
            return [], [f"the machine at {url} cannot be asked: {error}"]
        return [backend] if wanted.fits(backend.resource_id) else [], []

    def _not_found(self, names: list[str], problems: list[str]) -> str:
        if names:
            return "; ".join([*problems, f"several backends fit: {', '.join(names)}"])
        everything = _Wanted(None, None, None)
        candidates = [backend.name for backend in self._offline(everything)]
        if not problems:
            listed, problems = self._listed(everything)
            candidates += [f"{item.resource_id} ({item.workspace_id})" for item in listed]
        return "; ".join([*problems, f"no backend fits; there are: {', '.join(candidates)}"])

    def _cloud_session(self) -> CloudSession:
        # httpx loads when it is needed.
        cloud, client = import_module("aqt_fast.cloud"), import_module("aqt_fast.api_client")
        with self._lock:
            if self._cloud is None:
                portal = client.PortalClient(
                    self._shared_credentials(), portal_url=self._portal_url, **self._timeouts
                )
                self._cloud = cloud.CloudSession(portal, max_parallel_requests=self._max_parallel)
                if self._closed:
                    self._cloud.close()
            return self._cloud

    def _direct_session(self, url: str) -> DirectAccessSession:
        access = import_module("aqt_fast.direct_access")
        client = import_module("aqt_fast.api_client")
        with self._lock:
            machine = client.DirectAccessClient(url, self._shared_credentials(), **self._timeouts)
            # One for each machine, however its URL is written: it has one circuit in hand.
            session = self._machines.setdefault(
                machine.base_url, access.DirectAccessSession(machine)
            )
            if self._closed:
                session.close()
            return session

    def _shared_credentials(self) -> Credentials:
        if self._credentials is None:
            client = import_module("aqt_fast.api_client")
            renew = self._renew if self._renewable else None
            self._credentials = client.Credentials(self._token, renew)
        return self._credentials

    def _token_store(self) -> login.TokenStore:
        return login.TokenStore(None if self._config is None else self._config.store_path)

    def _renew(self, refused: str) -> str | None:
        return login.renew(self._config, self._token_store(), refused)


@dataclass(frozen=True)
class _Wanted:
    """What a backend must be like."""

    name: str | re.Pattern[str] | None
    backend_type: BackendType | None
    workspace: str | re.Pattern[str] | None

    def __post_init__(self) -> None:
        if self.backend_type is not None and self.backend_type not in get_args(BackendType):
            expected = f"one of {', '.join(get_args(BackendType))}"
            raise InvalidOptionError("backend_type", self.backend_type, expected)

    def fits(self, resource: Resource | ListedResource) -> bool:
        """Whether a resource is wanted."""
        return (
            self.backend_type in (None, resource.resource_type)
            and fits(self.name, resource.resource_id)
            and fits(self.workspace, resource.workspace_id)
        )

    @property
    def may_be_in_the_cloud(self) -> bool:
        """Whether the portal has to be asked."""
        return self.backend_type in (None, "device", "simulator") and not self._is_offline

    @property
    def may_be_a_machine(self) -> bool:
        """Whether the machine in the same network has to be asked."""
        return (
            self.backend_type in (None, "direct_access")
            and fits(self.workspace, DEFAULT_WORKSPACE)
            and not self._is_offline
        )

    @property
    def _is_offline(self) -> bool:
        return self.name in [simulator.id for simulator in OFFLINE_SIMULATORS]


def __getattr__(name: str) -> object:
    if name == "ArnicaConfig":  # needs the extra `login`
        return import_module("aqt_fast.arnica_config").ArnicaConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
