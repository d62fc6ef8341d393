"""The login of a server that other computers reach."""

import re

import httpx
import pytest
from aqt_fast.server.addresses import client_name
from aqt_fast.server.device_codes import (
    LIFETIME,
    MOST_CODES,
    MOST_CODES_EACH,
    MOST_TRIES,
    CodeError,
    DeviceCodes,
)
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
    with login.server, httpx.Client(timeout=60, trust_env=False) as login.http:
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
    begun = [login.begin() for _ in range(MOST_CODES_EACH)]
    refused = login.post("/oauth/device/code")
    assert (refused.status_code, refused.json()["error"]) == (429, "slow_down")
    assert len(login.lines) == MOST_CODES_EACH
    code = login.printed()
    login.server.advance(LIFETIME)
    assert login.redeem(begun[-1]) == "expired_token"
    assert login.confirm(begun[-1], code) == 403
    assert login.begin()


def test_codes_of_others():
    """Who begins many logins keeps others out only together with many; an IPv6 network is one."""
    now = [0.0]
    codes = DeviceCodes(lambda: now[0], pending=0, confirm=True)

    def begun(address):
        try:
            return bool(codes.begin(client_name(address)))
        except CodeError:
            return False

    assert sum(begun(f"2001:db8::{number:x}") for number in range(200)) == MOST_CODES_EACH
    assert sum(begun("192.0.2.1") for _ in range(100)) == MOST_CODES_EACH
    assert not begun("::ffff:192.0.2.1")
    assert begun("192.0.2.2")
    assert begun("2001:db8:0:1::1")
    assert begun("fe80::1%eth0")
    assert sum(begun(f"198.51.100.{number}") for number in range(200)) < MOST_CODES
    assert not begun("192.0.2.3")
    now[0] = LIFETIME
    assert begun("2001:db8::1")
    alone = DeviceCodes(lambda: 0.0, pending=0, confirm=False)
    assert len([alone.begin("127.0.0.1") for _ in range(MOST_CODES)]) == MOST_CODES


def test_console_shows_nothing_sent(login):
    """Where to enter the code is the server's word: a client would name a page of its own."""
    mark = "evil.example"
    sent = {"client_id": "aqt-fast-device", "scope": mark, "audience": mark, "user_code": mark}
    headers = dict.fromkeys(
        ["host", "x-forwarded-host", "x-forwarded-for", "forwarded", "user-agent", "referer"], mark
    )
    url = f"{login.server.url}/oauth/device/code?{mark}"
    reply = login.http.post(url, data=sent, headers=headers)
    assert reply.status_code == 200
    (line,) = login.lines
    assert mark not in line
    begun = reply.json()
    page = f"{login.server.url}/activate?user_code={begun['user_code']}"
    assert re.findall(r"http\S+", line) == [page]
    assert login.http.get(page).status_code == 200
    assert login.confirm(begun, login.printed()) == 200


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


@pytest.mark.parametrize("how", [{"host": ""}, {"host": "127.0.0.1", "log_in": False}])
def test_off(how):
    """Without the login, nobody gets a token."""
    with (
        ArnicaServer(**how, simulate=False, clients={"c": "s"}) as server,
        httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client,
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
