"""Threads that are in the native module while Python ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import threading, time
from aqt_fast._native import decode_response

body = b'{"job": {"job_id": "1", "label": "x"}, "response": {"status": "finished", "result": {%s}}}'
body = body % b", ".join(b'"%d": [[0, 1, 1]]' % number for number in range(SIZE))
begun = threading.Barrier(9)

def work():
    begun.wait()
    while True:
        decode_response(body)

for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
begun.wait()
time.sleep(0.02)
"""


@pytest.mark.parametrize("size", [1, 100, 20_000])
def test_daemon_threads(size):
    """Python ends with the exit code that the program gives it, not with a crash."""
    program = PROGRAM.replace("SIZE", str(size))
    for _ in range(4):
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
