"""Saved jobs: one file each, which any version of the package can read.

A file is JSON: ``{"format": 1, "job": {…}, "circuits": …, "sha256": …}``, with the circuits as
compressed QPY in Base64 and the digest of job and circuits. It is written under a temporary name
and renamed, readable by its owner only, and named after the job's id, which must be a UUID.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import struct
import uuid
import zlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
import platformdirs
from qiskit import QuantumCircuit, qpy
from qiskit.exceptions import QiskitError

from aqt_fast.document import pack, unpack, unpack_first
from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, UnsavableJobError
from aqt_fast.private_file import flush, make_directory, write_file

__all__ = ["JobNotFoundError", "JobStore", "SavedJob", "get_store_path"]

_FORMAT = 1

_LONGEST_NAME = 2**16 - 1
"""QPY cuts longer names of circuits off, and then cannot read its own file."""

_UNUSABLE = (
    binascii.Error, zlib.error, struct.error, QiskitError, LookupError, TypeError, ValueError
)  # fmt: skip
"""What reading the circuits and keys of a wrong file can raise."""


@dataclass(frozen=True)
class SavedJob:
    """What it takes to make a job again."""

    job_id: str
    """Id of the job when it was saved."""
    backend_name: str
    """Name of its backend."""
    available_qubits: int
    """Size of the backend's register."""
    backend_settings: dict[str, Any]
    """What makes the backend another than the provider's default, in JSON's types."""
    options: dict[str, Any]
    """The job's options, in JSON's types."""
    circuits: Sequence[QuantumCircuit]
    """The job's circuits, in the order of the results."""


def get_store_path(override: str | Path | None = None) -> Path:
    """Directory of saved jobs and of journals, the same for all versions.

    It is ``override``, or else what the environment variable ``AQT_STORE_PATH`` says, or else the
    platform's place for the user's data.
    """
    if override is not None:
        return Path(override)
    if os.environ.get("AQT_STORE_PATH"):
        return Path(os.environ["AQT_STORE_PATH"]).expanduser()
    return platformdirs.user_data_path("aqt-fast", appauthor=False) / "jobs"


class JobStore:
    """The saved jobs in a directory."""

    def __init__(self, store_path: str | Path | None = None) -> None:
        """``store_path`` is made when something is saved; None stands for the default."""
        self.path = get_store_path(store_path)

    def save(self, job: SavedJob) -> Path:
        """Write a job, over an older version of it if there is one, and return its file.

        Raises:
            UnsavableJobError: circuits or settings have something that QPY or JSON cannot express.
            OSError: the directory or the file cannot be written; an older version stays.
        """
        target = self.file(job.job_id)
        circuits = io.BytesIO()
        try:
            qpy.dump(list(job.circuits), circuits)
            orjson.dumps([job.options, job.backend_settings])
            if any(len(circuit.name.encode()) > _LONGEST_NAME for circuit in job.circuits):
                raise ValueError(f"the name of a circuit has more than {_LONGEST_NAME} bytes")
        except (TypeError, ValueError, struct.error, QiskitError) as error:
            raise UnsavableJobError(job.job_id, str(error)) from error
        body = {
            "job": {
                "job_id": job.job_id,
                "saved_at": datetime.now(timezone.utc),
                "backend_name": job.backend_name,
                "available_qubits": job.available_qubits,
                "backend_settings": job.backend_settings,
                "options": job.options,
                "num_circuits": len(job.circuits),
            },
            "circuits": base64.b64encode(zlib.compress(circuits.getvalue())).decode(),
        }
        make_directory(self.path)
        write_file(target, pack(body, _FORMAT))
        flush(self.path)
        return target

    def load(self, job_id: str) -> SavedJob:
        """Read a job.

        Args:
            job_id: its id, or that of an API job in it.

        Raises:
            JobNotFoundError: no saved job has this id.
            DamagedJobError: its file cannot be read; it stays as it is.
        """
        with suppress(FileNotFoundError):
            return self._read(self.file(job_id))
        for path in self.path.glob("*.json"):
            # What cannot be read is no reason not to find another.
            with suppress(OSError, DamagedJobError):
                if job_id.encode() in path.read_bytes():
                    saved = self._read(path)
                    jobs = saved.backend_settings.get("jobs", [])
                    if any(entry["job_id"] == job_id for entry in jobs):
                        return saved
        raise JobNotFoundError(job_id, self.path)

    def description(self, job_id: str) -> dict[str, Any]:
        """Everything but the circuits, in JSON's types; what it says is not checked.

        Besides what :class:`SavedJob` has, ``saved_at`` (ISO 8601) and ``num_circuits``.

        Raises:
            FileNotFoundError: it has just been removed.
            DamagedJobError: its file cannot be read; it stays as it is.
        """
        file = self.file(job_id)
        try:
            job: dict[str, Any] = unpack_first(file, _FORMAT, ("job", "circuits"))
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DamagedJobError(file, str(error)) from error
        return job

    def remove(self, job_id: str) -> None:
        """Delete a job's file, if there is one."""
        self.file(job_id).unlink(missing_ok=True)

    def file(self, job_id: str) -> Path:
        """The file of a job, which need not exist; the id is never taken for a path.

        Raises:
            JobNotFoundError: the id is not a UUID.
        """
        try:
            name = str(uuid.UUID(job_id))
        except (ValueError, AttributeError, TypeError):
            raise JobNotFoundError(str(job_id), self.path) from None
        return self.path / f"{name}.json"

    def _read(self, path: Path) -> SavedJob:
        try:
            content = unpack(path.read_bytes(), _FORMAT, ("job", "circuits"), path)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise DamagedJobError(path, str(error)) from error
        try:
            compressed = base64.b64decode(content["circuits"], validate=True)
            circuits = qpy.load(io.BytesIO(zlib.decompress(compressed)))
            job = content["job"]
            if job["job_id"] != path.stem:
                raise ValueError(f"it holds job {job['job_id']}")
            return SavedJob(
                job_id=job["job_id"],
                backend_name=job["backend_name"],
                available_qubits=job["available_qubits"],
                backend_settings=job["backend_settings"],
                options=job["options"],
                circuits=circuits,
            )
        except _UNUSABLE as error:
            raise DamagedJobError(path, f"its content cannot be used: {error}") from error
