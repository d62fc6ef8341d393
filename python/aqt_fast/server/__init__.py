"""A local server of AQT's interfaces, for tests, demonstrations and benchmarks (extra ``server``).

:class:`aqt_fast.testing.ArnicaServer` starts it from Python, ``aqt-fast serve`` from the shell.
"""

from aqt_fast.server.arnica import ArnicaServer
from aqt_fast.server.faults import KINDS, Faults, InjectedFault
from aqt_fast.server.portal import AcceptedJob, Resource, Workspace, default_workspaces
from aqt_fast.server.sampling import circuit_digest

__all__ = [
    "AcceptedJob",
    "ArnicaServer",
    "Faults",
    "InjectedFault",
    "KINDS",
    "Resource",
    "Workspace",
    "circuit_digest",
    "default_workspaces",
]
