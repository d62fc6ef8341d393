"""From credentials to backends, and to stored jobs.

Longer than 400 lines: most of them are docstrings of the one class that users call.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from qiskit.providers import QiskitBackendNotFoundError

from aqt_fast._lazy import lazy_names
from aqt_fast._pickles import Single
from aqt_fast._warnings import warn_caller
from aqt_fast.api_client import BackendType
from aqt_fast.api_client.models import MOST_QUBITS
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import FetchOptions, checked_flag, checked_integer, checked_seconds
from aqt_fast.devices.prices import PriceList, price_lists
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.exceptions import InvalidInputError, InvalidOptionError
from aqt_fast.jobs.connection import closing_together
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.provider.access import Access
from aqt_fast.provider.backends_table import BackendsTable
from aqt_fast.provider.connections import Connections, PlainHTTPWarning
from aqt_fast.provider.discovery import Discovery, PortalUnavailableWarning, WantedBackends
from aqt_fast.provider.jobs_table import JobsTable, WantedJobs, list_jobs
from aqt_fast.provider.offline_simulators import OFFLINE_SIMULATORS, OfflineSimulator
from aqt_fast.provider.parts import (
    CloudProvider,
    DirectAccessProvider,
    OfflineSimulatorProvider,
)
from aqt_fast.provider.settings import DotenvWarning, Settings
from aqt_fast.store.states import StoredJobState

if TYPE_CHECKING:
    import aqt_connector
    from qiskit import QuantumCircuit
    from typing_extensions import Self, Unpack

    from aqt_fast.aqt_resource import AQTDirectAccessResource, AQTResource
    from aqt_fast.backends.offline.device_noise import CharacterisationWarning
    from aqt_fast.backends.offline.noise_settings import FidelityKind
    from aqt_fast.backends.offline.twin import NoiseTwin
    from aqt_fast.devices import Characterisation
    from aqt_fast.login.config import ArnicaConfig

__all__ = [
    "OFFLINE_SIMULATORS",
    "AQTProvider",
    "ArnicaConfig",
    "BackendsTable",
    "CharacterisationWarning",
    "DotenvWarning",
    "JobsTable",
    "NoTokenWarning",
    "OfflineSimulator",
    "PlainHTTPWarning",
    "PortalUnavailableWarning",
]


class NoTokenWarning(UserWarning):
    """No access token was given: only the offline simulators are available."""


class AQTProvider(Single):
    """Lists AQT's backends and makes them.

    Also a context manager: the end of a ``with`` block closes its connections.

    A provider can be pickled, and works in a forked process, with connections of its own there. The
    pickle carries no access token. Where it is unpickled, a token comes from the environment, a
    ``.env`` file or the last login, and only if ``AQT_PORTAL_URL`` is for the same portal there.
    A copy by ``copy.copy`` or ``copy.deepcopy`` is the same provider.

    Args:
        access_token: the token for AQT's portal. None takes it from the environment variable
            ``AQT_TOKEN`` or from the last login. The empty string, here or in the variable, stands
            for no token.
        arnica_config: how to log in, and the portal if its ``arnica_url`` is not AQT's own; None
            to read the environment and ``~/.aqt/config``. AQT's own class is accepted, too.
        load_dotenv: take variables ``AQT_…`` that the environment has not from a ``.env`` file.
            They are this provider's settings; the process's environment stays as it is.
        dotenv_path: that file, which is then read in any case. None looks for ``.env`` in the
            working directory and its parents, up to the top of the project (``.git`` or
            ``pyproject.toml``) or the home directory.
        portal_url: URL of the portal. None takes it from ``AQT_PORTAL_URL``; the default is
            https://arnica.aqt.eu.
        connect_timeout: maximum time in seconds to wait for a connection.
        read_timeout: maximum time in seconds to wait for an answer to begin, and for the rest of
            it. A request, and the rest, may take a second more for each 20 kB.
        max_parallel_requests: maximum number of concurrent submissions to the portal, and also of
            concurrent polls, 1 to 64.
        price_list: what devices cost, for estimates: a list of prices, or several for different
            devices. None for no prices.
        max_cost: refuse jobs of any backend that may cost more, in the currency of the price list.
            Like the next three, as the option of :class:`~aqt_fast.AQTOptions`.
        max_device_seconds: refuse jobs that may take more seconds on the device.
        max_shots: refuse jobs with more shots of all circuits together.
        require_online: refuse jobs for devices that are not online when they are submitted.

    Raises:
        FileNotFoundError: the file ``dotenv_path`` does not exist.
        AQTCredentialsError: others can read the saved token.
        InvalidInputError: an argument has a wrong type.
        InvalidOptionError: ``max_parallel_requests``, a limit or a time-out is out of range, or
            ``price_list`` is something else.

    Warns:
        NoTokenWarning: there is no token, so only offline simulators are available.
        DotenvWarning: the ``.env`` file is not used, as another user can have written it.
    """

    def __init__(
        self,
        access_token: str | None = None,
        arnica_config: aqt_connector.ArnicaConfig | None = None,
        *,
        load_dotenv: bool = True,
        dotenv_path: str | Path | None = None,
        portal_url: str | None = None,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        max_parallel_requests: int = 8,
        price_list: PriceList | Iterable[PriceList] | None = None,
        max_cost: float | None = None,
        max_device_seconds: float | None = None,
        max_shots: int | None = None,
        require_online: bool = False,
    ) -> None:
        """Find the token; open no connection."""
        _check_text("access_token", access_token)
        _check_text("portal_url", portal_url)
        file = None if dotenv_path is None else Path(dotenv_path)
        if file is not None and not file.is_file():
            raise FileNotFoundError(f"no file {dotenv_path}")
        self._settings = Settings.read(file, search=load_dotenv)
        config = None if arnica_config is None else _own_config(arnica_config)
        if config is not None:
            portal_url = portal_url or config.portal_url
        self._connections = Connections(
            Access(access_token, config, self._settings, portal_url),
            self._settings,
            connect_timeout=checked_seconds("connect_timeout", connect_timeout),
            read_timeout=checked_seconds("read_timeout", read_timeout),
            max_parallel_requests=checked_integer(
                "max_parallel_requests", max_parallel_requests, 1, 64
            ),
        )
        self.price_lists = price_lists(price_list)
        """What devices cost."""
        self.spending_limits = SpendingLimits(max_cost, max_device_seconds, max_shots)
        self.require_online = require_online
        self._begin()
        if not self._connections.token:
            message = "no access token was given: only offline simulators are available"
            reason = self._connections.missing_token
            warn_caller(f"{message}; {reason}" if reason else message, NoTokenWarning)

    def _begin(self) -> None:
        self._discovery = Discovery(self, self._connections)
        self._direct_access = DirectAccessProvider(self)

    @classmethod
    def for_restoring(cls, access_token: str | None = None) -> Self:
        """Make a provider for jobs that may need no token, without a warning if there is none.

        Args:
            access_token: as for the class.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NoTokenWarning)
            return cls(access_token)

    def __repr__(self) -> str:
        return f"<AQTProvider({'with' if self.access_token else 'without'} access token)>"

    def __getstate__(self) -> dict[str, Any]:
        state = dict(vars(self))
        del state["_discovery"], state["_direct_access"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    name = "aqt_provider"
    """The provider's name in Qiskit."""

    @property
    def access_token(self) -> str:
        """The token, or the empty string. All requests use a token that is set here."""
        return self._connections.token

    @access_token.setter
    def access_token(self, token: str | None) -> None:
        _check_text("access_token", token)
        self._connections.use_token(token or "")

    @property
    def spending_limits(self) -> SpendingLimits:
        """What a job of any backend may cost and take at most; may be set anew.

        Raises:
            InvalidOptionError: on setting something else than ``SpendingLimits``.
        """
        return self._spending_limits

    @spending_limits.setter
    def spending_limits(self, limits: SpendingLimits) -> None:
        if not isinstance(limits, SpendingLimits):
            raise InvalidOptionError("spending_limits", limits, "SpendingLimits")
        self._spending_limits = limits

    @property
    def require_online(self) -> bool:
        """Whether jobs for devices that are not online are refused; may be set anew.

        Raises:
            InvalidOptionError: on setting something else than True or False.
        """
        return self._require_online

    @require_online.setter
    def require_online(self, value: bool) -> None:
        self._require_online = checked_flag("require_online", value)

    @property
    def store_path(self) -> Path:
        """Where jobs and journals are, unless a method is given another ``store_path``."""
        path = self._settings.get("AQT_STORE_PATH")
        return get_store_path(Path(path).expanduser() if path else None)

    def close(self) -> None:
        """Close all connections. Jobs that have not ended stay with the portal.

        That takes up to 10 s in all, most of it for the answers to submissions. What was not
        submitted, or may have been, is told on standard error.
        """
        with closing_together():
            self._direct_access.close()
            self._connections.close()

    @property
    def offline(self) -> OfflineSimulatorProvider:
        """The simulators in this process, as in version 2 of AQT's own provider."""
        return OfflineSimulatorProvider(self)

    def cloud(self) -> CloudProvider:
        """Return AQT's cloud by workspace, as in version 2 of AQT's own provider.

        Token, portal and connections are this provider's. For a configuration of its own, use
        ``AQTProvider(arnica_config=…)``.
        """
        return CloudProvider(self, self._connections)

    def direct_access(self) -> DirectAccessProvider:
        """Return what connects to machines with their own tokens, as in version 2."""
        return self._direct_access

    def log_in(self, *, anew: bool = False) -> None:
        """Log in to AQT's cloud, and save the tokens for other providers and later sessions.

        While the saved token is valid, or can be renewed without the user, only say so on standard
        error, and use it.

        With a client's id and secret (``AQT_CLIENT_ID`` and ``AQT_CLIENT_SECRET``, or in
        ``arnica_config``), the login runs unattended. Otherwise, open the link that it prints to
        standard error. Requires the ``login`` extra.

        Args:
            anew: log in even if the saved token is valid, for example as another user.

        Raises:
            AQTCredentialsError: the login has failed, or ``aqt-connector`` is not installed.
        """
        self._connections.log_in(anew=anew)

    def backend_class(self, backend_type: BackendType) -> type[Any]:
        """Return the class of this provider's backends of a type; subclasses may have others.

        Args:
            backend_type: as for :meth:`backends`.
        """
        if backend_type == "direct_access":
            from aqt_fast.backends.direct.backend import AQTDirectAccessResource

            return AQTDirectAccessResource
        if backend_type == "offline_simulator":
            from aqt_fast.backends.offline.backend import OfflineSimulatorResource

            return OfflineSimulatorResource
        from aqt_fast.backends.cloud.backend import CloudResource

        return CloudResource

    def backends(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
    ) -> BackendsTable:
        """List the backends that match all arguments.

        Only their details are requested, all at the same time.

        Args:
            name: identifier of the resource. A string must be equal; a compiled pattern must match
                at the start.
            backend_type: ``device``, ``simulator``, ``offline_simulator`` or ``direct_access``
                (the machine at ``AQT_DIRECT_URL``, if that is set).
            workspace: identifier of the workspace, matched like ``name``.

        Raises:
            InvalidOptionError: there is no such ``backend_type``.

        Warns:
            PortalUnavailableWarning: the portal, a resource or the machine does not answer. The
                warning gives the reason; the other backends are listed.
        """
        found, problems = self._discovery.all(WantedBackends(name, backend_type, workspace))
        for problem in problems:
            warn_caller(problem, PortalUnavailableWarning)
        return BackendsTable(found)

    def get_backend(
        self,
        name: str | re.Pattern[str] | None = None,
        *,
        backend_type: BackendType | None = None,
        workspace: str | re.Pattern[str] | None = None,
        available_qubits: int | None = None,
    ) -> AQTResource:
        """Return the one backend that matches all arguments.

        Args:
            name: as for :meth:`backends`.
            backend_type: as for :meth:`backends`.
            workspace: as for :meth:`backends`.
            available_qubits: number of qubits of an offline simulator, 1 to 10 000. Default: 20.

        Raises:
            QiskitBackendNotFoundError: no backend matches, or several do. The message names them,
                and says if the portal did not answer, or was not asked for want of a token. Or
                ``available_qubits`` is given for a backend that is no offline simulator.
            AQTCredentialsError: no backend matches, and the portal does not accept the token.
            InvalidOptionError: there is no such ``backend_type``, ``available_qubits`` is not an
                integer in its range, or another argument has a wrong type.

        Warns:
            PortalUnavailableWarning: one matches, but the portal or the machine does not answer.
        """
        wanted = WantedBackends(name, backend_type, workspace)
        if available_qubits is not None:
            available_qubits = checked_integer("available_qubits", available_qubits, 1, MOST_QUBITS)
        backend, problems = self._discovery.one(wanted, available_qubits)
        for problem in problems:
            # The one that does not answer may have another match.
            warn_caller(problem, PortalUnavailableWarning)
        return backend

    def get_direct_access_backend(
        self,
        base_url: str | None = None,
        /,
        *,
        max_shots: int = 2000,
        allow_plain_http: bool | None = None,
    ) -> AQTDirectAccessResource:
        """Connect to a machine in the same network.

        Args:
            base_url: URL of the machine; None takes it from ``AQT_DIRECT_URL``.
            max_shots: maximum number of shots of one run on this machine, 1 to 2000. A job with
                more runs each circuit several times.
            allow_plain_http: send the access token over plain HTTP, where others can read it, if
                the URL has an address in a private network or a link-local one. None takes it from
                ``AQT_DIRECT_ALLOW_PLAIN_HTTP`` (``1`` or ``0``); the default is False.

        Raises:
            QiskitBackendNotFoundError: no URL is given.
            InvalidOptionError: ``max_shots`` is out of range, or the variable is invalid.
            InsecureConnectionError: there is a token, and the URL is plain HTTP to another
                computer. For a machine that needs no token, use ``AQTProvider("")``.
            APIError: the machine does not answer.

        Warns:
            PlainHTTPWarning: the access token is sent over plain HTTP.
        """
        _check_text("base_url", base_url)
        url = base_url or self._settings.get("AQT_DIRECT_URL")
        if not url:
            raise QiskitBackendNotFoundError(
                "no URL of a direct-access machine: give it, or set AQT_DIRECT_URL"
            )
        return self._discovery.direct(url, max_shots, allow_plain_http=allow_plain_http)

    def get_noise_twin(
        self,
        device: AQTResource | Characterisation | str | Path,
        *,
        at: datetime | None = None,
        fidelity: FidelityKind = "average",
        relaxation: bool = True,
        idle: bool = False,
        over_rotation: float = 0.0,
        crosstalk: float = 0.0,
    ) -> NoiseTwin:
        """Make an offline simulator with the noise that a device has.

        Each r on each qubit and each rxx on each pair of qubits is followed by depolarising noise,
        and by relaxation (T1, T2) for the gate's duration. The strength of the first is such that
        both together give the gate the reported fidelity. rz is virtual and has no noise. A
        measurement is wrong with 1 minus the SPAM fidelity, which is a lower bound: errors of the
        preparation are counted there, too.

        Args:
            device: a backend; or its characterisation, or the path of a saved one.
            at: a time, local if it has no time zone. The twin has the newest figures that are not
                later, of those that :meth:`keep_characterisation` has kept and the given ones. None
                for the given ones.
            fidelity: how to read the reported fidelities of gates: ``average`` for the average gate
                fidelity, which randomised benchmarking measures, or ``process`` for the process
                fidelity.
            relaxation: whether T1, T2 and durations count. If not, they need not be known, and all
                errors of gates are depolarising.
            idle: whether qubits relax while gates act on others, too. Gates run one after the
                other, so in a long circuit most qubits wait most of the time.
            over_rotation: how much farther each r and rxx rotates than it should, as a fraction of
                its angle, -1 to 1. It comes on top of the reported errors.
            crosstalk: the Rabi frequency of the ions beside those that a gate addresses, as a
                fraction of theirs, 0 to 1. Neighbours turn along with r; with each of the qubits of
                an rxx they interact. It comes on top of the reported errors.

        Returns:
            A simulator with the device's number of qubits, its limit of operations and its target.
            Its ``characterisation`` never changes.

        Raises:
            UnusableFiguresError: figures are missing or too low. All of them are named.
            CharacterisationNotFoundError: nothing is published of the backend, or nothing is as old
                as ``at``.
            InvalidCharacterisationError: the file is damaged.
            InvalidOptionError: an argument is invalid.
            OSError: the file cannot be read.
            APIError: the portal must be asked for the figures and does not answer.

        Warns:
            CharacterisationWarning: figures contradict each other: T2 is above 2 T1, of which 2 T1
                is taken; or relaxation alone is worse than the reported fidelity, so the qubits
                relax for less time than the gate takes.
        """
        from aqt_fast.backends.offline.noise_settings import NoiseSettings
        from aqt_fast.provider.twins import make_twin

        settings = NoiseSettings(fidelity, relaxation, idle, over_rotation, crosstalk)
        return make_twin(device, at, settings, self)

    def keep_characterisation(self, device: AQTResource | Characterisation | str | Path) -> Path:
        """Keep a device's figures for ``at`` of :meth:`get_noise_twin`: the portal has no history.

        They are written to the directory ``characterisations`` below :attr:`store_path`, by
        workspace, resource and time. Portals are not told apart: have a store for each.

        Args:
            device: as for :meth:`get_noise_twin`.

        Returns:
            The file.

        Raises:
            CharacterisationNotFoundError: nothing is published of the backend, or its time is
                unknown.
            InvalidCharacterisationError: the file is damaged.
            InvalidOptionError: ``device`` is something else.
            OSError: a file cannot be read or written.
            APIError: the portal must be asked and does not answer.
        """
        from aqt_fast.provider.twins import characterisation_of, history

        return history(self).keep(characterisation_of(device))

    def jobs(
        self,
        backend: str | re.Pattern[str] | None = None,
        *,
        state: StoredJobState | re.Pattern[str] | None = None,
        label: str | re.Pattern[str] | None = None,
        workspace: str | re.Pattern[str] | None = None,
        tags: Iterable[str] = (),
        since: datetime | None = None,
        before: datetime | None = None,
        limit: int | None = None,
        store_path: str | Path | None = None,
    ) -> JobsTable:
        """List the jobs in the store that match all arguments, the newest first.

        These are the jobs with a journal and those saved by ``persist()``. No circuits are read, no
        portal is contacted, and processes that work on a job are not disturbed. Unreadable data is
        listed as ``damaged``.

        Args:
            backend: name of the job's backend. A string must be equal; a compiled pattern must
                match at the start.
            state: one of :data:`~aqt_fast.store.states.StoredJobState`, matched like ``backend``.
            label: the job's label on the portal, matched like ``backend``.
            workspace: the workspace of its backend, matched like ``backend``.
            tags: only jobs that have all of them (the option ``tags``).
            since: only jobs made at this time or later; local time if it has no time zone.
            before: only jobs made before this time.
            limit: maximum number of jobs, 1 or more.
            store_path: directory of saved jobs and journals, None for :attr:`store_path`.

        Raises:
            InvalidOptionError: an argument is invalid.
            OSError: the directory cannot be read.
        """
        if limit is not None:
            limit = checked_integer("limit", limit, 1, sys.maxsize)
        wanted = WantedJobs(backend, state, label, since, before, workspace, tags)
        return list_jobs(
            JobStore(store_path or self.store_path), wanted, limit=limit, provider=self
        )

    def job(
        self,
        job_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit] | None = None,
        *,
        store_path: str | Path | None = None,
        **options: Unpack[FetchOptions],
    ) -> AQTJob:
        """Return a job by its id alone, wherever it was submitted. Nothing is submitted.

        If the store has the job, it is restored as by :meth:`restore`, and stays saved. Else it is
        an API job that another computer has sent, and the portal is asked for it.

        Without ``circuits``, results have the outcomes of all qubits, in one register ``meas``:
        classical bit i is qubit i. With them, results are those of the computer that has sent the
        job, and are stored here.

        Args:
            job_id: the id of the job, or of any API job in it. The portal knows API jobs only. Of a
                job in the store, an unambiguous beginning or the label will do.
            circuits: the circuits of the API job, in order. Not needed if the store has the job,
                which then returns all of its circuits.
            store_path: directory of saved jobs and journals, None for :attr:`store_path`.
            options: ``memory``, ``journal`` for a job from the portal, and how to wait:
                ``query_period_seconds``, ``query_timeout_seconds``, ``with_progress_bar``. And
                ``shots`` if circuits of a job from the portal had different shots, some of them
                more than 2000: such a circuit was sent several times.

        Raises:
            JobNotFoundError: neither the store nor the portal has it, or there is no access token
                to ask the portal with.
            DamagedJobError: the stored data cannot be read.
            InvalidCircuitError: lists every circuit that cannot have run.
            InvalidOptionError: an option is invalid or unknown, or several jobs begin like this.
            FixedOptionError: a stored job was run with another value of an option, as of ``shots``.
            ResponseMismatchError: the job has other circuits: another number, or other numbers of
                qubits. If the portal's job has not ended yet, ``result()`` raises this.
            ResultExpiredError: the portal has deleted the result.
            APIError: the portal cannot be asked.
        """
        from aqt_fast.provider.fetching import job_by_id

        return job_by_id(
            job_id,
            circuits,
            options,
            provider=self,
            connections=self._connections,
            store_path=store_path,
        )

    def restore(
        self,
        job_id: str,
        *,
        store_path: str | Path | None = None,
        remove_from_store: bool = True,
    ) -> AQTJob:
        """Restore a job that was saved, or that has a journal, with this provider's connections.

        :meth:`AQTJob.restore <aqt_fast.AQTJob.restore>` describes the arguments, the errors and
        what happens to the job.
        """
        from aqt_fast.provider.restoring import restore

        return restore(
            job_id,
            provider=self,
            connections=self._connections,
            store_path=store_path,
            remove_from_store=remove_from_store,
        )


def _check_text(name: str, value: object) -> None:
    """Check the type of an argument. The message does not show it: it may be a token.

    Raises:
        InvalidInputError: it is neither text nor None.
    """
    if value is not None and not isinstance(value, str):
        raise InvalidInputError(
            f"{name} must be text or None, not of type '{type(value).__name__}'"
        )


def _own_config(config: aqt_connector.ArnicaConfig) -> ArnicaConfig:
    from aqt_fast.login.config import ArnicaConfig

    return ArnicaConfig.of(config)


def _config() -> ModuleType:
    from aqt_fast.login import config  # requires the extra `login`

    return config


def _device_noise() -> ModuleType:
    from aqt_fast.backends.offline import device_noise

    return device_noise


__getattr__ = lazy_names(
    __name__, {"ArnicaConfig": _config, "CharacterisationWarning": _device_noise}
)
