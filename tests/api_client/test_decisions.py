"""The decision table, and the questions that callers ask of it."""

import pytest
from aqt_fast.api_client.decisions import (
    BUSY_STATUSES,
    NOT_ACCEPTED,
    TABLE,
    Decision,
    Fault,
    RequestKind,
    decide,
    is_of_another_job,
    redirect_fault,
    status_fault,
    will_pass,
)
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    MalformedResponseError,
    NotSubmittedError,
    RequestWithdrawnError,
    ResponseMismatchError,
    ResultExpiredError,
    SubmissionUncertainError,
)

ASKING = [kind for kind in RequestKind if kind is not RequestKind.SUBMIT]

NOTHING_ACCEPTED = {
    Fault.NOT_CONNECTED,
    Fault.NOT_RENEWED,
    Fault.BUSY,
}
"""Faults that prove that nothing was accepted, and that may pass."""


class TestTable:
    """Properties that every change of the table must keep."""

    @pytest.mark.parametrize("fault", Fault)
    def test_is_complete(self, fault):
        """Each fault has a decision for each kind of request."""
        assert set(TABLE[fault]) == set(RequestKind)
        for kind in RequestKind:
            assert decide(fault, kind) is TABLE[fault][kind]

    def test_a_submission_is_repeated_only_if_nothing_was_accepted(self):
        """Circuits must not run twice."""
        repeated = {
            fault
            for fault in Fault
            if decide(fault, RequestKind.SUBMIT) in (Decision.RETRY, Decision.RETRY_FEW)
        }
        assert repeated == NOTHING_ACCEPTED

    def test_a_submission_is_uncertain_if_it_may_have_been_accepted(self):
        """No accepted job may be lost."""
        uncertain = {f for f in Fault if decide(f, RequestKind.SUBMIT) is Decision.UNCERTAIN}
        assert uncertain == {
            Fault.LOST,
            Fault.READ_TIMEOUT,
            Fault.CLOSED_MEANWHILE,
            Fault.UNREADABLE,
            Fault.SEE_OTHER,
            Fault.NO_ERROR,
            Fault.REQUEST_TIMEOUT,
            Fault.UNAVAILABLE,
            Fault.SERVER_ERROR,
        }

    @pytest.mark.parametrize("kind", ASKING, ids=lambda kind: kind.name)
    def test_only_submissions_are_uncertain(self, kind):
        """Other requests can be sent again without harm."""
        assert Decision.UNCERTAIN not in {decide(fault, kind) for fault in Fault}

    @pytest.mark.parametrize(
        ("fault", "decision"),
        [
            (Fault.NOT_CONNECTED, Decision.RETRY),
            (Fault.LOST, Decision.RETRY),
            (Fault.BUSY, Decision.RETRY),
            (Fault.REQUEST_TIMEOUT, Decision.RETRY),
            (Fault.UNAVAILABLE, Decision.RETRY),
            (Fault.SERVER_ERROR, Decision.RETRY),
            (Fault.UNREADABLE, Decision.RETRY_FEW),
            (Fault.CLOSED_MEANWHILE, Decision.NO_CONNECTION),
        ],
    )
    def test_other_requests(self, fault, decision):
        """What may pass is tried again."""
        assert {decide(fault, kind) for kind in ASKING} == {decision}

    @pytest.mark.parametrize(
        ("fault", "decision"),
        [
            (Fault.WITHDRAWN, Decision.WITHDRAWN),
            (Fault.CLOSED, Decision.NO_CONNECTION),
            (Fault.UNTRUSTED, Decision.NO_CONNECTION),
            (Fault.INVALID, Decision.REFUSED),
            (Fault.REFUSED, Decision.REFUSED),
            (Fault.METHOD_CHANGED, Decision.REFUSED),
            (Fault.TOO_MANY_REDIRECTS, Decision.REFUSED),
            (Fault.REDIRECTED, Decision.FOLLOW),
            (Fault.OTHER_SERVER, Decision.INSECURE),
            (Fault.UNAUTHORIZED, Decision.NO_CREDENTIALS),
        ],
    )
    def test_all_requests(self, fault, decision):
        """Nothing was accepted, whatever the request does."""
        assert {decide(fault, kind) for kind in RequestKind} == {decision}

    def test_a_long_poll_may_end_without_an_answer(self):
        """Its time-out ends the attempt; a short poll is sent again."""
        assert decide(Fault.READ_TIMEOUT, RequestKind.LONG_POLL) is Decision.NO_CONNECTION
        assert decide(Fault.READ_TIMEOUT, RequestKind.POLL) is Decision.RETRY
        assert decide(Fault.READ_TIMEOUT, RequestKind.ASK) is Decision.RETRY

    def test_only_a_poll_expires(self):
        """410 elsewhere is refused."""
        expired = {(f, k) for f in Fault for k in RequestKind if decide(f, k) is Decision.EXPIRED}
        assert expired == {(Fault.GONE, RequestKind.POLL)}
        others = {decide(Fault.GONE, kind) for kind in set(RequestKind) - {RequestKind.POLL}}
        assert others == {Decision.REFUSED}


class TestStatusFault:
    """The fault behind a status."""

    @pytest.mark.parametrize(
        ("status", "fault"),
        [
            (100, Fault.NO_ERROR),
            (300, Fault.NO_ERROR),
            (304, Fault.NO_ERROR),
            (399, Fault.NO_ERROR),
            (400, Fault.REFUSED),
            (401, Fault.UNAUTHORIZED),
            (403, Fault.REFUSED),
            (404, Fault.REFUSED),
            (408, Fault.REQUEST_TIMEOUT),
            (409, Fault.REFUSED),
            (410, Fault.GONE),
            (422, Fault.REFUSED),
            (429, Fault.BUSY),
            (499, Fault.REFUSED),
            (500, Fault.SERVER_ERROR),
            (502, Fault.SERVER_ERROR),
            (503, Fault.UNAVAILABLE),
            (504, Fault.SERVER_ERROR),
            (599, Fault.SERVER_ERROR),
        ],
    )
    def test_of_any_server(self, status, fault):
        """Only 429 proves that nothing was accepted yet."""
        assert status_fault(status) is fault

    @pytest.mark.parametrize(("status", "fault"), [(409, Fault.BUSY), (429, Fault.BUSY)])
    def test_of_a_server_with_another_busy_status(self, status, fault):
        """A machine answers 409 while it runs another circuit."""
        assert status_fault(status, BUSY_STATUSES | {409}) is fault
        assert status_fault(503, BUSY_STATUSES | {409}) is Fault.UNAVAILABLE


class TestRedirectFault:
    """The fault behind a redirect."""

    @pytest.mark.parametrize(
        ("status", "method", "fault"),
        [
            *[(status, "GET", Fault.REDIRECTED) for status in (301, 302, 303, 307, 308)],
            *[(status, "POST", Fault.SEE_OTHER) for status in (301, 302)],
            *[(status, "DELETE", Fault.METHOD_CHANGED) for status in (301, 302, 303)],
            *[(status, "PUT", Fault.REDIRECTED) for status in (307, 308)],
            (303, "POST", Fault.SEE_OTHER),
            (303, "PUT", Fault.SEE_OTHER),
        ],
    )
    def test_within_the_server(self, status, method, fault):
        """A redirect must not turn a submission into a GET."""
        assert redirect_fault(status, method, same_server=True) is fault

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    @pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT"])
    def test_to_another_server(self, status, method):
        """Only after a submission some say something before the target matters."""
        done = status < 304 and method in ("POST", "PUT")
        expected = Fault.SEE_OTHER if done else Fault.OTHER_SERVER
        assert redirect_fault(status, method, same_server=False) is expected


class TestWillPass:
    """Whether a later poll may be answered."""

    @pytest.mark.parametrize(
        "error",
        [
            APIConnectionError("no connection"),
            *[APIError("later", status_code=status) for status in (408, 429, 500, 502, 503, 504)],
        ],
        ids=str,
    )
    def test_of_itself(self, error):
        """The connection or the server may recover."""
        assert will_pass(error) is True

    @pytest.mark.parametrize(
        "error",
        [
            APIError("not an answer"),
            APIError("unreadable", status_code=200, offset=7),
            *[APIError("refused", status_code=status) for status in (302, 400, 403, 404, 409, 422)],
            AQTCredentialsError("no token", status_code=401),
            AQTCredentialsError("no token"),
            InsecureConnectionError("elsewhere", status_code=307),
            ResultExpiredError("7"),
            RequestWithdrawnError("not wanted"),
            SubmissionUncertainError("label", "ab12", "lost"),
        ],
        ids=lambda error: f"{type(error).__name__} {error.status_code}",
    )
    def test_not(self, error):
        """The same question gets the same answer."""
        assert will_pass(error) is False


class TestIsOfAnotherJob:
    """Whether an identifier belongs to another API job, or to none."""

    def test_no_such_job(self):
        """The server does not know the identifier."""
        assert is_of_another_job(APIError("no such job", status_code=404)) is True

    def test_the_answer_is_about_another_job(self):
        """It can be read, but does not fit."""
        error = APIError("cannot be used", status_code=200)
        error.__cause__ = ResponseMismatchError("it is about another job")
        assert is_of_another_job(error) is True

    @pytest.mark.parametrize("status", [200, 400, 401, 403, 410, 500, None])
    def test_other_errors(self, status):
        """They say nothing about the identifier."""
        error = APIError("no", status_code=status)
        assert is_of_another_job(error) is False
        error.__cause__ = MalformedResponseError("not JSON", 0)
        assert is_of_another_job(error) is False


class TestNotAccepted:
    """Errors after which the same may be submitted again."""

    @pytest.mark.parametrize("error", [APIConnectionError("no"), AQTCredentialsError("no")])
    def test_certainly(self, error):
        """No connection or no token: it may be accepted later."""
        assert isinstance(error, NOT_ACCEPTED)

    @pytest.mark.parametrize(
        "error",
        [
            APIError("refused", status_code=422),
            InsecureConnectionError("elsewhere"),
            NotSubmittedError(),
            RequestWithdrawnError("not wanted"),
            ResultExpiredError("7"),
            SubmissionUncertainError("label", "ab12", "lost"),
        ],
        ids=lambda error: type(error).__name__,
    )
    def test_refused_or_uncertain(self, error):
        """It would be refused again, or may have been accepted."""
        assert not isinstance(error, NOT_ACCEPTED)
