"""What a device does wrong that the errors of gates cannot express: it is put into the circuits."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit import QuantumCircuit
from qiskit.circuit.library import IGate, RGate, RXXGate

from aqt_fast.backends.offline.noise_settings import NoiseSettings

_CROSSTALK = "crosstalk"
"""Label of gates that crosstalk adds: noise of gates does not apply to labelled ones."""

_IDLE = "idle"


class Imperfections:
    """Over-rotation, crosstalk and waiting, in circuits of rz, r, rxx and final measurements.

    Over-rotation: the laser is too strong by a fraction, and r and rxx rotate that much farther.
    rz is exact, for it is a phase of later pulses.

    Crosstalk: a laser beam that addresses an ion has, on both ions beside it, a fraction ε of its
    Rabi frequency. While r(θ, φ) acts on a qubit, its neighbours get r(ε θ, φ). While rxx(θ) acts
    on two qubits, a neighbour of one of them gets rxx(ε θ) with each of the two, and rxx(2 ε θ) if
    it is between them: the interaction goes with the product of the Rabi frequencies, and what is
    of second order in ε is left out. All pairs of ions are taken to interact alike, whatever their
    part in the vibrations is. Qubits are numbered along the string. See P. Parrado-Rodríguez et
    al., Quantum 5, 487 (2021), and C. Fang et al., Phys. Rev. Lett. 129, 240504 (2022).

    Waiting: gates run one after the other, so all qubits wait while one or two are used. The
    relaxation of all that time comes at once, before the next gate on the qubit or its measurement:
    relaxation for several times is one for their sum. A qubit on which no gate has acted is in 0,
    and stays there.
    """

    def __init__(self, settings: NoiseSettings, num_qubits: int) -> None:
        """``num_qubits`` is that of the device, whose ions are there in small circuits, too."""
        self._settings = settings
        self._num_qubits = num_qubits

    def added(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """Return a circuit with all of this, on one more qubit if that is needed."""
        return _Circuit(self._settings, self._num_qubits, circuit).built()


class _Circuit:
    """A circuit that is being built."""

    def __init__(self, settings: NoiseSettings, num_qubits: int, source: QuantumCircuit) -> None:
        self._settings = settings
        self._source = source
        size = source.num_qubits
        if settings.crosstalk:
            size = max(size, min(size + 1, num_qubits))
        self._circuit = QuantumCircuit(size, source.num_clbits)
        self._gates = 0, 0
        """How many r and rxx have run."""
        self._seen: dict[int, tuple[int, int]] = {}
        """How many of them had run when a qubit was used for the last time."""

    def built(self) -> QuantumCircuit:
        places = {qubit: index for index, qubit in enumerate(self._source.qubits)}
        scale = 1 + self._settings.over_rotation
        for item in self._source.data:
            qubits = [places[qubit] for qubit in item.qubits]
            if item.name == "measure":
                self._wait(qubits)
                self._circuit.measure(qubits, [self._source.find_bit(item.clbits[0]).index])
            elif item.name == "rz":
                self._circuit.rz(item.params[0], qubits[0])
            elif item.name == "r":
                theta, phi = item.params
                self._illuminate(qubits)
                for neighbour, strength in self._neighbours(qubits):
                    gate = RGate(strength * scale * theta, phi, label=_CROSSTALK)
                    self._circuit.append(gate, [neighbour])
                self._circuit.r(scale * theta, phi, qubits[0])
                self._count(qubits, 1, 0)
            else:
                (theta,) = item.params
                self._illuminate(qubits)
                for neighbour, strength in self._neighbours(qubits):
                    for qubit in qubits:
                        gate = RXXGate(strength * scale * theta, label=_CROSSTALK)
                        self._circuit.append(gate, [neighbour, qubit])
                self._circuit.rxx(scale * theta, *qubits)
                self._count(qubits, 0, 1)
        return self._circuit

    def _neighbours(self, qubits: Sequence[int]) -> list[tuple[int, float]]:
        """Return the ions beside those that are addressed, and the fraction of light on them."""
        light: dict[int, float] = {}
        if self._settings.crosstalk:
            for qubit in qubits:
                for neighbour in (qubit - 1, qubit + 1):
                    if neighbour not in qubits and 0 <= neighbour < self._circuit.num_qubits:
                        light[neighbour] = light.get(neighbour, 0.0) + self._settings.crosstalk
        return list(light.items())

    def _illuminate(self, qubits: Sequence[int]) -> None:
        """Have all ions wait until now that the next gate acts on."""
        self._wait(qubits)
        self._wait([neighbour for neighbour, _ in self._neighbours(qubits)])

    def _wait(self, qubits: Sequence[int]) -> None:
        """Add the relaxation of the time since qubits were used for the last time."""
        if not self._settings.idle:
            return
        for qubit in qubits:
            r, rxx = self._seen.get(qubit, self._gates)
            waited = self._gates[0] - r, self._gates[1] - rxx
            self._seen[qubit] = self._gates
            if waited != (0, 0):
                self._circuit.append(IGate(label=idle_label(waited)), [qubit])

    def _count(self, qubits: Sequence[int], r: int, rxx: int) -> None:
        """Let the time of a gate pass; its own noise has the relaxation of its qubits."""
        self._gates = self._gates[0] + r, self._gates[1] + rxx
        self._seen.update(dict.fromkeys(qubits, self._gates))


def idle_label(gates: tuple[int, int]) -> str:
    """Return the label of an identity that stands for waiting for a number of r and of rxx."""
    return f"{_IDLE} {gates[0]} {gates[1]}"


def idle_gates(label: str) -> tuple[int, int]:
    """Return the numbers of r and rxx of a label of :func:`idle_label`."""
    _, r, rxx = label.split()
    return int(r), int(rxx)
