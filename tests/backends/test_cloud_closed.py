"""Jobs of a provider that is closed: they end, and say so."""

from __future__ import annotations

import pytest
from aqt_fast.exceptions import APIConnectionError
from qiskit.providers import JobStatus


def test_restored_with_a_closed_provider(portal, device, circuit, tmp_path):
    """A copy without results needs the portal, which nobody asks any more."""
    job = device.run(circuit, journal=False)
    job.result()
    job.persist(store_path=tmp_path)
    portal.close()
    again = portal.restore(job.job_id(), store_path=tmp_path, remove_from_store=False)
    with pytest.raises(APIConnectionError, match="the provider is closed"):
        again.result()
    assert again.status() is JobStatus.ERROR
