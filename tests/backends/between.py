"""What stands between client and server, and changes answers: caches, proxies, mixed-up answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from aqt_fast.api_client import retry_timing

Change = Callable[[httpx.Request, Any], Any]
"""Takes a request and the JSON of its answer, and returns what the client gets instead."""


class Between:
    """Changes answers of status 200; no request waits before it is repeated."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, labels: bool) -> None:
        """``labels``: whether answers name the labels of API jobs."""
        self.labels = labels
        self.changes: list[Change] = []
        """Applied to each answer, in order."""
        self.unknown = 0
        """How many polls are answered with 404 from now on."""
        send = httpx.HTTPTransport.handle_request

        def handle(transport: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
            if self.unknown and "/result/" in request.url.path:
                self.unknown -= 1
                return httpx.Response(404, json={"detail": "unknown job_id"})
            response = send(transport, request)
            body = response.read()
            if response.status_code != httpx.codes.OK:
                return response
            return httpx.Response(
                200,
                content=orjson.dumps(self.changed(request, orjson.loads(body))),
                extensions=response.extensions,
            )

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", handle)
        monkeypatch.setattr(retry_timing, "BACK_OFF", lambda _: 0.0)

    def changed(self, request: httpx.Request, answer: Any) -> Any:
        """Return what the client gets."""
        for change in list(self.changes):
            answer = change(request, answer)
        if not self.labels and isinstance(answer, dict) and isinstance(answer.get("job"), dict):
            answer = {**answer, "job": {**answer["job"], "label": None}}
        return answer

    def swap(self, method: str, answer: Any, times: int = 1) -> None:
        """Give the next answers to requests of a method another content."""
        left = [answer] * times

        def change(request: httpx.Request, right: Any) -> Any:
            return left.pop() if left and request.method == method else right

        self.changes.append(change)

    def amend(self, method: str, times: float = float("inf"), **fields: Any) -> None:
        """Change fields of ``job`` in the next answers to requests of a method about an API job."""
        done: list[object] = []

        def change(request: httpx.Request, answer: Any) -> Any:
            if request.method != method or "job" not in answer or len(done) >= times:
                return answer
            done.append(answer)
            return {**answer, "job": {**answer["job"], **fields}}

        self.changes.append(change)


def accepted(job_id: str, **fields: Any) -> dict[str, Any]:
    """The answer to the submission of an API job, as the portal has given it to somebody."""
    return {"job": {"job_id": job_id, **fields}, "response": {"status": "queued"}}
