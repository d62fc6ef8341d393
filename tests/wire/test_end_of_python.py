"""Threads that are in the native module while Python ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import atexit, threading, time

def stop():
    going.clear()
    threads[0].join()

if JOIN:  # before the native module's own function, so that this runs after it
    atexit.register(stop)

from aqt_fast._native import decode_response

body = b'{"job": {"job_id": "1", "label": "x"}, "response": {"status": "finished", "result": {%s}}}'
body = body % b", ".join(b'"%d": [[0, 1, 1]]' % number for number in range(SIZE))
going = threading.Event()
going.set()
begun = threading.Barrier(9)

def work():
    begun.wait()
    while going.is_set():
        decode_response(body)

threads = [threading.Thread(target=work, daemon=True) for _ in range(8)]
for thread in threads:
    thread.start()
begun.wait()
time.sleep(0.02)
"""


@pytest.mark.parametrize("join", [False, True], ids=["left alone", "joined"])
@pytest.mark.parametrize("size", [1, 100, 20_000])
def test_daemon_threads(size, join):
    """Python ends with the exit code that the program gives it, also if others wait for them."""
    program = PROGRAM.replace("SIZE", str(size)).replace("JOIN", str(join))
    for _ in range(4):
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


FORKING = """
ends = []
for _ in range(20):
    child = os.fork()
    if child == 0:
        sys.exit(7)
    start = time.monotonic()
    ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    waited += time.monotonic() - start > 0.9
print(*ends, waited)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system cannot fork")
def test_forked_children(figures):
    """They end like others, and wait for none of their parent's threads."""
    program = "import os, sys\nwaited = 0\n" + PROGRAM + FORKING
    program = program.replace("SIZE", "20_000").replace("JOIN", "False")
    ended = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    *ends, waited = ended.stdout.split()
    assert ends == 20 * ["7"]
    figures("forked children of threads that decode", ended=len(ends), waited=int(waited))
