"""What a simulation that Aer refuses writes where."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest
from qiskit import QuantumCircuit

_SCRIPT = """
from aqt_fast import AQTProvider
from qiskit import QuantumCircuit
circuit = QuantumCircuit(60)
circuit.r(1.0, 1.0, range(60))
circuit.rxx(0.4, 0, 59)
circuit.measure_all()
provider = AQTProvider("", load_dotenv=False)
backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
backend.simulator.set_options(method="statevector")
job = backend.run(circuit)
result = job.result()
print(result.success, "memory" in result.status, job.error_message == result.status)
"""


def test_one_message():
    """Too large a circuit: the reason is in the result, and nothing on standard error."""
    done = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-W", "ignore", "-c", _SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False True True\n"
    assert done.stderr == ""


def test_the_log_is_heard(provider, caplog):
    """A handler that the user has set gets Aer's warning; the logger is left as it was."""
    circuit = QuantumCircuit(60)
    circuit.r(1.0, 1.0, range(60))
    circuit.measure_all()
    backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
    backend.simulator.set_options(method="statevector")
    handlers = list(logging.getLogger("qiskit_aer").handlers)
    with caplog.at_level(logging.WARNING, logger="qiskit_aer"):
        assert not backend.run(circuit, with_progress_bar=False).result().success
    assert any("memory" in message for message in caplog.messages)
    assert logging.getLogger("qiskit_aer").handlers == handlers


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("statevector", "Insufficient memory to run this circuit using the statevector simulator"),
        ("stabilizer", "This circuit contains invalid instructions"),
    ],
)
def test_names(provider, method, reason):
    """Circuits have the user's names, and none of Aer's; the same reason is told once."""
    backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
    backend.simulator.set_options(method=method)
    large, small = QuantumCircuit(60, name="large"), QuantumCircuit(1, 1, name="small")
    large.r(1.0, 1.0, range(60))
    large.measure_all()
    small.measure(0, 0)
    told = {}
    for batch in ([large], [small, large], [large, large, small]):
        job = backend.run(batch, with_progress_bar=False)
        job.result()
        told[len(batch)] = str(job.error_message)
    assert reason in told[1]
    assert "circuit-" not in "".join(told.values())
    assert told[1].startswith("circuit 0 (large): ")
    assert told[2].startswith("circuit 1 (large): ")
    assert told[3].startswith("circuits 0 to 1: ")
    assert "\n" not in told[3]


@pytest.mark.parametrize("qubits", [2, 14])
def test_the_others_go_on(provider, qubits):
    """Circuits beside it have their outcomes."""
    backend = provider.get_backend("offline_simulator_no_noise", available_qubits=60)
    backend.simulator.set_options(method="statevector")
    small, large = QuantumCircuit(qubits, 1), QuantumCircuit(60)
    small.measure(0, 0)
    large.r(1.0, 1.0, range(60))
    large.measure_all()
    result = backend.run([small, large, small], with_progress_bar=False).result()
    assert [entry.success for entry in result.results] == [True, False, True]
