"""The native codec's Python face: circuits → request bytes, response bytes → results.

One way out, :func:`encode_job`; one way back, :func:`decode_response` and
:func:`result_from_response`. Direct access answers for one circuit: :func:`decode_direct_response`.
AQT's OpenAPI document (0.4.0) describes what crosses the wire, ``aqt_connector.models`` models it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from qiskit import QuantumCircuit
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData

from aqt_fast import _native
from aqt_fast._native import JobState, Samples, __version__
from aqt_fast.aqt_options import checked_integer
from aqt_fast.exceptions import (
    CircuitProblem,
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
    ResponseMismatchError,
)

__all__ = [
    "API_LIMITS",
    "JobState",
    "Limits",
    "Samples",
    "as_batch",
    "check_circuits",
    "checked_shots",
    "decode_direct_response",
    "decode_response",
    "encode_job",
    "experiment_result",
    "failed_experiment",
    "header",
    "listed",
    "job_result",
    "result_from_response",
    "results_from_samples",
    "results_from_state",
]


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

_ANY_SHOTS = Limits(shots=None)


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


def decode_response(body: bytes | bytearray | memoryview) -> JobState:
    """Decode the response to a request for a job's result.

    Args:
        body: JSON in UTF-8, in any valid layout.

    Returns:
        The job's state, with one :class:`Samples` a circuit once it is finished.

    Raises:
        MalformedResponseError: the body is not valid JSON or not of the documented shape.
    """
    return _native.decode_response(_as_bytes(body))


def decode_direct_response(body: bytes | bytearray | memoryview) -> JobState:
    """Decode the response of direct access to a request for a circuit's result.

    Args:
        body: JSON in UTF-8, in any valid layout.

    Returns:
        The circuit's state, with one :class:`Samples` once it is finished. A failure always has a
        message, a standard one if the machine gives none.

    Raises:
        MalformedResponseError: the body is not valid JSON or not of the documented shape.
    """
    return _native.decode_direct_response(_as_bytes(body))


def _as_bytes(body: bytes | bytearray | memoryview) -> bytes:
    return body if isinstance(body, bytes) else bytes(memoryview(body))


def result_from_response(
    body: bytes | bytearray | memoryview,
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int,
    memory: bool = False,
    backend_name: str = "",
    job_id: str = "",
) -> Result:
    """Decode the response of a job that has ended and compose it into Qiskit's result.

    Args:
        body: the response to a request for the job's result.
        circuits: the job's circuits, in the order of submission.
        shots: the repetitions asked for.
        memory: whether to add each shot's outcome, in order.
        backend_name: goes into the result.
        job_id: goes into the result.

    Returns:
        A result with one entry a circuit. A job that failed or was cancelled gives
        ``success=False`` and its message in ``status``. Where a circuit has classical bits outside
        of its registers, or registers that share bits, ``creg_sizes`` is empty and outcomes are
        not cut into registers: Qiskit would lose bits.

    Raises:
        MalformedResponseError: the body cannot be read.
        ResponseMismatchError: the job has not ended, or the response has other circuits, shots or
            qubits than the job.
        InvalidCircuitError: lists every item of ``circuits`` that is no circuit.
        InvalidOptionError: ``shots`` is not a positive whole number.
    """
    results, message = results_from_state(
        decode_response(body), circuits, shots=shots, memory=memory
    )
    return job_result(results, backend_name=backend_name, job_id=job_id, message=message)


def results_from_state(
    state: JobState,
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int,
    memory: bool = False,
) -> tuple[list[ExperimentResult], str | None]:
    """Compose the entries of circuits that have ended, however they did.

    Args:
        state: of a job and all its circuits, or of one circuit with direct access.
        circuits: those that the state is about, in the order of submission.
        shots: the repetitions asked for.
        memory: whether to add each shot's outcome, in order.

    Returns:
        One entry a circuit, and why there are no outcomes: None if there are.

    Raises:
        ResponseMismatchError: the circuits have not ended, or there are samples of other circuits,
            shots or qubits.
        InvalidCircuitError: lists every item of ``circuits`` that is no circuit.
        InvalidOptionError: ``shots`` is not a positive whole number.
    """
    batch = as_batch(circuits)
    if state.status in ("queued", "ongoing"):
        raise ResponseMismatchError(f"the job has not ended, it is {state.status}")
    if state.status == "finished":
        return results_from_samples(state.samples or [], batch, shots=shots, memory=memory), None
    shots = checked_shots(shots, _ANY_SHOTS)
    message = state.message or f"the job is {state.status}"
    return [failed_experiment(header(circuit), shots, message) for circuit in batch], message


def results_from_samples(
    samples: Sequence[Samples],
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int,
    memory: bool = False,
) -> list[ExperimentResult]:
    """Compose the entries of measured circuits.

    Args:
        samples: of each circuit.
        circuits: in the same order.
        shots: the repetitions asked for.
        memory: whether to add each shot's outcome, in order.

    Raises:
        ResponseMismatchError: there are samples of other circuits, shots or qubits.
        InvalidCircuitError: lists every item of ``circuits`` that is no circuit.
        InvalidOptionError: ``shots`` is not a positive whole number.
    """
    batch = as_batch(circuits)
    shots = checked_shots(shots, _ANY_SHOTS)
    data = _native.experiment_data(samples, batch, shots, memory)
    return [
        experiment_result(header(circuit), shots, counts, shot_memory)
        for circuit, (counts, shot_memory) in zip(batch, data, strict=True)
    ]


def job_result(
    results: list[ExperimentResult], *, backend_name: str, job_id: str, message: str | None
) -> Result:
    """Compose a job's result; ``message`` tells why it did not succeed, None if it did."""
    return Result(
        backend_name=backend_name,
        backend_version=__version__,
        job_id=job_id,
        success=message is None and all(entry.success for entry in results),
        results=results,
        date=datetime.now(timezone.utc).isoformat(),
        status="COMPLETED" if message is None else message,
    )


def experiment_result(
    header: dict[str, Any], shots: int, counts: dict[str, int], memory: list[str] | None
) -> ExperimentResult:
    """Compose the result of one circuit from its header and outcomes in hexadecimal."""
    return ExperimentResult(
        shots,
        True,
        ExperimentResultData(counts=counts, memory=memory),
        status="DONE",
        header=header,
    )


def failed_experiment(header: dict[str, Any], shots: int, message: str) -> ExperimentResult:
    """Compose the entry of a circuit that has no outcomes."""
    return ExperimentResult(shots, False, ExperimentResultData(), status=message, header=header)


def header(circuit: QuantumCircuit) -> dict[str, Any]:
    """Describe a circuit as the header of its result does."""
    cregs = [[register.name, register.size] for register in circuit.cregs]
    if sum(size for _, size in cregs) != circuit.num_clbits:
        # Qiskit cuts an outcome at the registers' sizes. Where bits have no register, or several,
        # it would cut bits off and merge outcomes, so it had better not cut.
        cregs = []
    return {
        "name": circuit.name,
        "memory_slots": circuit.num_clbits,
        "creg_sizes": cregs,
        "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
        "metadata": dict(circuit.metadata) if circuit.metadata else {},
    }
