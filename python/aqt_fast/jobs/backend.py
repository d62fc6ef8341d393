"""What a job needs of its backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from qiskit import QuantumCircuit

from aqt_fast.aqt_options import AQTOptions
from aqt_fast.jobs.execution import Execution
from aqt_fast.wire.circuits import Limits


class JobBackend(Protocol):
    """What a job needs of its backend."""

    name: str

    @property
    def num_qubits(self) -> int:
        """Size of the register."""

    @property
    def limits(self) -> Limits:
        """What one job takes."""

    def prepare(self, circuits: Sequence[QuantumCircuit]) -> Any:
        """Check circuits and make a snapshot of them."""

    def execution(self, snapshot: Any, options: AQTOptions) -> Execution:
        """Make an execution of circuits that were prepared; it has not begun."""

    def unchanged(self, circuits: Sequence[QuantumCircuit], snapshot: Any) -> list[QuantumCircuit]:
        """The circuits of a snapshot; raise ``ValueError`` if they were changed since."""
