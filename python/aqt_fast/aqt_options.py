"""Typed, validated options of backends and jobs."""

from __future__ import annotations

import copy
import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

import numpy as np
from qiskit.providers import Options

from aqt_fast._ids import LONGEST_LABEL
from aqt_fast._shots import SHOTS_PER_API_JOB, Shots
from aqt_fast.exceptions import FixedOptionError, InvalidOptionError, InvalidShotsError

if TYPE_CHECKING:
    from typing_extensions import Unpack

MOST_SHOTS = 2**31 - 1
"""Maximum number of shots of a circuit."""

_MOST_TAGS = 64


Integer: TypeAlias = "int | np.integer[Any]"
"""A whole number, also one of numpy's."""

Number: TypeAlias = "float | np.floating[Any] | np.integer[Any]"
"""A finite number, also one of numpy's."""


class WaitingOptions(TypedDict, total=False):
    """How to wait for a job. These options can be changed at any time, also of a job."""

    query_period_seconds: Number | None
    """Time between polls, at least 0.1 s. Default: 1."""

    query_timeout_seconds: Number | None
    """How long ``result()`` waits, more than 0 s, or None for no limit. Default: None."""

    with_progress_bar: bool | None
    """Show a progress bar on standard error once ``result()`` has waited for a second. Default:
    True."""


class FetchOptions(WaitingOptions, total=False):
    """The options of a job that was submitted before: those of ``provider.job()``."""

    shots: Integer | Iterable[Integer] | None
    """Repetitions, 1 to 2³¹ − 1: one number for all circuits; or one number for each circuit, in
    order, as a list, tuple or one-dimensional array. Such numbers are kept as a tuple, and there
    must be as many as circuits when a job is made; if they are all equal, the job's option is that
    number. Default: 100."""

    memory: bool | None
    """Also return the outcome of each shot, in order. Default: False."""

    journal: bool | None
    """Keep a journal of jobs in the cloud and on machines, from which
    :meth:`AQTJob.restore <aqt_fast.AQTJob.restore>` continues if this process ends. Default:
    True."""


class ExecuteOptions(FetchOptions, total=False):
    """The options of :func:`aqt_fast.execute`, which transpiles with a level of its own."""

    label: str | None
    """The job's label on the portal, 1 to 255 printable characters, or None for a unique one.
    Default: None."""

    tags: Iterable[str] | None
    """Up to 64 texts to find the job by, each of 1 to 255 printable characters. They stay on this
    computer. Default: none."""

    strict_angles: bool | None
    """Refuse circuits with angles outside AQT's ranges (r: θ ∈ [0, π] and φ ∈ [0, 2π], rxx:
    θ ∈ [0, π/2]) instead of folding them into these ranges. Default: False."""

    seed_simulator: Integer | None
    """Seed of simulations in this process, 0 to 2⁶³ − 1, or None for a new one each time. Devices
    ignore it. Default: None."""

    max_cost: Number | None
    """Refuse a job that may cost more, in the currency of the price list, more than 0. Without a
    price list it is refused, too. None for no limit. Default: None."""

    max_device_seconds: Number | None
    """Refuse a job that may take more seconds on the device, more than 0. The upper end of the
    estimate counts. None for no limit. Default: None."""

    max_shots: Integer | None
    """Refuse a job with more shots of all circuits together, 1 or more. It is read as
    ``options["max_shots"]``, for ``options.max_shots()`` is a method. None for no limit. Default:
    None."""

    require_online: bool | None
    """Ask the portal whether the device is online and its workspace takes jobs before anything is
    sent, and refuse the job if not. Default: False."""


class RunOptions(ExecuteOptions, total=False):
    """All options of a job, as ``run`` of a backend takes them; each may be left out.

    ``run`` takes the backend's own value for None. Where options are set, in
    :class:`AQTOptions` or by ``set_options``, None is a value of those alone that say so.
    """

    optimization_level: Integer | None
    """Compile circuits as :func:`aqt_fast.compile` does, with this level, 0 to 3. None takes
    circuits of AQT's gates only. Default: None."""


class AQTOptions(Options):
    """How to run circuits and how to wait for their results.

    Works like any ``qiskit.providers.Options``. Values are validated when they are assigned by
    attribute, by key or through ``update_options``. Limits of provider, backend and ``run`` hold
    together: the tightest counts. :class:`~aqt_fast.RunOptions` says what each option takes.

    Args:
        shots: repetitions.
        memory: also return the outcome of each shot.
        query_period_seconds: time between polls.
        query_timeout_seconds: how long ``result()`` waits.
        with_progress_bar: show a progress bar while ``result()`` waits.
        seed_simulator: seed of simulations in this process.
        label: the job's label on the portal.
        strict_angles: refuse angles outside AQT's ranges instead of folding them.
        journal: keep a journal, from which another process continues the job.
        tags: texts to find the job by.
        optimization_level: compile circuits of any gates, with this level.
        max_cost: refuse a job that may cost more.
        max_device_seconds: refuse a job that may take more seconds on the device.
        max_shots: refuse a job with more shots.
        require_online: refuse a job for a device that is not online.

    Raises:
        InvalidOptionError: a ``ValueError`` that names the option, the value and the range.
        AttributeError: there is no such option; the message suggests one.
    """

    if TYPE_CHECKING:
        shots: Shots
        memory: bool
        query_period_seconds: float
        query_timeout_seconds: float | None
        with_progress_bar: bool
        seed_simulator: int | None
        label: str | None
        strict_angles: bool
        journal: bool
        tags: tuple[str, ...]
        optimization_level: int | None
        max_cost: float | None
        max_device_seconds: float | None
        require_online: bool

    __slots__ = ()

    def __init__(self, **options: Unpack[RunOptions]) -> None:
        """Set options; those not given have their defaults."""
        super().__init__(**{name: default for name, (default, _) in _OPTIONS.items()})
        self.update_options(**options)

    def __setattr__(self, name: str, value: Any) -> None:
        self.update_options(**{name: value})

    def __setstate__(self, state: tuple[dict[str, Any], dict[str, Any]]) -> None:
        fields, validator = state
        # An older version may have pickled it, with fewer options.
        defaults = {name: default for name, (default, _) in _OPTIONS.items()}
        super().__setstate__(({**defaults, **fields}, validator))

    def update_options(self, **fields: Unpack[RunOptions]) -> AQTOptions:
        """Set several options: all of them, or none if one is invalid.

        Returns:
            These options.
        """
        checked = {}
        for name, value in fields.items():
            if name not in _OPTIONS:
                near = suggestion(name, _OPTIONS)
                hint = "" if near is None else f"; did you mean '{near}'?"
                raise AttributeError(
                    f"there is no option '{name}', only {', '.join(_OPTIONS)}{hint}"
                )
            _, check = _OPTIONS[name]
            checked[name] = check(name, value)
        super().update_options(**checked)
        return self

    @classmethod
    def max_shots(cls) -> int:
        """Return the maximum number of shots of one API job, 2000.

        The option ``shots`` takes more, which run as several API jobs. The option ``max_shots``,
        a limit for all shots of a job, is another thing: read it as ``options["max_shots"]``.
        """
        return SHOTS_PER_API_JOB


def checked_integer(name: str, value: Any, lowest: int, highest: int) -> int:
    """Return ``value`` as an ``int``, whatever integer type it has.

    Raises:
        InvalidOptionError: ``value`` is not an integer, or out of range.
    """
    number = _integer_or_none(value, lowest, highest)
    if number is None:
        raise InvalidOptionError(name, value, f"a whole number from {lowest} to {highest}")
    return number


def _integer_or_none(value: Any, lowest: int, highest: int) -> int | None:
    """Return ``value`` as an ``int``; None if it is not an integer, or out of range."""
    try:
        number = operator.index(value)
    except TypeError:
        return None
    fitting = lowest <= number <= highest and not isinstance(value, bool | np.bool_)
    return number if fitting else None


def checked_shots(value: Any, highest: int = MOST_SHOTS, circuits: int | None = None) -> Shots:
    """Return repetitions: an ``int``, or one for each circuit in a tuple.

    Args:
        value: an integer of any type, or any number of them: one for each circuit.
        highest: the largest number of repetitions.
        circuits: the number of circuits, None if it is not known yet.

    Raises:
        InvalidOptionError: ``value`` is not an integer, or out of range.
        InvalidShotsError: numbers are not integers, or out of range; or there are not as many as
            circuits.
    """
    expected = f"a whole number from 1 to {highest}"
    if isinstance(value, np.ndarray) and value.ndim > 1:
        found = f"an array of shape {value.shape}"
        raise InvalidShotsError(value, f"{expected}, or one for each circuit", found)
    single = isinstance(value, str | bytes | Mapping | AbstractSet) or not isinstance(
        value, Iterable
    )
    if single or (isinstance(value, np.ndarray) and not value.ndim):
        return checked_integer("shots", value, 1, highest)
    given = list(value)
    numbers = [_integer_or_none(item, 1, highest) for item in given]
    valid = tuple(number for number in numbers if number is not None)
    if len(valid) < len(given):
        invalid = {
            index: item
            for index, (item, number) in enumerate(zip(given, numbers, strict=True))
            if number is None
        }
        raise InvalidShotsError(value, f"{expected} for each circuit", invalid)
    if not valid:
        raise InvalidShotsError(value, f"{expected}, or one for each circuit", "an empty list")
    if circuits is not None and len(valid) != circuits:
        expected = f"one number for all or for each of the {circuits} circuits"
        raise InvalidShotsError(value, expected, f"{len(valid)} numbers")
    return valid


def _integer(lowest: int, highest: int) -> Callable[[str, Any], int]:
    return lambda name, value: checked_integer(name, value, lowest, highest)


def checked_seconds(name: str, value: Any, *, zero: bool = False) -> float:
    """Return a time of more than 0 s, or from 0 s if ``zero`` is set.

    Raises:
        InvalidOptionError: ``value`` is not a finite number, or too small.
    """
    if zero:
        return _number("a time of at least 0 s", lambda t: t >= 0)(name, value)
    return _number("a time of more than 0 s", lambda t: t > 0)(name, value)


def _number(expected: str, valid: Callable[[float], bool]) -> Callable[[str, Any], float]:
    def check(name: str, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool | str) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not (math.isfinite(number) and valid(number)):
            raise InvalidOptionError(name, value, expected)
        return number

    return check


def checked_flag(name: str, value: Any) -> bool:
    """Return a flag, whatever boolean type it has.

    Raises:
        InvalidOptionError: ``value`` is not True or False.
    """
    if not isinstance(value, bool | np.bool_):
        raise InvalidOptionError(name, value, "True or False")
    return bool(value)


def _label(name: str, value: Any) -> str:
    text = value if isinstance(value, str) else ""
    # A lone surrogate cannot be encoded and sent.
    if not 1 <= len(text) <= LONGEST_LABEL or not text.isprintable():
        expected = f"1 to {LONGEST_LABEL} printable characters, or None"
        raise InvalidOptionError(name, value, expected)
    return text


def _tags(name: str, value: Any) -> tuple[str, ...]:
    expected = f"up to {_MOST_TAGS} texts of 1 to {LONGEST_LABEL} printable characters"
    single = isinstance(value, str | bytes) or not isinstance(value, Iterable)
    tags = () if single else tuple(value)
    if single or len(tags) > _MOST_TAGS:
        raise InvalidOptionError(name, value, expected)
    try:
        return tuple(_label(name, tag) for tag in tags)
    except InvalidOptionError:
        raise InvalidOptionError(name, value, expected) from None


def suggestion(name: str, known: Iterable[str]) -> str | None:
    """Return the option that was probably meant, None if no known one is near.

    Args:
        name: what the user has written.
        known: the options that there are.
    """
    names = list(known)
    meant = _OTHER_NAMES.get(name.lower())
    if meant in names:
        return meant
    near = difflib.get_close_matches(name.lower(), names, n=1)
    return near[0] if near else None


_OTHER_NAMES = {
    "job_name": "label",
    "job_tags": "tags",
    "n_shots": "shots",
    "name": "label",
    "num_shots": "shots",
    "poll_interval": "query_period_seconds",
    "progress": "with_progress_bar",
    "progress_bar": "with_progress_bar",
    "repetitions": "shots",
    "seed": "seed_simulator",
    "show_progress": "with_progress_bar",
    "timeout": "query_timeout_seconds",
    "wait": "query_period_seconds",
}
"""What other packages call options, where the letters do not tell."""


def _or_none(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def check_unless_none(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return check_unless_none


_OPTIONS: dict[str, tuple[Any, Callable[[str, Any], Any]]] = {
    "shots": (100, lambda _, value: checked_shots(value)),
    "memory": (False, checked_flag),
    "query_period_seconds": (1.0, _number("a time of at least 0.1 s", lambda t: t >= 0.1)),
    "query_timeout_seconds": (
        None,
        _or_none(_number("a time of more than 0 s, or None", lambda t: t > 0)),
    ),
    "with_progress_bar": (True, checked_flag),
    "seed_simulator": (None, _or_none(_integer(0, 2**63 - 1))),
    "label": (None, _or_none(_label)),
    "strict_angles": (False, checked_flag),
    "journal": (True, checked_flag),
    "tags": ((), _tags),
    "optimization_level": (None, _or_none(_integer(0, 3))),
    "max_cost": (None, _or_none(_number("a finite number above 0, or None", lambda c: c > 0))),
    "max_device_seconds": (
        None,
        _or_none(_number("a time of more than 0 s, or None", lambda t: t > 0)),
    ),
    "max_shots": (None, _or_none(_integer(1, 2**63 - 1))),
    "require_online": (False, checked_flag),
}


class AQTDirectAccessOptions(AQTOptions):
    """The options of direct-access backends, the same as those of all backends.

    The machine answers when it is done: no polling is needed. Only a job that another process
    works on is checked every ``query_period_seconds``.
    """

    __slots__ = ()


def _is_kept_as(kept: Any, name: str, value: Any) -> bool:
    """Return whether an option that is given this value has the one that is kept."""
    try:
        return bool(_OPTIONS[name][1](name, value) == kept)
    except InvalidOptionError:
        return False


class JobOptions(AQTOptions):
    """The options of a job: how to wait can be changed at any time, how to run cannot.

    ``query_period_seconds`` takes effect within 2 s, ``query_timeout_seconds`` and
    ``with_progress_bar`` from the next call that waits. A copy, also by pickle, is an ordinary
    :class:`AQTOptions`.

    Raises:
        FixedOptionError: another option is to be changed.
    """

    __slots__ = ()

    @classmethod
    def of(cls, options: AQTOptions, shots: Shots) -> JobOptions:
        """Make the options of a new job, a copy of ``options`` with the job's shots."""
        direct = isinstance(options, AQTDirectAccessOptions)
        kind = cls.of_machines() if direct else cls
        made = kind.__new__(kind)
        made.__setstate__(({**options, "shots": shots}, {}))
        return made

    @classmethod
    def of_machines(cls) -> type[JobOptions]:
        """Return the class of the options of jobs on direct-access backends."""
        return DirectAccessJobOptions

    def update_options(self, **fields: Unpack[RunOptions]) -> AQTOptions:
        """Set several options: all of them, or none if one is invalid.

        Returns:
            These options.

        Raises:
            FixedOptionError: an option can be changed only before the job is made.
        """
        for name, value in fields.items():
            fixed = name in self and name not in WAITING_OPTIONS
            if fixed and not _is_kept_as(self[name], name, value):
                raise FixedOptionError(name, value)
        return super().update_options(**fields)

    def __copy__(self) -> AQTOptions:
        return AQTOptions(**self)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(copy.copy(self)), **self), ()


class DirectAccessJobOptions(JobOptions, AQTDirectAccessOptions):
    """The options of a job on a direct-access backend."""

    __slots__ = ()

    def __copy__(self) -> AQTDirectAccessOptions:
        return AQTDirectAccessOptions(**self)


WAITING_OPTIONS = WaitingOptions.__optional_keys__
"""Options that say how to wait."""
