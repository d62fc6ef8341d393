"""Whether an API job that has ended may be asked for, or submitted, once more."""

from __future__ import annotations

from aqt_fast.api_client.decisions import NOT_ACCEPTED as NOT_ACCEPTED_BY_API
from aqt_fast.exceptions import AQTError, JournalError, ResultExpiredError, SubmissionUncertainError
from aqt_fast.jobs.api_job import ApiJob

NOT_ACCEPTED = (*NOT_ACCEPTED_BY_API, JournalError)
"""Errors after which nothing was accepted, and the same may be accepted later."""


def is_uncertain(job: ApiJob) -> bool:
    """Whether nobody here knows if the portal has accepted it."""
    return isinstance(_error(job), SubmissionUncertainError) and job.job_id is None


def may_be_retried(job: ApiJob) -> bool:
    """Whether asking again may help, without the risk that it runs twice.

    It is with the portal, or the portal has certainly not accepted it and may do so later.
    """
    error = _error(job)
    if error is None:
        return False
    return job.job_id is not None or isinstance(error, NOT_ACCEPTED)


def may_be_repeated(job: ApiJob, *, uncertain: bool, expired: bool) -> bool:
    """Whether it may be submitted once more, after an error.

    What was accepted and has not ended may still run, and is not repeated.

    Args:
        job: an API job that has ended with an error.
        uncertain: also if it may have been accepted.
        expired: also if it has run, and its result is gone.
    """
    error = _error(job)
    if error is None or (expired and isinstance(error, ResultExpiredError)):
        return True
    return job.job_id is None and (uncertain or not is_uncertain(job))


def _error(job: ApiJob) -> AQTError | None:
    return None if job.failure is None else job.failure.error
