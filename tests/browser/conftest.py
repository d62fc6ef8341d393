"""A real browser: Debian's Chromium without a window, by Playwright (``make test-browser``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

_PATIENCE = 30_000
"""Milliseconds that a test waits for what it expects, on a busy machine."""
_CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_SCREENSHOTS = Path(__file__).parents[2] / "dist" / "screenshots"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; ``CHROMIUM`` names another one than Debian's."""
    with sync_playwright() as playwright:
        # Root, in a container, has no sandbox.
        sandbox = os.geteuid() != 0
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, chromium_sandbox=sandbox)
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request: pytest.FixtureRequest) -> str:
    """The colours that the person prefers."""
    return str(request.param)


@pytest.fixture
def complaints() -> list[str]:
    """What the browser has complained of: errors of scripts, refused by a policy, not found."""
    return []


@pytest.fixture
def page(chromium: Browser, complaints: list[str]) -> Iterator[Page]:
    """A page that shows nothing yet."""
    page = chromium.new_page(viewport={"width": 1440, "height": 1000})
    page.set_default_timeout(_PATIENCE)
    expect.set_options(timeout=_PATIENCE)

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    page.context.close()


@pytest.fixture
def screenshot(page: Page) -> Callable[[str], None]:
    """Stores what the page shows in ``dist/screenshots``."""
    _SCREENSHOTS.mkdir(parents=True, exist_ok=True)

    def take(name: str) -> None:
        page.screenshot(path=_SCREENSHOTS / f"{name}.png")

    return take
