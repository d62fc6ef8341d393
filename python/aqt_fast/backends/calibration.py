"""Figures of a backend's operations: error rates, durations and coherence times."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

from qiskit.transpiler import InstructionProperties


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
    def of_device(cls, published: Mapping[str, Any] | None, num_qubits: int) -> Calibration | None:
        """Read a characterisation that the portal publishes; what is malformed counts as unknown.

        Args:
            published: the ``characterisation`` of a resource.
            num_qubits: number of its qubits.

        Returns:
            None if nothing is known.
        """
        if published is None:
            return None
        single = _mapping(published.get("single_qubit_gate_fidelity"))
        r_errors = {qubit: _error(single.get(str(qubit))) for qubit in range(num_qubits)}
        mean = _error(published.get("mean_two_qubit_gate_fidelity"))
        rxx_errors: dict[tuple[int, int], float | None] = dict.fromkeys(
            permutations(range(num_qubits), 2), mean
        )
        pairs = published.get("two_qubit_gate_fidelity")
        for entry in pairs if isinstance(pairs, list) else ():
            if (pair := _pair(entry)) in rxx_errors:
                rxx_errors[pair] = rxx_errors[pair[::-1]] = _error(entry)
        found = {
            "r": _number(published.get("single_qubit_gate_duration_micros")),
            "rxx": _number(published.get("two_qubit_gate_duration_micros")),
            "measure": _number(published.get("readout_time_micros")),
        }
        durations = {name: value * 1e-6 for name, value in found.items() if value is not None}
        return cls(
            r_errors=_known(r_errors),
            rxx_errors=_known(rxx_errors),
            readout_error=_error(published.get("spam_fidelity_lower_bound")),
            durations={"rz": 0.0, **durations},
            t1=_number(published.get("t1_s")),
            t2=_number(published.get("t2_coherence_time_s")),
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


def _known(errors: Mapping[Any, float | None]) -> dict[Any, float]:
    return {key: error for key, error in errors.items() if error is not None}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(entry: Any) -> float | None:
    """Return a finite number of 0 or more, with an uncertainty or without."""
    value = entry.get("value") if isinstance(entry, Mapping) else entry
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and value >= 0 else None


def _error(entry: Any) -> float | None:
    """Return the error rate that a fidelity in per cent stands for."""
    fidelity = _number(entry)
    return None if fidelity is None or fidelity > 100 else 1 - fidelity / 100


def _pair(entry: Any) -> tuple[int, int]:
    qubits = _mapping(entry).get("qubits")
    if isinstance(qubits, list) and len(qubits) == 2 and all(type(item) is int for item in qubits):
        return qubits[0], qubits[1]
    return -1, -1
