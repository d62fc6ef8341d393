"""Warn of links inside the built site that lead nowhere; nothing is requested."""

from __future__ import annotations

import posixpath
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LOGGER = logging.getLogger(__name__)

_TARGETS = {"a": "href", "img": "src", "link": "href", "script": "src", "source": "src"}


class _Page(HTMLParser):
    """The anchors and the links of one page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors = {"", "top"}
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := values.get(name)))
        if link := values.get(_TARGETS.get(tag, "")):
            self.links.append(link)


def dead_links(folder: Path) -> list[tuple[str, str]]:
    """Return links that lead to no file or no anchor.

    Args:
        folder: the built site.

    Returns:
        Pairs of a page, relative to the folder, and its link.
    """
    pages = {
        path.relative_to(folder).as_posix(): _Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }
    dead = []
    for name, page in pages.items():
        for link in page.links:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(name), unquote(address.path))
            )
            target = target if address.path else name
            if target in pages:
                exists = unquote(address.fragment) in pages[target].anchors
            else:
                exists = (folder / target).is_file()
            if not exists:
                dead.append((name, link))
    return dead


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    for page, link in dead_links(Path(app.outdir)):
        _LOGGER.warning("%s: nothing is at the link %s", page, link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Check the site once it is built."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
