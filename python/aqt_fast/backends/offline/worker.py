"""What travels between a job and the workers of its executor: circuits there, outcomes back.

All of it is compressed bytes: the simulator's options as a pickle, circuits in QPY, outcomes in
JSON. Of the rest of a call, executors see numbers and the name of :func:`simulate_chunk`, which is
all that a worker has to import.
"""

from __future__ import annotations

import pickle
import threading
import time
import zlib
from collections.abc import Sequence
from typing import Any

import orjson
from qiskit import QuantumCircuit
from qiskit_aer import AerSimulator

from aqt_fast.backends.offline.aer import Outcome, options_in_use, outcomes
from aqt_fast.wire.qpy_archive import circuits_from_qpy, circuits_to_qpy

_FASTEST = 1
"""zlib's level: higher ones cost more time than the bytes that they save."""


class _Kept(threading.local):
    """What a worker's thread keeps from chunk to chunk."""

    packed: bytes | None = None
    simulator: AerSimulator | None = None


_KEPT = _Kept()


def pack_simulator(simulator: AerSimulator) -> bytes:
    """Pack the options of a simulator, noise model included.

    Raises:
        Exception: whatever Python raises where an option's value cannot be pickled.
    """
    # Workers share their machine's cores: threads of Aer would wait for each other.
    options = {"max_parallel_threads": 1, **options_in_use(simulator)}
    return zlib.compress(pickle.dumps(options), _FASTEST)


def pack_circuits(circuits: Sequence[QuantumCircuit]) -> bytes:
    """Pack circuits without names and metadata: workers need neither, and QPY takes not all."""
    bare = []
    for circuit in circuits:
        copy = circuit.copy("circuit")
        copy.metadata = {}
        bare.append(copy)
    return zlib.compress(circuits_to_qpy(bare), _FASTEST)


def simulate_chunk(
    simulator: bytes,
    circuits: bytes,
    shots: int,
    memory: bool,
    seed: int | None,
    job_id: str,  # noqa: ARG001 - Dask takes equal calls for one; those of two jobs must differ
) -> bytes:
    """Simulate a chunk of circuits: what an executor's workers are asked to call.

    Errors are part of the answer, because many exceptions do not survive the way to another
    process.

    Args:
        simulator: made by :func:`pack_simulator`.
        circuits: made by :func:`pack_circuits`.
        shots: repetitions of each circuit.
        memory: whether each shot is asked for, in order.
        seed: that of the first circuit.
        job_id: tells the chunks of a job from those of another.

    Returns:
        What :func:`unpack_answer` takes.
    """
    began = time.perf_counter()
    found: list[Outcome] | str
    try:
        found = outcomes(
            _simulator(simulator),
            circuits_from_qpy(zlib.decompress(circuits)),
            shots=shots,
            memory=memory,
            seed=seed,
        )
    except Exception as error:  # noqa: BLE001 - it is told to who has sent the circuits
        found = described(error)
    answer = {"outcomes": found, "seconds": time.perf_counter() - began}
    return zlib.compress(orjson.dumps(answer), _FASTEST)


def _simulator(packed: bytes) -> AerSimulator:
    if _KEPT.simulator is None or _KEPT.packed != packed:
        # Who sends calls to a worker may run there what they like in any case.
        options = pickle.loads(zlib.decompress(packed))  # noqa: S301
        _KEPT.packed, _KEPT.simulator = packed, AerSimulator(**options)
    return _KEPT.simulator


def unpack_answer(answer: bytes, num_circuits: int) -> tuple[list[Outcome], float]:
    """What has become of each circuit of a chunk, and the seconds that it took.

    Raises:
        ValueError: the answer is none, or one about another number of circuits.
    """
    try:
        content: dict[str, Any] = orjson.loads(zlib.decompress(answer))
        found, seconds = content["outcomes"], float(content["seconds"])
        if isinstance(found, str):
            return [found] * num_circuits, seconds
        entries = [entry if isinstance(entry, str) else tuple(entry) for entry in found]
    except (zlib.error, TypeError, ValueError, LookupError) as error:
        raise ValueError(f"the worker's answer is unreadable: {described(error)}") from error
    if len(entries) != num_circuits:
        raise ValueError(f"the worker has answered for {len(entries)} circuits")
    return entries, seconds


def described(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type(error).__name__}: {error}"
