"""Circuits that were read once: check, encode and evaluate them from a native snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Bit, Clbit, Qubit, Register
from qiskit.result.models import ExperimentResult

from aqt_fast import _native
from aqt_fast._native import Samples
from aqt_fast._reading import read_by
from aqt_fast._shots import Shots, each
from aqt_fast.wire.bare_circuits import BareCircuits
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import Repetitions
from aqt_fast.wire.results import (
    check_header,
    experiment_result,
    failed_experiment,
    result_header,
)

_NO_LIMITS = Limits(circuits=None, shots=None, operations=2**31 - 1, qubits=2**31 - 1)


class Snapshot:
    """A snapshot of circuits, independent of later changes to them.

    Circuits are identified by index, from 0. A part has the circuits from ``start`` to before
    ``stop``.

    Args:
        circuits: any number of circuits.
        limits: limits that each circuit must meet.
        strict_angles: refuse angles outside AQT's ranges instead of folding them.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """

    def __init__(
        self, circuits: Sequence[QuantumCircuit], limits: Limits, *, strict_angles: bool = False
    ) -> None:
        """Read every instruction once."""
        self._limits = limits
        self._strict_angles = strict_angles
        self._circuits = self._read(circuits)
        self._headers = [result_header(circuit) for circuit in circuits]

    @classmethod
    def of_sweep(cls, sweep: _native.Snapshot, circuit: QuantumCircuit, limits: Limits) -> Snapshot:
        """Take a sweep's checked circuits, which have the header of their template's source."""
        return cls._made(sweep, [result_header(circuit)] * len(sweep), limits)

    @classmethod
    def joined(cls, snapshots: Sequence[Snapshot], limits: Limits) -> Snapshot:
        """Put the circuits of snapshots one after the other."""
        circuits = _native.Snapshot.joined([item._circuits for item in snapshots])  # noqa: SLF001
        headers = [header for item in snapshots for header in item.headers]
        return cls._made(circuits, headers, limits)

    @classmethod
    def _made(
        cls, circuits: _native.Snapshot, headers: list[dict[str, Any]], limits: Limits
    ) -> Snapshot:
        snapshot = cls.__new__(cls)
        vars(snapshot).update(
            _limits=limits, _strict_angles=False, _circuits=circuits, _headers=headers
        )
        return snapshot

    @classmethod
    def from_saved(cls, data: bytes, headers: list[dict[str, Any]]) -> Snapshot:
        """Load a snapshot that was saved.

        Args:
            data: the output of :meth:`to_bytes`.
            headers: the snapshot's :attr:`headers`, also after a round trip through JSON.

        Raises:
            LookupError: something is missing in a header.
            TypeError: something in a header has another type.
            ValueError: ``data`` cannot be read, or the headers belong to other circuits.
        """
        circuits = _native.Snapshot.from_bytes(data)
        if len(circuits) != len(headers):
            raise ValueError(f"{len(circuits)} circuits, but {len(headers)} headers")
        known = None
        for index, header in enumerate(headers):
            size = circuits.num_qubits(index), circuits.num_clbits(index)
            if known != (id(header), *size):  # the circuits of a sweep share one
                check_header(header, *size)
                known = (id(header), *size)
        return cls._made(circuits, list(headers), _NO_LIMITS)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_circuits": self.to_bytes()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _circuits=_native.Snapshot.from_bytes(state["_circuits"]))

    @property
    def headers(self) -> list[dict[str, Any]]:
        """Headers of the results, one per circuit, in order."""
        return list(self._headers)

    def to_bytes(self) -> bytes:
        """Encode everything but the headers, for :meth:`from_saved` of this and later versions."""
        return self._circuits.to_bytes()

    def circuit(self, index: int) -> QuantumCircuit:
        """Rebuild a circuit that encodes and measures like the original.

        Barriers, global phase and overwritten measurements are lost. Bits are in registers if each
        bit was in exactly one register. Names and sizes of registers are saved, but not which bits
        they had in which order.
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

    def rebuilt(self) -> list[QuantumCircuit]:
        """Rebuild all circuits, see :meth:`circuit`."""
        return [self.circuit(index) for index in range(len(self))]

    def bare(self, part: range, *, in_place: bool = False) -> BareCircuits:
        """Return what the circuits of a part do, and nothing else."""
        return BareCircuits(self._circuits, part, in_place=in_place)

    def moved_bits(self, index: int, *, in_place: bool = False) -> list[tuple[int, int]] | None:
        """Return (bit of the bare circuit, classical bit of the circuit) for each measurement.

        Return None if the outcomes of the bare circuit are those of the circuit.

        Args:
            index: the circuit.
            in_place: as for :class:`BareCircuits`. If False, the outcome of a qubit on which no
                gate acts is 0, and not listed.
        """
        bits = self._circuits.measurements(index)
        all_measured = True  # of those that the bare circuit measures
        if not in_place:
            places = {qubit: bit for bit, qubit in enumerate(self._circuits.active_qubits(index))}
            bits = [(places[qubit], clbit) for qubit, clbit in bits if qubit in places]
            all_measured = len({bit for bit, _ in bits}) == len(places)
        if all_measured and all(bit == clbit for bit, clbit in bits):
            return None
        return bits

    def part(self, start: int, stop: int) -> bytes:
        """Encode a part without headers, for ``BareCircuits.from_bytes``."""
        return self._circuits.part(start, stop).to_bytes()

    def header(self, index: int) -> dict[str, Any]:
        """Return the header of a circuit's result."""
        return self._headers[index]

    def __len__(self) -> int:
        return len(self._headers)

    def name(self, index: int) -> str:
        """Return the name of a circuit."""
        name: str = self._headers[index]["name"]
        return name

    def num_qubits(self, index: int) -> int:
        """Return the number of qubits of a circuit."""
        return self._circuits.num_qubits(index)

    def is_of(self, circuits: Sequence[QuantumCircuit]) -> bool:
        """Return whether these circuits still equal the snapshot."""
        return self._headers == [result_header(item) for item in circuits] and (
            self._circuits == self._read(circuits)
        )

    def gate_counts(self) -> NDArray[np.uint32]:
        """Return how many r and how many rxx each circuit has, after folding.

        Shape (circuits, 2). An rz is not counted: it takes no time.
        """
        return np.frombuffer(self._circuits.gate_counts(), np.uint32).reshape(-1, 2)

    def encode_job(self, start: int, stop: int, repetitions: Repetitions, label: str) -> bytes:
        """Encode the request body of one API job."""
        return self._circuits.encode_job(start, stop, repetitions, label)

    def encode_circuit(self, index: int, shots: int) -> bytes:
        """Encode one circuit for direct access."""
        return self._circuits.encode_circuit(index, shots)

    def check_samples(
        self, samples: Sequence[Samples], start: int, stop: int, *, repetitions: Repetitions
    ) -> None:
        """Check that the numbers of runs, shots and qubits in samples fit a part.

        Raises:
            ResponseMismatchError: there are other circuits, shots or qubits than expected.
        """
        self._circuits.check_samples(samples, start, stop, repetitions)

    def results(
        self, samples: Sequence[Samples], start: int, stop: int, *, shots: Shots, memory: bool
    ) -> list[ExperimentResult]:
        """Compose the entries of a part that was measured.

        Args:
            samples: all shots of each circuit.
            start: the first circuit.
            stop: the one after the last.
            shots: those of each circuit of the part.
            memory: whether to add the outcome of each shot, in order.

        Raises:
            ResponseMismatchError: there are other circuits, shots or qubits than expected.
        """
        data = self._circuits.experiment_data(samples, start, stop, shots, memory)
        return [
            experiment_result(header, number, counts, shot_memory)
            for header, number, (counts, shot_memory) in zip(
                self._headers[start:stop], each(shots, len(data)), data, strict=True
            )
        ]

    def bits(
        self, samples: Sequence[Samples], start: int, stop: int, clbits: Sequence[int]
    ) -> NDArray[np.uint8]:
        """Return the outcomes of a part at some classical bits, in the layout of ``BitArray``.

        Args:
            samples: one per circuit of the part, all with the same number of shots.
            start: first circuit of the part.
            stop: where the part ends.
            clbits: indices of classical bits that each of the circuits has, in any order.

        Returns:
            A writable array of shape (number of circuits, shots, ceil(len(clbits) / 8)). Read as a
            big-endian number, bit i of each row is the classical bit ``clbits[i]``: the qubit last
            measured into it, or 0. Without circuits, the number of shots is 0.

        Raises:
            ResponseMismatchError: there are other circuits or qubits than expected, or the circuits
                differ in their shots.
            IndexError: there are no such circuits, or no such classical bits.
        """
        shots, rows = self._circuits.bits(samples, start, stop, clbits)
        shape = (stop - start, shots, -(-len(clbits) // 8))
        return np.frombuffer(rows, dtype=np.uint8).reshape(shape)

    def failed(
        self, start: int, stop: int, *, shots: Shots, message: str
    ) -> list[ExperimentResult]:
        """Compose the entries of a part without outcomes; ``shots`` are those of its circuits."""
        headers = self._headers[start:stop]
        return [
            failed_experiment(header, number, message)
            for header, number in zip(headers, each(shots, len(headers)), strict=True)
        ]

    def _read(self, circuits: Sequence[QuantumCircuit]) -> _native.Snapshot:
        return read_by(
            _native.Snapshot,
            circuits,
            max_qubits=self._limits.qubits,
            max_operations=self._limits.operations,
            strict_angles=self._strict_angles,
        )


def _registers_or_bits(
    registers: list[Register], number: int, bit: type[Bit]
) -> list[Register] | list[list[Bit]]:
    """Return arguments for a circuit with ``number`` bits: registers that fit, or single bits."""
    if sum(len(register) for register in registers) == number:
        return registers
    return [[bit() for _ in range(number)]]
