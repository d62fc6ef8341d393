"""One circuit of a job, as it is drawn, and the counts of its outcomes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson

from aqt_fast.server.workspaces import DIRECT_WORKSPACE

_MOST_OPERATIONS = 500
_MOST_OUTCOMES = 64


def circuit_as_json(workspace_id: str, body: bytes, index: int) -> dict[str, Any]:
    """Return a circuit of a request body that was accepted.

    Args:
        workspace_id: where the job came from: direct access has no job around its circuit.
        body: the request body.
        index: of the circuit.

    Returns:
        The circuit with its first 500 ``operations``, and ``num_operations`` of all.
    """
    content = orjson.loads(body)
    if workspace_id != DIRECT_WORKSPACE:
        content = content["payload"]["circuits"][index]
    operations = content["quantum_circuit"]
    return {
        "number_of_qubits": content["number_of_qubits"],
        "repetitions": content["repetitions"],
        "operations": operations[:_MOST_OPERATIONS],
        "num_operations": len(operations),
    }


def counts_as_json(result: bytes, index: int) -> dict[str, Any]:
    """Count the outcomes of a circuit.

    Args:
        result: outcomes of all circuits as ``{"0":[[0,1],…],…}``.
        index: of the circuit.

    Returns:
        The most frequent ``outcomes`` as ``[["01", 7], …]``, qubit 0 at the right as in Qiskit's
        counts, at most 64; ``num_outcomes`` and ``shots`` of all.
    """
    key = b'"%d":[[' % index
    start = result.index(key) + len(key)
    shots = result[start : result.index(b"]]", start)].split(b"],[")
    counts = Counter(shots)
    ranking = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MOST_OUTCOMES]
    return {
        "outcomes": [[shot.replace(b",", b"")[::-1].decode(), count] for shot, count in ranking],
        "num_outcomes": len(counts),
        "shots": len(shots),
    }
