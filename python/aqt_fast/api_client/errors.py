"""The errors of requests, under the name that they have in ``qiskit-aqt-provider`` 1.x."""

from __future__ import annotations

import httpx

from aqt_fast.api_client.error_detail import sent_detail, status_error
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    InsecureConnectionError,
    RequestWithdrawnError,
    ResultExpiredError,
    SubmissionUncertainError,
)

__all__ = [
    "APIConnectionError",
    "APIError",
    "AQTCredentialsError",
    "InsecureConnectionError",
    "RequestWithdrawnError",
    "ResultExpiredError",
    "SubmissionUncertainError",
    "http_response_raise_for_status",
]


def http_response_raise_for_status(response: httpx.Response) -> httpx.Response:
    """Return the answer to a request of one's own, unless its status is an error.

    Args:
        response: the answer, with its request.

    Raises:
        APIError: the status is an error. The cause is httpx's ``HTTPStatusError``.
    """
    if not response.is_error:
        return response
    refusal = status_error(response)
    raise APIError(
        str(refusal),
        status_code=response.status_code,
        detail=sent_detail(response.content),
        http_response=refusal.response,
    ) from refusal
