"""The poller: few requests, however many jobs wait."""

from __future__ import annotations

from aqt_fast.backends.cloud.poller import Poller
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
