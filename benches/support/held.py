"""What this process holds: its threads and open files, to notice what does not end."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

_SETTLING_SECONDS = 15.0
_NUMBERS = re.compile(r"\d+")
_DESCRIPTORS = Path("/proc/self/fd")
_MEMORY = re.compile(r"VmRSS:\s*(\d+)")


def held(besides: tuple[str, ...] = ()) -> Counter[str]:
    """Threads and open files by name, without numbers; files on Linux only.

    Args:
        besides: with what the names of threads begin that do not count.
    """
    names = [thread.name for thread in threading.enumerate()]
    threads = [name for name in names if not name.startswith(besides)]
    return Counter(_NUMBERS.sub("", name) for name in [*threads, *open_files()])


def open_files() -> list[str]:
    """What the file descriptors stand for; nothing where the system does not tell."""
    if not _DESCRIPTORS.is_dir():
        return []
    return [str(found) for found in map(_target, _DESCRIPTORS.iterdir()) if found is not None]


def _target(descriptor: Path) -> Path | None:
    try:
        return descriptor.readlink()
    except OSError:  # that of the listing itself, or closed meanwhile
        return None


def surplus(now: Callable[[], Counter[str]], before: Counter[str]) -> Counter[str]:
    """What is held now and was not before; wait up to 15 s until it is nothing."""
    deadline = time.monotonic() + _SETTLING_SECONDS
    while (more := now() - before) and time.monotonic() < deadline:
        time.sleep(0.05)
    return more


def resident_mib() -> float:
    """Resident memory in MiB; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    found = _MEMORY.search(status.read_text()) if status.is_file() else None
    return int(found[1]) / 1024 if found else 0.0
