"""States of stored jobs, as far as the store knows them without asking the portal."""

from __future__ import annotations

from typing import Literal, get_args

ApiJobState = Literal[
    "unsent", "submitting", "submitted", "done", "failed", "cancelled", "uncertain"
]
"""State of an API job. ``unsent``: was never meant to be sent. Others as for a whole job."""

StoredJobState = Literal[
    "submitting",
    "submitted",
    "done",
    "failed",
    "cancelled",
    "uncertain",
    "incomplete",
    "saved",
    "damaged",
]
"""State of a job.

``submitting``: a process submits it. ``submitted``: the portal has accepted all of it, and it has
not ended. ``done``: all results are stored. ``failed``, ``cancelled``: all of it has ended, and a
part has failed or was cancelled. ``uncertain``: it is unknown whether the portal has accepted all
of it. ``incomplete``: a part was not submitted, and no process works on it. ``saved``: a job of an
offline simulator. ``damaged``: the stored data cannot be read.
"""

STATES: tuple[StoredJobState, ...] = get_args(StoredJobState)
"""All states of jobs."""

ENDED: tuple[StoredJobState, ...] = ("done", "failed", "cancelled")
"""States of jobs that do not change any more, unless the job is submitted again."""
