"""What identifies the body of a submission."""

import pytest
from aqt_fast.api_client.payload import payload_hash


@pytest.mark.parametrize(
    ("body", "digest"),
    [  # from FIPS 180-2, appendix B, and the empty message
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ],
)
def test_payload_hash(body, digest):
    """SHA-256 in lower-case hexadecimal."""
    assert payload_hash(body) == digest
