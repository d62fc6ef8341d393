"""Where a job stands, as far as the store knows without asking the portal."""

from __future__ import annotations

from typing import Literal, get_args

ApiJobState = Literal[
    "unsent", "submitting", "submitted", "done", "failed", "cancelled", "uncertain"
]
"""Of one API job: ``unsent`` was never to be sent, the others are as for the whole job."""

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
"""Of a job.

``submitting``: a process submits it. ``submitted``: the portal has all of it, or what has not
ended. ``done``: all results are stored. ``failed``, ``cancelled``: all of it has ended, and
something has failed, or was cancelled. ``uncertain``: nobody knows whether the portal has accepted
all of it. ``incomplete``: something was not submitted, and nobody is at it. ``saved``: a job of an
offline simulator. ``damaged``: the store's data cannot be read.
"""

STATES: tuple[StoredJobState, ...] = get_args(StoredJobState)
"""All states of jobs."""

ENDED: tuple[StoredJobState, ...] = ("done", "failed", "cancelled")
"""States of jobs to which nothing happens any more by itself."""
