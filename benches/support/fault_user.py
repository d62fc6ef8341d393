"""The simulated user of fault runs: looks up what is uncertain, adopts it or submits it again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from aqt_fast.aqt_job import AQTJob
from aqt_fast.exceptions import (
    APIError,
    AQTError,
    IncompleteBatchError,
    PartFailure,
    SubmissionUncertainError,
)
from aqt_fast.testing import AcceptedJob
from qiskit.result import Result

_MOST_ROUNDS = 40
_BEFORE_LOOKING_SECONDS = 0.5
"""A user needs a moment before they open the portal's page."""

Page = Callable[[], Mapping[str, str]]
"""Gives the identifiers that the portal's page shows now."""


@dataclass
class Diary:
    """Errors that the user has met, and their answers."""

    errors: list[AQTError] = field(default_factory=list)
    """What ``result()`` has raised."""
    failures: list[PartFailure] = field(default_factory=list)
    """The API jobs that these errors named."""
    adopted: dict[str, str] = field(default_factory=dict)
    """Identifiers of the portal by label."""
    sent_again: list[str] = field(default_factory=list)
    """Labels of uncertain submissions that the page lacks and the user resubmitted."""
    resubmitted: int = 0
    """API jobs that the user resubmitted, uncertain ones included."""

    def labels(self, kind: type[AQTError]) -> list[str]:
        """Labels of the failures of a kind, once each, although each error names them again."""
        labels = (failure.label for failure in self.failures if isinstance(failure.error, kind))
        return list(dict.fromkeys(labels))


def labels(record: Iterable[AcceptedJob]) -> dict[str, str]:
    """The identifiers by label, as the portal's page shows them."""
    return {job.label: job.job_id for job in record if job.label is not None}


def hashes(record: Iterable[AcceptedJob]) -> dict[str, str]:
    """The identifiers by hash of the payload; machines know no labels."""
    return {job.sha256: job.job_id for job in record}


def take_care(
    job: AQTJob,
    page: Page,
    diary: Diary,
    *,
    key: Callable[[SubmissionUncertainError], str] = attrgetter("label"),
    seconds: float = 600.0,
) -> Result | None:
    """Call ``result()`` until it returns; None if it does not within 40 calls or the time.

    Args:
        job: was submitted.
        page: what the portal shows.
        diary: is written.
        key: what the page names a submission by.
        seconds: for all calls together.

    Raises:
        JobTimeoutError: the time has passed during a call.
    """
    deadline = time.monotonic() + seconds
    for _ in range(_MOST_ROUNDS):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            return job.result(timeout=left)
        except IncompleteBatchError as error:
            diary.errors.append(error)
            _deal_with(job, error.failures, page, diary, key)
        except SubmissionUncertainError as error:
            diary.errors.append(error)
            failure = PartFailure(0, range(0), error.label, str(error), error)
            _deal_with(job, [failure], page, diary, key)
        except APIError as error:  # another call asks again
            diary.errors.append(error)
    return None


def _deal_with(
    job: AQTJob,
    failures: Sequence[PartFailure],
    page: Page,
    diary: Diary,
    key: Callable[[SubmissionUncertainError], str],
) -> None:
    """Adopt what the page shows; if it shows nothing new, submit the rest again."""
    diary.failures += failures
    time.sleep(_BEFORE_LOOKING_SECONDS)
    shown = page()
    uncertain = [
        failure.error for failure in failures if isinstance(failure.error, SubmissionUncertainError)
    ]
    found = [error for error in uncertain if key(error) in shown]
    for error in found:
        job.adopt(error.label, shown[key(error)])
        diary.adopted[error.label] = shown[key(error)]
    if not found:  # else the job continues, and names the rest when it ends again
        diary.sent_again += [error.label for error in uncertain]
        diary.resubmitted += job.resubmit_failed(uncertain=True)
