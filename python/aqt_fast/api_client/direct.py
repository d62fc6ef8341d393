"""AQT's direct-access interface: one machine, one circuit at a time."""

from __future__ import annotations

import reprlib
from collections.abc import Callable
from typing import TypeVar

import httpx

from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.decisions import BUSY_STATUSES
from aqt_fast.api_client.http import ConnectionSettings, HTTPClient
from aqt_fast.api_client.models import MOST_QUBITS, read_json, read_uuid
from aqt_fast.api_client.request import MOST_BYTES_OF_A_RESULT, Answer, Request
from aqt_fast.api_client.retry_timing import Clock, Patience
from aqt_fast.api_client.urls import path_segment, server_url
from aqt_fast.exceptions import APIConnectionError, MalformedResponseError

T = TypeVar("T")

_DISCOVERY = Patience(seconds=3, obeys_orders=False)
_SUBMIT = Patience(seconds=600)
_RESULT = Patience(seconds=24 * 3600)

_BUSY = BUSY_STATUSES | {httpx.codes.CONFLICT}
"""409: the machine runs another circuit, and has not accepted this one."""


class DirectAccessClient:
    """A machine in the same network; any number of threads may use it.

    Args:
        base_url: where the machine is.
        credentials: the access token, if the machine wants one.
        allow_plain_http: send the token to a private or link-local address over plain HTTP.
        transport: an ``httpx`` transport instead of the network.
        clock: tells the time and waits, None for the real one.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer. A result may take longer: ask again then.

    Raises:
        InsecureConnectionError: there is a token, and ``base_url`` is plain HTTP to another
            machine.
        APIError: ``base_url`` is not the URL of a server.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        allow_plain_http: bool = False,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        connect_timeout: float = ConnectionSettings.connect_timeout,
        read_timeout: float = ConnectionSettings.read_timeout,
    ) -> None:
        """Connects to nothing yet."""
        if allow_plain_http:
            credentials.allow_plain_http(server_url(base_url))
        settings = ConnectionSettings(transport, clock, connect_timeout, read_timeout)
        self._http = HTTPClient(base_url, credentials, settings)

    def __repr__(self) -> str:
        return f"<DirectAccessClient({self.base_url!r})>"

    @property
    def base_url(self) -> str:
        """Where the machine is."""
        return self._http.base_url

    def close(self, seconds: float = 1.0) -> None:
        """Close all connections.

        Args:
            seconds: longest time to wait for requests under way; never more than one.
        """
        self._http.close(seconds)

    def num_ions(self) -> int:
        """Number of ions in the trap, which is the number of qubits, 1 or more.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        return self._http.send(Request("GET", "/status/ions"), _num_ions, _DISCOVERY)

    def system_name(self) -> str:
        """Name of the machine.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        return self._http.send(Request("GET", "/system/name"), _name, _DISCOVERY)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool] | None = None) -> str:
        """Submit one circuit, once.

        Args:
            body: the request body.
            label: the circuit's label, for messages.
            wanted: called before each attempt: whether the circuit is still wanted. None for
                always.

        Returns:
            The machine's identifier of the run, a UUID.

        Raises:
            RequestWithdrawnError: it was not wanted any more; nothing was accepted.
            SubmissionUncertainError: the machine may have accepted the circuit or not.
            APIError: the machine has not accepted the circuit.
        """
        request = Request("PUT", "/circuit", content=body, label=label, busy=_BUSY, wanted=wanted)
        return self._http.send(request, _run_id, _SUBMIT)

    def result(
        self,
        run_id: str,
        read: Callable[[bytes], T],
        *,
        wanted: Callable[[], bool] | None = None,
    ) -> T | None:
        """Wait for the result of a circuit; None if none comes within the read time-out.

        Args:
            run_id: the machine's identifier of the run.
            read: turns the body into a value; raises ``ResponseError`` if it cannot be used.
            wanted: called before each attempt and while one is waited for: whether the result is
                still wanted. None for always.

        Raises:
            RequestWithdrawnError: it was not wanted any more.
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        request = Request(
            "GET",
            f"/circuit/result/{path_segment(run_id)}",
            long_poll=True,
            most_bytes=MOST_BYTES_OF_A_RESULT,
            wanted=wanted,
        )
        try:
            return self._http.send(request, lambda answer: read(answer.body), _RESULT)
        except APIConnectionError as error:
            if isinstance(error.__cause__, httpx.ReadTimeout):
                return None
            raise


def _num_ions(answer: Answer) -> int:
    body = read_json(answer.body)
    number = body.get("num_ions") if isinstance(body, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= MOST_QUBITS:
        raise MalformedResponseError(f"num_ions is {reprlib.repr(number)}", 0)
    return number


def _name(answer: Answer) -> str:
    name = read_json(answer.body)
    if not isinstance(name, str):
        raise MalformedResponseError("expected the machine's name, a string", 0)
    return name


def _run_id(answer: Answer) -> str:
    return read_uuid(read_json(answer.body))
