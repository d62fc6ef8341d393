"""Fast Qiskit provider for AQT's trapped-ion quantum computers.

The names below load their modules when first used, so that importing the package costs next to
nothing on top of importing Qiskit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from aqt_fast._native import __version__

if TYPE_CHECKING:
    from aqt_fast.aqt_job import AQTJob, Progress
    from aqt_fast.aqt_options import AQTOptions
    from aqt_fast.aqt_provider import AQTProvider
    from aqt_fast.aqt_resource import execute
    from aqt_fast.compiler import compile  # noqa: A004

__all__ = ["AQTJob", "AQTOptions", "AQTProvider", "Progress", "__version__", "compile", "execute"]

_MODULES = {
    "AQTJob": "aqt_fast.aqt_job",
    "AQTOptions": "aqt_fast.aqt_options",
    "AQTProvider": "aqt_fast.aqt_provider",
    "Progress": "aqt_fast.aqt_job",
    "compile": "aqt_fast.compiler",
    "execute": "aqt_fast.aqt_resource",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
