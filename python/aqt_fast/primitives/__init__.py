"""Qiskit's primitives (V2) on AQT backends."""

from aqt_fast.primitives.estimator import AQTEstimator
from aqt_fast.primitives.sampler import AQTSampler

__all__ = ["AQTEstimator", "AQTSampler"]
