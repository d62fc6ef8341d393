"""Noise models of saved offline jobs: what is restored is the model that was saved."""

from __future__ import annotations

import math

import pytest
from aqt_fast import AQTJob
from aqt_fast.backends.offline.aer import noise_model_from_json
from qiskit import QuantumCircuit
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit_aer.noise import (
    NoiseModel,
    QuantumError,
    amplitude_damping_error,
    coherent_unitary_error,
    depolarizing_error,
    pauli_error,
    thermal_relaxation_error,
)


def of_gates() -> QuantumError:
    """Gates with angles on one of two qubits, or nothing."""
    turned = QuantumCircuit(2)
    turned.rx(0.4, 0)
    turned.h(0)
    return QuantumError([(turned, 0.25), (QuantumCircuit(2), 0.75)])


def of_resets() -> QuantumError:
    """Relaxation, of the kind that is made of resets."""
    return thermal_relaxation_error(50, 30, 10)


ERRORS = {
    "pauli": (pauli_error([("X", 0.1), ("I", 0.9)]), "r"),
    "depolarizing": (depolarizing_error(0.1, 2), "rxx"),
    "amplitude damping": (amplitude_damping_error(0.3), "r"),
    "matrix": (coherent_unitary_error([[math.cos(0.2), -1j * math.sin(0.2)],
                                       [-1j * math.sin(0.2), math.cos(0.2)]]), "r"),
    "gates": (of_gates(), "rxx"),
    "resets": (of_resets(), "r"),
    "kraus": (thermal_relaxation_error(50, 70, 10), "r"),
}  # fmt: skip


def model_of(error: QuantumError, gate: str, *, local: bool) -> NoiseModel:
    """An error on all qubits, or on the first ones."""
    model = NoiseModel(basis_gates=["r", "rz", "rxx"])
    if local:
        model.add_quantum_error(error, gate, list(range(error.num_qubits)))
    else:
        model.add_all_qubit_quantum_error(error, gate)
    return model


def restored(backend, circuit, model, store):
    """Save a job with a noise model; return it and what was restored of it."""
    backend.simulator.set_options(noise_model=model)
    job = backend.run(circuit, shots=300, seed_simulator=5)
    job.persist(store_path=store)
    return job, AQTJob.restore(job.job_id(), store_path=store)


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize("name", ERRORS)
def test_quantum_errors(backend, bell, tmp_path, name, local):
    """Equal for Aer, which compares basis gates and channels; the same outcomes."""
    model = model_of(*ERRORS[name], local=local)
    job, again = restored(backend, bell, model, tmp_path)
    found = again.backend().simulator.options.noise_model
    assert found == model
    assert found.basis_gates == ["r", "rxx", "rz"]
    assert again.result().get_counts() == job.result().get_counts()


@pytest.mark.parametrize("qubits", [None, [0], [1, 0]])
def test_readout_errors(backend, bell, tmp_path, qubits):
    """Of all qubits, of one, and of a pair."""
    model = NoiseModel(basis_gates=["r", "rz", "rxx"])
    if qubits is None:
        model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    elif len(qubits) == 1:
        model.add_readout_error([[0.9, 0.1], [0.2, 0.8]], qubits)
    else:
        rows = [[0.7 if row == column else 0.1 for column in range(4)] for row in range(4)]
        model.add_readout_error(rows, qubits)
    job, again = restored(backend, bell, model, tmp_path)
    assert again.backend().simulator.options.noise_model == model
    assert again.result().get_counts() == job.result().get_counts()


def test_from_backend(backend, bell, tmp_path):
    """Of a device with relaxation times."""
    model = NoiseModel.from_backend(GenericBackendV2(3, seed=1))
    _, again = restored(backend, bell, model, tmp_path)
    assert again.backend().simulator.options.noise_model == model


def test_from_our_backend(backend, noisy, bell, tmp_path):
    """Of an AQT device."""
    with pytest.warns(UserWarning, match="has no QubitProperties"):
        model = NoiseModel.from_backend(noisy)
    job, again = restored(backend, bell, model, tmp_path)
    assert again.backend().simulator.options.noise_model == model
    assert again.result().get_counts() == job.result().get_counts()


@pytest.fixture
def noisy(backend):
    """The simulator with noise."""
    return backend.provider.get_backend("offline_simulator_noise", available_qubits=4)


def test_an_older_description():
    """Earlier versions did not write basis gates, and took models with Aer's own ones only."""
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 1), ["r"])
    model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
    assert noise_model_from_json(model.to_dict(serializable=True)) == model
