"""How the benches time a call."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable


def median(call: Callable[[], object], repeats: int) -> float:
    """Median time of a call in seconds, after one call that does not count."""
    call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        value = call()
        times.append(time.perf_counter() - start)
        del value  # freeing it is not part of the next call
    return statistics.median(times)
