"""The planner: groups, bases, expectation values, bounds and shots against Qiskit, NumPy, SciPy."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from aqt_fast.primitives.estimation import planner
from qiskit import QuantumCircuit
from qiskit.primitives import BitArray
from qiskit.quantum_info import (
    Clifford,
    Operator,
    Pauli,
    PauliList,
    SparsePauliOp,
    random_clifford,
    random_pauli_list,
)
from scipy.optimize import minimize


def masks(paulis):
    """Masks of terms."""
    return planner.pack_bits(paulis.x), planner.pack_bits(paulis.z)


def unpack(words, num_qubits):
    """Masks as booleans."""
    octets = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, :num_qubits].astype(bool)


def commuting(num_qubits, size, seed, *, local=False):
    """Terms of one commuting group: random products of Z after a random Clifford."""
    rng = np.random.default_rng(seed)
    z = rng.random((size, num_qubits)) < 0.5
    paulis = PauliList.from_symplectic(z, np.zeros_like(z))
    if local:
        circuit = QuantumCircuit(num_qubits)
        for qubit, kind in enumerate(rng.integers(3, size=num_qubits)):
            if kind:
                circuit.h(qubit)
            if kind == 2:
                circuit.s(qubit)
        clifford = Clifford(circuit)
    else:
        clifford = random_clifford(num_qubits, seed=seed)
    evolved = paulis.evolve(clifford)
    evolved.phase = 0
    return evolved


def circuit_of(basis, num_qubits):
    """The gates of a basis as a circuit."""
    circuit = QuantumCircuit(num_qubits)
    for name, qubits in basis.gates:
        getattr(circuit, name)(*qubits)
    return circuit


# Masks.


@pytest.mark.parametrize("num_qubits", [0, 1, 7, 8, 9, 63, 64, 65, 128, 200])
def test_masks_have_the_bits_of_the_qubits(num_qubits):
    """As numbers in binary, words and remainders included."""
    bits = np.random.default_rng(num_qubits).random((5, num_qubits)) < 0.5
    words = planner.pack_bits(bits)
    assert words.dtype == np.uint64
    assert words.shape == (5, max(1, math.ceil(num_qubits / 64)))
    for row, expected in zip(words.tolist(), bits, strict=True):
        number = sum(word << (64 * index) for index, word in enumerate(row))
        assert number == sum(1 << qubit for qubit in np.flatnonzero(expected).tolist())


# Groups.


@pytest.mark.parametrize("qubit_wise", [True, False])
@pytest.mark.parametrize("num_qubits", [1, 2, 5, 12, 63, 64, 65, 130])
def test_groups_commute_and_have_every_term_once(num_qubits, qubit_wise):
    """Each pair of each group is checked."""
    paulis = random_pauli_list(num_qubits, 150, seed=num_qubits, phase=False)
    weights = np.random.default_rng(num_qubits).random(150)
    groups = planner.group_terms(*masks(paulis), weights, qubit_wise=qubit_wise)
    assert sorted(np.concatenate(groups)) == list(range(150))
    firsts = [group[0] for group in groups]
    assert firsts == sorted(firsts)
    for group in groups:
        assert (np.diff(group) > 0).all()
        for one, other in itertools.combinations(group, 2):
            if qubit_wise:
                both = paulis[[one, other]]
                acting = (both.x | both.z).all(axis=0)
                assert (both.x[0] == both.x[1])[acting].all()
                assert (both.z[0] == both.z[1])[acting].all()
            else:
                assert paulis[one].commutes(paulis[other])


@pytest.mark.parametrize("qubit_wise", [True, False])
@pytest.mark.parametrize("kind", ["equal", "uniform", "uneven"])
@pytest.mark.parametrize(("num_qubits", "size"), [(3, 40), (4, 256), (6, 300), (12, 400)])
def test_groups_need_no_more_shots_or_circuits_than_qiskits(num_qubits, size, kind, qubit_wise):
    """More circuits only where they save 2 % of the shots."""
    rng = np.random.default_rng(size)
    paulis = random_pauli_list(num_qubits, size, seed=size, phase=False)
    weights = {
        "equal": np.ones(size),
        "uniform": rng.random(size),
        "uneven": np.exp(3 * rng.normal(size=size)),
    }[kind]
    groups = planner.group_terms(*masks(paulis), weights, qubit_wise=qubit_wise)
    numbered = SparsePauliOp(paulis, np.arange(1, size + 1))
    theirs = [
        np.rint(group.coeffs.real).astype(int) - 1
        for group in numbered.group_commuting(qubit_wise=qubit_wise)
    ]

    def shots(groups):
        return sum(np.sqrt((weights[group] ** 2).sum()) for group in groups) ** 2

    assert shots(groups) <= shots(theirs) * (1 + 1e-12)
    assert len(groups) <= len(theirs) or shots(groups) <= 0.98 * shots(theirs)


@pytest.mark.parametrize("qubit_wise", [True, False])
@pytest.mark.parametrize("num_qubits", [8, 30, 100])
def test_groups_of_terms_on_few_qubits_commute(num_qubits, qubit_wise):
    """Many terms, most of which leave most qubits alone, as in Hamiltonians."""
    rng = np.random.default_rng(num_qubits)
    acting = rng.random((500, num_qubits)) < 2 / num_qubits
    kinds = rng.integers(1, 4, size=acting.shape) * acting
    paulis = PauliList.from_symplectic(kinds >= 2, kinds % 2 == 1)
    groups = planner.group_terms(*masks(paulis), rng.random(500), qubit_wise=qubit_wise)
    assert sorted(np.concatenate(groups)) == list(range(500))
    for group in groups:
        assert len(paulis[group].group_commuting(qubit_wise=qubit_wise)) == 1


def test_heavy_terms_come_together():
    """Weights decide between XX with YY, or with XI."""
    paulis = PauliList(["XX", "YY", "XI"])
    together = []
    for weights in ([1, 1, 0.1], [1, 0.1, 1]):
        groups = planner.group_terms(*masks(paulis), np.array(weights), qubit_wise=False)
        together.append([group.tolist() for group in groups])
    assert together == [[[0, 1], [2]], [[0, 2], [1]]]


@pytest.mark.parametrize("qubit_wise", [True, False])
def test_identities_equal_terms_and_no_terms_have_groups(qubit_wise):
    """Nothing is merged, nothing is lost."""
    paulis = PauliList(["III", "XYZ", "XYZ", "III"])
    groups = planner.group_terms(*masks(paulis), np.ones(4), qubit_wise=qubit_wise)
    assert [group.tolist() for group in groups] == [[0, 1, 2, 3]]
    none = np.zeros((0, 1), dtype=np.uint64)
    assert planner.group_terms(none, none, np.ones(0), qubit_wise=qubit_wise) == []


# Bases.


def check_basis(basis, paulis):
    """C P C† = ± a product of Z, by Qiskit's tableau."""
    num_qubits = paulis.num_qubits
    evolved = paulis.evolve(circuit_of(basis, num_qubits), frame="s")
    assert not evolved.x.any()
    assert (evolved.z == unpack(basis.masks, num_qubits)).all()
    assert (np.where(evolved.phase == 2, -1, 1) == basis.signs).all()
    assert set(evolved.phase.tolist()) <= {0, 2}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("num_qubits", [1, 2, 3, 5, 8, 12, 31, 64, 70])
def test_basis_of_commuting_terms(num_qubits, seed):
    """Masks and signs against Qiskit's tableau; few gates."""
    paulis = commuting(num_qubits, 1 + 3 * seed, seed)
    basis = planner.diagonalise(*masks(paulis), num_qubits=num_qubits)
    check_basis(basis, paulis)
    assert {name for name, _ in basis.gates} <= {"h", "s", "sdg", "cx", "cz"}
    rank = min(num_qubits, len(paulis))
    assert basis.two_qubit_gates <= rank * (num_qubits - 1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("num_qubits", [1, 3, 12, 65])
def test_terms_that_commute_qubit_wise_need_no_two_qubit_gate(num_qubits, seed):
    """Each qubit is turned on its own."""
    paulis = commuting(num_qubits, 20, seed, local=True)
    basis = planner.diagonalise(*masks(paulis), num_qubits=num_qubits)
    check_basis(basis, paulis)
    assert basis.two_qubit_gates == 0
    assert (basis.signs == 1).all()


@pytest.mark.parametrize("seed", range(20))
def test_basis_as_matrices(seed):
    """The circuit as a matrix, against Qiskit's tableau and ours at once."""
    num_qubits = 2 + seed % 3
    paulis = commuting(num_qubits, 6, 100 + seed)
    basis = planner.diagonalise(*masks(paulis), num_qubits=num_qubits)
    unitary = Operator(circuit_of(basis, num_qubits)).data
    for pauli, mask, sign in zip(paulis, unpack(basis.masks, num_qubits), basis.signs, strict=True):
        diagonal = sign * Pauli((mask, np.zeros_like(mask))).to_matrix()
        assert np.allclose(unitary @ pauli.to_matrix() @ unitary.conj().T, diagonal)


@pytest.mark.parametrize(
    ("labels", "gates"),
    [
        (["XX", "ZZ"], 1),
        (["XX", "YY", "ZZ"], 1),
        (["XXX", "ZZI", "IZZ"], 2),
        (["XXXX", "ZZZZ"], 3),
        (["XXIIII", "ZZIIII", "IIXXII", "IIYYII", "IIIIYZ"], 2),
        (["ZZZZ", "ZIZI", "IIIZ"], 0),
        (["IIII"], 0),
    ],
)
def test_well_known_groups_need_few_gates(labels, gates):
    """Bell, GHZ and code stabilizers, pairs, and terms of Z."""
    paulis = PauliList(labels)
    basis = planner.diagonalise(*masks(paulis), num_qubits=paulis.num_qubits)
    check_basis(basis, paulis)
    assert basis.two_qubit_gates <= gates


def test_qubits_without_terms_have_no_gates():
    """The rest of the circuit stays as it is."""
    basis = planner.diagonalise(*masks(PauliList(["IXIIXI", "IYIIYI"])), num_qubits=6)
    assert {qubit for _, qubits in basis.gates for qubit in qubits} <= {1, 4}


def test_terms_that_do_not_commute_are_named():
    """By their indices."""
    with pytest.raises(ValueError, match=r"^terms 1 and 2 do not commute$"):
        planner.diagonalise(*masks(PauliList(["ZZ", "XI", "ZI"])), num_qubits=2)


# Expectation values.


def parities(rows, masks, signs, num_bits):
    """Values of each term in each shot; shape (sets, shots, K)."""
    bits = np.unpackbits(rows, axis=-1)[..., ::-1][..., :num_bits].astype(int)
    odd = bits @ unpack(masks, num_bits).T.astype(int) % 2
    return signs * (1 - 2 * odd)


@pytest.mark.parametrize("sets", [0, 1, 3])
@pytest.mark.parametrize("shots", [1, 2, 63, 64, 65, 2047, 2048, 5000])
@pytest.mark.parametrize("num_bits", [1, 8, 9, 12, 31, 64, 65])
def test_expectations_are_those_of_numpy(num_bits, shots, sets):
    """All sizes around words and blocks; variances with all covariances."""
    rng = np.random.default_rng([num_bits, shots, sets])
    rows = rng.integers(256, size=(sets, shots, math.ceil(num_bits / 8)), dtype=np.uint8)
    if num_bits % 8:
        rows[..., 0] &= (1 << num_bits % 8) - 1
    bits = rng.random((30, num_bits)) < 0.3
    bits[0] = False
    masks = planner.pack_bits(bits)
    signs = rng.choice([-1, 1], size=30).astype(np.int8)
    observables = [
        (terms, rng.normal(size=len(terms)))
        for terms in (
            [],
            [0],
            [7],
            [3, 4],
            rng.permutation(30)[:8],
            rng.permutation(30)[:9],
            np.arange(30),
            [5, 5, 6],
        )
    ]
    found = planner.expectations(rows, masks, signs, observables)
    expected = parities(rows, masks, signs, num_bits)
    assert np.allclose(found.means, expected.mean(axis=1), rtol=0, atol=1e-14)
    for index, (terms, coefficients) in enumerate(observables):
        values = expected[:, :, np.array(terms, dtype=int)] @ coefficients
        assert np.allclose(found.values[:, index], values.mean(axis=1), rtol=0, atol=1e-12)
        variances = values.var(axis=1, ddof=1) if shots > 1 else np.zeros(sets)
        assert np.allclose(found.variances[:, index], variances, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("num_bits", [3, 12, 20])
def test_means_are_those_of_bit_arrays(num_bits):
    """Against Qiskit's ``BitArray.expectation_values``."""
    rng = np.random.default_rng(num_bits)
    array = BitArray.from_bool_array(rng.random((4, 300, num_bits)) < 0.4)
    bits = rng.random((25, num_bits)) < 0.5
    diagonal = SparsePauliOp(PauliList.from_symplectic(bits, np.zeros_like(bits)))
    found = planner.expectations(
        array.array, planner.pack_bits(bits), np.ones(25, dtype=np.int8), []
    )
    for index, term in enumerate(diagonal.paulis):
        expected = array.expectation_values(SparsePauliOp(term))
        assert np.allclose(found.means[:, index], expected, rtol=0, atol=1e-14)


def test_equal_shots_have_exactly_no_variance():
    """Not even from rounding."""
    rows = np.full((1, 1000, 1), 5, dtype=np.uint8)
    masks = planner.pack_bits(np.array([[1, 0, 0], [1, 1, 0], [1, 1, 1]], dtype=bool))
    observables = [([0, 1, 2], [0.1, 0.2, 0.3]), ([1], [0.7])]
    found = planner.expectations(rows, masks, np.ones(3, dtype=np.int8), observables)
    assert found.variances.tolist() == [[0.0, 0.0]]


def test_terms_of_the_same_shots_are_correlated():
    """In |00⟩ + |11⟩, Z0 − Z1 never varies, and Z0 + Z1 varies as twice Z0."""
    rows = np.array([[0], [3]] * 500, dtype=np.uint8)[np.newaxis]
    masks = planner.pack_bits(np.eye(2, dtype=bool))
    observables = [([0, 1], [1, -1]), ([0, 1], [1, 1])]
    found = planner.expectations(rows, masks, np.ones(2, dtype=np.int8), observables)
    assert np.allclose(found.variances, [[0, 4 * 1000 / 999]])


# Bounds.


@pytest.mark.parametrize("num_bits", [1, 4, 7, 10])
@pytest.mark.parametrize("size", [1, 3, 20, 60])
def test_half_spreads_are_those_of_all_outcomes(num_bits, size):
    """By brute force."""
    rng = np.random.default_rng([num_bits, size])
    bits = rng.random((size, num_bits)) < 0.5
    coefficients = rng.normal(size=size)
    outcomes = np.arange(1 << num_bits)[:, np.newaxis] >> np.arange(num_bits) & 1
    values = (1 - 2 * (outcomes @ bits.T.astype(int) % 2)) @ coefficients
    found = planner.half_spreads(planner.pack_bits(bits), [(np.arange(size), coefficients)])
    assert np.allclose(found, (values.max() - values.min()) / 2)


def test_half_spreads_of_many_bits():
    """Triangles apart from each other are looked at one by one; a rank beyond 12 has a bound."""
    triangles = [
        f"{'I' * 3 * n}{label}{'I' * 3 * (29 - n)}"
        for n in range(30)
        for label in ("ZZI", "IZZ", "ZIZ")
    ]
    exact = PauliList(triangles)
    assert planner.half_spreads(planner.pack_bits(exact.z), [(range(90), [1.0] * 90)]) == [60.0]
    rng = np.random.default_rng(0)
    tangled = planner.pack_bits(rng.random((200, 40)) < 0.5)
    coefficients = rng.normal(size=200)
    bound = planner.half_spreads(tangled, [(range(200), coefficients)])
    assert np.allclose(bound, np.abs(coefficients).sum())


def test_half_spreads_without_terms_or_with_constants():
    """Constants do not spread, equal masks add up."""
    words = planner.pack_bits(np.array([[0, 0], [1, 0], [1, 0]], dtype=bool))
    observables = [([], []), ([0], [3.0]), ([1, 2], [1.0, -1.0]), ([0, 1, 2], [5.0, 1.0, 2.0])]
    assert planner.half_spreads(words, observables).tolist() == [0, 0, 0, 3]


# Shots.


def fits(shots, variances, errors):
    """Whether all observables have their errors."""
    return ((variances / shots).sum(axis=1) <= errors**2 * (1 + 1e-9)).all()


@pytest.mark.parametrize("error", [0.5, 0.1, 0.06, 0.03, 0.02, 0.015625, 0.01, 0.001, 1e-5])
def test_one_pauli_needs_the_inverse_square(error):
    """No shot more from rounding."""
    shots = planner.allocate_shots(np.array([[1.0]]), np.array([error]))
    assert shots.tolist() == [math.ceil(1 / error**2 * (1 - 1e-10))]


@pytest.mark.parametrize("seed", range(10))
def test_one_observable_has_the_closed_form(seed):
    """Up to whole numbers."""
    rng = np.random.default_rng(seed)
    variances = np.exp(rng.normal(size=(1, 1 + 3 * seed)))
    errors = np.array([1e-3])
    shots = planner.allocate_shots(variances, errors)
    roots = np.sqrt(variances[0])
    ideal = roots * roots.sum() / errors**2
    assert fits(shots, variances, errors)
    assert np.allclose(shots, ideal, rtol=0, atol=1 + 1e-6 * ideal.max())


@pytest.mark.parametrize("seed", range(40))
def test_shots_of_small_problems_are_the_fewest(seed):
    """Against all whole numbers."""
    rng = np.random.default_rng(seed)
    groups, observables = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    variances = np.exp(rng.normal(size=(observables, groups))) * (
        rng.random((observables, groups)) < 0.7
    )
    errors = rng.uniform(0.35, 0.8, size=observables)
    minimum = int(rng.integers(1, 4))
    shots = planner.allocate_shots(variances, errors, minimum=minimum)
    assert shots.min() >= minimum
    assert fits(shots, variances, errors)
    most = int(shots.max()) + 15
    axes = np.meshgrid(*[np.arange(minimum, most)] * groups, indexing="ij")
    candidates = np.stack([axis.ravel() for axis in axes])
    good = (
        np.einsum("og,gn->on", variances, 1 / candidates) <= (errors**2)[:, np.newaxis] + 1e-12
    ).all(axis=0)
    assert shots.sum() <= 1.01 * candidates[:, good].sum(axis=0).min()


@pytest.mark.parametrize("seed", range(25))
def test_shots_are_within_one_percent_of_the_optimum(seed):
    """Against SciPy on real numbers, in logarithms, where the problem is smooth and convex."""
    rng = np.random.default_rng(1000 + seed)
    groups, observables = int(rng.integers(2, 9)), int(rng.integers(1, 9))
    variances = np.exp(2 * rng.normal(size=(observables, groups))) * (
        rng.random((observables, groups)) < 0.6
    )
    errors = rng.uniform(0.01, 0.1, size=observables)
    minimum = int(rng.choice([1, 50, 500]))
    shots = planner.allocate_shots(variances, errors, minimum=minimum)
    assert shots.min() >= minimum
    assert fits(shots, variances, errors)
    scale = float(shots.sum())
    found = minimize(
        lambda logs: np.exp(logs).sum(),
        np.log(shots / scale) + 0.1,
        jac=lambda logs: np.exp(logs),
        method="SLSQP",
        bounds=[(np.log(minimum / scale), None)] * groups,
        constraints={
            "type": "ineq",
            "fun": lambda logs: 1 - (variances @ np.exp(-logs)) / scale / errors**2,
            "jac": lambda logs: variances * np.exp(-logs) / scale / (errors**2)[:, np.newaxis],
        },
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert shots.sum() <= 1.01 * found.fun * scale + groups


def test_many_observables_and_groups():
    """All errors are met, the hardest one without slack."""
    rng = np.random.default_rng(5)
    variances = np.exp(rng.normal(size=(200, 60))) * (rng.random((200, 60)) < 0.2)
    errors = rng.uniform(0.005, 0.05, size=200)
    shots = planner.allocate_shots(variances, errors)
    assert fits(shots, variances, errors)
    loads = (variances / shots).sum(axis=1) / errors**2
    assert loads.max() > 0.999


def test_groups_without_variance_have_the_minimum():
    """And so have all groups without observables."""
    variances = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    shots = planner.allocate_shots(variances, np.array([0.1, 0.001]), minimum=7)
    assert shots.tolist() == [7, 100, 7]
    assert planner.allocate_shots(np.zeros((0, 2)), np.zeros(0)).tolist() == [1, 1]
    assert planner.allocate_shots(np.zeros((1, 0)), np.ones(1)).tolist() == []


def test_too_many_shots_overflow():
    """Instead of an inexact number."""
    with pytest.raises(OverflowError, match=r"^group 1 needs more than 2\^53 shots$"):
        planner.allocate_shots(np.array([[0.0, 1.0]]), np.array([1e-9]))


# Bad input.


@pytest.mark.parametrize(
    ("variances", "errors", "reason"),
    [
        ([[1.0, -1.0]], [1.0], "the variance of observable 0 in group 1 is negative"),
        ([[1.0], [np.nan]], [1.0, 1.0], "the variance of observable 1 in group 0"),
        ([[np.inf]], [1.0], "the variance of observable 0 in group 0"),
        ([[1.0], [1.0]], [1.0, 0.0], "the target error of observable 1 is not positive"),
        ([[1.0]], [np.nan], "the target error of observable 0"),
        ([[1.0]], [1.0, 1.0], "each of their rows an error"),
        ([1.0], [1.0], "two axes"),
    ],
)
def test_bad_allocations_are_refused(variances, errors, reason):
    """With the place."""
    with pytest.raises(ValueError, match=reason):
        planner.allocate_shots(np.array(variances), np.array(errors))


def test_a_minimum_below_one_is_refused():
    """Each group needs a shot."""
    with pytest.raises(ValueError, match="the minimum is 0"):
        planner.allocate_shots(np.ones((1, 1)), np.ones(1), minimum=0)


WORDS = np.ones((2, 1), dtype=np.uint64)
SIGNS = np.ones(2, dtype=np.int8)
ROWS = np.zeros((1, 3, 1), dtype=np.uint8)


@pytest.mark.parametrize(
    "call",
    [
        lambda: planner.group_terms(WORDS, WORDS[:1], np.ones(2), qubit_wise=True),
        lambda: planner.group_terms(WORDS, WORDS, np.ones(3), qubit_wise=True),
        lambda: planner.group_terms(WORDS, WORDS, np.array([1, -1]), qubit_wise=True),
        lambda: planner.group_terms(WORDS, WORDS, np.array([1, np.nan]), qubit_wise=True),
        lambda: planner.group_terms(WORDS.astype(int), WORDS, np.ones(2), qubit_wise=True),
        lambda: planner.diagonalise(WORDS, WORDS, num_qubits=65),
        lambda: planner.diagonalise(2 * WORDS, WORDS, num_qubits=1),
        lambda: planner.diagonalise(WORDS, WORDS[:1], num_qubits=1),
        lambda: planner.pack_bits(np.ones(3, dtype=bool)),
        lambda: planner.expectations(ROWS[0], WORDS, SIGNS, []),
        lambda: planner.expectations(ROWS[:, :0], WORDS, SIGNS, []),
        lambda: planner.expectations(ROWS, WORDS, SIGNS[:1], []),
        lambda: planner.expectations(ROWS, WORDS, 0 * SIGNS, []),
        lambda: planner.expectations(ROWS, WORDS << np.uint64(8), SIGNS, []),
        lambda: planner.expectations(ROWS, WORDS, SIGNS, [([2], [1.0])]),
        lambda: planner.expectations(ROWS, WORDS, SIGNS, [([-1], [1.0])]),
        lambda: planner.expectations(ROWS, WORDS, SIGNS, [([0, 1], [1.0])]),
        lambda: planner.half_spreads(WORDS, [([2], [1.0])]),
    ],
)
def test_arrays_that_do_not_fit_are_refused(call):
    """Before anything is read beyond its end."""
    with pytest.raises(ValueError, match=r"\w"):
        call()
