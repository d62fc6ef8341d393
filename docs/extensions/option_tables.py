"""The directive ``option-table``: the options of a class, from its annotations and docstrings."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, is_typeddict

from aqt_fast import AQTOptions
from docutils.statemachine import StringList
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from extensions.documented import found

if TYPE_CHECKING:
    from docutils.nodes import Node
    from sphinx.application import Sphinx

_ALIASES = {"Integer": "int", "Number": "float"}

_DEFAULT = re.compile(r"\s*Default:\s+\S+\.$")


class OptionTable(SphinxDirective):
    """A table of the fields of a ``TypedDict`` of options of jobs, or of a dataclass."""

    required_arguments = 1

    def run(self) -> list[Node]:
        """Make a row for each field, those of base classes included."""
        kind = found(self.arguments[0])
        if not isinstance(kind, type):
            raise self.error(f"there is no class {self.arguments[0]}")
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: 20 17 11 52", ""]
        lines += _row("option", "values", "default", "what it does")
        for name, annotation, text in _fields(kind):
            # RunOptions takes None for the backend's own value; told where it is a value itself.
            given = annotation if "None" in text else annotation.removesuffix(" | None")
            default = f"``{_default(kind, name)!r}``"
            described = _DEFAULT.sub("", text)
            lines += _row(f"``{name}``", f"``{given}``", default, described)
        return self.parse_text_to_nodes(StringList(lines, source=self.arguments[0]))


def _row(*cells: str) -> list[str]:
    return [f"   {'  ' if index else '* '}- {cell}" for index, cell in enumerate(cells)]


def _fields(kind: type) -> Iterator[tuple[str, str, str]]:
    """Yield names, annotations and docstrings, those of base classes first."""
    annotations: dict[str, Any] = {}
    docstrings: dict[str, str] = {}
    for owner in _with_bases(kind):
        annotations |= owner.__annotations__
        for (name, field), doc in _attribute_docs(owner.__module__).items():
            if name == owner.__name__:
                docstrings[field] = " ".join(doc).strip()
    for name, annotation in annotations.items():
        text = getattr(annotation, "__forward_arg__", annotation)
        yield name, re.sub(r"\w+", partial(_plain, kind.__module__), text), docstrings[name]


def _with_bases(kind: type) -> list[type]:
    """Return a class with those that it has fields of; a ``TypedDict`` forgets its bases."""
    if not is_typeddict(kind):
        return [base for base in reversed(kind.__mro__) if base.__module__.startswith("aqt_fast.")]
    others = vars(sys.modules[kind.__module__]).values()
    bases = [
        other
        for other in others
        if is_typeddict(other) and other.__annotations__.keys() <= kind.__annotations__.keys()
    ]
    return sorted(bases, key=lambda base: len(base.__annotations__))


@cache
def _attribute_docs(module: str) -> dict[tuple[str, str], list[str]]:
    return ModuleAnalyzer.for_module(module).find_attr_docs()


def _plain(module: str, word: re.Match[str]) -> str:
    """Write out what the names of types stand for."""
    meant = found(f"{module}.{word[0]}")
    if get_origin(meant) is Literal:
        return " | ".join(map(repr, get_args(meant)))
    return _ALIASES.get(word[0], word[0])


def _default(kind: type, name: str) -> Any:
    if dataclasses.is_dataclass(kind):
        return next(field.default for field in dataclasses.fields(kind) if field.name == name)
    return AQTOptions()[name]


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive."""
    app.add_directive("option-table", OptionTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
