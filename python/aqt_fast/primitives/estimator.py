"""The estimator primitive."""

from __future__ import annotations

from typing import Any

from qiskit.primitives import BackendEstimatorV2

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.primitives.transpiling import TranspilingBackend


class AQTEstimator(BackendEstimatorV2):
    """Estimates expectation values of observables on an AQT backend.

    A ``BaseEstimatorV2``: ``run(pubs, precision=None)`` takes circuits as the user writes them,
    with parameters, appends the measurements that the observables need, transpiles each bound
    circuit without optimising it and runs it with 1/precision² shots, which may be 2³¹ − 1 at most.
    The result of a job that fails or is cancelled raises ``JobFailedError``.
    """

    def __init__(self, backend: AQTResource, options: dict[str, Any] | None = None) -> None:
        """Make an estimator.

        Args:
            backend: where to run.
            options: ``default_precision`` (1/64 if not given), ``abelian_grouping`` (True if not
                given) and ``seed_simulator``.
        """
        super().__init__(backend=TranspilingBackend(backend), options=options)
