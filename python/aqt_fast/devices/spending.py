"""Limits of what a job may cost and take, and the comparison with its estimate."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.exceptions import MissingEstimateError, SpendingLimitError

if TYPE_CHECKING:
    from aqt_fast.devices.estimate import JobEstimate


@dataclass(frozen=True)
class SpendingLimits:
    """What a job may cost and take at most, with all that it submits again.

    Raises:
        InvalidOptionError: a limit is not a finite number above 0.
    """

    max_cost: float | None = None
    """Maximum cost in the currency of the price list, None for no limit."""
    max_device_seconds: float | None = None
    """Maximum time on the device in seconds, None for no limit."""
    max_shots: int | None = None
    """Maximum number of shots of all circuits together, None for no limit."""

    def __post_init__(self) -> None:
        given = {name: value for name, value in vars(self).items() if value is not None}
        if given:
            checked = AQTOptions(**given)
            for name in given:
                object.__setattr__(self, name, checked[name])

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> SpendingLimits:
        """Take the limits of options."""
        return cls(**{field.name: options[field.name] for field in fields(cls)})

    def __bool__(self) -> bool:
        """Whether there is a limit."""
        return any(value is not None for value in vars(self).values())

    def only(self, names: Collection[str]) -> SpendingLimits:
        """Return those of these limits that ``names`` has."""
        return SpendingLimits(**{k: v for k, v in vars(self).items() if k in names})

    def replaced_by(self, others: SpendingLimits) -> SpendingLimits:
        """Return these limits with those of ``others`` that are set in their place."""
        return replace(self, **{k: v for k, v in vars(others).items() if v is not None})


def check_spending(
    limits: Mapping[str, SpendingLimits], shots: int, estimate: Callable[[], JobEstimate]
) -> None:
    """Compare what a job may take with limits: the tightest of each kind counts.

    The upper end of an estimate is what counts: a job that may exceed a limit is refused.

    Args:
        limits: by where they were set; of equal limits, the first is told.
        shots: all shots of the job.
        estimate: estimates the job; called only if it is needed.

    Raises:
        MissingEstimateError: a limit is set on something that is not known.
        SpendingLimitError: a limit is exceeded.
    """
    tightest: dict[str, tuple[float, str]] = {}
    for source, of_source in limits.items():
        for name, value in vars(of_source).items():
            if value is not None and (name not in tightest or value < tightest[name][0]):
                tightest[name] = value, source
    if "max_shots" in tightest:
        allowed, source = tightest.pop("max_shots")
        if shots > allowed:
            raise SpendingLimitError("max_shots", allowed, f"{shots} shots", source, estimate())
    if not tightest:
        return
    known = estimate()
    for name, (allowed, source) in tightest.items():
        most, words = _MOST[name](known)
        if most is None:
            raise MissingEstimateError(name, allowed, words, source, known)
        if not most <= allowed:  # nor anything that is no number
            raise SpendingLimitError(name, allowed, words, source, known)


def _most_seconds(estimate: JobEstimate) -> tuple[float | None, str]:
    seconds = estimate.device_seconds
    if seconds is None:
        return None, "the device does not tell how long its operations take"
    return seconds.high, f"{seconds.low:.6g} to {seconds.high:.6g} s on the device"


def _most_cost(estimate: JobEstimate) -> tuple[float | None, str]:
    cost = estimate.cost
    if cost is None:
        name = estimate.backend_name
        return None, f"no price is known for '{name}': give the provider a price_list for it"
    return cost.amount, f"{cost.amount:.2f} {cost.currency}"


_MOST: Mapping[str, Callable[[JobEstimate], tuple[float | None, str]]] = {
    "max_cost": _most_cost,
    "max_device_seconds": _most_seconds,
}
"""The largest value of an estimate for each limit, None if it is unknown; and words for it."""
