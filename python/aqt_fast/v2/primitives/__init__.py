"""The primitives ``sampler`` and ``estimator`` with the signatures of the 2.x face."""

from aqt_fast.v2.primitives.estimator import AQTEstimator
from aqt_fast.v2.primitives.sampler import AQTSampler

__all__ = ["AQTEstimator", "AQTSampler"]


def __dir__() -> list[str]:
    return sorted(__all__)
