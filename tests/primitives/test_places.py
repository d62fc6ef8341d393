"""Circuits that cannot run are named by their PUB and parameter set."""

import numpy as np
import pytest
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp


def good(size: int = 1) -> QuantumCircuit:
    """A circuit with a parameter."""
    circuit = QuantumCircuit(size)
    circuit.rx(Parameter("θ"), 0)
    return circuit


def bad(size: int = 1) -> QuantumCircuit:
    """A circuit that no AQT device runs."""
    circuit = good(size)
    circuit.delay(100, 0)
    circuit.rx(0.5, 0)
    return circuit


def measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """The circuit with measurements."""
    circuit.measure_all()
    return circuit


def places(job) -> list[tuple[int | None, tuple[int, ...]]]:
    """Where the problems of a job are."""
    with pytest.raises(InvalidCircuitError) as caught:
        job.result()
    return [(problem.pub, problem.parameter_set) for problem in caught.value.problems]


def test_sampler(backend):
    """PUBs count as the user has given them, whatever their shots and sizes are."""
    sampler = AQTSampler(backend)
    sets = np.full((2, 2, 1), 0.5)
    several = [
        (measured(good()), sets),
        (measured(bad()), np.zeros((0, 1))),
        (measured(good()), [0.5], 7),
        (measured(bad()), [[0.5], [0.6]]),
        (measured(bad()), sets),
        (measured(bad()), [0.5]),
    ]
    assert places(sampler.run(several)) == [
        *((3, (number,)) for number in range(2)),
        *((4, index) for index in np.ndindex(2, 2)),
        (5, ()),
    ]
    with pytest.raises(InvalidCircuitError, match=r"^PUB 1, parameter set 0, instruction 1 \(del"):
        sampler.run([several[2], several[3]]).result()
    with pytest.raises(InvalidCircuitError, match=r"^PUB 0, instruction 1 \(delay\): "):
        sampler.run([several[5]]).result()


@pytest.mark.parametrize("grouping", [True, False])
def test_estimator(backend, grouping):
    """A parameter set has as many circuits as its observables need bases."""
    estimator = AQTEstimator(backend, {"abelian_grouping": grouping})
    observables = [SparsePauliOp(["XX", "ZZ", "ZI"]), SparsePauliOp("YY")]
    several = [
        (good(2), observables, [0.5]),
        (good(2), observables[0], [[0.5], [0.6]], 0.5),
        (bad(2), observables, [[0.5], [0.6]]),
        (bad(2), [[observables[0]], [observables[1]]], [[0.5], [0.6], [0.7]]),
        (bad(2), observables[1], [0.5]),
    ]
    found = places(estimator.run(several))
    xx_zz_zi, and_yy = (2, 3) if grouping else (3, 4)
    assert found == [
        *[(2, (0,))] * xx_zz_zi,
        (2, (1,)),
        *((3, (number,)) for number in range(3) for _ in range(and_yy)),
        (4, ()),
    ]
    with pytest.raises(InvalidCircuitError, match=r"^PUB 1, instruction 1 \(delay\): "):
        estimator.run([several[0], several[4]]).result()
