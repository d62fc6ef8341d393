"""The local server as one object."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aqt_fast.server.access_tokens import AccessTokens
from aqt_fast.server.aer_sampler import AerSampler
from aqt_fast.server.app import make_app
from aqt_fast.server.fault_injection import FaultInjection
from aqt_fast.server.faults import Faults
from aqt_fast.server.http_server import HttpServer
from aqt_fast.server.native_sampler import NativeSampler
from aqt_fast.server.oidc import OIDCProvider
from aqt_fast.server.portal import Portal
from aqt_fast.server.record import AcceptedJob, record_as_json
from aqt_fast.server.workspaces import (
    Characterisation,
    ResourceStatus,
    Workspace,
    default_workspaces,
)

if TYPE_CHECKING:
    from aqt_connector._sdk_config import AuthenticationConfig
    from typing_extensions import Self

_NUM_READERS = 4
"""Threads that read request bodies."""


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
        token: str = "local-token",  # noqa: S107 - it opens nothing but this server
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
    ) -> None:
        """Listen on nothing yet.

        Args:
            host: address to listen on.
            port: 0 chooses a free one.
            token: bearer token that opens every workspace.
            workspaces: None means :func:`default_workspaces`.
            speed: 1 takes the time of a real machine, 100 is a hundred times faster, None takes no
                device time. A device takes 0.1 s per circuit; and per shot 0.2 s, its read-out and
                its gates. A simulator takes 0.1 s per circuit and 10 ms per shot.
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
            token_lifetime: seconds until tokens of the login expire.
            pending: number of requests for a token, in the login with a device code, before the
                user counts as logged in.
            poll_interval: seconds that the client is to wait between these requests.
            clients: secret of each client identifier, for the login with client credentials; None
                means ``{"local-client": "local-secret"}``.
        """
        self.token = token
        self.faults = Faults()
        self._host = host
        self._portal = Portal(
            default_workspaces() if workspaces is None else workspaces,
            speed=speed,
            seed=seed,
            clock=clock,
            virtual_time=virtual_time,
        )
        self._tokens = AccessTokens(self._portal.clock.now)
        self._tokens.accept(token)
        self._oidc = OIDCProvider(
            self._tokens,
            lambda: self.url,
            lifetime=token_lifetime,
            pending=pending,
            interval=poll_interval,
            clients={"local-client": "local-secret"} if clients is None else clients,
        )
        sampler = AerSampler() if simulate else NativeSampler(identify=identify_circuits is True)
        self._executor = ThreadPoolExecutor(_NUM_READERS, thread_name_prefix="aqt-fast reader")
        app = make_app(
            self._portal,
            self._tokens,
            sampler,
            self._oidc,
            self._executor,
            compress=compress,
            characterisation=characterisation,
        )
        self._http = HttpServer(FaultInjection(app, self.faults, self.refuse), host, port)

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
        """Value of ``AQT_PORTAL_URL`` for clients."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

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
        """Base address of direct access to a machine."""
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
        """Reset all connections, and refuse new ones for a number of seconds."""
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
        """
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
        """Set a machine's status; queued jobs wait until it is online."""
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
            LookupError: there is no such workspace.
        """
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
            ValueError: ``amount`` is not 0 to 10.
        """
        if not 0 <= amount <= 10:
            raise ValueError(f"amount must be 0 to 10, not {amount!r}")
        self._portal.drift(resource_id, amount)

    def hold(self) -> None:
        """Make every machine wait before its next circuit: tests then see jobs under way."""
        self._portal.machines.hold()

    def release(self, circuits: int | None = None) -> None:
        """Let this many circuits run during a hold; None ends the hold."""
        self._portal.machines.release(circuits)

    def fail_jobs(self, message: str, count: int = 1) -> None:
        """Make the next ``count`` jobs that start end with an error."""
        self._portal.machines.fail(message, count)

    def advance(self, seconds: float) -> None:
        """Put the clock forward: results and tokens expire; no device time passes."""
        self._portal.clock.advance(seconds)

    # -- the record ---------------------------------------------------------------------------

    @property
    def jobs(self) -> list[AcceptedJob]:
        """All accepted jobs, in order; a circuit of direct access is a job of one circuit."""
        return self._portal.record()

    def record(self) -> dict[str, Any]:
        """Return the record in JSON's types, like ``GET /testing/record``."""
        return record_as_json(self.jobs)
