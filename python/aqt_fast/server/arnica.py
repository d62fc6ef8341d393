"""The local server as one object."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any

from aqt_fast.server.access import AccessTokens
from aqt_fast.server.app import make_app
from aqt_fast.server.faults import FaultInjection, Faults
from aqt_fast.server.oidc import OIDCProvider
from aqt_fast.server.portal import (
    AcceptedJob,
    Portal,
    ResourceStatus,
    Workspace,
    default_workspaces,
    record_as_json,
)
from aqt_fast.server.sampling import AerSampler, NativeSampler
from aqt_fast.server.serving import HttpServer

if TYPE_CHECKING:
    from aqt_connector._sdk_config import AuthenticationConfig
    from typing_extensions import Self

_READERS = 4
"""Threads that read request bodies."""


class ArnicaServer:
    """AQT's cloud and direct-access interfaces on a local socket.

    As a context manager it listens inside of the block. :meth:`stop` and :meth:`start` cut the
    network and bring it back on the same port, while the machines work on and nothing is forgotten.

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
        simulate: bool = True,
        identify_circuits: bool | None = None,
        seed: int = 0,
        compress: bool = False,
        clock: Callable[[], float] = time.time,
        token_lifetime: float = 36_000,
        pending: int = 1,
        poll_interval: float = 1,
        clients: Mapping[str, str] | None = None,
    ) -> None:
        """Nothing listens yet.

        Args:
            host: address to listen on.
            port: 0 takes a free one.
            token: bearer token that opens every workspace.
            workspaces: None takes :func:`default_workspaces`.
            speed: 1 takes as long as a real machine (0.1 s a circuit and 10 ms a shot), 100 is a
                hundred times faster, and None takes no time but that of the simulation.
            simulate: validate with AQT's own models and simulate with Aer; if not, validate
                natively and make outcomes up (those of full flips are right, others are random).
            identify_circuits: keep a digest of each circuit in the record; None does so while
                simulating.
            seed: of all outcomes, together with the order in which jobs are accepted.
            compress: answer in gzip to clients that accept it.
            clock: seconds since the epoch, for expiry, time stamps and tokens.
            token_lifetime: seconds for which tokens of the login are accepted.
            pending: how often the login with a device code says that the user is not done.
            poll_interval: seconds that the login asks to wait in between.
            clients: secrets by client identifier for the login with client credentials; None takes
                ``{"local-client": "local-secret"}``.
        """
        self.token = token
        self.faults = Faults()
        self._host = host
        self._portal = Portal(
            default_workspaces() if workspaces is None else workspaces,
            speed=speed,
            seed=seed,
            clock=clock,
        )
        self._tokens = AccessTokens(self._portal.now)
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
        self._executor = ThreadPoolExecutor(_READERS, thread_name_prefix="aqt-fast reader")
        app = make_app(
            self._portal, self._tokens, sampler, self._oidc, self._executor, compress=compress
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
        """The port; 0 until one was chosen."""
        return self._http.port

    @property
    def url(self) -> str:
        """What clients take for ``AQT_PORTAL_URL``."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self.port}"

    @property
    def direct_url(self) -> str:
        """Base address of direct access to the first device that is online."""
        for workspace in self._portal.workspaces.values():
            for resource in workspace.resources:
                if resource.type == "device" and resource.status == "online":
                    return self.direct_url_of(resource.id)
        raise LookupError("no device is online")

    def direct_url_of(self, resource_id: str) -> str:
        """Base address of direct access to a machine."""
        return f"{self.url}/direct/{resource_id}"

    def start(self) -> None:
        """Listen, on the same port as before if there was one.

        Raises:
            OSError: the port is in use.
        """
        self._http.start()

    def stop(self) -> None:
        """Reset all connections and refuse new ones; machines and state live on."""
        self._http.stop()

    def refuse(self, seconds: float) -> None:
        """Reset all connections and refuse new ones for a time."""
        self._http.refuse(seconds)

    def close(self) -> None:
        """Stop for good: give back the port and end all threads."""
        self._http.close()
        self._portal.close()
        self._executor.shutdown()

    # -- tokens -------------------------------------------------------------------------------

    def accept(
        self,
        token: str,
        *,
        workspaces: Collection[str] | None = None,
        lifetime: float | None = None,
    ) -> None:
        """Accept a token for some workspaces (None: all), for so many seconds (None: for good)."""
        self._tokens.accept(token, workspaces=workspaces, lifetime=lifetime)

    def revoke(self, token: str) -> None:
        """Accept a token no more."""
        self._tokens.revoke(token)

    def oidc_config(self) -> AuthenticationConfig:
        """Settings for ``ArnicaConfig.oidc_config`` of aqt-connector.

        ``ArnicaConfig.arnica_url`` must be ``f"{server.url}/api"``.
        """
        return self._oidc.config()

    # -- the machines -------------------------------------------------------------------------

    def set_status(self, resource_id: str, status: ResourceStatus) -> None:
        """Switch a machine on or off; jobs wait in its queue until it is online."""
        self._portal.set_status(resource_id, status)

    def hold(self) -> None:
        """Make every machine wait before its next circuit, so that a test sees jobs under way."""
        self._portal.hold()

    def release(self, circuits: int | None = None) -> None:
        """Let so many circuits run while held; None ends the hold."""
        self._portal.release(circuits)

    def fail_jobs(self, message: str, count: int = 1) -> None:
        """Make the next jobs that start end with an error."""
        self._portal.fail(message, count)

    def advance(self, seconds: float) -> None:
        """Put the clock forward: results and tokens expire, device time does not pass."""
        self._portal.advance(seconds)

    # -- the record ---------------------------------------------------------------------------

    @property
    def jobs(self) -> list[AcceptedJob]:
        """Every job that was accepted, in order; direct access's circuits are jobs of one."""
        return self._portal.record()

    def runs(self) -> Counter[str]:
        """How often each circuit ran, by its digest: see :func:`circuit_digest`.

        Equal circuits in several jobs or places add up.

        Raises:
            LookupError: circuits are not identified; ``jobs`` tells by job and index.
        """
        total: Counter[str] = Counter()
        for job in self.jobs:
            if job.digests is None:
                raise LookupError("start the server with identify_circuits=True")
            for digest, runs in zip(job.digests, job.runs, strict=True):
                total[digest] += runs
        return total

    def record(self) -> dict[str, Any]:
        """The record in JSON's types, as ``GET /testing/record`` gives it."""
        return record_as_json(self.jobs)
