"""What an estimator tells before it runs."""

import numpy as np
import pytest
from aqt_fast.exceptions import InvalidPubError
from aqt_fast.primitives import AQTEstimator
from aqt_fast.visualization.quantities import duration
from clients import connect, device_of
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp


@pytest.fixture
def circuit() -> QuantumCircuit:
    """A parameter, and an entangling gate at the end."""
    circuit = QuantumCircuit(2)
    circuit.ry(Parameter("a"), [0, 1])
    circuit.cx(0, 1)
    return circuit


@pytest.fixture
def pubs(circuit):
    """Two PUBs: 3 sets of 2 observables, and a constant."""
    observables = [[SparsePauliOp(["XX", "ZZ"], [3, 1])], ["II"]]
    return [(circuit, observables, [[0.1], [0.2], [0.3]], 0.1), (circuit, "II", [0.1])]


def test_it_is_what_runs(backend, pubs):
    """Circuits, shots and gates are those of the job."""
    for options in ({}, {"grouping": "general"}, {"grouping": "none", "optimization_level": 0}):
        estimator = AQTEstimator(backend, options)
        plan = estimator.plan(pubs)
        job = estimator.run(pubs)
        shots = [group.shots for group in plan for _ in range(group.circuits)]
        (ran,) = job.jobs
        assert np.broadcast_to(ran.options.shots, len(shots)).tolist() == shots
        assert plan.circuits == len(ran.circuits)
        assert plan.shots == sum(shots) == sum(item.metadata["shots"] for item in job.result())
        assert str(plan) == str(estimator.plan(pubs))


def test_groups(backend, pubs):
    """Terms, gates, circuits and shots of each group."""
    plan = AQTEstimator(backend, {"grouping": "qubit_wise", "optimization_level": 0}).plan(pubs)
    assert [(group.pub, group.terms, group.circuits, group.shots) for group in plan] == [
        (0, ("ZZ",), 3, 400),
        (0, ("XX",), 3, 1200),
    ]
    assert sorted(gate for gate in plan[1].gates) == [("h", (0,)), ("h", (1,))]
    assert [group.two_qubit_gates for group in plan] == [0, 0]
    assert plan.shots == 3 * 1600
    assert plan.circuits == 6
    assert plan.cost(per_shot=0.02, per_circuit=1) == pytest.approx(102)
    errors = plan.standard_errors
    assert [of_pub.shape for of_pub in errors] == [(2, 3), ()]
    assert np.allclose(errors[0], [[0.1] * 3, [0] * 3])
    assert errors[1] == 0


def test_clifford_end(backend, pubs):
    """The entangling gate does not run, and terms are those before it."""
    plan = AQTEstimator(backend, {"grouping": "qubit_wise"}).plan(pubs)
    assert [group.left_out for group in plan] == [1] * len(plan)
    assert {term for group in plan for term in group.terms} == {"IX", "ZI"}
    (group,) = plan
    assert group.shots == 1600
    job = AQTEstimator(backend, {"grouping": "qubit_wise"}).run(pubs)
    assert all("rxx" not in ran.count_ops() for ran in job.jobs[0].circuits)


def test_table(backend, pubs):
    """As text and in notebooks, with sums."""
    plan = AQTEstimator(backend, {"grouping": "none", "optimization_level": 0}).plan(pubs)
    text = str(plan)
    assert "XX" in text
    assert "1200" in text
    assert text.endswith("6 circuits, 4800 shots, standard error up to 0.1")
    assert "<table" in plan._repr_html_()
    assert "4800 shots" in plan._repr_html_()
    assert len(plan[:1]) == 1
    assert plan[:1].shots == 1200


def test_nothing(backend):
    """No PUBs, no groups."""
    plan = AQTEstimator(backend).plan([])
    assert (len(plan), plan.shots, plan.circuits, plan.seconds) == (0, 0, 0, 0)
    assert str(plan)


def test_time_on_a_device(server, pubs):
    """That of gates, readout and what comes on top of a shot; nothing is sent."""
    with connect(server) as portal:
        device = device_of(portal, "ibex")
        estimator = AQTEstimator(device, {"grouping": "none", "optimization_level": 0})
        durations = device.target.durations().duration_by_name
        readout, gate = durations["measure"][0], durations["rxx"][0]
        alone = device.device_times.replaced(shot_overhead=0, circuit_overhead=0)
        for times, overhead in ((None, 0.2), (alone, 0)):
            device.device_times = times
            plan = estimator.plan(pubs)
            assert plan.seconds > plan.shots * (overhead + readout + gate)
            assert plan.seconds < plan.shots * (overhead + readout + 10 * gate) + 1
            estimate = plan.estimate()
            assert plan.seconds == pytest.approx(estimate.device_seconds.likely)
            assert (estimate.circuits, estimate.shots) == (plan.circuits, plan.shots)
            assert f"about {duration(plan.seconds)} on the device" in str(plan)
        assert plan[:1].estimate().shots == plan[0].shots * plan[0].circuits
        assert estimator.plan([]).estimate().device_seconds == (0, 0, 0)
        assert not server.jobs


def test_cost_of_runs(machine):
    """A circuit with more shots than a run has counts several times."""
    plan = AQTEstimator(machine).plan([(QuantumCircuit(1), "X", [], 0.01)])
    assert plan.shots == 10_000
    assert plan.cost(per_shot=0, per_circuit=0.1) == 0.5


def test_time_is_unknown(backend, pubs):
    """A simulator has none."""
    assert AQTEstimator(backend).plan(pubs).seconds is None


@pytest.mark.parametrize("precision", [1e-5, 1e-12, 1e-300])
def test_precisions_that_cannot_be_met(backend, precision):
    """One text, however small the precision is."""
    circuit = QuantumCircuit(1)
    with pytest.raises(InvalidPubError) as raised:
        AQTEstimator(backend).plan([(circuit, "Z"), (circuit, "X", [], precision)])
    expected = f"PUB 1: the precision {precision} needs more than 2147483647 shots of a circuit"
    assert str(raised.value).splitlines()[-1].strip().startswith(expected)


def test_coefficients_that_are_too_large(backend):
    """No number of shots would do."""
    circuit = QuantumCircuit(1)
    with pytest.raises(InvalidPubError, match="coefficients of an observable are too large"):
        AQTEstimator(backend).plan([(circuit, SparsePauliOp("Z", 1e200))])
