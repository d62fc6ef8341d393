"""Circuits that were read once, and what is encoded and composed from them."""

from __future__ import annotations

import pytest
from aqt_fast import wire
from aqt_fast.exceptions import (
    InvalidCircuitError,
    ResponseMismatchError,
)
from aqt_fast.wire.circuits import API_LIMITS
from aqt_fast.wire.snapshot import Snapshot
from markers import marker, markers, word


class TestSnapshot:
    """Circuits that were read once."""

    def test_encoding(self):
        """A snapshot encodes as the codec does from Qiskit's circuits."""
        circuits = markers(range(60))
        batch = Snapshot(circuits, API_LIMITS)
        assert len(batch) == 60
        assert batch.encode_job(5, 55, 7, "x") == wire.encode_job(circuits[5:55], 7, label="x")
        assert b'"circuits":[' + batch.encode_circuit(3, 8) + b"]" in wire.encode_job(
            circuits[3], 8
        )
        assert batch.name(9) == f"marker {word(9)}"
        with pytest.raises(IndexError):
            batch.encode_job(5, 61, 7, "x")

    def test_changes(self):
        """Later changes do not reach a snapshot, and ``is_of`` detects them."""
        circuits = markers(range(3))
        batch = Snapshot(circuits, API_LIMITS)
        before = batch.encode_job(0, 3, 1, "x")
        assert batch.is_of(circuits)
        circuits[1].name = "other"
        assert not batch.is_of(circuits)
        circuits[1].name = "marker 1"
        circuits[2].remove_final_measurements()
        circuits[2].r(1, 1, 0)
        circuits[2].measure_all()
        assert not batch.is_of(circuits)
        assert batch.encode_job(0, 3, 1, "x") == before

    def test_bad_circuits(self):
        """The error lists every invalid circuit."""
        with pytest.raises(InvalidCircuitError, match="circuit 1: not a QuantumCircuit"):
            Snapshot([marker(1), "no circuit"], API_LIMITS)

    def test_runs_of_different_circuits(self):
        """Samples of different circuits cannot be concatenated."""
        one, two = (
            wire.decode_response(
                b'{"response":{"status":"finished","result":{"0":[%s]}}}' % shot
            ).samples[0]
            for shot in (b"[0,1]", b"[0]")
        )
        assert wire.Samples.concatenate([one, one]).memory() == ["0x2", "0x2"]
        for parts in ([], [one, two]):
            with pytest.raises(ResponseMismatchError):
                wire.Samples.concatenate(parts)
