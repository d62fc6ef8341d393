"""The cloud interface (ARNICA), route by route, below ``/api/v1``.

Where AQT's documents leave a choice:

- ``GET /result`` and ``DELETE /jobs`` give 404 for an unknown job, and for a job in a workspace
  that the token does not open. A job that has ended by itself cannot be cancelled: 422.
- A job for a resource that is not online is accepted and stays queued, and so is a job through a
  workspace whose jobs are not processed. One that accepts no submissions gives 403.
- An unknown resource gives 404; a resource that only other workspaces have gives 403.
- ``GET /testing/record`` needs no token: ``gate`` tells for whom it is. It returns the accepted
  jobs, see :func:`aqt_fast.server.record.record_as_json`.
"""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqt_fast.server.access_tokens import AccessTokens
from aqt_fast.server.bodies import json_response, raw_response, read_in_thread
from aqt_fast.server.cloud_responses import (
    job_metadata,
    resource_details,
    timing_data,
    workspace_list,
)
from aqt_fast.server.errors import PortalError
from aqt_fast.server.jobs import Job
from aqt_fast.server.portal import Portal
from aqt_fast.server.record import record_as_json
from aqt_fast.server.request_log import note_job
from aqt_fast.server.sampler import Sampler
from aqt_fast.server.workspaces import Characterisation, Workspace


@dataclass
class CloudInterface:
    """Serves what a token's workspaces have."""

    portal: Portal
    tokens: AccessTokens
    sampler: Sampler
    executor: Executor
    characterisation: Characterisation

    def routes(self) -> list[Route]:
        """Return the routes below ``/api/v1``."""
        return [
            Route("/workspaces", self.workspaces),
            Route("/resources/{resource}", self.resource),
            Route("/submit/{workspace}/{resource}", self.submit, methods=["POST"]),
            Route("/result/{job_id}", self.result),
            Route("/jobs/{job_id}", self.cancel, methods=["DELETE"]),
        ]

    async def workspaces(self, request: Request) -> Response:
        """List the workspaces that the token opens."""
        return json_response(workspace_list(self._opened(request)))

    async def resource(self, request: Request) -> Response:
        """Describe a resource."""
        opened = self._opened(request)
        resource = self.portal.machines.resource(request.path_params["resource"])
        if not any(resource in workspace.resources for workspace in opened):
            raise PortalError(403, "the resource is in none of your workspaces")
        figures = self.portal.figures.get(resource.id)
        return json_response(
            resource_details(resource, self.portal.created, figures, self.characterisation)
        )

    async def submit(self, request: Request) -> Response:
        """Accept a job."""
        workspaces = {workspace.id: workspace for workspace in self._opened(request)}
        workspace = workspaces.get(request.path_params["workspace"])
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
        job = self.portal.submit(workspace.id, resource, workload, sha256, body)
        note_job(request.scope, job)
        return json_response({"job": job_metadata(job), "response": {"status": "queued"}})

    async def result(self, request: Request) -> Response:
        """Return the status of a job, and its outcomes if it is finished."""
        job = self._job(request)
        # Read the status once: the job may end while the response is written.
        status = job.status
        response: dict[str, Any] = {"status": status}
        outcomes = None
        if status == "ongoing":
            response["finished_count"] = job.finished_count
        elif status == "error":
            response["message"] = job.message
        elif status == "finished":
            outcomes = self.portal.fetch(job)
            note_job(request.scope, job)
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
        """Cancel a job: 204, or 208 if it was cancelled before."""
        cancelled = self.portal.cancel(self._job(request))
        return Response(status_code=204 if cancelled else 208)

    async def record(self, _: Request) -> Response:
        """Return all accepted jobs."""
        return json_response(record_as_json(self.portal.record()))

    def _opened(self, request: Request) -> list[Workspace]:
        """List the workspaces that the request's token opens."""
        names = self.tokens.workspaces(request.headers.get("authorization"))
        workspaces = self.portal.workspaces.values()
        return [workspace for workspace in workspaces if names is None or workspace.id in names]

    def _job(self, request: Request) -> Job:
        opened = {workspace.id for workspace in self._opened(request)}
        job = self.portal.job(request.path_params["job_id"])
        if job.workspace_id not in opened:
            raise PortalError(404, "unknown job_id")
        return job
