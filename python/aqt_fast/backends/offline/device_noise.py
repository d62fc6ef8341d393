"""The noise that follows from a device's characterisation, gate by gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, TypeVar

from aqt_fast._texts import one_line
from aqt_fast._warnings import warn_caller
from aqt_fast.backends.offline.gate_noise import GateNoise
from aqt_fast.backends.offline.noise_settings import NoiseSettings
from aqt_fast.backends.offline.relaxation import Relaxation
from aqt_fast.devices import Characterisation, Measured
from aqt_fast.exceptions import UnusableFiguresError

_Place = TypeVar("_Place", tuple[int], tuple[int, int])


class CharacterisationWarning(UserWarning):
    """Figures of a device contradict each other. The warning says what was taken instead."""


@dataclass(frozen=True)
class DeviceNoise:
    """Noise of each gate on each qubit or pair, and of the measurement. rz has no noise.

    An rz is virtual on AQT's devices: it changes the phase of later pulses, and takes no time.
    """

    device: Characterisation
    """The figures from which the noise follows."""
    settings: NoiseSettings
    """How it follows."""
    relaxation: Relaxation | None
    """What time does to each qubit; None if nothing."""
    r: Mapping[int, GateNoise] = field(compare=False)
    """By qubit."""
    rxx: Mapping[tuple[int, int], GateNoise] = field(compare=False)
    """By pair, the lower qubit first. The noise is the same for both orders."""
    readout_error: float = field(compare=False)
    """Probability of a wrong outcome, the same for 0 and 1 and for all qubits."""

    @classmethod
    def of(cls, device: Characterisation, settings: NoiseSettings) -> DeviceNoise:
        """Make the noise of a device.

        Args:
            device: what is known of it.
            settings: how to make it.

        Raises:
            UnusableFiguresError: figures are missing or too low.

        Warns:
            CharacterisationWarning: T2 is above 2 T1, which physics forbids: 2 T1 is taken. Or
                relaxation alone makes gates worse than reported: their qubits relax for less time.
        """
        figures = _Figures(device, settings)
        r, rxx = figures.r(), figures.rxx()
        fidelity = figures.present("spam_fidelity", device.spam_fidelity)
        relaxation = figures.relaxation()
        durations = figures.duration("r"), figures.duration("rxx")
        if figures.problems:
            raise UnusableFiguresError(device.resource_id, figures.problems)

        def noise(fidelity: float, num_qubits: int) -> GateNoise:
            duration = durations[num_qubits - 1]
            return GateNoise.of_fidelity(
                fidelity, num_qubits, duration=duration, relaxation=relaxation
            )

        found = cls(
            device,
            settings,
            relaxation,
            {qubit: noise(fidelity, 1) for qubit, fidelity in r.items()},
            {pair: noise(fidelity, 2) for pair, fidelity in rxx.items()},
            1 - fidelity,
        )
        found._tell_shorter(*durations)
        return found

    @property
    def durations(self) -> tuple[float, float]:
        """How long r and rxx take, in seconds; 0 if it is unknown."""
        return self.device.r_duration or 0.0, self.device.rxx_duration or 0.0

    @property
    def origin(self) -> dict[str, Any]:
        """Device, time of its figures and settings, in JSON's types."""
        device = self.device
        return {
            "resource_id": device.resource_id,
            "workspace_id": device.workspace_id,
            "updated_at": device.updated_at and device.updated_at.isoformat(),
            "fetched_at": device.fetched_at and device.fetched_at.isoformat(),
            **self.settings.to_dict(),
        }

    def to_dict(self) -> dict[str, Any]:
        """Return figures and settings in JSON's types: the same noise can be made of them."""
        return {"device": self.device.to_dict(), "settings": self.settings.to_dict()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> DeviceNoise:
        """Make the noise that :meth:`to_dict` has described.

        Raises:
            InvalidInputError: it is none.
            LookupError: something is missing.
            TypeError: the settings have another field.
        """
        settings = NoiseSettings(**content["settings"])
        return cls.of(Characterisation.from_dict(content["device"]), settings)

    def _tell_shorter(self, r_duration: float, rxx_duration: float) -> None:
        shorter = [
            f"r on {qubit}" for qubit, noise in self.r.items() if noise.duration < r_duration
        ]
        shorter += [
            f"rxx on {a}, {b}"
            for (a, b), noise in self.rxx.items()
            if noise.duration < rxx_duration
        ]
        if shorter:
            _warn(
                self.device,
                "T1, T2 and the durations alone make gates worse than reported "
                f"({_some(shorter)}); their qubits relax for less time",
            )


class _Figures:
    """Reads the figures that noise needs, and collects what is wrong with them."""

    def __init__(self, device: Characterisation, settings: NoiseSettings) -> None:
        self._device = device
        self._settings = settings
        self.problems: list[str] = []

    def present(self, name: str, value: float | None) -> float:
        """Return a figure, or 1 if it is missing."""
        if value is None:
            self.problems.append(f"{name} is missing")
            return 1.0
        return value

    def r(self) -> dict[int, float]:
        """Return the process fidelity of r on each qubit."""
        qubits = range(self._device.num_qubits)
        reported = {(qubit,): self._device.r_fidelity.get(qubit) for qubit in qubits}
        return {qubit: found for (qubit,), found in self._fidelities("r", reported).items()}

    def rxx(self) -> dict[tuple[int, int], float]:
        """Return the process fidelity of rxx on each pair of qubits."""
        pairs = combinations(range(self._device.num_qubits), 2)
        reported = {pair: self._device.rxx_fidelity_of(*pair) for pair in pairs}
        return self._fidelities("rxx", reported)

    def _fidelities(
        self, gate: str, reported: Mapping[_Place, Measured | None]
    ) -> dict[_Place, float]:
        """Return process fidelities by place; 1 where there is a problem."""
        missing: list[_Place] = []
        fidelities: dict[_Place, float] = {}
        for place, measured in reported.items():
            size = len(place)
            # Of a gate that depolarises completely; what is below is no depolarising noise.
            least = self._settings.reported_fidelity(1 / 4**size, size)
            fidelities[place] = 1.0
            if measured is None:
                missing.append(place)
            elif measured.value < least:
                self.problems.append(
                    f"{gate}_fidelity of {_named([place])} is {measured.value}, below {least:g}: "
                    "that is no noise"
                )
            else:
                fidelities[place] = self._settings.process_fidelity(measured.value, size)
        if missing:
            every = len(missing) == len(reported) > 1
            places = _named(missing, every=every)
            self.problems.append(f"{gate}_fidelity of {places} is missing")
        return fidelities

    def duration(self, gate: str) -> float:
        """Return the duration of r or rxx in seconds, as far as it is needed."""
        needless = gate == "rxx" and self._device.num_qubits == 1
        if not self._settings.relaxation or needless:
            return 0.0
        name = f"{gate}_duration"
        return self.present(name, getattr(self._device, name))

    def relaxation(self) -> Relaxation | None:
        """Return how qubits relax; None if they do not.

        Warns:
            CharacterisationWarning: T2 is above 2 T1.
        """
        if not self._settings.relaxation:
            return None
        t1 = self.present("t1", _value(self._device.t1))
        t2 = self.present("t2", _value(self._device.t2))
        if t2 > 2 * t1 and None not in (self._device.t1, self._device.t2):
            _warn(
                self._device,
                f"T2 is {t2} s, but at most 2 T1 = {2 * t1} s is possible, which is taken",
            )
        return Relaxation(t1, min(t2, 2 * t1))


def _warn(device: Characterisation, contradiction: str) -> None:
    warn_caller(f"{one_line(device.resource_id)}: {contradiction}", CharacterisationWarning)


def _value(measured: Measured | None) -> float | None:
    return None if measured is None else measured.value


def _named(places: Sequence[tuple[int, ...]], *, every: bool = False) -> str:
    """Name qubits or pairs for people, some of them if they are many."""
    word = "qubit" if len(places[0]) == 1 else "pair"
    if every:
        return f"all {word}s"
    texts = [", ".join(map(str, place)) for place in places]
    if len(texts) == 1:
        return f"{word} {texts[0]}"
    return f"{word}s " + _some(texts if word == "qubit" else [f"({text})" for text in texts])


def _some(items: list[str], most: int = 3) -> str:
    more = len(items) - most
    return ", ".join(items[:most]) + (f" and {more} more" if more > 0 else "")
