"""The job of sampler and estimator, with the errors of the 2.x face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qiskit.primitives import PrimitiveResult

from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.v2.exceptions import raised_as_v2

if TYPE_CHECKING:
    from typing_extensions import Self

    from aqt_fast import AQTProvider


class PrimitiveJob(AQTPrimitiveJob):
    """The job of ``run``."""

    @classmethod
    def restore(
        cls,
        job_id: str,
        *,
        access_token: str | None = None,
        store_path: str | Path | None = None,
        remove_from_store: bool = True,
        provider: AQTProvider | None = None,
    ) -> Self:
        """Restore a job: see :meth:`AQTPrimitiveJob.restore`.

        Args:
            job_id: as there, like the others.
            access_token: the access token.
            store_path: directory of saved jobs.
            remove_from_store: whether to delete what was saved.
            provider: whose connections to use.

        Raises:
            AQTJobNotFoundError: no saved job and no journal has this id.
            AQTValueError: the job is not of a primitive.
            AQTJobCorruptError: the saved data cannot be read.
            AQTRequestError: the job belongs to another portal, or there is no access token for it.
        """
        with raised_as_v2():
            return super().restore(
                job_id,
                access_token=access_token,
                store_path=store_path,
                remove_from_store=remove_from_store,
                provider=provider,
            )

    def result(self, timeout: float | None = None) -> PrimitiveResult[Any]:
        """Wait for the result.

        Args:
            timeout: seconds to wait at most, None for no limit but the option
                ``query_timeout_seconds``.

        Raises:
            AQTValueError: ``timeout`` is not a time.
            AQTJobFailedError: the job failed or was cancelled.
            JobTimeoutError: the job has not ended in time; it continues.
            AQTError: the job was not submitted, or its outcomes cannot be fetched.
        """
        with raised_as_v2():
            return super().result(timeout)

    def persist(self, *, store_path: str | Path | None = None) -> Path:
        """Save the job for another process to :meth:`restore`.

        Args:
            store_path: directory of saved jobs, None for that of the backend's provider.

        Raises:
            AQTJobPersistenceError: the job cannot be saved.
            AQTError: the submission has failed.
        """
        with raised_as_v2():
            return super().persist(store_path=store_path)

    def cancel(self) -> bool:
        """Cancel what has not run yet, on the portal too. Return False if nothing was left.

        Raises:
            AQTRequestError: the portal refuses, or cannot be reached.
            AQTApiError: the portal has failed.
        """
        with raised_as_v2():
            return super().cancel()
