"""The cloud interface (ARNICA) under ``/api/v1``, and the whole application.

Where AQT's documents leave a choice:

- An unknown job is a 404, for ``GET /result`` and ``DELETE /jobs`` alike; so is a job of a
  workspace that the token does not open. A job that has ended by itself cannot be cancelled: 422.
- A job for a resource that is not online is accepted and stays queued.
- A resource that is nowhere is a 404; one in other people's workspaces only, a 403.
- ``GET /testing/record`` gives what was accepted, without a token, to loopback clients only: see
  :func:`aqt_fast.server.portal.record_as_json`.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from aqt_fast.server.access import AccessTokens
from aqt_fast.server.bodies import json_response, raw_response, read_in_thread
from aqt_fast.server.direct import DirectAccess
from aqt_fast.server.oidc import OIDCProvider
from aqt_fast.server.portal import (
    Job,
    Portal,
    PortalError,
    Workspace,
    job_metadata,
    record_as_json,
    timing_data,
)
from aqt_fast.server.sampling import Sampler

_COMPRESSION_LEVEL = 5


def make_app(
    portal: Portal,
    tokens: AccessTokens,
    sampler: Sampler,
    oidc: OIDCProvider,
    executor: Executor,
    *,
    compress: bool,
) -> Starlette:
    """All routes of the server; ``compress`` gives gzip to clients that accept it."""
    cloud = _Cloud(portal, tokens, sampler, executor)
    direct = DirectAccess(portal, tokens, sampler, executor)
    gzip = Middleware(GZipMiddleware, minimum_size=500, compresslevel=_COMPRESSION_LEVEL)
    return Starlette(
        routes=[
            Mount("/api/v1", routes=cloud.routes()),
            Mount("/direct/{resource}", routes=direct.routes()),
            *oidc.routes(),
            Route("/testing/record", cloud.record),
        ],
        middleware=[gzip] if compress else [],
        exception_handlers={PortalError: _refused, HTTPException: _http_error},
    )


@dataclass
class _Cloud:
    portal: Portal
    tokens: AccessTokens
    sampler: Sampler
    executor: Executor

    def routes(self) -> list[Route]:
        return [
            Route("/workspaces", self.workspaces),
            Route("/resources/{resource}", self.resource),
            Route("/submit/{workspace}/{resource}", self.submit, methods=["POST"]),
            Route("/result/{job_id}", self.result),
            Route("/jobs/{job_id}", self.cancel, methods=["DELETE"]),
        ]

    async def workspaces(self, request: Request) -> Response:
        return json_response(
            [
                {
                    "id": workspace.id,
                    "accepting_job_submissions": workspace.accepting_job_submissions,
                    "jobs_being_processed": workspace.jobs_being_processed,
                    "resources": [
                        {"id": resource.id, "name": resource.name, "type": resource.type}
                        for resource in workspace.resources
                    ],
                }
                for workspace in self._opened(request)
            ]
        )

    async def resource(self, request: Request) -> Response:
        opened = self._opened(request)
        resource = self.portal.resource(request.path_params["resource"])
        if not any(resource in workspace.resources for workspace in opened):
            raise PortalError(403, "the resource is in none of your workspaces")
        return json_response(self.portal.details(resource))

    async def submit(self, request: Request) -> Response:
        names = {workspace.id: workspace for workspace in self._opened(request)}
        workspace = names.get(request.path_params["workspace"])
        if workspace is None:
            raise PortalError(403, "no access to the workspace")
        resources = {resource.id: resource for resource in workspace.resources}
        resource = resources.get(request.path_params["resource"])
        if resource is None:
            raise PortalError(404, "unknown resource")
        if not workspace.accepting_job_submissions:
            raise PortalError(403, "the workspace accepts no jobs")
        body = await request.body()
        workload, sha256 = await read_in_thread(self.executor, self.sampler.read_job, body)
        job = self.portal.submit(workspace.id, resource, workload, sha256)
        return json_response({"job": job_metadata(job), "response": {"status": "queued"}})

    async def result(self, request: Request) -> Response:
        job = self._job(request)
        # The status first: a job that ends in between is seen as ongoing once more.
        status = job.status
        response: dict[str, Any] = {"status": status}
        outcomes = None
        if status == "ongoing":
            response["finished_count"] = job.finished_count
        elif status == "error":
            response["message"] = job.message
        elif status == "finished":
            outcomes = self.portal.fetch(job)
        if request.query_params.get("include_timing_data", "").lower() in ("true", "1"):
            response["timing_data"] = timing_data(job)
        head = b'{"job":%s,"response":%s' % (
            orjson.dumps(job_metadata(job)),
            orjson.dumps(response),
        )
        if outcomes is None:
            body = head + b"}"
        else:
            body = b"".join([head[:-1], b',"result":', outcomes, b"}}"])
        return raw_response(body)

    async def cancel(self, request: Request) -> Response:
        cancelled = self.portal.cancel(self._job(request))
        return Response(status_code=204 if cancelled else 208)

    async def record(self, request: Request) -> Response:
        if request.client is None or not ip_address(request.client.host).is_loopback:
            raise PortalError(403, "for loopback clients only")
        return json_response(record_as_json(self.portal.record()))

    def _opened(self, request: Request) -> list[Workspace]:
        """The workspaces that the request's token opens."""
        names = self.tokens.workspaces(request.headers.get("authorization"))
        workspaces = self.portal.workspaces.values()
        return [workspace for workspace in workspaces if names is None or workspace.id in names]

    def _job(self, request: Request) -> Job:
        opened = {workspace.id for workspace in self._opened(request)}
        job = self.portal.job(request.path_params["job_id"])
        if job.workspace_id not in opened:
            raise PortalError(404, "unknown job_id")
        return job


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, PortalError)  # noqa: S101 - it is registered for these
    headers = {"www_authenticate": "Bearer"} if error.status == 401 else {}
    return json_response({"detail": error.detail}, error.status, **headers)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    return json_response({"detail": error.detail}, error.status_code)
