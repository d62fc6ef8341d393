"""What ``qiskit-aqt-provider`` 2.0.1 does for the same job, called as its own classes call it."""

from __future__ import annotations

import json

from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse
from qiskit import QuantumCircuit
from qiskit.result import Result
from qiskit_aqt_provider._transformers import circuits_to_aqt_job, partial_qiskit_result_dict


def encode(circuits: list[QuantumCircuit], shots: int) -> bytes:
    """Circuits → request body: convert, dump the model, dump JSON as httpx does."""
    request = circuits_to_aqt_job(circuits, shots)
    return json.dumps(
        request.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":")
    ).encode()


def result(body: bytes, circuits: list[QuantumCircuit], shots: int, *, memory: bool) -> Result:
    """Response body → result: validate the model, aggregate each circuit."""
    state = ResultResponse.model_validate_json(body).response
    experiments = [
        partial_qiskit_result_dict(state.result[index], circuit, shots=shots, memory=memory)
        for index, circuit in enumerate(circuits)
    ]
    return Result.from_dict(
        {"backend_name": "", "job_id": "", "success": True, "results": experiments}
    )
