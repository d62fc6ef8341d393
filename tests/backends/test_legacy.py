"""What tools from before Qiskit 2, and Aer, ask of a backend."""

import copy
import math
import pickle
from itertools import permutations

import pytest
from aqt_fast.api_client import Resource
from aqt_fast.aqt_resource import OfflineSimulatorResource, make_transpiler_target
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import RGate, RXXGate, RZGate, efficient_su2
from qiskit.quantum_info import SuperOp
from qiskit.transpiler import Target, generate_preset_pass_manager
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

pytestmark = [
    pytest.mark.all_qiskits,
    pytest.mark.filterwarnings("ignore:.* has no QubitProperties:UserWarning"),
]

CHARACTERISATION = {
    "single_qubit_gate_fidelity": {"0": {"value": 99.9}, "1": {"value": 99.8}, "2": 99.7},
    "mean_two_qubit_gate_fidelity": {"value": 98.0, "uncertainty": 0.1},
    "two_qubit_gate_fidelity": [{"qubits": [2, 0], "value": 97.0}],
    "spam_fidelity_lower_bound": 99.5,
    "t1_s": {"value": 1.25},
    "t2_coherence_time_s": {"value": 0.5},
    "readout_time_micros": 2500,
    "single_qubit_gate_duration_micros": 15,
    "two_qubit_gate_duration_micros": {"value": 200},
    "updated_at": "2026-01-02T03:04:05Z",
}


def characterised(characterisation, num_qubits=3) -> OfflineSimulatorResource:
    """A backend that is told of these figures, as one of the portal is."""
    resource = Resource(
        "here", "ion", "An ion trap", "device", num_qubits, characterisation=characterisation
    )

    class Device(OfflineSimulatorResource):
        def __init__(self):
            super(OfflineSimulatorResource, self).__init__(resource)

    return Device()


@pytest.fixture
def noisy(provider):
    """The noisy offline simulator, without a progress bar."""
    backend = provider.get_backend("offline_simulator_noise", available_qubits=4)
    backend.set_options(with_progress_bar=False)
    return backend


class Unconstrained(OfflineSimulatorResource):
    """A backend with Qiskit's own target and no coupling map."""

    @property
    def target(self):
        """Global operations, nothing else."""
        target = Target(num_qubits=self.resource_id.available_qubits)
        gates = (RZGate(Parameter("a")), RGate(Parameter("a"), Parameter("b")), Measure())
        for gate in (*gates, RXXGate(Parameter("a"))):
            target.add_instruction(gate)
        return target

    coupling_map = None


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("name", ["offline_simulator_no_noise", "offline_simulator_noise"])
def test_transpiler_does_not_route(provider, name, level):
    """Circuits are those of a backend without coupling map, neither wider nor laid out anew."""
    backend = provider.get_backend(name)
    plain = Unconstrained(backend.resource_id, provider=provider)
    circuit = efficient_su2(5, reps=2, entanglement="full").decompose()
    circuit = circuit.assign_parameters([0.1 * k for k in range(circuit.num_parameters)])
    circuit.measure_all()
    transpiled = transpile(circuit, backend, optimization_level=level, seed_transpiler=1)
    assert transpiled.num_qubits == 5
    assert transpiled.layout is None
    assert transpiled == transpile(circuit, plain, optimization_level=level, seed_transpiler=1)


def test_coupling_map(noisy):
    """All ordered pairs, and no constraint."""
    assert sorted(noisy.coupling_map) == sorted(permutations(range(4), 2))
    assert noisy.coupling_map.is_symmetric
    assert noisy.coupling_map.distance(3, 1) == 1
    assert not noisy.coupling_map
    assert noisy.target.build_coupling_map() is None
    again = pickle.loads(pickle.dumps(noisy.coupling_map))  # noqa: S301 - our own
    assert sorted(again) == sorted(noisy.coupling_map)
    assert not again


def test_configuration(noisy):
    """Name, size, gates, pairs, and limits that tools can calculate with."""
    configuration = noisy.configuration()
    assert configuration.backend_name == "offline_simulator_noise"
    assert configuration.num_qubits == configuration.n_qubits == 4
    assert configuration.basis_gates == ["rz", "r", "rxx"]
    assert [gate.name for gate in configuration.gates] == ["rz", "r", "rxx"]
    assert sorted(map(tuple, configuration.coupling_map)) == sorted(permutations(range(4), 2))
    assert configuration.max_shots >= 10_000
    assert configuration.max_experiments >= 1
    assert (configuration.simulator, configuration.local, configuration.memory) == (True,) * 3
    assert configuration.to_dict()["backend_name"] == "offline_simulator_noise"
    assert noisy.target.description == configuration.description == noisy.description


def test_status(backend):
    """Whether the backend takes jobs."""
    status = backend.status()
    assert (status.operational, status.pending_jobs, status.status_msg) == (True, 0, "online")
    assert status.to_dict()["backend_name"] == "offline_simulator_no_noise"
    resource = Resource("w", "r", "R", "device", 2, status="maintenance")
    away = OfflineSimulatorResource(resource).status()
    assert (away.operational, away.status_msg) == (False, "maintenance")


def test_noise_from_backend(noisy, backend):
    """Aer makes the backend's own noise from it: the same channels, and the same distribution."""
    circuit = QuantumCircuit(3)
    for _ in range(5):
        circuit.rxx(math.pi / 2, 0, 1)
        circuit.r(math.pi, 0.3, 2)
        circuit.rxx(math.pi / 2, 2, 1)
    circuit.measure_all()
    own = noisy.simulator.options.noise_model
    made = NoiseModel.from_backend(noisy)
    for name, places in made._local_quantum_errors.items():  # noqa: SLF001 - Aer has no list
        expected = SuperOp(own._default_quantum_errors[name])  # noqa: SLF001
        assert all(SuperOp(error) == expected for error in places.values())
    assert {name: len(places) for name, places in made._local_quantum_errors.items()} == {  # noqa: SLF001
        "r": 4,
        "rxx": 12,
    }
    simulator = AerSimulator.from_backend(noisy)
    counts = simulator.run(circuit, shots=4000, seed_simulator=5).result().get_counts()
    others = noisy.run(circuit, shots=4000, seed_simulator=6).result().get_counts()
    assert all(abs(counts.get(k, 0) - others.get(k, 0)) < 200 for k in counts | others)
    assert noisy.properties().gate_error("rxx", [3, 1]) == pytest.approx(0.01 * 3 / 4)
    assert noisy.properties().gate_error("r", 2) == pytest.approx(0.003 / 2)
    assert NoiseModel.from_backend(backend).is_ideal()
    assert AerSimulator.from_backend(backend).options.noise_model is None


def test_published_figures():
    """Error rates, durations and coherence times of a device, at all places."""
    device = characterised(CHARACTERISATION)
    properties = device.properties()
    assert properties.t1(0) == 1.25
    assert properties.t2(2) == 0.5
    assert properties.readout_error(1) == pytest.approx(0.005)
    assert properties.readout_length(1) == pytest.approx(2.5e-3)
    assert properties.gate_error("r", 1) == pytest.approx(0.002)
    assert properties.gate_error("rxx", [0, 1]) == pytest.approx(0.02)
    assert properties.gate_error("rxx", [0, 2]) == pytest.approx(0.03)
    assert properties.gate_length("rxx", [2, 0]) == pytest.approx(2e-4)
    assert properties.gate_length("rz", 0) == 0
    assert properties.last_update_date.isoformat() == "2026-01-02T03:04:05+00:00"
    assert device.qubit_properties(1).t1 == 1.25
    for target in (device.target, copy.deepcopy(device.target)):
        assert target.durations().get("rxx", [1, 2], "s") == pytest.approx(2e-4)
        assert target.get("r")[(2,)].error == pytest.approx(0.003)
        assert dict(target.items())["measure"][(0,)].error == pytest.approx(0.005)
        assert target.build_coupling_map() is None
    noise = NoiseModel.from_backend(device)
    assert set(noise.noise_instructions) >= {"r", "rxx", "measure"}


@pytest.mark.parametrize(
    "characterisation",
    [
        {},
        dict.fromkeys(CHARACTERISATION),
        dict.fromkeys(CHARACTERISATION, "?"),
        {name: [math.nan, 1e400] for name in CHARACTERISATION},
        {name: {"value": -1, "0": 101} for name in CHARACTERISATION},
        {"two_qubit_gate_fidelity": [7, {"qubits": [0]}, {"qubits": [0, 9], "value": 1}]},
    ],
)
def test_malformed_figures_are_unknown(characterisation):
    """A device of which nothing is understood is one of which nothing is known."""
    device = characterised(characterisation)
    properties = device.properties()
    assert device.target.qubit_properties is None
    for known in (device.qubit_properties(0), *device.qubit_properties([0, 2])):
        assert (known.t1, known.t2) == (None, None)
    assert NoiseModel.from_backend(device).is_ideal()
    assert AerSimulator.from_backend(device).options.noise_model is None
    assert all(gate.gate == "rz" for gate in properties.gates if gate.parameters)


def test_nothing_published():
    """No figures at all."""
    device = characterised(None)
    assert device.properties() is None
    assert NoiseModel.from_backend(device).is_ideal()
    target = make_transpiler_target(1)
    assert (target.description, dict(target.items())["rxx"]) == (None, {None: None})


def test_scheduling(noisy):
    """Circuits are scheduled by the durations that are known, and get no delay."""
    circuit = QuantumCircuit(3)
    circuit.rxx(0.3, 0, 1)
    circuit.r(0.1, 0.2, 2)
    circuit.rxx(0.3, 1, 2)
    circuit.measure_all()
    device = characterised(CHARACTERISATION)
    for method in ("asap", "alap"):
        scheduled = transpile(circuit, device, scheduling_method=method, optimization_level=0)
        assert "delay" not in scheduled.count_ops()
        assert max(scheduled.op_start_times) == pytest.approx(4e-4)
        manager = generate_preset_pass_manager(backend=noisy, scheduling_method=method)
        instant = manager.run(circuit)
        assert set(instant.op_start_times) == {0}
        assert noisy.run(instant, shots=50).result().get_counts().shots() == 50


def test_device_of_the_portal(portal):
    """The server's devices are characterised: figures of the portal's shape are understood."""
    properties = portal.get_backend("ibex").properties()
    assert properties.t1(11) == 1.14
    errors = [properties.gate_error("r", qubit) for qubit in range(12)]
    assert sum(errors) / 12 == pytest.approx(0.0015, abs=1e-6)
    assert min(errors) < 0.0014 < 0.0016 < max(errors)
    assert properties.gate_error("rxx", [7, 2]) == pytest.approx(0.0075)
    assert portal.get_backend("simulator_ideal").properties() is None
    assert not portal.get_backend("rowan").status().operational
    configuration = portal.get_backend("pine").configuration()
    assert (configuration.simulator, configuration.local) == (False, False)
    assert portal.get_backend("simulator_ideal").configuration().simulator
