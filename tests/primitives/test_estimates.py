"""The estimator's evaluation: errors where nothing varies, and the file that it is kept in."""

import copy
import math

import numpy as np
import orjson
import pytest
from aqt_fast.primitives.estimation.estimates import EstimatorEvaluation, MeasuredGroup, Shots
from aqt_fast.primitives.estimation.gate_errors import GateErrors
from aqt_fast.primitives.estimation.planning import Planner
from aqt_fast.primitives.evaluation import array_to_json
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import SparsePauliOp


def group_of(signs, values, spread, shots) -> MeasuredGroup:
    """Terms Z on each of some qubits, in one observable."""
    masks = np.array([[1 << qubit] for qubit in range(len(signs))], np.uint64)
    part = (np.arange(len(signs)), np.array(values, float))
    return MeasuredGroup(masks, np.array(signs, np.int8), (part,), np.array([spread]), shots)


def added(group: MeasuredGroup, outcomes: list[int]) -> tuple[float, float]:
    """Value and standard error for outcomes of up to eight qubits."""
    found = group.shots_of(np.array(outcomes, np.uint8).reshape(1, -1, 1))
    return float(found.means[0, 0]), math.sqrt(group.squared_errors(found)[0, 0])


def test_sample_variances():
    """Unbiased, with the covariance of terms in the same shots."""
    outcomes = np.random.default_rng(2).integers(0, 4, 200).tolist()
    shot_values = [2.0 * (1 - 2 * (o & 1)) - 0.5 * (1 - 2 * (o >> 1)) for o in outcomes]
    value, error = added(group_of([1, -1], [2.0, 0.5], 2.5, 200), outcomes)
    assert value == pytest.approx(np.mean(shot_values))
    assert error == pytest.approx(np.std(shot_values, ddof=1) / math.sqrt(200))


@pytest.mark.parametrize("shots", [1, 2, 100])
def test_shots_that_agree(shots):
    """The error is that of Laplace's rule: one more outcome, at the other end."""
    value, error = added(group_of([-1], [3.0], 3.0, shots), [0] * shots)
    assert value == -3
    rare = 1 / (shots + 2)
    assert error == pytest.approx(math.sqrt(36 * rare * (1 - rare) / shots))


def test_shots_of_two_jobs():
    """Count as one sample."""
    values = np.random.default_rng(4).normal(size=(300, 2, 3))
    parts = [Shots(1, values[0], np.zeros((2, 3)))] + [
        Shots(len(some), some.mean(axis=0), some.var(axis=0, ddof=1))
        for some in (values[1:100], values[100:])
    ]
    whole = parts[0].joined(parts[1]).joined(parts[2])
    assert whole.number == 300
    assert np.allclose(whole.means, values.mean(axis=0))
    assert np.allclose(whole.variances, values.var(axis=0, ddof=1))


def evaluation() -> EstimatorEvaluation:
    """Three PUBs: zipped and broadcast, constant, empty."""
    circuit = QuantumCircuit(3, metadata={"a": 1})
    circuit.rx(Parameter("a"), [0, 1, 2])
    zipped = [SparsePauliOp(["XXI", "ZZZ", "III"], [1, 2, 3]), SparsePauliOp(["YII", "IIY"]), "ZZZ"]
    pubs = [
        (circuit, zipped, [[0.1], [0.2], [0.3]]),
        (circuit, [["XXX"], [SparsePauliOp(["ZII", "XII"], [1, 0.1])]], [[0.1], [0.2], [0.3]]),
        (circuit, "III", [0.1]),
        (circuit, "ZZZ", np.zeros((0, 1))),
    ]
    planner = Planner("auto", "bound", GateErrors({}, 0.0), cut_ends=True)
    planned = [planner.plan(index, EstimatorPub.coerce(pub, 0.1)) for index, pub in enumerate(pubs)]
    return EstimatorEvaluation([pub.measured() for pub in planned])


def test_round_trip():
    """Through JSON and back; both say the same."""
    made = evaluation()
    text = orjson.dumps(made.to_json())
    read = EstimatorEvaluation.from_json(orjson.loads(text))
    assert read.num_circuits == made.num_circuits == 3 + 6
    assert orjson.dumps(read.to_json()) == text


def test_it_is_compact():
    """Plans are kept once, however many parameter sets there are."""
    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    sizes = []
    for number in (10, 10_000):
        pub = EstimatorPub.coerce((circuit, [["ZZ"], ["XX"]], np.zeros((number, 1))), 0.1)
        planned = Planner("auto", "bound", GateErrors({}, 0.0), cut_ends=True).plan(0, pub)
        made = EstimatorEvaluation([planned.measured()])
        assert made.num_circuits in (number, 2 * number)
        sizes.append(len(orjson.dumps(made.to_json())))
    assert sizes[1] < sizes[0] + 50


def damaged():
    """Contents that must not be read, each with one entry changed."""
    good = evaluation().to_json()
    part = ("pubs", 0, "parts", 0)
    changes = [
        (("pubs", 0, "sets"), [4]),
        (("pubs", 0, "sets"), "x"),
        (("pubs", 0, "precision"), "x"),
        (("pubs", 0, "parts"), []),
        (("pubs", 3, "parts"), good["pubs"][0]["parts"]),
        ((*part, "shots"), array_to_json(np.array([0] * 9))),
        ((*part, "signs"), array_to_json(np.array([1], np.int8))),
        ((*part, "terms"), array_to_json(np.array([70, 70, 70], np.uint32))),
        ((*part, "constants"), array_to_json(np.array([1, 2, 3]))),
        ((*part, "masks"), None),
    ]
    for path, value in changes:
        content = copy.deepcopy(good)
        place = content
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value
        yield pytest.param(content, id="-".join(map(str, path)))


@pytest.mark.parametrize("content", list(damaged()))
def test_what_does_not_fit(content):
    """Errors that the caller expects."""
    with pytest.raises((LookupError, TypeError, ValueError)):
        EstimatorEvaluation.from_json(content)
