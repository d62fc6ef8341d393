"""What an estimate shows, and the number that knows its estimate."""

from __future__ import annotations

import copy
import json
import math
import pickle
from dataclasses import replace
from datetime import date

import orjson
import pytest
from aqt_fast.devices import DeviceTimes, DeviceUsage, Interval, JobEstimate, PriceList
from aqt_fast.devices.estimate import added

PRICES = PriceList(per_shot=0.02, currency="EUR", source="<b>us</b> & co", as_of=date(2026, 11, 1))
ESTIMATE = JobEstimate(
    backend_name="ibex<script>",
    circuits=50,
    api_jobs=1,
    shots=100_000,
    device_seconds=Interval(16_000, 20_000, 25_000),
    cost=PRICES.cost(shots=100_000, circuits=50, api_jobs=1),
    device_times=DeviceTimes(),
)
NOTHING = JobEstimate("offline", 1, 0, 10, None, None)


class TestShown:
    """Text, HTML and JSON."""

    def test_text(self):
        """Times in a unit that suits them, prices with their date and source."""
        assert str(ESTIMATE).splitlines()[3:] == [
            "shots        100,000",
            "device time  5.56 h (4.44 to 6.94 h)",
            "cost         2,000.00 EUR",
            "prices       <b>us</b> & co, 2026-11-01",
        ]
        for seconds, text in (
            ((0, 0, 1), "0 s (0 to 1 s)"),
            ((1, 30, 60), "30 s (1 to 60 s)"),
            ((60, 180, 600), "3 min (1 to 10 min)"),
            ((1e6, 1e7, 1e8), "116 days (11.6 to 1,157 days)"),
        ):
            assert text in str(replace(ESTIMATE, device_seconds=Interval(*seconds)))

    def test_unknown(self):
        """What is unknown is said, and what there is none of."""
        text = str(replace(ESTIMATE, device_seconds=None, cost=None))
        assert "device time  unknown\n" in text
        assert "cost         unknown: no list of prices" in text
        assert "prices" not in text.replace("list of prices", "")
        assert "device time  none\n" in str(NOTHING)
        assert "API jobs     none: it runs in this process" in str(NOTHING)

    def test_payloads(self):
        """The first one, and how many more."""
        assert str(replace(ESTIMATE, payload_hashes=("ab",))).endswith("payloads     ab")
        assert str(replace(ESTIMATE, payload_hashes=("ab", "cd", "ef"))).endswith("ab and 2 more")

    def test_names(self):
        """A portal's text does not command the terminal."""
        assert str(replace(ESTIMATE, backend_name="ev\x1b[31mil")).startswith(
            "backend      ev\N{REPLACEMENT CHARACTER}[31mil\n"
        )

    def test_html(self):
        """Escaped, and nothing is loaded."""
        page = ESTIMATE._repr_html_()
        assert "ibex&lt;script&gt;" in page
        assert "&lt;b&gt;us&lt;/b&gt; &amp; co" in page
        assert "<script" not in page
        assert not any(word in page for word in ("http", "src="))

    def test_json(self):
        """All of it."""
        known = orjson.loads(orjson.dumps(ESTIMATE.to_dict()))
        assert known["device_seconds"] == {"low": 16_000, "likely": 20_000, "high": 25_000}
        assert known["cost"]["price_list"]["source"] == "<b>us</b> & co"
        assert known["device_times"]["shot_overhead"] == [0.16, 0.2, 0.25]
        assert NOTHING.to_dict()["device_seconds"] is NOTHING.to_dict()["cost"] is None


class TestAdded:
    """Jobs that belong together."""

    def test_sums(self):
        """Each figure adds up."""
        both = added([ESTIMATE, ESTIMATE])
        assert (both.circuits, both.api_jobs, both.shots) == (100, 2, 200_000)
        assert both.device_seconds == (32_000, 40_000, 50_000)
        assert (both.cost.amount, both.cost.currency) == (4000, "EUR")
        assert added([]) is None
        assert added([NOTHING]) == NOTHING

    def test_unknown(self):
        """A sum with something unknown is unknown; currencies are never mixed."""
        assert added([ESTIMATE, NOTHING]).device_seconds is None
        assert added([ESTIMATE, NOTHING]).cost is None
        other = replace(PRICES, currency="USD").cost(shots=1, circuits=1, api_jobs=1)
        assert added([ESTIMATE, replace(ESTIMATE, cost=other)]).cost is None


class TestUsage:
    """A number like any other."""

    def test_number(self):
        """Arithmetic, comparison, hash, text and JSON are those of a float."""
        usage = DeviceUsage(10_000.5, ESTIMATE)
        assert (usage, hash(usage), repr(usage)) == (10_000.5, hash(10_000.5), "10000.5")
        assert type(usage + usage) is float
        assert json.dumps({"seconds": usage}) == '{"seconds": 10000.5}'
        assert math.isclose(usage / 2, 5000.25)
        assert f"{usage:.0f}" == "10000"

    def test_estimate(self):
        """Ratio to the likely seconds, and the cost."""
        usage = DeviceUsage(10_000, ESTIMATE)
        assert (usage.estimate, usage.ratio, usage.cost) == (ESTIMATE, 0.5, ESTIMATE.cost)
        for unknown in (None, NOTHING, replace(ESTIMATE, device_seconds=Interval(0, 0, 0))):
            assert DeviceUsage(1, unknown).ratio is None
        assert DeviceUsage(1).cost is None

    def test_made_when_needed(self):
        """Once, and not for the number alone."""
        calls = []

        def make() -> JobEstimate:
            calls.append(1)
            return ESTIMATE

        usage = DeviceUsage(5, make)
        assert usage + 1 == 6
        assert calls == []
        assert usage.ratio == usage.ratio == 5 / 20_000
        assert calls == [1]

    @pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, pickle.dumps])
    def test_copies(self, way):
        """They have the estimate."""
        copied = way(DeviceUsage(5, lambda: ESTIMATE))
        again = pickle.loads(copied) if isinstance(copied, bytes) else copied  # noqa: S301
        assert type(again) is DeviceUsage
        assert (again, again.estimate) == (5, ESTIMATE)
