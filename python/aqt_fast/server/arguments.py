"""The arguments of ArnicaServer, and what each may be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from aqt_fast.server import checks
from aqt_fast.server.clock import LATEST
from aqt_fast.server.limits import Limits
from aqt_fast.server.workspaces import Characterisation

_CHECKS: Mapping[str, checks.Check] = {
    "host": checks.text,
    "port": checks.integer(0, 65_535),
    "token": checks.optional(checks.token),
    "speed": checks.optional(checks.number(0, 1e12, above=True)),
    "virtual_time": checks.flag,
    "simulate": checks.flag,
    "identify_circuits": checks.optional(checks.flag),
    "seed": checks.integer(0),
    "compress": checks.flag,
    "characterisation": checks.choice(get_args(Characterisation)),
    "clock": checks.function,
    "token_lifetime": checks.number(0, checks.CENTURY, above=True),
    "pending": checks.integer(0),
    "poll_interval": checks.number(0, 86_400),
    "clients": checks.optional(checks.texts),
    "log_in": checks.optional(checks.flag),
    "console": checks.optional(checks.function),
    "requests": checks.optional(checks.function),
    "limits": checks.instance(Limits),
}


def check_arguments(arguments: Mapping[str, Any]) -> None:
    """Check those arguments that stand by themselves.

    Raises:
        InvalidOptionError: one has a wrong type, or is out of range.
    """
    for name, check in _CHECKS.items():
        check(name, arguments[name])
    checks.number(0, LATEST)("clock", arguments["clock"]())
