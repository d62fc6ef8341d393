"""The pages for people: files that are served as they are, without a secret in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqt_fast.server.bodies import json_response
from aqt_fast.server.openapi import description

_FOLDER = Path(__file__).with_name("page")

PAGES = {"/": "index.html", "/docs": "docs.html"}
"""File of each page."""
_ASSETS = (
    "style.css",
    "main.js",
    "jobs.js",
    "job.js",
    "drawing.js",
    "client.js",
    "elements.js",
    "docs.js",
    "icon.svg",
)
"""Files that the pages use, below ``/static``."""
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    # Only the server's own files, and no text that becomes elements: labels are texts of others.
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def page_routes() -> list[Route]:
    """Return the routes of the pages, of their files, ``/health`` and ``/openapi.json``."""
    served = {**PAGES, **{f"/static/{name}": name for name in _ASSETS}}
    return [
        *(Route(path, _file(name)) for path, name in served.items()),
        Route("/health", _health),
        Route("/openapi.json", _openapi),
    ]


def _file(name: str) -> Callable[[Request], Awaitable[Response]]:
    """Make what serves a file; it is read once."""
    path = _FOLDER / name
    content, kind = path.read_bytes(), _TYPES[path.suffix]

    async def serve(_: Request) -> Response:
        return Response(content, headers=_HEADERS, media_type=kind)

    return serve


async def _health(_: Request) -> Response:
    """Tell that the server answers."""
    return json_response({"status": "ok"}, cache_control="no-store")


async def _openapi(_: Request) -> Response:
    """Return the description of all interfaces."""
    return json_response(description())
