"""Circuits' metadata on the disk: NumPy's values, the same for QPY and for journals."""

from __future__ import annotations

import enum
import json
import uuid

import numpy as np
import orjson
import pytest
from aqt_fast import AQTJob
from aqt_fast.wire.metadata import MetadataEncoder, to_json
from aqt_fast.wire.qpy_archive import circuits_from_qpy, circuits_to_qpy
from qiskit import QuantumCircuit


class Colour(enum.Enum):
    """A value that only one of the two writers would take by itself."""

    RED = "red"


VALUES = [
    (np.int64(-3), -3),
    (np.uint8(255), 255),
    (np.float64(0.1), 0.1),
    (np.float32(0.5), 0.5),
    (np.float16(0.5), 0.5),
    (np.bool_(True), True),
    (np.str_("text"), "text"),
    (np.arange(3), [0, 1, 2]),
    (np.eye(2), [[1, 0], [0, 1]]),
    (np.arange(6).reshape(2, 3).T, [[0, 3], [1, 4], [2, 5]]),
    (np.arange(10)[::3], [0, 3, 6, 9]),
    (np.array(7), 7),
    (np.array(["a", "b"]), ["a", "b"]),
    ({"deep": [np.int32(1), {"er": np.float64(2)}]}, {"deep": [1, {"er": 2}]}),
    (uuid.UUID(int=1), str(uuid.UUID(int=1))),
    (Colour.RED, "red"),
    ((1, 2), [1, 2]),
    ("text", "text"),
    (None, None),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_by_value(value, expected):
    """Both writers give the same."""
    metadata = {"value": value}
    assert orjson.loads(to_json(metadata)) == {"value": expected}
    assert json.loads(json.dumps(metadata, cls=MetadataEncoder)) == {"value": expected}
    (circuit,) = circuits_from_qpy(circuits_to_qpy([QuantumCircuit(1, metadata=metadata)]))
    assert circuit.metadata == {"value": expected}


@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, np.complex128(1j), np.array([1j])])
def test_what_json_cannot_express(value):
    """Neither writer takes it."""
    with pytest.raises(TypeError):
        to_json({"value": value})
    with pytest.raises(ValueError, match="JSON"):
        circuits_to_qpy([QuantumCircuit(1, metadata={"value": value})])


@pytest.mark.usefixtures("environment")
def test_saved_and_restored(device, backend, bell, tmp_path):
    """A job with such metadata, from its journal and as ``persist()`` has saved it."""
    bell.metadata = {"point": np.int64(4), "angles": np.linspace(0, 1, 3)}
    expected = {"point": 4, "angles": [0.0, 0.5, 1.0]}
    job = device.run(bell, shots=2)
    job.result()
    for _ in range(2):
        again = AQTJob.restore(job.job_id())
        assert again.result().results[0].header["metadata"] == expected
        assert again.circuits[0].metadata == expected
        job.persist()
    offline = backend.run(bell, shots=2)
    offline.persist(store_path=tmp_path)
    again = AQTJob.restore(offline.job_id(), store_path=tmp_path)
    assert again.result().results[0].header["metadata"] == expected
