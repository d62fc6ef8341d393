"""Where a job runs: on AQT's portal, on a machine in the same network, or in a simulator."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, TypeAlias

from aqt_fast.api_client.models import BackendType
from aqt_fast.store.checksummed_json import entry


@dataclass(frozen=True)
class PortalLocation:
    """A resource of AQT's portal."""

    kind: ClassVar[str] = "portal"
    portal_url: str
    """URL of the portal."""
    workspace_id: str
    """Workspace through which the resource is used."""
    resource_name: str
    """Name of the resource for display."""
    resource_type: BackendType
    """Type of the resource."""

    @property
    def url(self) -> str:
        """URL of the portal."""
        return self.portal_url


@dataclass(frozen=True)
class MachineLocation:
    """A machine in the same network."""

    kind: ClassVar[str] = "machine"
    machine_url: str
    """URL of the machine."""
    resource_name: str
    """Name of the machine for display."""
    max_shots: int
    """Maximum number of shots per circuit."""

    @property
    def url(self) -> str:
        """URL of the machine."""
        return self.machine_url


@dataclass(frozen=True)
class SimulatorLocation:
    """An offline simulator, by its differences from the default one."""

    kind: ClassVar[str] = "simulator"
    noise_model: Any
    """Aer's description of the noise model, the name of a standard one, or None."""
    simulator_options: dict[str, Any]
    """Options of the simulator that differ from the default."""
    twin: dict[str, Any] | None = None
    """The noise of the device whose twin it is, None for other simulators."""

    @property
    def url(self) -> None:
        """None: the simulator runs in a process."""
        return


JobLocation: TypeAlias = PortalLocation | MachineLocation | SimulatorLocation

_KINDS: dict[str, type[JobLocation]] = {
    kind.kind: kind for kind in (PortalLocation, MachineLocation, SimulatorLocation)
}

_TYPES: dict[str, type] = {
    "portal_url": str,
    "workspace_id": str,
    "resource_name": str,
    "resource_type": str,
    "machine_url": str,
    "max_shots": int,
    "simulator_options": dict,
}
"""Types of the fields of all kinds, but for noise, which the simulator checks."""


def location_to_json(location: JobLocation) -> dict[str, Any]:
    """Describe a location in JSON's types, with its kind."""
    content = {"kind": location.kind, **asdict(location)}
    if content.get("twin", ...) is None:
        del content["twin"]
    return content


def location_from_json(content: dict[str, Any]) -> JobLocation:
    """Parse the output of :func:`location_to_json`; ignore other keys.

    Raises:
        LookupError: something is missing, or the kind is unknown.
        TypeError: something has another type.
        ValueError: something is out of its range.
    """
    kind = _KINDS[entry(content, "kind", str)]
    for name, expected in _TYPES.items():
        if name in kind.__dataclass_fields__:
            entry(content, name, expected)
    names = [field.name for field in fields(kind)]
    if "twin" in names:
        if content.get("twin") is None:  # jobs of other simulators, and of older versions
            names.remove("twin")
        else:
            entry(content, "twin", dict)
    location = kind(**{name: content[name] for name in names})
    if isinstance(location, MachineLocation) and location.max_shots < 1:
        raise ValueError(f"'max_shots' must be at least 1, not {location.max_shots}")
    return location
