"""Fast Qiskit provider for AQT's trapped-ion quantum computers.

The names below load their modules on first use: importing the package adds next to nothing to
the time that importing Qiskit takes.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from aqt_fast._lazy import lazy_names
from aqt_fast._native import __version__

if TYPE_CHECKING:
    from aqt_fast.aqt_job import AQTJob, Progress
    from aqt_fast.aqt_options import AQTOptions, RunOptions
    from aqt_fast.aqt_provider import AQTProvider, JobsTable
    from aqt_fast.aqt_resource import AQTResource, execute
    from aqt_fast.compiler import compile as compile  # noqa: A004
    from aqt_fast.devices import Characterisation, PriceList

__all__ = [
    "AQTJob",
    "AQTOptions",
    "AQTProvider",
    "AQTResource",
    "Characterisation",
    "JobsTable",
    "PriceList",
    "Progress",
    "RunOptions",
    "__version__",
    "execute",
]
# Without `compile`, so that `from aqt_fast import *` leaves Python's own.


def _job() -> ModuleType:
    from aqt_fast import aqt_job

    return aqt_job


def _options() -> ModuleType:
    from aqt_fast import aqt_options

    return aqt_options


def _provider() -> ModuleType:
    from aqt_fast import aqt_provider

    return aqt_provider


def _devices() -> ModuleType:
    from aqt_fast import devices

    return devices


def _resource() -> ModuleType:
    from aqt_fast import aqt_resource

    return aqt_resource


def _compiler() -> ModuleType:
    from aqt_fast import compiler

    return compiler


__getattr__ = lazy_names(
    __name__,
    {
        "AQTJob": _job,
        "AQTOptions": _options,
        "AQTProvider": _provider,
        "AQTResource": _resource,
        "Characterisation": _devices,
        "JobsTable": _provider,
        "PriceList": _devices,
        "Progress": _job,
        "RunOptions": _options,
        "compile": _compiler,
        "execute": _resource,
    },
)


def __dir__() -> list[str]:
    return sorted([*__all__, "compile"])
