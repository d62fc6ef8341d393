"""Limits of what a job may cost and take."""

import math
from datetime import date

import pytest
from aqt_fast.devices import Interval, JobEstimate, PriceList, SpendingLimits
from aqt_fast.devices.spending import check_spending
from aqt_fast.exceptions import (
    InvalidInputError,
    InvalidOptionError,
    MissingEstimateError,
    SpendingLimitError,
)

PRICES = PriceList(per_shot=0.1, currency="EUR", source="our contract", as_of=date(2026, 11, 1))
ESTIMATE = JobEstimate(
    backend_name="ibex",
    circuits=3,
    api_jobs=1,
    shots=30,
    device_seconds=Interval(5.0, 6.0, 9.5),
    cost=PRICES.cost(shots=30, circuits=3, api_jobs=1),
)


def check(estimate=ESTIMATE, **limits) -> None:
    """Compare an estimate with limits, by where they are set."""
    check_spending(limits, estimate.shots, lambda: estimate)


@pytest.mark.parametrize(
    ("limit", "value"),
    [("max_cost", 3.0), ("max_device_seconds", 9.5), ("max_shots", 30)],
)
def test_the_upper_end_counts(limit, value):
    """What may be exceeded is refused; what is just reached is not."""
    check(provider=SpendingLimits(**{limit: value}))
    less = value - 1 if limit == "max_shots" else math.nextafter(value, 0)
    with pytest.raises(SpendingLimitError) as caught:
        check(provider=SpendingLimits(**{limit: less}))
    error = caught.value
    assert (error.limit, error.allowed, error.source) == (limit, less, "provider")
    assert error.estimate is ESTIMATE
    assert not isinstance(error, MissingEstimateError)


def test_words():
    """Name limit, value, place and estimate."""
    for limit, words in (
        ({"max_cost": 2.5}, "may take 3.00 EUR, but max_cost=2.5 of the backend allows less"),
        (
            {"max_device_seconds": 7},
            "may take 5 to 9.5 s on the device, but max_device_seconds=7.0 of the backend",
        ),
        ({"max_shots": 29}, "may take 30 shots, but max_shots=29 of the backend"),
    ):
        with pytest.raises(InvalidInputError, match=words):
            check(backend=SpendingLimits(**limit))


def test_the_tightest_counts():
    """Of equal ones, the outermost is told."""
    with pytest.raises(SpendingLimitError) as caught:
        check(
            provider=SpendingLimits(max_cost=2),
            backend=SpendingLimits(max_cost=1.5, max_shots=1000),
            job=SpendingLimits(max_cost=1.5),
        )
    assert (caught.value.source, caught.value.allowed) == ("backend", 1.5)
    check(provider=SpendingLimits(max_cost=3), job=SpendingLimits(max_cost=10))


def test_what_is_unknown_is_refused():
    """With an error that says what is missing."""
    unknown = JobEstimate("ibex", 3, 1, 30, device_seconds=None, cost=None)
    for limit, words in (
        ({"max_cost": 9}, "max_cost=9.0 of the job cannot be checked: no price is known"),
        ({"max_device_seconds": 1e9}, "cannot be checked: .* how long its operations take"),
    ):
        with pytest.raises(MissingEstimateError, match=words) as caught:
            check(unknown, job=SpendingLimits(**limit))
        assert caught.value.estimate is unknown
    check(unknown, job=SpendingLimits(max_shots=30))


def test_no_number():
    """Is not below any limit."""
    odd = JobEstimate("ibex", 3, 1, 30, device_seconds=Interval(0, 0, math.nan), cost=None)
    with pytest.raises(SpendingLimitError):
        check(odd, job=SpendingLimits(max_device_seconds=1e9))


def test_estimates_are_made_only_if_needed():
    """Not for a number of shots that is within its limit."""

    def refuse() -> JobEstimate:
        raise AssertionError

    check_spending({"job": SpendingLimits(max_shots=30)}, 30, refuse)
    check_spending({"job": SpendingLimits()}, 10**9, refuse)


def test_limits():
    """Are checked, compared and replaced."""
    assert not SpendingLimits()
    limits = SpendingLimits(max_cost=1, max_shots=7)
    assert limits
    assert limits.replaced_by(SpendingLimits(max_cost=5)) == SpendingLimits(5.0, None, 7)
    assert limits.only(["max_shots"]) == SpendingLimits(max_shots=7)
    for wrong in ({"max_cost": 0}, {"max_device_seconds": math.inf}, {"max_shots": 1.5}):
        with pytest.raises(InvalidOptionError, match=next(iter(wrong))):
            SpendingLimits(**wrong)


def test_two_jobs_together():
    """Their figures add up, as far as both are known; prices without rounding."""
    cost = PRICES.cost(shots=1, circuits=1, api_jobs=1)
    third = JobEstimate("ibex", 1, 2, 1, Interval(1, 2, 3), cost)
    both = third.plus(third).plus(third)
    assert (both.circuits, both.api_jobs, both.shots) == (3, 6, 3)
    assert both.device_seconds == (3, 6, 9)
    assert both.cost.amount == 0.3
    unknown = JobEstimate("ibex", 1, 1, 1, None, None)
    assert third.plus(unknown).device_seconds is third.plus(unknown).cost is None
