"""Lead each name in a docstring to its place in the reference, whatever it is called there."""

from __future__ import annotations

import builtins
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.transforms.post_transforms import SphinxPostTransform

from extensions.documented import Documented, found

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_V2 = "aqt_fast.v2."

_RAISES = re.compile(r"^(\s*):(raises|Warns) (\w+):")

_TOLD = ("aqt_fast.exceptions",)
"""Modules whose docstring is for readers of the reference; those of others list files."""


def _tidy(
    _app: Sphinx, what: str, name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """Before napoleon, which takes what is before a colon for a type.

    Types are in signatures here: properties and returned values begin with their descriptions.
    """
    if what == "module":
        told = [line for line in lines if not line.startswith("Longer than")]
        lines[:] = told if name in _TOLD else []
    if what in {"attribute", "data", "property"}:
        lines[:0] = ["..", ""]
    for index, line in enumerate(lines[:-1]):
        if line.strip() in {"Returns:", "Yields:"}:
            text = lines[index + 1].lstrip()
            indent = " " * (len(lines[index + 1]) - len(text))
            lines[index + 1] = f"{indent}: {text}"


def _name_errors(
    _app: Sphinx, _what: str, name: str, _value: object, _options: object, lines: list[str]
) -> None:
    """After napoleon: errors have the same names in the 2.x face, and are others there."""
    rooms = ["aqt_fast.exceptions"]
    if name.startswith(_V2):
        rooms.insert(0, "aqt_fast.v2.exceptions")
    for index, line in enumerate(lines):
        if match := _RAISES.match(line):
            room = next((room for room in rooms if found(f"{room}.{match[3]}")), None)
            if room is not None:
                start = f"{match[1]}:{match[2]} ~{room}.{match[3]}:"
                lines[index] = start + line[match.end() :]


def _show_bases(_app: Sphinx, _name: str, _kind: type, _options: object, bases: list[Any]) -> None:
    """Show the bases of a base that is ours and private instead."""
    while private := next((base for base in bases if _is_private(base)), None):
        index = bases.index(private)
        bases[index : index + 1] = [base for base in private.__bases__ if base not in bases]
    if len(bases) > 1 and object in bases:
        bases.remove(object)


def _is_private(base: Any) -> bool:
    path = f"{getattr(base, '__module__', '')}.{getattr(base, '__qualname__', '')}"
    return isinstance(base, type) and path.startswith("aqt_fast.") and "._" in path


class _Lead(SphinxPostTransform):
    """Give references the full names of the reference before they are resolved."""

    default_priority = 5

    def run(self, **_: Any) -> None:
        documented = _documented(frozenset(self.env.domains.python_domain.objects))
        for node in list(self.document.findall(pending_xref)):
            if node.get("refdomain") != "py":
                continue
            place = _place(documented, node)
            if place is not None:
                node["reftarget"] = place
                node["refspecific"] = False
            elif node["reftype"] == "class" and hasattr(builtins, node["reftarget"]):
                node.replace_self([child.deepcopy() for child in node.children] or nodes.Text(""))


def _place(documented: Documented, node: pending_xref) -> str | None:
    """Return the full name of what a reference is meant to lead to, None if it is not there."""
    target, module, kind = node["reftarget"], node.get("py:module"), node.get("py:class")
    starts = [f"{module}.{kind}." if kind else "", f"{module}." if module else ""]
    for start in [*filter(None, starts), ""]:
        place = documented.place(start + target)
        if place is not None:
            return place
    if hasattr(builtins, target):
        return None
    named = [
        name
        for name in documented.names
        if name.endswith(f".{target}") and name.startswith("aqt_fast.")
    ]
    same_face = [name for name in named if name.startswith(_V2) == f"{module}.".startswith(_V2)]
    for names in (same_face, named):
        if len({id(found(name)) for name in names}) == 1:
            return min(names, key=len)
    return None


@lru_cache(maxsize=1)
def _documented(names: frozenset[str]) -> Documented:
    return Documented(names)


def setup(app: Sphinx) -> dict[str, bool]:
    """Take part in reading docstrings and in resolving references."""
    app.connect("autodoc-process-docstring", _tidy, priority=400)
    app.connect("autodoc-process-docstring", _name_errors, priority=600)
    app.connect("autodoc-process-bases", _show_bases)
    app.add_post_transform(_Lead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
