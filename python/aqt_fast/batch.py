"""Circuits that were read once: checked, encoded and evaluated from a native snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit import QuantumCircuit
from qiskit.result.models import ExperimentResult

from aqt_fast import _native, wire
from aqt_fast._native import Samples


class Batch:
    """A snapshot of circuits, which later changes do not reach.

    Circuits are named by their indices, from 0; parts go from ``start`` to before ``stop``.

    Args:
        circuits: any number of circuits.
        limits: what each of them must keep to.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """

    def __init__(self, circuits: Sequence[QuantumCircuit], limits: wire.Limits) -> None:
        """Reads every instruction once."""
        self._limits = limits
        self._circuits = self._read(circuits)
        self._headers = [wire.header(circuit) for circuit in circuits]

    def __len__(self) -> int:
        return len(self._headers)

    def name(self, index: int) -> str:
        """The name of a circuit."""
        name: str = self._headers[index]["name"]
        return name

    def is_of(self, circuits: Sequence[QuantumCircuit]) -> bool:
        """Whether these circuits are, still, those of the snapshot."""
        return self._headers == [wire.header(item) for item in circuits] and (
            self._circuits == self._read(circuits)
        )

    def encode_job(self, start: int, stop: int, shots: int, label: str) -> bytes:
        """Encode the request body of one API job."""
        return self._circuits.encode_job(start, stop, shots, label)

    def encode_circuit(self, index: int, shots: int) -> bytes:
        """Encode one circuit as direct access takes it."""
        return self._circuits.encode_circuit(index, shots)

    def check_samples(
        self, samples: Sequence[Samples], start: int, stop: int, *, shots: int
    ) -> None:
        """Check that samples are those of a part, as far as their numbers tell.

        Raises:
            ResponseMismatchError: there are other circuits, shots or qubits than expected.
        """
        self._circuits.check_samples(samples, start, stop, shots)

    def results(
        self, samples: Sequence[Samples], start: int, stop: int, *, shots: int, memory: bool
    ) -> list[ExperimentResult]:
        """Compose the entries of a part that was measured.

        Raises:
            ResponseMismatchError: there are other circuits, shots or qubits than expected.
        """
        data = self._circuits.experiment_data(samples, start, stop, shots, memory)
        return [
            wire.experiment_result(header, shots, counts, shot_memory)
            for header, (counts, shot_memory) in zip(self._headers[start:stop], data, strict=True)
        ]

    def failed(self, start: int, stop: int, *, shots: int, message: str) -> list[ExperimentResult]:
        """Compose the entries of a part that has no outcomes."""
        return [
            wire.failed_experiment(header, shots, message) for header in self._headers[start:stop]
        ]

    def _read(self, circuits: Sequence[QuantumCircuit]) -> _native.Batch:
        return _native.Batch(
            circuits, max_qubits=self._limits.qubits, max_operations=self._limits.operations
        )


@dataclass(frozen=True)
class Chunk:
    """What one API job has of a batch."""

    start: int
    """The first circuit."""
    stop: int
    """The circuit after the last."""
    shots: int
    """Repetitions of each, all of them or a part."""

    @property
    def circuits(self) -> range:
        """Indices of the circuits."""
        return range(self.start, self.stop)


def cut(num_circuits: int, shots: int, limits: wire.Limits) -> list[Chunk]:
    """Cut a batch into API jobs: first by circuits, then by shots.

    Args:
        num_circuits: circuits of the batch.
        shots: repetitions of each.
        limits: what one API job takes.

    Returns:
        The chunks in the order of the circuits; those with the same circuits follow each other, and
        their shots add up.
    """
    width = limits.circuits or num_circuits
    most = limits.shots or shots
    return [
        Chunk(start, min(start + width, num_circuits), min(most, shots - done))
        for start in range(0, num_circuits, width)
        for done in range(0, shots, most)
    ]
