"""The estimator primitive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from qiskit.primitives import (
    BackendEstimatorV2,
    DataBin,
    EstimatorPubLike,
    PrimitiveResult,
    PubResult,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.primitives.estimator_job import EstimatorJob, SubmittedJobs
from aqt_fast.primitives.options import (
    Primitive,
    estimator_options,
    estimator_options_of_run,
)
from aqt_fast.primitives.places import num_shots, places_in_estimator
from aqt_fast.primitives.transpiling import TranspilingBackend


class AQTEstimator(Primitive, BackendEstimatorV2):
    """Estimates expectation values of observables on an AQT backend.

    A ``BaseEstimatorV2``: ``run(pubs, precision=None)`` takes any circuits, with parameters. It
    appends the measurements of the observables, transpiles each bound circuit, without optimising
    it unless an option says so, and runs it with 1/precision² shots, at most 2³¹ − 1. The result of
    a job that failed or was cancelled raises ``JobFailedError``.
    """

    job_class = EstimatorJob
    """Class of the jobs that it makes."""

    def __init__(self, backend: AQTResource, options: dict[str, Any] | None = None) -> None:
        """Make an estimator.

        Args:
            backend: where to run circuits.
            options: ``default_precision`` (default: 1/64), or ``shots`` for 1/√shots;
                ``abelian_grouping`` (default: True); ``seed_simulator``; ``optimization_level`` of
                ``qiskit.transpile``, 0 to 3 (default: 0); those of its jobs,
                ``query_period_seconds``, ``query_timeout_seconds``,
                ``with_progress_bar`` (default: False), ``label`` and ``journal``, as in
                :class:`~aqt_fast.AQTOptions`; and ``run_options``, a dict of
                options for :meth:`AQTResource.run <aqt_fast.aqt_resource.AQTResource.run>`, of
                which ``shots`` and ``seed_simulator`` count unless they are given next to it.

        Raises:
            InvalidInputError: an option is unknown, or its value is invalid.
        """
        super().__init__(backend=backend)
        self._options = estimator_options(options)

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> EstimatorJob:
        """Estimate expectation values in the background.

        Args:
            pubs: circuits, each with observables, and with parameter values and a precision if need
                be.
            precision: target standard error where a PUB has none of its own; None for
                ``default_precision``.

        Raises:
            InvalidOptionError: a precision is not greater than 0, or ``shots`` in ``run_options``
                are invalid.
        """
        settings = estimator_options_of_run(self.options)
        default = settings.default_precision if precision is None else precision
        coerced = [EstimatorPub.coerce(pub, default) for pub in pubs]
        for pub in coerced:
            if not pub.precision > 0:
                raise InvalidOptionError("precision", pub.precision, "a number greater than 0")
        wanted = [pub for pub in coerced if 0 not in pub.shape]
        submitted = SubmittedJobs(len({num_shots(pub) for pub in wanted}))
        names = ("default_precision", "abelian_grouping", "seed_simulator")
        options = {name: getattr(settings, name) for name in names}
        run_options = settings.run_options
        backend = TranspilingBackend(
            self.backend,
            submitted,
            self.transpile_options,
            run_options,
            places=lambda shots: places_in_estimator(coerced, shots, options),
        )
        job = BackendEstimatorV2(backend=backend, options=options).run(wanted)
        return self.job_class(submitted, lambda: _completed(coerced, job.result()))


def _completed(
    pubs: Sequence[EstimatorPub], found: PrimitiveResult[PubResult]
) -> PrimitiveResult[PubResult]:
    """Return one result for each PUB, also for those without parameter sets or observables."""
    estimated = iter(found)
    results = [_empty(pub) if 0 in pub.shape else next(estimated) for pub in pubs]
    return PrimitiveResult(results, metadata=found.metadata)


def _empty(pub: EstimatorPub) -> PubResult:
    """Return the result of no parameter sets or no observables."""
    nothing = np.zeros(pub.shape)
    return PubResult(
        DataBin(evs=nothing, stds=nothing.copy(), shape=pub.shape),
        metadata={
            "target_precision": pub.precision,
            "shots": num_shots(pub),
            "circuit_metadata": pub.circuit.metadata,
        },
    )
