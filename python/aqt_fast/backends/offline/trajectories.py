"""Outcomes of noisy circuits from the native sampler, where it can stand for Aer.

It takes noise that is a mixture of unitary errors and resets after each gate, and readout errors of
single qubits. Aer simulates everything else: other noise, none at all, more than 20 qubits, and any
simulator whose options are not the default ones.
"""

from __future__ import annotations

import functools
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from qiskit.circuit.exceptions import CircuitError
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel

from aqt_fast import _native
from aqt_fast._shots import Shots, shots_of
from aqt_fast.backends.offline.aer import Outcome, outcomes, seed_at
from aqt_fast.backends.offline.copies import options_in_use
from aqt_fast.backends.offline.noise_description import described, instruction_of
from aqt_fast.wire.bare_circuits import BareCircuits

_MOST_QUBITS = 20
"""Amplitudes of eight states of so many qubits take 128 MB."""

_SIZES = {"rz": 1, "r": 1, "rxx": 2}

_Step = tuple[str, list[int], list[tuple[float, float]]]
_Terms = list[tuple[float, list[_Step]]]


class _OtherNoiseError(Exception):
    """Noise that the sampler does not take."""


@dataclass(frozen=True)
class Noise:
    """Noise that the sampler takes, as the arguments of the native class: it can be pickled."""

    mixtures: tuple[tuple[int, _Terms], ...]
    places: tuple[tuple[str, list[int], int], ...]
    readouts: tuple[tuple[int | None, float, float], ...]

    @classmethod
    def of(cls, simulator: AerSimulator) -> Noise | None:
        """Return the noise of a simulator, or None if Aer is to simulate.

        That is so without noise, with noise of another kind, and as soon as any option has another
        value than it has by default; only the seed may be set.
        """
        options = options_in_use(simulator)
        model = options.pop("noise_model", None)
        options.pop("seed_simulator", None)
        if model is None or type(simulator) is not AerSimulator or options != _default_options():
            return None
        try:
            noise = _translated(model)
            _ = noise.native  # it checks probabilities and matrices
        except (_OtherNoiseError, ValueError):
            return None
        return noise

    def outcomes(
        self,
        simulator: AerSimulator,
        circuits: BareCircuits,
        *,
        shots: Shots,
        memory: bool,
        seed: int | None,
    ) -> list[Outcome]:
        """Simulate circuits: those that are too large with Aer, on the simulator with this noise.

        The other ones have samples of all shots, whatever ``memory`` is. The arguments are those of
        :func:`aqt_fast.backends.offline.aer.outcomes`.
        """
        if seed is None:
            seed = secrets.randbits(63)
        found: list[Outcome] = []
        for small, group in groupby(circuits.sizes(), _MOST_QUBITS.__ge__):
            part = range(len(found), len(found) + len(list(group)))
            part_shots = shots_of(shots, part)
            if small:
                found += circuits.sampled(
                    part,
                    self.native,
                    shots=part_shots,
                    seeds=[seed_at(seed, index) % 2**64 for index in part],
                )
            else:
                found += outcomes(
                    simulator,
                    circuits.part(part),
                    shots=part_shots,
                    memory=memory,
                    seed=seed_at(seed, part.start),
                )
        return found

    @functools.cached_property
    def native(self) -> _native.Noise:
        """The same for the native sampler."""
        return _native.Noise(self.mixtures, self.places, self.readouts)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.mixtures, self.places, self.readouts)


@functools.cache
def _default_options() -> dict[str, Any]:
    return options_in_use(AerSimulator())


def _translated(model: NoiseModel) -> Noise:
    """Translate a noise model.

    Raises:
        _OtherNoiseError: the sampler does not take it.
    """
    if getattr(model, "changes_circuits", False):
        raise _OtherNoiseError
    if model._custom_noise_passes:  # noqa: SLF001 - nothing public tells
        raise _OtherNoiseError
    mixtures: list[tuple[int, _Terms]] = []
    places: list[tuple[str, list[int], int]] = []
    readouts: list[tuple[int | None, float, float]] = []
    indices: dict[tuple[str, int], int] = {}
    for error in described(model)["errors"]:
        qubits = error.get("gate_qubits", [[]])
        if error["type"] == "roerror":
            readouts += _readouts(error, qubits)
            continue
        if "measure" in error["operations"]:
            raise _OtherNoiseError
        for name in set(error["operations"]) & _SIZES.keys():
            key = error["id"], _SIZES[name]
            if key not in indices:
                indices[key] = len(mixtures)
                mixtures.append((_SIZES[name], list(_terms(error, _SIZES[name]))))
            places += [(name, list(those), indices[key]) for those in qubits]
    return Noise(tuple(mixtures), tuple(places), tuple(readouts))


def _readouts(
    error: Mapping[str, Any], qubits: Sequence[Sequence[int]]
) -> Iterator[tuple[int | None, float, float]]:
    rows = error["probabilities"]
    for those in qubits:
        if len(rows) != 2 or len(those) > 1:  # it is of several qubits
            raise _OtherNoiseError
        yield (those[0] if those else None), rows[0][1], rows[1][0]


def _terms(error: Mapping[str, Any], size: int) -> Iterator[tuple[float, list[_Step]]]:
    for operations, probability in zip(error["instructions"], error["probabilities"], strict=True):
        yield float(probability), [step for item in operations for step in _steps(item, size)]


def _steps(operation: Mapping[str, Any], size: int) -> list[_Step]:
    name, qubits = operation["name"], list(operation["qubits"])
    if max(qubits) >= size or "condition" in operation:
        raise _OtherNoiseError
    if name == "id":
        return []
    if name in ("x", "y", "z", "reset"):
        return [(name, [qubit], []) for qubit in qubits]
    if name == "pauli":
        letters = reversed(operation["params"][0].lower())
        return [
            (letter, [qubit], [])
            for letter, qubit in zip(letters, qubits, strict=True)
            if letter != "i"
        ]
    try:
        matrix = Operator(instruction_of(operation)).data
    except (QiskitError, CircuitError, ValueError, TypeError) as reason:
        raise _OtherNoiseError from reason
    return [("unitary", qubits, [(entry.real, entry.imag) for entry in matrix.ravel().tolist()])]
