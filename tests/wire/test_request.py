"""The request reader and the made-up samples: against AQT's own models and a slow version."""

import json

import orjson
import pytest
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast import _native, wire
from aqt_fast.exceptions import InvalidInputError, MalformedRequestError
from hypothesis import event, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import circuits

AMOUNTS = ("repetitions", "number_of_qubits")
ANGLES = {"phi", "theta"}
MEASURE = {"operation": "MEASURE"}


def job(*operations: dict, repetitions: int = 5, number_of_qubits: int = 3) -> dict:
    """A request for one circuit; a measurement is added to its operations."""
    circuit = {
        "repetitions": repetitions,
        "quantum_circuit": [*operations, MEASURE],
        "number_of_qubits": number_of_qubits,
    }
    return {"job_type": "quantum_circuit", "label": None, "payload": {"circuits": [circuit]}}


def r(qubit: int, theta: float, phi: float = 0.25) -> dict:
    """A rotation about an axis in the XY plane."""
    return {"operation": "R", "qubit": qubit, "phi": phi, "theta": theta}


def text(document: object) -> bytes:
    """Compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


class DuplicateKeyError(Exception):
    """A key that stands twice in its object."""


def is_plain(body: bytes) -> bool:
    """Whether a body that AQT's models take has numbers written as such and no key twice."""

    def entries(pairs: list[tuple[str, object]]) -> dict:
        if len(dict(pairs)) < len(pairs):
            raise DuplicateKeyError
        return dict(pairs)

    def whole(token: str) -> int | float:
        # -0 passes for a whole number with the models.
        return float(token) if token.startswith("-") else int(token)

    try:
        document = json.loads(body, object_pairs_hook=entries, parse_int=whole)
    except DuplicateKeyError:
        return False
    circuits = document["payload"]["circuits"]
    operations = [item for circuit in circuits for item in circuit["quantum_circuit"]]
    whole_numbers = [circuit[key] for circuit in circuits for key in AMOUNTS]
    whole_numbers += [item["qubit"] for item in operations if "qubit" in item]
    whole_numbers += [qubit for item in operations for qubit in item.get("qubits", [])]
    angles = [item[key] for item in operations for key in ANGLES & item.keys()]
    return all(type(value) is int for value in whole_numbers) and all(
        type(value) in (int, float) for value in angles
    )


def judge(
    body: bytes,
) -> tuple[str | None, list[tuple[int, int]], list[tuple[int, int]]] | None:
    """What :func:`_native.read_job` should make of a body; None for a refusal."""
    try:
        request = SubmitJobRequest.model_validate_json(body)
    except (ValidationError, TypeError):
        # The models raise a TypeError where an operation names a qubit twice.
        return None
    if not is_plain(body):
        return None
    shape = [(item.repetitions, item.number_of_qubits) for item in request.payload.circuits]
    names = [
        [gate.operation for gate in item.quantum_circuit.gates()]
        for item in request.payload.circuits
    ]
    return request.label, shape, [(each.count("R"), each.count("RXX")) for each in names]


def check(body: bytes) -> None:
    """The native reader's verdict and answer are those of the models."""
    expected = judge(body)
    event("accepted" if expected else "refused")
    if expected is None:
        with pytest.raises(MalformedRequestError) as caught:
            _native.read_job(body)
        assert 0 <= caught.value.offset <= len(body)
    else:
        assert _native.read_job(body) == expected


def places(node: object) -> list[tuple[dict | list, str | int]]:
    """All pairs of a container and a key or index in it."""
    if not isinstance(node, dict | list):
        return []
    keys = list(node) if isinstance(node, dict) else range(len(node))
    return [place for key in keys for place in ((node, key), *places(node[key]))]


@st.composite
def jobs(draw):
    """Request bodies of the encoder, as Python objects."""
    batch = draw(st.lists(circuits(max_gates=4), min_size=1, max_size=2))
    label = draw(st.one_of(st.none(), st.text(max_size=4)))
    return json.loads(wire.encode_job(batch, draw(st.integers(1, 2000)), label=label))


VALUES = st.one_of(
    st.sampled_from([0, 1, 2, 3, 31, 32, 50, 51, 2000, 2001, -1, 10**25, 7.0, 0.0, -0.0]),
    st.sampled_from([0.5, 0.5000000000000001, 1.0000000000000002, 2.0000000000000004, 1e-300]),
    st.sampled_from(["R", "RZ", "RXX", "MEASURE", "quantum_circuit", "1", "0.5", "x", ""]),
    st.sampled_from([None, True, False, [], {}, [0, 1], [1, 1], [0, 1, 2], [0, "1"], MEASURE]),
)

KEYS = st.sampled_from(
    ["operation", "qubit", "qubits", "phi", "theta", "repetitions", "number_of_qubits", "x"]
)


@st.composite
def edited_jobs(draw):
    """Requests with up to three values changed, added, doubled or gone."""
    document = draw(jobs())
    for _ in range(draw(st.integers(0, 3))):
        node, key = draw(st.sampled_from(places(document) or [(document, "x")]))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            node.pop(key, None) if isinstance(node, dict) else node.pop(key)
        elif kind == 1 and isinstance(node, list):
            node.insert(key, json.loads(json.dumps(node[key])))
        elif kind == 2 and isinstance(node, dict):
            node[draw(KEYS)] = json.loads(json.dumps(draw(VALUES)))
        else:
            node[key] = json.loads(json.dumps(draw(VALUES)))
    return document


class TestReadJob:
    """Request bodies → label and shape."""

    @settings(max_examples=1200, deadline=None)
    @given(edited_jobs(), st.sampled_from([None, 1]))
    def test_edited_jobs_get_the_verdict_of_aqt(self, document, indent):
        """Values, keys and amounts are judged as by the models of AQT's own client."""
        check(json.dumps(document, indent=indent).encode())

    @settings(max_examples=800, deadline=None)
    @given(
        jobs(),
        st.floats(0, 1, exclude_max=True),
        st.sampled_from(b'0123456789,[]{}":\\ .-+eEqR\x00\x1f\x80\xff'),
        st.integers(0, 2),
    )
    def test_edited_texts_get_the_verdict_of_aqt(self, document, place, byte, kind):
        """So is the text itself, whatever byte of it is changed, added or gone."""
        body = text(document)
        start = int(place * len(body))
        check(body[:start] + bytes([byte] * (kind < 2)) + body[start + (kind > 0) :])

    def test_truncated_anywhere(self):
        """No prefix of a request is taken for one."""
        body = text(job(r(0, 0.5), {"operation": "RXX", "qubits": [0, 2], "theta": 0.5}))
        assert _native.read_job(body) == (None, [(5, 3)], [(1, 1)])
        for length in range(len(body)):
            with pytest.raises(MalformedRequestError):
                _native.read_job(body[:length])

    @pytest.mark.parametrize(
        ("body", "culprit", "reason"),
        [
            (b'{"payload":{"circuits":[]}}', b"[]", "number of circuits must be from 1 to 50"),
            (b'{"job_type":"pulse"}', b'"pulse"', "unknown job type 'pulse'"),
            (b'{"payload":{"circuits":[{"repetitions":"7"', b'"7"', "expected a number"),
            (text(job(r(0, 1.5))), b"1.5", "theta must be from 0 to 1"),
            (text(job(r(3, 1))), b'{"operation":"R"', "qubit 3 is not in the register of 3"),
            (text(job(MEASURE, r(0, 1))), b'{"operation":"R"', "comes after a measurement; "),
            (text(job({"operation": "CZ"})), b'"CZ"', "unknown operation 'CZ'"),
            (text(job({**r(0, 1), "x": 7.5})), b'"x"', "unknown key 'x'"),
            (text(job({**r(0, 0.75), "operation": "RZ"})), b"0.75", "key 'theta' does not belong"),
            (text(job({**MEASURE, "qubits": 77})), b"77", "expected an array of two qubits"),
        ],
    )
    def test_errors_have_words_and_a_place(self, body, culprit, reason):
        """They are input errors of this package, and say what and where."""
        with pytest.raises(MalformedRequestError) as caught:
            _native.read_job(body)
        assert caught.value.reason.startswith(reason)
        assert caught.value.offset == body.index(culprit)
        assert str(caught.value) == f"byte {caught.value.offset}: {caught.value.reason}"
        assert isinstance(caught.value, InvalidInputError)


class TestMakeSamples:
    """Request bodies → made-up samples."""

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.integers(1, 30),
                st.integers(1, 31),
                st.lists(st.tuples(st.integers(0, 30), st.sampled_from([0, 1, 1.0, 0.0, 0.5]))),
            ),
            min_size=1,
            max_size=4,
        ),
        st.integers(0, 2**64 - 1),
    )
    def test_shapes_and_markers(self, shapes, seed):
        """A list of bits a shot; where all turns are full or empty, their parity a qubit."""
        document = job()
        document["payload"]["circuits"] = [
            job(
                {"operation": "RZ", "qubit": 0, "phi": 0.3},
                *(r(qubit % width, theta) for qubit, theta in turns),
                repetitions=repetitions,
                number_of_qubits=width,
            )["payload"]["circuits"][0]
            for repetitions, width, turns in shapes
        ]
        body = text(document)
        made = _native.make_samples(body, seed)
        assert made == _native.make_samples(body, seed)
        assert b" " not in made
        result = orjson.loads(made)
        assert list(result) == [str(index) for index in range(len(shapes))]
        for (repetitions, width, turns), shots in zip(shapes, result.values(), strict=True):
            assert [len(shot) for shot in shots] == [width] * repetitions
            assert {bit for shot in shots for bit in shot} <= {0, 1}
            if 0.5 not in {theta for _, theta in turns}:
                parity = [0] * width
                for qubit, theta in turns:
                    parity[qubit % width] ^= int(theta)
                assert shots == [parity] * repetitions

    def test_seeds_and_circuits_differ(self):
        """Two circuits, two seeds: four different streams, and none of them lopsided."""
        document = job(r(0, 0.5), repetitions=2000, number_of_qubits=31)
        document["payload"]["circuits"] *= 2
        results = [orjson.loads(_native.make_samples(text(document), seed)) for seed in (1, 2)]
        streams = [shots for result in results for shots in result.values()]
        assert len({str(shots) for shots in streams}) == 4
        for shots in streams:
            assert 0.48 < sum(map(sum, shots)) / (2000 * 31) < 0.52

    def test_interactions_are_not_turned_into_markers(self):
        """Even one by an angle of 0."""
        body = text(job({"operation": "RXX", "qubits": [0, 1], "theta": 0}, repetitions=100))
        shots = orjson.loads(_native.make_samples(body, 3))["0"]
        assert len({tuple(shot) for shot in shots}) == 8

    def test_results_are_read_by_the_decoder(self):
        """The text fits into a response."""
        body = text(job(r(2, 1), r(0, 0)))
        result = _native.make_samples(body, 0)
        response = b'{"response":{"status":"finished","result":' + result + b"}}"
        (samples,) = wire.decode_response(response).samples
        assert samples.counts() == {"0x4": 5}

    def test_bad_arguments(self):
        """Requests are checked as by the reader; a seed is a number of 64 bits."""
        with pytest.raises(MalformedRequestError, match="number of circuits"):
            _native.make_samples(b'{"payload":{"circuits":[]}}', 0)
        for seed in (-1, 2**64):
            with pytest.raises(OverflowError):
                _native.make_samples(text(job()), seed)
