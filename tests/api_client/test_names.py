"""The names of the package, some of which load when first used."""

import subprocess
import sys

import pytest
from aqt_fast import api_client


@pytest.mark.parametrize("name", api_client.__all__)
def test_public_names(name):
    """Each can be read, and is then an ordinary attribute."""
    value = getattr(api_client, name)
    assert vars(api_client)[name] is value


def test_unknown_name():
    """As in any module."""
    with pytest.raises(AttributeError, match=r"module 'aqt_fast.api_client' has no attribute 'Q'"):
        _ = api_client.Q


def test_decisions_need_no_http_client():
    """A program that sends nothing loads neither httpx nor Qiskit."""
    script = (
        "import sys, aqt_fast.api_client\n"
        "from aqt_fast.api_client import decisions, models, payload\n"
        "print({'httpx', 'tenacity', 'qiskit', 'aqt_fast.wire'} & set(sys.modules) or 'none')"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout == "none\n"
