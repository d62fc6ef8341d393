"""The routes below ``/control``: what the server's page shows, and how other processes steer it.

They need the server's own token, and ``gate`` lets clients on this computer in only. ``POST
/control/hold`` and so on call the method of :class:`aqt_fast.testing.ArnicaServer` with that name,
with the fields of a JSON object as its arguments.
"""

from __future__ import annotations

import asyncio
import hmac
import inspect
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from functools import partial
from typing import Any, Protocol

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server.bodies import json_response, read_short
from aqt_fast.server.circuit_view import circuit_as_json, counts_as_json
from aqt_fast.server.errors import PortalError, invalid
from aqt_fast.server.faults import Faults
from aqt_fast.server.jobs import Job
from aqt_fast.server.overview import job_summary
from aqt_fast.server.portal import Portal

_PAGE_SIZE = 50
_MOST_JOBS = 200
"""Jobs in one response."""

STEERING = (
    "advance",
    "cancel",
    "drift",
    "fail_jobs",
    "hold",
    "refuse",
    "release",
    "reset",
    "set_status",
    "set_workspace",
)
"""Methods of a server that can be called from outside."""
FAULTS = ("set", "next", "clear")
"""Methods of its faults that can."""


class Steered(Protocol):
    """What ``/control`` needs of a server, beside the methods of :data:`STEERING`."""

    token: str
    faults: Faults


class Control:
    """Serves the page of a person, and other processes on this computer."""

    def __init__(self, server: Steered, portal: Portal, executor: Executor) -> None:
        """Take what is steered, its jobs, and threads that read circuits."""
        self._server = server
        self._portal = portal
        self._executor = executor

    def routes(self) -> list[Route]:
        """Return the routes below ``/control``."""
        methods = {name: getattr(self._server, name) for name in STEERING}
        methods |= {f"faults/{name}": getattr(self._server.faults, name) for name in FAULTS}
        return [
            Route("/state", self.state),
            Route("/jobs", self.jobs),
            Route("/jobs/{job_id}", self.job),
            Route("/jobs/{job_id}/circuits/{index}", self.circuit),
            *(
                Route(f"/{name}", partial(self.call, method), methods=["POST"])
                for name, method in methods.items()
            ),
        ]

    async def state(self, request: Request) -> Response:
        """Describe machines, workspaces, faults and numbers of jobs."""
        self._check(request)
        state = await self._in_thread(self._portal.state)
        return _answer({**state, "faults": self._server.faults.describe()})

    async def jobs(self, request: Request) -> Response:
        """Describe the newest jobs.

        Parameters of the query: ``offset``, ``limit`` up to 200, ``status``, ``resource``, and
        ``text``, which is part of the label or the beginning of the identifier.
        """
        self._check(request)
        query = request.query_params
        offset = _number(query, "offset", 0, 10**9)
        limit = _number(query, "limit", _PAGE_SIZE, _MOST_JOBS)
        status, resource, text = (query.get(name, "") for name in ("status", "resource", "text"))
        text = text.lower()

        def chosen(job: Job) -> bool:
            return (
                status in ("", job.status)
                and resource in ("", job.resource.id)
                and (text in (job.label or "").lower() or job.job_id.startswith(text))
            )

        found, number = await self._in_thread(self._portal.job_page, offset, limit, chosen)
        return _answer({"jobs": found, "total": number})

    async def job(self, request: Request) -> Response:
        """Describe a job with its changes of status, and shots and qubits of its circuits."""
        self._check(request)
        job = self._portal.job(request.path_params["job_id"])
        details = {
            **job_summary(job),
            "sha256": job.sha256,
            "changes": list(job.changes),
            "sizes": job.sizes,
            "runs": job.runs,
        }
        return _answer(details)

    async def circuit(self, request: Request) -> Response:
        """Describe a circuit of a job, and count its outcomes if there are any."""
        self._check(request)
        job = self._portal.job(request.path_params["job_id"])
        number = request.path_params["index"]
        known = {str(index): index for index in range(len(job.sizes))}
        if number not in known:
            raise PortalError(404, "no such circuit")
        index = known[number]
        # Read each once: they may be forgotten meanwhile.
        body, result = job.body, job.result
        circuit = counts = None
        if body is not None:
            circuit = await self._in_thread(circuit_as_json, job.workspace_id, body, index)
        if result is not None:
            counts = await self._in_thread(counts_as_json, result, index)
        return _answer({"circuit": circuit, "counts": counts})

    async def call(self, method: Callable[..., object], request: Request) -> Response:
        """Call a method with the fields of the body: 204, 404 for what it does not find, or 422."""
        self._check(request)
        arguments = await _arguments(request)
        try:
            inspect.signature(method).bind(**arguments)
        except TypeError as error:
            raise invalid(("body",), str(error)) from None
        try:
            method(**arguments)
        except InvalidOptionError as error:
            raise invalid(("body", error.option), f"must be {error.expected}") from None
        except LookupError as error:
            raise PortalError(404, str(error)) from None
        return Response(status_code=204)

    def _check(self, request: Request) -> None:
        """Raise PortalError unless the request has the server's own token (401)."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        known = hmac.compare_digest(given, self._server.token.encode())
        if scheme.lower() != "bearer" or not known:
            raise PortalError(401, "the server's own token is necessary")

    async def _in_thread(self, function: Callable[..., Any], *arguments: object) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)


def _answer(content: Any) -> Response:
    return json_response(content, cache_control="no-store")


def _number(query: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Read a number of the query, from 0 to ``most``."""
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise invalid(("query", name), f"must be an integer from 0 to {most}")
    return int(text)


async def _arguments(request: Request) -> dict[str, Any]:
    """Read the fields of a JSON object; no body has none.

    Raises:
        PortalError: the body is too long (413), or no JSON object (422).
    """
    body = await read_short(request)
    try:
        arguments = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise invalid(("body", error.pos), error.msg) from None
    if not isinstance(arguments, dict):
        raise invalid(("body",), "must be a JSON object")
    return arguments
