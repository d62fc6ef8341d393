"""The estimator with the signature of the 2.x face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from qiskit.primitives import EstimatorPubLike

from aqt_fast import primitives
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.options import EstimatorArguments
from aqt_fast.v2.aqt_provider import AnyAQTResource
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.primitives.job import PrimitiveJob

__all__ = ["AQTEstimator"]


class AQTEstimator(primitives.AQTEstimator):
    """Estimates expectation values: see :class:`aqt_fast.primitives.AQTEstimator`."""

    job_class = PrimitiveJob

    def __init__(
        self, *, backend: AnyAQTResource, options: EstimatorArguments | dict[str, Any] | None = None
    ) -> None:
        """Make an estimator; its ``backend`` is the one that is given.

        Args:
            backend: where to run circuits.
            options: as for :class:`aqt_fast.primitives.AQTEstimator`.

        Raises:
            AQTValueError: an option is unknown, or its value is invalid.
        """
        with raised_as_v2():
            super().__init__(backend, cast("EstimatorArguments | None", options))

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> AQTPrimitiveJob:
        """Estimate expectation values in the background.

        Args:
            pubs: circuits, each with observables, and with parameter values and a precision if need
                be.
            precision: target standard error where a PUB has none of its own; None for
                ``default_precision``.

        Raises:
            AQTValueError: lists everything that is wrong with the PUBs; or ``precision`` or an
                option is out of range. Nothing was sent.
            AQTRequestError: there is no access token for the backend's portal.
        """
        with raised_as_v2():
            return super().run(pubs, precision=precision)
