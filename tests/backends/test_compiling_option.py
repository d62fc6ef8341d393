"""The option ``optimization_level``: circuits of any gates are compiled on their way into a job."""

from __future__ import annotations

import aqt_fast
import numpy as np
import pytest
from aqt_fast import AQTJob, AQTOptions
from aqt_fast.compiler import FallbackWarning
from aqt_fast.exceptions import InvalidCircuitError, InvalidInputError, InvalidOptionError
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Gate
from qiskit.circuit.equivalence_library import SessionEquivalenceLibrary
from qiskit.circuit.library import QFTGate
from qiskit.quantum_info import hellinger_fidelity
from qiskit_aer import AerSimulator

pytestmark = pytest.mark.all_qiskits

LEVELS = [0, 1, 2, 3]


def moved() -> QuantumCircuit:
    """Swaps, so that qubits end elsewhere, and permuted measurements into three registers."""
    circuit = QuantumCircuit(
        QuantumRegister(4, "q"),
        ClassicalRegister(2, "a"),
        ClassicalRegister(3, "b"),
        ClassicalRegister(1, "c"),
        name="moved",
        metadata={"k": 1},
    )
    circuit.x(0)
    circuit.swap(0, 2)
    circuit.h(1)
    circuit.cx(1, 3)
    circuit.swap(3, 0)
    circuit.measure([2, 1, 0, 3], [4, 0, 2, 5])
    return circuit


@pytest.mark.parametrize("level", LEVELS)
def test_classical_bits(backend, level):
    """Counts and memory are those of the user's circuit, wherever its qubits end."""
    circuit = moved()
    result = backend.run(
        circuit, optimization_level=level, shots=400, memory=True, seed_simulator=1
    ).result()
    counts = AerSimulator().run(circuit, shots=400).result().get_counts()
    assert result.get_counts().keys() == counts.keys() == {"0 100 00", "0 101 01"}
    assert set(result.get_memory()) == set(counts)
    header = result.results[0].header
    assert (header["name"], header["metadata"]) == ("moved", {"k": 1})
    assert header["creg_sizes"] == [["a", 2], ["b", 3], ["c", 1]]


@pytest.mark.parametrize("level", LEVELS)
def test_distributions(backend, level):
    """Of larger circuits: as Aer's, within the noise of sampling."""
    circuit = QuantumCircuit(5)
    for qubit in range(5):
        circuit.ry(0.3 + 0.4 * qubit, qubit)
    circuit.ccx(0, 1, 2)
    circuit.append(QFTGate(4), [3, 0, 1, 4])
    circuit.swap(1, 3)
    circuit.append(QFTGate(3).control(1), [4, 0, 2, 1])
    circuit.measure_all()
    counts = backend.run(circuit, optimization_level=level, shots=20_000, seed_simulator=3)
    wanted = AerSimulator().run(circuit.decompose(reps=6), shots=20_000, seed_simulator=4).result()
    assert hellinger_fidelity(counts.result().get_counts(), wanted.get_counts()) > 0.995


def test_backend_and_run(backend, bell):
    """Set on the backend or for one run; unset, only AQT's gates run."""
    raw = QuantumCircuit(1)
    raw.x(0)
    raw.measure_all()
    with pytest.raises(InvalidCircuitError, match="transpile the circuit for the backend"):
        backend.run(raw)
    assert backend.run(raw, optimization_level=0).result().get_counts() == {"1": 100}
    with pytest.raises(InvalidCircuitError):
        backend.run(raw)
    backend.set_options(optimization_level=1)
    job = backend.run(iter([raw, bell]))
    assert job.options.optimization_level == 1
    assert job.result().get_counts(0) == {"1": 100}
    assert set(job.result().get_counts(1)) <= {"00", "11"}
    assert aqt_fast.execute(raw, backend).result().get_counts() == {"1": 100}
    backend.set_options(optimization_level=None)
    with pytest.raises(InvalidCircuitError):
        backend.run(raw)


def test_circuits_of_the_job(backend):
    """They are the compiled ones, each with the layout of its source."""
    (circuit,) = backend.run([moved()], optimization_level=1).circuits
    expected = aqt_fast.compile(moved(), backend, optimization_level=1)
    assert circuit == expected
    assert circuit.layout.final_index_layout() == expected.layout.final_index_layout()


def test_native_circuits_stay(backend, bell):
    """Compiling changes nothing about what is in AQT's form already."""
    runs = [
        backend.run(bell, optimization_level=level, memory=True, seed_simulator=7)
        for level in (None, *LEVELS)
    ]
    memory = [run.result().get_memory() for run in runs]
    assert memory == [memory[0]] * 5


def test_bad_values(backend, bell):
    """Levels are 0 to 3, or None."""
    for value in (-1, 4, 1.5, "1", True):
        with pytest.raises(InvalidOptionError, match="optimization_level must be"):
            backend.run(bell, optimization_level=value)
        with pytest.raises(InvalidOptionError):
            AQTOptions(optimization_level=value)
    assert AQTOptions(optimization_level=np.int64(3)).optimization_level == 3


def test_bad_input(backend):
    """As for ``run`` without the option."""
    with pytest.raises(InvalidInputError, match="of type 'NoneType'"):
        backend.run(None, optimization_level=1)
    with pytest.raises(InvalidCircuitError, match="of type 'int'"):
        backend.run([7], optimization_level=1)


def test_all_offenders(backend):
    """Those that cannot be compiled, and those that cannot run although they can be compiled."""
    backend = backend.provider.get_backend(backend.name, available_qubits=3)
    fine, waiting, unmeasured, long = (QuantumCircuit(3, 3) for _ in range(4))
    fine.h(0)
    waiting.delay(10, 1)
    unmeasured.h(0)
    for _ in range(1000):
        long.cz(0, 1)
        long.cz(1, 2)
    for circuit in (fine, waiting, long):
        circuit.measure(0, 0)
    with pytest.raises(InvalidCircuitError) as caught:
        backend.run(
            [fine, long, unmeasured, fine, waiting, QuantumCircuit(4)], optimization_level=0
        )
    assert [problem.circuit for problem in caught.value.problems] == [1, 2, 4, 5]
    assert str(caught.value).splitlines()[1:] == [
        "circuit 2: no measurement; add one, with measure or measure_all",
        "circuit 4, instruction 0 (delay): AQT devices have no delays (on qubit 1); leave it out",
        "circuit 5: 4 qubits, but the resource has 3; use fewer qubits, or a larger backend",
    ]


def test_what_only_the_transpiler_knows(backend):
    """Falls back to it, with a warning that names the caller's line."""
    gate = Gate("opaque for an option", 1, [])
    meaning = QuantumCircuit(1)
    meaning.x(0)
    SessionEquivalenceLibrary.add_equivalence(gate, meaning)
    circuit = QuantumCircuit(1)
    circuit.append(gate, [0])
    circuit.measure_all()
    with pytest.warns(FallbackWarning) as caught:
        job = backend.run(circuit, optimization_level=1)
    assert caught[0].filename == __file__
    assert job.result().get_counts() == {"1": 100}


def test_a_device(device, server):
    """The portal gets the compiled circuits, and a restored job has them."""
    circuit = moved()
    device.set_options(optimization_level=2, shots=7)
    job = device.run([circuit] * 3)
    assert job.result().success
    restored = AQTJob.restore(job.job_id(), provider=device.provider, access_token=server.token)
    assert restored.options.optimization_level == 2
    assert restored.result().get_counts() == job.result().get_counts()
    assert set(restored.circuits[0].count_ops()) <= {"r", "rz", "rxx", "measure"}
