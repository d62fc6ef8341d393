"""The estimator with the signature of the 2.x face."""

from __future__ import annotations

from typing import Any

from aqt_fast import primitives
from aqt_fast.v2.aqt_provider import AnyAQTResource
from aqt_fast.v2.exceptions import raised_as_v2

__all__ = ["AQTEstimator"]


class AQTEstimator(primitives.AQTEstimator):
    """Estimates expectation values: see :class:`aqt_fast.primitives.AQTEstimator`."""

    def __init__(self, *, backend: AnyAQTResource, options: dict[str, Any] | None = None) -> None:
        """Make an estimator; its ``backend`` is the one that is given.

        Args:
            backend: where to run circuits.
            options: as for :class:`aqt_fast.primitives.AQTEstimator`.

        Raises:
            AQTValueError: an option is unknown, or its value is invalid.
        """
        with raised_as_v2():
            super().__init__(backend, options)
