"""The backends: public names of ``aqt_fast.backends``."""

from aqt_fast.backends.admission import BackendStatusWarning
from aqt_fast.backends.base import AQTResource
from aqt_fast.backends.cloud.backend import CloudResource
from aqt_fast.backends.direct.backend import AQTDirectAccessResource
from aqt_fast.backends.offline.backend import OfflineSimulatorResource
from aqt_fast.backends.run_options import UnknownOptionWarning
from aqt_fast.backends.target import make_transpiler_target
from aqt_fast.backends.transpiling import execute

__all__ = [
    "AQTDirectAccessResource",
    "AQTResource",
    "BackendStatusWarning",
    "CloudResource",
    "OfflineSimulatorResource",
    "UnknownOptionWarning",
    "execute",
    "make_transpiler_target",
]
