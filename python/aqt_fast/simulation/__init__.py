"""Qiskit Aer as an AQT register, in this process or on an executor's workers."""

from qiskit_aer import AerSimulator

from aqt_fast.simulation.local import LocalSimulation
from aqt_fast.simulation.register import (
    copy_simulator,
    restore_simulator,
    standard_noise_model,
)
from aqt_fast.simulation.remote import ExecutorSimulation

__all__ = [
    "AerSimulator",
    "ExecutorSimulation",
    "LocalSimulation",
    "copy_simulator",
    "restore_simulator",
    "standard_noise_model",
]
