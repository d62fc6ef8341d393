"""The submission of one API job: encode it, announce it in the journal, send it once."""

from __future__ import annotations

from collections.abc import Callable

from aqt_fast.api_client.payload import payload_hash as payload_hash_of
from aqt_fast.exceptions import (
    AQTError,
    RequestWithdrawnError,
    SubmissionUncertainError,
)
from aqt_fast.jobs.endpoint import Endpoint
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot


class Submission:
    """Sends an API job and records the outcome in the journal.

    Args:
        endpoint: where to send it.
        snapshot: the circuits of the batch.
        part: the API job's part of the batch.
        log: the API job's entry in the journal.
    """

    def __init__(self, endpoint: Endpoint, snapshot: Snapshot, part: Part, log: ApiJobLog) -> None:
        """Send nothing yet."""
        self.payload_hash: str | None = None
        """SHA-256 of the last request body that was sent, None if none was."""
        self.sending = False
        """Whether the request was sent and not answered yet."""
        self._endpoint = endpoint
        self._snapshot = snapshot
        self._part = part
        self._log = log

    def send(self, label: str, wanted: Callable[[], bool]) -> str:
        """Encode and send the API job, and return its identifier.

        Args:
            label: the API job's label.
            wanted: called before each attempt; returns False if the job was cancelled.

        Raises:
            RequestWithdrawnError: it was cancelled; nothing was accepted.
            SubmissionUncertainError: it may have been accepted.
            AQTError: it was not accepted.
        """
        if not wanted():
            raise RequestWithdrawnError("it is not wanted any more")
        body = self._encode(label)
        payload_hash = payload_hash_of(body)
        try:
            self._log.intend(label, payload_hash)
            self.payload_hash = payload_hash
            job_id = self._endpoint.submit(body, label=label, wanted=wanted)
        except RequestWithdrawnError:
            raise
        except SubmissionUncertainError as error:
            self._log.uncertain(error.reason)
            raise
        except AQTError as error:
            self._log.refused(str(error))
            raise
        self._log.accepted(job_id)
        return job_id

    def uncertain(self, label: str, reason: str) -> SubmissionUncertainError:
        """Make the error to raise if it is unknown whether the submission was accepted."""
        if self.payload_hash is None:
            self.payload_hash = payload_hash_of(self._encode(label))
        return SubmissionUncertainError(label, self.payload_hash, reason)

    def _encode(self, label: str) -> bytes:
        return self._endpoint.encode(self._snapshot, self._part, label)
