"""Workspaces and resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, get_args

from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.server.checks import (
    Check,
    Checked,
    choice,
    flag,
    identifier,
    instance,
    integer,
    items,
    json_object,
    number,
    optional,
    text,
)
from aqt_fast.server.clock import LATEST

ResourceType = Literal["device", "simulator"]
ResourceStatus = Literal["online", "offline", "maintenance", "unavailable"]

Characterisation = Literal["mean", "pairs", "none"]
"""What devices publish of their two-qubit gates.

``mean``: their mean fidelity only, as AQT's own client expects it of ``/resources``. ``pairs``:
also the fidelity of each pair, as its model of a characterisation alone has it. ``none``: no
characterisation at all.
"""

DIRECT_WORKSPACE = "direct-access"
"""Workspace identifier of circuits that came by direct access; no such workspace exists."""


_MOST_QUBITS = 1000
_MOST_SHOTS = 1_000_000
_MOST_MICROSECONDS = 1e9


@dataclass(frozen=True)
class Durations:
    """Durations of a device's operations in microseconds, typical of an ion trap.

    Raises:
        InvalidOptionError: a duration is not 0 to 10⁹ µs.
    """

    single_qubit_gate: float = 15.0
    two_qubit_gate: float = 200.0
    readout: float = 2500.0

    def __post_init__(self) -> None:
        for field in fields(self):
            number(0, _MOST_MICROSECONDS)(field.name, getattr(self, field.name))


def _characterisation(name: str, value: object) -> None:
    """Check a shape, or what can be published in its place."""
    if isinstance(value, str):
        choice(get_args(Characterisation))(name, value)
        return
    try:
        json_object(name, value)
    except InvalidOptionError:
        shapes = ", ".join(get_args(Characterisation))
        expected = f"one of {shapes}, or a mapping of what JSON has"
        raise InvalidOptionError(name, value, expected) from None


@dataclass
class Resource(Checked):
    """A machine; the same object in two workspaces is one machine with one queue.

    Raises:
        InvalidOptionError: a value is out of range, now or when it is assigned.
    """

    _checks: ClassVar[Mapping[str, Check]] = {
        "id": identifier,
        "name": text,
        "type": choice(get_args(ResourceType)),
        "available_qubits": integer(1, _MOST_QUBITS),
        "noisy": flag,
        "status": choice(get_args(ResourceStatus)),
        "max_shots": integer(1, _MOST_SHOTS),
        "status_updated_at": optional(number(0, LATEST)),
        "characterisation": optional(_characterisation),
        "durations": instance(Durations),
    }

    id: str
    """Part of paths: without blanks and without any of / \\ ? # %."""
    name: str
    type: ResourceType
    available_qubits: int
    """1 to 1000."""
    noisy: bool = False
    """Whether the simulation adds depolarising noise."""
    status: ResourceStatus = "online"
    max_shots: int = 2000
    """Maximum number of shots of a circuit, 1 to 1 000 000."""
    status_updated_at: float | None = None
    """Seconds since the epoch; None means since the server was created."""
    characterisation: Characterisation | Mapping[str, Any] | None = None
    """What a device publishes: a shape, or just this; None for the server's shape."""
    durations: Durations = Durations()
    """What a device publishes of its durations, and takes."""


@dataclass
class Workspace(Checked):
    """A named set of resources; an access token opens some or all workspaces.

    Raises:
        InvalidOptionError: a value has a wrong type, or is no identifier; now or when it is
            assigned.
    """

    _checks: ClassVar[Mapping[str, Check]] = {
        "id": identifier,
        "resources": items(Resource, "resources"),
        "accepting_job_submissions": flag,
        "jobs_being_processed": flag,
    }

    id: str
    resources: Sequence[Resource]
    accepting_job_submissions: bool = True
    jobs_being_processed: bool = True


def check_workspaces(workspaces: Sequence[Workspace]) -> None:
    """Check that identifiers tell workspaces and resources apart.

    Raises:
        InvalidOptionError: they do not.
    """
    items(Workspace, "workspaces")("workspaces", workspaces)
    known = {DIRECT_WORKSPACE}
    resources: dict[str, Resource] = {}
    for workspace in workspaces:
        if workspace.id in known:
            expected = f"workspaces with identifiers of their own, and without {DIRECT_WORKSPACE!r}"
            raise InvalidOptionError("workspaces", workspace.id, expected)
        known.add(workspace.id)
        for resource in workspace.resources:
            if resources.setdefault(resource.id, resource) is not resource:
                expected = "workspaces in which one identifier is one resource, the same object"
                raise InvalidOptionError("workspaces", resource.id, expected)


def default_workspaces() -> list[Workspace]:
    """Make two workspaces that share a simulator; one of three devices is under maintenance."""
    ideal = Resource("simulator_ideal", "Simulator without noise", "simulator", 20)
    noisy = Resource("simulator_noise", "Simulator with noise", "simulator", 20, noisy=True)
    ibex = Resource("ibex", "IBEX", "device", 12, noisy=True)
    pine = Resource("pine", "PINE", "device", 20, noisy=True)
    rowan = Resource("rowan", "ROWAN", "device", 12, noisy=True, status="maintenance")
    return [
        Workspace("default", [ideal, noisy]),
        Workspace("lab", [ibex, pine, rowan, noisy]),
    ]
