"""A refused request: HTTP status and detail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class PortalError(Exception):
    """Refuse a request with ``status`` and ``detail`` of the response."""

    def __init__(self, status: int, detail: Any) -> None:
        """``detail`` is text, or a list of ``{loc, msg, type}`` with status 422."""
        super().__init__(status, detail)
        self.status = status
        self.detail = detail

    @property
    def reason(self) -> str:
        """The detail as a text."""
        if isinstance(self.detail, str):
            return self.detail
        return "; ".join(f"{problem['loc'][-1]}: {problem['msg']}" for problem in self.detail)


def invalid(location: Sequence[str | int], message: str) -> PortalError:
    """Make a 422 with one problem."""
    return PortalError(422, [{"loc": list(location), "msg": message, "type": "value_error"}])
