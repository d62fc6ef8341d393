"""Copies, pickles and forks with the 2.x face."""

from __future__ import annotations

import copy
import os
import pickle

import aqt_connector
import pytest
from aqt_fast import exceptions as core
from aqt_fast.testing import ArnicaServer
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2 import exceptions as v2
from forking import in_fork
from markers import marker

SECRET = "token-that-nobody-may-see"  # noqa: S105


@pytest.fixture
def server():
    """A server whose token is easy to find in other data."""
    with ArnicaServer(simulate=False, token=SECRET) as server:
        yield server


@pytest.fixture
def provider(server, tmp_path, monkeypatch):
    """A provider on the server's portal and its machine; the token is in the environment."""
    monkeypatch.setenv("AQT_TOKEN", SECRET)
    monkeypatch.setenv("AQT_ARNICA_URL", f"{server.url}/api")
    config = aqt_connector.ArnicaConfig(tmp_path / "aqt")
    config.client_id, config.client_secret = "client", SECRET
    with AQTProvider() as provider:
        provider.cloud(config)
        yield provider


@pytest.fixture
def backends(server, provider):
    """One of each kind."""
    found = [
        provider.cloud().fetch_workspaces()[0].get_backend("simulator_ideal"),
        provider.direct_access().get_resource(server.direct_url, SECRET),
        provider.offline.ideal(),
    ]
    for backend in found:
        backend.set_options(query_period_seconds=0.1)
    return found


def test_copies(backends):
    """Options of a copy are its own."""
    for backend in backends:
        for copied in (copy.copy, copy.deepcopy):
            other = copied(backend)
            other.set_options(shots=3)
            assert backend.options.shots == 100
            assert other.provider is backend.provider
            assert other.run(marker("10")).result().get_counts() == {"10": 3}


def test_pickles(server, provider, backends, dumps, monkeypatch):
    """The jobs, too; none has a secret."""
    monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
    jobs = [backend.run(marker("10")) for backend in backends]
    counts = [job.result().get_counts() for job in jobs]
    workspaces = provider.cloud().fetch_workspaces()
    for thing in (provider, provider.direct_access(), *backends, *jobs, workspaces):
        assert SECRET.encode() not in dumps(thing)
    others = pickle.loads(dumps(backends))  # noqa: S301
    for backend, other in zip(backends, others, strict=True):
        assert (type(other), other.id) == (type(backend), backend.id)
        assert other.run(marker("01")).result().get_counts() == {"01": 100}
    again = [pickle.loads(dumps(job)) for job in jobs]  # noqa: S301
    assert [type(job) for job in again] == [type(job) for job in jobs]
    assert [job.result().get_counts() for job in again] == counts
    assert [job.job_id() for job in again] == [job.job_id() for job in jobs]
    for other in others:
        if other.provider is not None:
            other.provider.close()


def test_provider(provider):
    """A provider leads to the same cloud where it is unpickled."""
    other = pickle.loads(pickle.dumps(provider))  # noqa: S301
    ids = [workspace.id for workspace in provider.cloud().fetch_workspaces()]
    assert [workspace.id for workspace in other.cloud().fetch_workspaces()] == ids
    assert other.offline.ideal().id == provider.offline.ideal().id
    other.close()
    for part in (provider, provider.cloud(), provider.direct_access()):
        assert copy.copy(part) is copy.deepcopy(part) is part


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_forks(backends):
    """All run in a child."""

    def counts():
        return [backend.run(marker("01")).result().get_counts() for backend in backends]

    assert counts() == in_fork(counts) == counts() == [{"01": 100}] * 3


@pytest.mark.parametrize(
    "error",
    [
        core.InvalidOptionError("shots", lambda: 7, "a number"),
        core.SubmissionUncertainError("label", "ab12", "lost"),
        core.APIError("refused", status_code=422, detail="why"),
        core.JobNotFoundError("x", "jobs"),
    ],
)
def test_errors(error, through):
    """An error of both trees stays one."""
    both = v2.in_both_trees(error)
    other = through(both)
    assert isinstance(other, type(error))
    assert isinstance(other, v2.AQTError)
    assert str(other) == str(both)
    attributes = {name: repr(value) for name, value in vars(both).items()}
    assert {name: repr(value) for name, value in vars(other).items()} == attributes
