"""JSON documents that tell their format's version and whether they are whole.

``{"format": 1, …, "sha256": …}``, with the digest of the parts in the order of their names. Parts
with other names, which a later version may add, are ignored.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from aqt_fast.exceptions import DamagedJobError

_CHUNK = 2**14
"""Bytes that are read at first, which is enough for most."""

_END = re.compile(rb',"sha256":"[0-9a-f]{64}"}')

_LENGTH_OF_END = len(',"sha256":""}') + 64


def pack(content: dict[str, Any], version: int) -> bytes:
    """Write a document.

    Raises:
        TypeError: JSON cannot express the content.
    """
    plain = orjson.loads(orjson.dumps(content))
    return orjson.dumps({"format": version, **content, "sha256": digest(plain)})


def unpack(data: bytes, newest: int, names: Sequence[str], path: Path) -> dict[str, Any]:
    """Read a document.

    Args:
        data: what :func:`pack` has written.
        newest: the newest version that can be read.
        names: of its parts.
        path: where it comes from, for messages.

    Raises:
        DamagedJobError: it is no such document, or not whole, or newer.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedJobError(path, str(error)) from error
    _check_version(document, newest, path)
    content = {name: document.get(name) for name in names}
    if document.get("sha256") != digest(content):
        raise DamagedJobError(path, "its content does not match its checksum")
    return content


def unpack_first(path: Path, newest: int, names: Sequence[str]) -> Any:
    """Read the first part of a document, and little of the others.

    The checksum is not checked; that the document is cut off, shows.

    Args:
        path: the file with what :func:`pack` has written.
        newest: the newest version that can be read.
        names: of its parts, two or more, in the order in which they were written.

    Raises:
        DamagedJobError: it is no such document, or cut off, or newer.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        beginning = _beginning(file, names[1])
        end = file.seek(0, os.SEEK_END)
        file.seek(max(0, end - _LENGTH_OF_END))
        whole = _END.fullmatch(file.read()) is not None
    if whole and beginning is not None and beginning.keys() == {"format", names[0]}:
        _check_version(beginning, newest, path)
        return beginning[names[0]]
    # Something is unusual: the whole document tells what.
    return unpack(path.read_bytes(), newest, names, path)[names[0]]


def _beginning(file: BinaryIO, name: str) -> Any:
    """A document up to before the part that is called so, None if that cannot be found."""
    text, size = b"", _CHUNK
    while chunk := file.read(size):
        text += chunk
        size = len(text)
        # Within a string its quotes would be escaped; within another part it may be, too.
        for found in re.finditer(b',"%s":' % name.encode(), text):
            with suppress(orjson.JSONDecodeError):
                return orjson.loads(text[: found.start()] + b"}")
    return None


def _check_version(document: Any, newest: int, path: Path) -> None:
    version = document.get("format") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedJobError(path, "it is no saved job")
    if version > newest:
        raise DamagedJobError(path, f"format {version} was written by a newer aqt-fast")


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of a document's parts, which must be as JSON gives them back."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
