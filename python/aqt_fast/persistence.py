"""Saved jobs: one file each, which any version of the package can read.

A file is JSON: ``{"format": 1, "job": {…}, "circuits": …, "sha256": …}``, with the circuits as
compressed QPY in Base64 and the digest of job and circuits. It is written under a temporary name
and renamed, readable by its owner only, and named after the job's id, which must be a UUID.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import struct
import tempfile
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import orjson
import platformdirs
from qiskit import QuantumCircuit, qpy
from qiskit.exceptions import QiskitError

from aqt_fast.exceptions import DamagedJobError, JobNotFoundError, UnsavableJobError

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
    """Directory of saved jobs: ``override``, or a place of the platform for all versions."""
    if override is not None:
        return Path(override)
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
            },
            "circuits": base64.b64encode(zlib.compress(circuits.getvalue())).decode(),
        }
        document = {"format": _FORMAT, **body, "sha256": _digest(orjson.loads(orjson.dumps(body)))}
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(document))
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return target

    def load(self, job_id: str) -> SavedJob:
        """Read a job.

        Raises:
            JobNotFoundError: no saved job has this id.
            DamagedJobError: its file cannot be read; it stays as it is.
        """
        path = self.file(job_id)
        try:
            document = orjson.loads(path.read_bytes())
        except FileNotFoundError:
            raise JobNotFoundError(job_id, self.path) from None
        except (OSError, orjson.JSONDecodeError) as error:
            raise DamagedJobError(path, str(error)) from error
        version = document.get("format") if isinstance(document, dict) else None
        if not isinstance(version, int) or isinstance(version, bool) or version < 1:
            raise DamagedJobError(path, "it is no saved job")
        if version > _FORMAT:
            raise DamagedJobError(path, f"format {version} was written by a newer aqt-fast")
        body = {"job": document.get("job"), "circuits": document.get("circuits")}
        if document.get("sha256") != _digest(body):
            raise DamagedJobError(path, "its content does not match its checksum")
        try:
            compressed = base64.b64decode(body["circuits"], validate=True)
            circuits = qpy.load(io.BytesIO(zlib.decompress(compressed)))
            job = body["job"]
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


def _digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()
