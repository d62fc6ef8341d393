"""Circuits that a device may run: listed, checked against limits, encoded as a request body."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from qiskit import QuantumCircuit

from aqt_fast import _native
from aqt_fast.aqt_options import checked_integer
from aqt_fast.exceptions import (
    CircuitProblem,
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
)


@dataclass(frozen=True)
class Limits:
    """What a resource takes; the defaults are those of AQT's cloud interface."""

    circuits: int | None = 50
    """Circuits an API job, None for any number."""
    shots: int | None = 2000
    """Repetitions a circuit, None for any number."""
    operations: int = 2000
    """Operations a circuit, the final measurement included."""
    qubits: int = 31
    """Qubits a circuit."""


API_LIMITS = Limits()

ANY_SHOTS = Limits(shots=None)
"""The limits of the cloud interface, for any number of shots."""


def check_circuits(
    circuits: QuantumCircuit | Iterable[QuantumCircuit], limits: Limits
) -> list[QuantumCircuit]:
    """Check that every circuit of a batch can run, as strictly as when it is encoded.

    Returns:
        The circuits.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidJobError: there are no circuits, or too many.
        InvalidCircuitError: lists every circuit that cannot run.
    """
    batch = _batch_within(circuits, limits)
    _native.check_circuits(batch, max_qubits=limits.qubits, max_operations=limits.operations)
    return batch


def encode_job(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    shots: int,
    *,
    label: str | None = "qiskit",
    limits: Limits = API_LIMITS,
) -> bytes:
    """Encode the request body of one API job.

    Args:
        circuits: 1 to 50 circuits of rz, r, rxx and final measurements, with the angles of r in
            θ ∈ [0, π], φ ∈ [0, 2π] and those of rxx in [0, π/2] (radians; values within 1e-9 of a
            bound are moved onto it). Barriers are left out.
        shots: repetitions of each circuit, 1 to 2000.
        label: free text that the portal shows with the job.
        limits: what the resource takes.

    Returns:
        Compact JSON, with angles in units of π.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidOptionError: ``shots`` is out of range, or ``label`` is not text.
        InvalidJobError: there are no circuits, or too many.
        InvalidCircuitError: lists every circuit that cannot run.
    """
    batch = _batch_within(circuits, limits)
    if label is not None and not (isinstance(label, str) and _is_unicode(label)):
        raise InvalidOptionError("label", label, "valid Unicode text or None")
    return _native.encode_job(
        batch,
        checked_shots(shots, limits),
        label,
        max_qubits=limits.qubits,
        max_operations=limits.operations,
    )


def as_batch(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    """List one circuit or any number of them.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidCircuitError: lists every item that is no circuit.
    """
    batch = _items(circuits)
    problems = [
        CircuitProblem(
            index, None, None, None, f"not a QuantumCircuit but of type '{type(item).__name__}'"
        )
        for index, item in enumerate(batch)
        if not isinstance(item, QuantumCircuit)
    ]
    if problems:
        raise InvalidCircuitError(problems)
    return batch


def listed(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    """List one circuit or any number of them; what is no circuit is found by the reader.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidJobError: there are none.
    """
    batch = _items(circuits)
    if not batch:
        raise InvalidJobError("a job needs at least one circuit")
    return batch


def _items(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    if isinstance(circuits, QuantumCircuit):
        return [circuits]
    try:
        return list(circuits)
    except TypeError:
        found = type(circuits).__name__
        raise InvalidInputError(f"expected circuits, not an object of type '{found}'") from None


def _batch_within(
    circuits: QuantumCircuit | Iterable[QuantumCircuit], limits: Limits
) -> list[QuantumCircuit]:
    batch = listed(circuits)
    if limits.circuits is not None and len(batch) > limits.circuits:
        raise InvalidJobError(f"{len(batch)} circuits, but one job takes {limits.circuits}")
    return batch


def checked_shots(shots: int, limits: Limits) -> int:
    """The repetitions of each circuit.

    Raises:
        InvalidOptionError: they are no whole number that the resource takes.
    """
    most = 2**31 - 1 if limits.shots is None else limits.shots
    return checked_integer("shots", shots, 1, most)


def _is_unicode(text: str) -> bool:
    """Whether there is no lone surrogate, which UTF-8 cannot express."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
