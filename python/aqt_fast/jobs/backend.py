"""The backend's interface, as far as jobs need it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from qiskit import QuantumCircuit

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.jobs.execution import Execution
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import Part
from aqt_fast.wire.snapshot import Snapshot


class JobBackend(Protocol):
    """What a job needs of its backend."""

    name: str

    @property
    def num_qubits(self) -> int:
        """Number of qubits of the backend."""

    @property
    def limits(self) -> Limits:
        """Maximum number of circuits, shots, operations and qubits of one job."""

    @property
    def store_path(self) -> Path:
        """Where its jobs are stored."""

    def device_status(self, *, ask: bool) -> str | None:
        """Return the status of a device that does not run jobs, None if it does."""

    def prepare(self, circuits: Sequence[QuantumCircuit], options: AQTOptions) -> Snapshot:
        """Check circuits and take a snapshot of them."""

    def estimate_of(
        self, snapshot: Snapshot, options: AQTOptions, parts: Sequence[Part] | None = None
    ) -> JobEstimate:
        """Return what a job of checked circuits will take."""

    def execution(self, snapshot: Snapshot, options: AQTOptions) -> Execution:
        """Make the execution of a snapshot, without starting it."""
