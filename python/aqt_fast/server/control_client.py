"""Steers a server from another process, by ``/control``."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InvalidOptionError,
)
from aqt_fast.server.addresses import is_loopback
from aqt_fast.server.faults import KINDS

if TYPE_CHECKING:
    from typing_extensions import Self

    from aqt_fast.server.jobs import Status
    from aqt_fast.server.workspaces import ResourceStatus

_SECONDS = 60.0


class ServerControl:
    """Steers a local server that runs in another process on this computer.

    Its methods are those of :class:`aqt_fast.testing.ArnicaServer`. All of them raise:

    - ``InvalidOptionError``: a value is out of range;
    - ``LookupError``: there is no such machine, workspace or job;
    - ``AQTCredentialsError``: it is not the server's own token;
    - ``APIConnectionError``: the server cannot be reached; another ``APIError``: it refuses.

    >>> from aqt_fast.testing import ArnicaServer
    >>> with ArnicaServer(simulate=False) as server:
    ...     with ServerControl(server.url, server.token) as control:
    ...         control.hold()
    ...         control.faults.next("503", path="/submit")
    ...         control.state()["permits"]
    0
    """

    def __init__(self, url: str, token: str = "local-token") -> None:  # noqa: S107 - publicly known
        """Connect to nothing yet.

        Args:
            url: the server's, with a loopback address or ``localhost``: the line that ``aqt-fast
                serve`` prints first.
            token: the server's own token.

        Raises:
            InvalidOptionError: the URL leads to another computer, or cannot be read.
        """
        if not _leads_here(url):
            raise InvalidOptionError("url", url, "one such as http://127.0.0.1:8765")
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/control",
            headers={"Authorization": f"Bearer {token}"},
            timeout=_SECONDS,
            trust_env=False,
        )
        self.faults = FaultsControl(self)
        """Turns faults on and off."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the server goes on."""
        self._client.close()

    # -- what it tells ------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return machines, workspaces, faults and numbers of jobs: ``State`` of ``/docs``."""
        return self._get("state")

    def jobs(
        self,
        *,
        status: Status | None = None,
        resource: str | None = None,
        text: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> list[dict[str, Any]]:
        """Return the newest jobs: ``JobSummary`` of ``/docs``.

        Args:
            status: only jobs with it.
            resource: only jobs of this machine.
            text: only jobs whose label contains it, or whose identifier begins with it.
            offset: how many of them to skip.
            limit: how many to return, up to 200.
        """
        chosen = {"status": status, "resource": resource, "text": text}
        query = {name: value for name, value in chosen.items() if value is not None}
        found: list[dict[str, Any]] = self._get("jobs", offset=offset, limit=limit, **query)["jobs"]
        return found

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job with its changes of status."""
        return self._get(f"jobs/{_part('job_id', job_id)}")

    def circuit(self, job_id: str, index: int) -> dict[str, Any]:
        """Return a circuit of a job, and its counts: ``CircuitView`` of ``/docs``.

        This is no fetch of the result.
        """
        return self._get(f"jobs/{_part('job_id', job_id)}/circuits/{index}")

    # -- what it does -------------------------------------------------------------------------

    def set_status(self, resource_id: str, status: ResourceStatus) -> None:
        """Set a machine's status; queued jobs wait until it is online."""
        self.call("set_status", resource_id=resource_id, status=status)

    def set_workspace(
        self,
        workspace_id: str,
        *,
        accepting_job_submissions: bool | None = None,
        jobs_being_processed: bool | None = None,
    ) -> None:
        """Set what a workspace does with jobs; None leaves it as it is."""
        self.call(
            "set_workspace",
            workspace_id=workspace_id,
            accepting_job_submissions=accepting_job_submissions,
            jobs_being_processed=jobs_being_processed,
        )

    def drift(self, resource_id: str | None = None, *, amount: float = 0.2) -> None:
        """Have a device publish other figures, measured now; None for all devices."""
        self.call("drift", resource_id=resource_id, amount=amount)

    def hold(self) -> None:
        """Make every machine wait before its next circuit."""
        self.call("hold")

    def release(self, circuits: int | None = None) -> None:
        """Let this many circuits run during a hold; None ends the hold."""
        self.call("release", circuits=circuits)

    def fail_jobs(self, message: str, count: int = 1) -> None:
        """Make the next ``count`` jobs that start end with an error."""
        self.call("fail_jobs", message=message, count=count)

    def cancel(self, job_id: str) -> None:
        """Cancel a job that has not ended."""
        self.call("cancel", job_id=job_id)

    def advance(self, seconds: float) -> None:
        """Put the server's clock forward."""
        self.call("advance", seconds=seconds)

    def refuse(self, seconds: float) -> None:
        """Reset all connections, and refuse new ones for a number of seconds."""
        self.call("refuse", seconds=seconds)

    def reset(self) -> None:
        """Begin anew: forget all jobs, end faults and holds, and undo what was set."""
        self.call("reset")

    def call(self, name: str, **arguments: object) -> None:
        """Call a method of the server's by its name: ``POST /control/…`` of ``/docs``."""
        try:
            response = self._client.post(f"/{name}", json=arguments)
        except httpx.ConnectError as error:
            raise _unreachable(error) from error
        except httpx.TransportError as error:
            if name != "refuse":  # which resets this connection, too
                raise _unreachable(error) from error
        except (TypeError, ValueError) as error:
            raise InvalidOptionError(name, arguments, "called with what JSON has") from error
        else:
            _check(response, arguments)

    def _get(self, path: str, **query: str | int) -> dict[str, Any]:
        try:
            response = self._client.get(f"/{path}", params=query)
        except httpx.TransportError as error:
            raise _unreachable(error) from error
        _check(response, query)
        found: dict[str, Any] = response.json()
        return found


class FaultsControl:
    """Turns faults of a server on and off; see :class:`aqt_fast.testing.Faults`."""

    def __init__(self, control: ServerControl) -> None:
        """Steer the faults of one server."""
        self._control = control

    def set(self, *, rate: float, kinds: Sequence[str] = KINDS, seed: int = 0) -> None:
        """Give faults to random requests of both interfaces."""
        self._control.call("faults/set", rate=rate, kinds=list(kinds), seed=seed)

    def next(
        self, kind: str, count: int = 1, *, method: str | None = None, path: str | None = None
    ) -> None:
        """Script a fault for the next requests; scripted faults precede random ones."""
        self._control.call("faults/next", kind=kind, count=count, method=method, path=path)

    def clear(self) -> None:
        """Stop all faults."""
        self._control.call("faults/clear")


def _leads_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except (AttributeError, TypeError, ValueError):
        return False
    return parts.scheme == "http" and (host == "localhost" or is_loopback(host))


def _part(name: str, value: str) -> str:
    """Check a part of a path."""
    if not (isinstance(value, str) and value.replace("-", "").isalnum() and value.isascii()):
        raise InvalidOptionError(name, value, "an identifier of a job")
    return value


def _unreachable(error: httpx.TransportError) -> APIConnectionError:
    reason = str(error) or type(error).__name__
    return APIConnectionError(f"the local server cannot be reached: {reason}")


def _check(response: httpx.Response, arguments: dict[str, Any]) -> None:
    """Raise what a refusal means."""
    if response.is_success:
        return
    try:
        detail = response.json()["detail"]
    except (ValueError, LookupError, TypeError):
        detail = None
    status = response.status_code
    if status == 422 and isinstance(detail, list) and len(detail) == 1:
        *_, name = detail[0]["loc"]
        if name in arguments:
            expected = detail[0]["msg"].removeprefix("must be ")
            raise InvalidOptionError(name, arguments[name], expected)
    if status in (404, 410):
        raise LookupError(detail)
    kind = AQTCredentialsError if status == 401 else APIError
    raise kind(f"the local server refuses: {detail}", status_code=status, detail=detail)
