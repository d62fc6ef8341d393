"""Decide whether an API job that has ended may be polled or submitted again."""

from __future__ import annotations

from aqt_fast.api_client.decisions import NOT_ACCEPTED as NOT_ACCEPTED_BY_API
from aqt_fast.exceptions import AQTError, JournalError, ResultExpiredError, SubmissionUncertainError
from aqt_fast.jobs.api_job import ApiJob

NOT_ACCEPTED = (*NOT_ACCEPTED_BY_API, JournalError)
"""Errors after which nothing was accepted, and a later attempt may succeed."""


def is_uncertain(job: ApiJob) -> bool:
    """Return whether it is unknown if the portal has accepted the API job.

    Such an API job has an identifier only if the portal gave it, and does not know it now.
    """
    return isinstance(_error(job), SubmissionUncertainError)


def may_be_retried(job: ApiJob) -> bool:
    """Return whether a retry may help without the risk that the circuits run twice.

    Either the portal has the API job, or it has certainly not accepted it but may do so later.
    """
    error = _error(job)
    if error is None:
        return False
    return job.job_id is not None or isinstance(error, NOT_ACCEPTED)


def may_be_repeated(job: ApiJob, *, uncertain: bool, expired: bool) -> bool:
    """Return whether an API job may be submitted again after an error.

    An API job that was accepted and has not ended may still run: it is not repeated.

    Args:
        job: an API job that has ended with an error.
        uncertain: allow it even if a submission may have been accepted that nobody has heard of.
        expired: allow it even if the job has run, and only its result is gone.
    """
    error = _error(job)
    if job.doubtful and not uncertain:
        return False
    if error is None or (expired and isinstance(error, ResultExpiredError)):
        return True
    return uncertain if is_uncertain(job) else job.job_id is None


def _error(job: ApiJob) -> AQTError | None:
    return None if job.failure is None else job.failure.error
