"""Connections to a local server, as tests need them: impatient, without a progress bar.

Each call stands for another program: it shares nothing with those before it.
"""

from __future__ import annotations

from typing import Any

from aqt_fast import AQTProvider
from aqt_fast.aqt_resource import AQTDirectAccessResource, AQTResource
from aqt_fast.testing import ArnicaServer

READ_TIMEOUT = 2.0
"""Seconds without an answer after which a connection gives up: faults are slower than that."""
QUIET = {"query_period_seconds": 0.1, "with_progress_bar": False}
"""Options of jobs: the shortest period, and nothing on standard error."""


def connect(server: ArnicaServer, token: str | None = None, **settings: Any) -> AQTProvider:
    """A provider on the server's portal, with the server's own token unless another is given."""
    settings = {"portal_url": server.url, "read_timeout": READ_TIMEOUT, **settings}
    return AQTProvider(server.token if token is None else token, load_dotenv=False, **settings)


def device_of(provider: AQTProvider, name: str = "simulator_ideal", **options: Any) -> AQTResource:
    """A resource of the portal."""
    device = provider.get_backend(name)
    device.set_options(**QUIET, **options)
    return device


def machine_of(
    provider: AQTProvider, server: ArnicaServer, **options: Any
) -> AQTDirectAccessResource:
    """The server's machine, by direct access."""
    machine = provider.get_direct_access_backend(server.direct_url)
    machine.set_options(**QUIET, **options)
    return machine
