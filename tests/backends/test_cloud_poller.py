"""The poller: few requests, however many jobs wait."""

from __future__ import annotations

from aqt_fast.backends.cloud.poller import Poller
from aqt_fast.jobs.dispatcher import Dispatcher
from waiting import wait_until


class TestPoller:
    """First come, first served: so few requests."""

    class Job:
        """A job that has ended when its resource has worked off so many before it."""

        period = 0.01

        def __init__(self, number: int, clock: list[int]) -> None:
            """``clock`` counts the jobs that have ended."""
            self.number, self.clock, self.polls = number, clock, 0

        def poll(self) -> bool:
            """One more request."""
            self.polls += 1
            return self.clock[0] > self.number

    def test_number_of_polls(self):
        """It does not grow with the number of jobs that wait."""
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
        # Nobody is asked for twice but who was the first in the queue, or next to them.
        assert sum(job.polls > 1 for job in jobs) <= 4 * 16
        assert all(job.polls == 1 for job in jobs[70:184])

    def test_overtaken(self):
        """The first in our order need not be the first in the resource's."""
        dispatcher = Dispatcher(8, name="test")
        poller = Poller(dispatcher, 8)
        clock = [6]
        jobs = [self.Job(6 - number, clock) for number in range(7)]
        for job in jobs:
            poller.watch("ibex", job)
        wait_until(lambda: all(job.polls for job in jobs[1:]) and jobs[0].polls > 3)
        dispatcher.close()
        assert [job.polls for job in jobs[1:]] == [1] * 6
