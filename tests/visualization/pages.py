"""What a reader sees of a page."""

from __future__ import annotations

import re


def words(html: str) -> str:
    """The text of a page, without the stylesheet."""
    without_style = re.sub(r"<style>.*?</style>", "", html)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", without_style))


def fills(html: str) -> list[str]:
    """The states in whose colours parts of tracks are filled."""
    return re.findall(r'class="aqt-fill aqt-(\w+)"', html)
