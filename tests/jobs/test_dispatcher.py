"""The dispatcher: steps in order, on a few threads, none lost and none twice.

Longer than 400 lines: one unit, whose tests share the fixtures that count its threads.
"""

from __future__ import annotations

import gc
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Iterator

import pytest
from aqt_fast.exceptions import APIConnectionError, OtherProcessError
from aqt_fast.jobs.dispatcher import Dispatcher
from waiting import SECONDS, wait_until

NAME = "aqt-fast test"
HASTY = 0.02
"""Seconds after which an idle thread ends in tests of that."""
FOREVER = 3600.0


def threads() -> list[threading.Thread]:
    """The threads of all dispatchers in this file."""
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def gone() -> bool:
    """Whether all threads of dispatchers have ended in time."""
    for thread in threads():
        thread.join(SECONDS)
    return not threads()


@pytest.fixture(autouse=True)
def no_leak() -> Iterator[None]:
    """No test leaves a thread behind."""
    assert threads() == []
    yield
    assert gone()


@pytest.fixture
def make() -> Iterator[Callable[..., Dispatcher]]:
    """Make dispatchers that are closed after the test."""
    made = []

    def make(num_threads: int, idle_seconds: float = FOREVER) -> Dispatcher:
        made.append(Dispatcher(num_threads, name=NAME, idle_seconds=idle_seconds))
        return made[-1]

    yield make
    for dispatcher in made:
        dispatcher.close()


@pytest.fixture
def raised(monkeypatch) -> list[BaseException]:
    """What steps have raised, instead of a message on standard error."""
    caught: list[BaseException] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: caught.append(hook.exc_value))
    return caught


def fail() -> None:
    """Raise, as a step must not."""
    raise ZeroDivisionError


class TestOrder:
    """When steps are called."""

    def test_order_of_arrival(self, make):
        """A single thread runs steps in order of arrival."""
        dispatcher = make(1)
        called, done = [], threading.Event()
        for number in range(200):
            dispatcher.call(lambda number=number: called.append(number))
        dispatcher.call(done.set)
        assert done.wait(SECONDS)
        assert called == list(range(200))

    def test_order_of_due_times(self, make, monkeypatch):
        """Steps run by due time, then by arrival, and none before its time."""
        dispatcher = make(1)
        called: list[tuple[str, float]] = []
        go_on, done = threading.Event(), threading.Event()
        dispatcher.call(lambda: go_on.wait(SECONDS))
        begin = time.monotonic()
        with monkeypatch.context() as patch:
            patch.setattr("aqt_fast.jobs.dispatcher.time.monotonic", lambda: begin)
            for name, after in (("c", 0.06), ("d", 0.06), ("b", 0.03), ("a", 0), ("e", 0.07)):
                dispatcher.call(
                    lambda name=name, after=after: called.append((name, time.monotonic() - after)),
                    after=after,
                )
            dispatcher.call(done.set, after=0.07)
        go_on.set()
        assert done.wait(SECONDS)
        assert [name for name, _ in called] == ["a", "b", "c", "d", "e"]
        assert all(moment >= begin for _, moment in called)

    def test_an_earlier_step_while_a_later_one_is_awaited(self, make):
        """An earlier step is not delayed by a later one."""
        dispatcher = make(1)
        done = threading.Event()
        dispatcher.call(lambda: None, after=3600)
        dispatcher.call(done.set, after=0.01)
        assert done.wait(SECONDS)
        done.clear()
        dispatcher.call(done.set)
        assert done.wait(SECONDS)
        assert len(threads()) == 1

    def test_steps_that_call_steps(self, make):
        """A step may schedule itself again; the same thread runs it."""
        dispatcher = make(1)
        done = threading.Event()
        names = []

        def step(left: int) -> None:
            names.append(threading.get_ident())
            if left:
                dispatcher.call(lambda: step(left - 1), after=0.001)
            else:
                done.set()

        dispatcher.call(lambda: step(20))
        assert done.wait(SECONDS)
        assert len(names) == 21
        assert len(set(names)) == 1

    def test_many_callers(self, make):
        """Each step is called once, whoever asked for it."""
        dispatcher = make(4, HASTY)
        called: list[int] = []
        done = threading.Semaphore(0)

        def ask(start: int) -> None:
            for number in range(start, start + 100):
                dispatcher.call(
                    lambda number=number: (called.append(number), done.release()),
                    after=number % 3 / 100,
                )

        callers = [threading.Thread(target=ask, args=(100 * index,)) for index in range(8)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(SECONDS)
        for _ in range(800):
            assert done.acquire(timeout=SECONDS)
        assert sorted(called) == list(range(800))


class TestThreads:
    """How many threads run, and how long."""

    @pytest.mark.parametrize("num_threads", [1, 2, 5])
    def test_as_many_as_allowed(self, make, num_threads):
        """All allowed threads run concurrently, and never more."""
        dispatcher = make(num_threads)
        together = threading.Barrier(num_threads)
        lock = threading.Lock()
        done = threading.Semaphore(0)
        running = most = 0

        def step() -> None:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            together.wait(SECONDS)  # breaks unless all threads get here
            with lock:
                running -= 1
            together.wait(SECONDS)
            done.release()

        for _ in range(4 * num_threads):
            dispatcher.call(step)
        for _ in range(4 * num_threads):
            assert done.acquire(timeout=SECONDS)
        assert most == num_threads
        assert len(threads()) == num_threads

    def test_no_more_than_needed(self, make):
        """A thread that waits is used before another is started."""
        dispatcher = make(8)
        for _ in range(20):
            done = threading.Event()
            dispatcher.call(done.set)
            assert done.wait(SECONDS)
            wait_until(lambda: dispatcher.num_idle == 1)
        assert len(threads()) == 1

    def test_none_before_the_first_step(self, make):
        """All threads are daemons, so that they do not delay the end of a program."""
        dispatcher = make(3)
        assert threads() == []
        dispatcher.call(lambda: None, after=3600)
        assert [thread.daemon for thread in threads()] == [True]

    def test_idle_threads_end(self, make):
        """Idle threads end, and new threads start for new steps."""
        dispatcher = make(3, HASTY)
        for _ in range(3):
            together = threading.Barrier(4)
            for _ in range(3):
                dispatcher.call(lambda together=together: together.wait(SECONDS))
            together.wait(SECONDS)
            assert gone()
            assert dispatcher.num_running == 0

    def test_a_step_in_the_moment_when_a_thread_leaves(self, make, monkeypatch):
        """Another thread starts for a step that arrives as the last thread leaves."""
        releases = []
        done = threading.Event()

        class Watched(threading.Condition):
            """A thread releases it after it took its step, and again when it leaves."""

            def __exit__(self, *error) -> None:
                super().__exit__(*error)
                if threading.current_thread().name == NAME and len(releases) < 2:
                    releases.append(dispatcher.num_running)
                    if len(releases) == 2:
                        dispatcher.call(done.set)

        with monkeypatch.context() as patch:
            patch.setattr("aqt_fast.jobs.dispatcher.threading.Condition", Watched)
            dispatcher = make(1, HASTY)
        dispatcher.call(lambda: None)
        assert done.wait(SECONDS)
        assert releases == [1, 0]

    def test_idle_threads_leave_later_steps_to_one_of_them(self, make):
        """One idle thread waits for later steps and gets help when they are due."""
        dispatcher = make(3, HASTY)
        together = threading.Barrier(3)
        done = threading.Semaphore(0)

        def step() -> None:
            together.wait(SECONDS)
            done.release()

        for _ in range(3):
            dispatcher.call(step, after=0.1)
        wait_until(lambda: len(threads()) <= 1)
        assert dispatcher.num_idle <= 1
        for _ in range(3):
            assert done.acquire(timeout=SECONDS)

    def test_idle_threads_do_not_take_turns(self, make, monkeypatch):
        """Threads that leave are not replaced before a step is due."""
        started = []
        start = threading.Thread.start

        def counted(thread: threading.Thread) -> None:
            started.append(thread)
            start(thread)

        monkeypatch.setattr(threading.Thread, "start", counted)
        dispatcher = make(3, HASTY)
        for _ in range(3):
            dispatcher.call(lambda: None, after=3600)
        wait_until(lambda: len(threads()) == 1 or len(started) > 3)
        assert len(started) == 3

    def test_a_step_that_raises(self, make, raised):
        """A step that raises ends its thread, but not later steps."""
        dispatcher = make(2)
        for _ in range(5):
            dispatcher.call(fail)
        together = threading.Barrier(3)
        for _ in range(2):
            dispatcher.call(lambda: together.wait(SECONDS))
        together.wait(SECONDS)
        assert [type(error) for error in raised] == [ZeroDivisionError] * 5

    def test_a_step_that_raises_before_one_that_waits(self, make, raised):
        """The only thread is replaced although nobody calls again."""
        dispatcher = make(1)
        go_on, done = threading.Event(), threading.Event()

        def fail_late() -> None:
            go_on.wait(SECONDS)
            fail()

        dispatcher.call(fail_late)
        dispatcher.call(done.set)
        go_on.set()
        assert done.wait(SECONDS)
        assert len(raised) == 1

    def test_a_step_is_forgotten_when_it_was_called(self, make):
        """The dispatcher drops its reference to a step after the call."""

        class Job:
            def step(self) -> None:
                done.set()

        dispatcher = make(1)
        done = threading.Event()
        job = Job()
        kept = weakref.ref(job)
        dispatcher.call(job.step)
        del job
        assert done.wait(SECONDS)
        wait_until(lambda: dispatcher.num_idle == 1)
        gc.collect()
        assert kept() is None


class TestClosing:
    """The end of a dispatcher."""

    def test_what_waits_is_called_once(self, make):
        """``close()`` calls pending steps once, by due time, and refuses later ones."""
        dispatcher = make(2)
        called = []
        for name, after in (("b", 3600), ("c", 7200), ("a", 1800)):
            dispatcher.call(
                lambda name=name: called.append((name, threading.get_ident())), after=after
            )
        dispatcher.close()
        me = threading.get_ident()
        assert called == [("a", me), ("b", me), ("c", me)]
        dispatcher.close()
        assert len(called) == 3
        with pytest.raises(APIConnectionError, match="closed"):
            dispatcher.call(lambda: called.append(("d", me)))
        assert gone()
        assert len(called) == 3

    def test_while_a_step_is_running(self, make):
        """A running step is not called again, and its thread ends after it."""
        dispatcher = make(1)
        started, go_on = threading.Event(), threading.Event()
        called = []

        def step() -> None:
            started.set()
            go_on.wait(SECONDS)
            called.append("first")

        dispatcher.call(step)
        dispatcher.call(lambda: called.append("second"))
        assert started.wait(SECONDS)
        dispatcher.close()
        assert called == ["second"]
        go_on.set()
        assert gone()
        assert called == ["second", "first"]

    def test_a_step_that_calls_another(self, make):
        """A step that schedules another gets an error after closing."""
        dispatcher = make(1)
        errors = []

        def step() -> None:
            try:
                dispatcher.call(step)
            except APIConnectionError as error:
                errors.append(error)

        dispatcher.call(step, after=3600)
        dispatcher.close()
        assert len(errors) == 1

    def test_from_many_threads_while_others_call(self, make):
        """Each step that was taken is called exactly once."""
        for _ in range(20):
            dispatcher = make(3)
            called: list[int] = []
            taken: list[int] = []
            begin = threading.Barrier(6)

            def ask(start: int) -> None:
                begin.wait(SECONDS)  # noqa: B023 - of this round
                try:
                    for number in range(start, start + 50):
                        dispatcher.call(  # noqa: B023
                            lambda number=number: called.append(number),  # noqa: B023
                            after=number % 2 * 3600,
                        )
                        taken.append(number)  # noqa: B023
                except APIConnectionError:
                    pass

            def close() -> None:
                begin.wait(SECONDS)  # noqa: B023
                dispatcher.close()  # noqa: B023

            everyone = [threading.Thread(target=ask, args=(100 * i,)) for i in range(4)]
            everyone += [threading.Thread(target=close) for _ in range(2)]
            for thread in everyone:
                thread.start()
            for thread in everyone:
                thread.join(SECONDS)
            assert gone()
            assert sorted(called) == sorted(taken)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_fork(make):
    """In another process, steps are neither taken nor called."""
    dispatcher = make(1)
    called = []
    dispatcher.call(lambda: called.append(os.getpid()), after=3600)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads and fork
        child = os.fork()
    if not child:
        status = 1
        try:
            with pytest.raises(OtherProcessError, match=f"runs in process {os.getppid()}"):
                dispatcher.call(fail)
            dispatcher.close()
            status = 2 if called else 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    dispatcher.close()
    assert called == [os.getpid()]
