"""Groups, bases and shots: exact values, bounds, and the choice of a grouping."""

import math

import numpy as np
import pytest
from aqt_fast.primitives.estimation.gate_errors import GateErrors
from aqt_fast.primitives.estimation.measurement import plan_measurement
from aqt_fast.primitives.estimation.observables import pauli_terms
from aqt_fast.primitives.estimation.planning import Planner
from qiskit import QuantumCircuit
from qiskit.circuit.random import random_circuit
from qiskit.primitives import StatevectorEstimator
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.quantum_info import (
    SparseObservable,
    SparsePauliOp,
    Statevector,
    random_clifford,
    random_pauli_list,
)

IDEAL = GateErrors({}, 0.0)
GROUPINGS = ["auto", "qubit_wise", "general", "none"]
HEISENBERG = SparsePauliOp.from_sparse_list(
    [(2 * letter, [site, site + 1], 1.0) for site in range(5) for letter in "XYZ"], 6
)


def plan(observables, precision=0.1, *, grouping="auto", variances="bound", errors=IDEAL):
    """Plan observables."""
    several = observables if isinstance(observables, list) else [observables]
    read = [SparseObservable.from_sparse_pauli_op(item.simplify()) for item in several]
    terms = pauli_terms(read, read[0].num_qubits)
    return plan_measurement(
        terms,
        np.full(len(read), precision),
        grouping=grouping,
        variances=variances,
        gate_errors=errors,
    )


def distribution(circuit: QuantumCircuit) -> np.ndarray:
    """The probabilities of outcomes, of all qubits."""
    unmeasured = QuantumCircuit(circuit.num_qubits)
    for item in circuit.data:
        if item.operation.name != "measure":
            places = [circuit.find_bit(qubit).index for qubit in item.qubits]
            unmeasured.append(item.operation, places)
    return np.abs(Statevector(unmeasured).data) ** 2


def values_of(group, probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Value of each observable's part by outcome, and its mean; shapes (observables, outcomes)."""
    outcomes = np.arange(len(probabilities), dtype=np.uint64)
    parities = np.bitwise_count(outcomes & group.basis.masks[:, :1]) % 2
    signed = group.basis.signs[:, None] * (1.0 - 2.0 * parities)
    values = np.array([part @ signed[terms] for terms, part in group.parts])
    return values, values @ probabilities


def random_pub(seed: int) -> EstimatorPub:
    """A random circuit with a Clifford end, and three observables."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 5))
    circuit = random_circuit(size, 3, max_operands=min(size, 3), seed=seed)
    circuit.compose(random_clifford(size, rng).to_circuit(), inplace=True)
    observables = [
        SparsePauliOp(random_pauli_list(size, number, phase=False, seed=seed + number),
                      rng.normal(size=number))
        for number in rng.integers(1, 9, 3).tolist()
    ]  # fmt: skip
    return EstimatorPub.coerce((circuit, observables), 0.1)


@pytest.mark.parametrize("grouping", GROUPINGS)
@pytest.mark.parametrize("cut_ends", [True, False])
def test_exact_values(grouping, cut_ends):
    """All groupings give the expectation values of the statevector, without a shot."""
    cut = 0
    for seed in range(30):
        pub = random_pub(seed)
        planned = Planner(grouping, "bound", IDEAL, cut_ends=cut_ends).plan(0, pub)
        (part,) = planned.parts
        total = part.measurement.terms.constants.copy()
        for _, group, circuit in planned.groups():
            total += values_of(group, distribution(circuit))[1]
        exact = StatevectorEstimator().run([(pub.circuit, pub.observables)]).result()[0].data.evs
        assert np.allclose(total, exact[part.observables])
        cut += part.left_out
    assert bool(cut) is cut_ends


@pytest.mark.parametrize("grouping", ["qubit_wise", "general"])
def test_bounds_hold(grouping):
    """No state has a larger standard error than the target; half spreads are exact here."""
    rng = np.random.default_rng(1)
    for seed in range(20):
        paulis = random_pauli_list(4, 8, phase=False, seed=seed)
        planned = plan(SparsePauliOp(paulis, rng.normal(size=8)), 0.03, grouping=grouping)
        assert planned.standard_errors("bound")[0] <= 0.03 * (1 + 1e-9)
        for group in planned.groups:
            values, _ = values_of(group, np.full(16, 1 / 16))
            assert group.half_spreads[0] == pytest.approx((values.max() - values.min()) / 2)
            assert group.average_variances()[0] == pytest.approx(values.var())


@pytest.mark.parametrize("precision", [1.0, 0.3, 0.1, 1 / 64, 0.01, 1 / math.sqrt(777), 2.5e-5])
@pytest.mark.parametrize("variances", ["bound", "average"])
def test_one_term(precision, variances):
    """⌈1/precision²⌉ shots, as Qiskit's estimator; a coefficient scales the precision."""
    (group,) = plan(SparsePauliOp("XYZ"), precision, variances=variances).groups
    assert group.shots == pytest.approx(math.ceil(precision**-2), abs=1)
    assert group.shots * precision**2 >= 1 - 1e-9
    assert plan(SparsePauliOp("XY", 3.0), 3 * precision).shots == group.shots
    assert plan(SparsePauliOp("XY", -3.0), precision).shots >= 9 * (group.shots - 1)


def test_shots_follow_weights():
    """Two groups with weights 3 and 1 share their shots 3 to 1: (3 + 1)²/p² in all."""
    planned = plan(SparsePauliOp(["XX", "ZI"], [3, 1]), 0.1)
    assert [group.shots for group in planned.groups] == [1200, 400]
    assert planned.standard_errors("bound") == pytest.approx([0.1])


def test_average_states():
    """Six terms in one group: 6/p² for an average state, 36/p² for the worst one."""
    chain = SparsePauliOp.from_sparse_list([("ZZ", [n, n + 1], 1.0) for n in range(6)], 7)
    assert plan(chain, 0.1, variances="average").shots == 600
    assert plan(chain, 0.1, variances="bound").shots == 3600
    assert plan(chain, 0.1, variances="average").standard_errors("bound") == pytest.approx(
        0.1 * math.sqrt(6)
    )


def test_shared_terms_run_once():
    """Observables of the same terms need the shots of the most demanding one."""
    terms = ["ZZI", "XXI"]
    alone = plan(SparsePauliOp(terms, [2, 1]), 0.1)
    shared = plan([SparsePauliOp(terms, [2, 1])] * 5 + [SparsePauliOp(terms, [1, 0.5])], 0.1)
    assert [group.shots for group in shared.groups] == [group.shots for group in alone.groups]


def test_plans_are_kept():
    """The same question has the same answer, and another one another."""
    observable = SparsePauliOp(["XX", "ZZ", "II"], [1, 2, 3])
    first = plan(observable, 0.1)
    assert plan(observable.copy(), 0.1) is first
    for other in (
        plan(observable, 0.2),
        plan(observable + SparsePauliOp("II"), 0.1),
        plan(2 * observable, 0.1),
        plan(observable, 0.1, variances="average"),
        plan(observable, 0.1, errors=GateErrors({}, 0.1)),
        plan([observable, observable], 0.1),
    ):
        assert other is not first


def test_constants_are_free():
    """Nothing is measured."""
    planned = plan([SparsePauliOp("III", 2.0), SparsePauliOp("III", -1.0)])
    assert planned.groups == ()
    assert planned.shots == 0
    assert planned.terms.constants.tolist() == [2, -1]


def test_groupings():
    """A Heisenberg chain has three qubit-wise groups and two general ones."""
    numbers = {grouping: len(plan(HEISENBERG, grouping=grouping).groups) for grouping in GROUPINGS}
    assert numbers == {"auto": 3, "qubit_wise": 3, "general": 2, "none": 15}
    assert plan(HEISENBERG, grouping="qubit_wise").two_qubit_gates == 0
    assert plan(HEISENBERG, grouping="general").two_qubit_gates > 0


@pytest.mark.parametrize(
    ("error", "precision", "groups"),
    [(0.0, 0.01, 1), (0.001, 0.1, 1), (0.02, 0.01, 3), (0.9, 0.1, 3)],
)
def test_auto_weighs_gates_against_shots(error, precision, groups):
    """Three terms that commute in general only: one group, unless its gates spoil the signal."""
    square = SparsePauliOp(["XX", "ZZ", "YY"], [1.0, 1.0, -1.0])
    assert len(plan(square, precision, errors=GateErrors({}, error)).groups) == groups


def test_gate_errors(backend, provider):
    """None of an ideal simulator, those of a noise model, and an assumption for devices."""
    gates = [("h", (0,)), ("cx", (0, 1)), ("cz", (1, 2))]
    assert GateErrors.of_backend(backend).signal(gates) == 1
    noisy = provider.get_backend("offline_simulator_noise")
    expected = 1.0
    for pair in ((0, 1), (1, 2)):
        error = dict(noisy.target.items())["rxx"][pair].error
        expected *= 1 - 4 / 3 * error
    assert GateErrors.of_backend(noisy).signal(gates) == pytest.approx(expected)
    assert 0 < expected < 1
    assert GateErrors({}, 0.01).signal(gates) == pytest.approx((1 - 0.04 / 3) ** 2)
    assert GateErrors({(0, 1): 0.9}, 0.0).signal(gates) == 0
