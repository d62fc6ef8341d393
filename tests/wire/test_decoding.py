"""Response bodies → job states and samples."""

import json

import oracle
import pytest
import strategies
from aqt_connector.models.arnica.response_bodies.jobs import ResultResponse
from aqt_fast import _native, wire
from aqt_fast.exceptions import (
    InvalidCircuitError,
    InvalidOptionError,
    MalformedResponseError,
    ResponseMismatchError,
)
from aqt_fast.wire.results import results_from_samples, results_from_state
from hypothesis import given, settings
from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from wire.examples import direct, finished, small_circuit


class TestDecode:
    """Response bytes → samples and results."""

    @settings(max_examples=1200, deadline=None)
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
        (samples,) = _native.decode_direct_response(body).samples
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
