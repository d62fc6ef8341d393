"""The codec under pytest-benchmark; each bench also runs once as an ordinary test.

Goals, against ``qiskit-aqt-provider`` in one run of ``compare.py``: bytes 150× (80× on Qiskit below
2.6), uniform result 250×, peaked result 600×, packed bits 700×.
"""

import json

import pytest
import workloads
from aqt_fast import wire

SHOTS = workloads.NUM_SHOTS


def test_brickwork_50_to_bytes(benchmark):
    """Transpiled circuits → request body."""
    circuits = workloads.brickwork_50()
    body = benchmark(wire.encode_job, circuits, SHOTS)
    assert len(json.loads(body)["payload"]["circuits"]) == workloads.NUM_CIRCUITS


@pytest.mark.parametrize("num_qubits", [10, 20])
@pytest.mark.parametrize("kind", [workloads.uniform, workloads.peaked])
def test_samples_50_to_result(benchmark, kind, num_qubits):
    """Response body → result with counts."""
    bits = kind(num_qubits)
    body, circuits = workloads.response(bits), workloads.measured(num_qubits)
    result = benchmark(wire.result_from_response, body, circuits, shots=SHOTS)
    texts = ("".join(map(str, shot[::-1])) for shot in bits[7].tolist())
    counts = result.get_counts(7)
    assert sum(counts.values()) == SHOTS
    assert set(texts) == set(counts)


@pytest.mark.parametrize("num_qubits", [10, 20])
def test_samples_50_to_packed_bits(benchmark, num_qubits):
    """Response body → one bit array a circuit."""
    bits = workloads.uniform(num_qubits)
    body, circuits = workloads.response(bits), workloads.measured(num_qubits)

    def packed():
        samples = wire.decode_response(body).samples
        return [item.bit_array(circuit) for item, circuit in zip(samples, circuits, strict=True)]

    arrays = benchmark(packed)
    assert (arrays[7].to_bool_array(order="little") == bits[7]).all()
