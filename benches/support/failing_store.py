"""Clients whose system calls on the store fail: a process that forks one for each task.

A task says what the client does, and which call fails. ``failing_store.c`` is compiled with ``cc``
and loaded before all other libraries. Forking spares the second that Qiskit needs to load;
:class:`Clients` is the side of the caller.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import subprocess
import sys
import warnings
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

CALLS = (
    "open", "write", "pwrite", "fsync", "fdatasync", "rename", "mkdir", "ftruncate", "fallocate",
    "link", "unlink", "flock", "fcntl",
)  # fmt: skip
"""The calls, in the order of ``failing_store.c``."""

ERRORS = ("ENOSPC", "EIO", "EROFS", "EMFILE", "EDQUOT")
"""How they fail."""

SHORT = "short"
"""Half of the data is written, and nobody says why."""

NUM_API_JOBS = 5
SHOTS = 2000 * NUM_API_JOBS - 1
BITS = "0110"


@dataclass(frozen=True)
class Task:
    """What a client does."""

    life: Literal["run", "restore", "finish"]
    """``run`` a new job to its end; ``restore`` one, and resubmit what was refused; ``finish`` what
    others have begun, as a user does who sees the portal's page."""
    url: str
    """The portal."""
    token: str
    """Its access token."""
    store: str
    """The store."""
    label: str
    """The job's label."""
    call: str | None = None
    """The call that fails, None for none."""
    number: int = 0
    """Which of them, from 1."""
    error: str = ERRORS[0]
    """How it fails."""
    lasts: bool = False
    """Whether all those that follow fail, too."""
    accepted: dict[str, str] = field(default_factory=dict)
    """What the portal's page shows: identifiers by label."""


@dataclass(frozen=True)
class Ending:
    """How a client has ended."""

    right: bool
    """Whether it has got the right counts."""
    errors: list[str]
    """What it was told instead."""
    warned: list[str]
    """The warnings that it has got."""
    numbers: dict[str, int]
    """How often each call has concerned the store."""
    failures: int
    """How many calls have failed."""


class Clients:
    """The process that forks the clients.

    Raises:
        OSError: there is no C compiler, or it fails.
    """

    def __init__(self, directory: Path) -> None:
        """``directory`` is for the compiled library."""
        compiler = shutil.which("cc")
        if compiler is None:
            raise OSError("there is no C compiler 'cc'")
        library = directory / "failing_store.so"
        source = Path(__file__).with_suffix(".c")
        command = [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source), "-ldl"]
        subprocess.run(command, check=True)  # noqa: S603
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "LD_PRELOAD": str(library),
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
        )

    def __enter__(self) -> Clients:  # noqa: PYI034 - Python 3.10 has no Self
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.communicate()

    def run(self, task: Task) -> Ending:
        """Have a client do a task."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(task)) + "\n")
        self._process.stdin.flush()
        return Ending(**json.loads(self._process.stdout.readline()))


def work(task: Task) -> Ending:
    """Do a task in this process."""
    from aqt_fast import AQTProvider

    library = ctypes.CDLL(None)
    os.environ.update(AQT_STORE_PATH=task.store, AQT_PORTAL_URL=task.url)
    error = 0 if task.error == SHORT else getattr(errno, task.error)
    kind = -1 if task.call is None else CALLS.index(task.call)
    errors: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with AQTProvider(
            task.token, portal_url=task.url, load_dotenv=False, max_parallel_requests=1
        ) as provider:
            try:
                library.failing_arm(
                    task.store.encode(), kind, ctypes.c_long(task.number), error,
                    task.error == SHORT, task.lasts,
                )  # fmt: skip
                right = _done(task, provider, errors)
            except Exception as problem:  # noqa: BLE001 - the caller judges
                errors.append(f"{type(problem).__name__}: {problem}")
                right = False
        failures = library.failing_failures()
        library.failing_disarm()
    return Ending(
        right=right,
        errors=errors,
        warned=[f"{item.category.__name__}: {item.message}" for item in caught],
        numbers={name: library.failing_number(place) for place, name in enumerate(CALLS)},
        failures=failures,
    )


def _done(task: Task, provider: Any, errors: list[str]) -> bool:
    from aqt_fast.exceptions import IncompleteBatchError, SubmissionUncertainError
    from workloads import marker

    options = {"with_progress_bar": False, "query_period_seconds": 0.1}
    if task.life == "run":
        backend = provider.get_backend("simulator_ideal")
        job = backend.run(marker(BITS), shots=SHOTS, label=task.label, **options)
    else:
        (row,) = provider.jobs(label=task.label)
        job = row.restore()
    if task.life == "restore":
        job.wait_for_final_state()
        job.resubmit_failed()
    try:
        result = job.result()
    except IncompleteBatchError as error:
        if task.life != "finish":
            raise
        errors.append(str(error))
        uncertain = [
            failure.label
            for failure in error.failures
            if isinstance(failure.error, SubmissionUncertainError)
        ]
        for label in uncertain:
            if label in task.accepted:
                job.adopt(label, task.accepted[label])
        job.wait_for_final_state()
        job.resubmit_failed(uncertain=True)
        result = job.result()
    return result.success and result.get_counts() == {BITS: SHOTS}


def main() -> None:
    """Fork for each line."""
    # All that clients need is loaded once.
    import aqt_fast.api_client.portal
    import aqt_fast.backends.cloud.backend
    import aqt_fast.provider.restoring  # noqa: F401
    import workloads  # noqa: F401

    for line in sys.stdin:
        out, report = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(out)
            with os.fdopen(report, "w") as pipe:
                pipe.write(json.dumps(asdict(work(Task(**json.loads(line))))))
            os._exit(0)
        os.close(report)
        with os.fdopen(out) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
