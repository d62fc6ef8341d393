"""Load the names of a module on first use."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType


def lazy_names(
    module: str, loaders: Mapping[str, Callable[[], ModuleType]]
) -> Callable[[str], object]:
    """Make the ``__getattr__`` of a module that re-exports names of other modules.

    Args:
        module: ``__name__`` of the module.
        loaders: for each name, a function that imports the module that defines it.

    Returns:
        A function that returns the value of a name and caches it in the module. It raises
        ``AttributeError`` for any other name.
    """

    def load(name: str) -> object:
        if name not in loaders:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value: object = getattr(loaders[name](), name)
        vars(sys.modules[module])[name] = value
        return value

    return load
