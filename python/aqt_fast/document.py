"""JSON documents that tell their format's version and whether they are whole.

``{"format": 1, …, "sha256": …}``, with the digest of the parts in the order of their names. Parts
with other names, which a later version may add, are ignored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from aqt_fast.exceptions import DamagedJobError


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
    version = document.get("format") if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedJobError(path, "it is no saved job")
    if version > newest:
        raise DamagedJobError(path, f"format {version} was written by a newer aqt-fast")
    content = {name: document.get(name) for name in names}
    if document.get("sha256") != digest(content):
        raise DamagedJobError(path, "its content does not match its checksum")
    return content


def digest(content: dict[str, Any]) -> str:
    """SHA-256 of a document's parts, which must be as JSON gives them back."""
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
