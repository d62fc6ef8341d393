"""Versions of this package and of Qiskit."""

from importlib.metadata import version
from typing import Final

from aqt_fast._native import __version__

QISKIT_VERSION: Final = version("qiskit")

__all__ = ["QISKIT_VERSION", "__version__"]
