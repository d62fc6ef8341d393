"""Decode response bytes to job states, and compose Qiskit's results from samples."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from itertools import chain
from typing import Any

from qiskit import QuantumCircuit
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData

from aqt_fast import _native
from aqt_fast._native import JobState, Samples, __version__
from aqt_fast._shots import each
from aqt_fast._texts import LONGEST_NAME, one_line, printable
from aqt_fast.exceptions import ResponseMismatchError
from aqt_fast.wire.circuits import ANY_SHOTS, as_batch, checked_shots
from aqt_fast.wire.time_stamps import end_of


def decode_response(body: bytes | bytearray | memoryview) -> JobState:
    """Decode the response to a request for a job's result.

    Args:
        body: JSON in UTF-8, in any valid layout.

    Returns:
        The job's state, with one :class:`Samples` per circuit once it is finished.

    Raises:
        MalformedResponseError: the body is not valid JSON, or not of the documented shape.
    """
    return _native.decode_response(_as_bytes(body))


def _as_bytes(body: bytes | bytearray | memoryview) -> bytes:
    return body if isinstance(body, bytes) else bytes(memoryview(body))


def result_from_response(
    body: bytes | bytearray | memoryview,
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int | Sequence[int],
    memory: bool = False,
    backend_name: str = "",
    job_id: str = "",
) -> Result:
    """Decode the response of a job that has ended, and compose Qiskit's result.

    Args:
        body: the response to a request for the job's result.
        circuits: the job's circuits, in the order of submission.
        shots: the requested repetitions: of each circuit, or one number for each circuit.
        memory: whether to add the outcome of each shot, in order.
        backend_name: the result's backend name.
        job_id: the result's job id.

    Returns:
        A result with one entry per circuit. A job that failed or was cancelled has
        ``success=False`` and its message in ``status``. Outcomes are split by register where the
        registers, one after the other, are the classical bits of the circuit, in order. Elsewhere
        (bits outside of registers, in several, in another order) ``creg_sizes`` is empty, and they
        are not split: Qiskit would lose bits, or show them in other registers.

    Raises:
        MalformedResponseError: the body cannot be read.
        ResponseMismatchError: the job has not ended, or the response has other circuits, shots or
            qubits than the job.
        InvalidCircuitError: lists every item of ``circuits`` that is not a circuit.
        InvalidOptionError: ``shots`` are not positive integers, or there are other numbers of them
            and of circuits.
    """
    state = decode_response(body)
    results, message = results_from_state(state, circuits, shots=shots, memory=memory)
    return job_result(
        results,
        backend_name=backend_name,
        job_id=job_id,
        message=message,
        ended=end_of(state.timing or []),
    )


def results_from_state(
    state: JobState,
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int | Sequence[int],
    memory: bool = False,
) -> tuple[list[ExperimentResult], str | None]:
    """Compose the entries of circuits that have ended, successfully or not.

    Args:
        state: of a job and all its circuits, or of one circuit with direct access.
        circuits: the circuits of the state, in the order of submission.
        shots: the requested repetitions: of each circuit, or one number for each circuit.
        memory: whether to add the outcome of each shot, in order.

    Returns:
        One entry per circuit, and why there are no outcomes (None if there are).

    Raises:
        ResponseMismatchError: the circuits have not ended, or there are samples of other circuits,
            shots or qubits.
        InvalidCircuitError: lists every item of ``circuits`` that is not a circuit.
        InvalidOptionError: ``shots`` are not positive integers, or there are other numbers of them
            and of circuits.
    """
    batch = as_batch(circuits)
    if state.status in ("queued", "ongoing"):
        raise ResponseMismatchError(f"the job has not ended, it is {state.status}")
    if state.status == "finished":
        return results_from_samples(state.samples or [], batch, shots=shots, memory=memory), None
    numbers = each(checked_shots(shots, ANY_SHOTS, len(batch)), len(batch))
    message = one_line(state.message or f"the job is {state.status}")
    return [
        failed_experiment(result_header(circuit), number, message)
        for circuit, number in zip(batch, numbers, strict=True)
    ], message


def results_from_samples(
    samples: Sequence[Samples],
    circuits: QuantumCircuit | Sequence[QuantumCircuit],
    *,
    shots: int | Sequence[int],
    memory: bool = False,
) -> list[ExperimentResult]:
    """Compose the entries of measured circuits.

    Args:
        samples: one per circuit.
        circuits: in the same order.
        shots: the requested repetitions: of each circuit, or one number for each circuit.
        memory: whether to add the outcome of each shot, in order.

    Raises:
        ResponseMismatchError: there are samples of other circuits, shots or qubits.
        InvalidCircuitError: lists every item of ``circuits`` that is not a circuit.
        InvalidOptionError: ``shots`` are not positive integers, or there are other numbers of them
            and of circuits.
    """
    batch = as_batch(circuits)
    numbers = each(checked_shots(shots, ANY_SHOTS, len(batch)), len(batch))
    data = _native.experiment_data(samples, batch, numbers, memory)
    return [
        experiment_result(result_header(circuit), number, counts, shot_memory)
        for circuit, number, (counts, shot_memory) in zip(batch, numbers, data, strict=True)
    ]


def job_result(
    results: list[ExperimentResult],
    *,
    backend_name: str,
    job_id: str,
    message: str | None,
    ended: datetime | None,
    header: dict[str, Any] | None = None,
) -> Result:
    """Compose a job's result.

    Args:
        results: one entry per circuit.
        backend_name: name of the backend.
        job_id: identifier of the job.
        message: the reason of a failure; ``status`` and the key ``error`` of the result as a
            dictionary hold it as it can be shown. None for success.
        ended: when the job has ended, None for now.
        header: what the result tells of its origin, None if nothing.
    """
    message = None if message is None else printable(message)
    return Result(
        backend_name=one_line(backend_name, LONGEST_NAME),  # Qiskit prints it as it is
        backend_version=__version__,
        job_id=job_id,
        success=message is None and all(entry.success for entry in results),
        results=results,
        date=(ended or datetime.now(timezone.utc)).astimezone(timezone.utc).isoformat(),
        status="COMPLETED" if message is None else message,
        header=header,
        **({} if message is None else {"error": message}),
    )


def experiment_result(
    header: dict[str, Any], shots: int, counts: dict[str, int], memory: list[str] | None
) -> ExperimentResult:
    """Compose the entry of a circuit from its header and hexadecimal outcomes."""
    return ExperimentResult(
        shots,
        True,
        ExperimentResultData(counts=counts, memory=memory),
        status="DONE",
        header=header,
    )


def failed_experiment(header: dict[str, Any], shots: int, message: str) -> ExperimentResult:
    """Compose the entry of a circuit without outcomes."""
    data, status = ExperimentResultData(), printable(message)
    return ExperimentResult(shots, False, data, status=status, header=header)


def result_header(circuit: QuantumCircuit) -> dict[str, Any]:
    """Describe a circuit for the header of its result."""
    registers = circuit.cregs
    # Qiskit splits an outcome by the registers' sizes, whatever bits they have. Empty sizes prevent
    # it where these are not all bits, each once and in order.
    divisible = list(chain.from_iterable(registers)) == circuit.clbits
    cregs = [[register.name, register.size] for register in registers] if divisible else []
    return {
        "name": circuit.name,
        "memory_slots": circuit.num_clbits,
        "creg_sizes": cregs,
        "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
        "metadata": dict(circuit.metadata) if circuit.metadata else {},
    }


def check_header(header: dict[str, Any], num_qubits: int, num_clbits: int) -> None:
    """Check a header of :func:`result_header` that was read from a file.

    Args:
        header: the header.
        num_qubits: number of the circuit's qubits.
        num_clbits: number of its classical bits.

    Raises:
        LookupError: something is missing.
        TypeError: something has another type.
        ValueError: it is of a circuit with other bits.
    """
    if not isinstance(header["name"], str) or not isinstance(header["metadata"], dict):
        raise TypeError("a circuit has a name and metadata")
    if header["memory_slots"] != num_clbits or type(header["memory_slots"]) is not int:
        raise ValueError("a header is of a circuit with other classical bits")
    for sizes, most in ((header["qreg_sizes"], num_qubits), (header["creg_sizes"], num_clbits)):
        for name, size in sizes:
            if not isinstance(name, str) or type(size) is not int:
                raise TypeError("a register has a name and a size")
            if not 0 <= size <= most:
                raise ValueError("a header is of a circuit with other registers")
    total = sum(size for _, size in header["creg_sizes"])
    if header["creg_sizes"] and total != num_clbits:
        raise ValueError("a header is of a circuit with other registers")
