"""Documents as a stranger may have written them: valid JSON with one thing or two that are wrong.

Every node of a document is removed, replaced by values of each type and at each end of a range,
doubled, reversed and given unknown neighbours. What Python's values cannot express stands as text.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Raw:
    """JSON that stands in the document as it is."""

    text: str


VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 51, 2**31, 2**40, 2**63 - 1, 2**64 - 1, -(2**63), 0.5, -1e308,
    "", "x", "\x00\x1b[31m\n", "9" * 5000, "0001-01-01T00:00:00", "9999-12-31T23:59:59-23:59",
    "https://[::", [], [0], [[]], [None] * 3, [1, 2, 3], {}, {"a": 0}, {"": {"": []}},
    Raw("1e999"), Raw("1" * 5000), Raw('"\\ud800"'), Raw("[" * 200 + "]" * 200),
    Raw('{"a":' * 300 + "1" + "}" * 300),
)  # fmt: skip
"""What takes the place of a node."""

_TOKEN = "raw \x7f{}\x7f"  # noqa: S105 - no secret


@dataclass(frozen=True)
class Mutation:
    """A changed document, and how it was changed."""

    name: str
    content: Any

    @property
    def text(self) -> bytes:
        """The document as JSON."""
        return to_text(self.content)


def to_text(content: Any) -> bytes:
    """Write JSON with raw parts."""
    raw: list[str] = []

    def marked(node: Any) -> Any:
        if isinstance(node, Raw):
            raw.append(node.text)
            return _TOKEN.format(len(raw) - 1)
        if isinstance(node, dict):
            return {key: marked(value) for key, value in node.items()}
        if isinstance(node, list):
            return [marked(value) for value in node]
        return node

    text = orjson.dumps(marked(content))
    for number, item in enumerate(raw):
        text = text.replace(orjson.dumps(_TOKEN.format(number)), item.encode())
    return text


def nodes(content: Any, path: Place = ()) -> Iterator[Place]:
    """The places of a document, of long lists the ends only."""
    yield path
    if isinstance(content, dict):
        for key, value in content.items():
            yield from nodes(value, (*path, key))
    elif isinstance(content, list):
        for index in sorted({0, 1, len(content) - 1} & set(range(len(content)))):
            yield from nodes(content[index], (*path, index))


def mutations(content: Any) -> Iterator[Mutation]:
    """All documents with one thing that is wrong."""
    for path in nodes(content):
        name = ".".join(map(str, path)) or "document"
        for value in VALUES:
            shown = value.text if isinstance(value, Raw) else repr(value)
            yield Mutation(f"{name} = {shown[:40]}", _replaced(content, path, value))
        if path:
            yield Mutation(f"{name} removed", _removed(content, path))
        here = _at(content, path)
        if isinstance(here, list) and here:
            yield Mutation(f"{name} doubled", _replaced(content, path, here * 2))
            yield Mutation(f"{name} reversed", _replaced(content, path, here[::-1]))
            yield Mutation(f"{name} longer", _replaced(content, path, [*here, here[0]]))
        if isinstance(here, dict):
            yield Mutation(f"{name} with more", _replaced(content, path, {**here, "_": [None]}))
            shifted = dict(zip(here, [*here.values()][1:] + [*here.values()][:1], strict=True))
            yield Mutation(f"{name} shifted", _replaced(content, path, shifted))
        if isinstance(here, str) and here:
            yield Mutation(f"{name} upper case", _replaced(content, path, here.swapcase()))
            yield Mutation(f"{name} longer", _replaced(content, path, here + here[-1]))
        if type(here) is int:
            for value in (here - 1, here + 1, here * 2):
                yield Mutation(f"{name} = {value}", _replaced(content, path, value))


def several(content: Any, number: int, seed: int) -> Iterator[Mutation]:
    """Documents with two or three things that are wrong, at random."""
    chosen = random.Random(seed)  # noqa: S311 - not for secrets
    single = list(mutations(content))
    for _ in range(number):
        first = chosen.choice(single)
        name, changed = first.name, first.content
        for _ in range(chosen.choice((1, 2))):
            places = list(nodes(changed))
            path = chosen.choice(places)
            value = chosen.choice(VALUES)
            changed = _replaced(changed, path, value)
            name += f"; {'.'.join(map(str, path))} = {value!r:.40}"
        yield Mutation(name, changed)


def _at(content: Any, path: Place) -> Any:
    for key in path:
        content = content[key]
    return content


def _replaced(content: Any, path: Place, value: Any) -> Any:
    if not path:
        return copy.deepcopy(value)
    changed = copy.copy(content)
    changed[path[0]] = _replaced(content[path[0]], path[1:], value)
    return changed


def _removed(content: Any, path: Place) -> Any:
    if len(path) == 1:
        changed = copy.copy(content)
        del changed[path[0]]
        return changed
    return _replaced(content, path[:1], _removed(content[path[0]], path[1:]))
