"""Exceptions that come from another process, or from a pickle."""

from __future__ import annotations

import copy
import inspect
import traceback
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import pytest
from aqt_fast import exceptions
from aqt_fast.exceptions import (
    APIError,
    AQTCredentialsError,
    CircuitProblem,
    FixedOptionError,
    InvalidOptionError,
    NotSubmittedError,
    PartFailure,
    SubmissionUncertainError,
)
from aqt_fast.testing import ArnicaServer
from aqt_fast.v2 import exceptions as face
from clients import connect, device_of
from hostile import WORSE, assert_shown
from markers import marker
from qiskit.providers import JobTimeoutError, QiskitBackendNotFoundError

MOMENT = datetime(2026, 11, 20, tzinfo=timezone.utc)

SECRET = "token-that-nobody-may-see"  # noqa: S105

FAILURES = [
    PartFailure(0, range(50), "label [1/2]", "lost", SubmissionUncertainError("a", "b", "c")),
    PartFailure(1, range(50, 60), "label [2/2]", "not sent", NotSubmittedError()),
]

EXAMPLES = {
    exceptions.CharacterisationNotFoundError: ("ibex", MOMENT, MOMENT),
    exceptions.DeviceNotOnlineError: ("gone", "offline", MOMENT),
    exceptions.MissingEstimateError: ("max_cost", 5.0, "no price is known", "provider"),
    exceptions.SpendingLimitError: ("max_shots", 5, "7 shots", "backend", None),
    exceptions.DamagedJobError: (Path("jobs/x.json"), "it is empty"),
    exceptions.FixedOptionError: ("shots", 7),
    exceptions.IncompleteBatchError: (FAILURES,),
    exceptions.InvalidCharacterisationError: ("t1", "is negative", Path("x.json")),
    exceptions.InvalidCircuitError: ([CircuitProblem(3, 4, "rz", 7.5, "no angle")],),
    exceptions.InvalidOptionError: ("shots", 0, "1 or more"),
    exceptions.InvalidSettingError: ("HTTPS_PROXY", "it is not the URL of a proxy"),
    exceptions.InvalidShotsError: ([1, 0], "a whole number for each circuit", {1: 0}),
    exceptions.JobFailedError: ("x", "out of ions"),
    exceptions.JobNotFoundError: ("x", Path("jobs")),
    exceptions.MalformedRequestError: ("expected a value", 7),
    exceptions.MalformedResponseError: ("expected a value", 7),
    exceptions.MissingExtraError: ("the picture of a device", "matplotlib", "plot"),
    exceptions.NotSubmittedError: (),
    exceptions.OtherProcessError: ("the job", 7, "wait for it there"),
    exceptions.SubmissionUncertainError: ("label", "ab12", "connection lost"),
    exceptions.UnsavableJobError: ("x", "its noise model"),
    exceptions.UnsupportedQiskitError: ("1.0", "it is old"),
    exceptions.UnusableFiguresError: ("ibex", ["t1 is missing"]),
}
"""Arguments of the classes that take more than a message."""

CLASSES = [
    *(
        value
        for value in vars(exceptions).values()
        if inspect.isclass(value) and issubclass(value, BaseException)
    ),
    JobTimeoutError,
    QiskitBackendNotFoundError,
]


def shown(error):
    """All that a reader of an exception sees."""
    return type(error), str(error), error.args and repr(error.args), repr(vars(error))


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class(kind, through):
    """Arguments, attributes and notes."""
    error = kind(*EXAMPLES.get(kind, ("something",)))
    if isinstance(error, APIError):
        error.status_code, error.detail = 503, {"detail": "busy"}
    error.__notes__ = ["while circuit 3 was sent"]
    for other in (through(error), through([error])[0], copy.copy(error), copy.deepcopy(error)):
        assert shown(other) == shown(error)


@pytest.mark.parametrize(
    "error",
    [
        InvalidOptionError("executor", lambda: None, "an executor"),
        FixedOptionError("executor", lambda: None),
    ],
    ids=["invalid", "fixed"],
)
def test_a_value_that_cannot_be_pickled(through, error):
    """It is replaced by its representation."""
    other = through(error)
    assert str(other) == str(error)
    assert shown(through(other)) == shown(other)


def test_answers(through):
    """What a server has answered comes along, without the token."""
    with ArnicaServer(simulate=False, token=SECRET) as server, connect(server) as provider:
        device = device_of(provider)
        server.revoke(SECRET)
        job = device.run(marker("1"))
        with pytest.raises(AQTCredentialsError) as caught:
            job.result()
    error, other = caught.value, through(caught.value)
    assert other.status_code == 401
    assert str(other) == str(error)
    assert other.http_response.status_code == 401
    assert other.http_response.content == error.http_response.content


def test_no_token(dumps):
    """Neither in what was asked nor in what was answered."""
    with ArnicaServer(simulate=False, token=SECRET) as server, connect(server) as provider:
        device = device_of(provider)
        server.revoke(SECRET)
        job = device.run(marker("1"))
        with pytest.raises(AQTCredentialsError) as caught:
            job.result()
        with pytest.raises(AQTCredentialsError) as not_listed:
            provider.get_backend("ibex")
    for error in (caught.value, not_listed.value):
        assert SECRET.encode() not in dumps(error)


def planted(value):
    """An example with a hostile text in place of each text in it."""
    if isinstance(value, str):
        return WORSE
    if isinstance(value, Path):
        return Path(WORSE.replace("\0", ""))
    if isinstance(value, Mapping):
        return {name: planted(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(planted, value))
    if is_dataclass(value):
        texts = {
            field.name: planted(getattr(value, field.name))
            for field in fields(value)
            if isinstance(getattr(value, field.name), str)
        }
        return replace(value, **texts)
    return value


OURS = [kind for kind in CLASSES if issubclass(kind, exceptions.AQTError)]
FACE = [getattr(face, name) for name in face.__all__]


def made_of_hostile_texts():
    """Errors of all classes, and of both trees."""
    for kind in OURS:
        yield kind(*planted(EXAMPLES.get(kind, ("something",))))
    yield APIError(WORSE, detail=WORSE, status_code=503)
    yield exceptions.JobNotFoundError(WORSE, Path("jobs"), WORSE)
    yield exceptions.UnknownOptionError(WORSE, None, WORSE)
    yield exceptions.UnknownOptionError(WORSE, None, None, WORSE)
    yield exceptions.InvalidShotsError([1], WORSE, WORSE)
    yield exceptions.CharacterisationNotFoundError(WORSE)
    yield exceptions.CharacterisationNotFoundError(WORSE, MOMENT)
    for kind in FACE:
        yield kind(WORSE)


def lines_of(error):
    """How many lines the class promises; None if they are as many as the problems."""
    several = (exceptions.InvalidCircuitError, exceptions.IncompleteBatchError)
    return None if isinstance(error, several) else 1


def test_hostile_texts(through, figures):
    """Whatever a server, a file or a user has put into an error: only the attributes have it."""
    errors = list(made_of_hostile_texts())
    errors += [
        face.in_both_trees(error) for error in errors if not isinstance(error, face.AQTError)
    ]
    for error in errors:
        assert_shown(str(error), lines_of(error))
        assert_shown("".join(traceback.format_exception_only(error)), lines_of(error))
        assert repr(error).isprintable()
        assert str(through(error)) == str(error)
    figures("errors with hostile texts", shown=len(errors))


@pytest.mark.parametrize("kind", [*OURS, *FACE])
def test_none_forgets(kind):
    """No class has a text of its own that the base class does not clean."""
    assert kind.__str__ is exceptions.AQTError.__str__


def test_lines_of_others():
    """Several problems are several lines, each with a text of others in it; one cannot fake two."""
    part = planted(FAILURES[0])
    assert_shown(str(exceptions.IncompleteBatchError([part] * 3)), 4)
    problem = CircuitProblem(3, 4, WORSE, 7.5, WORSE, mend=WORSE, circuit_name=WORSE)
    for kind in (exceptions.InvalidCircuitError, exceptions.InvalidPubError):
        assert_shown(str(kind([problem] * 12)), 11)
    for each in (part, problem):
        assert_shown(str(each), 1)


def test_attributes_are_as_sent():
    """An uncertain submission is adopted under the label that the portal has."""
    error = SubmissionUncertainError(WORSE, "ab12", WORSE)
    assert (error.label, error.reason) == (WORSE, WORSE)
    assert planted(FAILURES[0]).label == WORSE
    assert APIError("refused", detail=WORSE).detail == WORSE
