"""Answers that report success: readable, unreadable, compressed."""

import gzip

import httpx
import pytest
from api_client.scripted import (
    ASKING,
    EVERYTHING,
    JOB_ID,
    SUBMITTING,
    Broken,
    Script,
    assert_backs_off,
    assert_uncertain,
)
from aqt_fast.exceptions import APIError, MalformedResponseError, SubmissionUncertainError


class TestAnswers:
    """What cannot be read is retried a few times, or uncertain."""

    @pytest.mark.parametrize(
        ("name", "body", "offset"),
        [
            ("list_resources", b"", 0),
            ("list_resources", b'[{"id": "w", ?}]', 13),
            ("list_resources", b"<html>", 0),
            ("list_resources", b'[{"id": "\xff"}]', 0),
            ("list_resources", b"[" * 100_000, None),
            ("list_resources", b"{}", 0),
            ("list_resources", b"[7]", 0),
            ("list_resources", b'[{"id": "w"}]', 0),
            ("list_resources", b'[{"id": "w", "resources": [{"id": 1}]}]', 0),
            ("num_ions", b"12", 0),
            ("num_ions", b'{"num_ions": "12"}', 0),
            ("num_ions", b'{"num_ions": true}', 0),
            ("num_ions", b'{"num_ions": 0}', 0),
            ("system_name", b'{"name": "marmot"}', 0),
            ("system_name", b'"marmot', 7),
            ("result", b'{"a": 1', 7),
            ("direct_result", b"[1, 2, x]", 7),
        ],
    )
    def test_answer_that_is_no_json_or_of_the_wrong_shape(self, name, body, offset, time):
        """The request is repeated three times, then an error tells the byte offset."""
        operation = ASKING[name]
        broken = httpx.Response(200, content=body)
        script = Script(broken, broken, broken, operation.ok())
        assert operation.run(script, time) == operation.value
        assert len(time.sleeps) == 3
        assert_backs_off(time.sleeps)
        script = Script(broken)
        with pytest.raises(APIError, match="the answer cannot be used: byte") as caught:
            operation.run(script, time)
        assert type(caught.value) is APIError
        assert caught.value.status_code == 200
        assert isinstance(caught.value.__cause__, MalformedResponseError)
        assert caught.value.offset == caught.value.__cause__.offset
        assert offset in (None, caught.value.offset)
        assert f"byte {caught.value.offset}" in str(caught.value)
        assert len(script.requests) == 4

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"<html>",
            b"{",
            b"null",
            b"[]",
            b"7",
            b'"7"',
            b'"%s' % JOB_ID.encode(),
            b'{"job": null}',
            b'{"job": {}}',
            b'{"job": {"job_id": 7}}',
            b'{"job": {"job_id": "../../etc/passwd"}}',
        ],
    )
    def test_answer_to_a_submission_that_is_no_json_or_of_the_wrong_shape(
        self, submitting, body, time
    ):
        """It was accepted, but its identifier is not known."""
        script = Script(httpx.Response(200, content=body), submitting.ok())
        with pytest.raises(SubmissionUncertainError, match="the answer cannot be used: byte") as (
            caught
        ):
            submitting.run(script, time)
        assert_uncertain(caught.value, script, time)

    def test_answers_that_cannot_be_used_among_other_faults(self, time):
        """Only unreadable answers count towards the limit."""
        broken, fault = httpx.Response(200, content=b"{"), httpx.Response(502)
        poll = ASKING["result"]
        faults = [broken, fault, fault, broken, fault, httpx.ReadError("reset"), broken]
        script = Script(*faults, poll.ok())
        assert poll.run(script, time) == poll.value
        assert len(script.requests) == 8

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"cancel"}))
    def test_compressed_answers(self, name, time):
        """The request allows gzip; the answer is decompressed."""
        operation = EVERYTHING[name]
        headers = {"Content-Encoding": "gzip"}
        packed = httpx.Response(
            200, headers=headers, stream=Broken([gzip.compress(operation.good, mtime=0)])
        )
        script = Script(packed)
        assert operation.run(script, time) == operation.value
        assert "gzip" in script.requests[0].headers["Accept-Encoding"]

    @pytest.mark.parametrize("name", sorted(EVERYTHING.keys() - {"cancel"}))
    @pytest.mark.parametrize("damage", [lambda data: b"x" * len(data), lambda data: data[:-9]])
    def test_compressed_answers_that_are_damaged(self, name, damage, time):
        """They count as unreadable."""
        operation = EVERYTHING[name]
        content = damage(gzip.compress(operation.good + b" " * 99, mtime=0))
        headers = {"Content-Encoding": "gzip"}
        script = Script(
            httpx.Response(200, headers=headers, stream=Broken([content])), operation.ok()
        )
        if operation in SUBMITTING.values():
            with pytest.raises(SubmissionUncertainError, match="cannot be decompressed") as caught:
                operation.run(script, time)
            assert_uncertain(caught.value, script, time)
        else:
            assert operation.run(script, time) == operation.value
