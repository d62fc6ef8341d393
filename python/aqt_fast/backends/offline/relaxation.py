"""What time does to a qubit: it decays from 1 to 0, and loses its phase."""

from __future__ import annotations

import math
from dataclasses import dataclass

_BISECTIONS = 200
"""Enough to find a number of 64 bits."""

_ALL_TIMES = 100.0
"""After so many times the longer one of T1 and T2, no coherence is left in 64 bits."""


@dataclass(frozen=True)
class Relaxation:
    """Decay and loss of phase in a memory of qubits that are alike.

    After the time t, the population of 1 has shrunk to exp(−t/T1), the rest is in 0, and the
    coherence between 0 and 1 has shrunk to exp(−t/T2): M. A. Nielsen and I. L. Chuang, Quantum
    Computation and Quantum Information, sections 8.3.5 and 8.3.6. Nothing excites 0: the upper
    level of an optical qubit, such as AQT's, decays spontaneously, and is far above thermal
    energies.
    """

    t1: float
    """Lifetime in seconds, above 0."""
    t2: float
    """Coherence time in seconds, above 0, at most 2 T1."""

    @property
    def is_mixture(self) -> bool:
        """Whether the channel is a mixture of I, Z and reset: T2 is at most T1."""
        return self.t2 <= self.t1

    def decay(self, duration: float) -> float:
        """Return the probability that 1 has decayed after a time in seconds."""
        return -math.expm1(-duration / self.t1)

    def phase_flip(self, duration: float) -> float:
        """Return the probability of a phase flip, beside what the decay does to the phase.

        If T2 ≤ T1, the decay counts as a reset with the probability 1 − exp(−t/T1), which leaves
        exp(−t/T1) of the coherence. Else it is amplitude damping, which leaves exp(−t/2T1).

        Args:
            duration: the time in seconds.
        """
        kept = 1 / self.t1 if self.is_mixture else 0.5 / self.t1
        return -math.expm1(-duration * (1 / self.t2 - kept)) / 2

    def process_fidelity(self, duration: float, num_qubits: int) -> float:
        """Return the process fidelity of waiting: (1 + exp(−t/T1) + 2 exp(−t/T2))/4 to the n.

        It is the trace of the Pauli transfer matrix divided by 4ⁿ: Nielsen (2002) as in
        :class:`~aqt_fast.backends.offline.noise_settings.NoiseSettings`.

        Args:
            duration: the time in seconds.
            num_qubits: how many qubits wait.
        """
        x, y = math.exp(-duration / self.t1), math.exp(-duration / self.t2)
        return float(((1 + x + 2 * y) / 4) ** num_qubits)

    def duration_of(self, process_fidelity: float, duration: float, num_qubits: int) -> float:
        """Return the time in seconds after which waiting has a process fidelity.

        Args:
            process_fidelity: what to reach.
            duration: a time that is too long.
            num_qubits: how many qubits wait.
        """
        # Nothing is left after so long: a duration without bounds would take too many steps.
        low, high = 0.0, min(duration, _ALL_TIMES * max(self.t1, self.t2))
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if self.process_fidelity(middle, num_qubits) > process_fidelity:
                low = middle
            else:
                high = middle
        return low
