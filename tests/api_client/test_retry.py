"""When a request is repeated: back-off, budget, and the Retry-After header."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from email.utils import format_datetime

import httpx
import pytest
import tenacity
from api_client.scripted import ASKING, JOB_ID, TODAY, FakeTime, Script
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.retry_timing import (
    BACK_OFF,
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    MAX_ORDERED_SECONDS,
    Attempts,
    Patience,
    Retry,
    RetryBudget,
    retry_after,
)
from aqt_fast.exceptions import APIError
from hypothesis import given
from hypothesis import strategies as st


def state_after(attempt: int, error: Retry) -> tenacity.RetryCallState:
    """What tenacity knows after a failed attempt."""
    state = tenacity.RetryCallState(None, None, (), {})
    state.attempt_number = attempt
    state.set_exception((type(error), error, None))
    return state


class TestBackOff:
    """When the next attempt is made."""

    @pytest.mark.parametrize("attempt", [1, 2, 3, 5, 6, 50, 5000])
    def test_full_jitter_and_cap(self, attempt):
        """Between 0 and a bound that doubles up to ten seconds."""
        state = state_after(attempt, Retry(APIError("no")))
        bound = 10 if attempt > 5 else 0.5 * 2 ** (attempt - 1)
        pauses = [BACK_OFF(state) for _ in range(400)]
        assert 0 <= min(pauses) < 0.1 * bound
        assert 0.9 * bound < max(pauses) <= bound

    def test_budget_of_all_requests_of_a_client(self, time, monkeypatch):
        """When the stock is empty, retries wait, but no request is given up."""
        monkeypatch.setattr("aqt_fast.api_client.retry_timing.BACK_OFF", lambda _: 0.0)
        later = httpx.Response(429)
        answers = [*[later] * 60, ASKING["result"].ok(), *[later] * 3, ASKING["cancel"].ok()]
        script = Script(*answers)
        portal = ASKING["result"].connect(script, time)
        assert portal.result(JOB_ID, read_json) == ASKING["result"].value
        assert time.sleeps[:50] == [0] * 50
        assert time.sleeps[50:] == pytest.approx([0.5] * 10)
        assert portal.cancel(JOB_ID) is True
        # The success has paid for half a retry, the stock itself is still empty.
        assert time.sleeps[60:] == pytest.approx([0.25, 0.5, 0.5])

    def test_budget_and_order_at_the_same_time(self, time, monkeypatch):
        """The longer of the two counts, not their sum."""
        monkeypatch.setattr("aqt_fast.api_client.retry_timing.BACK_OFF", lambda _: 0.0)
        now = httpx.Response(429)
        later = httpx.Response(429, headers={"Retry-After": "7"})
        script = Script(*[now] * 60, later, ASKING["result"].ok())
        assert ASKING["result"].run(script, time) == ASKING["result"].value
        assert time.sleeps[-2:] == pytest.approx([0.5, 7])

    @pytest.mark.parametrize(
        "order", ["0", "-1", "-99999", "Sun, 01 Mar 2026 11:59:59 GMT", "Thu, 01 Jan 1970 00:00:00"]
    )
    @pytest.mark.parametrize("status", [429, 503])
    def test_orders_to_come_back_at_once(self, order, status, time, monkeypatch):
        """The back-off counts all the same: 11 requests a minute, not 74 in 12 seconds."""
        bound = tenacity.wait_exponential(FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS)
        monkeypatch.setattr("aqt_fast.api_client.retry_timing.BACK_OFF", bound)
        script = Script(httpx.Response(status, headers={"Retry-After": order}))
        with pytest.raises(APIError):
            ASKING["result"].run(script, time)
        assert time.sleeps[:6] == [0.5, 1, 2, 4, 8, 10]
        assert len(script.requests) == 11

    def test_an_order_that_is_shorter_than_the_back_off(self, time, monkeypatch):
        """The longer of the two counts."""
        monkeypatch.setattr("aqt_fast.api_client.retry_timing.BACK_OFF", lambda _: 3.0)
        orders = [httpx.Response(429, headers={"Retry-After": order}) for order in ("2", "4")]
        ASKING["result"].run(Script(*orders, ASKING["result"].ok()), time)
        assert time.sleeps == [3, 4]

    def test_a_user_who_cancels_does_not_wait_for_hours(self, time):
        """An order that is longer than the minute that cancelling may take ends it."""
        script = Script(httpx.Response(429, headers={"Retry-After": "3600"}))
        with pytest.raises(APIError, match="429"):
            ASKING["cancel"].run(script, time)
        assert time.sleeps == []

    def test_budget_refills(self, time):
        """Time and successes refill it, up to the stock."""
        budget = RetryBudget(stock=3, per_second=2, per_success=0.5, clock=time.clock)
        assert [budget.take() for _ in range(5)] == [0, 0, 0, 0.5, 1]
        time.elapsed += 1
        assert budget.take() == 0.5
        for _ in range(4):
            budget.succeeded()
        assert [budget.take(), budget.take()] == [0, 0.5]
        time.elapsed += 1000
        assert [budget.take() for _ in range(4)] == [0, 0, 0, 0.5]
        time.elapsed += 1000
        budget.take()
        for _ in range(100):
            budget.succeeded()
        assert [budget.take() for _ in range(4)] == [0, 0, 0, 0.5]

    @given(st.lists(st.sampled_from(["take", "succeed", "wait"]), max_size=200))
    def test_budget_bounds_any_history(self, history):
        """Never a negative pause, and never more retries than stock, time and successes allow."""
        time = FakeTime()
        budget = RetryBudget(stock=5, per_second=2, per_success=0.5, clock=time.clock)
        successes = 0
        turns = []
        for step in history:
            if step == "take":
                pause = budget.take()
                assert pause >= 0
                turns.append(time.elapsed + pause)
            elif step == "succeed":
                budget.succeeded()
                successes += 1
            else:
                time.elapsed += 1.5
        for count, turn in enumerate(sorted(turns), 1):
            assert count <= 5 + 2 * turn + 0.5 * successes + 1e-6

    def test_budget_from_many_threads(self, time):
        """Each retry has its own turn."""
        budget = RetryBudget(stock=50, per_second=1, per_success=0, clock=time.clock)
        with ThreadPoolExecutor(8) as threads:
            pauses = list(threads.map(lambda _: budget.take(), range(200)))
        assert sorted(pauses) == [0] * 50 + list(range(1, 151))

    def test_patience(self, time):
        """No attempt starts after the deadline; an ordered wait extends it, or ends the request."""
        budget = RetryBudget(clock=time.clock)
        error = Retry(APIError("no"))
        attempts = Attempts(Patience(10), budget, time.clock)
        time.elapsed = 9.5
        assert not attempts.stop(state_after(9, error))
        assert all(attempts.wait(state_after(9, error)) <= 0.5 for _ in range(40))
        time.elapsed = 10
        assert attempts.stop(state_after(9, error))
        ordered = Retry(APIError("later"), ordered=30)
        obeys = Attempts(Patience(10), budget, time.clock)
        assert not obeys.stop(state_after(1, ordered))
        assert obeys.wait(state_after(1, ordered)) == 30
        time.elapsed += 39
        assert not obeys.stop(state_after(2, error))
        time.elapsed += 1
        assert obeys.stop(state_after(3, error))
        hasty = Attempts(Patience(10, obeys_orders=False), budget, time.clock)
        assert hasty.stop(state_after(1, ordered))
        assert hasty.stop(state_after(1, Retry(APIError("later"), ordered=10)))
        assert not hasty.stop(state_after(1, Retry(APIError("later"), ordered=9)))

    def test_discovery_takes_no_longer_than_it_may(self, time):
        """A user waits for it: three seconds at most."""
        for _ in range(20):
            before = time.elapsed
            with pytest.raises(APIError):
                ASKING["list_resources"].run(Script(httpx.Response(500)), time)
            assert time.elapsed - before <= 3 + 1e-6


class TestRetryAfter:
    """The header, as RFC 9110 has it and as servers write it."""

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("", None),
            ("120", 120),
            ("007", 7),
            ("\t5 ", 5),
            ("999999999999", MAX_ORDERED_SECONDS),
            ("9" * 5000, None),
            ("\u0663", None),
            ("1e3", None),
            ("inf", None),
            ("nan", None),
            ("Sun, 01 Mar 2026 12:02:00 GMT", 120),
            ("Sunday, 01-Mar-26 12:02:00 GMT", 120),
            ("Sun Mar  1 12:02:00 2026", 120),
            ("Sun, 01 Mar 2026 14:02:00 +0200", 120),
            ("Sun, 01 Mar 2026 12:02:00 -0000", 120),
            ("Sun, 01 Mar 2026 11:00:00 GMT", 0),
            ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_ORDERED_SECONDS),
            ("Mon, 01 Jan 0001 00:00:00 GMT", 0),
            ("Sun, 01 Mar 2026 25:00:00 GMT", None),
        ],
    )
    def test_examples(self, header, seconds):
        """Seconds and dates."""
        assert retry_after(header, TODAY.timestamp()) == seconds

    @pytest.mark.parametrize(
        ("sent", "seconds"),
        [
            (None, 120),
            ("", 120),
            ("yesterday", 120),
            ("Sun, 01 Mar 2026 12:01:30 GMT", 30),
            ("Sun, 01 Mar 2026 11:00:00 GMT", MAX_ORDERED_SECONDS),
            ("Sun, 01 Mar 2026 12:03:00 GMT", 0),
            ("Thu, 01 Jan 1970 00:00:00 GMT", MAX_ORDERED_SECONDS),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 0),
        ],
    )
    def test_by_the_clock_of_the_server(self, sent, seconds):
        """A date is compared with the answer's own; a number of seconds needs none."""
        order = "Sun, 01 Mar 2026 12:02:00 GMT"
        assert retry_after(order, TODAY.timestamp(), sent) == seconds
        assert retry_after("7", TODAY.timestamp(), sent) == 7

    def test_the_client_has_both_headers(self, time):
        """The server's clock is a day ahead."""
        headers = {
            "Date": "Mon, 02 Mar 2026 12:00:00 GMT",
            "Retry-After": "Mon, 02 Mar 2026 12:00:50 GMT",
        }
        script = Script(httpx.Response(429, headers=headers), ASKING["result"].ok())
        ASKING["result"].run(script, time)
        assert time.sleeps == [50]

    @given(st.integers(0, 10**9))
    def test_seconds(self, seconds):
        """The value, an hour at most."""
        assert retry_after(str(seconds), 0.0) == min(seconds, MAX_ORDERED_SECONDS)

    @given(st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1)))  # noqa: DTZ001 - UTC below
    def test_dates(self, date):
        """The difference in whole seconds, as the header has no fractions."""
        date = date.replace(tzinfo=timezone.utc)
        wanted = (date.replace(microsecond=0) - TODAY).total_seconds()
        found = retry_after(format_datetime(date, usegmt=True), TODAY.timestamp())
        assert found == min(max(wanted, 0), MAX_ORDERED_SECONDS)

    @given(
        st.one_of(
            st.text(max_size=40),
            st.text('0123456789 :,+-()GMTJanFeb"\\.', max_size=40),
            st.lists(
                st.sampled_from(
                    ["Sun,", "01", "Mar", "2026", "12:00:00", "GMT", "+9999", "-2400", "0", "1.2.3"]
                ),
                max_size=7,
            ).map(" ".join),
        )
    )
    def test_junk(self, header):
        """Never an exception, never negative, never longer than an hour."""
        seconds = retry_after(header, TODAY.timestamp())
        assert seconds is None or 0 <= seconds <= MAX_ORDERED_SECONDS
