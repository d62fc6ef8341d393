"""Circuits that were read once, and what is encoded and composed from them."""

from __future__ import annotations

import math

import numpy as np
import oracle
import pytest
import strategies
from aqt_fast import wire
from aqt_fast.exceptions import (
    InvalidCircuitError,
    ResponseMismatchError,
)
from aqt_fast.primitives.templates import Template
from aqt_fast.wire.circuits import API_LIMITS, count_gates
from aqt_fast.wire.snapshot import Snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from markers import marker, markers, word
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter


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


class TestGateCounts:
    """The gates that take time on a device."""

    @settings(deadline=None)
    @given(st.lists(strategies.circuits(), max_size=4))
    def test_as_encoded(self, circuits):
        """Those of the request, in a snapshot and without one."""
        names = [
            [item["operation"] for item in circuit["quantum_circuit"]]
            for circuit in oracle.job(circuits, 1)["payload"]["circuits"]
        ]
        expected = [[each.count("R"), each.count("RXX")] for each in names]
        assert Snapshot(circuits, API_LIMITS).gate_counts().tolist() == expected
        assert count_gates(circuits, API_LIMITS).tolist() == expected

    def test_folded(self):
        """A gate that folding leaves out is not counted, one that it adds is."""
        circuit = QuantumCircuit(2)
        circuit.rxx(math.pi, 0, 1)
        circuit.rxx(7.0, 0, 1)
        circuit.r(2 * math.pi, 0.3, 1)
        circuit.measure_all()
        batch = Snapshot([circuit], API_LIMITS)
        counts = batch.rebuilt()[0].count_ops()
        assert batch.gate_counts().tolist() == [[counts.get("r", 0), counts["rxx"]]]
        assert batch.gate_counts().tolist() == count_gates([circuit], API_LIMITS).tolist()
        with pytest.raises(InvalidCircuitError, match="theta"):
            count_gates([circuit], API_LIMITS, strict_angles=True)

    def test_parameter_sets(self, backend):
        """Each set is compiled as it is for its request; other circuits may be between."""
        angle = Parameter("a")
        circuit = QuantumCircuit(3)
        circuit.h(0)
        circuit.crx(angle, 0, 1)
        circuit.cry(2 * angle, 1, 2)
        circuit.measure_all()
        values = np.array([0, 0.1, np.pi, 2, 2 * np.pi] * 12)[:, None]
        swept = Template(circuit, backend, 2).snapshot(values, backend.limits)
        plain = Snapshot([marker(7)], backend.limits)
        both = Snapshot.joined([swept, plain, swept], backend.limits)
        counts = [item.count_ops() for item in both.rebuilt()]
        expected = [[count.get("r", 0), count.get("rxx", 0)] for count in counts]
        assert both.gate_counts().tolist() == expected
        assert len({tuple(count) for count in expected}) > 2
