"""What all tests have in common, those of the pages and of the benchmarks included."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _own_home(monkeypatch, tmp_path_factory) -> None:
    """Nothing of the person who runs the tests is read or written."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in (
        "XDG_DATA_HOME",
        "AQT_STORE_PATH",
        "AQT_TOKEN",
        "AQT_PORTAL_URL",
        "AQT_DIRECT_URL",
    ):
        monkeypatch.delenv(name, raising=False)
