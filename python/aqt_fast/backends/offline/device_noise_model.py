"""The noise of a device as a noise model of Aer's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

from qiskit import QuantumCircuit
from qiskit.circuit import Instruction, Reset
from qiskit.circuit.library import PauliGate
from qiskit.quantum_info import Kraus
from qiskit_aer.noise import NoiseModel, QuantumError, amplitude_damping_error

from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.backends.offline.gate_noise import GateNoise

_BASIS = ("rz", "r", "rxx")


def quantum_error(noise: GateNoise) -> QuantumError:
    """Make Aer's error of a gate: Paulis and resets, followed by amplitude damping if need be."""
    damping = noise.damping
    after: list[tuple[Instruction, list[int]]] = []
    if damping > 0:
        operators = list(Kraus(amplitude_damping_error(damping)).data)
        after = [
            (Instruction("kraus", 1, 0, operators), [qubit]) for qubit in range(noise.num_qubits)
        ]
    return QuantumError(
        [
            ([*_instructions(operations), *after], probability)
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
        if len(set(noise.r.values())) == 1:
            super().add_all_qubit_quantum_error(quantum_error(noise.r[0]), ["r"])
        else:
            for qubit, gate in noise.r.items():
                super().add_quantum_error(quantum_error(gate), ["r"], [qubit])
        if len(set(noise.rxx.values())) == 1:
            super().add_all_qubit_quantum_error(quantum_error(noise.rxx[0, 1]), ["rxx"])
        else:
            for (a, b), gate in noise.rxx.items():
                error = quantum_error(gate)
                super().add_quantum_error(error, ["rxx"], [a, b])
                super().add_quantum_error(error, ["rxx"], [b, a])
        if noise.readout_error > 0:
            super().add_all_qubit_readout_error(_readout(noise.readout_error))

    def __deepcopy__(self, memo: dict[int, Any]) -> DeviceNoiseModel:
        return self

    def __copy__(self) -> DeviceNoiseModel:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.noise,)

    def of_gates(self, circuits: Iterable[QuantumCircuit]) -> NoiseModel:
        """Make a model with the errors of the gates in circuits, which may be changed."""
        if not self._local_quantum_errors:
            return self
        used: set[tuple[str, tuple[int, ...]]] = set()
        for circuit in circuits:
            place = {qubit: index for index, qubit in enumerate(circuit.qubits)}
            used.update(
                (item.name, tuple(place[qubit] for qubit in item.qubits)) for item in circuit.data
            )
        model = NoiseModel(list(_BASIS))
        for name, error in self._default_quantum_errors.items():
            model.add_all_qubit_quantum_error(error, [name])
        for name, errors in self._local_quantum_errors.items():
            for qubits, error in errors.items():
                if (name, qubits) in used:
                    model.add_quantum_error(error, [name], list(qubits))
        if self._default_readout_error is not None:
            model.add_all_qubit_readout_error(self._default_readout_error)
        return model

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


def _instructions(operations: str) -> list[tuple[Instruction, list[int]]]:
    """Translate an event: one instruction of Paulis, and one reset for each R."""
    resets = [qubit for qubit, letter in enumerate(operations) if letter == "R"]
    kept = [qubit for qubit, letter in enumerate(operations) if letter != "R"]
    instructions: list[tuple[Instruction, list[int]]] = [(Reset(), [qubit]) for qubit in resets]
    # An identity beside a reset is needless; alone it is the event that nothing happens.
    if kept and (not resets or any(operations[qubit] != "I" for qubit in kept)):
        # Qiskit writes the last qubit first.
        label = "".join(operations[qubit] for qubit in reversed(kept))
        instructions.append((PauliGate(label), kept))
    return instructions
