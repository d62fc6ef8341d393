"""No circle of imports between the files of a Rust crate, and the borders between the crates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

RUST = Path(__file__).parents[2] / "rust"

pytestmark = pytest.mark.skipif(not RUST.is_dir(), reason="the sources of Rust are not here")

Names = tuple[str, ...]


@dataclass
class Module:
    """A module: a file, or a part of one between braces."""

    path: Names
    file: Path
    text: str
    uses: dict[str, Names] = field(default_factory=dict)
    """Imported and re-exported names, by the path that the ``use`` gives."""
    globs: list[Names] = field(default_factory=list)


class Crate:
    """The modules of a crate and what their paths lead to."""

    def __init__(self, source: Path) -> None:
        """``source`` is the folder of ``lib.rs``."""
        self.modules: dict[Names, Module] = {}
        self._add((), source / "lib.rs", source)

    def _add(self, path: Names, file: Path, children: Path) -> None:
        self._add_text(path, file, children, without_comments(file.read_text()))

    def _add_text(self, path: Names, file: Path, children: Path, text: str) -> None:
        inline = list(inline_modules(text))
        for _, body in inline:
            text = text.replace(body, "", 1)
        module = self.modules[path] = Module(path, file, text)
        for tree in re.findall(r"\buse\s+([^;]+);", text):
            for names, alias in expanded("".join(re.sub(r"\bas\b", " as ", tree).split("\n"))):
                if alias == "*":
                    module.globs.append(names)
                elif names[0] != alias:  # a crate's own name leads out of here
                    module.uses[alias] = names
        for name, body in inline:
            self._add_text((*path, name), file, children / name, body)
        for name in re.findall(r"\bmod\s+(\w+)\s*;", text):
            single, folder = children / f"{name}.rs", children / name
            self._add((*path, name), single if single.exists() else folder / "mod.rs", folder)

    def edges(self) -> dict[Path, set[Path]]:
        """For each file the other files that it takes something from, or declares."""
        edges: dict[Path, set[Path]] = {module.file: set() for module in self.modules.values()}
        for module in self.modules.values():
            targets = edges[module.file]
            for names in self._mentioned(module):
                targets |= self._behind(module.path, names)
            if module.path:
                edges[self.modules[module.path[:-1]].file].add(module.file)
        for file, targets in edges.items():
            targets.discard(file)
        return edges

    def _mentioned(self, module: Module) -> Iterator[Names]:
        """All paths in a module: those it imports and those it spells out."""
        yield from module.uses.values()
        yield from module.globs
        code = re.sub(r"\buse\s+[^;]+;", "", module.text)
        for spelled in re.findall(r"(?<![\w:])\w+(?:::\w+)+", code):
            yield tuple(spelled.split("::"))

    def _behind(self, start: Names, names: Names) -> set[Path]:
        """The files that a path in a module depends on; none if it leads out of the crate.

        Only a module without a line of logic is transparent: a name that it re-exports depends on
        the file behind it alone. Any other module counts as well.
        """
        if names[0] == "crate":
            here, names = (), names[1:]
        elif names[0] in ("self", "super"):
            here = start
            while names and names[0] in ("self", "super"):
                here, names = here[:-1] if names[0] == "super" else here, names[1:]
        elif (*start, names[0]) in self.modules or names[0] in self.modules[start].uses:
            here = start
        else:
            return set()
        while names and (*here, names[0]) in self.modules:
            here, names = (*here, names[0]), names[1:]
        module = self.modules[here]
        itself = {module.file} - ({module.file} if is_facade(module.text) else set())
        if names and names[0] in module.uses:
            return itself | self._behind(here, module.uses[names[0]] + names[1:])
        return {module.file}


def is_facade(text: str) -> bool:
    """Whether a module only declares modules and names from elsewhere."""
    rest = re.sub(r"#!?\[[^\]]*\]|\b(pub(\(\w+\))?\s+)?(mod\s+\w+\s*;|use\s+[^;]+;)", "", text)
    return not rest.strip()


def without_comments(text: str) -> str:
    """Rust code without comments, strings and characters."""
    pattern = r"//[^\n]*|/\*.*?\*/|b?r(#*)\".*?\"\1|b?c?\"(?:\\.|[^\"\\])*\"|b?'(?:\\[^']+|[^'\\])'"
    return re.sub(pattern, " ", text, flags=re.DOTALL)


def inline_modules(text: str) -> Iterator[tuple[str, str]]:
    """Names and contents of the modules between braces, without those within them."""
    position = 0
    while match := re.compile(r"\bmod\s+(\w+)\s*\{").search(text, position):
        depth, end = 1, match.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        yield match[1], text[match.end() : end - 1]
        position = end


def expanded(tree: str) -> Iterator[tuple[Names, str]]:
    """All paths of a ``use``, each with the name that it has from there on."""
    tree = tree.strip()
    if match := re.fullmatch(r"(.*?)\{(.*)\}", tree):
        prefix = tuple(name for name in match[1].replace(" ", "").split("::") if name)
        for part in top_level(match[2]):
            for names, alias in expanded(part):
                if names == ("self",):
                    yield prefix, prefix[-1] if alias == "self" else alias
                else:
                    yield prefix + names, alias
        return
    path, _, alias = tree.partition(" as ")
    names = tuple(path.replace(" ", "").split("::"))
    if names[-1] == "*":
        yield names[:-1], "*"
    else:
        yield names, alias.strip() or names[-1]


def top_level(parts: str) -> Iterator[str]:
    """The parts of a list that commas separate outside of braces."""
    depth, start = 0, 0
    for position, char in enumerate(parts + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            if part := parts[start:position].strip():
                yield part
            start = position + 1


def circle(edges: dict[Path, set[Path]]) -> list[Path]:
    """Files each of which takes something from the next and the last from the first; or none."""
    done: set[Path] = set()

    def visit(file: Path, trail: list[Path]) -> list[Path]:
        if file in trail:
            return trail[trail.index(file) :]
        if file in done:
            return []
        for target in sorted(edges[file]):
            if found := visit(target, [*trail, file]):
                return found
        done.add(file)
        return []

    for file in sorted(edges):
        if found := visit(file, []):
            return found
    return []


CRATES = {
    "core": [],
    "compile": [],
    "sweep": ["aqt-compile", "aqt-core"],
    "estimate": [],
    "trajectory": ["aqt-core"],
    "py": ["aqt-compile", "aqt-core", "aqt-estimate", "aqt-sweep", "aqt-trajectory"],
}
"""Our crates, and those of ours that each depends on."""


@pytest.mark.parametrize("crate", CRATES)
def test_no_circle(crate):
    """The files of a crate can be put in an order in which each takes from earlier ones only."""
    source = RUST / crate / "src"
    edges = Crate(source).edges()
    assert set(edges) == set(source.rglob("*.rs")), "a file is in no module"
    assert sum(map(len, edges.values())) >= len(edges)
    assert [str(file.relative_to(source)) for file in circle(edges)] == []


@pytest.mark.parametrize(("crate", "others"), CRATES.items())
def test_borders(crate, others):
    """Neither codec nor compiler depends on another of our crates, and only one on Python."""
    manifest = (RUST / crate / "Cargo.toml").read_text()
    assert sorted(re.findall(r"^([\w-]+) = \{ path = ", manifest, re.MULTILINE)) == others
    assert ("pyo3" in manifest) == (crate == "py")
    code = "".join(without_comments(file.read_text()) for file in (RUST / crate).rglob("*.rs"))
    for other in CRATES.keys() - {crate, "py"}:
        assert (f"aqt_{other}" in code) == (f"aqt-{other}" in others)


def test_unsafe_code_is_in_one_folder():
    """Each block of it says why it is sound, in the line above."""
    blocks = 0
    for file in sorted(RUST.rglob("src/**/*.rs")):
        lines = file.read_text().splitlines()
        for number, line in enumerate(lines):
            code = without_comments(line)
            if not re.search(r"\bunsafe\b(?! extern)", code) or "unsafe_code" in code:
                continue
            assert file.parent == RUST / "py" / "src" / "qiskit", file
            if re.search(r"\bunsafe fn\b", code):
                continue
            blocks += 1
            above = number - 1
            while lines[above].strip().startswith("//") and "SAFETY" not in lines[above]:
                above -= 1
            assert "// SAFETY: " in lines[above], f"{file}:{number + 1}"
    assert blocks > 20


def crate_of(folder: Path, files: dict[str, str]) -> Crate:
    """A crate with these files."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return Crate(folder)


PAIR = {"lib.rs": "mod a;\nmod b;\n"}
FOLDER = {"lib.rs": "mod a;", "a/mod.rs": "mod b;\nmod c;\npub use self::{b::B, c::C as D};\n"}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({**PAIR, "a.rs": "use crate::b::f;", "b.rs": "use super::a::{g, h};"}, ["a.rs", "b.rs"]),
        ({**PAIR, "a.rs": "use crate::b;", "b.rs": "fn f() { crate::a::g() }"}, ["a.rs", "b.rs"]),
        ({**PAIR, "a.rs": "use crate::{\n    b::f,\n};", "b.rs": "fn f() {}"}, []),
        ({**PAIR, "a.rs": "use crate::b::f;", "b.rs": "// use crate::a;\n/* crate::a::g */"}, []),
        ({**PAIR, "a.rs": "use crate::b::f;", "b.rs": 'const A: &str = "crate::a::g";'}, []),
        (
            {**PAIR, "a.rs": "use crate::b::f;", "b.rs": "mod tests { use crate::a::g; }"},
            ["a.rs", "b.rs"],
        ),
        ({**PAIR, "a.rs": "mod tests { use super::*; use super::f; }", "b.rs": ""}, []),
        ({**PAIR, "a.rs": "use super::b::*;", "b.rs": "use super::a::*;"}, ["a.rs", "b.rs"]),
        (
            {"lib.rs": "mod a;", "a.rs": "mod b;\nfn f() { b::g() }", "a/b.rs": "use super::f;"},
            ["a.rs", "a/b.rs"],
        ),
        ({**FOLDER, "a/b.rs": "", "a/c.rs": "use super::B;"}, []),
        ({**FOLDER, "a/b.rs": "use super::D;", "a/c.rs": "use crate::a::B;"}, ["a/b.rs", "a/c.rs"]),
        (
            {**FOLDER, "a/b.rs": "use std::fmt;", "a/c.rs": "use super::{self as top, b};"},
            ["a/c.rs", "a/mod.rs"],
        ),
        (
            {
                "lib.rs": "mod a;\nmod c;",
                "a.rs": "mod b;\npub use self::b::B;\nuse crate::c;\nfn f() {}",
                "a/b.rs": "",
                "c.rs": "use crate::a::B;",
            },
            ["a.rs", "c.rs"],
        ),
        ({"lib.rs": "mod a;\nfn f() {}", "a.rs": "use crate::f;"}, ["a.rs", "lib.rs"]),
        ({**PAIR, "a.rs": "use b;\nuse x::{self, x};", "b.rs": "use x;\nfn f() { x::g() }"}, []),
    ],
)
def test_the_check_itself(tmp_path, files, expected):
    """It finds what it should, and nothing else."""
    found = circle(crate_of(tmp_path, files).edges())
    assert sorted(str(file.relative_to(tmp_path)) for file in found) == expected
