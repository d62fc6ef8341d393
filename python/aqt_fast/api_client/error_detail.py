"""The reason that a server gives for an error."""

from __future__ import annotations

from aqt_fast.api_client.models import read_json
from aqt_fast.exceptions import ResponseError


def error_detail(body: bytes) -> str:
    """Read the server's reason: ``detail`` or ``message`` of a JSON object, or else all the text.

    The charset that the server claims is ignored: it may be wrong, or no charset at all.
    """
    text = body.decode("utf-8", "replace").strip()
    try:
        content = read_json(body)
    except ResponseError:
        return text
    if not isinstance(content, dict):
        return text
    detail = content.get("detail", content.get("message", text))
    if isinstance(detail, list):
        return "; ".join(_field_error(item) for item in detail)
    return str(detail)


def _field_error(item: object) -> str:
    """One entry of a 422 answer: where, and what is wrong."""
    if not isinstance(item, dict):
        return str(item)
    location = item.get("loc")
    place = ".".join(map(str, location)) if isinstance(location, list) else ""
    return f"{place}: {item.get('msg', item)}" if place else str(item.get("msg", item))
