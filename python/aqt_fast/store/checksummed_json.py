"""JSON documents with a format version and a checksum.

``{"format": 2, "job": …, "sha256": …}``, with the digest of the content under ``job``. Other keys,
which a later version may add, are ignored.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import orjson

from aqt_fast.exceptions import DamagedJobError

UNUSABLE = (
    AttributeError, LookupError, TypeError, ValueError, ArithmeticError, MemoryError,
    RecursionError,
)  # fmt: skip
"""Errors that readable but invalid data can cause when it is parsed or used."""


def pack(name: str, content: Any, version: int) -> bytes:
    """Write a document.

    Args:
        name: key of the content.
        content: anything that JSON can express.
        version: version of the format.

    Raises:
        TypeError: JSON cannot express the content.
    """
    plain = orjson.loads(orjson.dumps(content))
    return orjson.dumps({"format": version, name: plain, "sha256": digest(plain)})


def unpack(name: str, data: bytes, version: int, path: Path) -> Any:
    """Read a document.

    Args:
        name: key of the content.
        data: the output of :func:`pack`.
        version: the supported version of the format.
        path: the file, for messages.

    Returns:
        The content.

    Raises:
        DamagedJobError: ``data`` is not such a document, is damaged, or has another version.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedJobError(path, str(error)) from error
    found = document.get("format") if isinstance(document, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise DamagedJobError(path, "it is no saved job")
    if found > version:
        raise DamagedJobError(path, f"format {found} was written by a newer aqt-fast")
    if found < version:
        raise DamagedJobError(path, f"format {found} was written by an aqt-fast before 0.2")
    content = document.get(name)
    try:
        found_digest = digest(content)
    except TypeError as error:  # orjson reads deeper than it writes
        raise DamagedJobError(path, str(error)) from error
    if document.get("sha256") != found_digest:
        raise DamagedJobError(path, "its content does not match its checksum")
    return content


def digest(content: Any) -> str:
    """Return the SHA-256 of the content in its JSON form."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def entry(content: Any, name: str, *kinds: type) -> Any:
    """An entry of an object that was read, of a type that it may have.

    Args:
        content: the object.
        name: the entry's.
        kinds: the types, of which ``int`` does not stand for ``bool``.

    Raises:
        LookupError: there is no such entry.
        TypeError: it has another type, or ``content`` is no object.
    """
    value = content[name]
    if type(value) not in kinds:
        expected = " or ".join(kind.__name__ for kind in kinds)
        raise TypeError(f"'{name}' must be {expected}, not {value!r}")
    return value
