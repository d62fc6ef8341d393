"""Outcomes of noisy circuits from the native sampler, where it can stand for Aer.

It takes noise that is a mixture of unitary errors and resets after each gate, and readout errors of
single qubits. Aer simulates everything else: other noise, none at all, more than 20 qubits, and any
simulator whose options are not the default ones.
"""

from __future__ import annotations

import functools
import secrets
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from qiskit_aer import AerSimulator

from aqt_fast._shots import Shots, shots_of
from aqt_fast.backends.offline.aer import Outcome, outcomes, seed_at
from aqt_fast.backends.offline.copies import options_in_use
from aqt_fast.backends.offline.mixtures import Mixtures, OtherNoiseError
from aqt_fast.wire.bare_circuits import BareCircuits

_MOST_QUBITS = 20
"""Amplitudes of eight states of so many qubits take 128 MB."""


@dataclass(frozen=True)
class Sampler:
    """The native sampler with the noise of a simulator; it can be pickled."""

    noise: Mixtures

    @classmethod
    def of(cls, simulator: AerSimulator) -> Sampler | None:
        """Return what stands for a simulator, or None if Aer is to simulate.

        That is so without noise, with noise of another kind, and as soon as any option has another
        value than it has by default; only the seed may be set.
        """
        options = options_in_use(simulator)
        model = options.pop("noise_model", None)
        options.pop("seed_simulator", None)
        if model is None or type(simulator) is not AerSimulator or options != _default_options():
            return None
        try:
            return cls(Mixtures.of(model))
        except OtherNoiseError:
            return None

    def outcomes(
        self,
        simulator: AerSimulator,
        circuits: BareCircuits,
        *,
        shots: Shots,
        memory: bool,
        seed: int | None,
    ) -> list[Outcome]:
        """Simulate circuits: those that are too large with Aer, on the simulator with this noise.

        The other ones have samples of all shots, whatever ``memory`` is. The arguments are those of
        :func:`aqt_fast.backends.offline.aer.outcomes`.
        """
        if seed is None:
            seed = secrets.randbits(63)
        found: list[Outcome] = []
        for small, group in groupby(circuits.sizes(), _MOST_QUBITS.__ge__):
            part = range(len(found), len(found) + len(list(group)))
            part_shots = shots_of(shots, part)
            if small:
                found += circuits.sampled(
                    part,
                    self.noise.native,
                    shots=part_shots,
                    seeds=[seed_at(seed, index) % 2**64 for index in part],
                )
            else:
                found += outcomes(
                    simulator,
                    circuits.part(part),
                    shots=part_shots,
                    memory=memory,
                    seed=seed_at(seed, part.start),
                )
        return found


@functools.cache
def _default_options() -> dict[str, Any]:
    return options_in_use(AerSimulator())
