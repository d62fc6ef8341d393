"""AQT's direct-access interface: one machine, one circuit at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import httpx

from aqt_fast.api_client.credentials import Credentials
from aqt_fast.api_client.http import (
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    Answer,
    HTTPClient,
    Request,
)
from aqt_fast.api_client.models import read_json
from aqt_fast.api_client.portal import path_segment, read_uuid
from aqt_fast.api_client.retry import Clock, Patience
from aqt_fast.exceptions import APIConnectionError, MalformedResponseError

T = TypeVar("T")

_DISCOVERY = Patience(seconds=3, obeys=False)
_SUBMIT = Patience(seconds=600)
_RESULT = Patience(seconds=24 * 3600)

_BUSY = frozenset({httpx.codes.CONFLICT, httpx.codes.TOO_MANY_REQUESTS})
"""The machine has another circuit in hand, or is asked too often; nothing was accepted."""


class DirectAccessClient:
    """A machine in the same network.

    Args:
        base_url: where it is.
        credentials: the access token, if the machine wants one.
        transport: an ``httpx`` transport instead of the network.
        clock: tells the time and waits, None for the real one.
        connect_timeout: seconds to wait for a connection.
        read_timeout: seconds to wait for an answer. The answer with a result comes when the
            circuit was run: the request is repeated until then.

    Raises:
        InsecureConnectionError: there is a token, and ``base_url`` is plain HTTP to another
            machine.
        APIError: ``base_url`` is no URL of a server.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        *,
        transport: httpx.BaseTransport | None = None,
        clock: Clock | None = None,
        connect_timeout: float = CONNECT_TIMEOUT_SECONDS,
        read_timeout: float = READ_TIMEOUT_SECONDS,
    ) -> None:
        """Connects to nothing yet."""
        self._http = HTTPClient(
            base_url,
            credentials,
            transport=transport,
            clock=clock,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
        )

    def __repr__(self) -> str:
        return f"<DirectAccessClient({self.base_url!r})>"

    @property
    def base_url(self) -> str:
        """Where the machine is."""
        return self._http.base_url

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def num_ions(self) -> int:
        """Ions in the trap: the qubits of the machine.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        return self._http.send(Request("GET", "/status/ions"), _num_ions, _DISCOVERY)

    def system_name(self) -> str:
        """The machine's name.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        return self._http.send(Request("GET", "/system/name"), _name, _DISCOVERY)

    def submit(self, body: bytes, *, label: str, wanted: Callable[[], bool] | None = None) -> str:
        """Hand one circuit over, once.

        Args:
            body: the circuit.
            label: what the circuit is called, for messages.
            wanted: tells before each attempt whether it is still wanted, None if it is.

        Returns:
            The machine's identifier of the run, a UUID.

        Raises:
            RequestWithdrawnError: it was not wanted any more; nothing was accepted.
            SubmissionUncertainError: the machine may have accepted the circuit or not.
            APIError: the machine has not accepted the circuit.
        """
        request = Request("PUT", "/circuit", content=body, label=label, busy=_BUSY, wanted=wanted)
        return self._http.send(request, lambda answer: read_uuid(read_json(answer.body)), _SUBMIT)

    def result(self, run_id: str, read: Callable[[bytes], T]) -> T | None:
        """Wait for the result of a circuit. None if it has not come within the read time-out.

        Args:
            run_id: the machine's identifier of the run.
            read: makes something of the body; a ``ResponseError`` says that it cannot be used.

        Raises:
            APIError: see :class:`~aqt_fast.exceptions.APIError` for the kinds.
        """
        request = Request("GET", f"/circuit/result/{path_segment(run_id)}", long_poll=True)
        try:
            return self._http.send(request, lambda answer: read(answer.body), _RESULT)
        except APIConnectionError as error:
            if isinstance(error.__cause__, httpx.ReadTimeout):
                return None
            raise


def _num_ions(answer: Answer) -> int:
    body = read_json(answer.body)
    number = body.get("num_ions") if isinstance(body, dict) else None
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise MalformedResponseError(f"num_ions is {number!r}", 0)
    return number


def _name(answer: Answer) -> str:
    name = read_json(answer.body)
    if not isinstance(name, str):
        raise MalformedResponseError("expected the machine's name, a string", 0)
    return name
