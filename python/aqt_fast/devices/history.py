"""Characterisations that were kept: the portal tells the present one only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import quote

from aqt_fast._files import make_directory
from aqt_fast.devices.characterisation import Characterisation
from aqt_fast.exceptions import CharacterisationNotFoundError


def time_of(device: Characterisation) -> datetime | None:
    """Return when figures were measured; when they were fetched if that is unknown."""
    return device.updated_at or device.fetched_at


def latest(devices: Sequence[Characterisation], resource_id: str, at: datetime) -> Characterisation:
    """Return the characterisation that was valid at a time: the newest that is not later.

    Args:
        devices: all that are known of one device.
        resource_id: the device's identifier.
        at: the time, with a time zone.

    Raises:
        CharacterisationNotFoundError: all are later, or their time is unknown.
    """
    dated = [(time, device) for device in devices if (time := time_of(device)) is not None]
    fitting = [entry for entry in dated if entry[0] <= at]
    if not fitting:
        oldest = min((time for time, _ in dated), default=None)
        raise CharacterisationNotFoundError(resource_id, at, oldest)
    return max(fitting, key=lambda entry: entry[0])[1]


class CharacterisationHistory:
    """A directory of characterisations, one file for each device and time."""

    def __init__(self, directory: Path) -> None:
        """The directory is created when something is kept."""
        self._directory = directory

    def keep(self, device: Characterisation) -> Path:
        """Write a characterisation, and return its file. One of the same time is replaced.

        Raises:
            CharacterisationNotFoundError: its time is unknown.
            OSError: the file cannot be written.
        """
        time = time_of(device)
        if time is None:
            raise CharacterisationNotFoundError(device.resource_id)
        stamp = time.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
        make_directory(self._directory)
        path = self._directory / f"{_prefix(device)}{stamp}.json"
        device.save(path)
        return path

    def all(self, device: Characterisation) -> list[Characterisation]:
        """Read what was kept of the same device, the oldest first.

        That is what has its workspace, identifier and number of qubits.

        Raises:
            InvalidCharacterisationError: a file is damaged.
            OSError: a file cannot be read.
        """
        prefix = _prefix(device)
        if not self._directory.is_dir():
            return []
        files = sorted(
            path
            for path in self._directory.iterdir()
            if path.name.startswith(prefix) and path.suffix == ".json"
        )
        kept = map(Characterisation.load, files)
        return [each for each in kept if each.num_qubits == device.num_qubits]


def _prefix(device: Characterisation) -> str:
    # quote() leaves no @, so no identifier begins with another one and this sign.
    names = (device.workspace_id, device.resource_id)
    return "".join(quote(name, safe="") + "@" for name in names)
