"""The direct-access interface, route by route, below ``/direct/{resource}``.

A real machine has the same paths at the root of its address. Where AQT's documents leave a choice:

- A circuit is in flight until it was measured, even if nobody fetched its result. Another circuit
  in the meantime is refused with 409.
- An unknown identifier gives 404.
- A result expires like one of the cloud interface, and then gives 410.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from aqt_fast.server.access_tokens import AccessTokens
from aqt_fast.server.bodies import json_response, raw_response, read_in_thread
from aqt_fast.server.errors import PortalError
from aqt_fast.server.portal import Portal
from aqt_fast.server.request_log import note_job
from aqt_fast.server.sampler import Sampler
from aqt_fast.server.workspaces import DIRECT_WORKSPACE, Resource


@dataclass
class DirectInterface:
    """Serves one circuit at a time, in the same queue as the cloud interface's jobs."""

    portal: Portal
    tokens: AccessTokens
    sampler: Sampler
    executor: Executor

    def routes(self) -> list[Route]:
        """Return the routes of a machine."""
        return [
            Route("/status/ions", self.num_ions),
            Route("/system/name", self.name),
            Route("/circuit", self.submit, methods=["PUT"]),
            Route("/circuit/result/{job_id}", self.result),
        ]

    async def num_ions(self, request: Request) -> Response:
        """Return ``{"num_ions": n}``."""
        return json_response({"num_ions": self._resource(request).available_qubits})

    async def name(self, request: Request) -> Response:
        """Return the machine's name as a JSON string."""
        return json_response(self._resource(request).name)

    async def submit(self, request: Request) -> Response:
        """Accept a circuit and return its identifier as a JSON string."""
        resource = self._resource(request)
        body = await request.body()
        workload, sha256 = await read_in_thread(self.executor, self.sampler.read_circuit, body)
        job = self.portal.submit(DIRECT_WORKSPACE, resource, workload, sha256, body)
        note_job(request.scope, job)
        return json_response(job.job_id)

    async def result(self, request: Request) -> Response:
        """Wait until the circuit was measured, and return its shots."""
        resource = self._resource(request)
        job = self.portal.job(request.path_params["job_id"])
        if job.workspace_id != DIRECT_WORKSPACE or job.resource is not resource:
            raise PortalError(404, "unknown job_id")
        await asyncio.wrap_future(job.ended)
        if job.status != "finished":
            payload = b'{"status":"error"}'
        else:
            outcomes = self.portal.fetch(job)
            note_job(request.scope, job)
            assert outcomes is not None  # noqa: S101 - fetch raises if the result has expired
            # {"0":[…]} holds the shots of the only circuit.
            payload = b'{"status":"finished","result":%s}' % outcomes[len(b'{"0":') : -1]
        return raw_response(b'{"job_id":%s,"payload":%s}' % (orjson.dumps(job.job_id), payload))

    def _resource(self, request: Request) -> Resource:
        # A machine in the local network has no workspaces: any accepted token opens it.
        self.tokens.workspaces(request.headers.get("authorization"))
        return self.portal.machines.resource(request.path_params["resource"])
