"""Errors of the 2.x face: errors of both trees."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from aqt_fast import exceptions as core
from aqt_fast.v2 import exceptions as face
from qiskit.exceptions import QiskitError
from qiskit.providers import JobError

ERRORS = [
    (core.InvalidOptionError("shots", 0, "more"), face.AQTValueError),
    (
        core.InvalidCircuitError([core.CircuitProblem(3, None, None, None, "empty")]),
        face.AQTValueError,
    ),
    (core.MalformedResponseError("no JSON", 5), face.AQTApiError),
    (core.JobNotFoundError("one", Path("store")), face.AQTJobNotFoundError),
    (core.DamagedJobError(Path("file"), "cut off"), face.AQTJobCorruptError),
    (core.UnsavableJobError("one", "noise"), face.AQTJobPersistenceError),
    (core.JournalError("locked"), face.AQTJobPersistenceError),
    (core.JobFailedError("one", "no ions"), face.AQTJobFailedError),
    (core.APIError("refused", status_code=404), face.AQTRequestError),
    (core.APIError("failed", status_code=500), face.AQTApiError),
    (core.APIError("unreadable", offset=7), face.AQTApiError),
    (core.APIConnectionError("no answer"), face.AQTRequestError),
    (core.AQTCredentialsError("expired", status_code=401), face.AQTCredentialsError),
    (core.InsecureConnectionError("plain HTTP"), face.AQTCredentialsError),
    (core.ResultExpiredError("one"), face.AQTRequestError),
    (core.SubmissionUncertainError("label", "hash", "stalled"), face.AQTApiError),
    (core.NotSubmittedError(), face.AQTApiError),
    (core.AQTError("any"), face.AQTError),
]


@pytest.mark.parametrize(("error", "kind"), ERRORS, ids=lambda value: type(value).__name__)
def test_both_trees(error, kind):
    """One object has the class, text and attributes of ours, and the class of the face."""
    with pytest.raises(kind) as caught, face.raised_as_v2():
        raise error
    found = caught.value
    assert isinstance(found, type(error))
    assert isinstance(found, QiskitError)
    assert str(found) == str(error) == found.message
    for name, value in vars(error).items():
        assert getattr(found, name) == value
    assert type(found).__name__ == kind.__name__
    assert found.__cause__ is None
    again = pickle.loads(pickle.dumps(found))  # noqa: S301 - our own
    assert isinstance(again, kind)
    assert isinstance(again, type(error))
    assert (str(again), vars(again)) == (str(found), vars(found))


def test_cause():
    """What has led to the error stays; the error of our core is not shown beside it."""
    cause = OSError("unplugged")
    with pytest.raises(face.AQTRequestError) as caught, face.raised_as_v2():
        raise core.APIConnectionError("no answer") from cause
    assert caught.value.__cause__ is cause
    assert caught.value.__suppress_context__


def test_others_pass():
    """Errors of the face and errors of others stay what they are."""
    for error in (face.AQTJobFailedError("it"), KeyError("it")):
        with pytest.raises(type(error)) as caught, face.raised_as_v2():
            raise error
        assert caught.value is error


def test_tree():
    """The classes of 2.0.1 derive from each other as there."""
    assert issubclass(face.AQTError, (QiskitError, core.AQTError))
    assert issubclass(face.AQTJobError, JobError)
    for error in (
        face.AQTJobInvalidStateError,
        face.AQTJobFailedError,
        face.AQTJobPersistenceError,
    ):
        assert issubclass(error, face.AQTJobError)
    for error in (
        face.AQTJobNotFoundError,
        face.AQTJobCorruptError,
        face.AQTJobIncompatibleError,
        face.AQTJobBackendMismatchError,
    ):
        assert issubclass(error, face.AQTJobPersistenceError)
    assert issubclass(face.AQTValueError, ValueError)
    assert str(face.AQTApiError("without quotes")) == "without quotes"
