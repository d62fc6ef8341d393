"""What all tests have in common, those of the pages and of the benchmarks included."""

from __future__ import annotations

from collections.abc import Callable

import pytest

try:
    import hypothesis
except ImportError:  # the environments of tests/ecosystem do not have it, nor need it
    pass
else:
    # Examples may take any time: the machine may be busy.
    hypothesis.settings.register_profile("any time", deadline=None)
    hypothesis.settings.load_profile("any time")

_FIGURES = "figures"


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


@pytest.fixture
def figures(record_property) -> Callable[..., None]:
    """Prints what a test has tried, below all results: ``figures("lines removed", tried=52)``."""

    def report(subject: str, **numbers: object) -> None:
        text = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in numbers.items())
        record_property(_FIGURES, f"{subject}: {text}")

    return report


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the figures of all tests."""
    lines = {
        str(value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == _FIGURES
    }
    if lines:
        terminalreporter.section("figures")
        for line in sorted(lines):
            terminalreporter.write_line(line)
