"""Servers and clients."""

import pytest
from aqt_fast.testing import ArnicaServer
from server.cloud_client import client_of


@pytest.fixture(params=[True, False], ids=["aer", "native"])
def server(request):
    """A server that simulates, and one that makes outcomes up."""
    with ArnicaServer(simulate=request.param, seed=3) as server:
        yield server


@pytest.fixture
def client(server):
    """A client with the server's token."""
    with client_of(server) as client:
        yield client


@pytest.fixture
def faulty():
    """A server that makes outcomes up, with short faults."""
    with ArnicaServer(simulate=False) as server:
        server.faults.refuse_seconds = server.faults.slow_seconds = 0.05
        yield server


@pytest.fixture
def faulty_client(faulty):
    """A client of the faulty server."""
    with client_of(faulty) as client:
        yield client
