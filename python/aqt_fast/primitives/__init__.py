"""Qiskit's primitives (V2) on AQT backends.

::

    sampler, estimator    the primitives
    options               what they are made with
    pubs                  from PUBs to circuits, and what is wrong with them
    templates, angles     circuits with parameters, compiled for any number of parameter sets
    job                   the job of a call of ``run``
    evaluation            what a primitive makes of the outcomes: the interface
    registers             what a sampler makes of them
    evaluations           how evaluations are written to a file and read
    observables           observables as sums of Pauli terms
    clifford_end          the Clifford gates at the end of a circuit
    broadcasting          which observables belong to which parameter sets
    gate_errors           what two-qubit gates do to a signal
    measurement           groups of terms, and the shots of each
    planning              from PUBs of an estimator to circuits
    pilot                 shots that a first job's variances call for
    plan, device_time     what an estimator is going to run, and how long that takes
    estimates             what an estimator makes of the outcomes
    planner               groups, bases, shots and expectation values of Pauli terms
"""

from aqt_fast.primitives.estimator import AQTEstimator
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.sampler import AQTSampler

__all__ = ["AQTEstimator", "AQTPrimitiveJob", "AQTSampler"]
