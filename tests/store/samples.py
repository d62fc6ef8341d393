"""Jobs as the store keeps them, made by hand: no circuits of Qiskit, no server."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import orjson
from aqt_fast.store import accepted_ids, byte_locks, database_locks
from aqt_fast.store.checksummed_json import pack
from aqt_fast.store.description import JobDescription, utc
from aqt_fast.store.job_directory import FORMAT
from aqt_fast.store.job_store import SavedJob
from aqt_fast.store.journal import Journal
from aqt_fast.store.location import MachineLocation, PortalLocation, SimulatorLocation
from aqt_fast.wire.plan import BatchPlan, Part

PORTAL = PortalLocation("https://portal.example", "lab", "Ibex", "device")
MACHINE = MachineLocation("http://machine.example:80", "Ibex", 200)
SIMULATOR = SimulatorLocation({"errors": [{"type": "qerror"}]}, {"method": "statevector"})

HEADERS = [{"name": "a", "metadata": {}}, {"name": "b", "metadata": {"x": [1, 2]}}]
"""Headers of the results of two circuits."""

CIRCUITS = b"QISKIT circuits" * 20
"""Stands for circuits in QPY, which the store does not look into."""


def described(
    *, offline: bool = False, job_id: str | None = None, **changes: Any
) -> JobDescription:
    """A job of two circuits with 10 shots each: two API jobs, unless it is ``offline``."""
    job_id = job_id or str(uuid.uuid4())
    plan = BatchPlan(job_id, "two", [Part(0, 1, 10), Part(1, 2, 10)])
    content = {
        "job_id": job_id,
        "backend_name": "ibex",
        "available_qubits": 12,
        "location": SIMULATOR if offline else PORTAL,
        "options": {"shots": 10, "label": None},
        "num_circuits": 2,
        "created": utc("2026-11-22T10:30:00.125Z"),
        "plan": None if offline else plan,
        "is_copy": offline,
    }
    return JobDescription(**{**content, **changes})


def new_journal(root: Path, headers: list[dict[str, Any]] | None = None, **changes: Any) -> Journal:
    """The journal of such a job, which this process writes."""
    return Journal.create(root, described(**changes), b"snapshot", headers or HEADERS)


def saved_job(*events: dict[str, Any], **changes: Any) -> SavedJob:
    """What ``persist()`` writes of such a job."""
    return SavedJob(described(is_copy=True, **changes), CIRCUITS, events)


def files_in(root: Path) -> list[Path]:
    """What is in a store, but for the files of all jobs, which stay."""
    ours = (byte_locks.FILE, database_locks.DIRECTORY, accepted_ids.FILE)
    return sorted(path for path in root.iterdir() if path.name not in ours)


def rewritten(file: Path, **changes: Any) -> None:
    """Change what a ``job.json`` says; its checksum is right."""
    content = orjson.loads(file.read_bytes())["job"]
    file.write_bytes(pack("job", {**content, **changes}, FORMAT))
