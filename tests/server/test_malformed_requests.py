"""Mutated requests: each is answered or refused, and the server goes on."""

import logging
import threading

import pytest
from aqt_fast.testing import ArnicaServer
from mutated_requests import LIMITS, run
from server.cloud_client import client_of, flips, job, submit, wait_for_status

TRIED = 400


@pytest.mark.parametrize("simulate", [True, False], ids=["aer", "native"])
def test_mutations(simulate, figures, caplog):
    """No 5xx, no request without an end, no thread and no connection lost."""
    with ArnicaServer(simulate=simulate, limits=LIMITS) as server:
        found = run(server, TRIED)
        assert "aqt-fast server" in {thread.name for thread in threading.enumerate()}
        with client_of(server) as client:
            # A kept connection may end while a request is on its way.
            client.headers["connection"] = "close"
            wait_for_status(client, submit(client, job(flips(1))), "finished")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    accepted = sum(number for status, number in found.items() if 200 <= status < 300)
    refused = sum(number for status, number in found.items() if 400 <= status < 500)
    assert min(accepted, refused) > 20
    figures(
        f"malformed requests to the local server, {'Aer' if simulate else 'native'}",
        tried=TRIED,
        served=accepted,
        refused=refused,
        without_answer=found[0],
        status_500=sum(number for status, number in found.items() if status >= 500),
    )
