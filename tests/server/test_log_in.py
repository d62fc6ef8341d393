"""The login of a server that other computers reach."""

import re

import httpx
import pytest
from aqt_fast.server.device_codes import LIFETIME, MOST_CODES, MOST_TRIES
from aqt_fast.testing import ArnicaServer

CLIENT = {"client_id": "aqt-fast-device"}
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


class _Login:
    """A server, what it has printed, and a client without a token."""

    def __init__(self):
        self.lines = []
        self.server = ArnicaServer(host="", simulate=False, log_in=True, console=self.lines.append)

    def post(self, path, **fields):
        return self.http.post(f"{self.server.url}{path}", data={**CLIENT, **fields})

    def begin(self):
        reply = self.post("/oauth/device/code")
        assert reply.status_code == 200, reply.text
        return reply.json()

    def printed(self):
        """The confirmation code of the last line."""
        return re.search(r"enter (\S+) at", self.lines[-1])[1]

    def redeem(self, begun):
        reply = self.post("/oauth/token", grant_type=DEVICE_CODE, device_code=begun["device_code"])
        return reply.json().get("error") or reply.json()["access_token"]

    def confirm(self, begun, code):
        fields = {"user_code": begun["user_code"], "confirmation_code": code}
        return self.post("/activate", **fields).status_code


@pytest.fixture
def login():
    """A login that somebody must confirm."""
    login = _Login()
    with login.server, httpx.Client(trust_env=False) as login.http:
        yield login


def test_confirmed(login):
    """Whoever sees the console confirms a login on its page; then it opens the portal, once."""
    begun = login.begin()
    assert [login.redeem(begun) for _ in range(3)] == ["authorization_pending"] * 3
    (line,) = login.lines
    assert line.startswith(f"127.0.0.1 asks to log in with the code {begun['user_code']}. ")
    assert login.printed() not in str(begun)
    page = login.http.get(begun["verification_uri_complete"])
    assert page.status_code == 200
    assert f'value="{begun["user_code"]}"' in page.text
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    other = login.begin()
    assert login.confirm(begun, login.printed()) == 403
    code = re.search(r"enter (\S+) at", line)[1]
    assert login.confirm(begun, f" {code.lower()} ") == 200
    assert login.confirm(begun, code) == 403
    token = login.redeem(begun)
    headers = {"authorization": f"Bearer {token}"}
    url = f"{login.server.url}/api/v1/workspaces"
    assert login.http.get(url, headers=headers).status_code == 200
    assert login.redeem(begun) == "invalid_grant"
    assert login.redeem(other) == "authorization_pending"


def test_guessing(login):
    """After a few wrong codes, not even the right one helps."""
    begun = login.begin()
    code = login.printed()
    guesses = ["", "é", "<script>", "AAAA-AAAA", code[:-1]][:MOST_TRIES]
    assert [login.confirm(begun, guess) for guess in guesses] == [403] * MOST_TRIES
    assert login.confirm(begun, code) == 403
    assert login.redeem(begun) == "access_denied"


def test_page_escapes(login):
    """What an address says becomes text."""
    page = login.http.get(f"{login.server.url}/activate", params={"user_code": '"><script>'})
    assert "<script>" not in page.text


def test_codes_end(login):
    """They expire, and they are limited, with the lines on the console."""
    begun = [login.begin() for _ in range(MOST_CODES)]
    refused = login.post("/oauth/device/code")
    assert (refused.status_code, refused.json()["error"]) == (429, "slow_down")
    assert len(login.lines) == MOST_CODES
    code = login.printed()
    login.server.advance(LIFETIME)
    assert login.redeem(begun[-1]) == "expired_token"
    assert login.confirm(begun[-1], code) == 403
    assert login.begin()


def test_secrets(login):
    """The known secret is not accepted, the server's own is."""
    (client, secret), *_ = login.server.clients.items()
    fields = {"grant_type": "client_credentials", "audience": f"{login.server.url}/api"}
    for guess, status in (("local-secret", 401), ("é", 401), ("", 401), (secret, 200)):
        reply = login.post("/oauth/token", **fields, client_id=client, client_secret=guess)
        assert reply.status_code == status
    page = {"authorization": "Bearer local-token"}
    url = f"{login.server.url}/api/v1/workspaces"
    assert login.http.get(url, headers=page).status_code == 401


def test_off_elsewhere():
    """Without the login, nobody gets a token."""
    with (
        ArnicaServer(host="", simulate=False, clients={"c": "s"}) as server,
        httpx.Client(base_url=server.url, trust_env=False) as client,
    ):
        credentials = {"grant_type": "client_credentials", "client_id": "c", "client_secret": "s"}
        replies = [
            client.post("/oauth/device/code", data=CLIENT),
            client.post("/oauth/token", data={**credentials, "audience": f"{server.url}/api"}),
            client.get("/activate"),
            client.get("/.well-known/jwks.json"),
        ]
        for reply in replies:
            assert (reply.status_code, reply.json()["error"]) == (403, "access_denied")
            assert "--log-in" in reply.json()["error_description"]


def test_malformed_fields(login):
    """JSON of any shape is refused, and so are forms that are none."""
    url = f"{login.server.url}/oauth/token"
    bodies = [
        b'{"grant_type":"client_credentials","client_id":["a"],"client_secret":{}}',
        b'{"client_id":"aqt-fast-device","grant_type":7}',
        b"[1]",
        b"{",
        b"\xff",
    ]
    kinds = ("application/json", "application/x-www-form-urlencoded", "é", "")
    for body in bodies:
        for kind in kinds:
            headers = {"content-type": kind.encode()}
            assert login.http.post(url, content=body, headers=headers).status_code in (401, 403)
