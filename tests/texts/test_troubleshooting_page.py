"""The page of troubles quotes texts that the package writes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
OF_OTHERS = {
    "Name or service not known", "Connection refused", "timed out", "404 Not Found",
    "[Errno 24] Too many open files", "No space left on device", "Read-only file system",
    "Permission denied", "can't start new thread", "Insufficient memory",
    "An attempt has been made to start a new process before the current process has finished "
    "its bootstrapping phase",
    "asyncio.run() cannot be called from a running event loop",
}  # fmt: skip
"""What Python, the system and Qiskit Aer write."""


def quoted():
    """Texts in the tables' first columns, with places for what differs cut out."""
    for row in re.findall(r"^\| (.+?) \|", PAGE, re.MULTILINE):
        for text in re.findall(r"`([^`]+)`", row):
            message = re.sub(r"^\w+(Error|Warning): ", "", text)
            for part in re.split(r"\s*…[,;]?\s*", message):
                if " " in part and part not in OF_OTHERS:
                    yield part


@pytest.fixture(scope="module")
def sources():
    """All source text, with literals that continue on the next line joined."""
    files = [*(ROOT / "python").rglob("*.py"), *(ROOT / "rust").glob("*/src/**/*.rs")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


@pytest.mark.parametrize("text", sorted(set(quoted())))
def test_text_exists(text, sources):
    """A text that was changed is changed on the page, too."""
    assert text in sources
