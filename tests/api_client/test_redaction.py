"""The token is nowhere to be seen."""

import itertools
import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from api_client.scripted import (
    AFTER,
    ASKING,
    BEFORE,
    EVERYTHING,
    JOB_ID,
    OTHER_TOKEN,
    TOKEN,
    URL,
    Script,
    assert_silent,
)
from aqt_fast.api_client import Credentials, DirectAccessClient, PortalClient
from aqt_fast.api_client.http import ConnectionSettings, HTTPClient
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.request import Request
from aqt_fast.exceptions import APIError, MalformedResponseError


def echoes(token: str) -> dict[str, Exception | httpx.Response]:
    """Answers and faults that quote the token."""
    moved = {"Location": f"https://evil.org/{token}"}
    faults = {type(fault).__name__: type(fault)(f"odd: {token!r}") for fault in BEFORE + AFTER}
    return faults | {
        "not made": httpx.LocalProtocolError(f"Illegal header value b'Bearer {token}'"),
        "detail": httpx.Response(400, json={"detail": f"what is {token}?"}),
        "fields": httpx.Response(422, json={"detail": [{"loc": [token], "msg": token}]}),
        "odd detail": httpx.Response(403, json={"detail": {token: [token]}}),
        "text": httpx.Response(404, text=f"Bearer {token}"),
        "cut text": httpx.Response(404, text="x" * (2000 - len(token) // 2) + token),
        "reason": httpx.Response(400, extensions={"reason_phrase": f"Bad {token}".encode()}),
        "refused": httpx.Response(401, json={"detail": token}),
        "failure": httpx.Response(500, text=token),
        "busy": httpx.Response(429, text=token),
        "no JSON": httpx.Response(200, text=token),
        "JSON": httpx.Response(200, json=token),
        "id": httpx.Response(200, json={"job": {"job_id": token}}),
        "number": httpx.Response(200, json={"num_ions": token}),
        "elsewhere": httpx.Response(302, headers=moved),
        "host": httpx.Response(302, headers={"Location": f"https://{token}.evil.org/"}),
        "login": httpx.Response(302, headers={"Location": f"/login/{token}"}),
    }


class TestRedaction:
    """Messages, logs and ``repr`` do not show the token."""

    TOKENS = (TOKEN.lower(), TOKEN, "to+ken/~!$&'()*,;=:@[]{}|^`<>#%")

    @pytest.mark.parametrize("kind", echoes(TOKEN))
    @pytest.mark.parametrize("name", [name for name in EVERYTHING if name != "direct_result"])
    def test_whatever_the_server_quotes(self, name, kind, time, caplog):
        """Neither messages, tracebacks nor logs repeat it."""
        caplog.set_level(logging.DEBUG)
        for token in self.TOKENS[: {"host": 1, "login": 2}.get(kind)]:
            script = Script(echoes(token)[kind])
            try:
                EVERYTHING[name].run(script, time, token)
            except APIError as error:
                assert_silent(error, token, token[: len(token) // 2])
            else:
                assert name in ("cancel", "result", "system_name")
            assert script.tokens[0] == token
            if kind not in ("reason", "login"):  # httpx itself logs the status line and the URL
                assert token not in caplog.text
                assert token not in repr([vars(record) for record in caplog.records])

    def test_in_a_result_that_cannot_be_read(self, time):
        """Not even if the reader quotes the body."""

        def read(body: bytes) -> None:
            text = body.decode()
            try:
                raise MalformedResponseError(text, 7)
            except MalformedResponseError as error:
                raise MalformedResponseError(f"strange: {text}", 5) from error

        for poll in (PortalClient.result, DirectAccessClient.result):
            script = Script(httpx.Response(200, text=TOKEN))
            name = "result" if poll is PortalClient.result else "direct_result"
            client = ASKING[name].connect(script, time)
            with pytest.raises(APIError, match=r"byte 5: strange: \[token\]") as caught:
                poll(client, JOB_ID, read)
            assert caught.value.offset == 5
            assert_silent(caught.value, TOKEN)

    def test_older_and_longer_tokens(self, time):
        """Every token that was ever in use is hidden, also if one begins with another."""
        credentials = Credentials(TOKEN, lambda _: f"{TOKEN}-secret-end")
        assert credentials.renewed(TOKEN) == f"{TOKEN}-secret-end"
        credentials.replace("", None)
        credentials.replace(OTHER_TOKEN, None)
        text = f"{TOKEN}-secret-end {TOKEN} {OTHER_TOKEN}"
        assert credentials.redact(text) == "[token] [token] [token]"
        with pytest.raises(APIError) as caught:
            ASKING["result"].run(Script(httpx.Response(400, text=text)), time, credentials)
        assert_silent(caught.value, TOKEN, OTHER_TOKEN, "-secret-end")

    def test_in_the_repr_of_anything(self, time):
        """Clients, credentials and requests are safe to print."""
        credentials = Credentials(TOKEN, lambda _: TOKEN)
        portal = PortalClient(credentials, portal_url=URL, clock=time.clock)
        machine = DirectAccessClient(URL, credentials)
        request = Request("POST", "/x", content=TOKEN.encode())
        client = HTTPClient(URL, credentials, ConnectionSettings())
        things = (credentials, portal, machine, client, request)
        for thing in things:
            assert TOKEN not in repr(thing)
            assert TOKEN not in str(thing)
        assert repr(Credentials("")) == "<Credentials(no token)>"
        assert repr(credentials) == "<Credentials(a token)>"
        for each in (portal, machine, client):
            each.close()

    def test_while_tokens_change(self):
        """One thread redacts, another replaces the token."""
        credentials = Credentials("t-first", None)
        stop = threading.Event()

        def replace() -> None:
            for number in itertools.count():
                if stop.is_set():
                    return
                credentials.replace(f"t{number % 3000}", None)

        with ThreadPoolExecutor(1) as threads:
            done = threads.submit(replace)
            try:
                texts = {credentials.redact("say t-first") for _ in range(150)}
            finally:
                stop.set()
            done.result(20)
        assert texts == {"say [token]"}

    def test_in_the_log_of_a_real_connection(self, caplog, web):
        """The debug logs of httpx and httpcore do not show it either."""
        caplog.set_level(logging.DEBUG)
        portal = PortalClient(TOKEN, portal_url=web.url)
        assert portal.result(JOB_ID, read_json)["token"] == f"Bearer {TOKEN}"
        portal.close()
        loggers = {record.name.partition(".")[0] for record in caplog.records}
        assert {"httpx", "httpcore"} <= loggers
        assert TOKEN not in caplog.text
        assert TOKEN not in repr([vars(record) for record in caplog.records])
