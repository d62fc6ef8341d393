"""The options of ``run``: those of ours, other providers' that change nothing, and unknown ones."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aqt_fast._warnings import warn_caller
from aqt_fast.aqt_options import AQTOptions, suggestion
from aqt_fast.backends.admission import TIGHTENING, tightest
from aqt_fast.exceptions import InvalidOptionError, UnknownOptionError


class UnknownOptionWarning(UserWarning):
    """``run`` got an option that backends do not know; it has no effect."""


def job_options(
    present: AQTOptions, given: Mapping[str, Any], *, refuses: bool, own: Iterable[str] = ()
) -> AQTOptions:
    """Return the options of a job.

    Args:
        present: the backend's options.
        given: what ``run`` got; None stands for the backend's own value. Of limits, the tightest
            counts.
        refuses: whether an unknown option is an error.
        own: further arguments of this backend's ``run``, for suggestions.

    Raises:
        InvalidOptionError: an option has an invalid value, or asks for what no AQT device does.
        UnknownOptionError: there is no such option, and ``refuses`` is set.

    Warns:
        UnknownOptionWarning: there is no such option.
    """
    options = copy.copy(present)
    for name, value in given.items():
        if name in options:
            if value is not None:
                options[name] = value
            if name in TIGHTENING:
                options[name] = tightest(name, present[name], options[name])
        elif name in _SYNONYMS:
            if value is not None:
                options[_SYNONYMS[name]] = value
        elif not (changes_nothing(name, value) or (name in _ELSEWHERE and value is None)):
            meant, elsewhere = suggestion(name, [*options, *own]), _ELSEWHERE.get(name)
            if refuses:
                raise UnknownOptionError(name, value, meant, elsewhere)
            hint = "" if meant is None else f"; did you mean '{meant}'?"
            message = f"option '{name}' is unknown and has no effect{hint}"
            if elsewhere is not None:
                message = f"option '{name}' is for {elsewhere} only, and has no effect"
            warn_caller(message, UnknownOptionWarning)
    return options


def changes_nothing(name: str, value: Any) -> bool:
    """Whether an option of other providers asks for what happens anyway.

    Returns:
        False if no provider is known to have such an option.

    Raises:
        InvalidOptionError: it asks for something else.
    """
    if name not in _OTHER_PROVIDERS:
        return False
    option = _OTHER_PROVIDERS[name]
    if value is not None and not option.holds(value):
        raise InvalidOptionError(name, value, option.expected)
    return True


class _Option(NamedTuple):
    """An option of other providers, of which AQT's devices know one value."""

    holds: Callable[[Any], bool]
    """Whether a value, not None, asks for what happens anyway."""
    expected: str
    """Completes "the option must be …"."""


def _equals(*values: Any) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        plain = getattr(value, "value", value)  # of Qiskit's enumerations
        return any(plain == known for known in values)

    return holds


def _never(_: Any) -> bool:
    return False


def _is_empty(value: Any) -> bool:
    return not value or (isinstance(value, list | tuple) and not any(value))


_OTHER_PROVIDERS: dict[str, _Option] = {
    "dynamic": _Option(_equals(False), "False: AQT devices run no dynamic circuits"),
    "init_qubits": _Option(_equals(True), "True: every shot starts in |0⟩"),
    "meas_level": _Option(_equals(2), "2: AQT devices return classified outcomes"),
    "meas_return": _Option(
        _equals("avg", "average", "single"),
        "'avg' or 'single': both give counts, and memory=True gives each shot",
    ),
    "noise_model": _Option(
        _never, "None: backend.simulator.set_options(noise_model=…) of an offline simulator sets it"
    ),
    "parameter_binds": _Option(_is_empty, "None: bind parameters with assign_parameters()"),
    "rep_delay": _Option(_never, "None: the device sets the time between shots"),
    "rep_time": _Option(_never, "None: the device sets the time between shots"),
    "use_measure_esp": _Option(_equals(False), "False: AQT devices have one kind of measurement"),
}

_ELSEWHERE = {"executor": "offline simulators"}
"""Options of some backends, and which those are."""

_SYNONYMS = {"job_name": "label", "job_tags": "tags"}
"""Other providers' names of our options."""
