"""Observables become Pauli terms, merged, without what costs no shots."""

import numpy as np
import pytest
from aqt_fast.primitives.estimation.observables import pauli_terms, problems_of
from qiskit.primitives.containers.observables_array import ObservablesArray
from qiskit.quantum_info import Pauli, PauliList, SparseObservable, SparsePauliOp

LETTERS = np.array(list("IXYZ01+-rl"))


def read(*observables, num_qubits):
    """The terms of several observables."""
    array = ObservablesArray(list(observables))
    return pauli_terms(array.sparse_observables_array().tolist(), num_qubits)


def matrix(terms, observable: int) -> np.ndarray:
    """The matrix of an observable."""
    size = terms.num_qubits
    total = terms.constants[observable] * np.eye(2**size, dtype=complex)
    paulis = PauliList.from_symplectic(terms.z, terms.x)
    for term, value in zip(*terms.coefficients[observable], strict=True):
        total += value * paulis[int(term)].to_matrix()
    return total


def test_terms_are_shared_and_merged():
    """Equal terms of several observables are one; identity and zeros are none."""
    terms = read(
        SparsePauliOp(["XIZ", "III", "IYX", "XIZ"], [1, 2, 0.5, 3]),
        {"IYX": 0.25, "III": -1.0, "ZZZ": 0.5},
        Pauli("-IYX"),
        "III",
        num_qubits=3,
    )
    named = dict(enumerate(terms.labels(np.arange(len(terms)))))
    assert sorted(named.values()) == ["IYX", "XIZ", "ZZZ"]
    found = [
        {named[int(term)]: float(value) for term, value in zip(*part, strict=True)}
        for part in terms.coefficients
    ]
    assert found == [{"XIZ": 4, "IYX": 0.5}, {"IYX": 0.25, "ZZZ": 0.5}, {"IYX": -1}, {}]
    assert terms.constants.tolist() == [2, -1, 0, 1]
    assert terms.weights().tolist() == [
        {"XIZ": 4, "IYX": 1, "ZZZ": 0.5}[named[index]] for index in range(3)
    ]


def test_projectors():
    """Sums of products of Paulis and projectors are those of Qiskit's matrices."""
    rng = np.random.default_rng(5)
    for size in (1, 2, 3, 4):
        labels = ["".join(rng.choice(LETTERS, size)) for _ in range(6)]
        observable = SparseObservable.from_list(
            [(label, value) for label, value in zip(labels, rng.normal(size=6), strict=True)]
        )
        terms = read(observable, "X" * size, num_qubits=size)
        exact = SparsePauliOp.from_sparse_observable(observable).to_matrix()
        assert np.allclose(matrix(terms, 0), exact)
        assert np.allclose(matrix(terms, 1), Pauli("X" * size).to_matrix())


def test_projectors_that_cancel():
    """|0⟩⟨0| + |1⟩⟨1| is the identity, |0⟩⟨0| − |1⟩⟨1| is Z."""
    terms = read({"0": 1.0, "1": 1.0}, {"0": 1.0, "1": -1.0}, num_qubits=1)
    assert terms.constants.tolist() == [1, 0]
    assert [len(part[0]) for part in terms.coefficients] == [0, 1]
    assert terms.labels(np.arange(len(terms))) == ["Z"]


def test_too_many_projectors():
    """An error, instead of an hour."""
    with pytest.raises(ValueError, match=r"1\.07e\+09 Pauli terms"):
        read("0" * 30, num_qubits=30)


def test_many_qubits():
    """More than a word of 64."""
    terms = read(SparsePauliOp.from_sparse_list([("XZ", [3, 69], 2.0)], 70), num_qubits=70)
    assert np.flatnonzero(terms.x[0]).tolist() == [3]
    assert np.flatnonzero(terms.z[0]).tolist() == [69]


def test_problems():
    """Each observable that Qiskit refuses, with its place."""
    found = problems_of([["XX", SparsePauliOp("XX", 1j)], [{"YY": 2j}, SparsePauliOp("ZZ", 0.0)]])
    assert [place for place, _ in found] == [(0, 1), (1, 0), (1, 1)]
    assert "Hermitian" in found[0][1]
    assert "Empty" in found[2][1]
