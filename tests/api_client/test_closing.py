"""A client that is closed."""

import threading

import httpx
import pytest
from api_client.scripted import EVERYTHING, SUBMITTING, Script
from aqt_fast.exceptions import APIConnectionError, APIError, SubmissionUncertainError


class TestClosing:
    """Requests that are waiting, new, or under way."""

    @pytest.mark.parametrize("name", ["result", "direct_result", *SUBMITTING])
    def test_ends_waiting_between_attempts(self, name):
        """All threads that wait end at once."""
        operation = EVERYTHING[name]
        num_threads = 3
        asked = threading.Semaphore(0)

        def answer(_request: httpx.Request) -> httpx.Response:
            asked.release()
            return httpx.Response(429, headers={"Retry-After": "3600"})

        script = Script(answer)
        client = operation.connect(script, None)
        errors = []

        def call() -> None:
            try:
                operation.call(client)
            except APIError as error:
                errors.append(error)

        threads = [threading.Thread(target=call, daemon=True) for _ in range(num_threads)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert asked.acquire(timeout=20)
        client.close()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert len(script.requests) == num_threads
        assert [type(error) for error in errors] == [APIConnectionError] * num_threads
        assert all("the client is closed" in str(error) for error in errors)

    def test_asks_nothing_any_more(self, operation, time):
        """A request of a closed client sends nothing and raises an error."""
        script = Script(operation.ok())
        client = operation.connect(script, time)
        client.close()
        client.close()
        with pytest.raises(APIConnectionError, match="the client is closed"):
            operation.call(client)
        assert script.requests == []

    def test_while_a_request_is_on_its_way(self, submitting, time):
        """A submission that loses its answer to ``close`` is uncertain."""

        def close(_request: httpx.Request) -> httpx.Response:
            client.close()
            raise httpx.ReadError("[Errno 9] Bad file descriptor")

        client = submitting.connect(Script(close), time)
        with pytest.raises(SubmissionUncertainError):
            submitting.call(client)

    @pytest.mark.parametrize("name", ["result", "submit"])
    def test_before_httpx_sends_anything(self, name, time):
        """Nothing was sent, so that no submission is uncertain."""
        operation = EVERYTHING[name]

        def close(_request: httpx.Request) -> httpx.Response:
            client.close()
            raise RuntimeError("Cannot send a request, as the client has been closed.")

        script = Script(close)
        client = operation.connect(script, time)
        with pytest.raises(APIConnectionError, match="has been closed"):
            operation.call(client)
        assert (len(script.requests), time.sleeps) == (1, [])

    @pytest.mark.parametrize("name", ["result", "submit"])
    def test_after_httpx_sent_something(self, name, time):
        """After any other error of httpx, a submission may have been accepted."""
        operation = EVERYTHING[name]

        def close(_request: httpx.Request) -> httpx.Response:
            client.close()
            raise RuntimeError("deque mutated during iteration")

        script = Script(close)
        client = operation.connect(script, time)
        expected = SubmissionUncertainError if name in SUBMITTING else APIConnectionError
        with pytest.raises(expected, match="deque mutated"):
            operation.call(client)
        assert (len(script.requests), time.sleeps) == (1, [])
