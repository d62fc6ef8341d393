"""Workspaces and their resources, and how to read them from JSON."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, cast, overload

import orjson

from aqt_fast._ids import canonical_uuid
from aqt_fast.exceptions import (
    InvalidOptionError,
    MalformedResponseError,
    ResponseMismatchError,
)

BackendType = Literal["device", "simulator", "offline_simulator", "direct_access"]
"""Kinds of resources: two on the portal, one in this process, one in the same network."""

MOST_QUBITS = 10_000
"""Maximum number of qubits of a resource: there is an entry for each pair of them."""


@dataclass(frozen=True)
class Resource:
    """A quantum computer or simulator."""

    workspace_id: str
    """The workspace through which it is reached."""
    resource_id: str
    """Its identifier, unique in the workspace."""
    resource_name: str
    """Its name, for people."""
    resource_type: BackendType
    """Its kind."""
    available_qubits: int
    """Number of its qubits, 1 or more."""
    status: str = "online"
    """``online``, ``offline``, ``maintenance`` or ``unavailable``, at the time of the request."""
    status_since: str | None = field(default=None, repr=False, compare=False)
    """Since when it has this status, in ISO 8601, as the portal tells."""
    characterisation: dict[str, Any] | None = field(default=None, repr=False, compare=False)
    """Measured fidelities (per cent) and durations, as the portal publishes them."""
    fetched_at: datetime | None = field(default=None, repr=False, compare=False)
    """When the portal was asked; None if it was not, and status and figures are unknown."""
    accepting_job_submissions: bool = field(default=True, repr=False)
    """Whether the workspace accepts jobs, at the time of the request."""
    jobs_being_processed: bool = field(default=True, repr=False)
    """Whether the workspace's jobs are processed, at the time of the request; else they wait."""

    @property
    def obstacle(self) -> str | None:
        """What the workspace does not do at the time of the request; None if it does all."""
        if not self.accepting_job_submissions:
            return "no jobs accepted"
        return None if self.jobs_being_processed else "jobs wait"

    @property
    def full_status(self) -> str:
        """The status, and the workspace's obstacle, if there is one."""
        return self.status if self.obstacle is None else f"{self.status}, {self.obstacle}"


@dataclass(frozen=True)
class ListedResource:
    """A resource in a list of workspaces, without details."""

    workspace_id: str
    """The workspace through which it is reached."""
    resource_id: str
    """Its identifier, unique in the workspace."""
    resource_name: str
    """Its name, for people."""
    resource_type: BackendType
    """Its kind."""
    accepting_job_submissions: bool = field(default=True, repr=False)
    """Whether the workspace accepts jobs, at the time of the request."""
    jobs_being_processed: bool = field(default=True, repr=False)
    """Whether the workspace's jobs are processed, at the time of the request; else they wait."""


@dataclass(frozen=True)
class Workspace:
    """A group of resources that a user may submit to."""

    workspace_id: str
    """Its identifier."""
    resources: Sequence[Resource]
    """The resources that are reached through it, a tuple."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "resources", tuple(self.resources))


class Workspaces(Sequence[Workspace]):
    """The workspaces of a user.

    Equal if they hold equal workspaces in the same order. A workspace is ``in`` them by its
    identifier alone.
    """

    def __init__(self, root: Iterable[Workspace]) -> None:
        """Keep the workspaces ``root`` in their order."""
        self._workspaces = tuple(root)

    @overload
    def __getitem__(self, index: int) -> Workspace: ...
    @overload
    def __getitem__(self, index: slice) -> Workspaces: ...
    def __getitem__(self, index: int | slice) -> Workspace | Workspaces:
        if isinstance(index, slice):
            return Workspaces(self._workspaces[index])
        return self._workspaces[index]

    def __len__(self) -> int:
        return len(self._workspaces)

    def __contains__(self, item: object) -> bool:
        return isinstance(item, Workspace) and any(
            item.workspace_id == workspace.workspace_id for workspace in self._workspaces
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Workspaces):
            return NotImplemented
        return self._workspaces == tuple(other)

    def __hash__(self) -> int:
        return hash(self._workspaces)

    def __repr__(self) -> str:
        return f"Workspaces({list(self._workspaces)!r})"

    def filter(
        self,
        *,
        workspace_pattern: str | re.Pattern[str] | None = None,
        name_pattern: str | re.Pattern[str] | None = None,
        backend_type: BackendType | None = None,
    ) -> Workspaces:
        """Keep the workspaces that fit, each with those of its resources that fit, maybe none.

        Args:
            workspace_pattern: regular expression that matches the identifier of the workspace at
                its start, as text or compiled. None for any.
            name_pattern: the same for the identifier of the resource.
            backend_type: kind of the resource, None for any.

        Raises:
            InvalidOptionError: a pattern is no regular expression.
        """
        workspace_matches = _matcher("workspace_pattern", workspace_pattern)
        name_matches = _matcher("name_pattern", name_pattern)
        return Workspaces(
            Workspace(
                workspace.workspace_id,
                tuple(
                    resource
                    for resource in workspace.resources
                    if name_matches(resource.resource_id)
                    and backend_type in (None, resource.resource_type)
                ),
            )
            for workspace in self._workspaces
            if workspace_matches(workspace.workspace_id)
        )


def _matcher(name: str, pattern: str | re.Pattern[str] | None) -> Callable[[str], object]:
    """Return a function that tells whether a pattern matches an identifier at its start."""
    if pattern is None:
        return lambda _: True
    try:
        return re.compile(pattern).match
    except (re.error, TypeError) as error:
        raise InvalidOptionError(name, pattern, f"a regular expression ({error})") from error


def fits(wanted: str | re.Pattern[str] | None, identifier: str) -> bool:
    """Whether an identifier equals a string or matches a pattern at its start; None fits all."""
    if isinstance(wanted, re.Pattern):
        return wanted.match(identifier) is not None
    return wanted is None or wanted == identifier


def read_workspaces(body: bytes) -> dict[str, list[ListedResource]]:
    """Read the list of workspaces: the resources of each, in order.

    Raises:
        MalformedResponseError: the body is not JSON, or not of the documented shape.
    """
    workspaces: dict[str, list[ListedResource]] = {}
    for workspace in _of_type(read_json(body), list, "a list of workspaces"):
        workspace_id = _value(workspace, "id", str)
        workspaces.setdefault(workspace_id, []).extend(
            ListedResource(
                workspace_id=workspace_id,
                resource_id=_value(resource, "id", str),
                resource_name=_value(resource, "name", str),
                resource_type=cast("BackendType", _value(resource, "type", str)),
                accepting_job_submissions=_flag(workspace, "accepting_job_submissions"),
                jobs_being_processed=_flag(workspace, "jobs_being_processed"),
            )
            for resource in _value(workspace, "resources", list)
        )
    return workspaces


def read_resource(body: bytes, listed: ListedResource) -> Resource:
    """Read the details of a resource.

    Raises:
        MalformedResponseError: the body is not JSON, or not of the documented shape.
    """
    details = read_json(body)
    num_qubits = _value(details, "available_qubits", int)
    if isinstance(num_qubits, bool) or not 1 <= num_qubits <= MOST_QUBITS:
        raise MalformedResponseError(f"available_qubits is {num_qubits}", 0)
    since = details.get("status_updated_at")
    characterisation = details.get("characterisation")
    if characterisation is not None:
        _of_type(characterisation, dict, "characterisation")
    return Resource(
        workspace_id=listed.workspace_id,
        resource_id=listed.resource_id,
        resource_name=_value(details, "name", str),
        resource_type=cast("BackendType", _value(details, "type", str)),
        available_qubits=num_qubits,
        status=_value(details, "status", str),
        status_since=since if isinstance(since, str) else None,
        characterisation=characterisation,
        accepting_job_submissions=listed.accepting_job_submissions,
        jobs_being_processed=listed.jobs_being_processed,
        fetched_at=datetime.now(timezone.utc),
    )


def read_job_place(body: bytes) -> tuple[str, str]:
    """Read an API job's workspace and resource from the answer about its state.

    Raises:
        MalformedResponseError: the body is not JSON, or not of the documented shape.
    """
    job = _value(read_json(body), "job", dict)
    return _value(job, "workspace_id", str), _value(job, "resource_id", str)


_HEAD = re.compile(rb'\s*\{\s*"job"\s*:\s*(\{[^{}]*\})\s*[,}]')
"""An answer about an API job, from its beginning to the end of what it tells of the job."""


def read_job(body: bytes) -> dict[str, Any]:
    """Read what an answer tells of its API job, without the outcomes where they follow.

    Raises:
        MalformedResponseError: the body is not JSON, or not an object.
    """
    head = _HEAD.match(body)
    if head is not None:
        with suppress(MalformedResponseError):  # a brace in a text has ended it too early
            return job_of({"job": read_json(head[1])})
    return job_of(read_json(body))


def job_of(answer: Any) -> dict[str, Any]:
    """Return what an answer tells of its API job; empty if it tells nothing.

    Raises:
        MalformedResponseError: the answer is not an object.
    """
    job = _of_type(answer, dict, "an answer").get("job")
    return job if isinstance(job, dict) else {}


def job_place(workspace_id: str, resource_id: str) -> dict[str, str]:
    """Return what an answer may tell of an API job that was sent to a resource."""
    return {
        "job_type": "quantum_circuit",
        "workspace_id": workspace_id,
        "resource_id": resource_id,
    }


def check_job(job: dict[str, Any], sent: dict[str, str]) -> None:
    """Compare what an answer tells of an API job with what was sent; it need not tell all.

    Raises:
        ResponseMismatchError: it is another job.
    """
    for name, value in sent.items():
        found = job.get(name)
        if found not in (None, value):
            raise ResponseMismatchError(f"its {name} is {found!r}, not {value!r}")


def read_json(body: bytes) -> Any:
    """Read JSON.

    Raises:
        MalformedResponseError: the body is not JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedResponseError(error.msg, error.pos) from error


def read_uuid(value: object) -> str:
    """Read an API job's identifier from an answer: a UUID, in lower case with hyphens.

    Raises:
        MalformedResponseError: the value is not a UUID.
    """
    try:
        return canonical_uuid(value)
    except ValueError:
        raise MalformedResponseError(f"{reprlib.repr(value)} is no job's identifier", 0) from None


def _of_type(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise MalformedResponseError(f"{what}: found {type(value).__name__}", 0)
    return value


def _flag(workspace: dict[str, Any], key: str) -> bool:
    """Read a flag of a workspace, which is True where the portal does not tell."""
    return bool(_of_type(workspace.get(key, True), bool, f"key '{key}'"))


def _value(parent: Any, key: str, kind: type) -> Any:
    value = _of_type(parent, dict, f"what holds '{key}'").get(key)
    return _of_type(value, kind, f"key '{key}'")
