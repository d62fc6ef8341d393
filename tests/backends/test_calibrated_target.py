"""The target of a device whose figures are known: the transpiler does what it does without them."""

from __future__ import annotations

import copy
import math
import pickle
from itertools import combinations, permutations

import aqt_fast
import pytest
from aqt_fast.api_client import Resource
from aqt_fast.aqt_resource import CloudResource
from aqt_fast.testing import ArnicaServer, Workspace
from aqt_fast.testing import Resource as Machine
from clients import connect
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import UnitaryGate, efficient_su2
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector, random_unitary
from qiskit.transpiler import generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

pytestmark = [
    pytest.mark.all_qiskits,
    pytest.mark.filterwarnings("ignore:.* has no QubitProperties:UserWarning"),
]

QUBITS = 4
LEVELS = pytest.mark.parametrize("level", range(4))


@pytest.fixture(scope="module")
def devices():
    """Devices alike but for their figures: the same for all pairs, differing widely, and none."""
    shapes = {"uniform": "mean", "differing": "pairs", "unknown": "none"}
    resources = [
        Machine(name, "An ion trap", "device", QUBITS, characterisation=shape)
        for name, shape in shapes.items()
    ]
    with (
        ArnicaServer(simulate=False, workspaces=[Workspace("lab", resources)]) as server,
        connect(server) as provider,
    ):
        server.drift(amount=1.5)
        return [provider.get_backend(name) for name in shapes]


def varied() -> QuantumCircuit:
    """Interactions of all pairs, unitaries that Qiskit synthesises, and random gates."""
    circuit = efficient_su2(QUBITS, reps=1, entanglement="full").decompose()
    circuit = circuit.assign_parameters([0.1 * k for k in range(circuit.num_parameters)])
    for index, pair in enumerate([(0, 3), (2, 1)]):
        circuit.append(UnitaryGate(random_unitary(4, seed=index)), pair)
    circuit.append(UnitaryGate(random_unitary(8, seed=7)), (3, 1, 2))
    circuit.compose(random_circuit(QUBITS, 4, max_operands=3, seed=3), inplace=True)
    circuit.measure_all()
    return circuit


ROUTES = {
    "transpile": lambda circuit, backend, level: transpile(
        circuit, backend, optimization_level=level, seed_transpiler=1
    ),
    "transpile with the target": lambda circuit, backend, level: transpile(
        circuit, target=backend.target, optimization_level=level, seed_transpiler=1
    ),
    "transpile with layout and routing": lambda circuit, backend, level: transpile(
        circuit,
        backend,
        optimization_level=level,
        seed_transpiler=1,
        layout_method="dense",
        routing_method="sabre",
    ),
    "transpile with an initial layout": lambda circuit, backend, level: transpile(
        circuit,
        backend,
        optimization_level=level,
        seed_transpiler=1,
        initial_layout=[3, 1, 0, 2],
    ),
    "pass manager of the backend": lambda circuit, backend, level: generate_preset_pass_manager(
        level, backend=backend, seed_transpiler=1
    ).run(circuit),
    "pass manager of the target": lambda circuit, backend, level: generate_preset_pass_manager(
        level, target=backend.target, seed_transpiler=1
    ).run(circuit),
    "compile": lambda circuit, backend, level: aqt_fast.compile(
        circuit, backend, optimization_level=level
    ),
}


@LEVELS
@pytest.mark.parametrize("route", ROUTES)
def test_same_circuits(devices, route, level):
    """Gate by gate those of a device without figures, even if some pairs are far better."""
    circuit = varied()
    done = [ROUTES[route](circuit, backend, level) for backend in devices]
    uniform, differing, unknown = done
    assert uniform == unknown
    assert differing == unknown
    assert "swap" not in unknown.count_ops()
    assert unknown.num_qubits == QUBITS
    layouts = [each.layout and each.layout.final_index_layout() for each in done]
    expected = [3, 1, 0, 2] if "initial layout" in route else None
    if route != "compile":  # which relabels qubits instead of swapping them
        assert layouts[0] == expected
    assert layouts == layouts[:1] * 3


def test_aers_simulator(devices):
    """Aer's simulators of the devices get the same circuits; none of them is routed."""
    circuit = QuantumCircuit(QUBITS)
    circuit.h(0)
    for pair in combinations(range(QUBITS), 2):
        circuit.rzz(0.7, *pair)
        circuit.rx(0.4, pair[0])
    ideal = Statevector(circuit).probabilities_dict()
    circuit.measure_all()
    simulators = [AerSimulator.from_backend(backend) for backend in devices]
    bare = AerSimulator(seed_simulator=1)
    for level in range(4):
        done = [
            transpile(circuit, simulator, optimization_level=level, seed_transpiler=1)
            for simulator in simulators
        ]
        assert done[0] == done[2]
        for each in done:
            assert "swap" not in each.count_ops()
            assert each.count_ops()["rxx"] == math.comb(QUBITS, 2)
            # A layout may be chosen by quality; it is honoured.
            counts = bare.run(each, shots=4000).result().get_counts()
            assert all(abs(counts.get(key, 0) / 4000 - p) < 0.05 for key, p in ideal.items())
    for simulator, each in zip(simulators, done, strict=True):
        assert sum(simulator.run(each, shots=100).result().get_counts().values()) == 100


def test_noise_model(devices):
    """Aer puts noise on each gate, and on each pair its own if they differ."""
    uniform, differing, unknown = map(NoiseModel.from_backend, devices)
    assert unknown.is_ideal()
    for model, number in ((uniform, 1), (differing, math.comb(QUBITS, 2))):
        content = model.to_dict()["errors"]
        places = {
            name: {
                tuple(qubits): str(error["probabilities"])
                for error in content
                if name in error["operations"]
                for qubits in error["gate_qubits"]
            }
            for name in ("r", "rxx", "measure")
        }
        assert set(places["rxx"]) == set(permutations(range(QUBITS), 2))
        assert set(places["r"]) == set(places["measure"]) == {(q,) for q in range(QUBITS)}
        assert len(set(places["rxx"].values())) == number


def test_properties(devices):
    """Errors, durations and coherence times, at all places where Qiskit's users look."""
    backend = devices[1]
    known = backend.characterisation
    for target in (
        backend.target,
        copy.deepcopy(backend.target),
        pickle.loads(pickle.dumps(backend.target)),  # noqa: S301 - our own
    ):
        assert target.dt is None
        assert set(target["rxx"]) == set(permutations(range(QUBITS), 2))
        for (a, b), properties in target["rxx"].items():
            assert properties.error == 1 - known.rxx_fidelity_of(a, b).value
            assert properties.duration == known.rxx_duration == pytest.approx(200e-6)
        for qubit in range(QUBITS):
            r, rz, measure = (target[name][(qubit,)] for name in ("r", "rz", "measure"))
            assert (rz.error, rz.duration) == (0, 0)
            assert (r.error, r.duration) == (1 - known.r_fidelity[qubit].value, known.r_duration)
            assert measure.error == 1 - known.spam_fidelity
            assert measure.duration == known.readout_duration == pytest.approx(2.5e-3)
            found = target.qubit_properties[qubit]
            assert (found.t1, found.t2) == (known.t1.value, known.t2.value)
        assert dict(target.items()) == {name: target[name] for name in target}
        assert list(target.values()) == [target.get(name) for name in target]
        with pytest.raises(KeyError):
            target["cx"]
    assert backend.qubit_properties(0).t1 == known.t1.value
    assert [each.t2 for each in backend.qubit_properties([0, 3])] == [known.t2.value] * 2


def test_unknown_properties(devices):
    """Without figures, all operations are global, and there are no properties."""
    backend = devices[2]
    assert backend.characterisation is None
    assert backend.target["rxx"] == backend.target["r"] == {None: None}
    assert backend.target.qubit_properties is None
    with pytest.raises(NotImplementedError):
        backend.qubit_properties(0)


@pytest.mark.parametrize("missing", [True, False])
@pytest.mark.parametrize(
    "name",
    [
        "single_qubit_gate_fidelity",
        "two_qubit_gate_fidelity",
        "mean_two_qubit_gate_fidelity",
        "spam_fidelity_lower_bound",
        "t1_s",
        "t2_coherence_time_s",
        "readout_time_micros",
        "single_qubit_gate_duration_micros",
        "two_qubit_gate_duration_micros",
    ],
)
def test_partly_known(devices, name, missing):
    """Aer and the transpiler take a device of which one figure is missing, or known alone."""
    figures = devices[1].resource_id.characterisation
    known = {key: figures[key] for key in figures if (key == name) != missing}
    backend = CloudResource(
        Resource("lab", "ion", "An ion trap", "device", 2, characterisation=known),
        provider=None,
        connect=lambda: None,
    )
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    simulator = AerSimulator.from_backend(backend)
    if name.endswith(("fidelity", "bound")):
        assert simulator.options.noise_model is not None
    lowered = transpile(circuit, backend, seed_transpiler=1)
    assert lowered.count_ops()["rxx"] == 1
    assert sum(simulator.run(lowered, shots=50).result().get_counts().values()) == 50
