"""Data that an executor's workers receive and return: circuits there, outcomes back.

All data is compressed: the simulator's options as a pickle, circuits in the snapshot's format,
outcomes in JSON. Samples are a list of shots, bits and rows there, rows in base64. The other
arguments are numbers and the job's identifier. A worker only has to import :func:`simulate_chunk`.
"""

from __future__ import annotations

import base64
import pickle
import threading
import time
import zlib
from collections.abc import Sequence
from typing import Any

import orjson
from qiskit_aer import AerSimulator

from aqt_fast._native import Samples
from aqt_fast._shots import Shots
from aqt_fast.backends.offline.aer import Outcome, outcomes, tells_qubits_apart
from aqt_fast.backends.offline.copies import options_in_use
from aqt_fast.backends.offline.trajectories import Sampler
from aqt_fast.wire.bare_circuits import BareCircuits
from aqt_fast.wire.snapshot import Snapshot

_FASTEST = 1
"""zlib's level: higher levels cost more time than their savings are worth."""


class _Kept(threading.local):
    """Simulator that a worker's thread keeps from chunk to chunk."""

    packed: bytes | None = None
    unpacked: tuple[AerSimulator, Sampler | None] | None = None


_KEPT = _Kept()


def pack_simulator(simulator: AerSimulator, sampler: Sampler | None) -> bytes:
    """Pack the options of a simulator, with the noise model, and the sampler that stands for it.

    Raises:
        Exception: any error that Python raises for an option that cannot be pickled.
    """
    # Workers share the computer's cores: Aer's threads would compete for them.
    options = {"max_parallel_threads": 1, **options_in_use(simulator)}
    return zlib.compress(pickle.dumps((options, sampler)), _FASTEST)


def pack_part(snapshot: Snapshot, part: range) -> bytes:
    """Pack the operations of a part of the circuits."""
    return zlib.compress(snapshot.part(part.start, part.stop), _FASTEST)


def simulate_chunk(
    simulator: bytes,
    circuits: bytes,
    shots: Shots,
    memory: bool,
    seed: int | None,
    job_id: str,  # noqa: ARG001 - Dask runs equal calls only once: jobs must differ
) -> bytes:
    """Simulate a chunk of circuits; an executor's workers call this.

    Errors are part of the answer: many exceptions cannot be sent to another process.

    Args:
        simulator: made by :func:`pack_simulator`.
        circuits: made by :func:`pack_part`.
        shots: repetitions of each circuit.
        memory: whether to return the outcome of each shot, in order, instead of counts.
        seed: seed of the first circuit.
        job_id: distinguishes the chunks of different jobs.

    Returns:
        The input of :func:`unpack_answer`.
    """
    began = time.perf_counter()
    found: Sequence[Any] | str
    try:
        kept, sampler = _simulator(simulator)
        simulate = outcomes if sampler is None else sampler.outcomes
        found = simulate(
            kept,
            BareCircuits.from_bytes(zlib.decompress(circuits), in_place=tells_qubits_apart(kept)),
            shots=shots,
            memory=memory,
            seed=seed,
        )
    except Exception as error:  # noqa: BLE001 - reported to the job
        found = described(error)
    if not isinstance(found, str):
        found = [_packed(item) if isinstance(item, Samples) else item for item in found]
    answer = {"outcomes": found, "seconds": time.perf_counter() - began}
    return zlib.compress(orjson.dumps(answer), _FASTEST)


def _simulator(packed: bytes) -> tuple[AerSimulator, Sampler | None]:
    if _KEPT.unpacked is None or _KEPT.packed != packed:
        # Whoever sends calls to a worker can run any code there anyway.
        options, sampler = pickle.loads(zlib.decompress(packed))  # noqa: S301
        _KEPT.packed, _KEPT.unpacked = packed, (AerSimulator(**options), sampler)
    return _KEPT.unpacked


def _packed(samples: Samples) -> list[int | str]:
    rows = base64.b64encode(samples.rows).decode()
    return [samples.num_shots, samples.num_qubits, rows]


def _unpacked(entry: Any) -> Outcome:
    if isinstance(entry, list):
        num_shots, num_qubits, rows = entry
        return Samples(num_shots, num_qubits, base64.b64decode(rows))
    outcome: dict[str, int] | str = entry
    return outcome


def unpack_answer(answer: bytes, num_circuits: int) -> tuple[list[Outcome], float]:
    """Return the outcome of each circuit of a chunk, and the chunk's duration in seconds.

    Raises:
        ValueError: the answer is unreadable, or has another number of circuits.
    """
    try:
        content: dict[str, Any] = orjson.loads(zlib.decompress(answer))
        found, seconds = content["outcomes"], float(content["seconds"])
        if isinstance(found, str):
            return [found] * num_circuits, seconds
        entries = [_unpacked(entry) for entry in found]
    except (zlib.error, TypeError, ValueError, LookupError) as error:
        raise ValueError(f"the worker's answer is unreadable: {described(error)}") from error
    if len(entries) != num_circuits:
        raise ValueError(f"the worker has answered for {len(entries)} circuits")
    return entries, seconds


def described(error: BaseException) -> str:
    """Describe an exception in one line."""
    return f"{type(error).__name__}: {error}"
