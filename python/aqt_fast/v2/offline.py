"""Simulators in this process in the 2.x face."""

from __future__ import annotations

from aqt_fast.provider.parts import IDEAL, NOISY, offline_resource
from aqt_fast.v2.resources import OfflineSimulatorResource

__all__ = ["OfflineSimulatorProvider"]


class OfflineSimulatorProvider:
    """Makes simulators of an AQT device with 20 qubits."""

    def ideal(self) -> OfflineSimulatorResource:
        """Return a simulator without noise."""
        return OfflineSimulatorResource(offline_resource(IDEAL))

    def noisy(self) -> OfflineSimulatorResource:
        """Return a simulator with depolarising noise: 0.003 on r, 0.01 on rxx."""
        return OfflineSimulatorResource(offline_resource(NOISY), with_noise_model=True)
