"""All exceptions of the package.

::

    AQTError
    ├── InvalidInputError (ValueError)         refused before anything ran
    │   ├── InvalidCircuitError                 .problems: every circuit that cannot run, and why
    │   │   └── InvalidPubError                   .problems: all that is wrong with PUBs
    │   ├── InvalidJobError                     no circuits, or too many; too many shots
    │   ├── InvalidOptionError                  .option, .value
    │   │   ├── InvalidShotsError                 .circuits: those whose shots are invalid
    │   │   └── UnknownOptionError                .suggestion
    │   ├── FixedOptionError                    .option, .value: a job has begun without it
    │   ├── SpendingLimitError                  .limit, .allowed, .estimated, .source, .estimate
    │   │   └── MissingEstimateError              what a limit is about is not known
    │   ├── InvalidCharacterisationError        .field, .reason, .path: of a device
    │   ├── UnusableFiguresError                .resource_id, .problems: no noise follows from them
    │   └── MalformedRequestError               .reason, .offset
    ├── ResponseError (ValueError)              an unusable response
    │   ├── MalformedResponseError              .reason, .offset
    │   ├── ResponseTooLargeError               .most_bytes
    │   └── ResponseMismatchError               readable, but not the answer to this request
    │       └── MisroutedResponseError            it names another API job than was asked for
    ├── JobNotFoundError (LookupError)          .job_id, .store_path
    ├── CharacterisationNotFoundError (LookupError)  .resource_id, .at, .oldest
    ├── DamagedJobError                         .path, .reason
    ├── UnsavableJobError                       .job_id, .reason
    ├── JournalError                            this process cannot write a job's journal
    ├── JobFailedError                          .job_id, .reason
    ├── OtherProcessError (RuntimeError)        .what, .process: called in a fork of that process
    ├── APIError                                .status_code, .detail, .http_response, .offset: a
    │   │                                       request was refused, or the answer is unusable
    │   ├── APIConnectionError (ConnectionError)  the server cannot be reached
    │   ├── AQTCredentialsError (PermissionError)  no token, or one that is not accepted
    │   ├── InsecureConnectionError             the token would be sent unprotected
    │   ├── InvalidSettingError                 .variable, .reason: of a proxy or certificates
    │   ├── RequestWithdrawnError               cancelled before it was sent
    │   ├── NotSubmittedError                   not sent: call ``resubmit_failed()``
    │   ├── DeviceNotOnlineError                .status, .since: not sent, as it asks for
    │   │                                       a device that is online
    │   ├── WorkspaceRefusedError               .workspace_id: the workspace does not take a job
    │   ├── ResultExpiredError                  .job_id
    │   ├── IncompleteBatchError                .failures: the API jobs without a known result
    │   └── SubmissionUncertainError            .label, .payload_hash, .reason
    ├── MissingExtraError (ImportError)         .package, .extra
    └── UnsupportedQiskitError (ImportError)

``qiskit.providers.JobTimeoutError`` and ``qiskit.providers.QiskitBackendNotFoundError`` are raised
where Qiskit's users expect them.

Longer than 400 lines: one tree, in one place.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aqt_fast._texts import one_line, printable

__all__ = [
    "APIConnectionError",
    "APIError",
    "AQTCredentialsError",
    "AQTError",
    "CharacterisationNotFoundError",
    "CircuitProblem",
    "DamagedJobError",
    "DeviceNotOnlineError",
    "FixedOptionError",
    "IncompleteBatchError",
    "InsecureConnectionError",
    "InvalidCharacterisationError",
    "InvalidCircuitError",
    "InvalidInputError",
    "InvalidJobError",
    "InvalidOptionError",
    "InvalidPubError",
    "InvalidSettingError",
    "InvalidShotsError",
    "JobFailedError",
    "JobNotFoundError",
    "JournalError",
    "MalformedRequestError",
    "MalformedResponseError",
    "MisroutedResponseError",
    "MissingEstimateError",
    "MissingExtraError",
    "NotSubmittedError",
    "OtherProcessError",
    "PartFailure",
    "RequestWithdrawnError",
    "ResponseError",
    "ResponseMismatchError",
    "ResponseTooLargeError",
    "ResultExpiredError",
    "SpendingLimitError",
    "SubmissionUncertainError",
    "UnknownOptionError",
    "Unpicklable",
    "UnsavableJobError",
    "UnsupportedQiskitError",
    "UnusableFiguresError",
    "WorkspaceRefusedError",
]

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import httpx


class AQTError(Exception):
    """Base class of all exceptions of this package.

    Its text is one line, or several where the class says so, without characters that a terminal
    would obey and with at most 4000 characters a line, whatever a server or a file has put into it.
    Attributes have what was sent.

    Process pools and Dask pickle exceptions: all attributes and notes survive.
    """

    _SEVERAL_LINES = False
    """Whether the text has line breaks of ours."""

    def __str__(self) -> str:
        return (printable if self._SEVERAL_LINES else one_line)(self._text())

    def _text(self) -> str:
        """Compose the text; texts of others may stand in it as they came."""
        return super().__str__()


class InvalidInputError(AQTError, ValueError):
    """An argument cannot be run; nothing was sent or started."""


@dataclass(frozen=True)
class CircuitProblem:
    """Why one circuit cannot run, and the first instruction that shows it."""

    circuit: int | None
    """Index of the circuit in its batch, from 0: that of its PUB if a primitive has it; None inside
    of Qiskit's transpiler."""
    instruction: int | None
    """Index into ``circuit.data``; None for a problem of the circuit as a whole."""
    operation: str | None
    """Name of that instruction."""
    value: float | None
    """The invalid angle in radians, for problems with an angle."""
    reason: str
    """What is wrong, in words."""
    qubits: tuple[int, ...] = ()
    """Indices of the qubits that show it; empty for a problem of the circuit as a whole."""
    mend: str | None = None
    """What the user can do about it, in words; None if the reason says it."""
    circuit_name: str | None = None
    """Name of the circuit, if its index is unknown."""
    pub: int | None = None
    """Index of the PUB of a primitive that the circuit comes from, from 0; None without a PUB."""
    parameter_set: tuple[int, ...] = ()
    """Index of the parameter set in the PUB's array; empty if there is no array."""

    def __str__(self) -> str:
        place = f"circuit {self.circuit}"
        if self.circuit is None:
            place = f"circuit '{self.circuit_name}'"
        if self.pub is not None:
            place = f"PUB {self.pub}"
        if self.parameter_set:
            place += f", parameter set {', '.join(map(str, self.parameter_set))}"
        if self.instruction is not None:
            place += f", instruction {self.instruction} ({self.operation})"
        elif self.operation is not None:
            place += f", {self.operation}"
        mend = "" if self.mend is None else f"; {self.mend}"
        return one_line(f"{place}: {self.reason}{mend}")


class InvalidCircuitError(InvalidInputError):
    """Circuits cannot run: all such circuits of a batch, each with its first problem."""

    _SEVERAL_LINES = True
    _SHOWN = 10
    _OTHERS = "circuits"

    def __init__(self, problems: Sequence[CircuitProblem]) -> None:
        """Describe the first problems; ``problems`` has them all."""
        super().__init__(problems)
        self.problems = tuple(problems)
        """One entry per circuit that cannot run."""

    def _text(self) -> str:
        lines = [str(problem) for problem in self.problems[: self._SHOWN]]
        if len(self.problems) > self._SHOWN:
            lines.append(f"and {len(self.problems) - self._SHOWN} more {self._OTHERS}")
        return "\n".join(lines)


class InvalidPubError(InvalidCircuitError):
    """PUBs cannot run: circuits, values, shots or observables. Nothing was sent.

    Each of ``problems`` names its PUB, and the parameter set unless it is a problem of all.
    """

    _OTHERS = "problems"


class InvalidJobError(InvalidInputError):
    """The batch has no circuits, or more circuits or shots than can be sent."""


@dataclass(frozen=True, repr=False)
class Unpicklable:
    """Stands for an object that cannot be pickled, in an error that comes from another process."""

    text: str
    """The object's ``repr``."""

    def __repr__(self) -> str:
        return self.text


def picklable(value: Any) -> Any:
    """Return a value, or what stands for it if it cannot be pickled."""
    try:
        pickle.dumps(value)
    except Exception:  # noqa: BLE001 - objects of users raise what they like
        return Unpicklable(repr(value))
    return value


class _HoldsValue:
    """What exceptions share that have a value of the user's as argument and attribute."""

    args: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: item for name, item in vars(self).items() if name != "value"}
        return type(self), tuple(map(picklable, self.args)), state


class InvalidOptionError(_HoldsValue, InvalidInputError):
    """An option has an invalid value."""

    def __init__(self, option: str, value: object, expected: str) -> None:
        """``expected`` completes the sentence "option must be …"."""
        super().__init__(option, value, expected)
        self.option = option
        self.value = value
        self.expected = expected

    def _text(self) -> str:
        return f"{self.option} must be {self.expected}, not {self.value!r}"


class InvalidShotsError(InvalidOptionError):
    """Shots of single circuits are invalid, or there are not as many numbers as circuits."""

    _SHOWN = 10

    def __init__(self, value: object, expected: str, found: str | Mapping[int, object]) -> None:
        """Describe what is wrong.

        Args:
            value: the value of the option.
            expected: completes the sentence "shots must be …".
            found: completes the sentence "…, not …": words, or the invalid number of each circuit.
        """
        super().__init__("shots", value, expected)
        invalid = {} if isinstance(found, str) else found
        self.circuits = tuple(invalid)
        """Indices of the circuits whose shots are invalid."""
        shown = [f"{invalid[circuit]!r} (circuit {circuit})" for circuit in self.circuits]
        more = len(shown) - self._SHOWN
        self.found = found if isinstance(found, str) else ", ".join(shown[: self._SHOWN])
        """What was found instead."""
        if more > 0:
            self.found += f" and {more} more"
        self.args = (value, expected, self.found)

    def _text(self) -> str:
        return f"{self.option} must be {self.expected}, not {self.found}"


class FixedOptionError(_HoldsValue, InvalidInputError):
    """An option says how a job runs, and can no longer be changed: the job is made."""

    def __init__(self, option: str, value: object) -> None:
        """``value`` is the one that was refused."""
        super().__init__(option, value)
        self.option = option
        self.value = value

    def _text(self) -> str:
        return (
            f"option '{self.option}' of a job cannot be changed: run the circuits again with "
            f"{self.option}={self.value!r}"
        )


class UnknownOptionError(InvalidOptionError):
    """A device does not run a job with an option that does not exist: typing errors cost money."""

    def __init__(
        self,
        option: str,
        value: object = None,
        suggestion: str | None = None,
        elsewhere: str | None = None,
    ) -> None:
        """Describe an option that the device does not have.

        Args:
            option: its name.
            value: its value.
            suggestion: the option that was probably meant, None if none is near.
            elsewhere: the backends that have this option, None if there are none.
        """
        super().__init__(option, value, "")
        self.args = (option, value, suggestion, elsewhere)
        self.suggestion = suggestion
        self.elsewhere = elsewhere

    def _text(self) -> str:
        if self.elsewhere is not None:
            return f"option '{self.option}' is for {self.elsewhere} only"
        hint = "" if self.suggestion is None else f"; did you mean '{self.suggestion}'?"
        return f"there is no option '{self.option}'{hint}"


class SpendingLimitError(InvalidInputError):
    """A job may cost or take more than a limit allows; nothing was sent or written."""

    def __init__(
        self, limit: str, allowed: float, estimated: str, source: str, estimate: Any = None
    ) -> None:
        """Describe a limit and what would exceed it.

        Args:
            limit: the option that is exceeded: ``max_cost``, ``max_device_seconds`` or
                ``max_shots``.
            allowed: its value.
            estimated: what the job may take, in words.
            source: where the limit was set: ``provider``, ``backend`` or ``job``.
            estimate: the job's estimate, a ``JobEstimate``.
        """
        super().__init__(limit, allowed, estimated, source)
        self.limit = limit
        """The option that is exceeded: ``max_cost``, ``max_device_seconds`` or ``max_shots``."""
        self.allowed = allowed
        """Its value: seconds, shots, or money in the currency of the price list."""
        self.estimated = estimated
        """What the job may take, in words."""
        self.source = source
        """Where the limit was set: ``provider``, ``backend``, or ``job``, which are the options of
        ``run``, ``execute`` or a primitive, and the arguments of ``resubmit_failed``."""
        self.estimate = estimate
        """The job's :class:`~aqt_fast.devices.JobEstimate`; for API jobs that are submitted again,
        with all that were sent before and may have run."""

    def _text(self) -> str:
        return (
            f"the job may take {self.estimated}, but {self.limit}={self.allowed} of the "
            f"{self.source} allows less; nothing was sent"
        )


class MissingEstimateError(SpendingLimitError):
    """A limit is set on what nobody knows, such as a cost without a price list. Nothing was sent.

    ``estimated`` says what is missing.
    """

    def _text(self) -> str:
        return (
            f"{self.limit}={self.allowed} of the {self.source} cannot be checked: "
            f"{self.estimated}; nothing was sent"
        )


class InvalidCharacterisationError(InvalidInputError):
    """A characterisation of a device has an impossible value, or its file is damaged."""

    def __init__(self, field: str, reason: str, path: Path | None = None) -> None:
        """``field`` is the field with the fault, ``path`` the file it was read from, if any."""
        super().__init__(field, reason, path)
        self.field = field
        self.reason = reason
        self.path = path

    def _text(self) -> str:
        place = "the characterisation" if self.path is None else str(self.path)
        return f"{place}: {self.field} {self.reason}"


class UnusableFiguresError(InvalidInputError):
    """Figures of a device from which no noise follows: some are missing, or too low."""

    _SHOWN = 10

    def __init__(self, resource_id: str, problems: Sequence[str]) -> None:
        """``problems`` name a figure each, and what is wrong with it."""
        super().__init__(resource_id, tuple(problems))
        self.resource_id = resource_id
        self.problems = tuple(problems)

    def _text(self) -> str:
        more = len(self.problems) - self._SHOWN
        told = "; ".join(self.problems[: self._SHOWN]) + (f"; and {more} more" if more > 0 else "")
        return (
            f"no noise follows from what is known of {self.resource_id!r}: {told}; give other "
            "figures with dataclasses.replace(characterisation, ...)"
        )


class MalformedRequestError(InvalidInputError):
    """A request body is not valid JSON, or not a job of AQT's interface."""

    def __init__(self, reason: str, offset: int) -> None:
        """``offset`` counts bytes from the start of the body."""
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def _text(self) -> str:
        return f"byte {self.offset}: {self.reason}"


class ResponseError(AQTError, ValueError):
    """A response is unusable."""


class MalformedResponseError(ResponseError):
    """A response body is not valid JSON, or does not have the documented shape."""

    def __init__(self, reason: str, offset: int) -> None:
        """``offset`` counts bytes from the start of the body."""
        super().__init__(reason, offset)
        self.reason = reason
        self.offset = offset

    def _text(self) -> str:
        return f"byte {self.offset}: {self.reason}"


class ResponseMismatchError(ResponseError):
    """A readable response does not match the job: other circuits, shots or qubits."""


class MisroutedResponseError(ResponseMismatchError):
    """A readable response names another API job: it answers somebody else's request."""


class ResponseTooLargeError(ResponseError):
    """A response has more bytes than any that belongs to a job; the rest was not received."""

    def __init__(self, most_bytes: int) -> None:
        """``most_bytes`` is the limit, which counts decompressed bytes."""
        super().__init__(most_bytes)
        self.most_bytes = most_bytes

    def _text(self) -> str:
        return f"it has more than the {self.most_bytes} bytes that are read, decompressed"


class JobNotFoundError(AQTError, LookupError):
    """No job has this id."""

    def __init__(self, job_id: str, store_path: Path, elsewhere: str = "") -> None:
        """``store_path`` is the directory that was searched, ``elsewhere`` tells of the portal."""
        super().__init__(job_id, store_path)
        self.job_id = job_id
        self.store_path = store_path
        self.elsewhere = elsewhere

    def _text(self) -> str:
        here = f"no job '{self.job_id}' in {self.store_path}"
        return f"{here}, {self.elsewhere}" if self.elsewhere else here


class CharacterisationNotFoundError(AQTError, LookupError):
    """No figures of a device are known: none at all, or none of the wanted time."""

    def __init__(
        self, resource_id: str, at: datetime | None = None, oldest: datetime | None = None
    ) -> None:
        """Describe what was looked for.

        Args:
            resource_id: the device.
            at: the wanted time; None for any.
            oldest: the time of the oldest figures that are known, None if there are none.
        """
        super().__init__(resource_id, at, oldest)
        self.resource_id = resource_id
        self.at = at
        self.oldest = oldest

    def _text(self) -> str:
        if self.at is None:
            return f"{self.resource_id!r} has no figures, or none whose time is known"
        known = "none were kept" if self.oldest is None else f"the oldest are of {self.oldest}"
        return (
            f"no figures of {self.resource_id!r} are as old as {self.at}: {known}; the portal "
            "tells the present ones only, AQTProvider.keep_characterisation() keeps them"
        )


class DamagedJobError(AQTError):
    """A stored job cannot be read; its files stay as they are."""

    def __init__(self, path: Path, reason: str) -> None:
        """``path`` is the file, ``reason`` what is wrong with it."""
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def _text(self) -> str:
        return f"cannot read the saved job {self.path}: {self.reason}"


class UnsavableJobError(AQTError):
    """A job contains something that cannot be saved and read again."""

    def __init__(self, job_id: str, reason: str) -> None:
        """``reason`` names what cannot be saved."""
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def _text(self) -> str:
        return f"cannot save job {self.job_id}: {self.reason}"


class JournalError(AQTError):
    """A journal cannot be written, or another process has continued the job.

    What depends on the journal was not done: no API job was sent.
    """


class JobFailedError(AQTError):
    """A primitive's job has no result."""

    def __init__(self, job_id: str, reason: str) -> None:
        """``reason`` is the message of the job's result."""
        super().__init__(job_id, reason)
        self.job_id = job_id
        self.reason = reason

    def _text(self) -> str:
        return f"job {self.job_id}: {self.reason}"


class OtherProcessError(AQTError, RuntimeError):
    """Only the process that runs it can do this: the object is in a fork, or is a copy."""

    def __init__(self, what: str, process: int, advice: str = "") -> None:
        """Name ``what`` runs elsewhere, the identifier of that ``process``, and what to do."""
        super().__init__(what, process, advice)
        self.what = what
        self.process = process
        self.advice = advice
        self._here = process == os.getpid()

    def _text(self) -> str:
        where = f"{self.what} runs in process {self.process}, not in this one"
        if self._here:
            where = f"this is a copy of {self.what}, with its results only"
        return f"{where}; {self.advice}" if self.advice else where


class APIError(AQTError):
    """A server refused a request, or its answer is unusable."""

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        offset: int | None = None,
        detail: Any = None,
        http_response: httpx.Response | None = None,
    ) -> None:
        """``message`` names the request, and the server's reason if it gave one."""
        super().__init__(message)
        self.detail = detail
        """The server's reason as it was sent, mostly text; None if it gave none."""
        self.http_response = http_response
        """The answer with an error status, without access tokens; None if there is no answer."""
        self.status_code = status_code
        """HTTP status of the answer, None if there is no answer."""
        self.offset = offset
        """Offset of the first invalid byte in the answer's body, None for another problem."""


class APIConnectionError(APIError, ConnectionError):
    """A server cannot be reached or does not answer; the request may be repeated."""


class AQTCredentialsError(APIError, PermissionError):
    """The access token is missing or not accepted, or others can read its file."""


class InsecureConnectionError(APIError):
    """The access token would be sent unprotected or to another host; it was not sent."""


class InvalidSettingError(APIError):
    """A variable of the environment, for a proxy or certificates, cannot be used; nothing was sent.

    The message does not show the address of a proxy, which may hold a password.
    """

    def __init__(self, variable: str, reason: str) -> None:
        """``variable`` is its name, ``reason`` what is wrong with it."""
        super().__init__(f"{variable} cannot be used: {reason}")
        self.variable = variable
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.variable, self.reason), vars(self)


class RequestWithdrawnError(APIError):
    """A request was cancelled before it was sent."""


class ResultExpiredError(APIError):
    """The portal has deleted a job's result: it keeps results for 24 hours."""

    def __init__(self, job_id: str) -> None:
        """``job_id`` is the portal's identifier."""
        super().__init__(f"the portal has no result of job {job_id} any more", status_code=410)
        self.job_id = job_id

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.job_id,), vars(self)


class SubmissionUncertainError(APIError):
    """It is unknown whether the server has accepted a submission.

    The submission is not repeated, because the circuits could then run twice. If it was accepted,
    the portal's page shows the label. There are two ways out: ``adopt()`` and
    ``resubmit_failed(uncertain=True)``.
    """

    def __init__(self, label: str, payload_hash: str, reason: str) -> None:
        """``payload_hash`` is the SHA-256 of the request body in hexadecimal."""
        super().__init__(
            f"it is uncertain whether the submission '{label}' was accepted (SHA-256 of its "
            f"payload: {payload_hash}): {reason}; if it was, adopt({label!r}, its identifier) "
            "takes it over; if not, resubmit_failed(uncertain=True) sends it again"
        )
        self.label = label
        self.payload_hash = payload_hash
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.label, self.payload_hash, self.reason), vars(self)


class NotSubmittedError(APIError):
    """An API job was not sent, and is not sent until ``resubmit_failed()`` is called."""

    def __init__(self) -> None:
        """The context of the error names the API job."""
        super().__init__("it was not submitted")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (), vars(self)


class DeviceNotOnlineError(APIError):
    """The device or its workspace takes no jobs at present; nothing was sent."""

    def __init__(
        self, message: str, status: str = "unknown", since: datetime | None = None
    ) -> None:
        """Describe what does not run.

        Args:
            message: what is not online, in words.
            status: see :attr:`status`.
            since: see :attr:`since`.
        """
        super().__init__(message)
        self.status = status
        """The device's status: ``offline``, ``maintenance``, ``unavailable``; or ``online`` if it
        is its workspace that takes no jobs."""
        self.since = since
        """Since when the device has this status, None if the portal does not tell."""

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (*self.args, self.status, self.since), vars(self)


class WorkspaceRefusedError(APIError):
    """A workspace does not take a submission (403): nothing was accepted.

    It accepts no jobs at present, or the access token does not open it.
    """

    def __init__(self, message: str, *, workspace_id: str = "", **answer: Any) -> None:
        """Take the arguments of :class:`APIError`, and the workspace's identifier."""
        super().__init__(message, **answer)
        self.workspace_id = workspace_id
        """The workspace's identifier."""

    @classmethod
    def of(cls, error: APIError, workspace_id: str) -> WorkspaceRefusedError:
        """Make it of the portal's refusal."""
        return cls(
            str(error),
            workspace_id=workspace_id,
            status_code=error.status_code,
            detail=error.detail,
            http_response=error.http_response,
        )


@dataclass(frozen=True)
class PartFailure:
    """An API job of a batch that has no result."""

    part: int
    """Index of the API job in its batch, from 0; labels and messages count from 1."""
    circuits: range
    """Indices of its circuits."""
    label: str
    """Its label on the portal."""
    message: str
    """Why there is no result."""
    error: AQTError | None
    """Error that hides fate or result, None if the portal has reported the reason."""

    def __str__(self) -> str:
        first, last = self.circuits.start, self.circuits.stop - 1
        which = f"circuit {first}" if first == last else f"circuits {first} to {last}"
        return one_line(f"API job {self.part + 1} ({which}): {self.message}")


class IncompleteBatchError(APIError):
    """Some API jobs of a batch have no known result; the others' results are available."""

    _SEVERAL_LINES = True
    _SHOWN = 10

    def __init__(self, failures: Sequence[PartFailure]) -> None:
        """Describe the first failures; ``failures`` has them all."""
        self.failures = tuple(failures)
        """One entry per API job without a known result."""
        lines = [str(failure) for failure in self.failures[: self._SHOWN]]
        if len(self.failures) > self._SHOWN:
            lines.append(f"and {len(self.failures) - self._SHOWN} more API jobs")
        super().__init__("\n".join([*lines, "result(partial=True) gives the others' results"]))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.failures,), vars(self)


class MissingExtraError(AQTError, ImportError):
    """A package is not installed that only a part of this one needs."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        """``what`` needs the ``package``, which the ``extra`` of this package installs."""
        super().__init__(what, package, extra)
        self.what = what
        self.package = package
        self.extra = extra

    def _text(self) -> str:
        return f"{self.what} needs {self.package}: pip install 'aqt-fast[{self.extra}]'"


class UnsupportedQiskitError(AQTError, ImportError):
    """The native code cannot read the circuits of the installed Qiskit."""

    def __init__(self, found: str, reason: str) -> None:
        """``found`` is the installed version."""
        super().__init__(found, reason)
        self.found = found
        self.reason = reason

    def _text(self) -> str:
        return f"aqt-fast cannot read the circuits of Qiskit {self.found}: {self.reason}"
