"""A real local server for tests of code that uses AQT's machines.

::

    from aqt_fast.testing import ArnicaServer

    with ArnicaServer() as server:
        provider = AQTProvider(server.token, portal_url=server.url)

``ServerControl`` steers a server in another process, such as that of ``aqt-fast serve``.

With ``pytest_plugins = ["aqt_fast.testing"]`` in the topmost ``conftest.py``, each test that uses
the fixture ``arnica_server`` gets a fresh server. Requires the ``server`` extra.

PYTEST_DONT_REWRITE: the module has no assertions, and tests import it before pytest does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

try:
    from aqt_fast.server.arnica import ArnicaServer
    from aqt_fast.server.control_client import FaultsControl, ServerControl
    from aqt_fast.server.faults import KINDS, ODD_KINDS, Faults, InjectedFault
    from aqt_fast.server.limits import Limits
    from aqt_fast.server.record import AcceptedJob, count_runs
    from aqt_fast.server.request_log import ServedRequest
    from aqt_fast.server.sampler import circuit_digest
    from aqt_fast.server.workspaces import Durations, Resource, Workspace, default_workspaces
except ImportError as error:
    raise ImportError(f"{error}; install aqt-fast[server]") from error

__all__ = [
    "AcceptedJob",
    "ArnicaServer",
    "Durations",
    "Faults",
    "FaultsControl",
    "InjectedFault",
    "KINDS",
    "Limits",
    "ODD_KINDS",
    "Resource",
    "ServedRequest",
    "ServerControl",
    "Workspace",
    "circuit_digest",
    "count_runs",
    "default_workspaces",
]

with suppress(ImportError):
    # The server is useful without pytest, too.
    import pytest

    @pytest.fixture
    def arnica_server() -> Iterator[ArnicaServer]:
        """Start a local server with the default workspaces and without device time."""
        with ArnicaServer() as server:
            yield server


def __dir__() -> list[str]:
    return sorted({*__all__, "arnica_server"} & globals().keys())
