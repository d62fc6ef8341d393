"""The names and module paths of ``qiskit-aqt-provider`` 2.x, with our backends and jobs behind.

A user of 2.x changes one import: ``from aqt_fast.v2 import AQTProvider``.

::

    aqt_provider        AQTProvider
    cloud               AQT's cloud: workspaces and their backends
    direct              machines in the same network
    offline             simulators in this process
    engine              our provider behind it
    resources           the backends
    jobs                the jobs: a failed or cancelled one raises
    persistence         saved jobs, those of 2.0.1 included
    exceptions          the errors, which are also errors of ``aqt_fast.exceptions``
    options             the options of ``run``
    primitives          sampler and estimator
    transpiler_plugin   the stage of ``qiskit.transpile``, and passes for pass managers of your own
    api_client          the requests to the portal, without Qiskit
    restoring           from a saved job to its handle
    versions            of this package and of Qiskit
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from aqt_fast._lazy import lazy_names
from aqt_fast._native import __version__

if TYPE_CHECKING:
    from aqt_fast.v2.aqt_provider import AQTProvider

__all__ = ["AQTProvider", "__version__"]


def _provider() -> ModuleType:
    from aqt_fast.v2 import aqt_provider

    return aqt_provider


__getattr__ = lazy_names(__name__, {"AQTProvider": _provider})


def __dir__() -> list[str]:
    return sorted(__all__)
