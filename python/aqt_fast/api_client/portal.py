"""AQT's cloud interface (ARNICA): workspaces, resources, and jobs as bytes."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby
from typing import TypeVar
from urllib.parse import quote

import httpx

from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.http import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    Answer,
    HTTPClient,
    Request,
)
from aqt_fast.api_client.models import (
    ListedResource,
    Resource,
    Workspace,
    Workspaces,
    read_json,
    read_resource,
    read_workspaces,
)
from aqt_fast.api_client.retry import Clock, Patience
from aqt_fast.exceptions import APIError, MalformedResponseError, ResultExpiredError

T = TypeVar("T")

DEFAULT_PORTAL_URL = "https://arnica.aqt.eu"
"""Where AQT's portal is, unless ``AQT_PORTAL_URL`` says otherwise."""

_API = "/api/v1"

_DISCOVERY = Patience(seconds=3, obeys=False)
"""Somebody is sitting in front of it."""

_POLL = Patience(seconds=60)
_CANCEL = Patience(seconds=60)
_SUBMIT = Patience(seconds=600)

_PARALLEL_REQUESTS = 8


class PortalClient:
    """AQT's portal, seen through one pool of connections; any number of threads may use it.

    Args:
        token: the access token, or where it comes from.
        portal_url: where the portal is; None takes ``AQT_PORTAL_URL`` or the default.
        transport: an ``httpx`` transport instead of the network.
        clock: tells the time and waits, None for the real one.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer, or for more of it.

    Raises:
        InsecureConnectionError: the portal is to be reached by plain HTTP on another machine.
        APIError: ``portal_url`` is no URL of a server.
    """

    def __init__(
        self,
        token: str | Credentials,
        *,
        portal_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        """Connects to nothing yet."""
        if portal_url is None:
            portal_url = os.environ.get("AQT_PORTAL_URL") or DEFAULT_PORTAL_URL
        self.portal_url = portal_url.rstrip("/").removesuffix(_API)
        """Where the portal is."""
        self._http = HTTPClient(
            f"{self.portal_url}{_API}",
            token if isinstance(token, Credentials) else Credentials(token),
            transport=transport,
            clock=clock,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )

    def __repr__(self) -> str:
        return f"<PortalClient({self.portal_url!r})>"

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def workspaces(self) -> Workspaces:
        """All workspaces with the details of all resources.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        resources = self.resources(self.list_resources())
        return Workspaces(
            Workspace(workspace_id, tuple(group))
            for workspace_id, group in groupby(resources, lambda item: item.workspace_id)
        )

    def list_resources(self) -> list[ListedResource]:
        """The resources of all workspaces, without details.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        request = Request("GET", "/workspaces")
        return self._http.send(request, lambda answer: read_workspaces(answer.body), _DISCOVERY)

    def resources(
        self,
        listed: Iterable[ListedResource],
        *,
        on_error: Callable[[ListedResource, APIError], None] | None = None,
    ) -> list[Resource]:
        """The details of some resources, in order; asked for in parallel, once each.

        Args:
            listed: the resources; one may be listed in several workspaces.
            on_error: is told of each resource that cannot be asked for, which is then left out;
                None raises the first error.

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

        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as threads:
            found = dict(zip(distinct, threads.map(ask, distinct.values()), strict=True))
        return [
            replace(details, workspace_id=item.workspace_id)
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
            resource_id: the resource that is to run it.
            body: the request body.
            label: what the job is called, for messages.
            wanted: tells before each attempt whether the job is still wanted.

        Returns:
            The portal's identifier of the job, a UUID.

        Raises:
            SubmissionUncertainError: the portal may have accepted the job or not.
            RequestWithdrawnError: it was not wanted any more before it was sent.
            APIError: the portal has not accepted the job.
        """
        path = f"/submit/{path_segment(workspace_id)}/{path_segment(resource_id)}"
        request = Request("POST", path, content=body, label=label, wanted=wanted)
        return self._http.send(request, _job_id, _SUBMIT)

    def result(self, job_id: str, read: Callable[[bytes], T]) -> T:
        """Ask for the state of a job, which holds its result once there is one.

        Args:
            job_id: the portal's identifier.
            read: makes something of the body; a ``ResponseError`` says that it cannot be used.

        Raises:
            ResultExpiredError: the portal has deleted the result.
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the other kinds.
        """
        params = {"include_timing_data": "true"}
        request = Request("GET", f"/result/{path_segment(job_id)}", params=params)
        try:
            return self._http.send(request, lambda answer: read(answer.body), _POLL)
        except APIError as error:
            if error.status_code == httpx.codes.GONE:
                raise ResultExpiredError(job_id) from error
            raise

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


def path_segment(identifier: str) -> str:
    """An identifier as one segment of a path, whatever is in it."""
    if not identifier.strip("."):  # "." and ".." would be taken for directories
        return identifier.replace(".", "%2E")
    return quote(identifier, safe="")


def _job_id(answer: Answer) -> str:
    body = read_json(answer.body)
    job = body.get("job") if isinstance(body, dict) else None
    job_id = job.get("job_id") if isinstance(job, dict) else None
    return read_uuid(job_id)


def read_uuid(text: object) -> str:
    """A UUID in its usual form.

    Raises:
        MalformedResponseError: it is none.
    """
    try:
        return str(uuid.UUID(text if isinstance(text, str) else ""))
    except ValueError:
        raise MalformedResponseError(f"{text!r} is no job's identifier", 0) from None
