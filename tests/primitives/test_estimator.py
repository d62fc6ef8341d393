"""The estimator: shapes, layouts, kinds of backends, restoring, and what it refuses."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import aqt_fast
import numpy as np
import pytest
from aqt_fast.exceptions import InvalidInputError, InvalidOptionError, InvalidPubError
from aqt_fast.primitives import AQTEstimator, AQTPrimitiveJob
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of, machine_of
from qiskit import ClassicalRegister, QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.circuit.library import efficient_su2
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp


def turned(size: int = 2) -> QuantumCircuit:
    """Two parameters, no measurement."""
    circuit = QuantumCircuit(size, metadata={"made": "here"})
    circuit.ry(Parameter("a"), 0)
    circuit.rx(Parameter("b"), size - 1)
    circuit.cx(0, size - 1)
    circuit.rz(0.3, 0)
    return circuit


def close(found, exact) -> None:
    """Assert that a result has the exact values within five standard errors."""
    for item, other in zip(found, exact, strict=True):
        data = item.data
        assert data.evs.shape == data.stds.shape == data.shape == other.data.evs.shape
        assert data.evs.dtype == data.stds.dtype == np.float64
        assert np.all(np.abs(data.evs - other.data.evs) <= 5 * data.stds + 1e-9)


SHAPES = [
    ((), ()), ((), (3,)), ((3,), ()), ((3,), (3,)), ((4,), (3, 1)), ((4, 1), (3,)),
    ((2, 3), (2, 1)), ((5, 1, 2), (1, 3, 2)), ((0,), ()), ((2, 1), (0,)),
]  # fmt: skip


@pytest.mark.parametrize(("sets", "observables"), SHAPES)
def test_broadcasting(backend, sets, observables):
    """As Qiskit's: each pair of the broadcast arrays has its own value."""
    rng = np.random.default_rng(3)
    array = np.empty(observables, object)
    for place in np.ndindex(observables):
        letters = ["".join(rng.choice(list("IXYZ"), 2)) for _ in range(2)]
        array[place] = SparsePauliOp([*letters, "II"], [1.0, 0.5, float(rng.normal())])
    pub = (turned(), array.tolist(), rng.uniform(-3, 3, (*sets, 2)))
    found = AQTEstimator(backend, {"seed_simulator": 4}).run([pub], precision=0.05).result()
    close(found, StatevectorEstimator().run([pub]).result())


def test_every_kind_of_observable(backend):
    """Text, Pauli, sums, mappings, projectors."""
    several = [
        "XZ",
        Pauli("-YY"),
        SparsePauliOp(["XX", "XX", "ZI"], [1, 0.5, 0.0]),
        {"XZ": 0.5, Pauli("ZZ"): -1.0},
        SparseObservable.from_list([("0+", 1.0), ("r1", -0.5), ("-l", 0.25), ("II", 3.0)]),
    ]
    pub = (turned(), [[item] for item in several], [[0.3, 1.2], [2.0, -0.4]])
    exact = [[SparsePauliOp.from_sparse_observable(_sparse(item))] for item in several]
    found = AQTEstimator(backend, {"seed_simulator": 5}).run([pub], precision=0.02).result()
    close(found, StatevectorEstimator().run([(pub[0], exact, pub[2])]).result())


def _sparse(item) -> SparseObservable:
    if isinstance(item, dict):
        total = SparseObservable.zero(2)
        for term, value in item.items():
            total += value * SparseObservable(term)
        return total
    return SparseObservable(item)


def test_constants_run_nothing(backend):
    """Their value is exact, and there is no job."""
    pub = (turned(), [SparsePauliOp("II", 2.5), SparsePauliOp(["II", "XX"], [1, 0])], [0.1, 0.2])
    job = AQTEstimator(backend).run([pub])
    (item,) = job.result()
    assert item.data.evs.tolist() == [2.5, 1.0]
    assert item.data.stds.tolist() == [0.0, 0.0]
    assert item.metadata["circuits"] == item.metadata["shots"] == 0
    assert job.jobs == ()


def test_metadata_and_shots(backend):
    """One job for all PUBs; each set and group runs once, however many observables share it."""
    estimator = AQTEstimator(backend, {"grouping": "qubit_wise"})
    values = [[0.1, 0.2]] * 3
    several = [["XX"], ["XI"], [SparsePauliOp(["XX", "ZZ"], [0.5, 0.5])]]
    job = estimator.run([(turned(), several, values, 0.1), (turned(), "ZZ", [0, 1])], precision=0.2)
    first, second = job.result()
    assert first.metadata == {
        "target_precision": 0.1,
        "shots": first.metadata["shots"],
        "circuits": 6,
        "circuit_metadata": {"made": "here"},
    }
    assert second.metadata["shots"] == 25
    (one,) = job.jobs
    assert sum(one.options.shots) == first.metadata["shots"] + 25
    assert len(one.options.shots) == 7


@pytest.mark.parametrize("precision", [0.1, 1 / 64, 0.03])
def test_one_term_takes_qiskits_shots(backend, precision):
    """⌈1/precision²⌉."""
    job = AQTEstimator(backend).run([(turned(), "XX", [0.1, 0.2])], precision=precision)
    (item,) = job.result()
    assert item.metadata["shots"] == int(np.ceil(precision**-2))


@pytest.mark.parametrize("level", range(4))
def test_layouts(backend, level):
    """Of the transpiler and of ``compile``: the observable follows the qubits."""
    circuit = efficient_su2(4, reps=1).decompose()
    circuit.swap(0, 3)
    circuit.swap(1, 3)
    values = np.random.default_rng(9).uniform(-3, 3, circuit.num_parameters)
    bound = circuit.assign_parameters(values)
    observable = SparsePauliOp(["XIIZ", "IYZI", "ZZII", "IIIY"], [1, -0.5, 0.7, 0.3])
    exact = StatevectorEstimator().run([(bound, observable)]).result()
    made = [
        transpile(bound, backend, optimization_level=level, seed_transpiler=2),
        transpile(bound, backend, optimization_level=level, initial_layout=[5, 2, 0, 7]),
        aqt_fast.compile(bound, backend, optimization_level=level),
    ]
    for one in made:
        laid_out = observable if one.layout is None else observable.apply_layout(one.layout)
        options = {"optimization_level": level, "seed_simulator": 6}
        found = AQTEstimator(backend, options).run([(one, laid_out)], precision=0.03).result()
        close(found, exact)


@pytest.fixture
def simulating():
    """A server that simulates."""
    with ArnicaServer(simulate=True) as server:
        yield server


def test_all_kinds_of_backends(backend, simulating):
    """In the cloud, on a machine, offline, and with an executor."""
    observables = [["XX"], [SparsePauliOp(["ZI", "YY", "II"], [1, 0.5, 2])]]
    pub = (turned(), observables, [[0.3, 1.2], [2.0, -0.4]])
    exact = StatevectorEstimator().run([pub]).result()
    with connect(simulating) as portal, ThreadPoolExecutor(2) as pool:
        for place, options in (
            (device_of(portal), {}),
            (machine_of(portal, simulating), {}),
            (backend, {"seed_simulator": 5}),
            (backend, {"seed_simulator": 5, "executor": pool}),
        ):
            found = AQTEstimator(place, options).run([pub], precision=0.1).result()
            close(found, exact)


@pytest.mark.usefixtures("environment")
def test_restoring(server, device):
    """By its identifier, also while it runs, with the same result."""
    flip = QuantumCircuit(2)
    flip.x(0)
    pubs = [(flip, [["ZZ"], [SparsePauliOp(["IZ", "II"], [2, 1])]], np.zeros((3, 0)), 0.5)]
    server.hold()
    job = AQTEstimator(device).run(pubs)
    restored = AQTPrimitiveJob.restore(job.job_id(), access_token=server.token)
    server.release()
    first, second = job.result()[0], restored.result()[0]
    assert first.data.evs.shape == (2, 3)
    assert np.array_equal(first.data.evs, second.data.evs)
    assert np.array_equal(first.data.stds, second.data.stds)
    assert first.metadata == second.metadata


def test_pickling(backend):
    """Estimator, and job with its result."""
    estimator = pickle.loads(pickle.dumps(AQTEstimator(backend, {"grouping": "general"})))  # noqa: S301
    assert estimator.options.grouping == "general"
    job = estimator.run([(turned(), "ZZ", [0.1, 0.2])], precision=0.1)
    copied = pickle.loads(pickle.dumps(job))  # noqa: S301
    assert copied.result()[0].data.evs == job.result()[0].data.evs


def problems(estimator, pubs, **arguments) -> list[str]:
    """What is wrong, as ``run`` and ``plan`` tell."""
    found = []
    for method in (estimator.run, estimator.plan):
        with pytest.raises(InvalidPubError) as caught:
            method(pubs, **arguments)
        found.append([str(problem) for problem in caught.value.problems])
    assert found[0] == found[1]
    return found[0]


def test_all_offenders(backend):
    """Each PUB is checked, and nothing is sent."""
    good, other = turned(), turned(3)
    measured = turned()
    measured.measure_all()
    imaginary = SparsePauliOp("XX", 1j)
    pubs = [
        (good, "XX"),
        (good, "XX", [0.1]),
        (good, "XXX", [0.1, 0.2]),
        (good, [["XX", imaginary], [imaginary, "ZZ"]], [0.1, 0.2]),
        (other, "XXX", [[0.1, 0.2], [np.nan, 0.3], [0.1, np.inf]]),
        (measured, "XX", [0.1, 0.2]),
        (good, ["XX"] * 2, [[0.1, 0.2]] * 3),
        (good, "XX", [0.1, 0.2], -1.0),
        (good, "XX", [0.1, 0.2], 1e-6),
        (good, {"XX": np.inf}, [0.1, 0.2]),
        good,
        ("XX", good),
        (good, "XX", [0.1, 0.2]),
        (good, imaginary, [0.1], True),
    ]
    found = problems(AQTEstimator(backend), pubs)
    expected = [
        "PUB 0: no value for 'a', 'b'",
        "PUB 1: ",
        "PUB 2: The number of qubits of the circuit (2)",
        "PUB 3: observable 0, 1: Non-Hermitian",
        "PUB 3: observable 1, 0: Non-Hermitian",
        "PUB 4, parameter set 1: the value of 'a' is nan",
        "PUB 4, parameter set 2: the value of 'b' is inf",
        "PUB 5: the circuit has measurements",
        "PUB 6: The observables shape (2,)",
        "PUB 7: precision must be a finite number greater than 0, not -1.0",
        "PUB 8: the precision 1e-06 needs ",
        "PUB 9: ",
        "PUB 10: expected a tuple",
        "PUB 11: expected a circuit, not an object of type 'str'",
        "PUB 13: precision must be a finite number greater than 0, not True",
        "PUB 13: Non-Hermitian",
    ]
    assert len(found) >= len(expected)
    for text in expected:
        assert any(line.startswith(text) for line in found), (text, found)
    named = {line.split(":")[0].split(",")[0] for line in found}
    assert named == {line.split(":")[0].split(",")[0] for line in expected}


def test_circuits_that_cannot_run(backend):
    """Told at once, too, with the PUB."""
    pausing = QuantumCircuit(1)
    pausing.delay(100, 0)
    large = QuantumCircuit(21)
    large.x(20)
    with pytest.raises(InvalidPubError, match=r"PUB 1, instruction 0 \(delay\)") as caught:
        AQTEstimator(backend).run(
            [(turned(), "XX", [0, 1]), (pausing, "Z"), (large, "Z" * 21), (turned(), "XX")]
        )
    assert [problem.pub for problem in caught.value.problems] == [1, 2, 3]


@pytest.mark.parametrize("precision", [0, -0.1, float("nan"), float("inf"), True, "0.1", 1j])
def test_bad_precision(backend, precision):
    """As argument and as option; the error names it."""
    pubs = [(turned(), "XX", [0.1, 0.2])]
    with pytest.raises(InvalidOptionError, match=r"^precision must be"):
        AQTEstimator(backend).run(pubs, precision=precision)
    with pytest.raises(InvalidOptionError, match=r"^default_precision must be"):
        AQTEstimator(backend, {"default_precision": precision})
    estimator = AQTEstimator(backend)
    estimator.options.default_precision = precision
    with pytest.raises(InvalidOptionError, match=r"^default_precision must be"):
        estimator.plan(pubs)


@pytest.mark.parametrize("option", ["grouping", "variances"])
def test_bad_options(backend, option):
    """The error lists what there is."""
    with pytest.raises(InvalidOptionError, match=rf"^{option} must be one of .*, not 'best'"):
        AQTEstimator(backend, {option: "best"})
    with pytest.raises(InvalidOptionError, match=r"^abelian_grouping must be"):
        AQTEstimator(backend, {"abelian_grouping": 1})
    with pytest.raises(InvalidInputError, match="AQT backend"):
        AQTEstimator("ibmq")


def test_classical_bits(backend):
    """Those of the circuit stay out of the way, whatever their names are."""
    circuit = turned()
    circuit.add_register(ClassicalRegister(11, "observed"))
    pub = (circuit, ["XX", "ZI"], [0.3, 1.2])
    found = AQTEstimator(backend, {"seed_simulator": 1}).run([pub]).result()
    close(found, StatevectorEstimator().run([pub]).result())


def test_pubs_and_bindings_of_qiskit(backend):
    """``EstimatorPub`` and ``BindingsArray``, whose parameters are in any order."""
    circuit = turned()
    a, b = circuit.parameters
    bindings = BindingsArray({(b, a): np.array([[1.2, 0.3], [0.1, 2.0]])})
    pubs = [
        EstimatorPub.coerce((circuit, "XX", bindings), 0.05),
        EstimatorPub.coerce((circuit, "ZZ", {b: [1.2, 0.1], a: [0.3, 2.0]})),
    ]
    found = AQTEstimator(backend, {"seed_simulator": 2}).run(pubs).result()
    exact = [(pub.circuit, pub.observables, pub.parameter_values) for pub in pubs]
    close(found, StatevectorEstimator().run(exact).result())


def test_many_outcomes_at_once(backend, monkeypatch):
    """Evaluated in steps, parameter sets have the same values."""
    from aqt_fast.primitives.estimation import estimates

    values = np.random.default_rng(3).uniform(-3, 3, (20, 2))
    pubs = [(turned(), ["XX"], values, 0.1), (turned(), ["ZZ", "YY"], [0.1, 0.2])]
    estimator = AQTEstimator(backend, {"seed_simulator": 3})
    whole = estimator.run(pubs).result()
    monkeypatch.setattr(estimates, "_BYTES_AT_ONCE", 300)
    steps = estimator.run(pubs).result()
    for one, other in zip(whole, steps, strict=True):
        assert np.array_equal(one.data.evs, other.data.evs)
        assert np.array_equal(one.data.stds, other.data.stds)
