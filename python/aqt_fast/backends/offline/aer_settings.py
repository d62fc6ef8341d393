"""What Aer is told for each circuit: its method, its threads, and how shots share their work.

:data:`NOISY` has what takes the least time, by the number of qubits. ``make bench-noisy``
(``benches/speed/noisy.py --table``) measures its entries: CPU time on an x86 machine of two cores,
Aer 0.18.2, 2026-11-26, for circuits of rz, r and rxx, 24 operations a qubit, with the noise of
``offline_simulator_noise``. What the user has set on the simulator always counts more.

Aer simulates noise in two ways. The density matrix is computed once, and all shots are sampled from
it: its time grows with 4^qubits, and hardly with shots. Trajectories are one state vector for each
shot, with errors drawn at random. *Branching* computes one state for all shots that have drawn the
same errors so far.

Aer's branching (0.17 and 0.18) is wrong for some noise, see :attr:`Noise.branches`, and writes
outside of its memory if ``max_memory_mb`` does not suffice for one state a shot.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, NamedTuple

from qiskit.providers import Options
from qiskit_aer.noise import NoiseModel

from aqt_fast.backends.offline.device_noise_model import DeviceNoiseModel


class Row(NamedTuple):
    """How to simulate noisy circuits."""

    qubits: int
    """For circuits with at most so many qubits."""
    density_matrix: int | None
    """From how many shots on the density matrix takes less time than trajectories."""
    branching: bool
    """Whether branching takes less time than separate trajectories."""
    threads: int | None
    """Threads, None for as many as there are: a team costs small circuits more than it spares."""


NOISY = (
    Row(3, density_matrix=1, branching=False, threads=1),
    Row(4, density_matrix=8, branching=False, threads=1),
    Row(5, density_matrix=16, branching=False, threads=1),
    Row(6, density_matrix=32, branching=False, threads=1),
    Row(8, density_matrix=128, branching=False, threads=1),
    Row(9, density_matrix=256, branching=False, threads=1),
    Row(10, density_matrix=1024, branching=True, threads=None),
    Row(11, density_matrix=3072, branching=True, threads=None),
)
"""Noise on operations, by the number of qubits."""

_LARGER = Row(64, density_matrix=None, branching=True, threads=None)

_IDEAL_ON_ONE_THREAD = 12
"""Up to so many qubits, circuits without noise are simulated on one thread."""

_BRANCHING_MEMORY = 2**28
"""Bytes for the states of branches: more shots are simulated one block after the other."""

_MOST_SHOTS_IN_BLOCK = 2000
"""From here on, more shots that share their work spare no time."""

_FEWEST_SHOTS_ON_THREAD = 64
"""With fewer, branching hardly saves work."""

_BYTES_PER_AMPLITUDE = 16

_BYTES_PER_MB = 2**20


class Noise:
    """What the choice depends on in a noise model, which must not change any more."""

    def __init__(self, model: NoiseModel | None) -> None:
        """Read nothing yet."""
        self._model = model

    @cached_property
    def on_operations(self) -> bool:
        """Whether there is noise beyond readout errors."""
        if self._model is None:
            return False
        if isinstance(self._model, DeviceNoiseModel) and self._model.changes_circuits:
            return True
        if set(self._model.noise_instructions) - {"measure"}:
            return True
        return any(error["type"] != "roerror" for error in self._errors)

    @cached_property
    def branches(self) -> bool:
        """Whether Aer's branching is right for this noise.

        It is wrong for readout errors, which flip all shots of a branch together; for errors on
        measurements, which it can lose; and for errors that may consist of no operation, which it
        loses altogether. Kraus operators share no work.
        """
        return all(_branches(error) for error in self._errors)

    @cached_property
    def _errors(self) -> list[dict[str, Any]]:
        errors: list[dict[str, Any]] = (
            [] if self._model is None else self._model.to_dict()["errors"]
        )
        return errors


def _branches(error: dict[str, Any]) -> bool:
    if error["type"] != "qerror" or "measure" in error["operations"]:
        return False
    return all(
        operations
        and not any(operation["name"] in ("kraus", "superop") for operation in operations)
        for operations in error["instructions"]
    )


class Settings(NamedTuple):
    """How Aer simulates circuits that are alike in size and shots."""

    options: tuple[tuple[str, Any], ...] = ()
    """Names and values of options of its run."""
    trajectories: bool = False
    """Whether each shot has random numbers of its own, from the seed of the circuit on."""
    shots_at_once: int | None = None
    """Shots of a run with branching, which tells shots in an order of its own."""


def settings(options: Options, noise: Noise, num_qubits: int, shots: int) -> Settings:
    """Choose what takes the least time for a circuit.

    Neither its neighbours nor this computer count, so that a seed gives the same outcomes anywhere.

    Args:
        options: those of the simulator.
        noise: that of the simulator.
        num_qubits: the size of the circuit.
        shots: its repetitions.
    """
    if options.device != "CPU":
        return Settings(trajectories=noise.on_operations)
    if not noise.on_operations:
        small = num_qubits <= _IDEAL_ON_ONE_THREAD
        return _of_one_state(options, "statevector", 1) if small else Settings()
    row = next((row for row in NOISY if num_qubits <= row.qubits), _LARGER)
    free = options.method == "automatic" and not options.shot_branching_enable
    if options.method == "density_matrix" or (
        free and row.density_matrix is not None and shots >= row.density_matrix
    ):
        return _of_one_state(options, "density_matrix", row.threads)
    chosen: dict[str, Any] = {"method": "statevector"} if free else {}
    if row.threads is not None and options.max_parallel_threads is None:
        chosen["max_parallel_threads"] = row.threads
    if options.shot_branching_enable:
        return Settings(tuple(chosen.items()), trajectories=True, shots_at_once=shots)
    at_once = _shots_at_once(options, num_qubits)
    branching = (
        row.branching
        and options.method in ("automatic", "statevector")
        and min(at_once, shots) > 1
        and noise.branches
    )
    if options.max_parallel_shots is None and row.threads is None:
        if branching:  # shots on different threads share no work
            chosen["max_parallel_shots"] = max(1, at_once // _FEWEST_SHOTS_ON_THREAD)
        elif at_once < 2:  # each thread would need a state
            chosen["max_parallel_shots"] = 1
    if not branching:
        return Settings(tuple(chosen.items()), trajectories=True)
    chosen |= {"shot_branching_enable": True, "shot_branching_sampling_enable": True}
    if options.max_memory_mb is None:
        chosen["max_memory_mb"] = at_once * _state_mb(num_qubits)
    return Settings(tuple(chosen.items()), trajectories=True, shots_at_once=at_once)


def _of_one_state(options: Options, method: str, threads: int | None) -> Settings:
    """All shots are sampled from one state."""
    chosen: dict[str, Any] = {}
    if threads is not None and options.max_parallel_threads is None:
        chosen["max_parallel_threads"] = threads
    if options.method == "automatic":
        chosen["method"] = method
    return Settings(tuple(chosen.items()))


def _shots_at_once(options: Options, num_qubits: int) -> int:
    """Return how many states fit into the memory for branches."""
    fitting = min(_MOST_SHOTS_IN_BLOCK, _BRANCHING_MEMORY // (_BYTES_PER_AMPLITUDE << num_qubits))
    if options.max_memory_mb is None:
        return fitting
    return min(fitting, int(options.max_memory_mb) // _state_mb(num_qubits))


def _state_mb(num_qubits: int) -> int:
    """Return what Aer reckons for a state: whole megabytes."""
    return max(1, (_BYTES_PER_AMPLITUDE << num_qubits) // _BYTES_PER_MB)
