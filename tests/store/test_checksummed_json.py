"""Documents that tell whether they are whole."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest
from aqt_fast.exceptions import DamagedJobError
from aqt_fast.store.checksummed_json import digest, entry, pack, unpack
from hypothesis import given
from hypothesis import strategies as st

PATH = Path("somewhere/job.json")

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.floats(-1e9, 1e9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(plain)
def test_round_trip(content):
    """What JSON can express comes back."""
    assert unpack("job", pack("job", content, 2), 2, PATH) == content


def test_layout():
    """Other programs can read it, and check it."""
    document = orjson.loads(pack("job", {"b": 1, "a": [None]}, 2))
    assert document == {
        "format": 2,
        "job": {"b": 1, "a": [None]},
        "sha256": digest({"a": [None], "b": 1}),
    }
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_unknown_keys_are_ignored():
    """A later version may add some outside of what the checksum covers."""
    document = orjson.loads(pack("job", {"a": 1}, 2))
    assert unpack("job", orjson.dumps({"note": "later", **document}), 2, PATH) == {"a": 1}


def test_written_differently():
    """Spaces and order do not matter."""
    content = {"b": "later", "a": {"n": 1}}
    data = orjson.dumps({"sha256": digest(content), "job": content, "format": 2}, option=2)
    assert unpack("job", data, 2, PATH) == content


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty document"),
        (b"{", "unexpected end|EOF"),
        (b"[1, 2]", "no saved job"),
        (b'{"format": "2"}', "no saved job"),
        (b'{"format": true}', "no saved job"),
        (b'{"format": 0}', "no saved job"),
        (b'{"format": 3, "news": 1}', "format 3 was written by a newer aqt-fast"),
        (b'{"format": 1, "batch": {}}', "format 1 was written by an aqt-fast before 0.2"),
        (b'{"format": 2}', "checksum"),
        (pack("batch", {"a": 1}, 2), "checksum"),
        (pack("job", {"a": 1}, 2).replace(b"sha256", b"sha"), "checksum"),
        (pack("job", {"a": 1}, 2).replace(b'"a":1', b'"a":2'), "checksum"),
        (b'{"format": 2, "job": ' + b"[" * 500 + b"]" * 500 + b"}", "[Rr]ecursion"),
    ],
)
def test_damaged(data, reason):
    """The error names the file and the reason."""
    with pytest.raises(DamagedJobError) as caught:
        unpack("job", data, 2, PATH)
    assert re.search(reason, caught.value.reason)
    assert caught.value.path == PATH


def test_every_place():
    """Cut off anywhere, and with any bit flipped, it is damaged; or it says the same."""
    content = {"shots": 10, "label": "x"}
    whole = pack("job", content, 2)
    for size in range(len(whole)):
        with pytest.raises(DamagedJobError):
            unpack("job", whole[:size], 2, PATH)
    for index in range(len(whole)):
        for bit in range(8):
            data = bytearray(whole)
            data[index] ^= 1 << bit
            with pytest.raises(DamagedJobError):
                unpack("job", bytes(data), 2, PATH)


def test_not_in_json():
    """Refused before anything is written."""
    with pytest.raises(TypeError):
        pack("job", {"a": object()}, 2)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({}, LookupError),
        ({"n": True}, TypeError),
        ({"n": 1.0}, TypeError),
        ([1], TypeError),
        (None, TypeError),
    ],
)
def test_entry(content, error):
    """Of the right type, or not at all."""
    assert entry({"n": 7}, "n", int, str) == 7
    with pytest.raises(error):
        entry(content, "n", int, str)
