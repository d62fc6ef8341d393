"""Warn of public names that the reference lacks."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aqt_fast
from sphinx.util import logging

from extensions.documented import Documented

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LOGGER = logging.getLogger(__name__)

_INTERNAL = ("aqt_fast.__main__", "aqt_fast._native")


def public_names() -> Iterator[tuple[str, Any]]:
    """Yield each name in an ``__all__`` of the package, with its value."""
    modules = [aqt_fast.__name__]
    found = pkgutil.walk_packages(aqt_fast.__path__, f"{aqt_fast.__name__}.")
    modules += [module.name for module in found if module.name not in _INTERNAL]
    for name in modules:
        module = pkgutil.resolve_name(name)
        for public in getattr(module, "__all__", ()):
            yield f"{name}.{public}", getattr(module, public)


def missing_names(documented: Documented) -> list[str]:
    """Return public names, and public members of public classes, that the reference lacks."""
    missing = set()
    for name, value in public_names():
        place = documented.place(name)
        if place is None:
            missing.add(name)
        elif inspect.isclass(value):
            members = (f"{place}.{member}" for member in _members(value))
            missing.update(member for member in members if documented.place(member) is None)
    return sorted(missing)


def _members(kind: type) -> Iterator[str]:
    """Yield the public methods and properties that a class of this package defines itself."""
    if not kind.__module__.startswith(aqt_fast.__name__):
        return
    for name, member in vars(kind).items():
        described = inspect.isroutine(member) or isinstance(
            member, property | classmethod | staticmethod
        )
        if described and not name.startswith("_"):
            yield name


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is None:
        for name in missing_names(Documented(app.env.domains.python_domain.objects)):
            _LOGGER.warning("the reference lacks %s", name)


def setup(app: Sphinx) -> dict[str, bool]:
    """Check the reference once the site is built."""
    list(public_names())  # autodoc sees those that load on first use, too
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
