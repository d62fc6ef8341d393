"""Make the noise twin of a device: from what figures, and of what time."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.backends.offline.noise_settings import NoiseSettings
from aqt_fast.backends.offline.twin import NoiseTwin
from aqt_fast.devices import Characterisation
from aqt_fast.devices.history import CharacterisationHistory, latest
from aqt_fast.exceptions import CharacterisationNotFoundError, InvalidOptionError


def characterisation_of(source: Any) -> Characterisation:
    """Return the figures of a backend, those in a file, or those that are given.

    Args:
        source: a backend, a characterisation, or the path of a saved one.

    Raises:
        CharacterisationNotFoundError: nothing is published of the backend.
        InvalidOptionError: it is something else.
        InvalidCharacterisationError: the file is damaged.
        OSError: the file cannot be read.
        APIError: the portal must be asked and does not answer.
    """
    if isinstance(source, Characterisation):
        return source
    if isinstance(source, str | os.PathLike):
        return Characterisation.load(Path(source))
    try:
        found: Any = source.characterisation
    except AttributeError:
        expected = "a backend, a characterisation, or the path of a saved one"
        raise InvalidOptionError("device", source, expected) from None
    if not isinstance(found, Characterisation):
        raise CharacterisationNotFoundError(str(source.name))
    return found


def make_twin(
    source: Any, at: datetime | None, settings: NoiseSettings, provider: Any
) -> NoiseTwin:
    """Make a twin: see :meth:`aqt_fast.AQTProvider.get_noise_twin`.

    Args:
        source: as for :func:`characterisation_of`.
        at: the time of the figures; None for those of the source.
        settings: how the noise follows from the figures.
        provider: becomes the provider of the twin.
    """
    device = characterisation_of(source)
    if at is not None:
        moment = _aware(at)
        kept = history(provider).all(device)
        device = latest([*kept, device], device.resource_id, moment)
    return NoiseTwin(DeviceNoise.of(device, settings), provider=provider)


def _aware(at: Any) -> datetime:
    """Return a time with a time zone: the computer's, unless it has one.

    Raises:
        InvalidOptionError: it is no time, or so far away that the computer has no zone for it.
    """
    if isinstance(at, datetime):
        with suppress(OverflowError, ValueError, OSError):
            return at if at.tzinfo else at.astimezone()
    raise InvalidOptionError("at", at, "a datetime or None")


def history(provider: Any) -> CharacterisationHistory:
    """Return the history beside the jobs of a provider."""
    return CharacterisationHistory(provider.store_path / "characterisations")
