"""Devices that are not online, and workspaces that take no jobs."""

from __future__ import annotations

import warnings
from datetime import datetime, timezone
from functools import partial

import pytest
from aqt_fast.aqt_resource import BackendStatusWarning
from aqt_fast.devices import DeviceTimes
from aqt_fast.exceptions import (
    APIConnectionError,
    APIError,
    DeviceNotOnlineError,
    SpendingLimitError,
    WorkspaceRefusedError,
)
from aqt_fast.primitives import AQTSampler
from clients import QUIET, connect, device_of, machine_of
from markers import marker
from waiting import wait_until


def requests_of(server, monkeypatch) -> list[str]:
    """The paths of all later requests."""
    paths = []
    decide = server.faults.decide

    def noting(method, path):
        paths.append(f"{method} {path}")
        return decide(method, path)

    monkeypatch.setattr(server.faults, "decide", noting)
    return paths


@pytest.fixture
def ibex(portal):
    """A device that is online when the portal is asked for it."""
    return device_of(portal, "ibex")


def test_status_is_fresh(server, ibex, monkeypatch):
    """With ``require_online`` the portal is asked anew, and nothing is sent to it."""
    server.set_status("ibex", "offline")
    paths = requests_of(server, monkeypatch)
    before = datetime.now(timezone.utc)
    with pytest.raises(DeviceNotOnlineError, match=r"^ibex is offline since 20.*sent$") as caught:
        ibex.run(marker("1"), require_online=True)
    assert caught.value.status == "offline"
    assert abs(caught.value.since - before).total_seconds() < 60
    assert paths == ["GET /api/v1/workspaces", "GET /api/v1/resources/ibex"]
    assert server.jobs == []
    assert ibex.status().status_msg == "offline"
    server.set_status("ibex", "online")
    assert ibex.run(marker("1"), require_online=True).result().success


def test_fresh_durations(server, ibex, monkeypatch):
    """Count, too: the device may have become slower."""
    most = ibex.estimate(marker("1"), shots=10).device_seconds.high
    assert ibex.run(marker("1"), shots=10, max_device_seconds=most, require_online=True).job_id()

    def slower(device) -> None:
        device.device_times = DeviceTimes(shot_overhead=60)

    monkeypatch.setattr(type(ibex), "refresh", slower)
    with pytest.raises(SpendingLimitError):
        ibex.run(marker("1"), shots=10, max_device_seconds=most, require_online=True)
    assert len(server.jobs) == 1


@pytest.mark.parametrize("place", ["provider", "backend", "primitive"])
def test_places(server, place):
    """On the provider, the backend, and for one job."""
    with connect(server, require_online=place == "provider") as provider:
        device = device_of(provider, "ibex", require_online=place == "backend")
        server.set_status("ibex", "maintenance")
        run, circuits = partial(device.run, require_online=False), marker("1")
        if place == "primitive":
            run, circuits = AQTSampler(device, {"require_online": True, **QUIET}).run, [circuits]
        with pytest.raises(DeviceNotOnlineError, match="ibex is in maintenance"):
            run(circuits)
    assert server.jobs == []


def test_without_the_option(server, ibex, monkeypatch):
    """Nobody asks again: the warning is by what was known."""
    server.set_status("ibex", "offline")
    paths = requests_of(server, monkeypatch)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ibex.run(marker("1")).job_id()
    assert not [path for path in paths if "resources" in path or "workspaces" in path]


def test_a_workspace_that_accepts_nothing(server, portal):
    """A warning, and the typed refusal of the portal; or none of both, with the option."""
    server.set_workspace("lab", accepting_job_submissions=False)
    ibex = device_of(portal, "ibex")
    assert not ibex.status().operational
    assert ibex.status().status_msg == "online, no jobs accepted"
    assert "online, no jobs accepted" in [row[-1] for row in portal.backends("ibex").rows()]
    with pytest.raises(DeviceNotOnlineError, match="workspace 'lab' accepts no jobs") as caught:
        ibex.run(marker("1"), require_online=True)
    assert caught.value.status == "online"
    with pytest.warns(BackendStatusWarning, match="'lab' accepts no jobs: the portal ref") as told:
        job = ibex.run(marker("1"))
    assert told[0].filename == __file__
    with pytest.raises(WorkspaceRefusedError, match="403") as refused:
        job.result()
    assert (refused.value.workspace_id, refused.value.status_code) == ("lab", 403)
    assert server.jobs == []
    server.set_workspace("lab", accepting_job_submissions=True)
    assert ibex.run(marker("1"), require_online=True).result().success


def test_a_workspace_that_does_not_process(server, portal):
    """Jobs wait there."""
    server.set_workspace("lab", jobs_being_processed=False)
    ibex = device_of(portal, "ibex")
    assert ibex.status().operational
    with pytest.raises(DeviceNotOnlineError, match="workspace 'lab' does not process its jobs"):
        ibex.run(marker("1"), require_online=True)
    with pytest.warns(BackendStatusWarning, match="the job waits until it does"):
        job = ibex.run(marker("1"))
    wait_until(lambda: server.jobs)
    assert job.result(timeout=0.5, partial=True).success is False
    assert server.jobs[0].status == "queued"
    server.set_workspace("lab", jobs_being_processed=True)
    assert job.result().success


def test_both(server, portal):
    """Are told."""
    server.set_workspace("lab", accepting_job_submissions=False)
    rowan = device_of(portal, "rowan")
    with pytest.raises(DeviceNotOnlineError, match="accepts no jobs; rowan is in ma") as caught:
        rowan.run(marker("1"), require_online=True)
    assert caught.value.status == "maintenance"


def test_a_device_that_is_not_offered_any_more(server, ibex):
    """Is an error of the portal."""
    server.accept(server.token, workspaces=["default"])
    with pytest.raises(APIError, match="403"):
        ibex.run(marker("1"), require_online=True)
    assert server.jobs == []


def test_a_portal_that_does_not_answer(server, ibex):
    """Nothing is sent without its word."""
    server.stop()
    with pytest.raises(APIConnectionError):
        ibex.run(marker("1"), require_online=True)
    server.start()
    assert server.jobs == []


def test_dry_run(server, ibex):
    """Asks nobody: what was known decides."""
    server.set_status("ibex", "offline")
    assert ibex.run(marker("1"), require_online=True, dry_run=True).api_jobs == 1
    with pytest.raises(DeviceNotOnlineError):
        ibex.run(marker("1"), require_online=True)
    with pytest.raises(DeviceNotOnlineError):
        ibex.run(marker("1"), require_online=True, dry_run=True)
    with pytest.warns(BackendStatusWarning, match="ibex is offline since"):
        ibex.run(marker("1"), dry_run=True)


@pytest.mark.usefixtures("environment")
def test_submitting_again(server, ibex):
    """Restored jobs keep the option; their device is asked for as well."""
    server.fail_jobs("out of ions")
    job = ibex.run(marker("1"), require_online=True)
    assert not job.result().success
    server.set_status("ibex", "offline")
    with pytest.raises(DeviceNotOnlineError):
        job.resubmit_failed()
    with connect(server) as provider:
        again = provider.restore(job.batch_id)
        assert not again.result().success
        with pytest.raises(DeviceNotOnlineError, match="ibex is offline"):
            again.resubmit_failed()
        server.set_status("ibex", "online")
        assert again.resubmit_failed() == 1
        assert again.result().success
    assert len(server.jobs) == 2


@pytest.mark.usefixtures("environment")
def test_option_of_a_provider(server):
    """Stays with its jobs, whoever restores them."""
    with connect(server, require_online=True) as provider:
        server.fail_jobs("out of ions")
        job = device_of(provider, "ibex").run(marker("1"))
        assert not job.result().success
        assert job.options["require_online"] is True
    server.set_status("ibex", "maintenance")
    with connect(server) as provider:
        again = provider.restore(job.batch_id)
        again.wait_for_final_state()
        with pytest.raises(DeviceNotOnlineError, match="ibex is in maintenance"):
            again.resubmit_failed()
    assert len(server.jobs) == 1


def test_machine(server, portal):
    """Is online if it answers."""
    machine = machine_of(portal, server, shots=5)
    assert machine.run(marker("1"), require_online=True).result().success
    server.stop()
    with pytest.raises(DeviceNotOnlineError, match="does not answer") as caught:
        machine.run(marker("1"), require_online=True)
    assert (caught.value.status, caught.value.since) == ("unavailable", None)
    server.start()
    assert len(server.jobs) == 1


def test_offline(backend):
    """Simulators in this process always are."""
    assert backend.run(marker("1"), require_online=True).result().success


def test_since(portal):
    """The portal need not tell since when."""
    rowan = device_of(portal, "rowan")
    known = rowan.resource_id
    object.__setattr__(known, "status_since", "yesterday")
    with pytest.raises(DeviceNotOnlineError, match=r"^rowan is in maintenance;") as caught:
        rowan.run(marker("1"), require_online=True, dry_run=True)
    assert caught.value.since is None
