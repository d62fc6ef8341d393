"""The exceptions of the 2.x face.

::

    AQTError (QiskitError)
    ├── AQTJobError (JobError)
    │   ├── AQTJobInvalidStateError           the job was cancelled: it has no result
    │   ├── AQTJobFailedError                 the job has failed
    │   └── AQTJobPersistenceError            .. a job cannot be saved or restored
    │       ├── AQTJobNotFoundError (LookupError)
    │       ├── AQTJobCorruptError
    │       ├── AQTJobIncompatibleError
    │       └── AQTJobBackendMismatchError
    ├── AQTApiError                           the server has failed, or its answer is unusable
    ├── AQTCredentialsError                   no access token, or one that is not accepted
    ├── AQTValueError (ValueError)            an argument cannot be used; nothing was sent
    └── AQTRequestError                       the server refuses a request, or cannot be reached

All of them derive from :class:`aqt_fast.exceptions.AQTError`, too. An error that comes from our
core is raised as an object of both trees: ``except AQTValueError`` and ``except
aqt_fast.exceptions.InvalidCircuitError`` catch the same, and ``.problems`` is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from qiskit.exceptions import QiskitError
from qiskit.providers import JobError

from aqt_fast import exceptions as core

__all__ = [
    "AQTApiError",
    "AQTCredentialsError",
    "AQTError",
    "AQTJobBackendMismatchError",
    "AQTJobCorruptError",
    "AQTJobError",
    "AQTJobFailedError",
    "AQTJobIncompatibleError",
    "AQTJobInvalidStateError",
    "AQTJobNotFoundError",
    "AQTJobPersistenceError",
    "AQTRequestError",
    "AQTValueError",
]

_FIRST_SERVER_ERROR = 500


class AQTError(QiskitError, core.AQTError):
    """Base class of all exceptions of the 2.x face."""

    __str__ = core.AQTError.__str__  # Qiskit's puts quotes around the text


class AQTJobError(AQTError, JobError):
    """Base class of errors of a job."""


class AQTJobInvalidStateError(AQTJobError):
    """The job has ended without a result because it was cancelled."""


class AQTJobFailedError(AQTJobError):
    """The job has failed."""


class AQTJobPersistenceError(AQTJobError):
    """A job cannot be saved or restored."""


class AQTJobNotFoundError(AQTJobPersistenceError, LookupError):
    """No saved job has this identifier."""


class AQTJobCorruptError(AQTJobPersistenceError):
    """A saved job cannot be read."""


class AQTJobIncompatibleError(AQTJobPersistenceError):
    """A saved job has a format that this version does not read."""


class AQTJobBackendMismatchError(AQTJobPersistenceError):
    """A saved job belongs to another backend."""


class AQTApiError(AQTError):
    """The server has failed, or its answer is unusable."""


class AQTCredentialsError(AQTError):
    """There is no access token, or it is not accepted."""


class AQTValueError(AQTError, ValueError):
    """An argument cannot be used; nothing was sent or started."""


class AQTRequestError(AQTError):
    """The server refuses a request, or cannot be reached."""


@contextmanager
def raised_as_v2() -> Iterator[None]:
    """Raise errors of our core as errors of both trees."""
    try:
        yield
    except AQTError:
        raise
    except core.AQTError as error:
        # The one error takes the place of the other, with its cause.
        both = in_both_trees(error).with_traceback(error.__traceback__)
        raise both from error.__cause__


def in_both_trees(error: core.AQTError) -> AQTError:
    """Return an error like ``error`` that is also an :class:`AQTError`, with all attributes."""
    if isinstance(error, AQTError):
        return error
    kind, ours = _kind(error), type(error)
    twin = _TWINS.get((kind, ours)) or _TWINS.setdefault((kind, ours), _twin(ours, kind))
    both: AQTError = twin.__new__(twin, *error.args)
    both.args = error.args
    both.__dict__.update(error.__dict__, message=str(error))
    return both


def _kind(error: core.AQTError) -> type[AQTError]:
    """Return the class of the 2.x face that an error of our core belongs to."""
    for ours, kind in _KINDS:
        if isinstance(error, ours):
            return kind
    if isinstance(error, core.APIError):
        status = error.status_code
        refused = status is not None and status < _FIRST_SERVER_ERROR
        return AQTRequestError if refused else AQTApiError
    return AQTError


_KINDS: tuple[tuple[type[core.AQTError], type[AQTError]], ...] = (
    (core.InvalidInputError, AQTValueError),
    (core.ResponseError, AQTApiError),
    (core.JobNotFoundError, AQTJobNotFoundError),
    (core.DamagedJobError, AQTJobCorruptError),
    (core.UnsavableJobError, AQTJobPersistenceError),
    (core.JournalError, AQTJobPersistenceError),
    (core.JobFailedError, AQTJobFailedError),
    (core.AQTCredentialsError, AQTCredentialsError),
    (core.InsecureConnectionError, AQTCredentialsError),
    (core.APIConnectionError, AQTRequestError),
    (core.DeviceNotOnlineError, AQTRequestError),
)


_TWINS: dict[tuple[type, type], type[AQTError]] = {}
"""Classes that are both, by their bases."""


def _twin(ours: type[core.AQTError], kind: type[AQTError]) -> type[AQTError]:
    """Make the class that is both."""

    def reduce(self: Any) -> tuple[Any, ...]:
        attributes = {name: core.picklable(item) for name, item in vars(self).items()}
        return _again, (ours, tuple(map(core.picklable, self.args)), attributes)

    return type(
        kind.__name__,
        (kind, ours),
        {
            "__module__": __name__,
            "__doc__": ours.__doc__,
            "__reduce__": reduce,
        },
    )


def _again(
    ours: type[core.AQTError], arguments: tuple[Any, ...], attributes: dict[str, Any]
) -> AQTError:
    """Make an error of both trees again, from a pickle."""
    plain = ours.__new__(ours, *arguments)
    plain.args = arguments
    plain.__dict__.update(attributes)
    return in_both_trees(plain)
