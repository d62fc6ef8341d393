"""What the tests of the peer 2.x find in place of its private parts: makes our public objects."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from aqt_fast.v2.resources import OfflineSimulatorResource

OBSTACLES: dict[str, dict[str, Any]] = {
    "_offline_sim.resource": {"OfflineSimulatorResource": OfflineSimulatorResource},
}

_PATIENCE = 10
"""The suite gives its servers 8 s to start: too short for a busy machine."""


def prepare() -> None:
    """Give the token in our way; the suite patches a function that the peer calls."""
    os.environ["AQT_TOKEN"] = "arnica_token"  # noqa: S105 - as in the suite
    servers = sys.modules.get("test.acceptance.conftest")
    if servers is not None:
        wait: Callable[[str, float], bool] = servers._wait_for  # noqa: SLF001 - the suite's own
        servers._wait_for = lambda url, timeout: wait(url, timeout * _PATIENCE)  # noqa: SLF001
