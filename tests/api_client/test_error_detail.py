"""The server's reason in the client's errors."""

import httpx
import orjson
import pytest
from api_client.scripted import ASKING, Script
from aqt_fast.exceptions import APIError, WorkspaceRefusedError


class TestErrorDetail:
    """Found in JSON or text, and kept short."""

    @pytest.mark.parametrize(
        ("body", "detail"),
        [
            ({"detail": "no such thing"}, "no such thing"),
            ({"message": "no such thing"}, "no such thing"),
            (
                {
                    "detail": [
                        {"loc": ["body", "payload", 0], "msg": "too long", "type": "value"},
                        {"loc": [], "msg": "too short"},
                        {"loc": "odd"},
                        "plain",
                    ]
                },
                "body.payload.0: too long; too short; {'loc': 'odd'}; plain",
            ),
            ({"detail": {"code": 7}}, "{'code': 7}"),
            ({"detail": None}, '{"detail":null}'),
            ({"error": "else"}, '{"error":"else"}'),
            (["a", "b"], '["a","b"]'),
            (b"<h1>No</h1>\n", "<h1>No</h1>"),
            (b"\xff\xfe", "\ufffd\ufffd"),
            (b"", None),
        ],
        ids=lambda value: type(value).__name__,
    )
    def test_400_403_404_422(self, operation, body, detail, time):
        """One request, and an error with the server's detail."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        for status in (400, 403, 404, 422):
            script = Script(httpx.Response(status, content=content), operation.ok())
            with pytest.raises(APIError) as caught:
                operation.run(script, time)
            of_workspace = (operation.method, status) == ("POST", 403)
            assert type(caught.value) is (WorkspaceRefusedError if of_workspace else APIError)
            assert caught.value.status_code == status
            reason = httpx.codes.get_reason_phrase(status)
            end = f": {status} {reason}" + ("" if detail is None else f": {detail}")
            assert str(caught.value).startswith(f"{operation.method} /")
            assert str(caught.value).endswith(end)
            assert (len(script.requests), time.sleeps) == (1, [])

    def test_a_long_detail_is_cut(self, time):
        """A message holds about 2000 characters of it."""
        script = Script(httpx.Response(400, text="x" * 1_000_000))
        with pytest.raises(APIError) as caught:
            ASKING["result"].run(script, time)
        assert 1000 < len(str(caught.value)) < 3000

    @pytest.mark.parametrize("charset", ["zip", "hex", "idna", "rot13", "undefined", "nonsense"])
    def test_a_detail_in_an_odd_charset(self, operation, charset, time):
        """A wrong charset does not hide the detail."""
        headers = {"Content-Type": f"text/html; charset={charset}"}
        script = Script(httpx.Response(404, headers=headers, content=b"not here \xff"))
        with pytest.raises(APIError, match="404 Not Found: not here"):
            operation.run(script, time)
