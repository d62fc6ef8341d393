"""A client behind the chaos proxy, with a clock that makes runs short."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import fault_run
from aqt_fast.api_client import http
from aqt_fast.api_client.retry_timing import Clock
from chaos_proxy import ChaosProxy

_HASTE = 20


@contextmanager
def behind_chaos(
    seed: int,
    directory: Path,
    *,
    speed: float,
    read_timeout: float,
    labels: bool,
    kinds: Collection[str],
) -> Iterator[tuple[fault_run.Watch, ChaosProxy]]:
    """Start a server and a proxy that does no harm yet, and log a provider in through it.

    Args:
        seed: of the faults.
        directory: for the tokens and the journals.
        speed: of the server's machines, as a multiple of a real one's.
        read_timeout: seconds that the client waits for an answer.
        labels: whether the server's answers name API jobs by their labels.
        kinds: the faults to choose from.
    """
    proxies: list[ChaosProxy] = []

    @contextmanager
    def through(url: str) -> Iterator[str]:
        with ChaosProxy(
            url, seed=seed, read_timeout=read_timeout, labels=labels, kinds=kinds
        ) as proxy:
            proxies.append(proxy)
            yield proxy.url

    with (
        hasty_client(),
        fault_run.watched(
            0, seed, directory, speed=speed, read_timeout=read_timeout, through=through
        ) as watch,
        patch.dict(os.environ, AQT_DIRECT_URL=watch.server.direct_url_of("ibex")),
    ):
        (proxy,) = proxies
        yield watch, proxy


@contextmanager
def hasty_client() -> Iterator[None]:
    """Have clients pause 20 times shorter between attempts, and give up 20 times sooner."""

    def clock(sleep: Callable[[float], None]) -> Clock:
        return Clock(
            monotonic=lambda: time.monotonic() * _HASTE,
            sleep=lambda seconds: sleep(seconds / _HASTE),
        )

    with patch.object(http, "Clock", clock):
        yield
