"""Cookies: never kept, never sent."""

import itertools

import httpx
from api_client.scripted import ASKING, SUBMITTING, Script


def test_a_new_name_each_time(time):
    """Over 100 polls, half of them redirected, and submissions."""
    names = itertools.count()
    operation = ASKING["result"]

    def answer(request: httpx.Request) -> httpx.Response:
        number = next(names)
        cookies = [
            ("Set-Cookie", f"session-{number}=x; Path=/; Max-Age=9999"),
            ("Set-Cookie", f"other-{number}=x; Domain=portal.test; Secure"),
            ("Set-Cookie", "\x7f=;;;=; Expires=never"),
        ]
        if number % 2:
            return httpx.Response(307, headers=[*cookies, ("Location", f"/there/{number}")])
        submits = request.method == "POST"
        content = SUBMITTING["submit"].good if submits else operation.good
        return httpx.Response(200, headers=cookies, content=content)

    script = Script(answer)
    portal = operation.connect(script, time)
    for _ in range(100):
        assert operation.call(portal) == operation.value
        SUBMITTING["submit"].call(portal)
    portal.close()
    assert len(script.requests) > 300
    assert not [request for request in script.requests if "Cookie" in request.headers]
    assert len({len(request.headers.raw) for request in script.requests}) <= 2
