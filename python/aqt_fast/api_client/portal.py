"""AQT's cloud interface (ARNICA): workspaces, resources, and jobs as bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import httpx

from aqt_fast._threads import in_parallel
from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.http import ConnectionSettings, HTTPClient
from aqt_fast.api_client.models import (
    ListedResource,
    Resource,
    Workspace,
    Workspaces,
    check_job,
    job_of,
    job_place,
    read_json,
    read_resource,
    read_uuid,
    read_workspaces,
)
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL, api_root, portal_root
from aqt_fast.api_client.request import MOST_BYTES_OF_A_RESULT, Answer, Request
from aqt_fast.api_client.retry_timing import Clock, Patience
from aqt_fast.api_client.urls import path_segment
from aqt_fast.exceptions import APIError, ResponseMismatchError, WorkspaceRefusedError

T = TypeVar("T")

_DISCOVERY = Patience(seconds=3, obeys_orders=False)
"""A user waits for the answer."""

_CANCEL = Patience(seconds=60, obeys_orders=False)
"""Here, too."""

_POLL = Patience(seconds=60)
_SUBMIT = Patience(seconds=600)

_PARALLEL_REQUESTS = 8


class PortalClient:
    """AQT's portal, through one pool of connections; any number of threads may use it.

    Args:
        token: the access token, or the credentials that hold it.
        portal_url: where the portal is; None takes ``AQT_PORTAL_URL`` or the default. Its API is
            below ``/api/v1``, or at the URL itself if that ends with ``/v1``.
        transport: an ``httpx`` transport instead of the network.
        clock: tells the time and waits, None for the real one.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer to begin, and for the rest of it. A request, and
            the rest, may take a second more for each 20 kB.

    Raises:
        InsecureConnectionError: there is a token, and ``portal_url`` is plain HTTP to another
            machine.
        APIError: ``portal_url`` is not the URL of a server.
    """

    def __init__(
        self,
        token: str | Credentials,
        *,
        portal_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        connect_timeout: float = ConnectionSettings.connect_timeout,
        read_timeout: float = ConnectionSettings.read_timeout,
    ) -> None:
        """Connects to nothing yet."""
        if portal_url is None:
            portal_url = os.environ.get("AQT_PORTAL_URL") or DEFAULT_PORTAL_URL
        self.portal_url = portal_root(portal_url)
        """Where the portal is."""
        credentials = token if isinstance(token, Credentials) else Credentials(token)
        settings = ConnectionSettings(transport, clock, connect_timeout, read_timeout)
        self._http = HTTPClient(api_root(self.portal_url), credentials, settings)

    def __repr__(self) -> str:
        return f"<PortalClient({self.portal_url!r})>"

    def close(self, seconds: float = 1.0) -> None:
        """Close all connections.

        Args:
            seconds: longest time to wait for requests under way; never more than one.
        """
        self._http.close(seconds)

    def workspaces(self) -> Workspaces:
        """All workspaces with the details of all resources; some may have none.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        listed = self.list_workspaces()
        resources = self.resources(chain.from_iterable(listed.values()))
        return Workspaces(
            Workspace(
                workspace_id, [item for item in resources if item.workspace_id == workspace_id]
            )
            for workspace_id in listed
        )

    def list_workspaces(self) -> dict[str, list[ListedResource]]:
        """The resources of each workspace, without details.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        request = Request("GET", "/workspaces")
        return self._http.send(request, lambda answer: read_workspaces(answer.body), _DISCOVERY)

    def list_resources(self) -> list[ListedResource]:
        """The resources of all workspaces, without details.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        return list(chain.from_iterable(self.list_workspaces().values()))

    def resources(
        self,
        listed: Iterable[ListedResource],
        *,
        on_error: Callable[[ListedResource, APIError], None] | None = None,
    ) -> list[Resource]:
        """The details of some resources, in order; fetched in parallel, once each.

        Args:
            listed: the resources; one may be listed in several workspaces.
            on_error: called for each resource whose details cannot be fetched, which is then left
                out; None raises the first error.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        wanted = list(listed)
        distinct = {item.resource_id: item for item in wanted}

        def ask(item: ListedResource) -> Resource | None:
            try:
                return self._resource(item)
            except APIError as error:
                if on_error is None:
                    raise
                on_error(item, error)
                return None

        answers = in_parallel(ask, distinct.values(), _PARALLEL_REQUESTS)
        found = {key: answer.result() for key, answer in zip(distinct, answers, strict=True)}
        return [
            replace(
                details,
                workspace_id=item.workspace_id,
                accepting_job_submissions=item.accepting_job_submissions,
                jobs_being_processed=item.jobs_being_processed,
            )
            for item in wanted
            if (details := found[item.resource_id]) is not None
        ]

    def _resource(self, listed: ListedResource) -> Resource:
        request = Request("GET", f"/resources/{path_segment(listed.resource_id)}")
        return self._http.send(
            request, lambda answer: read_resource(answer.body, listed), _DISCOVERY
        )

    def submit(
        self,
        workspace_id: str,
        resource_id: str,
        body: bytes,
        *,
        label: str,
        wanted: Callable[[], bool] | None = None,
    ) -> str:
        """Submit an API job, once.

        Args:
            workspace_id: the workspace to submit through.
            resource_id: the resource that runs it.
            body: the request body.
            label: the job's label, for messages.
            wanted: called before each attempt: whether the job is still wanted. None for always.

        Returns:
            The portal's identifier of the job, a UUID.

        Raises:
            SubmissionUncertainError: the portal may have accepted the job or not.
            RequestWithdrawnError: it was not wanted any more; nothing was accepted.
            WorkspaceRefusedError: the workspace does not take it; nothing was accepted.
            APIError: the portal has not accepted the job.
        """
        sent = {"label": label, **job_place(workspace_id, resource_id)}
        path = f"/submit/{path_segment(workspace_id)}/{path_segment(resource_id)}"
        request = Request("POST", path, content=body, label=label, wanted=wanted)
        try:
            return self._http.send(request, lambda answer: _job_id(answer, sent), _SUBMIT)
        except APIError as error:
            if error.status_code == httpx.codes.FORBIDDEN:
                raise WorkspaceRefusedError.of(error, workspace_id) from error
            raise

    def result(
        self,
        job_id: str,
        read: Callable[[bytes], T],
        *,
        wanted: Callable[[], bool] | None = None,
    ) -> T:
        """Fetch the state of a job, which holds its result once there is one.

        Args:
            job_id: the portal's identifier.
            read: turns the body into a value; raises ``ResponseError`` if it cannot be used.
            wanted: called before each attempt and while one is waited for: whether the state is
                still wanted. None for always.

        Raises:
            RequestWithdrawnError: it was not wanted any more.
            ResultExpiredError: the portal has deleted the result.
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the other kinds.
        """
        params = {"include_timing_data": "true"}
        path = f"/result/{path_segment(job_id)}"
        request = Request(
            "GET",
            path,
            params=params,
            job_id=job_id,
            most_bytes=MOST_BYTES_OF_A_RESULT,
            wanted=wanted,
        )
        return self._http.send(request, lambda answer: read(answer.body), _POLL)

    def cancel(self, job_id: str) -> bool:
        """Cancel a job. False if it was cancelled already.

        Args:
            job_id: the portal's identifier.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        request = Request("DELETE", f"/jobs/{path_segment(job_id)}")
        return self._http.send(
            request, lambda answer: answer.status_code != httpx.codes.ALREADY_REPORTED, _CANCEL
        )


_ENDED = ("finished", "error", "cancelled")
"""Statuses that a job cannot have when it has just been accepted."""


def _job_id(answer: Answer, sent: dict[str, str]) -> str:
    """Read the identifier of a job that was just accepted, if the answer is about this job.

    Raises:
        MalformedResponseError: there is none.
        ResponseMismatchError: it is another job.
    """
    body = read_json(answer.body)
    job = job_of(body)
    job_id = read_uuid(job.get("job_id"))
    check_job(job, sent)
    state = body.get("response")
    if isinstance(state, dict) and state.get("status") in _ENDED:
        raise ResponseMismatchError(f"its status is already {state['status']!r}")
    return job_id
