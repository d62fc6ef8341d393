"""Qiskit Aer as an AQT register: simulators, noise, and batches that run in the background."""

from __future__ import annotations

import copy
import json
import math
import threading
import time
import uuid
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobStatus
from qiskit.result.models import ExperimentResult
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from aqt_fast import wire
from aqt_fast.execution import Execution

_SECONDS_PER_CHUNK = 0.1
"""Aer keeps Python's lock while it simulates: this is how long other threads have to wait."""

_MOST_CIRCUITS_PER_CHUNK = 500

_SEED_STEP = 2113
"""Aer gives circuit k of a run the seed ``seed_simulator + 2113 k``."""


_MOST_BITS_WITHOUT_PADDING = 64
"""Aer writes some outcomes of more bits with zeros in front."""

_STANDARD = "standard"


def standard_noise_model() -> NoiseModel:
    """Depolarising noise: 0.003 on r, 0.01 on rxx; rz is a change of frame and has none."""
    model = NoiseModel(basis_gates=["rz", "r", "rxx"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.003, 1), ["r"])
    model.add_all_qubit_quantum_error(depolarizing_error(0.01, 2), ["rxx"])
    return model


def copy_simulator(simulator: AerSimulator) -> AerSimulator:
    """Make a simulator that later changes of options do not reach."""
    options = {name: value for name, value in simulator.options.items() if value is not None}
    if "noise_model" in options:
        options["noise_model"] = copy.deepcopy(options["noise_model"])
    return AerSimulator(**options)


def simulator_settings(simulator: AerSimulator) -> dict[str, Any]:
    """Describe in JSON's types what makes a simulator another than the default one.

    Raises:
        ValueError: an option has a value that JSON cannot express.
    """
    defaults = AerSimulator().options
    options = {}
    for name, value in simulator.options.items():
        if name == "noise_model" or value == defaults.get(name):
            continue
        plain = value.item() if isinstance(value, np.generic) else value
        if not isinstance(plain, bool | int | float | str) or not _in_json(plain):
            raise ValueError(f"the simulator's option {name}={value!r} cannot be described")
        options[name] = plain
    return {"noise_model": noise_model_to_json(simulator.options.noise_model), "options": options}


def _in_json(value: float | str) -> bool:
    """Whether JSON can express the value: text, a finite float, or an integer of 64 bits."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or -(2**63) <= value < 2**64


def restore_simulator(simulator: AerSimulator, settings: dict[str, Any]) -> None:
    """Take over what :func:`simulator_settings` has described."""
    noise_model = noise_model_from_json(settings["noise_model"])
    simulator.set_options(noise_model=noise_model, **settings["options"])


def noise_model_to_json(model: NoiseModel | None) -> Any:
    """Describe a noise model in JSON's types.

    Raises:
        ValueError: Aer cannot read back what it writes about this model.
    """
    if model is None:
        return None
    if model == standard_noise_model():
        return _STANDARD
    description = model.to_dict(serializable=True)
    try:
        faithful = noise_model_from_json(json.loads(json.dumps(description))) == model
    except (TypeError, ValueError, KeyError, QiskitError) as error:
        raise ValueError(f"Aer cannot describe this noise model: {error}") from error
    if not faithful:
        raise ValueError("Aer cannot describe this noise model")
    return description


def noise_model_from_json(description: Any) -> NoiseModel | None:
    """Make a noise model from its description."""
    if description is None:
        return None
    if description == _STANDARD:
        return standard_noise_model()
    if "errors" not in description:
        raise ValueError("the description of the noise model has no errors")
    with warnings.catch_warnings():
        # Aer has deprecated the only public way to read what its `to_dict` writes.
        warnings.simplefilter("ignore", DeprecationWarning)
        return NoiseModel.from_dict(description)


class Simulation(Execution):
    """One batch on its way through Aer.

    The outcomes are those of one call of ``simulator.run`` with all circuits, seed included.
    """

    def __init__(
        self,
        simulator: AerSimulator,
        circuits: Sequence[QuantumCircuit],
        *,
        shots: int,
        memory: bool,
        seed: int | None,
    ) -> None:
        """Neither simulator nor circuits may be changed any more."""
        super().__init__()
        self._job_id = str(uuid.uuid4())
        self._simulator = simulator
        self._circuits = circuits
        self._shots = shots
        self._memory = memory
        self._seed = simulator.options.seed_simulator if seed is None else seed
        self._results: list[ExperimentResult] = []
        self._completed: list[range] = []
        self._num_started = 0
        self._cancelled = False

    def begin(self) -> None:
        """Start a thread that simulates."""
        threading.Thread(
            target=self._guarded, args=(self._run,), name="aqt-fast simulation", daemon=True
        ).start()

    @property
    def name(self) -> str:
        """What messages call the job."""
        return self._job_id

    @property
    def job_id(self) -> str:
        """What the job is called."""
        return self._job_id

    @property
    def finished_count(self) -> int:
        """Circuits that were simulated."""
        return len(self._results)

    @property
    def completed(self) -> list[range]:
        """Chunks that were simulated, in order."""
        return self._completed

    def results(self, part: range | None = None) -> list[ExperimentResult]:
        """One entry a circuit, in order; those that were not simulated have ``success=False``."""
        if part is not None:
            return self._results[part.start : part.stop]
        message = self._message or "not simulated yet"
        done = list(self._results)
        rest = self._circuits[len(done) :]
        return done + [
            wire.failed_experiment(wire.header(circuit), self._shots, message) for circuit in rest
        ]

    def cancel(self) -> bool:
        """Stop after the chunk in hand; False if that is the last one, or the batch has ended.

        Raises:
            RuntimeError: called in a process that was forked from the one that simulates.
        """
        self._require_process()
        with self._changed:
            cancellable = not self.ended and self._num_started < len(self._circuits)
            self._cancelled = self._cancelled or cancellable
            return cancellable

    def settings(self) -> dict[str, Any]:
        """What makes the simulator another than the default one, in JSON's types.

        Raises:
            ValueError: the noise model cannot be described.
        """
        return simulator_settings(self._simulator)

    def _run(self) -> None:
        self._simulate()
        if self.finished_count < len(self._circuits):
            self._end(JobStatus.CANCELLED, "the job was cancelled")
        else:
            self._end(JobStatus.DONE)

    def _simulate(self) -> None:
        start, size = 0, 1
        while start < len(self._circuits):
            with self._changed:
                if self._cancelled:
                    return
                self._status = JobStatus.RUNNING
                self._num_started = min(start + size, len(self._circuits))
            began = time.perf_counter()
            results = self._simulate_chunk(start, self._circuits[start : start + size])
            elapsed = time.perf_counter() - began
            with self._changed:
                self._results += results
                self._completed.append(range(start, len(self._results)))
                self._changed.notify_all()
            start += size
            fitting = int(_SECONDS_PER_CHUNK / max(elapsed / size, 1e-6))
            size = max(1, min(fitting, 4 * size, _MOST_CIRCUITS_PER_CHUNK))

    def _simulate_chunk(
        self, start: int, chunk: Sequence[QuantumCircuit]
    ) -> list[ExperimentResult]:
        seed = None
        if self._seed is not None:
            # Aer counts on in 64 bits, but takes signed numbers only.
            seed = (self._seed + _SEED_STEP * start + 2**63) % 2**64 - 2**63
        result = self._simulator.run(
            list(chunk), shots=self._shots, memory=self._memory, seed_simulator=seed
        ).result()
        experiments = []
        for index, circuit in enumerate(chunk):
            simulated = result.results[index] if index < len(result.results) else None
            if simulated is None or not simulated.success:
                status = result.status if simulated is None else simulated.status
                raise RuntimeError(f"circuit {start + index} ({circuit.name}): {status}")
            counts = simulated.data.counts
            memory = simulated.data.memory if self._memory else None
            if circuit.num_clbits > _MOST_BITS_WITHOUT_PADDING:
                counts = {hex(int(text, 16)): count for text, count in counts.items()}
                memory = memory and [hex(int(text, 16)) for text in memory]
            experiments.append(
                wire.experiment_result(wire.header(circuit), self._shots, counts, memory)
            )
        return experiments
