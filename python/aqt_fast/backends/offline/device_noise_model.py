"""The noise of a device as a noise model of Aer's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from qiskit import QuantumCircuit
from qiskit.circuit import Instruction
from qiskit.circuit.library import PauliGate
from qiskit.quantum_info import Kraus
from qiskit_aer.noise import NoiseModel, QuantumError, amplitude_damping_error

from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.backends.offline.gate_noise import GateNoise
from aqt_fast.backends.offline.imperfections import Imperfections, idle_gates
from aqt_fast.wire.bare_circuits import BareCircuits

_BASIS = ("rz", "r", "rxx")

_Place = TypeVar("_Place", tuple[int], tuple[int, int])


def quantum_error(noise: GateNoise) -> QuantumError:
    """Make Aer's error of a gate: Paulis and resets, followed by amplitude damping if need be."""
    return QuantumError(
        [
            (_circuit(operations, noise.damping), probability)
            for operations, probability in noise.events()
        ]
    )


class DeviceNoiseModel(NoiseModel):
    """A device's noise. It cannot be changed, so copies are the same object.

    The errors are for all qubits where these are alike. Others are for each qubit and each ordered
    pair: a device of 20 qubits has 380 of rxx, which Aer takes 0.3 s to read, again for each run.
    So :meth:`of_gates` makes a model with a few of them.
    """

    def __init__(self, noise: DeviceNoise) -> None:
        """Make the errors of all gates."""
        super().__init__(list(_BASIS))
        self.noise = noise
        """What the model is made of."""
        self._add("r", {(qubit,): gate for qubit, gate in noise.r.items()})
        self._add("rxx", noise.rxx)
        if noise.readout_error > 0:
            super().add_all_qubit_readout_error(_readout(noise.readout_error))

    def _add(self, name: str, gates: Mapping[_Place, GateNoise]) -> None:
        """Add the errors of a gate. Aer's methods would examine each of them for long."""
        noisy = {place: gate for place, gate in gates.items() if not gate.is_ideal}
        if not noisy:
            return
        self._noise_instructions.add(name)
        if len(set(gates.values())) == 1:
            self._default_quantum_errors[name] = quantum_error(next(iter(noisy.values())))
            return
        local = self._local_quantum_errors[name] = {}
        for place, gate in noisy.items():
            local[place] = local[place[::-1]] = quantum_error(gate)
            self._noise_qubits.update(place)

    def __deepcopy__(self, memo: dict[int, Any]) -> DeviceNoiseModel:
        return self

    def __copy__(self) -> DeviceNoiseModel:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.noise,)

    @property
    def changes_circuits(self) -> bool:
        """Whether circuits must be changed before a simulation, by :meth:`applied`."""
        return self.noise.settings.changes_circuits

    def applied(self, circuits: BareCircuits) -> BareCircuits:
        """Add to circuits what the noise of their gates cannot express."""
        if not self.changes_circuits:
            return circuits
        imperfections = Imperfections(self.noise.settings, self.noise.device.num_qubits)
        return circuits.changed_by(imperfections.added)

    def of_gates(self, circuits: Iterable[QuantumCircuit]) -> NoiseModel:
        """Make a model with the errors of the gates in circuits, and of what waits in them."""
        if not (self._local_quantum_errors or self.noise.settings.idle):
            return self
        used: set[tuple[str, tuple[int, ...]]] = set()
        waits: set[str] = set()
        for circuit in circuits:
            place = {qubit: index for index, qubit in enumerate(circuit.qubits)}
            for item in circuit.data:
                if item.name == "id":
                    waits.add(item.label)
                else:
                    used.add((item.name, tuple(place[qubit] for qubit in item.qubits)))
        model = NoiseModel(list(_BASIS))
        vars(model).update(
            _default_quantum_errors=dict(self._default_quantum_errors),
            _local_quantum_errors={
                name: {qubits: error for qubits, error in errors.items() if (name, qubits) in used}
                for name, errors in self._local_quantum_errors.items()
            },
            _default_readout_error=self._default_readout_error,
            _noise_instructions=set(self._noise_instructions),
            _noise_qubits=set(self._noise_qubits),
        )
        for label in waits:
            error = quantum_error(self._waiting(idle_gates(label)))
            model.add_all_qubit_quantum_error(error, [label])
        return model

    def _waiting(self, gates: tuple[int, int]) -> GateNoise:
        """Return the noise of a qubit that waits for a number of r and of rxx."""
        r, rxx = self.noise.durations
        return GateNoise(1, 0.0, gates[0] * r + gates[1] * rxx, self.noise.relaxation)

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse a change: the backend's results tell that they have this noise.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "the noise model of a device cannot be changed; make another characterisation with "
            "dataclasses.replace, or give the simulator a noise model of your own"
        )

    add_all_qubit_quantum_error = add_quantum_error = _refuse
    add_all_qubit_readout_error = add_readout_error = reset = _refuse


def _readout(wrong: float) -> list[list[float]]:
    return [[1 - wrong, wrong], [wrong, 1 - wrong]]


@lru_cache(maxsize=256)
def _circuit(operations: str, damping: float) -> QuantumCircuit:
    """Make the circuit of an event, which all errors share that have it.

    Args:
        operations: a Pauli or R for each qubit.
        damping: probability of the decay that follows on each qubit.
    """
    circuit = QuantumCircuit(len(operations))
    kept = [qubit for qubit, letter in enumerate(operations) if letter != "R"]
    for qubit in range(len(operations)):
        if qubit not in kept:
            circuit.reset(qubit)
    # An identity beside a reset is needless; alone it is the event that nothing happens.
    if len(kept) == len(operations) or any(operations[qubit] != "I" for qubit in kept):
        # Qiskit writes the last qubit first.
        circuit.append(PauliGate("".join(operations[qubit] for qubit in reversed(kept))), kept)
    if damping > 0:
        operators = list(Kraus(amplitude_damping_error(damping)).data)
        for qubit in range(len(operations)):
            circuit.append(Instruction("kraus", 1, 0, operators), [qubit])
    # Qiskit computes the places of qubits when they are first asked for. Two threads that ask at
    # once can wait for each other for ever.
    circuit.find_bit(circuit.qubits[0])
    return circuit
