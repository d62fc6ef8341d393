"""Warn of links inside the built site that lead nowhere, and of what it loads from other hosts."""

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
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors.update(value for name in ("id", "name") if (value := values.get(name)))
        if link := values.get(_TARGETS.get(tag, "")):
            self.links.append(link)
            if tag != "a" and urlsplit(link).netloc:
                self.loaded.append(link)


def _pages(folder: Path) -> dict[str, _Page]:
    """Read all pages of a site, by their paths in its folder."""
    return {
        path.relative_to(folder).as_posix(): _Page(path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.html"))
    }


def _exists(folder: Path, pages: dict[str, _Page], name: str, link: str) -> bool:
    """Return whether a link of a page leads to a file and an anchor there, or out of the site."""
    address = urlsplit(link)
    if address.scheme or address.netloc:
        return True
    target = name
    if address.path:
        path = posixpath.join(posixpath.dirname(name), unquote(address.path))
        target = posixpath.normpath(path)
    if target in pages:
        return unquote(address.fragment) in pages[target].anchors
    return (folder / target).is_file()


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    pages = _pages(folder)
    for name, page in pages.items():
        for link in page.links:
            if not _exists(folder, pages, name, link):
                _LOGGER.warning("%s: nothing is at the link %s", name, link)
        for link in page.loaded:
            _LOGGER.warning("%s loads %s from another host", name, link)


def setup(app: Sphinx) -> dict[str, bool]:
    """Check the site once it is built."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
