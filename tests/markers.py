"""Circuits whose every shot is known: each test sees at once whose outcome it has got."""

from __future__ import annotations

from collections.abc import Iterable

import workloads
from qiskit import QuantumCircuit

WIDTH = 10
"""Qubits of the marker of a number."""


def marker(pattern: str | int) -> QuantumCircuit:
    """A circuit in AQT's gates whose every shot is ``pattern``, or a number in binary."""
    return workloads.marker(word(pattern))


def markers(numbers: Iterable[int]) -> list[QuantumCircuit]:
    """The markers of several numbers."""
    return [marker(number) for number in numbers]


def marker_counts(numbers: Iterable[int], shots: int) -> list[dict[str, int]]:
    """The counts of several markers."""
    return [{word(number): shots} for number in numbers]


def word(pattern: str | int) -> str:
    """The outcome of a marker, as Qiskit's counts name it."""
    return pattern if isinstance(pattern, str) else f"{pattern:0{WIDTH}b}"
