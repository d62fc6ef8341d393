"""Workspaces and resources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

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


@dataclass(frozen=True)
class Durations:
    """Durations of a device's operations in microseconds, typical of an ion trap."""

    single_qubit_gate: float = 15.0
    two_qubit_gate: float = 200.0
    readout: float = 2500.0


@dataclass
class Resource:
    """A machine; the same object in two workspaces is one machine with one queue."""

    id: str
    name: str
    type: ResourceType
    available_qubits: int
    noisy: bool = False
    """Whether the simulation adds depolarising noise."""
    status: ResourceStatus = "online"
    max_shots: int = 2000
    """Maximum number of shots of a circuit."""
    status_updated_at: float | None = None
    """Seconds since the epoch; None means since the server was created."""
    characterisation: Characterisation | Mapping[str, Any] | None = None
    """What a device publishes: a shape, or just this; None for the server's shape."""
    durations: Durations = Durations()
    """What a device publishes of its durations, and takes."""

    def __post_init__(self) -> None:
        """Refuse what cannot be published: the handler of requests could only fail."""
        wanted = self.characterisation
        shape = isinstance(wanted, str) and wanted in get_args(Characterisation)
        if not (wanted is None or shape or isinstance(wanted, Mapping)):
            shapes = ", ".join(get_args(Characterisation))
            raise ValueError(f"characterisation must be one of {shapes}, or a mapping: {wanted!r}")


@dataclass
class Workspace:
    """A named set of resources; an access token opens some or all workspaces."""

    id: str
    resources: Sequence[Resource]
    accepting_job_submissions: bool = True
    jobs_being_processed: bool = True


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
