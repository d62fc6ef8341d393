"""Aer as a simulator of an AQT device: noise, copying and saving of options, seeds, outcomes."""

from __future__ import annotations

import copy
import json
import logging
import math
import os
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any, TypeAlias, overload
from weakref import WeakKeyDictionary

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import Options
from qiskit_aer import AerSimulator
from qiskit_aer.jobs import aerjob
from qiskit_aer.noise import NoiseModel, depolarizing_error

from aqt_fast._native import Samples
from aqt_fast._shots import Shots, each
from aqt_fast.backends.offline import noise_strengths
from aqt_fast.backends.offline.aer_settings import Noise, Settings, settings
from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.backends.offline.device_noise_model import DeviceNoiseModel
from aqt_fast.backends.offline.noise_description import described, noise_model_of
from aqt_fast.store.location import SimulatorLocation
from aqt_fast.wire.bare_circuits import AlikeCircuits, BareCircuits

Outcome: TypeAlias = dict[str, int] | Samples | str
"""Counts in hexadecimal; or all shots, if memory was requested; or an error text."""

_SEED_STEP = 2113
"""Aer gives circuit k of a run the seed ``seed_simulator + 2113 k``."""

_MOST_BITS_WITHOUT_PADDING = 64
"""Above this number of bits, Aer pads some outcomes with leading zeros."""

_FEWEST_ALIKE = 4
"""From this number of circuits on, one circuit with parameters takes less time than all of them."""

_STANDARD = "standard"

_DEVICE_NOISE = "device_noise"
"""Key of the description of a device's noise."""

_NOISE: WeakKeyDictionary[AerSimulator, Noise] = WeakKeyDictionary()
"""What is known of the noise of simulators."""


def standard_noise_model() -> NoiseModel:
    """Make depolarising noise: 0.003 on r, 0.01 on rxx; rz is a change of frame without noise."""
    model = NoiseModel(basis_gates=["rz", "r", "rxx"])
    model.add_all_qubit_quantum_error(depolarizing_error(noise_strengths.R, 1), ["r"])
    model.add_all_qubit_quantum_error(depolarizing_error(noise_strengths.RXX, 2), ["rxx"])
    return model


def simulator_location(simulator: AerSimulator) -> SimulatorLocation:
    """Describe how a simulator differs from the default one.

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
    return SimulatorLocation(noise_model_to_json(simulator.options.noise_model), options)


def _in_json(value: float | str) -> bool:
    """Return whether JSON can express a value: text, a finite float or a 64-bit integer."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or -(2**63) <= value < 2**64


def restore_simulator(simulator: AerSimulator, location: SimulatorLocation) -> None:
    """Apply the description that :func:`simulator_location` has made."""
    noise_model = noise_model_from_json(location.noise_model)
    simulator.set_options(noise_model=noise_model, **location.simulator_options)


def noise_model_to_json(model: NoiseModel | None) -> Any:
    """Describe a noise model with JSON's types.

    Raises:
        ValueError: the description would be of another model.
    """
    if model is None:
        return None
    if isinstance(model, DeviceNoiseModel):
        return {_DEVICE_NOISE: model.noise.to_dict()}
    # Aer may be reading the same model in its thread. Qiskit 2.6 computes the indices of bits when
    # they are first asked for, and two threads that ask at once can wait for each other for ever.
    model = copy.deepcopy(model)
    if model == standard_noise_model():
        return _STANDARD
    description = described(model)
    try:
        faithful = noise_model_from_json(json.loads(json.dumps(description))) == model
    except (TypeError, ValueError, KeyError, QiskitError) as error:
        raise ValueError(f"this noise model cannot be described: {error}") from error
    if not faithful:
        raise ValueError("this noise model cannot be described")
    return description


def noise_model_from_json(description: Any) -> NoiseModel | None:
    """Make a noise model from its description."""
    if description is None:
        return None
    if description == _STANDARD:
        return standard_noise_model()
    if _DEVICE_NOISE in description:
        return DeviceNoiseModel(DeviceNoise.from_dict(description[_DEVICE_NOISE]))
    return noise_model_of(description)


def noise_header(simulator: AerSimulator) -> dict[str, Any] | None:
    """Tell whose noise a simulator has and of when, for the header of results; None if nobody's."""
    model = simulator.options.noise_model
    return {"noise_twin": model.noise.origin} if isinstance(model, DeviceNoiseModel) else None


def tells_qubits_apart(simulator: AerSimulator) -> bool:
    """Whether the noise depends on the number of a qubit, or is on measurements."""
    model = simulator.options.noise_model
    if isinstance(model, DeviceNoiseModel) and model.noise.settings.crosstalk:
        return True
    return model is not None and bool(model.noise_qubits or "measure" in model.noise_instructions)


@overload
def seed_at(seed: int, start: int) -> int: ...
@overload
def seed_at(seed: None, start: int) -> None: ...
@overload
def seed_at(seed: int | None, start: int) -> int | None: ...
def seed_at(seed: int | None, start: int) -> int | None:
    """Return the seed of a run whose first circuit has index ``start`` in the batch."""
    if seed is None:
        return None
    return _signed(seed + _SEED_STEP * start)


def scattered(seed: int) -> int:
    """Return the seed of a circuit's first shot: those of neighbouring seeds are far apart.

    It is the output function of splitmix64 (Steele, Lea and Flood, OOPSLA 2014), which maps numbers
    of 64 bits one to one.
    """
    mixed = (seed + 0x9E3779B97F4A7C15) % 2**64
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
    return _signed(mixed ^ mixed >> 31)


def _signed(seed: int) -> int:
    """Return a seed that Aer takes. Its seeds wrap around in 64 bits, but it takes signed ones."""
    return (seed + 2**63) % 2**64 - 2**63


def outcomes(
    simulator: AerSimulator,
    circuits: BareCircuits,
    *,
    shots: Shots,
    memory: bool,
    seed: int | None,
) -> list[Outcome]:
    """Simulate circuits; ``memory`` keeps the outcome of each shot.

    ``seed`` is that of the first circuit. The outcomes of a circuit depend on its seed and its
    shots, and not on its neighbours.
    """
    noise_model = simulator.options.noise_model
    if isinstance(noise_model, DeviceNoiseModel):
        circuits = noise_model.applied(circuits)
    noise = _noise_of(simulator)
    chosen = [
        (number, settings(simulator.options, noise, circuits.size(index), number))
        for index, number in enumerate(each(shots, len(circuits)))
    ]
    found: list[Outcome] = []
    for (number, how), group in groupby(chosen):
        run = _Run(simulator, circuits, number, memory, seed, how)
        start, stop = len(found), len(found) + len(list(group))
        if how.trajectories:
            found += [run.outcome(index) for index in range(start, stop)]
        else:
            for part in _runs(circuits, start, stop, simulator.options):
                found += run.outcomes(part)
    return found


def _noise_of(simulator: AerSimulator) -> Noise:
    """Return what is known of the noise of a simulator whose options do not change any more."""
    if simulator not in _NOISE:
        _NOISE[simulator] = Noise(simulator.options.noise_model)
    return _NOISE[simulator]


def _runs(
    circuits: BareCircuits, start: int, stop: int, options: Options
) -> list[range | AlikeCircuits]:
    """Cut circuits into runs of Aer: many neighbours that are alike, or any others."""
    # An option of Aer's simulates all sets of parameters together, with other random numbers.
    if stop - start < _FEWEST_ALIKE or options.runtime_parameter_bind_enable:
        return [range(start, stop)]
    runs: list[range | AlikeCircuits] = []
    for alike in circuits.alike(start, stop):
        if len(alike.part) >= _FEWEST_ALIKE and len(alike.angles):
            runs.append(alike)
        elif runs and isinstance(runs[-1], range):
            runs[-1] = range(runs[-1].start, alike.part.stop)
        else:
            runs.append(alike.part)
    return runs


@dataclass(frozen=True)
class _Run:
    """How to simulate circuits in runs of Aer."""

    simulator: AerSimulator
    circuits: BareCircuits
    shots: int
    memory: bool
    seed: int | None
    """The seed of the first of all circuits."""
    how: Settings

    def outcome(self, index: int) -> Outcome:
        """Simulate a circuit whose shots have random numbers of their own.

        To Aer, shot i of a circuit with seed s has the random numbers of the seed s + i: neighbours
        among seeds, or circuits of thousands of shots, would have the same ones.
        """
        circuit = self.circuits.circuit(index)
        first = secrets.randbits(64) if self.seed is None else self.seed
        seed = scattered(first + _SEED_STEP * index)
        if self.how.shots_at_once is None:
            status, simulated = self._simulated([circuit], seed, self.shots, memory=self.memory)
            return _outcome(simulated[0], circuit) if simulated else _without_name(status, circuit)
        counts: Counter[str] = Counter()
        for start in range(0, self.shots, self.how.shots_at_once):
            number = min(self.how.shots_at_once, self.shots - start)
            status, simulated = self._simulated([circuit], _signed(seed + start), number)
            if not simulated:
                return _without_name(status, circuit)
            found = _outcome(simulated[0], circuit)
            if not isinstance(found, dict):
                return found
            counts.update(found)
        if self.memory:
            # Aer puts shots with the same errors next to each other.
            return Samples.from_counts(counts, circuit.num_clbits, seed % 2**64)
        return dict(counts)

    def outcomes(self, run: range | AlikeCircuits) -> list[Outcome]:
        """Simulate circuits in one run of Aer.

        If Aer fails as a whole, each circuit is simulated on its own, so that one cannot end
        others.
        """
        if not isinstance(run, range):
            found = self._of_alike(run)
            return self.outcomes(run.part) if found is None else found
        built = [self.circuits.circuit(index) for index in run]
        status, simulated = self._simulated(
            built, seed_at(self.seed, run.start), self.shots, memory=self.memory
        )
        if len(simulated) == len(built):
            return [_outcome(entry, item) for entry, item in zip(simulated, built, strict=True)]
        if len(built) == 1:
            return [_without_name(status, built[0])]
        alone = [self.outcomes(range(index, index + 1)) for index in run]
        return [outcome for (outcome,) in alone]

    def _of_alike(self, run: AlikeCircuits) -> list[Outcome] | None:
        """Have Aer put the angles into one circuit, which spares Python's work for the others.

        Return None unless each circuit was simulated with the seed that it has among all circuits.
        """
        template, parameters = self.circuits.template(run.part.start)
        values = dict(zip(parameters, run.angles.tolist(), strict=True))
        _, simulated = self._simulated(
            [template],
            seed_at(self.seed, run.part.start),
            self.shots,
            memory=self.memory,
            parameter_binds=[values],
        )
        if len(simulated) != len(run.part) or not all(entry.success for entry in simulated):
            return None
        if self.seed is not None:
            seeds = [getattr(entry, "seed_simulator", None) for entry in simulated]
            # Aer tells the seed as an unsigned number of 64 bits.
            if seeds != [(self.seed + _SEED_STEP * index) % 2**64 for index in run.part]:
                return None
        return [_outcome(entry, template) for entry in simulated]

    def _simulated(
        self, circuits: list[QuantumCircuit], seed: int | None, shots: int, **options: Any
    ) -> tuple[str, list[Any]]:
        """Return Aer's status, and what it tells of each circuit, nothing if it has failed.

        Args:
            circuits: the circuits.
            seed: that of the first circuit.
            shots: repetitions of each circuit.
            options: arguments of Aer's run for this call only.
        """
        noise_model = self.simulator.options.noise_model
        if isinstance(noise_model, DeviceNoiseModel):
            options["noise_model"] = noise_model.of_gates(circuits)
        try:
            with _unheard_warnings():
                job = self.simulator.run(
                    circuits, shots=shots, seed_simulator=seed, **dict(self.how.options), **options
                )
                result = job.result()
            return str(result.status), list(result.results)
        except Exception as error:  # noqa: BLE001 - Aer raises whatever it meets
            return f"{type(error).__name__}: {error}", []


@contextmanager
def _unheard_warnings() -> Iterator[None]:
    """Keep Aer's log off standard error, where Python writes what no handler takes.

    The job's message has the same text. Handlers that the user has set get it as well.
    """
    logger, handler = logging.getLogger("qiskit_aer"), logging.NullHandler()
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


def _outcome(simulated: Any, circuit: QuantumCircuit) -> Outcome:
    if not simulated.success:
        return _without_name(str(simulated.status), circuit)
    memory: list[str] | None = getattr(simulated.data, "memory", None)
    if memory is not None:
        return Samples.from_memory(memory, circuit.num_clbits)
    counts: dict[str, int] = simulated.data.counts
    if circuit.num_clbits > _MOST_BITS_WITHOUT_PADDING:
        return {hex(int(text, 16)): count for text, count in counts.items()}
    return counts


def _without_name(message: str, circuit: QuantumCircuit) -> str:
    """Take out the name of a bare circuit, which the user has never seen."""
    name = re.escape(circuit.name)
    message = re.sub(rf"\bcircuit {name}(?!\w)", "this circuit", message)
    return re.sub(rf"\bCircuit {name}(?!\w)", "This circuit", message)


def _renew_aers_thread() -> None:
    """In a forked process, give Aer 0.17 another thread; Aer 0.18 does so itself."""
    if hasattr(aerjob, "DEFAULT_EXECUTOR"):
        aerjob.DEFAULT_EXECUTOR = ThreadPoolExecutor(max_workers=1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_aers_thread)
