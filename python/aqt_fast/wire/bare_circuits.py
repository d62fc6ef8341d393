"""What circuits do and nothing else, as Qiskit's circuits: one by one, or many at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

from aqt_fast import _native
from aqt_fast._native import Samples
from aqt_fast._shots import Shots


class AlikeCircuits(NamedTuple):
    """Neighbours with the same gates on the same qubits."""

    part: range
    """Their indices."""
    angles: NDArray[np.float64]
    """Their angles in radians, of shape (angles, circuits)."""


class BareCircuits:
    """The gates of circuits, and measurements of qubits into the classical bits of their numbers.

    Names, registers, labels and phases are lost. Circuits are identified by index, from 0.

    Args:
        circuits: a snapshot of circuits.
        part: those that are meant.
        in_place: if True, qubits keep their numbers, and those that the circuit measures are
            measured. If False, there are only those on which gates act (at least one), and all of
            them are measured.
        change: what is done to each circuit after it was built; it leaves classical bits alone.
    """

    def __init__(
        self,
        circuits: _native.Snapshot,
        part: range,
        *,
        in_place: bool,
        change: Callable[[QuantumCircuit], QuantumCircuit] | None = None,
    ) -> None:
        """Build no circuit yet."""
        self._change = change
        self._circuits = circuits
        self._part = part
        self._in_place = in_place
        self._first_alike: dict[int, int] = {}
        """Of each circuit that is known to be like others, the place of the first of them."""
        self._active: dict[int, list[int]] = {}
        """The active qubits of circuits, by their places."""

    @classmethod
    def from_bytes(cls, data: bytes, *, in_place: bool) -> BareCircuits:
        """Read what :meth:`Snapshot.part <aqt_fast.wire.snapshot.Snapshot.part>` has encoded.

        Raises:
            ValueError: ``data`` cannot be read.
        """
        circuits = _native.Snapshot.from_bytes(data)
        return cls(circuits, range(len(circuits)), in_place=in_place)

    def changed_by(self, change: Callable[[QuantumCircuit], QuantumCircuit]) -> BareCircuits:
        """Return the same circuits with a change of each.

        They count as different from each other: nothing is known of their gates any more.
        """
        return BareCircuits(self._circuits, self._part, in_place=self._in_place, change=change)

    def __len__(self) -> int:
        return len(self._part)

    def size(self, index: int) -> int:
        """Return the number of qubits that a circuit acts on or measures, at least one."""
        if self._change is not None:  # which may act on more qubits
            return len({qubit for item in self.circuit(index).data for qubit in item.qubits}) or 1
        place = self._part[index]
        active = self._active_qubits(place)
        if not self._in_place:
            return len(active)
        measured = (qubit for qubit, _ in self._circuits.measurements(place))
        return len({*active, *measured})

    def circuit(self, index: int) -> QuantumCircuit:
        """Build a circuit."""
        built = self._unchanged(self._part[index])
        return built if self._change is None else self._change(built)

    def _unchanged(self, place: int) -> QuantumCircuit:
        if self._in_place:
            return self._with_gates(place, None)
        size = len(self._active_qubits(place))
        circuit = QuantumCircuit(size, size)
        self._circuits.fill(place, circuit)
        return circuit

    def alike(self, start: int, stop: int) -> list[AlikeCircuits]:
        """Cut the circuits from ``start`` to before ``stop`` into runs that are alike.

        Those that were changed are one run without angles.
        """
        if self._change is not None:
            return [AlikeCircuits(range(start, stop), np.empty((0, stop - start)))]
        runs = []
        first = self._part.start
        for number, angles in self._circuits.alike(first + start, first + stop, self._in_place):
            rows = np.frombuffer(angles).reshape(-1, number)
            runs.append(AlikeCircuits(range(start, start + number), rows))
            places = range(first + start, first + start + number)
            self._first_alike.update(dict.fromkeys(places, places.start))
            start += number
        return runs

    def template(self, index: int) -> tuple[QuantumCircuit, list[Parameter]]:
        """Build a circuit with a parameter in place of each angle.

        The parameters are in the order of :attr:`AlikeCircuits.angles`.
        """
        parameters: list[Parameter] = []
        return self._with_gates(self._part[index], parameters), parameters

    def part(self, part: range) -> BareCircuits:
        """Return the circuits of a part."""
        return BareCircuits(
            self._circuits,
            self._part[part.start : part.stop],
            in_place=self._in_place,
            change=self._change,
        )

    def sizes(self) -> list[int]:
        """Return the number of qubits on which the gates of each circuit act, at least 1."""
        return [len(self._active_qubits(place)) for place in self._part]

    def sampled(
        self, part: range, noise: _native.Noise, *, shots: Shots, seeds: Sequence[int]
    ) -> list[Samples]:
        """Simulate the circuits of a part, not the bare or changed ones: all qubits are measured.

        Args:
            part: their indices.
            noise: what follows their gates.
            shots: repetitions of each.
            seeds: a seed of 0 to 2⁶⁴ − 1 for each.
        """
        places = self._part[part.start : part.stop]
        return _native.sample_trajectories(
            self._circuits, places.start, places.stop, noise, shots=shots, seeds=seeds
        )

    def placed(self, index: int, samples: Samples) -> Samples:
        """Return the samples of the circuit itself from those of its bare circuit, or of itself.

        A qubit that the bare circuit does not measure reads 0.

        Args:
            index: the circuit.
            samples: the outcomes at the classical bits of its bare circuit, or of its qubits.
        """
        place = self._part[index]
        num_qubits = self._circuits.num_qubits(place)
        if self._in_place or samples.num_qubits == num_qubits:
            return samples
        return samples.placed(self._active_qubits(place), num_qubits)

    def _active_qubits(self, place: int) -> list[int]:
        place = self._first_alike.get(place, place)
        if place not in self._active:
            self._active[place] = self._circuits.active_qubits(place)
        return self._active[place]

    def _with_gates(self, place: int, parameters: list[Parameter] | None) -> QuantumCircuit:
        """Build a circuit; replace its angles by new parameters if there is a list for them."""
        size = self._circuits.num_qubits(place)
        qubits = list(range(size)) if self._in_place else self._active_qubits(place)
        if self._in_place:
            measured = sorted({qubit for qubit, _ in self._circuits.measurements(place)})
        else:
            measured = qubits
        places = {qubit: bit for bit, qubit in enumerate(qubits)}
        circuit = QuantumCircuit(len(qubits), len(qubits))
        for name, acted, angles in self._circuits.operations(place):
            values: list[float | Parameter] = list(angles)
            if parameters is not None:
                values = [Parameter(f"{len(parameters) + k}") for k in range(len(angles))]
                parameters += values
            getattr(circuit, name)(*values, *(places[qubit] for qubit in acted))
        for qubit in measured:
            circuit.measure(places[qubit], places[qubit])
        return circuit
