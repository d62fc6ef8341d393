"""What a sampler must do; digests of circuits.

A sampler reads request bodies and makes outcomes. There are two: ``aer_sampler``,
``native_sampler``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import orjson

from aqt_fast.server.errors import invalid


class Workload(Protocol):
    """The circuits of one job."""

    label: str | None
    sizes: Sequence[tuple[int, int]]
    """Shots and number of qubits of each circuit."""
    gates: Sequence[tuple[int, int]]
    """Numbers of R and RXX of each circuit. An RZ takes no time."""
    digests: Sequence[str] | None
    """Digest of each circuit by :func:`circuit_digest`; None if circuits are not identified."""

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """Run the circuit at ``index``; circuits run in order."""

    def result(self, *, seed: int) -> bytes:
        """Return the outcomes of all circuits as ``{"0":[[0,1],…],…}``, after they all ran."""


class Sampler(Protocol):
    """Reads request bodies.

    Both methods raise :class:`aqt_fast.server.errors.PortalError` (422) for an invalid body.
    """

    def read_job(self, body: bytes) -> Workload:
        """Read the body of ``POST /submit/…``."""

    def read_circuit(self, body: bytes) -> Workload:
        """Read the body of ``PUT /circuit``: a circuit without a job around it."""


def circuit_digest(circuit: Mapping[str, Any]) -> str:
    """Identify a circuit of a request, regardless of white space and the order of keys.

    Args:
        circuit: ``{"repetitions": …, "quantum_circuit": […], "number_of_qubits": …}``

    Returns:
        SHA-256 of its compact JSON with sorted keys, in hexadecimal.
    """
    return hashlib.sha256(orjson.dumps(circuit, option=orjson.OPT_SORT_KEYS)).hexdigest()


def parse(body: bytes) -> Any:
    """Parse a body strictly, after a sampler has validated it: pydantic accepts ``NaN``, say.

    Raises:
        PortalError: the body is not valid JSON (422).
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(("body", error.pos), error.msg) from None
