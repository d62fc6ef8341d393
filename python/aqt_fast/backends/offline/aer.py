"""What makes Aer an AQT register: noise, options to be copied or saved, seeds and outcomes."""

from __future__ import annotations

import copy
import json
import math
import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error

from aqt_fast.store.location import SimulatorLocation

Outcome: TypeAlias = tuple[dict[str, int], list[str] | None] | str
"""Counts and, if wanted, each shot in order, in hexadecimal; or why there are none."""

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


def options_in_use(simulator: AerSimulator) -> dict[str, Any]:
    """The options that have a value, noise model included, as they are now."""
    return {name: value for name, value in simulator.options.items() if value is not None}


def copy_simulator(simulator: AerSimulator) -> AerSimulator:
    """Make a simulator that later changes of options do not reach."""
    options = options_in_use(simulator)
    if "noise_model" in options:
        options["noise_model"] = copy.deepcopy(options["noise_model"])
    return AerSimulator(**options)


def simulator_location(simulator: AerSimulator) -> SimulatorLocation:
    """Describe what makes a simulator another than the default one.

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
    """Whether JSON can express the value: text, a finite float, or an integer of 64 bits."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str) or -(2**63) <= value < 2**64


def restore_simulator(simulator: AerSimulator, location: SimulatorLocation) -> None:
    """Take over what :func:`simulator_location` has described."""
    noise_model = noise_model_from_json(location.noise_model)
    simulator.set_options(noise_model=noise_model, **location.simulator_options)


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


def seed_at(seed: int | None, start: int) -> int | None:
    """The seed of a run whose first circuit is number ``start`` of the batch."""
    if seed is None:
        return None
    # Aer counts on in 64 bits, but takes signed numbers only.
    return (seed + _SEED_STEP * start + 2**63) % 2**64 - 2**63


def outcomes(
    simulator: AerSimulator,
    circuits: Sequence[QuantumCircuit],
    *,
    shots: int,
    memory: bool,
    seed: int | None,
) -> list[Outcome]:
    """Simulate circuits in one run of Aer; ``memory`` asks for each shot in order."""
    result = simulator.run(list(circuits), shots=shots, memory=memory, seed_simulator=seed).result()
    simulated = list(result.results)
    found = [_outcome(entry, circuit) for entry, circuit in zip(simulated, circuits, strict=False)]
    return found + [str(result.status)] * (len(circuits) - len(found))


def _outcome(simulated: Any, circuit: QuantumCircuit) -> Outcome:
    if not simulated.success:
        return str(simulated.status)
    counts = simulated.data.counts
    memory = getattr(simulated.data, "memory", None)
    if circuit.num_clbits > _MOST_BITS_WITHOUT_PADDING:
        counts = {hex(int(text, 16)): count for text, count in counts.items()}
        memory = memory and [hex(int(text, 16)) for text in memory]
    return counts, memory
