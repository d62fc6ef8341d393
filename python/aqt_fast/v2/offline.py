"""Simulators in this process in the 2.x face."""

from __future__ import annotations

from typing import cast

from aqt_fast.v2.engine import Engine
from aqt_fast.v2.resources import OfflineSimulatorResource

__all__ = ["OfflineSimulatorProvider"]


class OfflineSimulatorProvider:
    """Makes simulators of an AQT device with 20 qubits."""

    def __init__(self) -> None:
        """Simulate nothing yet."""
        self._engine = Engine("")

    def ideal(self) -> OfflineSimulatorResource:
        """Return a simulator without noise."""
        return cast("OfflineSimulatorResource", self._engine.offline.ideal())

    def noisy(self) -> OfflineSimulatorResource:
        """Return a simulator with depolarising noise: 0.003 on r, 0.01 on rxx."""
        return cast("OfflineSimulatorResource", self._engine.offline.noisy())
