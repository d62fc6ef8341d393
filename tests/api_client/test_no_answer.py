"""Requests without an answer: not connected, lost, or not HTTP."""

import ssl

import httpx
import pytest
from api_client.scripted import (
    AFTER,
    ASKING,
    BEFORE,
    EVERYTHING,
    JOB_ID,
    SUBMITTING,
    URL,
    Broken,
    Script,
    assert_backs_off,
    assert_uncertain,
    name_of,
)
from aqt_fast.exceptions import APIConnectionError, APIError, SubmissionUncertainError


class TestNoAnswer:
    """Faults before and after bytes went out."""

    @pytest.mark.parametrize("fault", BEFORE, ids=name_of)
    def test_name_or_connection_failure_before_bytes_went_out(self, operation, fault, time):
        """Every request is sent again."""
        script = Script(fault, fault, operation.ok())
        assert operation.run(script, time) == operation.value
        assert len(script.requests) == 3
        assert len({bytes(request.read()) for request in script.requests}) == 1
        assert len(time.sleeps) == 2
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"direct_result"}))
    def test_no_connection_as_long_as_there_is_patience(self, name, time):
        """The error names method, server and reason."""
        operation = EVERYTHING[name]
        script = Script(httpx.ConnectError("[Errno 111] Connection refused"))
        with pytest.raises(APIConnectionError, match="Connection refused") as caught:
            operation.run(script, time)
        assert operation.method in str(caught.value)
        assert URL in str(caught.value)
        assert caught.value.status_code is None
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
        assert time.elapsed == pytest.approx(operation.patience)
        assert len(script.requests) == len(time.sleeps) + 1
        assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("fault", AFTER, ids=name_of)
    def test_connection_lost_read_timeout_or_truncated_answer_after_bytes_went_out(
        self, asking, fault, time
    ):
        """It is sent again; a long poll without an answer returns None."""
        script = Script(fault, asking.ok())
        value = asking.run(script, time)
        if asking is ASKING["direct_result"] and isinstance(fault, httpx.ReadTimeout):
            assert value is None
            assert (len(script.requests), time.sleeps) == (1, [])
        else:
            assert value == asking.value
            assert len(script.requests) == 2
            assert len(time.sleeps) == 1
            assert_backs_off(time.sleeps)

    @pytest.mark.parametrize("fault", AFTER, ids=name_of)
    def test_connection_lost_read_timeout_or_truncated_answer_after_a_submission_went_out(
        self, submitting, fault, time
    ):
        """It is uncertain whether it was accepted: it is not sent again."""
        script = Script(fault, submitting.ok())
        with pytest.raises(SubmissionUncertainError, match=type(fault).__name__) as caught:
            submitting.run(script, time)
        assert str(fault) in caught.value.reason
        assert isinstance(caught.value.__cause__, type(fault))
        assert_uncertain(caught.value, script, time)

    @pytest.mark.parametrize("fault", [httpx.ReadError("reset"), httpx.RemoteProtocolError("cut")])
    @pytest.mark.parametrize("status", [200, 500])
    def test_truncated_answer_after_its_head_has_arrived(self, operation, fault, status, time):
        """A status without its body counts as lost."""
        head = Broken([operation.good[:3], fault])
        script = Script(httpx.Response(status, stream=head), operation.ok())
        if operation in SUBMITTING.values():
            with pytest.raises(SubmissionUncertainError) as caught:
                operation.run(script, time)
            assert_uncertain(caught.value, script, time)
        else:
            assert operation.run(script, time) == operation.value
            assert len(script.requests) == 2

    def test_lost_as_long_as_there_is_patience(self, time):
        """The error is the same as without a connection."""
        script = Script(httpx.ReadTimeout("timed out"))
        with pytest.raises(APIConnectionError, match=f"/result/{JOB_ID} at .*ReadTimeout"):
            ASKING["result"].run(script, time)
        assert time.elapsed == pytest.approx(60)

    @pytest.mark.parametrize(
        "fault", [httpx.UnsupportedProtocol("what?"), httpx.LocalProtocolError("what?")]
    )
    def test_a_request_that_cannot_be_made(self, operation, fault, time):
        """It is refused at once."""
        script = Script(fault, operation.ok())
        with pytest.raises(APIError, match=r"what\?") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert (len(script.requests), time.sleeps) == (1, [])

    def test_a_certificate_that_is_refused(self, operation, time):
        """The error comes at once: waiting does not mend a certificate."""

        def refuse(_request: httpx.Request) -> httpx.Response:
            try:
                raise ssl.SSLCertVerificationError("certificate verify failed")
            except ssl.SSLCertVerificationError as error:
                raise httpx.ConnectError("[SSL]") from error

        script = Script(refuse, operation.ok())
        with pytest.raises(APIConnectionError, match="SSL"):
            operation.run(script, time)
        assert (len(script.requests), time.sleeps) == (1, [])
