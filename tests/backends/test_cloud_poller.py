"""The poller: few requests, however many jobs wait."""

from __future__ import annotations

import itertools
import math

import pytest
from aqt_fast.backends.cloud.poller import CHECK_SECONDS, Poller
from aqt_fast.jobs.dispatcher import Dispatcher
from waiting import wait_until


class TestPoller:
    """The poller asks in order of submission, with few requests."""

    class Job:
        """A job that ends after its resource has finished the jobs before it."""

        period = 0.01

        def __init__(self, number: int, clock: list[int]) -> None:
            """``clock`` counts the jobs that have ended."""
            self.number, self.clock, self.polls = number, clock, 0

        def poll(self) -> bool:
            """Count a request."""
            self.polls += 1
            return self.clock[0] > self.number

    def test_number_of_polls(self):
        """The number of polls does not grow with the number of waiting jobs."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [0]
        jobs = [self.Job(number, clock) for number in range(200)]
        for job in jobs:
            poller.watch("ibex", job)
        for step in (1, 3, 50, 200):
            wait_until(lambda polls=step: sum(job.polls for job in jobs) >= polls)
            clock[0] = step
        wait_until(lambda: all(job.polls for job in jobs))
        dispatcher.close()
        # Only the first jobs of the queue and those next to them are polled twice.
        assert sum(job.polls > 1 for job in jobs) <= 4 * 16
        assert all(job.polls == 1 for job in jobs[70:184])

    def test_overtaken(self):
        """A job that is overtaken by later ones does not block their polls."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [6]
        jobs = [self.Job(6 - number, clock) for number in range(7)]
        for job in jobs:
            poller.watch("ibex", job)
        wait_until(lambda: all(job.polls for job in jobs[1:]) and jobs[0].polls > 3)
        dispatcher.close()
        assert [job.polls for job in jobs[1:]] == [1] * 6

    def test_overtaken_by_many(self):
        """A job that has ended is found wherever it is, while the others do not end."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [1]
        jobs = [self.Job(11 - number, clock) for number in range(12)]
        for job in jobs:
            poller.watch("ibex", job)
        wait_until(lambda: jobs[-1].polls == 1)
        dispatcher.close()


class TestPace:
    """Fast at first, and never more polls in a minute than the period allows."""

    class Clock(Dispatcher):
        """Calls steps in the order of their times, without waiting."""

        def __init__(self) -> None:
            self.now, self.steps = 0.0, []

        def call(self, step, *, after=0.0):
            """Take a step that is due ``after`` seconds from now."""
            self.steps.append((self.now + after, len(self.steps), step))

        def run(self, until: float) -> None:
            """Let time pass."""
            while self.steps and min(self.steps)[0] <= until:
                due = min(self.steps)
                self.steps.remove(due)
                self.now = due[0]
                due[2]()

    class Job:
        """A job that ends at a given time and notes when it was polled."""

        def __init__(self, clock, ends: float, period: float) -> None:
            self.clock, self.ends, self.period, self.polls = clock, ends, period, []

        def poll(self) -> bool:
            """Note the time."""
            self.polls.append(self.clock.now)
            return self.clock.now >= self.ends

    @pytest.mark.parametrize("ends", [0.03, 0.1, 0.3])
    def test_short_job(self, ends):
        """A job that is soon done is soon known to be done."""
        clock = self.Clock()
        job = self.Job(clock, ends, 1.0)
        Poller(clock, 8).watch("ibex", job)
        clock.run(10)
        assert ends <= job.polls[-1] <= 2 * ends + 0.06

    @pytest.mark.parametrize("period", [0.1, 0.5, 1.0, 2.0, 10.0, 100.0])
    def test_requests_a_minute(self, period):
        """In no minute are there more polls than minutes have periods, but for the first one."""
        clock = self.Clock()
        job = self.Job(clock, math.inf, period)
        Poller(clock, 8).watch("ibex", job)
        clock.run(600)
        for start in job.polls:
            within = [poll for poll in job.polls if start <= poll < start + 60]
            assert len(within) <= 60 / period + 1
        assert len(job.polls) >= 0.7 * 600 / period

    def test_short_jobs_one_after_the_other(self):
        """A loop of short jobs spends what is saved, then waits for periods."""
        clock = self.Clock()
        poller = Poller(clock, 8)
        unsuccessful = 0
        while clock.now < 60:
            job = self.Job(clock, clock.now + 0.06, 1.0)
            poller.watch("ibex", job)
            while not job.polls or job.polls[-1] < job.ends:
                clock.run(min(clock.steps)[0])
            unsuccessful += sum(poll < job.ends for poll in job.polls)
        assert unsuccessful <= 61

    @pytest.mark.parametrize("shorter", [0.5, 1.0, 5.0])
    def test_shorter_period(self, shorter):
        """A period that the user shortens counts at once, not only after a long pause."""
        clock = self.Clock()
        job = self.Job(clock, math.inf, 1000.0)
        Poller(clock, 8).watch("ibex", job)
        clock.run(10)
        assert len(job.polls) == 1
        job.period = shorter
        clock.run(30)
        assert job.polls[1] <= 10 + CHECK_SECONDS + 1.3 * shorter
        assert len(job.polls) > 2
        pauses = [later - poll for poll, later in itertools.pairwise(job.polls[1:])]
        assert max(pauses) <= 1.3 * shorter

    def test_out_of_turn(self):
        """Also for a job that is polled out of turn, as one that was cancelled."""
        clock = self.Clock()
        job = self.Job(clock, math.inf, 1000.0)
        Poller(clock, 8).poll_now(job)
        clock.run(10)
        job.period = 1.0
        clock.run(30)
        assert len(job.polls) > 10
