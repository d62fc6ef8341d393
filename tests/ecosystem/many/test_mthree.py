"""mthree: calibrates readout with circuits of raw X gates, and corrects counts."""

from __future__ import annotations

import mthree
import pytest
from qiskit import QuantumCircuit
from qiskit_aer.noise import NoiseModel, ReadoutError


@pytest.mark.parametrize("method", ["independent", "balanced", "marginal"])
def test_correction(ideal, method):
    """Readout errors that differ between qubits are found and taken out again."""
    noise = NoiseModel()
    for qubit, (zero, one) in enumerate([(0.02, 0.1), (0.05, 0.05), (0.01, 0.15)]):
        noise.add_readout_error(ReadoutError([[1 - zero, zero], [one, 1 - one]]), [qubit])
    ideal.simulator.set_options(noise_model=noise)
    ideal.set_options(optimization_level=1, seed_simulator=None)
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.cx(1, 2)
    circuit.measure_all()

    mitigation = mthree.M3Mitigation(ideal)
    mitigation.cals_from_system([0, 1, 2], shots=8000, method=method)
    counts = ideal.run(circuit, shots=8000).result().get_counts()
    assert counts["111"] / 8000 < 0.45
    corrected = mitigation.apply_correction(counts, [0, 1, 2])
    assert corrected["000"] == pytest.approx(0.5, abs=0.03)
    assert corrected["111"] == pytest.approx(0.5, abs=0.03)
    assert mitigation.system_info["num_qubits"] == ideal.num_qubits
