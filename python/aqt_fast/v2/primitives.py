"""Sampler and estimator with the signatures of the 2.x face."""

from __future__ import annotations

from typing import Any

from aqt_fast import primitives
from aqt_fast.v2.aqt_provider import AnyAQTResource

__all__ = ["AQTEstimator", "AQTSampler"]


class AQTSampler(primitives.AQTSampler):
    """Samples the classical registers of circuits: see :class:`aqt_fast.primitives.AQTSampler`."""

    def __init__(self, *, backend: AnyAQTResource, options: dict[str, Any] | None = None) -> None:
        """Make a sampler.

        Args:
            backend: where to run circuits.
            options: as for :class:`aqt_fast.primitives.AQTSampler`.
        """
        super().__init__(backend, options)
        self._resource = backend

    @property
    def backend(self) -> AnyAQTResource:
        """The backend that was given."""
        return self._resource


class AQTEstimator(primitives.AQTEstimator):
    """Estimates expectation values: see :class:`aqt_fast.primitives.AQTEstimator`."""

    def __init__(self, *, backend: AnyAQTResource, options: dict[str, Any] | None = None) -> None:
        """Make an estimator.

        Args:
            backend: where to run circuits.
            options: as for :class:`aqt_fast.primitives.AQTEstimator`.
        """
        super().__init__(backend, options)
        self._resource = backend

    @property
    def backend(self) -> AnyAQTResource:
        """The backend that was given."""
        return self._resource
