"""Temporary: the decision table comes with the branch of the client."""

from http import HTTPStatus

from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    AQTCredentialsError,
    ResponseMismatchError,
)

NOT_ACCEPTED = (APIConnectionError, AQTCredentialsError)


def will_pass(error: APIError) -> bool:
    """Whether a later poll may be answered."""
    status = error.status_code or 0
    return (
        isinstance(error, APIConnectionError)
        or status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    )


def is_of_another_job(error: APIError) -> bool:
    """Whether there is no such API job, or it is another."""
    mismatch = isinstance(error.__cause__, ResponseMismatchError)
    return error.status_code == HTTPStatus.NOT_FOUND or mismatch
