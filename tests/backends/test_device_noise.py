"""The noise of each gate of a twin: its fidelity is the reported one, exactly."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, permutations

import numpy as np
import pytest
from aqt_fast.backends.offline.device_noise import CharacterisationWarning, DeviceNoise
from aqt_fast.backends.offline.device_noise_model import DeviceNoiseModel, quantum_error
from aqt_fast.backends.offline.noise_settings import NoiseSettings
from aqt_fast.devices import Characterisation, Measured
from aqt_fast.exceptions import InvalidOptionError, UnusableFiguresError
from qiskit import QuantumCircuit
from qiskit.circuit.library import RGate, RXXGate
from qiskit.quantum_info import Operator, SuperOp, average_gate_fidelity, process_fidelity
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

FIDELITIES = {"average": average_gate_fidelity, "process": process_fidelity}
AS_PUBLISHED = {"t1": 1.14, "t2": 0.45}
TIMES = {
    "T2 < T1": AS_PUBLISHED,
    "T2 = T1": {"t1": 0.7, "t2": 0.7},
    "T1 < T2": {"t1": 0.7, "t2": 0.9},
    "T2 = 2 T1": {"t1": 0.45, "t2": 0.9},
}


def device(
    seed: int, num_qubits: int = 3, *, t1: float = 1.14, t2: float = 0.45, mean_only: bool = False
) -> Characterisation:
    """A device with random fidelities, different for each qubit and pair."""
    rng = np.random.default_rng(seed)
    pairs = [*combinations(range(num_qubits), 2)]
    rxx = {pair: Measured(rng.uniform(0.9, 0.999)) for pair in pairs}
    return Characterisation(
        "ibex",
        "lab",
        num_qubits,
        r_fidelity={qubit: Measured(rng.uniform(0.99, 0.9999)) for qubit in range(num_qubits)},
        rxx_fidelity={} if mean_only else rxx,
        mean_rxx_fidelity=Measured(rng.uniform(0.9, 0.999)),
        spam_fidelity=rng.uniform(0.98, 1),
        t1=Measured(t1),
        t2=Measured(t2),
        r_duration=rng.uniform(5e-6, 2e-5),
        rxx_duration=rng.uniform(1e-4, 3e-4),
    )


def some_pairs() -> Characterisation:
    """A device of four qubits with two of six fidelities of rxx."""
    known = device(0, 4)
    pairs = {pair: known.rxx_fidelity[pair] for pair in ((0, 3), (1, 3))}
    return replace(known, rxx_fidelity=pairs)


def noise_of(known: Characterisation, fidelity: str = "average", **settings) -> DeviceNoise:
    """The noise of a device."""
    return DeviceNoise.of(known, NoiseSettings(fidelity, **settings))


def channels(noise: DeviceNoise) -> dict[tuple[str, tuple[int, ...]], SuperOp]:
    """The error of each gate in the noise model that Aer reads, by gate and qubits."""
    num_qubits = noise.device.num_qubits
    places: list[tuple[str, tuple[int, ...]]] = [("r", (qubit,)) for qubit in range(num_qubits)]
    places += [("rxx", pair) for pair in permutations(range(num_qubits), 2)]
    model = DeviceNoiseModel(noise)
    local = model._local_quantum_errors  # noqa: SLF001 - there is no public way to look it up
    default = model._default_quantum_errors  # noqa: SLF001
    errors = {
        (name, qubits): local.get(name, {}).get(qubits) or default[name] for name, qubits in places
    }
    distinct = {id(error): SuperOp(error) for error in errors.values()}
    return {place: distinct[id(error)] for place, error in errors.items()}


def reported(known: Characterisation, name: str, qubits: tuple[int, ...]) -> float:
    """The fidelity that the device reports of a gate."""
    found = known.r_fidelity[qubits[0]] if name == "r" else known.rxx_fidelity_of(*qubits)
    return found.value


def gate(name: str, rng: np.random.Generator) -> Operator:
    """The gate itself, with any angles."""
    if name == "r":
        return Operator(RGate(*rng.uniform(-math.pi, math.pi, 2)))
    return Operator(RXXGate(rng.uniform(0, math.pi / 2)))


@pytest.mark.parametrize("fidelity", FIDELITIES)
@pytest.mark.parametrize("mean_only", [False, True])
@pytest.mark.parametrize("times", TIMES)
def test_fidelities(times, mean_only, fidelity):
    """Of each gate on each qubit and each ordered pair, whatever its angles are."""
    for seed in range(2):
        rng = np.random.default_rng(seed)
        known = device(seed, mean_only=mean_only, **TIMES[times])
        found = channels(noise_of(known, fidelity))
        assert len(found) == 3 + 6
        for (name, qubits), error in found.items():
            ideal = gate(name, rng)
            measured = FIDELITIES[fidelity](SuperOp(ideal).compose(error), ideal)
            assert measured == pytest.approx(reported(known, name, qubits), abs=1e-12)


def test_in_aer():
    """Aer applies the noise to the qubits of each gate, in both orders."""
    known = device(3)
    circuits, expected = [], []
    for place in [(0,), (1,), (2,), *permutations(range(3), 2)]:
        circuit = QuantumCircuit(3)
        if len(place) == 1:
            circuit.r(0.3, 1.1, *place)
        else:
            circuit.rxx(0.3, *place)
        ideal = Operator(circuit)
        circuit.save_superop()
        circuits.append(circuit)
        size = 2 ** len(place)
        average = reported(known, "r" if size == 2 else "rxx", place)
        expected.append((ideal, ((size + 1) * average - 1) / size))
    simulator = AerSimulator(method="superop", noise_model=DeviceNoiseModel(noise_of(known)))
    result = simulator.run(circuits).result()
    for index, (ideal, fidelity) in enumerate(expected):
        channel = result.data(index)["superop"]
        assert process_fidelity(channel, ideal) == pytest.approx(fidelity, abs=1e-9)


def test_both_fidelities():
    """The same number is a smaller error as a process fidelity's."""
    known = device(0)
    average, process = (noise_of(known, fidelity) for fidelity in FIDELITIES)
    for qubit, gate_noise in average.r.items():
        assert gate_noise.average_error == pytest.approx(1 - known.r_fidelity[qubit].value)
        assert process.r[qubit].average_error == pytest.approx(gate_noise.average_error * 2 / 3)
    for pair, gate_noise in average.rxx.items():
        assert process.rxx[pair].average_error == pytest.approx(gate_noise.average_error * 4 / 5)


@pytest.mark.parametrize("times", TIMES)
def test_relaxation(times):
    """Populations and coherences decay with T1 and T2 where there is no other error."""
    known = device(1, **TIMES[times])
    noise = noise_of(known)
    bare = replace(
        noise,
        r={qubit: replace(found, depolarising=0.0) for qubit, found in noise.r.items()},
        rxx={pair: replace(found, depolarising=0.0) for pair, found in noise.rxx.items()},
    )
    found = channels(bare)
    single = decayed(known, known.r_duration)
    double = decayed(known, known.rxx_duration)
    np.testing.assert_allclose(found["r", (1,)].data, single.data, atol=1e-14)
    np.testing.assert_allclose(found["rxx", (2, 0)].data, double.tensor(double).data, atol=1e-14)


def decayed(known: Characterisation, duration: float) -> SuperOp:
    """Relaxation by its definition."""
    x, y = math.exp(-duration / known.t1.value), math.exp(-duration / known.t2.value)
    # In columns: what becomes of |0><0|, |1><0|, |0><1| and |1><1|.
    return SuperOp(np.array([[1, 0, 0, 1 - x], [0, y, 0, 0], [0, 0, y, 0], [0, 0, 0, x]]))


@pytest.mark.parametrize("ideal", [False, True])
def test_as_aer_builds_it(ideal):
    """The model is the one that Aer's own methods make, whatever it is made of."""
    known = device(2, 2)
    if ideal:
        perfect = {0: Measured(1.0), 1: known.r_fidelity[1]}
        known = replace(known, r_fidelity=perfect, spam_fidelity=1.0, r_duration=0.0)
    noise = noise_of(known)
    expected = NoiseModel(["rz", "r", "rxx"])
    for qubit, found in noise.r.items():
        expected.add_quantum_error(quantum_error(found), ["r"], [qubit])
    expected.add_all_qubit_quantum_error(quantum_error(noise.rxx[0, 1]), ["rxx"])
    wrong = noise.readout_error
    expected.add_all_qubit_readout_error([[1 - wrong, wrong], [wrong, 1 - wrong]])
    model = DeviceNoiseModel(noise)
    assert model == expected
    assert model.noise_qubits == expected.noise_qubits == ([1] if ideal else [0, 1])
    assert set(model.noise_instructions) == ({"r", "rxx"} if ideal else {"r", "rxx", "measure"})


class TestMixtures:
    """Paulis and resets, as few as possible, where physics allows it."""

    def test_events(self):
        """Each is one of the listed kinds, and they are all that happens."""
        noise = noise_of(device(0, **AS_PUBLISHED))
        for size, found in ((5, noise.r[0]), (25, noise.rxx[0, 1])):
            events = found.events()
            assert len(events) == size
            assert math.fsum(event.probability for event in events) == pytest.approx(1, abs=1e-14)
            assert found.damping == 0

    def test_instructions(self):
        """Aer's errors have Paulis and resets only, two of them at most."""
        model = DeviceNoiseModel(noise_of(device(0, **AS_PUBLISHED)))
        for error in model.to_dict()["errors"]:
            if error["type"] == "qerror":
                names = [[item["name"] for item in items] for items in error["instructions"]]
                assert all(len(items) <= 2 for items in names)
                assert {name for items in names for name in items} == {"pauli", "reset"}

    def test_longer_coherence(self):
        """Where T2 is above T1, amplitude damping follows the Paulis."""
        noise = noise_of(device(0, t1=0.7, t2=0.9))
        for size, found in ((4, noise.r[0]), (16, noise.rxx[0, 1])):
            assert len(found.events()) == size
            assert found.damping > 0


class TestContradictions:
    """Figures that cannot all be true."""

    def test_too_long_coherence(self):
        """T2 above 2 T1: the fidelities are the reported ones, with T2 = 2 T1."""
        with pytest.warns(CharacterisationWarning, match=r"ibex: T2 is 3.0 s, but at most 2 T1"):
            noise = noise_of(device(0, t1=1.0, t2=3.0))
        assert noise.relaxation.t2 == 2.0
        for (name, qubits), error in channels(noise).items():
            expected = reported(noise.device, name, qubits)
            assert average_gate_fidelity(error) == pytest.approx(expected, abs=1e-12)

    @pytest.mark.parametrize("times", [{"t1": 1e-4, "t2": 1e-4}, {"t1": 1e-4, "t2": 2e-4}])
    def test_relaxation_alone_is_worse(self, times):
        """Qubits relax for less time, and nothing else happens."""
        with pytest.warns(CharacterisationWarning, match="make gates worse than reported") as told:
            noise = noise_of(device(0, **times))
        assert "r on 0, r on 1, r on 2 and 3 more" in str(told[0].message)
        for (name, qubits), error in channels(noise).items():
            expected = reported(noise.device, name, qubits)
            assert average_gate_fidelity(error) == pytest.approx(expected, abs=1e-12)
        for gates, duration in (
            (noise.r.values(), noise.device.r_duration),
            (noise.rxx.values(), noise.device.rxx_duration),
        ):
            assert all(found.depolarising == 0 for found in gates)
            assert all(0 < found.duration < duration for found in gates)

    @pytest.mark.parametrize("changes", [{"rxx_duration": 1e300}, {"t1": Measured(1e-290)}])
    def test_durations_without_bounds(self, changes):
        """The gate still has the fidelity that is reported."""
        extreme = replace(device(0, t2=1e-290 if "t1" in changes else 0.45), **changes)
        with pytest.warns(CharacterisationWarning, match="make gates worse than reported"):
            noise = noise_of(extreme)
        for pair, found in noise.rxx.items():
            expected = reported(noise.device, "rxx", pair)
            assert 1 - found.average_error == pytest.approx(expected, abs=1e-12)

    def test_without_relaxation(self):
        """The same figures without times: all errors are depolarising, nothing is told."""
        noise = noise_of(device(0, t1=1e-4, t2=1e-4), relaxation=False)
        for (name, qubits), error in channels(noise).items():
            size = 2 ** len(qubits)
            strength = (1 - reported(noise.device, name, qubits)) * size / (size - 1)
            expected = (1 - strength) * np.eye(size**2) + strength * spread(size)
            np.testing.assert_allclose(error.data, expected, atol=1e-14)


def spread(size: int) -> np.ndarray:
    """The channel that makes any state of this dimension completely mixed."""
    identity = np.eye(size).reshape(-1)
    return np.outer(identity, identity) / size


class TestUnusable:
    """Figures from which no noise follows."""

    @pytest.mark.parametrize("name", ["t1", "t2", "r_duration", "rxx_duration", "spam_fidelity"])
    def test_missing(self, name):
        """The error names what is missing."""
        with pytest.raises(UnusableFiguresError, match=f"'ibex': {name} is missing;") as caught:
            noise_of(replace(device(0), **{name: None}))
        assert caught.value.problems == (f"{name} is missing",)

    def test_all_at_once(self):
        """All problems are told, in few words."""
        known = replace(
            device(0, 6), r_fidelity={1: Measured(0.999)}, rxx_fidelity={}, mean_rxx_fidelity=None
        )
        with pytest.raises(
            UnusableFiguresError, match=r"of qubits 0, 2, 3 and 2 more is missing; rxx_"
        ) as caught:
            noise_of(known)
        assert caught.value.problems[1:] == ("rxx_fidelity of all pairs is missing",)
        with pytest.raises(
            UnusableFiguresError, match=r"is 0.1, below .*; and 5 more; give"
        ) as caught:
            noise_of(replace(device(0, 15), r_fidelity=dict.fromkeys(range(15), Measured(0.1))))
        assert len(caught.value.problems) == 15
        with pytest.raises(
            UnusableFiguresError, match=r"of pairs \(0, 1\), \(0, 2\), \(1, 2\) and 1 more is"
        ):
            noise_of(replace(some_pairs(), mean_rxx_fidelity=None))

    def test_control_characters(self):
        """They do not reach a terminal."""
        odd = replace(device(0, t1=1.0, t2=3.0), resource_id="ib\x1b[31mex")
        with pytest.warns(CharacterisationWarning, match="ib\ufffd\\[31mex"):
            noise_of(odd)
        with pytest.raises(UnusableFiguresError, match=r"'ib\\x1b\[31mex'"):
            noise_of(replace(odd, t1=None))

    @pytest.mark.parametrize(("fidelity", "least"), [("average", 0.5), ("process", 0.25)])
    def test_too_low(self, fidelity, least):
        """Complete depolarising is the worst; the figures of an ideal gate are the best."""
        known = device(0)
        worst = replace(known, r_fidelity={0: Measured(least), 1: Measured(1), 2: Measured(1)})
        noise = noise_of(worst, fidelity, relaxation=False)
        np.testing.assert_allclose(SuperOp(quantum_error(noise.r[0])).data, spread(2), atol=1e-14)
        assert noise.r[1].events() == [("I", 1.0)]
        lower = replace(known, r_fidelity={**worst.r_fidelity, 2: Measured(least - 0.01)})
        with pytest.raises(UnusableFiguresError, match=f"qubit 2 is .*, below {least}"):
            noise_of(lower, fidelity)

    def test_endless_gates(self):
        """Gates that take longer than states live, and are reported as random."""
        known = replace(device(0), r_duration=1e9, rxx_duration=1e9)
        random = replace(
            known,
            r_fidelity=dict.fromkeys(range(3), Measured(0.5)),
            rxx_fidelity=dict.fromkeys(combinations(range(3), 2), Measured(0.25)),
        )
        for error in channels(noise_of(random)).values():
            size = round(error.dim[0])
            assert average_gate_fidelity(error) == pytest.approx(1 / size, abs=1e-12)

    def test_needless_figures(self):
        """One qubit needs no rxx, and no times are needed without relaxation."""
        known = Characterisation("one", "lab", 1, r_fidelity={0: Measured(0.99)}, spam_fidelity=1.0)
        noise = noise_of(known, relaxation=False)
        assert noise.rxx == {}
        assert noise.r[0].average_error == pytest.approx(0.01)

    @pytest.mark.parametrize("settings", [{"fidelity": "mean"}, {"relaxation": 1}])
    def test_settings(self, settings):
        """Settings are checked."""
        (name,) = settings
        with pytest.raises(InvalidOptionError, match=f"{name} must be"):
            NoiseSettings(**settings)
