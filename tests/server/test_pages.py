"""The pages for people, without a browser; ``tests/browser`` has one."""

import re
from pathlib import Path

import httpx
import pytest
from aqt_fast.server import pages
from aqt_fast.testing import ArnicaServer

FOLDER = Path(pages.__file__).with_name("page")


@pytest.fixture(scope="module")
def server():
    """A server with a token of its own."""
    with ArnicaServer(simulate=False, token="secret-7") as server:  # noqa: S106 - of this test
        yield server


@pytest.fixture(scope="module")
def browser(server):
    """A client without a token."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_files(browser):
    """All files of the folder are served, as they are, and nothing else."""
    paths = {"index.html": "/", "docs.html": "/docs"}
    for file in FOLDER.iterdir():
        response = browser.get(paths.get(file.name, f"/static/{file.name}"))
        assert (response.status_code, response.content) == (200, file.read_bytes())
        policy = response.headers["content-security-policy"].split("; ")
        assert {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert "unsafe" not in response.headers["content-security-policy"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "secret-7" not in response.text
    for path in (
        "/static/",
        "/static/../arnica.py",
        "/static/%2e%2e/arnica.py",
        "/static/index.html",
    ):
        assert browser.get(path).status_code == 404
    assert browser.post("/").status_code == 405


def test_no_other_host():
    """The files name no other host, have no script or style in them, and make no markup."""
    for file in FOLDER.iterdir():
        text = file.read_text()
        assert set(re.findall(r"https?://[^\s\"']+", text)) <= {"http://www.w3.org/2000/svg"}
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert sink not in text
        if file.suffix == ".html":
            assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?! type=\"module\" src=)", text)


def test_without_faults(server, browser):
    """Faults strike neither the pages nor the health."""
    server.faults.set(rate=1, kinds=["500"])
    server.faults.next("500", 100)
    for path in ("/", "/docs", "/openapi.json", "/health", "/static/main.js", "/testing/record"):
        assert browser.get(path).status_code == 200
    assert browser.get("/control/state").status_code == 401
    assert browser.get("/health").json() == {"status": "ok"}
    server.faults.clear()
    assert server.faults.log == []
