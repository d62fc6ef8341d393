"""Qiskit's primitives (V2) on AQT backends.

::

    sampler, estimator    the primitives: Qiskit's, made right where theirs are not
    job                   the job of a call of ``run``
    options               what they are made with, and how they transpile
    planner               groups, bases, shots and expectation values of Pauli terms
    places                which circuit of a job comes from which PUB
    transpiling           the backend that Qiskit's primitives run on
"""

from aqt_fast.primitives.estimator import AQTEstimator
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.sampler import AQTSampler

__all__ = ["AQTEstimator", "AQTPrimitiveJob", "AQTSampler"]
