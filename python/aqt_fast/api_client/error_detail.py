"""The reason that a server gives for an error, and the answer as an exception of httpx."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import ResponseError

_MAX_LENGTH = 2000

_OF_THE_TRANSFER = frozenset({"content-encoding", "content-length", "transfer-encoding"})
"""Headers that do not describe a body that was decoded."""


def error_detail(body: bytes) -> str:
    """Read the server's reason: ``detail`` or ``message`` of a JSON object, or else all the text.

    The charset that the server claims is ignored: it may be wrong, or no charset at all.
    """
    detail = sent_detail(body)
    if isinstance(detail, list):
        return "; ".join(_field_error(item) for item in detail)
    return body.decode("utf-8", "replace").strip() if detail is None else str(detail)


def status_error(
    response: httpx.Response, redact: Callable[[str], str] = str
) -> httpx.HTTPStatusError:
    """Make httpx's exception for an answer with an error status, with the reason as its text.

    It holds a copy of the answer and its request, without the headers that were sent.

    Args:
        response: the answer.
        redact: hides access tokens in a text.
    """
    request = httpx.Request(response.request.method, redact(str(response.request.url)))
    phrase = redact(response.reason_phrase)
    copy = httpx.Response(
        response.status_code,
        headers=httpx.Headers(
            [
                (name, redact(value))
                for name, value in response.headers.multi_items()
                if name.lower() not in _OF_THE_TRANSFER
            ],
            response.headers.encoding,
        ),
        content=redact(response.content.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        ),
        request=request,
        extensions={"reason_phrase": phrase.encode("ascii", "ignore")},
    )
    detail = one_line(error_detail(copy.content), _MAX_LENGTH)
    text = f"{copy.status_code} {one_line(phrase, LONGEST_NAME)}{detail and f': {detail}'}"
    return httpx.HTTPStatusError(text, request=request, response=copy)


def sent_detail(body: bytes) -> Any:
    """Read the value of ``detail`` or ``message`` as the server has sent it; None without both."""
    try:
        content = read_json(body)
        orjson.dumps(content)
    except (ResponseError, TypeError):
        return None  # also if it is nested so deeply that Python cannot show it
    if not isinstance(content, dict):
        return None
    return content.get("detail", content.get("message"))


def _field_error(item: object) -> str:
    """One entry of a 422 answer: where, and what is wrong."""
    if not isinstance(item, dict):
        return str(item)
    location = item.get("loc")
    place = ".".join(map(str, location)) if isinstance(location, list) else ""
    return f"{place}: {item.get('msg', item)}" if place else str(item.get("msg", item))
