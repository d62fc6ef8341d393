"""The job of sampler and estimator, with the errors of the 2.x face."""

from __future__ import annotations

from typing import Any

from qiskit.primitives import PrimitiveResult

from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.v2.exceptions import raised_as_v2


class PrimitiveJob(AQTPrimitiveJob):
    """The job of ``run``."""

    def job_id(self) -> str:
        """Return the identifier of the first of :attr:`jobs`; wait until it has one.

        Raises:
            AQTError: its submission has failed, or may have failed.
        """
        with raised_as_v2():
            return super().job_id()

    def result(self) -> PrimitiveResult[Any]:
        """Wait for the result.

        Raises:
            AQTValueError: a circuit cannot run.
            AQTJobFailedError: a job failed or was cancelled.
            AQTError: a job was not submitted, or its result cannot be fetched.
        """
        with raised_as_v2():
            return super().result()

    def cancel(self) -> bool:
        """Cancel what has not run yet, on the portal too. Return False if nothing was left.

        Raises:
            AQTRequestError: the portal refuses, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            return super().cancel()
