"""JSON documents that tell their format's version and whether they are whole.

``{"format": 1, …, "sha256": …}``, with the digest of everything else in the order of the keys.
"""

from __future__ import annotations

import hashlib
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
    return orjson.dumps({"format": version, **content, "sha256": _digest(plain)})


def unpack(data: bytes, newest: int, path: Path) -> dict[str, Any]:
    """Read a document.

    Args:
        data: what :func:`pack` has written.
        newest: the newest version that can be read.
        path: where it comes from, for messages.

    Raises:
        DamagedJobError: it is no such document, or not whole, or newer.
    """
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise DamagedJobError(path, str(error)) from error
    version = document.pop("format", None) if isinstance(document, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedJobError(path, "it is no saved job")
    if version > newest:
        raise DamagedJobError(path, f"format {version} was written by a newer aqt-fast")
    digest = document.pop("sha256", None)
    if digest != _digest(document):
        raise DamagedJobError(path, "its content does not match its checksum")
    content: dict[str, Any] = document
    return content


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
