"""The parts of a provider, as in version 2 of AQT's own provider, on our own face."""

from __future__ import annotations

import pickle

import pytest
from aqt_fast.aqt_resource import AQTDirectAccessResource, CloudResource, OfflineSimulatorResource
from aqt_fast.exceptions import APIConnectionError, AQTCredentialsError
from clients import QUIET
from markers import marker
from qiskit.providers import QiskitBackendNotFoundError


def test_cloud(portal):
    """Workspaces lead to our backends, with this provider's connections."""
    workspaces = portal.cloud().fetch_workspaces()
    assert [workspace.id for workspace in workspaces] == ["default", "lab"]
    lab = workspaces.get_by_id("lab")
    assert [item.id for item in lab.list_backends()][:2] == ["ibex", "pine"]
    backend = lab.get_backend("ibex")
    assert type(backend) is CloudResource
    assert backend.provider is portal
    assert backend.resource_id.workspace_id == "lab"
    assert backend.run(marker("10"), **QUIET).result().get_counts() == {"10": 100}
    with pytest.raises(QiskitBackendNotFoundError, match=r"'simulator_ideal' not found.*'lab'"):
        lab.get_backend("simulator_ideal")


def test_cloud_without_token(provider):
    """The error says how to get a token."""
    with pytest.raises(AQTCredentialsError, match=r"log_in\(\)"):
        provider.cloud().fetch_workspaces()


def test_offline(provider):
    """The two simulators."""
    ideal, noisy = provider.offline.ideal(), provider.offline.noisy()
    assert type(ideal) is type(noisy) is OfflineSimulatorResource
    assert (ideal.with_noise_model, noisy.with_noise_model) == (False, True)
    assert ideal.provider is provider


def test_direct_access(server, portal):
    """A machine with the provider's token, and one with a token of its own."""
    server.accept("another")
    machines = portal.direct_access()
    same = machines.get_resource(server.direct_url, server.token)
    other = machines.get_resource(server.direct_url, "another")
    assert type(same) is type(other) is AQTDirectAccessResource
    assert same.provider is portal
    assert other.provider is not portal
    for machine in (same, other):
        assert machine.run(marker("10"), **QUIET).result().get_counts() == {"10": 100}
    with pytest.raises(AQTCredentialsError):
        machines.get_resource(server.direct_url, "wrong")
    portal.close()
    for machine in (same, other):
        with pytest.raises(APIConnectionError, match="closed"):
            machine.run(marker("1"), **QUIET)


def test_pickled(provider):
    """A provider that was unpickled has its parts, too."""
    again = pickle.loads(pickle.dumps(provider))  # noqa: S301 - our own
    assert again.offline.ideal().provider is again
    assert again.direct_access() is again.direct_access()
