"""Tells of each request, after its answer: what it was, and what became of it."""

from __future__ import annotations

import time
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqt_fast.server.jobs import Job

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NOTES = "aqt_fast.notes"
_LONGEST_PATH = 200


@dataclass(frozen=True)
class ServedRequest:
    """A request that was answered, or whose connection ended before."""

    method: str
    path: str
    """As it came, with percent signs, without the query, which may hold a code of a login; at most
    200 characters."""
    client: str
    """The client's address; empty if it is unknown."""
    status: int | None
    """None if nothing was answered."""
    seconds: float
    """From the headers to the end of the answer."""
    fault: str | None
    """Kind of the fault that it suffered."""
    reason: str | None
    """Why it was refused."""
    job_id: str | None
    """The job that it submitted, or whose result it got."""
    label: str | None
    """That job's label, a text of the client's."""
    circuits: int | None
    """That job's number of circuits."""

    @property
    def matters(self) -> bool:
        """Whether something changed, failed, or a result was got: a look at the state does not."""
        failed = self.fault is not None or self.status is None or self.status >= 400
        return failed or self.job_id is not None or self.method not in ("GET", "HEAD")


def note(scope: Scope, **notes: Any) -> None:
    """Note something of a request that is being served, for its :class:`ServedRequest`."""
    found: MutableMapping[str, Any] | None = scope.get(_NOTES)
    if found is not None:
        found.update(notes)


def note_job(scope: Scope, job: Job) -> None:
    """Note the job that a request submitted, or whose result it got."""
    note(scope, job_id=job.job_id, label=job.label, circuits=len(job.sizes))


class RequestLog:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, tell: Callable[[ServedRequest], object]) -> None:
        """``tell`` takes each request in the server's thread; it must not wait or raise."""
        self._app = app
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        notes = dict.fromkeys(("fault", "reason", "job_id", "label", "circuits"))
        scope[_NOTES] = notes
        status: int | None = None
        # The application changes the scope.
        method, path, client = scope["method"], scope["raw_path"], scope["client"]

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        begun = time.monotonic()
        try:
            await self._app(scope, receive, watch)
        finally:
            request = ServedRequest(
                method=method,
                path=path[:_LONGEST_PATH].decode("ascii", "replace"),
                client=client[0] if client else "",
                status=status,
                seconds=time.monotonic() - begun,
                **notes,
            )
            self._tell(request)
