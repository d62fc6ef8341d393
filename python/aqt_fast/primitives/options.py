"""The options of primitives: their own, and those of their jobs."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields, replace
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar, get_args

import numpy as np
from qiskit import transpile

from aqt_fast._pickles import AnyProtocol
from aqt_fast.aqt_options import (
    MOST_SHOTS,
    AQTOptions,
    Integer,
    Number,
    RunOptions,
    checked_integer,
    suggestion,
)
from aqt_fast.aqt_resource import AQTResource, OfflineSimulatorResource
from aqt_fast.exceptions import InvalidInputError, InvalidOptionError

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

T = TypeVar("T", bound="PrimitiveOptions")

Grouping = Literal["auto", "qubit_wise", "general", "none"]
"""Which Pauli terms an estimator measures in the same shots."""

Variances = Literal["bound", "average"]
"""Which variances an estimator's numbers of shots are for."""


class TranspileOptions(TypedDict, total=False):
    """What ``set_transpile_options`` of a primitive takes."""

    optimization_level: Integer
    """Level of :func:`aqt_fast.compile`, 0 to 3."""


class PrimitiveArguments(RunOptions, total=False):
    """What all primitives are made with: options of their own, and those of their jobs."""

    run_options: RunOptions | None
    """Options of its jobs in a dict of their own; those next to it come first."""

    executor: Executor | None
    """Its workers simulate, on an offline simulator."""


class SamplerArguments(PrimitiveArguments, total=False):
    """What a sampler is made with."""

    default_shots: Integer
    """Repetitions of PUBs without their own, 1 to 2³¹ − 1; the same as ``shots``. Default: 1024."""


class EstimatorArguments(PrimitiveArguments, total=False):
    """What an estimator is made with: see :class:`AQTEstimator`."""

    default_precision: Number
    """Target standard error of PUBs without their own, more than 0. Default: 1/64."""

    grouping: Grouping
    """Which terms are measured in the same shots. Default: ``"auto"``."""

    variances: Variances
    """Which variances the numbers of shots are for. Default: ``"bound"``."""

    adaptive: bool
    """Whether a pilot measures variances first. Default: False."""

    abelian_grouping: bool
    """If False, each term is measured alone, as with ``grouping="none"``. Default: True."""


_NOT_OF_JOBS = ("shots", "seed_simulator", "optimization_level")
"""Options of jobs that primitives set themselves."""

_TRANSPILE = frozenset(inspect.signature(transpile).parameters)


@dataclass
class PrimitiveOptions:
    """What the options of all primitives have in common. They may be changed at any time."""

    seed_simulator: int | None = None
    """Seed of simulations in this process, None for a new one each time."""

    optimization_level: int = 2
    """Level of :func:`aqt_fast.compile`, 0 to 3. With 0, gates stay as they are written."""

    run_options: RunOptions | None = None
    """Options of its jobs, see :class:`~aqt_fast.AQTOptions`."""

    executor: Executor | None = field(default=None, repr=False)
    """Its workers simulate, on an offline simulator; neither saved nor pickled."""

    def __setattr__(self, name: str, value: Any) -> None:
        """Refuse options that do not exist: a misspelt one would run something else.

        Raises:
            AttributeError: there is no such option; the message suggests one.
        """
        known = [option.name for option in fields(self)]
        if name not in known:
            raise AttributeError(_unknown("option", name, known))
        super().__setattr__(name, value)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "executor": None}


@dataclass
class SamplerOptions(PrimitiveOptions):
    """The options of a sampler."""

    default_shots: int = 1024
    """Repetitions of PUBs without their own."""


@dataclass
class EstimatorOptions(PrimitiveOptions):
    """The options of an estimator."""

    default_precision: float = 0.015625
    """Target standard error of PUBs without their own."""

    grouping: Grouping = "auto"
    """Which terms are measured in the same shots: see :class:`AQTEstimator`."""

    variances: Variances = "bound"
    """Which variances the numbers of shots are for: see :class:`AQTEstimator`."""

    adaptive: bool = False
    """Whether a pilot measures variances first: see :class:`AQTEstimator`."""

    abelian_grouping: bool = True
    """If False, each term is measured alone, as with ``grouping="none"``."""


def sampler_options(options: SamplerArguments | None) -> SamplerOptions:
    """Sort the options that a sampler is made with.

    Raises:
        InvalidInputError: an option is unknown, or its value is invalid.
    """
    given = _with_own(options)
    if "shots" in given:
        given.setdefault("default_shots", given.pop("shots"))
    return _checked_sampler(_sorted(SamplerOptions, given))


def sampler_options_of_run(options: SamplerOptions) -> SamplerOptions:
    """Return the options of one call of ``run``: they may have changed since.

    Raises:
        InvalidOptionError: an option has an invalid value.
    """
    given = _with_own({"run_options": options.run_options})
    if "shots" in given:
        given["default_shots"] = given.pop("shots")
    return _checked_sampler(replace(options, **given))


def _checked_sampler(options: SamplerOptions) -> SamplerOptions:
    """Check the values that :func:`options_of_job` does not check.

    Raises:
        InvalidOptionError: one is invalid.
    """
    options.default_shots = _shots(options.default_shots)
    options.optimization_level = _level(options.optimization_level)
    return options


def estimator_options(options: EstimatorArguments | None) -> EstimatorOptions:
    """Sort the options that an estimator is made with.

    Raises:
        InvalidInputError: an option is unknown, or its value is invalid.
    """
    given = _with_own(options)
    if "shots" in given:
        given.setdefault("default_precision", 1 / math.sqrt(_shots(given.pop("shots"))))
    return _checked_estimator(_sorted(EstimatorOptions, given))


def estimator_options_of_run(options: EstimatorOptions) -> EstimatorOptions:
    """Return the options of one call of ``run``: they may have changed since.

    Raises:
        InvalidOptionError: an option has an invalid value.
    """
    given = _with_own({"run_options": options.run_options})
    if "shots" in given:
        given["default_precision"] = 1 / math.sqrt(_shots(given.pop("shots")))
    return _checked_estimator(replace(options, **given))


def _checked_estimator(options: EstimatorOptions) -> EstimatorOptions:
    """Check the values that :func:`options_of_job` does not check.

    Raises:
        InvalidOptionError: one is invalid.
    """
    options.default_precision = checked_precision("default_precision", options.default_precision)
    for name, values in (("grouping", get_args(Grouping)), ("variances", get_args(Variances))):
        value = getattr(options, name)
        if value not in values:
            raise InvalidOptionError(name, value, f"one of {', '.join(map(repr, values))}")
    for name in ("adaptive", "abelian_grouping"):
        if not isinstance(value := getattr(options, name), bool):
            raise InvalidOptionError(name, value, "True or False")
    options.optimization_level = _level(options.optimization_level)
    return options


def checked_precision(name: str, value: Any) -> float:
    """Return a target standard error.

    Args:
        name: of the option or argument.
        value: what the user has given.

    Raises:
        InvalidOptionError: it is not a finite number greater than 0.
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not is_number or not math.isfinite(value) or value <= 0:
        raise InvalidOptionError(name, value, "a finite number greater than 0")
    return float(value)


def options_of_job(
    backend: AQTResource, options: PrimitiveOptions, shots: int | Sequence[int]
) -> AQTOptions:
    """Return the options of a primitive's job, without a progress bar unless asked for.

    Args:
        backend: where it will run.
        options: the primitive's.
        shots: repetitions of each circuit.

    Raises:
        InvalidOptionError: an option has an invalid value, or a device has no such option.

    Warns:
        UnknownOptionWarning: a simulator has no such option.
    """
    given: dict[str, Any] = {
        "with_progress_bar": False,
        "memory": True,
        **(options.run_options or {}),
        "seed_simulator": options.seed_simulator,
        "optimization_level": options.optimization_level,
        "shots": shots,
    }
    AQTOptions(memory=given["memory"])
    given["memory"] = True  # simulators keep the order of shots only if they are asked to
    if not isinstance(backend, OfflineSimulatorResource):
        given["executor"] = options.executor
    return backend.options_of_job(given)


def _with_own(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Move what primitives set themselves out of ``run_options``; options next to it come first.

    Raises:
        InvalidInputError: the options are no mapping.
    """
    if not isinstance(options, Mapping | None):
        raise InvalidInputError(f"options must be a dict, not of type '{type(options).__name__}'")
    given = dict(options or {})
    run_options = given.get("run_options")
    if not isinstance(run_options, Mapping | None):
        raise InvalidOptionError("run_options", run_options, "a dict of options")
    inside = dict(run_options or {})
    for name in ("shots", "seed_simulator", "optimization_level", "executor"):
        value = inside.pop(name, None)
        if value is not None:
            given.setdefault(name, value)
    if "run_options" in given:
        given["run_options"] = inside or None
    return given


def _shots(value: Any) -> int:
    return checked_integer("shots", value, 1, MOST_SHOTS)


class Primitive(AnyProtocol):
    """What sampler and estimator have in common: backend, compiling, copies and pickles."""

    _backend: AQTResource
    _options: Any

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__.update(vars(self), _options=replace(self._options))
        return copied

    @property
    def backend(self) -> AQTResource:
        """Where circuits run."""
        return self._backend

    @property
    def transpile_options(self) -> dict[str, Any]:
        """How circuits are compiled: the option ``optimization_level``."""
        return {"optimization_level": self._options.optimization_level}

    def set_transpile_options(self, **options: Unpack[TranspileOptions]) -> None:
        """Change how circuits are compiled from the next :meth:`run` on.

        Args:
            options: ``optimization_level``, 0 to 3, the level of :func:`aqt_fast.compile`.

        Raises:
            InvalidInputError: there is no such option. For other arguments of ``qiskit.transpile``,
                transpile circuits before they run.
            InvalidOptionError: ``optimization_level`` is not a number from 0 to 3.
        """
        for name in options:
            if name != "optimization_level":
                raise InvalidInputError(_unknown_of_transpile(name))
        if options:
            self._options.optimization_level = _level(options["optimization_level"])


def _unknown_of_transpile(name: str) -> str:
    if name in _TRANSPILE:
        return (
            f"primitives compile circuits themselves, without '{name}': run what qiskit.transpile "
            "has made with it, at optimization_level=0"
        )
    return _unknown("transpile option", name, ["optimization_level"])


def checked_backend(backend: Any) -> AQTResource:
    """Return an AQT backend.

    Raises:
        InvalidInputError: it is something else.
    """
    if not isinstance(backend, AQTResource):
        found = type(backend).__name__
        raise InvalidInputError(f"expected an AQT backend, not an object of type '{found}'")
    return backend


def _sorted(kind: type[T], given: dict[str, Any]) -> T:
    known = [item.name for item in fields(kind)]
    of_jobs = [name for name in AQTOptions() if name not in _NOT_OF_JOBS]
    for name in given:
        if name not in (*known, *of_jobs):
            raise InvalidInputError(_unknown("option", name, [*known, "shots", *of_jobs]))
    flat = {name: given.pop(name) for name in of_jobs if name in given}
    checked = AQTOptions(**flat)
    run_options: Any = {
        **(given.pop("run_options", None) or {}),
        **{name: checked[name] for name in flat},
    }
    if "optimization_level" in given:
        given["optimization_level"] = _level(given["optimization_level"])
    return kind(**given, run_options=run_options or None)


def _unknown(kind: str, name: str, known: Sequence[str]) -> str:
    meant = suggestion(name, known)
    hint = "" if meant is None else f"; did you mean '{meant}'?"
    return f"there is no {kind} '{name}', only {', '.join(known)}{hint}"


def _level(value: Any) -> int:
    return checked_integer("optimization_level", value, 0, 3)
