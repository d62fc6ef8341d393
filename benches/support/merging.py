"""One result of many, in Qiskit's terms alone: the peer's interpreter imports it, too."""

from __future__ import annotations

from qiskit.result import Result


def merged(results: list[Result]) -> Result:
    """One result of all circuits."""
    first = results[0]
    return Result(
        backend_name=first.backend_name,
        backend_version=first.backend_version,
        job_id=first.job_id,
        success=all(result.success for result in results),
        results=[entry for result in results for entry in result.results],
    )
