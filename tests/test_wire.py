"""The codec: against the oracle, AQT's own models, Aer, and every kind of bad input."""

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
from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse
from aqt_connector.models.circuits import QuantumCircuit as ConnectorCircuit
from aqt_fast import _native, wire
from aqt_fast.exceptions import (
    AQTError,
    InvalidCircuitError,
    InvalidInputError,
    InvalidJobError,
    InvalidOptionError,
    MalformedResponseError,
    ResponseMismatchError,
)
from aqt_fast.wire.circuits import API_LIMITS, Limits, check_circuits
from aqt_fast.wire.results import results_from_samples, results_from_state
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Gate, Parameter
from qiskit_aer import AerSimulator

pytestmark = pytest.mark.all_qiskits

GOLDEN = Path(__file__).parent / "golden"


def small_circuit() -> QuantumCircuit:
    """Every kind of operation once."""
    circuit = QuantumCircuit(2, 2)
    circuit.r(math.pi / 2, math.pi / 4, 0)
    circuit.barrier()
    circuit.rxx(math.pi / 2, 0, 1)
    circuit.rz(-3 * math.pi, 1)
    circuit.measure([0, 1], [1, 0])
    return circuit


def finished(*circuits: list[list[int]]) -> bytes:
    """A compact finished response."""
    result = {str(index): shots for index, shots in enumerate(circuits)}
    body = {"job": {}, "response": {"status": "finished", "result": result}}
    return json.dumps(body, separators=(",", ":")).encode()


class TestEncode:
    """Circuits → request bytes."""

    def test_golden(self):
        """The text itself is as expected, to the byte."""
        assert wire.encode_job(small_circuit(), 100) == (GOLDEN / "job.json").read_bytes().strip()

    @settings(max_examples=2000, deadline=None)
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


def with_gate(append) -> QuantumCircuit:
    """rz, then what ``append`` adds, then a measurement."""
    circuit = QuantumCircuit(3, 1)
    circuit.rz(1, 0)
    append(circuit)
    circuit.measure(0, 0)
    return circuit


def with_control_flow(circuit: QuantumCircuit) -> None:
    """Adds an empty loop."""
    with circuit.for_loop(range(3)):
        circuit.rz(1, 0)


def two_rotations() -> Gate:
    """A gate made of gates."""
    circuit = QuantumCircuit(2, name="two")
    circuit.rz(1, [0, 1])
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
    "reset": (lambda c: c.reset(0), "reset", None, "not an operation of AQT"),
    "delay": (lambda c: c.delay(100, 0), "delay", None, "not an operation of AQT"),
    "same name": (lambda c: c.append(rx_gate_renamed(), [0]), "r", None, "not an operation of AQT"),
    "control flow": (with_control_flow, "for_loop", None, "no control flow"),
    "unbound": (lambda c: c.rz(2 * Parameter("a"), 0), "rz", None, "unbound parameters: a$"),
    "unbound second": (
        lambda c: c.r(0.1, Parameter("b"), 0),
        "r",
        None,
        "unbound parameters: b$",
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
            lambda: wire.encode_job(batch, 1),
            lambda: check_circuits(batch, API_LIMITS),
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
            "circuit 1: 32 qubits, but the resource has 31",
            "circuit 2: 2001 operations, the final measurement included, but at most 2000 can run",
            "circuit 3: no measurement",
            "circuit 4: no qubits",
            "circuit 5: not a QuantumCircuit but of type 'str'",
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


class TestDecode:
    """Response bytes → samples and results."""

    @settings(max_examples=2000, deadline=None)
    @given(strategies.responses())
    def test_equals_oracle(self, response):
        """Counts, memory and bit arrays, whatever the layout of the text."""
        circuits, num_shots, body = response
        shots = oracle.samples(body)
        result = wire.result_from_response(body, circuits, shots=num_shots, memory=True)
        state = wire.decode_response(body)
        for index, circuit in enumerate(circuits):
            data = result.results[index].data
            memory = oracle.memory(circuit, shots[index])
            assert data.memory == memory
            assert data.counts == oracle.counts(circuit, shots[index])
            samples = state.samples[index]
            assert (samples.num_shots, samples.num_qubits) == (num_shots, circuit.num_qubits)
            assert samples.memory(circuit) == memory
            assert samples.counts(circuit) == data.counts
            bits = samples.bit_array(circuit)
            assert (bits.num_bits, bits.num_shots) == (circuit.num_clbits, num_shots)
            assert [hex(int(text, 2)) for text in bits.get_bitstrings()] == memory

    @settings(max_examples=300, deadline=None)
    @given(strategies.responses())
    def test_reads_what_aqt_writes(self, response):
        """Responses dumped by the models of AQT's own client decode to the same counts."""
        circuits, num_shots, body = response
        document = json.loads(body)
        document["job"] = {
            "job_id": "8c3f4d5e-9a58-4b1c-8d0d-0f1f6d1d2a3b",
            "resource_id": "ibex",
            "workspace_id": "default",
        }
        dumped = ResultResponse.model_validate(document).model_dump_json().encode()
        result = wire.result_from_response(dumped, circuits, shots=num_shots)
        for index, (circuit, shots) in enumerate(zip(circuits, oracle.samples(body), strict=True)):
            assert result.results[index].data.counts == oracle.counts(circuit, shots)

    @pytest.mark.parametrize(
        "response",
        [
            {"status": "queued"},
            {"status": "ongoing", "finished_count": 3},
            {"status": "error", "message": "the trap lost an ion"},
            {
                "status": "cancelled",
                "timing_data": [{"new_status": "queued", "timestamp": "2026-11-22T20:00:00Z"}],
            },
        ],
    )
    def test_other_states(self, response):
        """Status, count, message and timing, from AQT's own models."""
        document = {
            "job": {
                "job_id": "8c3f4d5e-9a58-4b1c-8d0d-0f1f6d1d2a3b",
                "resource_id": "ibex",
                "workspace_id": "default",
            },
            "response": response,
        }
        body = ResultResponse.model_validate(document).model_dump_json().encode()
        state = wire.decode_response(body)
        assert state.status == response["status"]
        assert state.finished_count == response.get("finished_count")
        assert state.message == response.get("message")
        assert state.samples is None
        timing = response.get("timing_data")
        assert state.timing == (timing and [("queued", "2026-11-22T20:00:00Z")])

    def test_header(self):
        """What Qiskit's users look for in a result."""
        circuit = QuantumCircuit(
            QuantumRegister(2, "ions"), ClassicalRegister(1, "a"), ClassicalRegister(2, "b")
        )
        circuit.name, circuit.metadata = "one", {"angle": 0.5}
        circuit.measure([0, 1], [2, 0])
        body = finished([[1, 0], [1, 1], [1, 1]])
        result = wire.result_from_response(
            body, circuit, shots=3, memory=True, backend_name="ibex", job_id="17"
        )
        assert (result.backend_name, result.job_id, result.success) == ("ibex", "17", True)
        assert result.backend_version
        assert result.date
        assert result.status == "COMPLETED"
        (experiment,) = result.results
        assert (experiment.shots, experiment.success, experiment.status) == (3, True, "DONE")
        assert experiment.header == {
            "name": "one",
            "memory_slots": 3,
            "creg_sizes": [["a", 1], ["b", 2]],
            "qreg_sizes": [["ions", 2]],
            "metadata": {"angle": 0.5},
        }
        assert result.get_counts("one") == {"10 0": 1, "10 1": 2}
        assert result.get_memory() == ["10 0", "10 1", "10 1"]

    def test_equal_outcomes_share_a_string(self):
        """In counts and memory, and across circuits."""
        circuit = QuantumCircuit(2)
        circuit.measure_all()
        body = finished([[1, 0], [1, 0]], [[0, 1], [1, 0]])
        result = wire.result_from_response(body, [circuit] * 2, shots=2, memory=True)
        first, second = (experiment.data for experiment in result.results)
        (key,) = first.counts
        assert all(text is key for text in (*first.memory, second.memory[1]))

    def test_wide_outcomes_share_a_string_too(self):
        """Also beyond 64 bits, within a circuit."""
        circuit = QuantumCircuit(1, 100)
        circuit.measure(0, 99)
        result = wire.result_from_response(finished([[1]] * 3), circuit, shots=3, memory=True)
        data = result.results[0].data
        assert data.counts == {hex(2**99): 3}
        assert len({id(text) for text in (*data.memory, *data.counts)}) == 1

    def test_failed_and_cancelled(self):
        """The result tells why, and asking it for counts does too."""
        body = b'{"response":{"status":"error","message":"the trap lost an ion"}}'
        result = wire.result_from_response(body, small_circuit(), shots=1)
        assert (result.success, result.status) == (False, "the trap lost an ion")
        with pytest.raises(Exception, match="the trap lost an ion"):
            result.get_counts()
        body = b'{"response":{"status":"cancelled"}}'
        assert wire.result_from_response(body, small_circuit(), shots=1).status == (
            "the job is cancelled"
        )

    @pytest.mark.parametrize(
        ("body", "reason"),
        [
            (b'{"response":{"status":"queued"}}', "the job has not ended, it is queued"),
            (finished([[0, 0]], [[0, 0]]), "samples of 2 circuits for 1"),
            (finished([[0, 0], [0, 0]]), "circuit 0: 2 shots instead of 1"),
            (finished([]), "circuit 0: 0 shots instead of 1"),
            (finished([[0]]), "circuit 0: 1 qubits a shot instead of 2"),
            (finished([[0, 0, 0]]), "circuit 0: 3 qubits a shot instead of 2"),
        ],
    )
    def test_mismatch(self, body, reason):
        """A readable response about something else."""
        with pytest.raises(ResponseMismatchError, match=reason):
            wire.result_from_response(body, small_circuit(), shots=1)

    @pytest.mark.parametrize(
        ("body", "offset", "reason"),
        [
            (b"", 0, "the body ends"),
            (b"<html>", 0, "expected an object"),
            (b"[]", 0, "expected an object"),
            (b"{}", 0, "key 'response' is missing"),
            (
                finished([[0, 2]]),
                finished([[0, 2]]).index(b"2]"),
                "circuit 0, shot 0, qubit 1: the sample is neither 0 nor 1",
            ),
            (
                finished([[0], [0, 1]]),
                finished([[0], [0, 1]]).index(b"[0,1]"),
                "circuit 0, shot 1: 2 samples instead of 1",
            ),
            (finished([[0]]).replace(b'"0"', b'"1"'), 51, "no samples for circuit 0"),
            (finished([[0]])[:-3], 61, "the body ends"),
            (finished([[0]]) + b"x", 64, "something follows"),
            (b'{"response":{"status":"fin\xff"}}', 26, "not valid UTF-8"),
            (b'{"a":' * 200, 635, "nested too deep"),
        ],
    )
    def test_malformed(self, body, offset, reason):
        """The error names the byte, and the shot where there is one."""
        with pytest.raises(MalformedResponseError, match=reason) as caught:
            wire.decode_response(body)
        assert caught.value.offset == offset

    def test_truncated_anywhere(self):
        """No prefix of a response is taken for a response."""
        body = finished([[0, 1]] * 5, [[1, 1]] * 5)
        for length in range(len(body)):
            with pytest.raises(MalformedResponseError):
                wire.decode_response(body[:length])

    def test_only_bytes(self):
        """Text is not decoded by guessing; what holds bytes is taken."""
        with pytest.raises(TypeError):
            wire.decode_response("{}")
        for body in (bytearray(finished([[0]])), memoryview(finished([[0]]))):
            assert wire.decode_response(body).status == "finished"

    def test_the_culprit_has_its_own_index(self):
        """Also when it is not the first circuit."""
        body = finished([[0, 0]], [[0, 0]])
        narrow = QuantumCircuit(1, 1)
        with pytest.raises(ResponseMismatchError, match="circuit 1: 2 qubits a shot instead of 1"):
            wire.result_from_response(body, [small_circuit(), narrow], shots=1)
        with pytest.raises(InvalidCircuitError, match="circuit 1: not a QuantumCircuit"):
            wire.result_from_response(body, [small_circuit(), 3], shots=1)
        with pytest.raises(InvalidOptionError, match="shots must be"):
            wire.result_from_response(body, [small_circuit()], shots=-1)

    def test_samples_need_a_circuit(self):
        """Anything else is refused by name."""
        (samples,) = wire.decode_response(finished([[0]])).samples
        assert samples.counts() == {"0x0": 1}
        assert repr(samples) == "Samples(num_shots=1, num_qubits=1)"
        with pytest.raises(InvalidCircuitError, match="of type 'int'"):
            samples.counts(7)


def direct(payload: dict) -> bytes:
    """A compact response of direct access."""
    body = {"job_id": "8c3f4d5e-9a58-4b1c-8d0d-0f1f6d1d2a3b", "payload": payload}
    return json.dumps(body, separators=(",", ":")).encode()


class TestDecodeDirect:
    """Response bytes of direct access → samples and results."""

    @settings(max_examples=300, deadline=None)
    @given(strategies.responses(), st.sampled_from([None, 2]))
    def test_equals_oracle(self, response, indent):
        """Each circuit's own response gives what the cloud's response gives for all."""
        circuits, num_shots, body = response
        expected = wire.result_from_response(body, circuits, shots=num_shots, memory=True)
        for index, (circuit, shots) in enumerate(zip(circuits, oracle.samples(body), strict=True)):
            document = {"payload": {"result": shots, "x": [{}], "status": "finished"}}
            state = _native.decode_direct_response(json.dumps(document, indent=indent).encode())
            assert (state.status, state.message, state.finished_count) == ("finished", None, None)
            (entry,), message = results_from_state(state, [circuit], shots=num_shots, memory=True)
            assert message is None
            assert entry.to_dict() == expected.results[index].to_dict()
            assert entry.data.memory == oracle.memory(circuit, shots)

    def test_failures(self):
        """There is always a message, the machine's own if it has one."""
        circuit = small_circuit()
        for payload, message in [
            ({"status": "error"}, "the machine gave no reason"),
            ({"status": "error", "message": None}, "the machine gave no reason"),
            ({"status": "error", "message": "ion lost"}, "ion lost"),
            ({"status": "cancelled"}, "the job is cancelled"),
        ]:
            state = _native.decode_direct_response(direct(payload))
            assert state.samples is None
            entries, found = results_from_state(state, circuit, shots=7)
            assert found == message
            assert [(entry.success, entry.status, entry.shots) for entry in entries] == [
                (False, message, 7)
            ]

    def test_circuits_that_have_not_ended(self):
        """There is nothing to compose."""
        for status in ("queued", "ongoing"):
            state = _native.decode_direct_response(direct({"status": status}))
            assert state.status == status
            with pytest.raises(ResponseMismatchError, match=f"has not ended, it is {status}"):
                results_from_state(state, small_circuit(), shots=1)

    @pytest.mark.parametrize(
        ("body", "offset", "reason"),
        [
            (b"", 0, "the body ends"),
            (b"[]", 0, "expected an object"),
            (finished([[0]]), 0, "key 'payload' is missing"),
            (b'{"payload":{}}', 11, "key 'status' is missing"),
            (b'{"payload":{"status":"finished"}}', 11, "key 'result' is missing"),
            (b'{"payload":{"status":"done"}}', 21, "unknown job status 'done'"),
            (b'{"payload":{"result":{"0":[[0]]}}}', 21, "expected an array of shots"),
            (b'{"payload":{"result":[[0],[0,1]]}}', 26, "shot 1: 2 samples instead of 1"),
            (b'{"payload":{"result":[[0,2]]}}', 25, "shot 0, qubit 1: the sample is neither"),
            (b'{"payload":{"result":[],"result":[]}}', 24, "key 'result' stands twice"),
            (b'{"payload":{"status":"error"},"payload":{"status":"error"}}', 30, "stands twice"),
            (b'{"payload":{"status":"error"}}]', 30, "something follows"),
            (b'{"payload":{"status":"err\xff"}}', 25, "not valid UTF-8"),
            (b'{"x":' * 200, 635, "nested too deep"),
        ],
    )
    def test_malformed(self, body, offset, reason):
        """The error names the byte, and the shot where there is one."""
        with pytest.raises(MalformedResponseError, match=reason) as caught:
            _native.decode_direct_response(body)
        assert caught.value.offset == offset

    def test_truncated_anywhere(self):
        """No prefix of a response is taken for a response."""
        body = direct({"status": "finished", "result": [[0, 1]] * 5})
        for length in range(len(body)):
            with pytest.raises(MalformedResponseError):
                _native.decode_direct_response(body[:length])
        (samples,) = _native.decode_direct_response(memoryview(body)).samples
        assert (samples.num_shots, samples.num_qubits) == (5, 2)

    def test_samples_of_something_else(self):
        """Other circuits, shots or qubits are refused; the culprit has its own index."""
        circuit = small_circuit()
        samples = [
            *_native.decode_direct_response(
                direct({"status": "finished", "result": [[0, 1]]})
            ).samples
        ]
        assert len(results_from_samples(samples * 2, [circuit] * 2, shots=1)) == 2
        for batch, circuits, shots, reason in [
            (samples, [circuit] * 2, 1, "samples of 1 circuits for 2"),
            (samples * 2, [circuit] * 2, 2, "circuit 0: 1 shots instead of 2"),
            (samples * 2, [circuit, QuantumCircuit(1, 1)], 1, "circuit 1: 2 qubits a shot"),
        ]:
            with pytest.raises(ResponseMismatchError, match=reason):
                results_from_samples(batch, circuits, shots=shots)
        with pytest.raises(InvalidCircuitError, match="circuit 0: not a QuantumCircuit"):
            results_from_samples(samples, [3], shots=1)
        with pytest.raises(InvalidOptionError, match="shots must be"):
            results_from_samples(samples, [circuit], shots=0)


def aer_circuits() -> dict[str, QuantumCircuit]:
    """Circuits whose classical bits are everything but straightforward."""
    rng = np.random.default_rng(11)

    def prepared(num_qubits: int, *cregs: ClassicalRegister) -> QuantumCircuit:
        circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"), *cregs)
        for qubit in range(num_qubits):
            circuit.r(rng.uniform(0, math.pi), rng.uniform(0, 2 * math.pi), qubit)
        for qubit in range(num_qubits - 1):
            circuit.rxx(rng.uniform(0, math.pi / 2), qubit, qubit + 1)
        return circuit

    cases = {}
    several = prepared(
        4, ClassicalRegister(2, "a"), ClassicalRegister(1, "b"), ClassicalRegister(3, "c")
    )
    several.measure([0, 1, 2, 3], [5, 0, 2, 3])
    cases["several registers, permuted"] = several
    unmeasured = prepared(5, ClassicalRegister(2, "a"))
    unmeasured.measure([4, 1], [0, 1])
    cases["unmeasured qubits"] = unmeasured
    twice = prepared(3, ClassicalRegister(2, "a"))
    twice.measure([0, 1, 2, 0], [0, 0, 1, 1])
    cases["two measurements into one bit"] = twice
    wide = prepared(3, ClassicalRegister(40, "a"), ClassicalRegister(45, "b"))
    wide.measure([0, 1, 2], [84, 39, 0])
    cases["85 classical bits"] = wide
    every = prepared(6)
    every.measure_all()
    cases["measure_all"] = every
    return cases


@pytest.mark.parametrize("case", aer_circuits())
def test_counts_and_memory_are_those_of_aer(case):
    """The outcomes of all qubits, sent through the codec, give what Aer gives for the circuit."""
    circuit = aer_circuits()[case]
    everything = circuit.copy_empty_like()
    for instruction in circuit.data:
        if instruction.operation.name != "measure":
            everything.append(instruction)
    everything.measure_all()
    simulator = AerSimulator(method="statevector", seed_simulator=17)
    options = {"shots": 500, "memory": True, "enable_truncation": False}
    outcomes = simulator.run(everything, **options).result().get_memory()
    shots = [[int(bit) for bit in reversed(outcome.split()[0])] for outcome in outcomes]
    expected = simulator.run(circuit, **options).result()
    result = wire.result_from_response(finished(shots), circuit, shots=500, memory=True)
    assert result.get_counts() == expected.get_counts()
    assert result.get_memory() == expected.get_memory()
    # Aer pads some texts of more than 64 bits with zeros.
    assert result.data()["counts"] == {
        hex(int(key, 16)): count for key, count in expected.data()["counts"].items()
    }


def test_bits_outside_of_registers():
    """Qiskit cuts them off when it separates registers, and counts with them: so it must not."""
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), [Clbit()])
    circuit.measure([0, 1], [1, 0])
    body = finished([[1, 0], [0, 0], [0, 1], [0, 0]])
    result = wire.result_from_response(body, circuit, shots=4, memory=True)
    assert result.get_counts() == {"10": 1, "00": 2, "01": 1}
    assert result.get_memory() == ["10", "00", "01", "00"]


def test_shared_buffers_stay_alive():
    """Samples and bit arrays do not depend on the body or on each other."""
    circuit = QuantumCircuit(2)
    circuit.measure_all()
    body = bytearray(finished([[1, 0]] * 3))
    (samples,) = wire.decode_response(bytes(body)).samples
    bits = samples.bit_array(circuit)
    del samples, body
    bits.array[0, 0] = 3
    assert bits.array.tolist() == [[3], [1], [1]]
