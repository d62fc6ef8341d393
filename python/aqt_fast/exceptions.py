"""All exceptions of the package.

::

    AQTError
    ├── InvalidInputError (ValueError)         refused before anything ran
    │   ├── InvalidCircuitError                 .problems: every circuit that cannot run, and why
    │   ├── InvalidJobError                     no circuits, or too many for one API job
    │   ├── InvalidOptionError                  .option, .value
    │   └── MalformedRequestError               .reason, .offset
    ├── ResponseError (ValueError)              a response that cannot be used
    │   ├── MalformedResponseError              .reason, .offset
    │   └── ResponseMismatchError               readable, but not what was asked for
    ├── JobNotFoundError (LookupError)          .job_id, .store_path
    ├── DamagedJobError                         .path, .reason
    ├── UnsavableJobError                       .job_id, .reason
    ├── JournalError                            a job's journal cannot be written by this process
    ├── JobFailedError                          .job_id, .reason
    ├── APIError                                .status_code, .offset: a request was refused, or the
    │   │                                       answer cannot be used
    │   ├── APIConnectionError (ConnectionError)  the server cannot be reached
    │   ├── AQTCredentialsError (PermissionError)  no token, or one that is not accepted
    │   ├── InsecureConnectionError             the token would leave the protected connection
    │   ├── RequestWithdrawnError               the user has changed their mind before it was sent
    │   ├── NotSubmittedError                   it waits for ``resubmit_failed()``
    │   ├── ResultExpiredError                  .job_id
    │   ├── IncompleteBatchError                .failures: the API jobs without a known result
    │   └── SubmissionUncertainError            .label, .payload_hash, .reason
    └── UnsupportedQiskitError (ImportError)

``qiskit.providers.JobTimeoutError`` and ``qiskit.providers.QiskitBackendNotFoundError`` are raised
where Qiskit's users expect them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class AQTError(Exception):
    """Base of all exceptions of this package."""


class InvalidInputError(AQTError, ValueError):
    """Something that was passed in cannot be run; nothing was sent or started."""


@dataclass(frozen=True)
class CircuitProblem:
    """Why one circuit cannot run, and where it shows first."""

    circuit: int
    """Index of the circuit in its batch, from 0."""
    instruction: int | None
    """Index into ``circuit.data``; None if the circuit as a whole is to blame."""
    operation: str | None
    """Name of that instruction."""
    value: float | None
    """The offending angle in radians, for problems with an angle."""
    reason: str
    """What is wrong, in words."""

    def __str__(self) -> str:
        place = f"circuit {self.circuit}"
        if self.instruction is not None:
            place += f", instruction {self.instruction} ({self.operation})"
        return f"{place}: {self.reason}"


class InvalidCircuitError(InvalidInputError):
    """Circuits that cannot run: all of a batch, each with its first problem."""

    _SHOWN = 10

    def __init__(self, problems: Sequence[CircuitProblem]) -> None:
        """Names the first problems; ``problems`` has them all."""
        super().__init__(problems)
        self.problems = tuple(problems)
        """One entry for each circuit that cannot run."""

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[: self._SHOWN]]
        if len(self.problems) > self._SHOWN:
            lines.append(f"and {len(self.problems) - self._SHOWN} more circuits")
        return "\n".join(lines)


class InvalidJobError(InvalidInputError):
    """A batch without circuits, or with more than one API job takes."""


class InvalidOptionError(InvalidInputError):
    """A value that an option does not take."""

    def __init__(self, option: str, value: object, expected: str) -> None:
        """``expected`` completes the sentence "option must be …"."""
        super().__init__(option, value, expected)
        self.option = option
        self.value = value
        self.expected = expected

    def __str__(self) -> str:
        return f"{self.option} must be {self.expected}, not {self.value!r}"


class MalformedRequestError(InvalidInputError):
    """A request body that is not valid JSON or not a job that AQT's interface takes."""

    def __init__(self, reason: str, offset: int) -> None:
        """``offset`` counts bytes from the start of the body."""
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"byte {self.offset}: {self.reason}"


class ResponseError(AQTError, ValueError):
    """A response that cannot be used."""


class MalformedResponseError(ResponseError):
    """A response body that is not valid JSON or not of the documented shape."""

    def __init__(self, reason: str, offset: int) -> None:
        """``offset`` counts bytes from the start of the body."""
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def __str__(self) -> str:
        return f"byte {self.offset}: {self.reason}"


class ResponseMismatchError(ResponseError):
    """A readable response that does not answer the job: other circuits, shots or qubits."""


class JobNotFoundError(AQTError, LookupError):
    """No saved job has this id."""

    def __init__(self, job_id: str, store_path: Path) -> None:
        """``store_path`` is the directory that was searched."""
        super().__init__(job_id, store_path)
        self.job_id = job_id
        self.store_path = store_path

    def __str__(self) -> str:
        return f"no job '{self.job_id}' in {self.store_path}"


class DamagedJobError(AQTError):
    """A saved job that cannot be read; its file is left as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        """``path`` is the file, ``reason`` what is wrong with it."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot read the saved job {self.path}: {self.reason}"


class UnsavableJobError(AQTError):
    """A job with something that cannot be saved and read again."""

    def __init__(self, job_id: str, reason: str) -> None:
        """``reason`` names what cannot be saved."""
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot save job {self.job_id}: {self.reason}"


class JournalError(AQTError):
    """A journal that cannot be written, or in which another process has gone on with the job.

    What depends on the journal was not done: an API job was not sent.
    """


class JobFailedError(AQTError):
    """A job of a primitive that gave no result."""

    def __init__(self, job_id: str, reason: str) -> None:
        """``reason`` is the message of the job's result."""
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def __str__(self) -> str:
        return f"job {self.job_id}: {self.reason}"


class APIError(AQTError):
    """A server refused a request, or its answer cannot be used."""

    def __init__(
        self, message: str, *, status_code: int | None = None, offset: int | None = None
    ) -> None:
        """``message`` tells which request, and the server's reason where it gave one."""
        super().__init__(message)
        self.status_code = status_code
        """The answer's HTTP status, None if there is no answer."""
        self.offset = offset
        """The byte at which the answer's body cannot be read, None if that is not the fault."""


class APIConnectionError(APIError, ConnectionError):
    """A server cannot be reached, or does not answer; what was asked may be asked again."""


class AQTCredentialsError(APIError, PermissionError):
    """There is no access token, it is not accepted, or its file is readable by others."""


class InsecureConnectionError(APIError):
    """The access token would travel unprotected, or to another host; it was not sent."""


class RequestWithdrawnError(APIError):
    """A request was not sent, because it is not wanted any more."""


class ResultExpiredError(APIError):
    """The portal has deleted a job's result: it keeps them for 24 hours."""

    def __init__(self, job_id: str) -> None:
        """``job_id`` is the portal's identifier."""
        super().__init__(f"the portal has no result of job {job_id} any more", status_code=410)
        self.job_id = job_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id,)


class SubmissionUncertainError(APIError):
    """A submission of which nobody here knows whether the server has accepted it.

    It is not repeated, because the circuits could then run twice. The label shows on the portal's
    page if it was accepted.
    """

    def __init__(self, label: str, payload_hash: str, reason: str) -> None:
        """``payload_hash`` is the SHA-256 of the request body in hexadecimal."""
        super().__init__(
            f"it is uncertain whether the submission '{label}' was accepted (SHA-256 of its "
            f"payload: {payload_hash}): {reason}"
        )
        self.label = label
        self.payload_hash = payload_hash
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.label, self.payload_hash, self.reason)


class NotSubmittedError(APIError):
    """Something was not sent, and nobody sends it unless ``resubmit_failed()`` is called."""

    def __init__(self) -> None:
        """What it is about is known from where the error is found."""
        super().__init__("it was not submitted")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()


@dataclass(frozen=True)
class PartFailure:
    """An API job of a batch that has no result."""

    part: int
    """Its number in the batch, from 0."""
    circuits: range
    """Its circuits."""
    label: str
    """What the portal shows with it."""
    message: str
    """Why there is no result."""
    error: AQTError | None
    """What keeps its fate or its result from being known, None if the portal has told."""

    def __str__(self) -> str:
        first, last = self.circuits.start, self.circuits.stop - 1
        which = f"circuit {first}" if first == last else f"circuits {first} to {last}"
        return f"API job {self.part} ({which}): {self.message}"


class IncompleteBatchError(APIError):
    """Some API jobs of a batch have no known result; the other results can be had all the same."""

    _SHOWN = 10

    def __init__(self, failures: Sequence[PartFailure]) -> None:
        """Names the first failures; ``failures`` has them all."""
        self.failures = tuple(failures)
        """One entry for each API job without a known result."""
        lines = [str(failure) for failure in self.failures[: self._SHOWN]]
        if len(self.failures) > self._SHOWN:
            lines.append(f"and {len(self.failures) - self._SHOWN} more API jobs")
        super().__init__("\n".join([*lines, "result(partial=True) gives the others' results"]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,)


class UnsupportedQiskitError(AQTError, ImportError):
    """The installed Qiskit's circuits cannot be read natively."""

    def __init__(self, found: str, reason: str) -> None:
        """``found`` is the installed version."""
        super().__init__(found, reason)
        self.found = found
        self.reason = reason

    def __str__(self) -> str:
        return f"aqt-fast cannot read the circuits of Qiskit {self.found}: {self.reason}"
