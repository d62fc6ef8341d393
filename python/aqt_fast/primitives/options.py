"""The options of primitives: Qiskit's, those of their jobs, and how they transpile."""

from __future__ import annotations

import copy
import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeVar

from qiskit import transpile
from qiskit.primitives import backend_estimator_v2, backend_sampler_v2

from aqt_fast._pickles import AnyProtocol
from aqt_fast.aqt_options import MOST_SHOTS, AQTOptions, checked_integer, suggestion
from aqt_fast.exceptions import InvalidInputError

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T", bound="SamplerOptions | EstimatorOptions")

_NOT_OF_JOBS = ("shots", "memory", "seed_simulator", "optimization_level")
"""Options of jobs that primitives set themselves, and the one that they give to the transpiler."""

_TRANSPILE = frozenset(inspect.signature(transpile).parameters) - {"circuits", "backend", "target"}


@dataclass
class SamplerOptions(backend_sampler_v2.Options):
    """The options of a sampler: those of Qiskit's."""

    default_shots: int = 1024
    """Repetitions of PUBs without their own."""

    run_options: dict[str, Any] | None = None
    """Options of its jobs, see :class:`~aqt_fast.AQTOptions`."""


@dataclass
class EstimatorOptions(backend_estimator_v2.Options):
    """The options of an estimator: those of Qiskit's, and ``run_options``."""

    run_options: dict[str, Any] | None = None
    """Options of its jobs, see :class:`~aqt_fast.AQTOptions`."""


def sampler_options(options: Mapping[str, Any] | None) -> tuple[SamplerOptions, dict[str, Any]]:
    """Sort the options that a sampler is made with.

    Returns:
        Its options, and those of ``qiskit.transpile``.

    Raises:
        InvalidInputError: an option is unknown, or its value is invalid.
    """
    given = dict(options or {})
    _take_own(given)
    _drop_memory(given)
    if "shots" in given:
        given.setdefault("default_shots", _shots(given.pop("shots")))
    return _sorted(SamplerOptions, given)


def sampler_options_of_run(options: SamplerOptions) -> SamplerOptions:
    """Return the options of one call of ``run``: ``run_options`` may have changed since.

    Raises:
        InvalidOptionError: ``run_options`` have an invalid number of shots.
    """
    given: dict[str, Any] = {"run_options": options.run_options}
    _take_own(given)
    _drop_memory(given)
    if "shots" in given:
        given["default_shots"] = _shots(given.pop("shots"))
    return replace(options, **given)


def estimator_options(
    options: Mapping[str, Any] | None,
) -> tuple[EstimatorOptions, dict[str, Any]]:
    """Sort the options that an estimator is made with.

    Returns:
        Its options, and those of ``qiskit.transpile``.

    Raises:
        InvalidInputError: an option is unknown, or its value is invalid.
    """
    given = dict(options or {})
    _take_own(given)
    if "shots" in given:
        given.setdefault("default_precision", 1 / math.sqrt(_shots(given.pop("shots"))))
    return _sorted(EstimatorOptions, given)


def estimator_options_of_run(options: EstimatorOptions) -> EstimatorOptions:
    """Return the options of one call of ``run``: ``run_options`` may have changed since.

    Raises:
        InvalidOptionError: ``run_options`` have an invalid number of shots.
    """
    given: dict[str, Any] = {"run_options": options.run_options}
    _take_own(given)
    if "shots" in given:
        given["default_precision"] = 1 / math.sqrt(_shots(given.pop("shots")))
    return replace(options, **given)


def _take_own(given: dict[str, Any]) -> None:
    """Move what primitives set themselves out of ``run_options``; options next to it come first."""
    inside = dict(given.get("run_options") or {})
    for name in ("shots", "seed_simulator"):
        value = inside.pop(name, None)
        if value is not None:
            given.setdefault(name, value)
    if "run_options" in given:
        given["run_options"] = inside or None


def _drop_memory(given: dict[str, Any]) -> None:
    """Drop ``memory``: a sampler always reads each shot.

    Raises:
        InvalidOptionError: it is not True or False.
    """
    for options in (given, given.get("run_options") or {}):
        value = options.pop("memory", None)
        if value is not None:
            AQTOptions(memory=value)


def _shots(value: Any) -> int:
    return checked_integer("shots", value, 1, MOST_SHOTS)


class Primitive(AnyProtocol):
    """What sampler and estimator have in common: how they transpile, copies and pickles."""

    _options: SamplerOptions | EstimatorOptions
    _transpile_options: dict[str, Any]

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__.update(vars(self), _options=copy.copy(self._options))
        return copied

    @property
    def transpile_options(self) -> dict[str, Any]:
        """The arguments of ``qiskit.transpile`` that it uses, a copy."""
        return dict(self._transpile_options)

    def set_transpile_options(self, **options: Any) -> None:
        """Change how circuits are transpiled from the next :meth:`run` on.

        Args:
            options: arguments of ``qiskit.transpile`` but circuits and backend, first of all
                ``optimization_level``, 0 to 3.

        Raises:
            InvalidInputError: ``qiskit.transpile`` has no such argument.
            InvalidOptionError: ``optimization_level`` is not a number from 0 to 3.
        """
        self._transpile_options = _changed(self._transpile_options, options)


def _changed(present: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of ``qiskit.transpile``, with some changed.

    Raises:
        InvalidInputError: ``qiskit.transpile`` has no such argument.
        InvalidOptionError: ``optimization_level`` is not a number from 0 to 3.
    """
    for name in changes:
        if name not in _TRANSPILE:
            raise InvalidInputError(_unknown("transpile option", name, sorted(_TRANSPILE)))
    level = changes.get("optimization_level")
    if level is not None:
        changes = {**changes, "optimization_level": _level(level)}
    return {**present, **changes}


def _sorted(kind: type[T], given: dict[str, Any]) -> tuple[T, dict[str, Any]]:
    known = [field.name for field in fields(kind)]
    of_jobs = [name for name in AQTOptions() if name not in _NOT_OF_JOBS]
    for name in given:
        if name not in (*known, *of_jobs, "optimization_level"):
            expected = [*known, "shots", "optimization_level", *of_jobs]
            raise InvalidInputError(_unknown("option", name, expected))
    flat = {name: given.pop(name) for name in of_jobs if name in given}
    checked = AQTOptions(**flat)
    transpiling = {"optimization_level": _level(given.pop("optimization_level", 0))}
    run_options = {
        **(given.pop("run_options", None) or {}),
        **{name: checked[name] for name in flat},
    }
    return kind(**given, run_options=run_options or None), transpiling


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    meant = suggestion(name, known)
    hint = "" if meant is None else f"; did you mean '{meant}'?"
    return f"there is no {kind} '{name}', only {', '.join(known)}{hint}"


def _level(value: Any) -> int:
    return checked_integer("optimization_level", value, 0, 3)
