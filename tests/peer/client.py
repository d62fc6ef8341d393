"""Another client at work: ``qiskit-aqt-provider`` 1.15, in an environment of its own.

Started by ``test_peer.py`` with that environment's interpreter. Each line on standard input is one
request, ``[name, {arguments}]``; each line on standard output answers one. Circuits come as
OpenQASM 2. Where the server is, the peer learns from ``AQT_PORTAL_URL`` and ``AQT_TOKEN``.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import qiskit
from qiskit import QuantumCircuit, qasm2
from qiskit_aqt_provider import AQTProvider


class Client:
    """What the peer can do; the jobs that it has submitted are kept by their identifiers."""

    def __init__(self) -> None:
        """Takes portal and token from the environment."""
        self._provider = AQTProvider(load_dotenv=False)
        self._jobs: dict[str, Any] = {}

    def versions(self) -> dict[str, str]:
        """Versions of Qiskit, the client and AQT's models."""
        from importlib.metadata import version

        names = ("qiskit", "qiskit-aqt-provider", "aqt-connector")
        return {name: version(name) for name in names}

    def backends(self) -> list[list[object]]:
        """All backends: workspace, identifier, name, type, qubits."""
        resources = [backend.resource_id for backend in self._provider.backends()]
        return [
            [
                resource.workspace_id,
                resource.resource_id,
                resource.resource_name,
                str(getattr(resource.resource_type, "value", resource.resource_type)),
                resource.available_qubits,
            ]
            for resource in resources
        ]

    def submit(self, backend: str, workspace: str, circuits: list[str], **options: Any) -> str:
        """Transpile, submit, and give the job's identifier."""
        found = self._provider.get_backend(backend, workspace=workspace)
        found.options.update_options(query_period_seconds=0.1, with_progress_bar=False)
        job = found.run(transpiled(circuits, found), **options)
        self._jobs[job.job_id()] = job
        return job.job_id()

    def status(self, job_id: str) -> dict[str, object]:
        """Status and progress of a job."""
        job = self._jobs[job_id]
        status, progress = job.status(), job.progress()
        return {"status": status.name, "progress": [progress.finished_count, progress.total_count]}

    def result(self, job_id: str) -> dict[str, object]:
        """Wait for a job's end."""
        job = self._jobs[job_id]
        return {**told(job.result()), "error": job.error_message, **self.status(job_id)}

    def direct(self, circuits: list[str], **options: Any) -> dict[str, object]:
        """Run circuits by direct access, at ``AQT_DIRECT_URL``."""
        machine = self._provider.get_direct_access_backend()
        machine.options.with_progress_bar = False
        job = machine.run(transpiled(circuits, machine), **options)
        return {**told(job.result()), "name": machine.name, "qubits": machine.num_qubits}


def transpiled(circuits: list[str], backend: Any) -> list[QuantumCircuit]:
    """Load and transpile circuits for the peer's backend."""
    gates = qasm2.LEGACY_CUSTOM_INSTRUCTIONS
    loaded = [qasm2.loads(text, custom_instructions=gates) for text in circuits]
    return qiskit.transpile(loaded, backend)


def told(result: Any) -> dict[str, object]:
    """Counts of all circuits, and the shots if they were asked for."""
    places = range(len(result.results))
    with_memory = places and hasattr(result.results[0].data, "memory")
    return {
        "success": result.success,
        "counts": [result.get_counts(place) for place in places],
        "memory": [result.get_memory(place) for place in places] if with_memory else None,
    }


def main() -> None:
    """Answer until there are no more requests."""
    client = Client()
    for line in sys.stdin:
        name, arguments = json.loads(line)
        sys.stdout.write(json.dumps(getattr(client, name)(**arguments)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
