"""Figures of a backend's operations: error rates, durations and coherence times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations

from qiskit.transpiler import InstructionProperties

from aqt_fast.devices import Characterisation


@dataclass(frozen=True)
class Calibration:
    """What is known of a backend's operations. Error rates are 1 minus the average fidelity."""

    r_errors: Mapping[int, float] = field(default_factory=dict)
    """Error rate of r, by qubit."""
    rxx_errors: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """Error rate of rxx, by pair, in both orders."""
    readout_error: float | None = None
    """Probability of a wrong outcome, the same for all qubits."""
    durations: Mapping[str, float] = field(default_factory=dict)
    """Duration of an operation in seconds, by name."""
    t1: float | None = None
    """Lifetime in seconds, the same for all qubits."""
    t2: float | None = None
    """Coherence time in seconds, the same for all qubits."""

    @classmethod
    def of_noise(cls, num_qubits: int, *, r: float, rxx: float) -> Calibration:
        """Figures of a simulator without time.

        Args:
            num_qubits: number of its qubits.
            r: strength of the depolarising noise on r, 0 for none.
            rxx: strength of the depolarising noise on rxx, 0 for none.
        """
        pairs = permutations(range(num_qubits), 2)
        return cls(
            r_errors=dict.fromkeys(range(num_qubits), r / 2) if r else {},
            rxx_errors=dict.fromkeys(pairs, rxx * 3 / 4) if rxx else {},
            durations=dict.fromkeys(("rz", "r", "rxx", "measure"), 0.0),
        )

    @classmethod
    def of_device(cls, known: Characterisation | None) -> Calibration | None:
        """Figures of a device.

        Args:
            known: its characterisation.

        Returns:
            None if there is none.
        """
        if known is None:
            return None
        pairs = permutations(range(known.num_qubits), 2)
        rxx = {pair: fidelity for pair in pairs if (fidelity := known.rxx_fidelity_of(*pair))}
        durations = {
            "r": known.r_duration,
            "rxx": known.rxx_duration,
            "measure": known.readout_duration,
        }
        spam = known.spam_fidelity
        return cls(
            r_errors={qubit: 1 - found.value for qubit, found in known.r_fidelity.items()},
            rxx_errors={pair: 1 - found.value for pair, found in rxx.items()},
            readout_error=None if spam is None else 1 - spam,
            durations={"rz": 0.0, **{k: v for k, v in durations.items() if v is not None}},
            t1=None if known.t1 is None else known.t1.value,
            t2=None if known.t2 is None else known.t2.value,
        )

    @property
    def has_time(self) -> bool:
        """Whether an operation takes time, or states decay in time."""
        return any((self.t1, self.t2, *self.durations.values()))

    def instructions(
        self, num_qubits: int
    ) -> dict[str, dict[tuple[int, ...] | None, InstructionProperties | None]]:
        """List the properties of each operation on each qubit or ordered pair.

        Args:
            num_qubits: number of the backend's qubits.
        """
        qubits = [(qubit,) for qubit in range(num_qubits)]
        return {
            "rz": {key: self._properties("rz", 0.0) for key in qubits},
            "r": {key: self._properties("r", self.r_errors.get(key[0])) for key in qubits},
            "rxx": {
                pair: self._properties("rxx", self.rxx_errors.get(pair))
                for pair in permutations(range(num_qubits), 2)
            },
            "measure": {key: self._properties("measure", self.readout_error) for key in qubits},
        }

    def _properties(self, name: str, error: float | None) -> InstructionProperties | None:
        duration = self.durations.get(name)
        if duration is None and error is None:
            return None
        # Aer takes the error of a measurement for a number.
        error = error or 0.0 if name == "measure" else error
        return InstructionProperties(duration=duration, error=error)
