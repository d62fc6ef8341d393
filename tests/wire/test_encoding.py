"""Circuits → request bodies."""

import json
import math
import pickle
from pathlib import Path

import numpy as np
import oracle
import pytest
import qiskit
import strategies
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_connector.models.circuits import QuantumCircuit as ConnectorCircuit
from aqt_fast import _native, wire
from aqt_fast.exceptions import (
    AQTError,
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
    InvalidShotsError,
)
from aqt_fast.wire.circuits import API_LIMITS, Limits, check_circuits
from example_counts import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter
from wire.examples import small_circuit, with_gate

pytestmark = pytest.mark.all_qiskits

GOLDEN = Path(__file__).parents[1] / "golden"


class TestEncode:
    """Circuits → request bytes."""

    def test_golden(self):
        """The text itself is as expected, to the byte."""
        assert wire.encode_job(small_circuit(), 100) == (GOLDEN / "job.json").read_bytes().strip()

    @settings(max_examples=examples(1200), deadline=None)
    @given(
        st.lists(strategies.circuits(), min_size=1, max_size=3),
        st.integers(1, 2000),
        st.one_of(st.none(), st.text()),
    )
    def test_equals_oracle_and_is_accepted_by_aqt(self, circuits, shots, label):
        """Same content as the oracle's, and valid for the models of AQT's own client."""
        body = wire.encode_job(circuits, shots, label=label)
        assert json.loads(body) == oracle.job(circuits, shots, label)
        request = SubmitJobRequest.model_validate_json(body)
        assert request.model_dump(mode="json") == oracle.job(circuits, shots, label)

    @settings(max_examples=examples(300), deadline=None)
    @given(st.lists(st.tuples(strategies.circuits(), st.integers(1, 2000)), min_size=1, max_size=3))
    def test_shots_for_each(self, batch):
        """Each circuit has its own repetitions, as AQT's models read them."""
        circuits, shots = zip(*batch, strict=True)
        body = wire.encode_job(circuits, shots)
        expected = oracle.job(circuits, shots)
        assert json.loads(body) == expected
        request = SubmitJobRequest.model_validate_json(body)
        assert request.model_dump(mode="json") == expected

    def test_runs(self):
        """A circuit may stand in an API job several times."""
        wide = QuantumCircuit(3, 1)
        wide.measure(0, 0)
        batch = _native.Snapshot(
            [small_circuit(), wide, small_circuit()], max_qubits=31, max_operations=2000
        )
        body = batch.encode_job(0, 3, ((7,), (2000, 2000, 5), (1,)), "x")
        runs = SubmitJobRequest.model_validate_json(body).payload.circuits
        assert [run.repetitions for run in runs] == [7, 2000, 2000, 5, 1]
        assert [run.number_of_qubits for run in runs[1:4]] == [3, 3, 3]
        assert len(runs[0].quantum_circuit.root) == len(runs[4].quantum_circuit.root)
        assert batch.encode_job(1, 2, ((3,),), "x") == batch.encode_job(1, 2, 3, "x")

    def test_large_jobs_are_the_same_as_small_ones(self):
        """What several threads write is what one would write."""
        rng = np.random.default_rng(5)
        circuits = []
        for size in (1999, 3, 1999, 1500, 0, 1999, 1, 1999, 1999, 700):
            circuit = QuantumCircuit(31, 1)
            for _ in range(size):
                circuit.rz(rng.uniform(-9, 9), int(rng.integers(31)))
            circuit.measure(0, 0)
            circuits.append(circuit)
        expected = oracle.job(circuits, 2000)
        for _ in range(20):
            assert json.loads(wire.encode_job(circuits, 2000)) == expected

    def test_angles_next_to_a_bound(self):
        """Values within 1e-9 of a bound are moved onto it."""
        circuit = QuantumCircuit(2, 1)
        circuit.r(-5e-10, 2 * math.pi + 5e-10, 0)
        circuit.r(math.pi + 5e-10, -1e-15, 0)
        circuit.rxx(math.pi / 2 + 5e-10, 0, 1)
        circuit.measure(0, 0)
        operations = json.loads(wire.encode_job(circuit, 1))["payload"]["circuits"][0]
        angles = [(op.get("phi"), op.get("theta")) for op in operations["quantum_circuit"]]
        assert angles == [(2.0, 0.0), (0.0, 1.0), (None, 0.5), (None, None)]

    @pytest.mark.parametrize("shots", [0, -1, 2001, True, 1.5, "7", None, 2**70])
    def test_shots_out_of_range(self, shots):
        """The error names option and value."""
        with pytest.raises(InvalidOptionError, match="shots must be a whole number from 1 to 2000"):
            wire.encode_job(small_circuit(), shots)

    def test_shots_for_each_out_of_range(self):
        """The limit is that of an API job."""
        with pytest.raises(InvalidShotsError, match=r"from 1 to 2000 .*not 2001 \(circuit 1\)"):
            wire.encode_job([small_circuit()] * 2, [1, 2001])
        with pytest.raises(InvalidShotsError, match="each of the 2 circuits, not 3 numbers"):
            wire.encode_job([small_circuit()] * 2, [1, 2, 3])

    def test_numpy_shots(self):
        """Whole numbers of any type are whole numbers."""
        assert wire.encode_job(small_circuit(), np.int64(7)) == wire.encode_job(small_circuit(), 7)

    @pytest.mark.parametrize("label", [5, b"x", "\ud800"])
    def test_bad_label(self, label):
        """The error names it."""
        with pytest.raises(InvalidOptionError, match="label must be"):
            wire.encode_job(small_circuit(), 1, label=label)

    def test_no_circuits_at_all(self):
        """Neither a circuit nor a collection of them."""
        with pytest.raises(InvalidInputError, match="of type 'NoneType'"):
            wire.encode_job(None, 1)

    def test_number_of_circuits(self):
        """1 to 50."""
        with pytest.raises(InvalidJobError, match="at least one circuit"):
            wire.encode_job([], 1)
        with pytest.raises(InvalidJobError, match="51 circuits, but one job takes 50"):
            wire.encode_job([small_circuit()] * 51, 1)
        assert wire.encode_job(iter([small_circuit()] * 50), 1).count(b"MEASURE") == 50


class TestEncodeCircuit:
    """One circuit of a snapshot → the request bytes of direct access."""

    @settings(max_examples=300, deadline=None)
    @given(strategies.circuits(), st.integers(1, 2000))
    def test_is_the_circuit_of_a_job(self, circuit, shots):
        """The same text as in a job's body, which AQT's models take as it is."""
        body = snapshot(circuit).encode_circuit(0, shots)
        assert json.loads(body) == oracle.circuit_payload(circuit, shots)
        assert b'"circuits":[' + body + b"]" in wire.encode_job(circuit, shots)
        assert ConnectorCircuit.model_validate_json(body).repetitions == shots

    def test_bad_input(self):
        """Refused with the errors of a job."""
        for circuit, reason in [
            (QuantumCircuit(1), "circuit 0: no measurement"),
            ([small_circuit()], "circuit 0: not a QuantumCircuit but of type 'list'"),
            (None, "circuit 0: not a QuantumCircuit but of type 'NoneType'"),
            (with_gate(lambda c: c.h(0)), r"circuit 0, instruction 1 \(h\): not an operation"),
        ]:
            with pytest.raises(InvalidCircuitError, match=reason):
                snapshot(circuit)
        for shots in (-1, 2**32, "7", None):
            with pytest.raises((OverflowError, TypeError)):
                snapshot(small_circuit()).encode_circuit(0, shots)

    def test_resource_limits(self):
        """Limits are the resource's."""
        assert snapshot(small_circuit(), operations=4, qubits=2).encode_circuit(0, 200)
        with pytest.raises(InvalidCircuitError, match="4 operations"):
            snapshot(small_circuit(), operations=3)
        with pytest.raises(InvalidCircuitError, match="2 qubits"):
            snapshot(small_circuit(), qubits=1)


def snapshot(circuit, *, operations: int = 2000, qubits: int = 31) -> _native.Snapshot:
    """A snapshot of one circuit within the limits of a resource."""
    return _native.Snapshot([circuit], max_qubits=qubits, max_operations=operations)


def with_control_flow(circuit: QuantumCircuit) -> None:
    """Adds an empty loop."""
    with circuit.for_loop(range(3)):
        circuit.rz(1, 0)


def two_rotations() -> Gate:
    """A gate made of gates that are not all native."""
    circuit = QuantumCircuit(2, name="two")
    circuit.rz(1, 0)
    circuit.rx(1, 1)
    return circuit.to_gate()


def rx_gate_renamed() -> Gate:
    """A user's gate that has a native gate's name."""
    return Gate("r", 1, [0.1, 0.2])


BAD_INSTRUCTIONS = {
    "not transpiled": (lambda c: c.h(0), "h", None, "not an operation of AQT"),
    "composite": (
        lambda c: c.append(two_rotations(), [0, 1]),
        "two",
        None,
        "not an operation of AQT",
    ),
    "unitary": (lambda c: c.unitary(np.eye(2), [0]), "unitary", None, "not an operation of AQT"),
    "reset after rz": (lambda c: c.reset(0), "reset", None, "reset all qubits at the beginning by"),
    "early reset": (lambda c: c.reset(1), "reset", None, "reset all qubits at the beginning by"),
    "delay": (lambda c: c.delay(100, 0), "delay", None, r"no delays \(on qubit 0\); leave it out$"),
    "same name": (
        lambda c: c.append(rx_gate_renamed(), [0]),
        "r",
        None,
        "neither a definition nor",
    ),
    "control flow": (with_control_flow, "for_loop", None, "no control flow"),
    "unbound": (lambda c: c.rz(2 * Parameter("a"), 0), "rz", None, "unbound parameters: a "),
    "unbound second": (
        lambda c: c.r(0.1, Parameter("b"), 0),
        "r",
        None,
        "unbound parameters: b ",
    ),
    "nan": (lambda c: c.rz(math.nan, 0), "rz", math.nan, "phi is NaN, not a finite number"),
    "infinite": (lambda c: c.rxx(-math.inf, 0, 1), "rxx", -math.inf, "theta is -inf"),
    "theta of r": (lambda c: c.r(3.2, 0, 0), "r", 3.2, r"theta = 3.2 is outside \[0, π\]"),
    "phi of r": (lambda c: c.r(1, -0.1, 0), "r", -0.1, r"phi = -0.1 is outside \[0, 2π\]"),
    "theta of rxx": (lambda c: c.rxx(1.6, 0, 1), "rxx", 1.6, r"theta = 1.6 is outside \[0, π/2\]"),
    "just outside": (lambda c: c.r(math.pi + 2e-9, 0, 0), "r", math.pi + 2e-9, "outside"),
}


class TestBadCircuits:
    """Every offence is named with its place, by the check and by the encoder."""

    @pytest.mark.parametrize("case", BAD_INSTRUCTIONS)
    def test_instruction(self, case):
        """Circuit, instruction, operation and value."""
        append, operation, value, reason = BAD_INSTRUCTIONS[case]
        batch = [small_circuit(), with_gate(append)]
        for refuse in (
            lambda: wire.encode_job(batch, 1, strict_angles=True),
            lambda: check_circuits(batch, API_LIMITS, strict_angles=True),
        ):
            with pytest.raises(InvalidCircuitError, match=reason) as caught:
                refuse()
            (problem,) = caught.value.problems
            assert (problem.circuit, problem.instruction) == (1, 1)
            assert problem.operation == operation
            assert problem.value == value or (math.isnan(problem.value) and math.isnan(value))
            assert isinstance(caught.value, ValueError)
            assert isinstance(caught.value, AQTError)

    @pytest.mark.skipif(
        tuple(map(int, qiskit.__version__.split(".")[:2])) < (2, 6),
        reason="older C APIs end the process before anyone can look",
    )
    def test_an_angle_that_is_no_double(self):
        """Refused by name: Qiskit's C API would end the process if it were asked for the value."""
        for value in (10**400, -(10**309)):
            with pytest.raises(InvalidCircuitError, match="an angle of type 'int' is not a finite"):
                wire.encode_job(with_gate(lambda c, value=value: c.rz(value, 0)), 1)

    def test_gate_after_measurement(self):
        """Even on another qubit: the device measures all of them at the end."""
        circuit = small_circuit()
        circuit.rz(1, 1)
        with pytest.raises(InvalidCircuitError, match=r"instruction 6 \(rz\): comes after a meas"):
            wire.encode_job(circuit, 1)

    def test_whole_circuits(self):
        """Too wide, too long, empty, unmeasured, or no circuit at all; all listed together."""
        wide, long, unmeasured = QuantumCircuit(32, 1), QuantumCircuit(1, 1), QuantumCircuit(1)
        wide.measure(0, 0)
        for _ in range(2000):
            long.rz(1, 0)
        long.measure(0, 0)
        unmeasured.rz(1, 0)
        batch = [small_circuit(), wide, long, unmeasured, QuantumCircuit(), "OPENQASM 2.0;", None]
        with pytest.raises(InvalidCircuitError) as caught:
            wire.encode_job(batch, 1)
        assert str(caught.value).splitlines() == [
            "circuit 1: 32 qubits, but the resource has 31; use fewer qubits, or a larger backend",
            "circuit 2: 2001 operations, the final measurement included, but at most 2000 can run; "
            "use fewer operations",
            "circuit 3: no measurement; add one, with measure or measure_all",
            "circuit 4: no qubits; add qubits, and measure them",
            "circuit 5: not a QuantumCircuit but of type 'str'; load OpenQASM with "
            "QuantumCircuit.from_qasm_str or qiskit.qasm3.loads",
            "circuit 6: not a QuantumCircuit but of type 'NoneType'",
        ]
        del long.data[0]
        wire.encode_job(long, 1)

    def test_many_offenders(self):
        """The message stays readable, the exception has them all and can be pickled."""
        batch = [QuantumCircuit(1)] * 30
        with pytest.raises(InvalidCircuitError, match="and 20 more circuits") as caught:
            wire.encode_job(batch, 1)
        assert [problem.circuit for problem in caught.value.problems] == list(range(30))
        copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
        assert copy.problems == caught.value.problems

    def test_resource_limits(self):
        """Limits are the resource's."""
        limits = Limits(circuits=None, shots=None, operations=4, qubits=2)
        check_circuits([small_circuit()] * 1000, limits)
        assert wire.encode_job([small_circuit()] * 60, 5000, limits=limits)
        with pytest.raises(InvalidCircuitError, match="4 operations"):
            check_circuits(small_circuit(), Limits(operations=3))
