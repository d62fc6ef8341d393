"""Lists of prices, and what jobs cost."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone

import orjson
import pytest
from aqt_fast import PriceList
from aqt_fast.devices.prices import Cost, price_lists
from aqt_fast.exceptions import InvalidOptionError

FIELDS = {
    "per_shot": 0.02, "currency": "EUR", "source": "our contract", "as_of": date(2026, 11, 1),
}  # fmt: skip


class TestFields:
    """What a list has, and what it refuses."""

    def test_plain(self):
        """Only the price of a shot is needed, with its origin."""
        prices = PriceList(**FIELDS)
        assert (prices.per_circuit, prices.per_api_job, prices.resources) == (0, 0, ())
        assert prices.origin == "our contract, 2026-11-01"
        moment = datetime(2026, 11, 1, 23, tzinfo=timezone.utc)
        assert PriceList(**{**FIELDS, "as_of": moment}) == prices
        assert PriceList(**FIELDS, resources="ibex").resources == ("ibex",)
        assert orjson.loads(orjson.dumps(prices.to_dict()))["as_of"] == "2026-11-01"

    @pytest.mark.parametrize("name", ["per_shot", "per_circuit", "per_api_job"])
    @pytest.mark.parametrize("value", [-0.01, 1e308, math.nan, math.inf, "1", True, None])
    def test_bad_prices(self, name, value):
        """Neither negative nor endless."""
        with pytest.raises(InvalidOptionError, match=f"^{name} must be a number from 0 to"):
            PriceList(**{**FIELDS, name: value})

    @pytest.mark.parametrize("name", ["currency", "source"])
    @pytest.mark.parametrize("value", ["", " ", 7, None, "two\nlines"])
    def test_bad_texts(self, name, value):
        """Something to show."""
        with pytest.raises(InvalidOptionError, match=f"^{name} must be text"):
            PriceList(**{**FIELDS, name: value})

    @pytest.mark.parametrize("value", ["2026-11-01", 2026, None])
    def test_bad_dates(self, value):
        """A list without a date is none."""
        with pytest.raises(InvalidOptionError, match=r"^as_of must be a datetime.date"):
            PriceList(**{**FIELDS, "as_of": value})

    @pytest.mark.parametrize("value", [0, -1, 1.5, math.nan, "180", True])
    def test_bad_ages(self, value):
        """Whole days, at least one."""
        with pytest.raises(InvalidOptionError, match=r"^max_age_days must be a whole number"):
            PriceList(**FIELDS, max_age_days=value)

    @pytest.mark.parametrize("value", [5, None, [5], "", ["ibex", ""]])
    def test_bad_resources(self, value):
        """Identifiers."""
        with pytest.raises(InvalidOptionError, match=r"^resources must be text"):
            PriceList(**FIELDS, resources=value)

    def test_several(self):
        """One, several, or none."""
        one = PriceList(**FIELDS)
        assert price_lists(None) == ()
        assert price_lists(one) == price_lists([one]) == (one,)
        for wrong in (7, [one, "EUR"], "EUR"):
            with pytest.raises(InvalidOptionError, match=r"^price_list must be a PriceList"):
                price_lists(wrong)


class TestCost:
    """What a job costs."""

    def test_sum(self):
        """Shots, circuits and API jobs; in the currency of the list."""
        prices = PriceList(**FIELDS, per_circuit=0.3, per_api_job=5)
        cost = prices.cost(shots=100_000, circuits=50, api_jobs=1)
        assert (cost.amount, cost.currency) == (2020.0, "EUR")
        assert str(cost) == "2,020.00 EUR"
        assert cost.price_list is prices
        assert [str(Cost(amount, "EUR", prices)) for amount in (0, 0.00012, 0.01)] == [
            "0.00 EUR", "0.00012 EUR", "0.01 EUR",
        ]  # fmt: skip

    @pytest.mark.parametrize("wrong", [{"shots": -1}, {"circuits": 1.5}, {"api_jobs": "1"}])
    def test_bad_numbers(self, wrong):
        """Whole numbers, none below 0."""
        with pytest.raises(InvalidOptionError, match=r"must be a whole number from 0 to"):
            PriceList(**FIELDS).cost(**{"shots": 1, "circuits": 1, "api_jobs": 1, **wrong})

    @pytest.mark.parametrize("number", [3, 7, 29, 1009])
    def test_decimal(self, number):
        """A limit of as much as it costs is not exceeded by a rounding error."""
        cost = PriceList(**{**FIELDS, "per_shot": 0.1}).cost(shots=number, circuits=0, api_jobs=0)
        assert cost.amount == float(f"{number // 10}.{number % 10}")


class TestAge:
    """Prices change."""

    def test_warning(self):
        """From the day after the greatest age, with source and date."""
        prices = PriceList(**FIELDS, max_age_days=30)
        assert prices.warning(prices.as_of + timedelta(days=30)) is None
        text = prices.warning(prices.as_of + timedelta(days=31))
        assert text == "the prices are 31 days old and may have changed: our contract, 2026-11-01"
        assert PriceList(**FIELDS).warning(date(2099, 1, 1)) is None

    def test_built_in(self):
        """It names its source and gets old."""
        prices = PriceList.amazon_braket()
        assert (prices.per_shot, prices.per_circuit, prices.currency) == (0.0235, 0.3, "USD")
        assert "https://aws.amazon.com/braket/pricing" in prices.origin
        assert prices.warning(prices.as_of + timedelta(days=181)) is not None
