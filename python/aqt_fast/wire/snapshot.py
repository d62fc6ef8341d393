"""Circuits that were read once: checked, encoded and evaluated from a native snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Bit, Clbit, Qubit, Register
from qiskit.result.models import ExperimentResult

from aqt_fast import _native
from aqt_fast._native import Samples
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.results import experiment_result, failed_experiment, result_header

_NO_LIMITS = Limits(circuits=None, shots=None, operations=2**31 - 1, qubits=2**31 - 1)


class Snapshot:
    """A snapshot of circuits, which later changes do not reach.

    Circuits are named by their indices, from 0; parts go from ``start`` to before ``stop``.

    Args:
        circuits: any number of circuits.
        limits: what each of them must keep to.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """

    def __init__(self, circuits: Sequence[QuantumCircuit], limits: Limits) -> None:
        """Reads every instruction once."""
        self._limits = limits
        self._circuits = self._read(circuits)
        self._headers = [result_header(circuit) for circuit in circuits]

    @classmethod
    def from_saved(cls, data: bytes, headers: list[dict[str, Any]]) -> Snapshot:
        """Read a snapshot that was saved.

        Args:
            data: from :meth:`to_bytes`.
            headers: the snapshot's :attr:`headers`, as they are or by way of JSON.

        Raises:
            ValueError: ``data`` cannot be read, or the headers are of other circuits.
        """
        circuits = _native.Snapshot.from_bytes(data)
        if len(circuits) != len(headers):
            raise ValueError(f"{len(circuits)} circuits, but {len(headers)} headers")
        for index, header in enumerate(headers):
            if header["memory_slots"] != circuits.num_clbits(index):
                raise ValueError(f"header {index} is of a circuit with other classical bits")
        batch = cls.__new__(cls)
        vars(batch).update(_limits=_NO_LIMITS, _circuits=circuits, _headers=list(headers))
        return batch

    @property
    def headers(self) -> list[dict[str, Any]]:
        """What the results' entries say about their circuits, in order."""
        return list(self._headers)

    def to_bytes(self) -> bytes:
        """Everything but the headers, for :meth:`from_saved` of this version and later ones."""
        return self._circuits.to_bytes()

    def circuit(self, index: int) -> QuantumCircuit:
        """Rebuild a circuit: it is encoded and measured as the one that was read.

        Barriers, global phase and measurements that others overwrote are gone. Bits are in
        registers if the original's registers hold each bit once; what bits they hold in which
        order is not saved, only their sizes.
        """
        header = self._headers[index]
        qregs = [QuantumRegister(size, name) for name, size in header["qreg_sizes"]]
        cregs = [ClassicalRegister(size, name) for name, size in header["creg_sizes"]]
        circuit = QuantumCircuit(
            *_registers_or_bits(qregs, self._circuits.num_qubits(index), Qubit),
            *_registers_or_bits(cregs, self._circuits.num_clbits(index), Clbit),
            name=header["name"],
            metadata=dict(header["metadata"]),
        )
        for name, qubits, angles in self._circuits.operations(index):
            getattr(circuit, name)(*angles, *qubits)
        for qubit, clbit in self._circuits.measurements(index):
            circuit.measure(qubit, clbit)
        return circuit

    def __len__(self) -> int:
        return len(self._headers)

    def name(self, index: int) -> str:
        """The name of a circuit."""
        name: str = self._headers[index]["name"]
        return name

    def is_of(self, circuits: Sequence[QuantumCircuit]) -> bool:
        """Whether these circuits are, still, those of the snapshot."""
        return self._headers == [result_header(item) for item in circuits] and (
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
            experiment_result(header, shots, counts, shot_memory)
            for header, (counts, shot_memory) in zip(self._headers[start:stop], data, strict=True)
        ]

    def failed(self, start: int, stop: int, *, shots: int, message: str) -> list[ExperimentResult]:
        """Compose the entries of a part that has no outcomes."""
        return [failed_experiment(header, shots, message) for header in self._headers[start:stop]]

    def _read(self, circuits: Sequence[QuantumCircuit]) -> _native.Snapshot:
        return _native.Snapshot(
            circuits, max_qubits=self._limits.qubits, max_operations=self._limits.operations
        )


def _registers_or_bits(
    registers: list[Register], number: int, bit: type[Bit]
) -> list[Register] | list[list[Bit]]:
    """Arguments that give a new circuit so many bits, in registers if those hold each bit once."""
    if sum(len(register) for register in registers) == number:
        return registers
    return [[bit() for _ in range(number)]]
