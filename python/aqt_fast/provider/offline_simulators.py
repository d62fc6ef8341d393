"""The names of the simulators that run in this process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OfflineSimulator:
    """A simulator that runs in this process."""

    id: str
    """Name of the backend."""
    name: str
    """Description of the backend."""
    noisy: bool
    """Whether gates are noisy."""


OFFLINE_SIMULATORS = (
    OfflineSimulator("offline_simulator_no_noise", "Offline ideal simulator", noisy=False),
    OfflineSimulator("offline_simulator_noise", "Offline noisy simulator", noisy=True),
)
