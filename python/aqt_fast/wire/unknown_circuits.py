"""Circuits of which only the outcomes are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult

from aqt_fast._native import Samples
from aqt_fast._shots import Shots, each
from aqt_fast.wire.results import experiment_result
from aqt_fast.wire.snapshot import Snapshot


class UnknownCircuits(Snapshot):
    """In place of the snapshot of circuits that another computer has sent.

    The number of circuits is 0 until :meth:`learn` has seen their outcomes. Classical bit i is
    qubit i, all of them in one register ``meas``.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._headers: list[dict[str, Any]] = []

    def __getstate__(self) -> dict[str, Any]:
        return {"_headers": self._headers}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)

    def learn(self, samples: Sequence[Samples]) -> None:
        """Take the number of circuits, and of their qubits, from the outcomes."""
        self._headers = [_header(index, item.num_qubits) for index, item in enumerate(samples)]

    def circuit(self, index: int) -> NoReturn:
        """Raise: nothing is known of the circuit.

        Raises:
            LookupError: always.
        """
        raise LookupError(f"circuit {index} is not known, only its outcomes are")

    def gate_counts(self) -> NoReturn:
        """Raise: nothing is known of the gates.

        Raises:
            LookupError: always.
        """
        raise LookupError("the circuits are not known, only their outcomes are")

    def rebuilt(self) -> list[QuantumCircuit]:
        """Return no circuits."""
        return []

    def is_of(self, circuits: Sequence[QuantumCircuit]) -> bool:  # noqa: ARG002
        """Return False: the circuits are not known."""
        return False

    def results(
        self, samples: Sequence[Samples], start: int, stop: int, *, shots: Shots, memory: bool
    ) -> list[ExperimentResult]:
        """Compose the entries of a part that was measured, with all of its qubits."""
        return [
            experiment_result(header, number, item.counts(), item.memory() if memory else None)
            for header, number, item in zip(
                self._headers[start:stop], each(shots, len(samples)), samples, strict=True
            )
        ]

    def bits(
        self,
        samples: Sequence[Samples],  # noqa: ARG002 - needed if the circuits are known
        start: int,
        stop: int,  # noqa: ARG002
        clbits: Sequence[int],  # noqa: ARG002
    ) -> NoReturn:
        """Raise: nothing is known of the classical bits.

        Raises:
            LookupError: always.
        """
        self.circuit(start)


def _header(index: int, num_qubits: int) -> dict[str, Any]:
    return {
        "name": f"circuit {index}",
        "memory_slots": num_qubits,
        "creg_sizes": [["meas", num_qubits]],
        "qreg_sizes": [["q", num_qubits]],
        "metadata": {},
    }
