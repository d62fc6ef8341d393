"""Validate natively, make outcomes up."""

from __future__ import annotations

from collections.abc import Sequence

from aqt_fast._native import make_samples, read_job
from aqt_fast.exceptions import MalformedRequestError
from aqt_fast.server.errors import invalid
from aqt_fast.server.sampler import Workload, circuit_digest, parse

_BEFORE = b'{"job_type":"quantum_circuit","label":null,"payload":{"circuits":['
_AFTER = b"]}}"
"""Around a single circuit they make the body of a job."""


class NativeSampler:
    """Makes outcomes up, fast: it creates no Python object for each operation or shot.

    A circuit of RZ gates and of R gates with θ of 0 or π has its true outcome. Any other circuit
    has random bits.
    """

    def __init__(self, *, identify: bool) -> None:
        """``identify`` makes digests of circuits, which takes longer than everything else."""
        self._identify = identify

    def read_job(self, body: bytes) -> Workload:
        """See :class:`aqt_fast.server.sampler.Sampler`."""
        label, sizes, gates = _read(body, 0)
        digests = None
        if self._identify:
            digests = [circuit_digest(circuit) for circuit in parse(body)["payload"]["circuits"]]
        return _NativeWorkload(body, label, sizes, gates, digests)

    def read_circuit(self, body: bytes) -> Workload:
        """See :class:`aqt_fast.server.sampler.Sampler`."""
        job = _BEFORE + body + _AFTER
        _, sizes, gates = _read(job, len(_BEFORE))
        # Two circuits with a comma between are a valid job, but not valid JSON by themselves.
        circuit = parse(body)
        digests = [circuit_digest(circuit)] if self._identify else None
        return _NativeWorkload(job, None, sizes, gates, digests)


class _NativeWorkload:
    """The circuits of one job."""

    def __init__(
        self,
        body: bytes,
        label: str | None,
        sizes: Sequence[tuple[int, int]],
        gates: Sequence[tuple[int, int]],
        digests: Sequence[str] | None,
    ) -> None:
        self.label = label
        self.sizes = sizes
        self.gates = gates
        self.digests = digests
        self._body = body

    def measure(self, index: int, *, noisy: bool, seed: int) -> None:
        """Do nothing: :meth:`result` makes the outcomes of all circuits at once."""

    def result(self, *, seed: int) -> bytes:
        """See :class:`aqt_fast.server.sampler.Workload`."""
        return make_samples(self._body, seed)


def _read(
    body: bytes, offset: int
) -> tuple[str | None, Sequence[tuple[int, int]], Sequence[tuple[int, int]]]:
    """Validate the body of a job natively.

    Returns:
        The label; shots and number of qubits of each circuit; its numbers of R and RXX.

    Raises:
        PortalError: the body is invalid (422); its position counts from ``offset``.
    """
    try:
        return read_job(body)
    except MalformedRequestError as error:
        raise invalid(("body", max(0, error.offset - offset)), error.reason) from None
