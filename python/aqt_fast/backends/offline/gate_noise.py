"""The noise of one gate: depolarising, then relaxation for the gate's duration."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from aqt_fast.backends.offline.noise_settings import average_fidelity
from aqt_fast.backends.offline.relaxation import Relaxation

PAULIS = "IXYZ"


class Event(NamedTuple):
    """What may happen after a gate."""

    operations: str
    """One letter for each qubit of the gate, the first one first: I, X, Y, Z, or R for reset."""
    probability: float
    """Its probability."""


@dataclass(frozen=True)
class GateNoise:
    """Depolarising noise, and relaxation on each qubit of a gate.

    The depolarising channel of strength λ maps ρ to (1 − λ) ρ + λ I/d, with d = 2ⁿ: Nielsen and
    Chuang, section 8.3.4.
    """

    num_qubits: int
    """1 or 2."""
    depolarising: float = 0.0
    """Strength λ of the depolarising channel, from 0 to 1."""
    duration: float = 0.0
    """How long the qubits relax, in seconds."""
    relaxation: Relaxation | None = None
    """How they relax; None if they do not."""

    @classmethod
    def of_fidelity(
        cls,
        process_fidelity: float,
        num_qubits: int,
        *,
        duration: float = 0.0,
        relaxation: Relaxation | None = None,
    ) -> GateNoise:
        """Find the strength that gives the whole noise a process fidelity.

        Let Λ be the relaxation, with the process fidelity F_Λ. A completely depolarised state stays
        one as to the fidelity: of Λ after complete depolarising it is 1/d². So the whole has
        F = (1 − λ) F_Λ + λ/d², and λ = (F_Λ − F)/(F_Λ − 1/d²).

        If relaxation alone has a lower fidelity, there is no depolarising noise, and the qubits
        relax for a shorter time: as long as it takes to reach the process fidelity.

        Args:
            process_fidelity: of the whole noise.
            num_qubits: number of qubits of the gate.
            duration: of the gate in seconds.
            relaxation: how its qubits relax; None if they do not.
        """
        alone = 1.0 if relaxation is None else relaxation.process_fidelity(duration, num_qubits)
        if alone == process_fidelity:
            return cls(num_qubits, 0.0, duration, relaxation)
        if relaxation is not None and alone < process_fidelity:
            shorter = relaxation.duration_of(process_fidelity, duration, num_qubits)
            return cls(num_qubits, 0.0, shorter, relaxation)
        strength = (alone - process_fidelity) / (alone - 1 / 4**num_qubits)
        return cls(num_qubits, strength, duration, relaxation)

    @property
    def average_error(self) -> float:
        """1 minus the average gate fidelity of a gate with this noise."""
        alone = 1.0
        if self.relaxation is not None:
            alone = self.relaxation.process_fidelity(self.duration, self.num_qubits)
        kept = (1 - self.depolarising) * alone + self.depolarising / 4**self.num_qubits
        return 1 - average_fidelity(kept, self.num_qubits)

    @property
    def is_ideal(self) -> bool:
        """Whether nothing happens."""
        return self.damping == 0 and all(set(found.operations) == {"I"} for found in self.events())

    @property
    def damping(self) -> float:
        """Probability of decay, by which each qubit is damped after the events; mostly 0.

        It is 0 if the events are the whole noise.
        """
        if self.relaxation is None or self.relaxation.is_mixture:
            return 0.0
        return self.relaxation.decay(self.duration)

    def events(self) -> list[Event]:
        """List what may happen, as few events as possible; what is impossible is left out.

        A reset makes whatever Pauli was before it on its qubit forgotten. So two qubits have 16
        pairs of Paulis, 8 of a Pauli and a reset, and one of two resets.
        """
        size, flip, reset = self.num_qubits, 0.0, 0.0
        if self.relaxation is not None:
            flip = self.relaxation.phase_flip(self.duration)
            reset = self.relaxation.decay(self.duration) if self.relaxation.is_mixture else 0.0
        events: dict[str, float] = {}
        for paulis in map("".join, product(PAULIS, repeat=size)):
            weight = self._pauli_probability(paulis, flip)
            for resets in product((False, True), repeat=size):
                chance = weight
                for is_reset in resets:
                    chance *= reset if is_reset else 1 - reset
                letters = zip(paulis, resets, strict=True)
                operations = "".join("R" if is_reset else pauli for pauli, is_reset in letters)
                events[operations] = events.get(operations, 0.0) + chance
        return [Event(*event) for event in events.items() if event[1] > 0]

    def _pauli_probability(self, paulis: str, flip: float) -> float:
        """Return the probability of Paulis from depolarising and phase flips.

        Args:
            paulis: one letter for each qubit.
            flip: probability of a phase flip on each qubit.
        """
        each: float = self.depolarising / 4**self.num_qubits
        undisturbed = 1 - self.depolarising
        for pauli in paulis:
            undisturbed *= {"I": 1 - flip, "Z": flip}.get(pauli, 0.0)
        return each + undisturbed
