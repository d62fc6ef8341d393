"""Qiskit's primitives (V2) on AQT backends.

::

    sampler, estimator    the primitives
    options               what they are made with
    pubs                  from PUBs to circuits, and what is wrong with them
    templates, angles     circuits with parameters, compiled for any number of parameter sets
    batch                 the circuits of all PUBs, ready to run
    job                   the job of a call of ``run``
    page                  what notebooks show of it
    continuation          a second job that follows the first one
    evaluation            what a primitive makes of the outcomes: the interface
    registers             what a sampler makes of them
    evaluations           how evaluations are written to a file and read
    estimation            from observables to circuits with shots, and back to values
"""

from aqt_fast.primitives.estimator import AQTEstimator
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.sampler import AQTSampler

__all__ = ["AQTEstimator", "AQTPrimitiveJob", "AQTSampler"]


def __dir__() -> list[str]:
    return sorted(__all__)
