"""The local server as one object."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aqt_fast.server import checks
from aqt_fast.server.access_tokens import AccessTokens
from aqt_fast.server.addresses import ListeningAddress
from aqt_fast.server.aer_sampler import AerSampler
from aqt_fast.server.app import make_app
from aqt_fast.server.arguments import check_arguments
from aqt_fast.server.control import Control
from aqt_fast.server.device_codes import DeviceCodes
from aqt_fast.server.errors import PortalError
from aqt_fast.server.fault_injection import FaultInjection
from aqt_fast.server.faults import Faults
from aqt_fast.server.gate import Gate
from aqt_fast.server.http_server import HttpServer
from aqt_fast.server.limits import DEFAULT_LIMITS, Limits
from aqt_fast.server.log_in_page import PATH
from aqt_fast.server.native_sampler import NativeSampler
from aqt_fast.server.oidc import OIDCProvider
from aqt_fast.server.pages import PAGES
from aqt_fast.server.portal import Portal
from aqt_fast.server.record import AcceptedJob, record_as_json
from aqt_fast.server.request_log import RequestLog, ServedRequest
from aqt_fast.server.workspaces import (
    Characterisation,
    ResourceStatus,
    Workspace,
    check_workspaces,
    default_workspaces,
)

if TYPE_CHECKING:
    from aqt_connector._sdk_config import AuthenticationConfig
    from typing_extensions import Self

_NUM_READERS = 4
"""Threads that read request bodies."""

_CLIENT_ID = "local-client"


class ArnicaServer:
    """AQT's cloud and direct-access interfaces on a local socket.

    As a context manager, it listens inside the block. :meth:`stop` simulates a network failure, and
    :meth:`start` ends it, on the same port. In between, machines go on and keep all jobs.

    >>> with ArnicaServer(simulate=False) as server:
    ...     server.url == f"http://127.0.0.1:{server.port}"
    True
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        workspaces: Sequence[Workspace] | None = None,
        speed: float | None = None,
        virtual_time: bool = False,
        simulate: bool = True,
        identify_circuits: bool | None = None,
        seed: int = 0,
        compress: bool = False,
        characterisation: Characterisation = "mean",
        clock: Callable[[], float] = time.time,
        token_lifetime: float = 36_000,
        pending: int = 1,
        poll_interval: float = 1,
        clients: Mapping[str, str] | None = None,
        log_in: bool | None = None,
        console: Callable[[str], object] | None = None,
        requests: Callable[[ServedRequest], object] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """Listen on nothing yet.

        Args:
            host: address to listen on, or a name of this computer; empty for all of its IPv4
                addresses. Only programs on this computer reach a loopback address. Elsewhere,
                nothing opens the server that is publicly known.
            port: 0 chooses a free one.
            token: bearer token that opens every workspace. None means ``local-token`` on a loopback
                address, and a random one elsewhere.
            workspaces: None means :func:`default_workspaces`.
            speed: 1 takes the time of a real machine, 100 is a hundred times faster, up to 10¹².
                None takes no device time. A device takes 0.1 s per circuit; and per shot 0.2 s, its
                read-out and its gates. A simulator takes 0.1 s per circuit and 10 ms per shot.
            virtual_time: device time passes on the server's clock only, and nobody waits: time
                stamps are those of machines that take turns.
            simulate: True validates with AQT's models and simulates with Aer. False validates
                natively and makes outcomes up: right ones for circuits of full flips, random bits
                for all others.
            identify_circuits: keep a digest of each circuit in the record; a server that simulates
                always does.
            seed: fixes what devices publish, and all outcomes, together with the order in which
                jobs are accepted.
            compress: send gzip to clients that accept it.
            characterisation: what devices publish: ``mean`` has the mean fidelity of two-qubit
                gates, ``pairs`` also that of each pair, ``none`` has nothing. A ``Resource`` may
                have another shape, or figures of its own.
            clock: returns seconds since the epoch, for time stamps, expiry and tokens.
            token_lifetime: seconds until tokens of the login expire, up to a hundred years.
            pending: number of requests for a token, in the login with a device code, before the
                user counts as logged in.
            poll_interval: seconds that the client is to wait between these requests, 0 to 86 400.
            clients: secret of each client identifier, for the login with client credentials; None
                means ``{"local-client": "local-secret"}`` on a loopback address, and a random
                secret elsewhere.
            log_in: whether there is a login. None means on a loopback address only. Elsewhere, a
                person confirms each login with a device code: ``console`` gets a code to enter on
                the login's page.
            console: takes a line for the person who runs the server; None writes it to standard
                error.
            requests: takes each request after its answer, in the server's thread: it must neither
                wait nor raise. None tells nobody.
            limits: what clients may send and leave undone, and how much is kept.

        Raises:
            InvalidOptionError: an argument has a wrong type, or is out of range.
        """
        check_arguments(locals())
        workspaces = default_workspaces() if workspaces is None else workspaces
        check_workspaces(workspaces)
        self._address = ListeningAddress.of(host)
        public = self._address.is_loopback
        self.token = token or ("local-token" if public else secrets.token_urlsafe(32))
        if clients is None:
            clients = {_CLIENT_ID: "local-secret" if public else secrets.token_urlsafe(32)}
        self.clients: Mapping[str, str] = dict(clients)
        """Secret of each client identifier."""
        self.log_in: bool = public if log_in is None else log_in
        """Whether there is a login."""
        self.faults = Faults()
        self._portal = Portal(
            workspaces,
            speed=speed,
            seed=seed,
            clock=clock,
            virtual_time=virtual_time,
            limits=limits,
        )
        self._tokens = AccessTokens(self._portal.clock.now)
        self._tokens.accept(self.token)
        self._oidc = OIDCProvider(
            self._tokens,
            lambda: self.url,
            lifetime=token_lifetime,
            codes=DeviceCodes(self._portal.clock.now, pending=pending, confirm=not public),
            interval=poll_interval,
            clients=self.clients,
            enabled=self.log_in,
            console=_to_standard_error if console is None else console,
        )
        sampler = AerSampler() if simulate else NativeSampler(identify=identify_circuits is True)
        self._executor = ThreadPoolExecutor(_NUM_READERS, thread_name_prefix="aqt-fast reader")
        app = make_app(
            self._portal,
            self._tokens,
            sampler,
            self._oidc,
            Control(self, self._portal, self._executor),
            self._executor,
            compress=compress,
            characterisation=characterisation,
        )
        breaking = FaultInjection(app, self.faults, self.refuse)
        guarded = Gate(breaking, host, loopback=self.is_loopback, pages=[*PAGES, PATH])
        outermost = guarded if requests is None else RequestLog(guarded, requests)
        self._http = HttpServer(outermost, self._address, port, limits)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<ArnicaServer({self.url})>"

    # -- the network --------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port; 0 before the first start if it is to be a free one."""
        return self._http.port

    @property
    def url(self) -> str:
        """Value of ``AQT_PORTAL_URL`` for clients on this computer."""
        return f"http://{self._address.url_host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only programs on this computer reach the server."""
        return self._address.is_loopback

    @property
    def direct_url(self) -> str:
        """Base address of direct access to the first device that is online.

        Raises:
            LookupError: no device is online.
        """
        for workspace in self._portal.workspaces.values():
            for resource in workspace.resources:
                if resource.type == "device" and resource.status == "online":
                    return self.direct_url_of(resource.id)
        raise LookupError("no device is online")

    def direct_url_of(self, resource_id: str) -> str:
        """Base address of direct access to a machine, whether it exists or not."""
        checks.identifier("resource_id", resource_id)
        return f"{self.url}/direct/{resource_id}"

    def start(self) -> None:
        """Listen, on the same port as before the last stop.

        Raises:
            OSError: the port is in use.
        """
        self._http.start()

    def stop(self) -> None:
        """Reset all connections and refuse new ones; machines go on."""
        self._http.stop()

    def refuse(self, seconds: float) -> None:
        """Reset all connections, and refuse new ones for a number of seconds.

        Raises:
            InvalidOptionError: ``seconds`` is not 0 to 86 400.
        """
        checks.number(0, 86_400)("seconds", seconds)
        self._http.refuse(seconds)

    def close(self) -> None:
        """Stop for good: free the port and end all threads."""
        self._http.close()
        self._portal.machines.close()
        self._executor.shutdown()

    # -- tokens -------------------------------------------------------------------------------

    def accept(
        self,
        token: str,
        *,
        workspaces: Collection[str] | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Accept a token from now on; a second call replaces the first.

        Args:
            token: without ``Bearer``.
            workspaces: identifiers; None opens all workspaces.
            lifetime: in seconds; None means no expiry.

        Raises:
            InvalidOptionError: the token cannot stand in a header, or the lifetime is not 0 to a
                hundred years.
            LookupError: there is no such workspace.
        """
        checks.token("token", token)
        checks.optional(checks.number(0, checks.CENTURY))("lifetime", lifetime)
        if workspaces is not None:
            checks.items(str, "identifiers")("workspaces", workspaces)
            for workspace_id in workspaces:
                self._portal.check_workspace(workspace_id)
        self._tokens.accept(token, workspaces=workspaces, lifetime=lifetime)

    def revoke(self, token: str) -> None:
        """Stop accepting a token."""
        self._tokens.revoke(token)

    def oidc_config(self) -> AuthenticationConfig:
        """Make the settings ``ArnicaConfig.oidc_config`` of aqt-connector.

        ``ArnicaConfig.arnica_url`` must be ``f"{server.url}/api"``.
        """
        return self._oidc.config()

    # -- the machines -------------------------------------------------------------------------

    def set_status(self, resource_id: str, status: ResourceStatus) -> None:
        """Set a machine's status; queued jobs wait until it is online.

        Raises:
            InvalidOptionError: there is no such status.
            LookupError: there is no such machine.
        """
        checks.text("resource_id", resource_id)
        self._portal.machines.set_status(resource_id, status)

    def set_workspace(
        self,
        workspace_id: str,
        *,
        accepting_job_submissions: bool | None = None,
        jobs_being_processed: bool | None = None,
    ) -> None:
        """Set what a workspace does with jobs; None leaves it as it is.

        Args:
            workspace_id: the workspace.
            accepting_job_submissions: if False, submissions are refused (403).
            jobs_being_processed: if False, jobs are accepted, and wait until it is True.

        Raises:
            InvalidOptionError: a value is neither True nor False.
            LookupError: there is no such workspace.
        """
        checks.text("workspace_id", workspace_id)
        checks.optional(checks.flag)("accepting_job_submissions", accepting_job_submissions)
        checks.optional(checks.flag)("jobs_being_processed", jobs_being_processed)
        self._portal.set_workspace(workspace_id, accepting_job_submissions, jobs_being_processed)

    def drift(self, resource_id: str | None = None, *, amount: float = 0.2) -> None:
        """Have a device publish other figures, measured now; None for all devices.

        What it simulates stays the same. The new figures follow from the server's seed and from
        how often they have drifted before.

        Args:
            resource_id: the device.
            amount: how far each error and T2 goes: standard deviation of the logarithm.

        Raises:
            LookupError: there is no such device.
            InvalidOptionError: ``amount`` is not 0 to 10.
        """
        checks.optional(checks.text)("resource_id", resource_id)
        checks.number(0, 10)("amount", amount)
        self._portal.drift(resource_id, amount)

    def hold(self) -> None:
        """Make every machine wait before its next circuit: tests then see jobs under way."""
        self._portal.machines.hold()

    def release(self, circuits: int | None = None) -> None:
        """Let this many circuits run during a hold, which goes on; None ends the hold.

        Without a hold, it changes nothing.

        Raises:
            InvalidOptionError: ``circuits`` is no integer of at least 0.
        """
        checks.optional(checks.integer(0))("circuits", circuits)
        self._portal.machines.release(circuits)

    def fail_jobs(self, message: str, count: int = 1) -> None:
        """Make the next ``count`` jobs that start end with an error.

        Raises:
            InvalidOptionError: ``message`` is no text, or ``count`` is not 1 to 1 000 000 together
                with the jobs that are to fail already.
        """
        checks.text("message", message)
        left = 1_000_000 - self._portal.machines.num_failures
        checks.integer(1, left)("count", count)
        self._portal.machines.fail(message, count)

    def advance(self, seconds: float) -> None:
        """Put the clock forward: results and tokens expire; no device time passes.

        Raises:
            InvalidOptionError: ``seconds`` is not 0 to a hundred years.
        """
        checks.number(0, checks.CENTURY)("seconds", seconds)
        self._portal.clock.advance(seconds)

    def cancel(self, job_id: str) -> None:
        """Cancel a job that has not ended: at once if it is queued, else after its circuit.

        Raises:
            LookupError: no job that has not ended has this identifier.
        """
        checks.text("job_id", job_id)
        try:
            self._portal.cancel(self._portal.job(job_id))
        except PortalError:
            raise LookupError(f"no job under way is '{job_id}'") from None

    def reset(self) -> None:
        """Begin anew: forget all jobs, end faults and holds, and undo what was set.

        A circuit that runs comes to its end first. The clock, tokens, and the order of identifiers
        go on.
        """
        self.faults.clear()
        self._portal.reset()

    # -- the record ---------------------------------------------------------------------------

    @property
    def jobs(self) -> list[AcceptedJob]:
        """All accepted jobs, in order; a circuit of direct access is a job of one circuit.

        The oldest are missing once more have ended than ``limits.kept_jobs``.
        """
        return self._portal.record()

    def record(self) -> dict[str, Any]:
        """Return the record in JSON's types, like ``GET /testing/record``."""
        return record_as_json(self.jobs)


def _to_standard_error(line: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
