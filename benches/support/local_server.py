"""The local server in a process of its own, for benches that measure the client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aqt_fast import AQTProvider

TOKEN = "local-token"  # noqa: S105 - it opens nothing but our server


@contextmanager
def server() -> Iterator[tuple[str, int]]:
    """Start a server without simulation and device time; gives its URL and process number."""
    options = ["--port", "0", "--no-simulate", "--token", TOKEN]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "aqt_fast", "serve", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), process.pid
        finally:
            process.terminate()


@contextmanager
def backend_of(url: str, **options: Any) -> Iterator[Any]:
    """A backend of the server that polls as often as it may."""
    with AQTProvider(TOKEN, portal_url=url, load_dotenv=False) as provider:
        backend = provider.get_backend("simulator_ideal")
        backend.set_options(query_period_seconds=0.1, with_progress_bar=False, **options)
        yield backend
