"""Packed samples: read from texts, moved to other qubits, pickled."""

from __future__ import annotations

import copy
import pickle

import pytest
from aqt_fast.wire import Samples


def test_from_memory():
    """Qiskit's texts, with and without leading zeros."""
    samples = Samples.from_memory(["0x1f", "0x01ed", "0x0"], 9)
    assert (samples.num_shots, samples.num_qubits) == (3, 9)
    assert samples.rows == bytes([0x1F, 0, 0xED, 1, 0, 0])
    assert samples.memory() == ["0x1f", "0x1ed", "0x0"]
    assert Samples.from_memory([], 2).counts() == {}


@pytest.mark.parametrize("text", ["0x200", "0x", "1f", "0xg", "", "0x-1", "0X1"])
def test_no_outcome(text):
    """Too wide, or no hexadecimal number."""
    with pytest.raises(ValueError, match="no outcomes"):
        Samples.from_memory(["0x1", text], 9)


def test_placed():
    """Qubits get other numbers, the others read 0."""
    samples = Samples.from_memory(["0x3", "0x4"], 3)
    assert samples.placed([8, 0, 70], 71).memory() == ["0x101", hex(1 << 70)]
    assert samples.placed([2, 1, 0], 3).memory() == ["0x6", "0x1"]
    for qubits in ([0, 1], [0, 1, 3], [0, 1, 2, 3]):
        with pytest.raises(ValueError, match="no outcomes"):
            samples.placed(qubits, 3)


def test_copies_are_equal():
    """By pickle and by copy; other rows, shots or qubits are not."""
    samples = Samples(2, 9, bytes([1, 0, 255, 1]))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        again = pickle.loads(pickle.dumps(samples, protocol))  # noqa: S301
        assert again == samples
        assert again.rows == samples.rows
    assert copy.deepcopy(samples) == samples
    assert samples != Samples(2, 9, bytes([1, 0, 255, 0]))
    assert samples != Samples(2, 10, bytes([1, 0, 255, 1]))
    assert samples != 5


@pytest.mark.parametrize("rows", [b"", bytes([1, 0, 255]), bytes([1, 0, 255, 2]), bytes(5)])
def test_rows_must_fit(rows):
    """As many as there are shots, without bits beyond the last qubit."""
    with pytest.raises(ValueError, match="no outcomes"):
        Samples(2, 9, rows)
