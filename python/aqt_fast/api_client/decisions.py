"""Temporary: the decision table comes with the branch of the client."""

import httpx

from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    ResponseMismatchError,
)

NOT_ACCEPTED = (APIConnectionError, AQTCredentialsError)


def will_pass(error: APIError) -> bool:
    status = error.status_code or 0
    return (
        isinstance(error, APIConnectionError)
        or status in (httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS)
        or status >= httpx.codes.INTERNAL_SERVER_ERROR
    )


def is_of_another_job(error: APIError) -> bool:
    mismatch = isinstance(error.__cause__, ResponseMismatchError)
    return error.status_code == httpx.codes.NOT_FOUND or mismatch
