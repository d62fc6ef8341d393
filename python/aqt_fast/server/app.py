"""All routes of the server, compression, error responses."""

from __future__ import annotations

from concurrent.futures import Executor

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from aqt_fast.server.access_tokens import AccessTokens
from aqt_fast.server.bodies import json_response
from aqt_fast.server.cloud import CloudInterface
from aqt_fast.server.control import Control
from aqt_fast.server.direct import DirectInterface
from aqt_fast.server.errors import PortalError
from aqt_fast.server.oidc import OIDCProvider
from aqt_fast.server.pages import page_routes
from aqt_fast.server.portal import Portal
from aqt_fast.server.request_log import note
from aqt_fast.server.sampler import Sampler
from aqt_fast.server.workspaces import Characterisation

_COMPRESSION_LEVEL = 5


def make_app(
    portal: Portal,
    tokens: AccessTokens,
    sampler: Sampler,
    oidc: OIDCProvider,
    control: Control,
    executor: Executor,
    *,
    compress: bool,
    characterisation: Characterisation,
) -> Starlette:
    """Make the application.

    Args:
        portal: jobs and machines.
        tokens: who may use them.
        sampler: reads jobs and makes their outcomes.
        oidc: the login.
        control: steers the server.
        executor: reads request bodies.
        compress: whether to send gzip to clients that accept it.
        characterisation: what devices publish of their gates.
    """
    cloud = CloudInterface(portal, tokens, sampler, executor, characterisation)
    direct = DirectInterface(portal, tokens, sampler, executor)
    gzip = Middleware(GZipMiddleware, minimum_size=500, compresslevel=_COMPRESSION_LEVEL)
    return Starlette(
        routes=[
            Mount("/api/v1", routes=cloud.routes()),
            Mount("/direct/{resource}", routes=direct.routes()),
            *oidc.routes(),
            Mount("/control", routes=control.routes()),
            *page_routes(),
            Route("/testing/record", cloud.record),
        ],
        middleware=[gzip] if compress else [],
        exception_handlers={PortalError: _portal_error, HTTPException: _http_error},
    )


async def _portal_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, PortalError)  # noqa: S101 - it is registered for these
    note(request.scope, reason=error.reason)
    headers = {"www_authenticate": "Bearer"} if error.status == 401 else {}
    return json_response({"detail": error.detail}, error.status, **headers)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    note(request.scope, reason=error.detail)
    return json_response({"detail": error.detail}, error.status_code)
