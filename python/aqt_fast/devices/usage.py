"""What a job took, beside what was expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.prices import Cost

if TYPE_CHECKING:
    from typing_extensions import Self


class DeviceUsage(float):
    """Seconds on the device, as far as they were reported: a number like any other.

    It also knows the estimate of its job. A pickle and a copy hold the estimate, too; what
    arithmetic makes of it is an ordinary number.
    """

    _estimated: Callable[[], JobEstimate | None] | None
    _estimate: JobEstimate | None

    def __new__(
        cls,
        seconds: float,
        estimate: JobEstimate | Callable[[], JobEstimate | None] | None = None,
    ) -> Self:
        """Take seconds, and the estimate of the same job or what makes it when it is needed."""
        usage = super().__new__(cls, seconds)
        if isinstance(estimate, JobEstimate) or estimate is None:
            usage._estimated, usage._estimate = None, estimate
        else:
            usage._estimated, usage._estimate = estimate, None
        return usage

    @property
    def estimate(self) -> JobEstimate | None:
        """What the job was expected to take, for all of its circuits; None if that is unknown."""
        make = self._estimated  # another thread may ask at the same time
        if make is not None:
            self._estimate, self._estimated = make(), None
        return self._estimate

    @property
    def ratio(self) -> float | None:
        """These seconds divided by the likely ones of the estimate; None if there are none.

        It is that of the whole job once all circuits have run.
        """
        expected = self.estimate and self.estimate.device_seconds
        return float(self) / expected.likely if expected and expected.likely else None

    @property
    def cost(self) -> Cost | None:
        """What the job costs if each circuit runs once; None without a list of prices."""
        return None if self.estimate is None else self.estimate.cost

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (float(self), self.estimate)
