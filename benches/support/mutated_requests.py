"""Mutated requests to the local server: thousands of them, and what came back."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import orjson
from aqt_fast.testing import ArnicaServer, Limits
from raw_http import exchange, request, statuses

LIMITS = Limits(head_seconds=0.2, body_seconds=0.2, idle_seconds=0.02)
"""A request whose end is missing is soon refused, and a connection without one closed."""

PIECES = [
    b"\r\n", b"\n", b"\0", b"\xff\xfe", b":", b" ", b"\t", b"%", b"%00", b"%2f", b"%ff", b"?", b"#",
    b"//", b"/../", b"[", b"]", b'"', b"{", b"}", b"\\ud800", b"1e999", b"-1", b"9" * 21,
    b"NaN", b"null", b"[" * 2000, b"HTTP/1.1", b"HTTP/9.9", b"chunked", b"a" * 5000,
]  # fmt: skip
HEADERS = [
    b"X-Forwarded-For: %s", b"X-Forwarded-Proto: %s", b"Forwarded: for=%s", b"Host: %s",
    b"Content-Length: %s", b"Transfer-Encoding: %s", b"Authorization: Bearer %s", b"Accept: %s",
    b"Content-Type: %s", b"Content-Encoding: %s", b"Connection: %s", b"Upgrade: %s", b"Expect: %s",
    b"Origin: %s", b"Cookie: %s", b"%s: x", b"Via: %s",
]  # fmt: skip
VALUES = [
    b"", b"127.0.0.1", b"[::1", b"unknown", b"1.2.3.4:99999", b"::1%lo", b"\xe9\xff", b"0x10",
    b"+5", b"5, 5", b"1_0", b"9" * 20, b"gzip, chunked", b"chunked", b"identity", b"close",
    b"keep-alive, upgrade", b"websocket", b"h2c", b"100-continue", b"a" * 70_000, b",,,", b'"',
]  # fmt: skip

_ONE = {
    "repetitions": 10,
    "quantum_circuit": [
        {"operation": "R", "qubit": 0, "phi": 0.0, "theta": 1.0},
        {"operation": "RXX", "qubits": [0, 1], "theta": 0.5},
        {"operation": "MEASURE"},
    ],
    "number_of_qubits": 2,
}


def run(server: ArnicaServer, number: int, *, threads: int = 8, seed: int = 0) -> Counter[int]:
    """Send mutated requests, and count the statuses of all answers; 0 is no answer.

    Args:
        server: with :data:`LIMITS`, or others.
        number: of requests, at most.
        threads: how many clients send them at the same time.
        seed: of the mutations.

    Raises:
        AssertionError: an answer has a status of 500 or more, or a valid request has none.
    """
    seeds = _seeds(server)
    for valid in seeds:
        assert 200 <= min(statuses(exchange(server, valid))) < 500, valid

    def work(thread: int) -> Counter[int]:
        chosen = random.Random(f"{seed}:{thread}")  # noqa: S311 - they must repeat
        found: Counter[int] = Counter()
        for _ in range(number // threads):
            data = _mutated(chosen, seeds)
            codes = statuses(exchange(server, data)) or [0]
            assert max(codes) < 500, data
            found.update(codes)
        return found

    with ThreadPoolExecutor(threads) as executor:
        return sum(executor.map(work, range(threads)), Counter())


def _seeds(server: ArnicaServer) -> list[bytes]:
    """Requests of every route, which are all right."""
    one = orjson.dumps(_ONE)
    payload = {"circuits": [_ONE, _ONE]}
    body = {"job_type": "quantum_circuit", "label": "a label", "payload": payload}
    form = b"grant_type=client_credentials&client_id=local-client&client_secret=x&audience=y"
    known = "00000000-0000-4000-8000-000000000000"

    def sent(method: str, path: str, content: bytes, kind: bytes = b"application/json") -> bytes:
        length = b"Content-Length: %d" % len(content)
        kind = b"Content-Type: " + kind
        return request(server, length, kind, method=method, path=path) + content

    return [
        request(server),
        request(server, path="/api/v1/resources/ibex"),
        request(server, path=f"/api/v1/result/{known}?include_timing_data=true"),
        request(server, method="DELETE", path=f"/api/v1/jobs/{known}"),
        request(server, path="/direct/ibex/status/ions"),
        request(server, path=f"/direct/ibex/circuit/result/{known}"),
        request(server, path="/testing/record"),
        request(server, path="/activate?user_code=A", token=False),
        request(server, path="/", token=False),
        request(server, path="/control/jobs?limit=3&text=a"),
        request(server, path=f"/control/jobs/{known}/circuits/0"),
        request(server, path="/.well-known/jwks.json", token=False),
        sent("POST", "/api/v1/submit/default/simulator_ideal", orjson.dumps(body)),
        sent("PUT", "/direct/ibex/circuit", one),
        sent("POST", "/control/release", b'{"circuits":null}'),
        sent("POST", "/oauth/token", form, b"application/x-www-form-urlencoded"),
        sent(
            "POST", "/oauth/token", b'{"client_id":"aqt-fast-device","grant_type":"refresh_token"}'
        ),
        sent("POST", "/oauth/device/code", b"client_id=aqt-fast-device", b"text/plain"),
        request(server, b"Transfer-Encoding: chunked", method="PUT", path="/direct/pine/circuit")
        + b"%x\r\n%s\r\n0\r\n\r\n" % (len(one), one),
    ]


def _mutated(chosen: random.Random, seeds: list[bytes]) -> bytes:
    """One request with a few changes: bytes, pieces, cuts, odd headers, or another behind it."""
    data = bytearray(chosen.choice(seeds))
    for _ in range(chosen.randint(1, 3)):
        where = chosen.randrange(len(data) + 1)
        change = chosen.randrange(7)
        if change == 0 and data:
            data[where - 1] = chosen.randrange(256)
        elif change == 1:
            data[where:where] = chosen.choice(PIECES)
        elif change == 2:
            del data[where : where + chosen.randint(1, 40)]
        elif change == 3:
            data += chosen.choice(seeds)
        else:
            line = chosen.choice(HEADERS) % chosen.choice(VALUES)
            end = data.find(b"\r\n") + 2
            data[end:end] = line + b"\r\n"
    return bytes(data)
