"""List circuits, check them against a device's limits, and encode them as a request body."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit

from aqt_fast import _native
from aqt_fast._reading import read_by
from aqt_fast._shots import SHOTS_PER_API_JOB, Shots, simplified
from aqt_fast.aqt_options import MOST_SHOTS
from aqt_fast.aqt_options import checked_shots as checked_option
from aqt_fast.exceptions import (
    CircuitProblem,
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
)


@dataclass(frozen=True)
class Limits:
    """Limits of a resource; the defaults are those of AQT's cloud interface."""

    circuits: int | None = 50
    """Maximum number of circuits per API job, None for no limit."""
    shots: int | None = SHOTS_PER_API_JOB
    """Maximum number of repetitions per circuit, None for no limit."""
    operations: int = 2000
    """Maximum number of operations per circuit, including the final measurement."""
    qubits: int = 31
    """Maximum number of qubits per circuit."""

    def __str__(self) -> str:
        circuits, shots = (
            "any number of" if most is None else f"up to {most}"
            for most in (self.circuits, self.shots)
        )
        return (
            f"{circuits} circuits, each with {shots} shots, "
            f"up to {self.operations} operations on up to {self.qubits} qubits"
        )


_LOAD = "load OpenQASM with QuantumCircuit.from_qasm_str or qiskit.qasm3.loads"

API_LIMITS = Limits()

ANY_SHOTS = Limits(shots=None)
"""The limits of the cloud interface, without a limit of shots."""


def check_circuits(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    limits: Limits,
    *,
    strict_angles: bool = False,
) -> list[QuantumCircuit]:
    """Check that every circuit of a batch can run, as strictly as encoding does.

    Args:
        circuits: one circuit or any number of circuits.
        limits: the resource's limits.
        strict_angles: refuse angles outside AQT's ranges.

    Returns:
        The circuits.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidJobError: there are no circuits, or too many.
        InvalidCircuitError: lists every circuit that cannot run.
    """
    batch = _batch_within(circuits, limits)
    read_by(
        _native.check_circuits,
        batch,
        max_qubits=limits.qubits,
        max_operations=limits.operations,
        strict_angles=strict_angles,
    )
    return batch


def count_gates(
    circuits: Sequence[QuantumCircuit], limits: Limits, *, strict_angles: bool = False
) -> NDArray[np.uint32]:
    """Return how many r and how many rxx a device gets of each circuit.

    Args:
        circuits: any number of circuits, without regard to ``limits.circuits``.
        limits: the resource's limits.
        strict_angles: refuse angles outside AQT's ranges.

    Returns:
        Shape (circuits, 2). An rz is not counted: it takes no time.

    Raises:
        InvalidCircuitError: lists every circuit that cannot run.
    """
    counts = read_by(
        _native.count_gates,
        circuits,
        max_qubits=limits.qubits,
        max_operations=limits.operations,
        strict_angles=strict_angles,
    )
    return np.frombuffer(counts, np.uint32).reshape(-1, 2)


def encode_job(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    shots: int | Sequence[int],
    *,
    label: str | None = "qiskit",
    limits: Limits = API_LIMITS,
    strict_angles: bool = False,
) -> bytes:
    """Encode the request body of one API job.

    Args:
        circuits: 1 to 50 circuits of rz, r, rxx and final measurements, with any finite angles in
            radians. Barriers are left out.
        shots: repetitions, 1 to 2000: of each circuit, or one number for each circuit.
        label: free text, the job's label on the portal.
        limits: the resource's limits.
        strict_angles: refuse angles outside AQT's ranges: for r, θ ∈ [0, π] and φ ∈ [0, 2π]; for
            rxx, θ ∈ [0, π/2]. Values within 1e-9 of a bound are moved onto it. Otherwise angles are
            folded into these ranges, which may change neighbouring gates and add rz gates; a pulse
            is added only on a qubit without any r.

    Returns:
        Compact JSON, with angles in units of π.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable.
        InvalidOptionError: ``shots`` is out of range, or has another number of entries than there
            are circuits; or ``label`` is not text.
        InvalidJobError: there are no circuits, or too many.
        InvalidCircuitError: lists every circuit that cannot run.
    """
    batch = _batch_within(circuits, limits)
    if label is not None and not (isinstance(label, str) and _is_unicode(label)):
        raise InvalidOptionError("label", label, "valid Unicode text or None")
    return read_by(
        _native.encode_job,
        batch,
        checked_shots(shots, limits, len(batch)),
        label,
        max_qubits=limits.qubits,
        max_operations=limits.operations,
        strict_angles=strict_angles,
    )


def as_batch(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    """List one circuit or any number of circuits.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable, or a text.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every item that is not a circuit.
    """
    batch = listed(circuits)
    problems = [
        CircuitProblem(
            index,
            None,
            None,
            None,
            f"not a QuantumCircuit but of type '{type(item).__name__}'",
            mend=_LOAD if isinstance(item, str) else None,
        )
        for index, item in enumerate(batch)
        if not isinstance(item, QuantumCircuit)
    ]
    if problems:
        raise InvalidCircuitError(problems)
    return batch


def listed(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    """List one circuit or any number of circuits. The native reader checks the items' types.

    Raises:
        InvalidInputError: ``circuits`` is neither a circuit nor iterable, or a text.
        InvalidJobError: there are no circuits.
    """
    batch = _items(circuits)
    if not batch:
        raise InvalidJobError("a job needs at least one circuit")
    return batch


def _items(circuits: QuantumCircuit | Iterable[QuantumCircuit]) -> list[QuantumCircuit]:
    if isinstance(circuits, QuantumCircuit):
        return [circuits]
    if isinstance(circuits, np.ndarray) and circuits.ndim != 1:
        raise InvalidInputError(
            f"expected circuits in one dimension, not an array of shape {circuits.shape}; pass a "
            "list, for np.array() takes circuits apart"
        )
    try:
        if isinstance(circuits, str | bytes | Mapping):
            raise TypeError
        return list(circuits)
    except TypeError:
        found = type(circuits).__name__
        if isinstance(circuits, str):
            raise InvalidInputError(f"expected circuits, not a text; {_LOAD}") from None
        raise InvalidInputError(f"expected circuits, not an object of type '{found}'") from None


def _batch_within(
    circuits: QuantumCircuit | Iterable[QuantumCircuit], limits: Limits
) -> list[QuantumCircuit]:
    batch = listed(circuits)
    if limits.circuits is not None and len(batch) > limits.circuits:
        raise InvalidJobError(f"{len(batch)} circuits, but one job takes {limits.circuits}")
    return batch


def checked_shots(shots: int | Sequence[int], limits: Limits, num_circuits: int | None) -> Shots:
    """Return the shots of circuits: one number for all if they are equal.

    Args:
        shots: one number for all circuits, or one for each.
        limits: the resource's limits.
        num_circuits: the number of circuits, None if it is not known.

    Raises:
        InvalidOptionError: ``shots`` are not integers within the limits, or there are other numbers
            of them and of circuits.
    """
    most = MOST_SHOTS if limits.shots is None else limits.shots
    checked = checked_option(shots, most, num_circuits)
    return checked if isinstance(checked, int) else simplified(checked)


def _is_unicode(text: str) -> bool:
    """Return whether UTF-8 can encode a text: it cannot encode lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
