"""Waiting, over-rotation and crosstalk of a noise twin, against matrices that are made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from itertools import combinations

import numpy as np
import pytest
from aqt_fast import AQTJob, _native
from aqt_fast.backends.offline.imperfections import Imperfections
from aqt_fast.backends.offline.noise_settings import NoiseSettings
from aqt_fast.backends.offline.trajectories import Sampler
from aqt_fast.devices import Characterisation, Measured
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot
from executors import Inline
from qiskit import QuantumCircuit
from qiskit.quantum_info import Operator
from scipy.linalg import expm
from scipy.stats import chisquare

NUM_QUBITS = 4
SHOTS = 20_000
X, Y = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]])


def device(**changes) -> Characterisation:
    """One whose gates have no errors, but whose states decay."""
    perfect = Measured(1.0)
    figures = {
        "r_fidelity": dict.fromkeys(range(NUM_QUBITS), perfect),
        "rxx_fidelity": dict.fromkeys(combinations(range(NUM_QUBITS), 2), perfect),
        "spam_fidelity": 1.0,
        "t1": Measured(0.5),
        "t2": Measured(0.2),
        "r_duration": 0.0,
        "rxx_duration": 0.0,
    }
    return Characterisation("ibex", "lab", NUM_QUBITS, **{**figures, **changes})


def on(matrix, qubit: int) -> np.ndarray:
    """A matrix on one qubit of the device; qubit 0 is the last factor."""
    factors = [matrix if place == qubit else np.eye(2) for place in range(NUM_QUBITS)]
    return reduce(np.kron, reversed(factors))


def rotation(angle: float, generator) -> np.ndarray:
    """exp(−i angle/2 generator)."""
    return expm(-0.5j * angle * generator)


def mixed(seed: int, num_qubits: int = NUM_QUBITS) -> QuantumCircuit:
    """Random gates of the device."""
    rng = np.random.default_rng(seed)
    circuit = QuantumCircuit(num_qubits)
    for _ in range(12):
        a, b = map(int, rng.choice(num_qubits, 2, replace=False))
        circuit.r(*rng.uniform(0, math.pi, 2), a)
        circuit.rz(rng.uniform(0, math.pi), b)
        circuit.rxx(rng.uniform(0, math.pi / 2), a, b)
    return circuit


def by_hand(circuit: QuantumCircuit, over: float, crosstalk: float) -> np.ndarray:
    """The circuit's unitary from Hamiltonians: light on each ion, products for pairs."""
    unitary = np.eye(2**NUM_QUBITS)
    for item in circuit.data:
        qubits = [circuit.find_bit(qubit).index for qubit in item.qubits]
        if item.name == "rz":
            step = rotation(item.params[0], on(np.diag([1, -1]), qubits[0]))
        else:
            light = np.zeros(NUM_QUBITS)
            for qubit in qubits:
                light[qubit] = 1
            for place in set(range(NUM_QUBITS)) - set(qubits):
                light[place] = crosstalk * sum(abs(place - qubit) == 1 for qubit in qubits)
            theta = item.params[0] * (1 + over)
            if item.name == "r":
                phi = item.params[1]
                axis = math.cos(phi) * X + math.sin(phi) * Y
                step = rotation(theta, sum(light[q] * on(axis, q) for q in range(NUM_QUBITS)))
            else:
                pairs = [
                    light[a] * light[b] * on(X, a) @ on(X, b)
                    for a, b in combinations(range(NUM_QUBITS), 2)
                    if {a, b} & set(qubits)  # else it is of second order
                ]
                step = rotation(theta, sum(pairs))
        unitary = step @ unitary
    return unitary


@pytest.mark.parametrize(
    ("over", "crosstalk"), [(0.0, 0.0), (0.05, 0.0), (-0.1, 0.0), (0.0, 0.04), (0.03, 0.02)]
)
def test_coherent_errors(over, crosstalk):
    """Exactly what follows from the light on each ion."""
    settings = NoiseSettings(over_rotation=over, crosstalk=crosstalk)
    for seed in range(3):
        circuit = mixed(seed)
        changed = Imperfections(settings, NUM_QUBITS).added(circuit)
        expected = Operator(by_hand(circuit, over, crosstalk))
        assert Operator(changed).equiv(expected)
        assert Operator(circuit).equiv(expected) == (over == crosstalk == 0)


def test_ions_beside_the_circuit():
    """Crosstalk reaches ions that the circuit does not have; the string ends with the device."""
    settings = NoiseSettings(crosstalk=0.1)
    circuit = QuantumCircuit(2)
    circuit.rxx(1.0, 0, 1)
    for size, reached in ((2, 2), (3, 3), (9, 3)):
        assert Imperfections(settings, size).added(circuit).num_qubits == reached


def test_size_with_ions_beside():
    """What Aer is told depends on all ions that the circuit with crosstalk has."""
    circuit = QuantumCircuit(9, 4)
    for ion in (1, 3, 5, 7):
        circuit.r(1.0, 0.5, ion)
    circuit.measure([1, 3, 5, 7], range(4))
    bare = Snapshot([circuit], Limits(circuits=None, shots=None, qubits=9)).bare(
        range(1), in_place=True
    )
    assert bare.size(0) == 4
    assert bare.changed_by(Imperfections(NoiseSettings(crosstalk=0.1), 9).added).size(0) == 9


def outcomes(twin, circuits, **options) -> list[np.ndarray]:
    """How often each outcome was found."""
    measured = []
    for circuit in circuits:
        measured.append(circuit.copy())
        measured[-1].measure_all()
    result = twin.run(
        measured, shots=SHOTS, seed_simulator=2, with_progress_bar=False, **options
    ).result()
    assert result.success
    found = []
    for index, circuit in enumerate(circuits):
        width = circuit.num_qubits
        counts = result.get_counts(index)
        found.append(np.array([counts.get(f"{key:0{width}b}", 0) for key in range(2**width)]))
    return found


@pytest.mark.parametrize(
    ("over", "crosstalk", "aer"), [(0.1, 0.1, False), (0.1, 0.0, False), (0.1, 0.0, True)]
)
def test_jobs(provider, over, crosstalk, aer):
    """Outcomes have these errors, also of small circuits, natively and with Aer."""
    twin = provider.get_noise_twin(device(), over_rotation=over, crosstalk=crosstalk)
    simulated_by(twin, aer=aer, forced=not crosstalk)
    circuits = [*map(mixed, range(3)), mixed(7, 2)]
    found = outcomes(twin, circuits)
    for seen, circuit in zip(found, circuits, strict=True):
        on_device = QuantumCircuit(NUM_QUBITS).compose(circuit, range(circuit.num_qubits))
        chances = np.abs(by_hand(on_device, over, crosstalk)[:, 0]) ** 2
        chances = chances.reshape(-1, 2**circuit.num_qubits).sum(axis=0)
        assert chisquare(seen, chances * SHOTS).pvalue > 1e-3
        ideal = np.abs(Operator(circuit).data[:, 0]) ** 2
        assert chisquare(seen, ideal * SHOTS).pvalue < 1e-6


def simulated_by(twin, *, aer: bool, forced: bool = True) -> None:
    """Have Aer simulate, or check that the native sampler does, unless the noise is only Aer's."""
    if aer:
        twin.simulator.set_options(max_parallel_threads=1)
    assert (Sampler.of(twin.simulator) is None) == (aer or not forced)


def ramsey(gap: int, *, kind: str = "rxx") -> QuantumCircuit:
    """Qubit 0 waits in a superposition while gates act on others."""
    circuit = QuantumCircuit(NUM_QUBITS)
    circuit.r(math.pi / 2, 0, 0)
    for _ in range(gap):
        if kind == "rxx":
            circuit.rxx(0.0, 1, 2)
        else:
            circuit.r(0.0, 0.0, 1)
    circuit.r(math.pi / 2, 0, 0)
    return circuit


@pytest.mark.parametrize(("t2", "aer"), [(0.2, False), (0.2, True), (0.8, True)])
def test_waiting(provider, t2, aer):
    """The contrast falls with T2, the excited state decays with T1."""
    rxx, r = 0.02, 0.005
    known = device(t2=Measured(t2), rxx_duration=rxx, r_duration=r)
    known = replace(known, r_fidelity=at_best(known, 1), rxx_fidelity=at_best(known, 2))
    twin = provider.get_noise_twin(known, idle=True)
    resting = provider.get_noise_twin(known)
    simulated_by(twin, aer=aer)
    t1 = known.t1.value
    circuits = [ramsey(4), ramsey(4, kind="r"), flipped(4)]
    for found, waited in ((outcomes(twin, circuits), 4), (outcomes(resting, circuits), 0)):
        ones = [seen.reshape(-1, 2)[:, 1].sum() for seen in found]
        # Each r has noise of its own duration: coherence and population shrink alike.
        for seen, duration in zip(ones[:2], (rxx, r), strict=True):
            chance = ramsey_by_hand(t1, t2, [r, waited * duration, r])
            assert (
                chisquare([seen, SHOTS - seen], [chance * SHOTS, (1 - chance) * SHOTS]).pvalue
                > 1e-3
            )
        chance = math.exp(-(waited * rxx + r) / t1)
        seen = ones[2]
        assert chisquare([seen, SHOTS - seen], [chance * SHOTS, (1 - chance) * SHOTS]).pvalue > 1e-3


def flipped(gap: int) -> QuantumCircuit:
    """Qubit 0 waits in 1."""
    circuit = QuantumCircuit(NUM_QUBITS)
    circuit.r(math.pi, 0, 0)
    for _ in range(gap):
        circuit.rxx(0.0, 1, 2)
    return circuit


def at_best(known: Characterisation, num_qubits: int) -> dict:
    """The fidelities of gates that only relax."""
    duration = known.r_duration if num_qubits == 1 else known.rxx_duration
    x, y = math.exp(-duration / known.t1.value), math.exp(-duration / known.t2.value)
    process, size = ((1 + x + 2 * y) / 4) ** num_qubits, 2**num_qubits
    fidelity = Measured((size * process + 1) / (size + 1))
    places = range(NUM_QUBITS) if num_qubits == 1 else combinations(range(NUM_QUBITS), 2)
    return dict.fromkeys(places, fidelity)


def ramsey_by_hand(t1: float, t2: float, times: list[float]) -> float:
    """The probability of 1: a pulse, decay, waiting, a pulse, decay."""
    pulse = rotation(math.pi / 2, X)
    state = np.diag([1.0, 0.0])
    first, waiting, second = times
    for step in (pulse, first, waiting, pulse, second):
        if isinstance(step, float):
            x, y = math.exp(-step / t1), math.exp(-step / t2)
            excited = state[1, 1] * x
            state = np.array([[1 - excited, state[0, 1] * y], [state[1, 0] * y, excited]])
        else:
            state = step @ state @ step.conj().T
    return state[1, 1].real


def test_nothing_waits_at_first():
    """A qubit is in 0 until the first gate, and what is not measured does not matter."""
    settings = NoiseSettings(idle=True)
    circuit = QuantumCircuit(3, 2)
    circuit.rxx(1.0, 0, 1)
    circuit.r(1.0, 0.0, 2)
    circuit.rz(1.0, 0)
    circuit.rxx(1.0, 1, 2)
    circuit.measure([0, 2], [1, 0])
    added = Imperfections(settings, 3).added(circuit)
    labels = [(item.operation.label, added.find_bit(item.qubits[0]).index) for item in added.data
              if item.name == "id"]  # fmt: skip
    assert labels == [("idle 1 0", 1), ("idle 1 1", 0)]
    measured = [item for item in added.data if item.name == "measure"]
    assert [added.find_bit(item.clbits[0]).index for item in measured] == [1, 0]


SETTINGS = [{"idle": True}, {"over_rotation": 0.1}, {"crosstalk": 0.1}]


@pytest.mark.parametrize("settings", SETTINGS)
def test_kept(provider, tmp_path, settings):
    """Saved jobs and executors have the same noise, also for circuits that are alike."""
    known = device(r_duration=0.01, rxx_duration=0.02)
    known = replace(known, r_fidelity=at_best(known, 1), rxx_fidelity=at_best(known, 2))
    twin = provider.get_noise_twin(known, **settings)
    circuits = [ramsey(3) for _ in range(6)]
    for index, circuit in enumerate(circuits):
        circuit.rz(0.1 * index, 0)
        circuit.measure_all()
    options = {"seed_simulator": 4, "shots": 100, "with_progress_bar": False}
    job = twin.run(circuits, memory=True, **options)
    assert job.result().header["noise_twin"][next(iter(settings))] == next(iter(settings.values()))
    job.persist(store_path=tmp_path)
    again = AQTJob.restore(job.job_id(), store_path=tmp_path)
    assert again.backend().noise.settings == NoiseSettings(**settings)
    elsewhere = twin.run(circuits, memory=True, executor=Inline(), **options)
    for index in range(len(circuits)):
        assert again.result().get_memory(index) == job.result().get_memory(index)
        assert elsewhere.result().get_memory(index) == job.result().get_memory(index)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"waiting": (1.0, 1.5, 0.0, 0.0)}, "no relaxation by resets and phase flips has T1 = 1 s"),
        ({"waiting": (1.0, 0.5, -1.0, 0.0)}, "or gates take -1 s and 0 s"),
        ({"over_rotation": math.inf}, "cannot rotate farther by the fraction inf"),
    ],
)
def test_refused_by_the_native_sampler(arguments, told):
    """What is no noise there."""
    with pytest.raises(ValueError, match=told):
        _native.Noise([], [], [], **arguments)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"idle": True, "relaxation": False}, "idle must be False without relaxation"),
        ({"idle": "yes"}, "idle must be True or False"),
        ({"over_rotation": 1.5}, "over_rotation must be a number from -1 to 1"),
        ({"over_rotation": math.nan}, "over_rotation must be"),
        ({"crosstalk": -0.1}, "crosstalk must be a number from 0 to 1"),
        ({"crosstalk": True}, "crosstalk must be"),
    ],
)
def test_refused(provider, settings, told):
    """Settings are checked."""
    with pytest.raises(InvalidOptionError, match=told):
        provider.get_noise_twin(device(), **settings)
