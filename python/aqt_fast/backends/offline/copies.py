"""Copies of a simulator, which later changes of its options do not affect."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qiskit_aer import AerSimulator


def options_in_use(simulator: AerSimulator) -> dict[str, Any]:
    """Return the options that have a value now, including the noise model."""
    return {name: value for name, value in vars(simulator.options).items() if value is not None}


class Copies:
    """Copies a simulator.

    Copies without a noise model are shared as long as the options stay: making one takes about as
    long as simulating a small circuit. A noise model may change in place, unnoticed.
    """

    def __init__(self) -> None:
        """Have no copy yet."""
        self._last: tuple[dict[str, Any], AerSimulator] | None = None

    def of(self, simulator: AerSimulator) -> AerSimulator:
        """Return a copy that nobody will change."""
        from qiskit_aer import AerSimulator

        options = options_in_use(simulator)
        if "noise_model" in options:
            return AerSimulator(**options | {"noise_model": copy.deepcopy(options["noise_model"])})
        last = self._last
        if last is None or last[0] != options:
            last = self._last = options, AerSimulator(**options)
        return last[1]
