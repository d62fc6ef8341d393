"""Noise as the native sampler takes it: mixtures after gates, and readout errors of qubits."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from qiskit.circuit.exceptions import CircuitError
from qiskit.exceptions import QiskitError
from qiskit.quantum_info import Operator
from qiskit_aer.noise import NoiseModel

from aqt_fast import _native
from aqt_fast.backends.offline.device_noise import DeviceNoise
from aqt_fast.backends.offline.device_noise_model import DeviceNoiseModel
from aqt_fast.backends.offline.gate_noise import GateNoise
from aqt_fast.backends.offline.noise_description import described, instruction_of

_SIZES = {"rz": 1, "r": 1, "rxx": 2}

Step: TypeAlias = tuple[str, list[int], list[tuple[float, float]]]
Terms: TypeAlias = list[tuple[float, list[Step]]]
Place: TypeAlias = tuple[str, list[int], int]
Readout: TypeAlias = tuple[int | None, float, float]


class OtherNoiseError(Exception):
    """Noise that the sampler does not take."""


@dataclass(frozen=True)
class Mixtures:
    """The arguments of :class:`aqt_fast._native.Noise`: they can be pickled."""

    mixtures: tuple[tuple[int, Terms], ...]
    """Number of qubits and terms of each."""
    places: tuple[Place, ...]
    """Where they follow gates."""
    readouts: tuple[Readout, ...]
    """How qubits are read."""
    waiting: tuple[float, float, float, float] | None = None
    """T1, T2, durations of r and rxx in seconds, if qubits relax while gates act on others."""
    over_rotation: float = 0.0
    """How much farther r and rxx rotate than they should, as a fraction."""

    @classmethod
    def of(cls, model: NoiseModel) -> Mixtures:
        """Translate a noise model.

        Raises:
            OtherNoiseError: the sampler does not take it: an error is no mixture of unitary
                operations and resets, or it follows a measurement; a readout error is of several
                qubits; or a device has crosstalk.
        """
        if model._custom_noise_passes:  # noqa: SLF001
            raise OtherNoiseError
        if isinstance(model, DeviceNoiseModel):
            found = cls._of_device(model.noise)
        else:
            found = cls._of_errors(described(model)["errors"])
        try:
            _ = found.native
        except ValueError as reason:
            raise OtherNoiseError from reason
        return found

    @classmethod
    def _of_device(cls, noise: DeviceNoise) -> Mixtures:
        """Spare a twin the way by Aer's errors, which takes a tenth of a second."""
        if noise.settings.crosstalk or not (
            noise.relaxation is None or noise.relaxation.is_mixture
        ):
            raise OtherNoiseError
        gates: dict[GateNoise, int] = {}
        places: list[Place] = [
            ("r", [qubit], gates.setdefault(gate, len(gates))) for qubit, gate in noise.r.items()
        ]
        for (a, b), gate in noise.rxx.items():
            index = gates.setdefault(gate, len(gates))
            places += [("rxx", [a, b], index), ("rxx", [b, a], index)]
        mixtures = tuple((gate.num_qubits, _terms_of_gate(gate)) for gate in gates)
        readout = (None, noise.readout_error, noise.readout_error)
        waiting = None
        if noise.settings.idle and noise.relaxation is not None:
            waiting = (noise.relaxation.t1, noise.relaxation.t2, *noise.durations)
        return cls(
            mixtures, tuple(places), (readout,), waiting, float(noise.settings.over_rotation)
        )

    @classmethod
    def _of_errors(cls, errors: Iterable[Mapping[str, Any]]) -> Mixtures:
        """Translate the errors of a description."""
        mixtures: list[tuple[int, Terms]] = []
        places: list[Place] = []
        readouts: list[Readout] = []
        indices: dict[tuple[str, int], int] = {}
        for error in errors:
            qubits = error.get("gate_qubits", [[]])
            if error["type"] == "roerror":
                readouts += _readouts(error["probabilities"], qubits)
                continue
            if "measure" in error["operations"]:
                raise OtherNoiseError
            for name in set(error["operations"]) & _SIZES.keys():
                key = error["id"], _SIZES[name]
                if key not in indices:
                    indices[key] = len(mixtures)
                    mixtures.append((_SIZES[name], list(_terms(error, _SIZES[name]))))
                places += [(name, list(those), indices[key]) for those in qubits]
        return cls(tuple(mixtures), tuple(places), tuple(readouts))

    @functools.cached_property
    def native(self) -> _native.Noise:
        """The same for the native sampler.

        Raises:
            ValueError: a matrix is not unitary, probabilities do not add up to 1, or a mixture is
                of another number of qubits than its gate.
        """
        return _native.Noise(*self._arguments)

    @property
    def _arguments(self) -> tuple[Any, ...]:
        return self.mixtures, self.places, self.readouts, self.waiting, self.over_rotation

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments


@functools.lru_cache(maxsize=1000)  # a twin's gates: the next job has the same
def _terms_of_gate(gate: GateNoise) -> Terms:
    names = {"X": "x", "Y": "y", "Z": "z", "R": "reset"}
    return [
        (
            probability,
            [
                (names[letter], [qubit], [])
                for qubit, letter in enumerate(operations)
                if letter in names
            ],
        )
        for operations, probability in gate.events()
    ]


def _readouts(
    rows: Sequence[Sequence[float]], qubits: Sequence[Sequence[int]]
) -> Iterator[Readout]:
    for those in qubits:
        if len(rows) != 2 or len(those) > 1:  # it is of several qubits
            raise OtherNoiseError
        yield (those[0] if those else None), rows[0][1], rows[1][0]


def _terms(error: Mapping[str, Any], size: int) -> Iterator[tuple[float, list[Step]]]:
    for operations, probability in zip(error["instructions"], error["probabilities"], strict=True):
        yield float(probability), [step for item in operations for step in _steps(item, size)]


def _steps(operation: Mapping[str, Any], size: int) -> list[Step]:
    name, qubits = operation["name"], list(operation["qubits"])
    if max(qubits) >= size or "condition" in operation:
        raise OtherNoiseError
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
        raise OtherNoiseError from reason
    return [("unitary", qubits, [(entry.real, entry.imag) for entry in matrix.ravel().tolist()])]
