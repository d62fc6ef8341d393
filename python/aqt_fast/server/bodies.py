"""Read request bodies in a thread, write response bodies; both interfaces share this."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from aqt_fast.server.errors import PortalError
from aqt_fast.server.sampler import Workload

_SHORT = 65_536
"""Bytes of a body that is no job."""


async def read_short(request: Request) -> bytes:
    """Read the body of a request that submits no job.

    Raises:
        PortalError: the body is too long (413).
    """
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _SHORT:
            raise PortalError(413, "the body is too long")
    return body


async def read_in_thread(
    executor: Executor, read: Callable[[bytes], Workload], body: bytes
) -> tuple[Workload, str]:
    """Read a request body and hash it; the event loop stays free for other requests.

    Returns:
        The circuits, and the body's SHA-256 in hexadecimal.
    """

    def work() -> tuple[Workload, str]:
        return read(body), hashlib.sha256(body).hexdigest()

    return await asyncio.get_running_loop().run_in_executor(executor, work)


def json_response(content: Any, status: int = 200, **headers: str) -> Response:
    """Respond in compact JSON; underscores in header names become hyphens."""
    return raw_response(orjson.dumps(content), status, **headers)


def raw_response(body: bytes, status: int = 200, **headers: str) -> Response:
    """Respond with a body that is JSON already; underscores in header names become hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(body, status, named, media_type="application/json")
