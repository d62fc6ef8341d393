"""Snapshots on disk: exact, checked, and rebuilt into circuits."""

from __future__ import annotations

import json
import math
import struct

import pytest
from aqt_fast import AQTProvider, _native, wire
from aqt_fast.wire.circuits import API_LIMITS, Limits
from aqt_fast.wire.results import result_header
from aqt_fast.wire.snapshot import Snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Clbit, Qubit
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Operator
from strategies import circuits

pytestmark = pytest.mark.all_qiskits

EXAMPLE = (
    b"AQTB\x01"
    + struct.pack("<III", 1, 3, 3)
    + struct.pack("<BId", 0, 2, -7.25)
    + struct.pack("<BIdd", 1, 0, 1.25, 0.5)
    + struct.pack("<BIId", 2, 2, 1, 0.25)
    + struct.pack("<III", 2, 0xFFFF_FFFF, 2)
)
"""One circuit: rz, r, rxx, and qubit 2 measured into classical bit 1 of 2."""


def native(batch: list[QuantumCircuit]) -> _native.Snapshot:
    """What the extension makes of circuits."""
    return _native.Snapshot(batch, max_qubits=31, max_operations=2000)


def body(batch: _native.Snapshot | Snapshot) -> bytes:
    """All circuits of a batch as the body of one API job."""
    return batch.encode_job(0, len(batch), 7, "x")


def reread(batch: Snapshot) -> Snapshot:
    """Save and read, as a journal does."""
    return Snapshot.from_saved(batch.to_bytes(), json.loads(json.dumps(batch.headers)))


def transpiled(seed: int, num_qubits: int) -> QuantumCircuit:
    """A random unitary in AQT's gates, with measurements."""
    circuit = random_circuit(num_qubits, 4, max_operands=2, seed=seed)
    circuit.measure_all()
    circuit.name, circuit.metadata = f"random {seed}", {"seed": seed}
    with AQTProvider("token", load_dotenv=False) as provider:
        backend = provider.get_backend("offline_simulator_no_noise")
        return transpile(circuit, backend, optimization_level=1)


class TestNative:
    """The archive of the extension."""

    @settings(deadline=None)
    @given(st.lists(circuits(), max_size=4))
    def test_round_trip(self, originals):
        """Circuits come back as they were, and so do the bytes."""
        batch = native(originals)
        data = batch.to_bytes()
        again = _native.Snapshot.from_bytes(data)
        assert again == batch
        assert len(again) == len(originals)
        assert again.to_bytes() == data
        assert body(again) == body(batch)
        for index, circuit in enumerate(originals):
            assert again.num_qubits(index) == circuit.num_qubits
            assert again.num_clbits(index) == circuit.num_clbits
            sources = {}
            for item in circuit.get_instructions("measure"):
                clbit = circuit.find_bit(item.clbits[0]).index
                sources[clbit] = circuit.find_bit(item.qubits[0]).index
            expected = [(qubit, clbit) for clbit, qubit in sorted(sources.items())]
            assert again.measurements(index) == expected

    @settings(deadline=None)
    @given(circuits())
    def test_operations(self, circuit):
        """Gates in order, with Qiskit's parameters up to the last place; the same units of π."""
        found = native([circuit]).operations(0)
        gates = [item for item in circuit.data if item.operation.name in ("rz", "r", "rxx")]
        assert [name for name, _, _ in found] == [item.operation.name for item in gates]
        for (_, qubits, angles), item in zip(found, gates, strict=True):
            assert qubits == tuple(circuit.find_bit(qubit).index for qubit in item.qubits)
            for angle, expected in zip(angles, item.operation.params, strict=True):
                assert math.isclose(angle, expected, rel_tol=4e-16, abs_tol=1e-300)
                assert angle / math.pi == expected / math.pi

    def test_format(self):
        """What version 1 writes and reads is fixed."""
        batch = _native.Snapshot.from_bytes(EXAMPLE)
        assert batch.to_bytes() == EXAMPLE
        assert (len(batch), batch.num_qubits(0), batch.num_clbits(0)) == (1, 3, 2)
        assert batch.measurements(0) == [(2, 1)]
        assert batch.operations(0) == [
            ("rz", (2,), (-7.25 * math.pi,)),
            ("r", (0,), (0.5 * math.pi, 1.25 * math.pi)),
            ("rxx", (2, 1), (0.25 * math.pi,)),
        ]
        circuit = QuantumCircuit(3, 2)
        circuit.rz(-7.25 * math.pi, 2)
        circuit.r(0.5 * math.pi, 1.25 * math.pi, 0)
        circuit.rxx(0.25 * math.pi, 2, 1)
        circuit.measure(2, 1)
        assert native([circuit]).to_bytes() == EXAMPLE

    @pytest.mark.parametrize(
        ("at", "patch", "message"),
        [
            (0, b"Q", "byte 0: not an archive of circuits"),
            (4, b"\x03", "byte 4: version 3 of the format is unknown"),
            (5, b"\x02", "byte 80: the archive ends in the middle of a value"),
            (5, b"\xff", "byte 5: 255 are announced, but the archive is too short for them"),
            (9, b"\0", "byte 9: no qubits"),
            (17, b"\x03", "byte 17: no operation has tag 3"),
            (18, b"\x03", "byte 18: qubit 3 is not in the register of 3"),
            (35, struct.pack("<d", 2.5), r"byte 35: phi is 2\.5, but must be from 0\.0 to 2\.0"),
            (43, struct.pack("<d", -0.0), r"byte 43: theta is -0\.0, but must be from 0\.0 to 1"),
            (60, struct.pack("<d", math.nan), "byte 60: theta is NaN, but must be"),
            (52, b"\x01", "byte 51: acts twice on qubit 1"),
            (76, b"\xff\xff\xff\xff", "byte 68: no measurement"),
            (80, b"\0", "byte 80: something follows the last circuit"),
        ],
    )
    def test_broken(self, at, patch, message):
        """A plain ``ValueError`` with place and reason."""
        data = EXAMPLE[:at] + patch + EXAMPLE[at + len(patch) :]
        with pytest.raises(ValueError, match=f"^{message}") as caught:
            _native.Snapshot.from_bytes(data)
        assert type(caught.value) is ValueError

    def test_truncated(self):
        """Wherever it ends."""
        for end in range(len(EXAMPLE)):
            with pytest.raises(ValueError, match=r"^byte \d+: "):
                _native.Snapshot.from_bytes(EXAMPLE[:end])

    @pytest.mark.parametrize("index", [1, 2**64 - 1])
    def test_no_such_circuit(self, index):
        """An ``IndexError``, however far off."""
        batch = _native.Snapshot.from_bytes(EXAMPLE)
        for method in (batch.operations, batch.measurements, batch.num_qubits, batch.num_clbits):
            with pytest.raises(IndexError, match="no such circuits"):
                method(index)
        with pytest.raises(IndexError, match="no such circuits"):
            batch.encode_circuit(index, 1)


class TestSaved:
    """A batch with its headers."""

    @settings(deadline=None)
    @given(st.lists(circuits(), min_size=1, max_size=3), st.integers(1, 5), st.data())
    def test_round_trip(self, originals, shots, data):
        """Bodies and results are the same."""
        batch = Snapshot(originals, API_LIMITS)
        again = reread(batch)
        assert len(again) == len(batch)
        assert again.headers == batch.headers
        assert again.is_of(originals)
        assert body(again) == body(batch)
        rows = {
            str(index): data.draw(
                st.lists(
                    st.lists(st.integers(0, 1), min_size=n, max_size=n),
                    min_size=shots,
                    max_size=shots,
                )
            )
            for index, n in enumerate(circuit.num_qubits for circuit in originals)
        }
        response = {"status": "finished", "result": rows}
        document = {"job": {"job_id": "1"}, "response": response}
        samples = wire.decode_response(json.dumps(document).encode()).samples
        first, second = (
            [
                entry.to_dict()
                for entry in each.results(samples, 0, len(each), shots=shots, memory=True)
            ]
            for each in (batch, again)
        )
        assert first == second

    @settings(deadline=None)
    @given(circuits())
    def test_rebuilt(self, original):
        """The circuit is the original without barriers and overwritten measurements."""
        original.metadata = {"a": [1, None]}
        batch = reread(Snapshot([original], API_LIMITS))
        rebuilt = batch.circuit(0)
        assert batch.is_of([rebuilt])
        assert result_header(rebuilt) == result_header(original)
        assert wire.encode_job(rebuilt, 3) == wire.encode_job(original, 3)
        assert native([rebuilt]) == native([original])
        assert "barrier" not in rebuilt.count_ops()
        one, other = (
            circuit.remove_final_measurements(inplace=False) for circuit in (rebuilt, original)
        )
        # Removing measurements removes idle bits' registers, too, but no qubits.
        assert Operator(one).equiv(Operator(other), atol=1e-7)

    def test_transpiled(self):
        """Circuits as users have them."""
        originals = [transpiled(seed, 2 + seed % 3) for seed in range(8)]
        batch = reread(Snapshot(originals, API_LIMITS))
        rebuilt = [batch.circuit(index) for index in range(8)]
        assert batch.is_of(rebuilt)
        assert wire.encode_job(rebuilt, 3) == wire.encode_job(originals, 3)
        assert [circuit.name for circuit in rebuilt] == [f"random {seed}" for seed in range(8)]
        assert sum(len(circuit.data) for circuit in rebuilt) > 100

    def test_no_registers(self):
        """Bits without registers, or with several, are plain bits."""
        loose = QuantumCircuit([Qubit(), Qubit()], [Clbit(), Clbit()])
        loose.measure([0, 1], [1, 0])
        qubits, clbits = [Qubit(), Qubit()], [Clbit(), Clbit()]
        shared = QuantumCircuit(
            QuantumRegister(bits=qubits, name="a"),
            QuantumRegister(bits=qubits[:1], name="b"),
            ClassicalRegister(bits=clbits, name="c"),
            ClassicalRegister(bits=clbits[1:], name="d"),
        )
        shared.rxx(1, 1, 0)
        shared.measure(1, 0)
        batch = reread(Snapshot([loose, shared], API_LIMITS))
        rebuilt = [batch.circuit(index) for index in range(2)]
        assert all(not circuit.qregs and not circuit.cregs for circuit in rebuilt)
        assert [circuit.num_qubits for circuit in rebuilt] == [2, 2]
        assert [circuit.num_clbits for circuit in rebuilt] == [2, 2]
        assert wire.encode_job(rebuilt, 3) == wire.encode_job([loose, shared], 3)
        assert native(rebuilt) == native([loose, shared])

    def test_registers(self):
        """Names and sizes, empty ones included."""
        circuit = QuantumCircuit(
            QuantumRegister(2, "x"),
            QuantumRegister(0, "none"),
            QuantumRegister(1, "y"),
            ClassicalRegister(0, "c"),
            ClassicalRegister(3, "d"),
            name="näme",
        )
        circuit.measure([0, 2], [2, 0])
        rebuilt = reread(Snapshot([circuit], API_LIMITS)).circuit(0)
        assert [(register.name, register.size) for register in rebuilt.qregs] == [
            ("x", 2),
            ("none", 0),
            ("y", 1),
        ]
        assert [(register.name, register.size) for register in rebuilt.cregs] == [
            ("c", 0),
            ("d", 3),
        ]
        assert rebuilt == circuit
        assert rebuilt.name == "näme"
        assert rebuilt.metadata == {}

    def test_wide(self):
        """Limits are not part of a snapshot."""
        circuit = QuantumCircuit(40)
        circuit.measure_all()
        batch = reread(Snapshot([circuit], Limits(qubits=40)))
        assert batch.is_of([circuit])
        assert batch.circuit(0).num_qubits == 40

    def test_snapshot(self):
        """Changes of a rebuilt circuit do not reach the batch."""
        batch = Snapshot([transpiled(1, 2)], API_LIMITS)
        rebuilt = batch.circuit(0)
        rebuilt.metadata["seed"] = 7
        rebuilt.r(1, 1, 0)
        assert batch.circuit(0).metadata == {"seed": 1}
        batch.headers.clear()
        assert len(batch) == 1

    def test_other_headers(self):
        """Headers of other circuits are refused."""
        batch = Snapshot([transpiled(1, 2)], API_LIMITS)
        with pytest.raises(ValueError, match="1 circuits, but 2 headers"):
            Snapshot.from_saved(batch.to_bytes(), batch.headers * 2)
        (header,) = batch.headers
        with pytest.raises(ValueError, match="header is of a circuit with other classical bits"):
            Snapshot.from_saved(batch.to_bytes(), [{**header, "memory_slots": 9}])
        with pytest.raises(ValueError, match="byte 0: not an archive"):
            Snapshot.from_saved(b"", [])
