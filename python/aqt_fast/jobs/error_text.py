"""Why a job failed, as text that can also be called."""

from __future__ import annotations


class ErrorText(str):
    """A text that returns itself when it is called.

    AQT's users read ``job.error_message``; Qiskit's tools call ``job.error_message()`` of jobs that
    have failed. Jobs without an error have None instead.
    """

    __slots__ = ()

    def __call__(self) -> str:
        """Return the text."""
        return str(self)
