"""The estimator primitive."""

from __future__ import annotations

from typing import Any

from qiskit.primitives import BackendEstimatorV2

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.primitives.transpiling import TranspilingBackend


class AQTEstimator(BackendEstimatorV2):
    """Estimates expectation values of observables on an AQT backend.

    A ``BaseEstimatorV2``: ``run(pubs, precision=None)`` takes any circuits, with parameters. It
    appends the measurements of the observables, transpiles each bound circuit without optimising
    it, and runs it with 1/precision² shots, at most 2³¹ − 1. The result of a job that failed or was
    cancelled raises ``JobFailedError``.
    """

    def __init__(self, backend: AQTResource, options: dict[str, Any] | None = None) -> None:
        """Make an estimator.

        Args:
            backend: where to run circuits.
            options: ``default_precision`` (default: 1/64), ``abelian_grouping`` (default: True) and
                ``seed_simulator``.
        """
        super().__init__(backend=TranspilingBackend(backend), options=options)
