"""Names, messages and figures of a hostile portal, wherever people read them."""

from __future__ import annotations

import json
import re
import traceback
import warnings
from dataclasses import replace
from datetime import datetime, timezone
from types import SimpleNamespace

import httpx
import pytest
from api_client.scripted import EVERYTHING, FakeTime, Script, chain
from aqt_fast import Characterisation, v2
from aqt_fast.aqt_provider import (
    ArnicaConfig,
    BackendsTable,
    CharacterisationWarning,
    PortalUnavailableWarning,
)
from aqt_fast.aqt_resource import make_transpiler_target
from aqt_fast.backends.admission import BackendStatusWarning
from aqt_fast.cli.main import main
from aqt_fast.devices import Measured
from aqt_fast.exceptions import (
    AQTError,
    CharacterisationNotFoundError,
    DeviceNotOnlineError,
    JobFailedError,
    MissingEstimateError,
    UnusableFiguresError,
)
from aqt_fast.jobs import progress_bar, waiting
from aqt_fast.primitives import AQTSampler
from aqt_fast.server.workspaces import Resource, Workspace
from aqt_fast.testing import ArnicaServer
from aqt_fast.v2.exceptions import AQTJobFailedError
from click.testing import CliRunner
from clients import QUIET, connect
from hostile import ESCAPES, HOSTILE, assert_shown, elements
from qiskit.exceptions import QiskitError
from qiskit.providers import QiskitBackendNotFoundError

NAME = HOSTILE.replace("\n", "")[:400]
"""An identifier that a URL has room for; the local server finds none with a line feed."""
FIGURES = {
    "single_qubit_gate_fidelity": {"0": {"value": 99.9, "uncertainty": 0.01}, HOSTILE: 1},
    "mean_two_qubit_gate_fidelity": {"value": 97.0, "uncertainty": 0.2},
    "spam_fidelity_lower_bound": HOSTILE,
    "t1_s": {"value": HOSTILE, "uncertainty": HOSTILE},
    "updated_at": HOSTILE,
    HOSTILE: HOSTILE,
}


def hostile_server(**of_device) -> ArnicaServer:
    """A portal with one device, all of whose texts are hostile.

    They are planted past the local server's own checks.
    """
    device = Resource("ibex", "IBEX", "device", 2)
    workspace = Workspace("lab", [device])
    vars(workspace).update(id=NAME)
    vars(device).update({"id": NAME, "name": HOSTILE, "characterisation": FIGURES, **of_device})
    return ArnicaServer(workspaces=[workspace], simulate=False)


@pytest.fixture(scope="module")
def shared():
    """Such a portal for all tests that do not change it."""
    with hostile_server() as server:
        yield server


@pytest.fixture(scope="module")
def portal(shared):
    """A provider on this portal."""
    with connect(shared) as provider:
        yield provider


@pytest.fixture(scope="module")
def device(portal):
    """The device."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        device = portal.get_backend(NAME)
    device.set_options(**QUIET)
    return device


def test_names_are_as_sent(device):
    """What is compared and sent back has every character."""
    assert device.name == device.resource_id.resource_id == NAME
    assert device.resource_id.workspace_id == NAME
    assert device.description == HOSTILE


def test_tables(portal, monkeypatch):
    """A row for each backend, as wide as promised, as text and as a page."""
    table = portal.backends(workspace=NAME)
    for columns in (40, 80, 4000):
        monkeypatch.setenv("COLUMNS", str(columns))
        assert_shown(str(table), 5 if columns == 4000 else None)
        assert_shown(table.fitted(), 3 if columns == 4000 else None)
        assert len(str(table).split("\n")) <= 5
    assert_shown(repr(table), 1)
    kinds = {tag for tag, *_ in elements(table._repr_html_())}
    assert kinds == {"div", "style", "span", "table", "thead", "tbody", "tr", "th", "td"}


def test_device(device):
    """The backend, its target, and what is known of it."""
    for each in (device, device.resource_id, device.options, device.status()):
        assert repr(each).isprintable()
    assert_shown(repr(device))
    assert_shown(str(device.target).expandtabs(), str(make_transpiler_target(2)).count("\n"))
    known = device.characterisation
    told = ("not understood",) * len(known.problems)
    plain = replace(known, resource_id="ibex", workspace_id="lab", problems=told)
    assert_shown(str(known), str(plain).count("\n") + 1)
    assert elements(known._repr_html_()) == elements(plain._repr_html_())
    assert repr(known).isprintable()


def test_twin(portal, device):
    """Its noise twin, and why there is none."""
    with pytest.raises(UnusableFiguresError) as refused:
        portal.get_noise_twin(device)
    assert_shown(str(refused.value), 1)
    figures = {"r_fidelity": dict.fromkeys(range(2), Measured(0.999)), "t1": Measured(1e-3)}
    figures |= {"rxx_fidelity": {(0, 1): Measured(0.99)}, "spam_fidelity": 0.99, "t2": Measured(9)}
    durations = dict.fromkeys(("r_duration", "rxx_duration", "readout_duration"), 1e-5)
    known = Characterisation(NAME, NAME, 2, **figures, **durations)
    with pytest.warns(CharacterisationWarning) as caught:
        twin = portal.get_noise_twin(known)
    for warning in caught:
        assert_shown(str(warning.message), 1)
    assert_shown(repr(twin), 1)
    assert_shown(str(twin.target).partition("\n")[0])
    assert_shown(str(BackendsTable([twin])))
    with pytest.raises(CharacterisationNotFoundError) as unknown:
        portal.get_noise_twin(known, at=datetime(2020, 1, 1, tzinfo=timezone.utc))
    assert_shown(str(unknown.value), 1)


def test_estimate(device, circuit):
    """What a job will take, and that nobody knows what it costs."""
    estimate = device.estimate(circuit)
    plain = replace(estimate, backend_name="ibex")
    assert_shown(str(estimate), str(plain).count("\n") + 1)
    assert elements(estimate._repr_html_()) == elements(plain._repr_html_())
    assert repr(estimate).isprintable()
    with pytest.raises(MissingEstimateError) as unknown:
        device.run(circuit, max_cost=1)
    assert_shown(str(unknown.value), 1)


def test_not_found(portal):
    """Why there is no such backend: all names in one line."""
    for wanted in ("nothing", re.compile("(?s).*"), re.compile("(?s)ibex.*")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            qubits = 3 if wanted != "nothing" else None
            with pytest.raises(QiskitBackendNotFoundError) as missing:
                portal.get_backend(wanted, available_qubits=qubits)
        assert_shown(missing.value.message, 1)
        assert_shown(str(missing.value), 1)


def test_jobs(device, circuit, monkeypatch, capfd):
    """A job, its result, its failure, its progress bar, and how long it takes."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", 0.0)
    job = device.run(circuit, label="mine", with_progress_bar=True)
    shown = [job, job.result(), job.options, job.usage(), job.queue_info(), job.progress()]
    assert_shown(capfd.readouterr().err.replace("\r", ""))
    for each in shown:
        assert_shown(repr(each), 1)
        assert_shown(str(each), 1)
    execution = SimpleNamespace(name=HOSTILE)
    assert_shown(waiting.timed_out(execution, 1).message, 1)


def test_messages_of_jobs(circuit):
    """The portal's reason of a failure: in the result, in one text, and in partial results."""
    with hostile_server() as server, connect(server) as provider:
        device = provider.get_backend(NAME)
        device.set_options(**QUIET)
        for count in (1, 2):
            server.fail_jobs(HOSTILE, count)
            job = device.run([circuit] * 50 * count, label="mine")
            result = job.result()
            assert str(result).isprintable()
            for each in (result.status, result.to_dict()["error"], job, job.error_message):
                assert_shown(str(each), 1)
            assert_shown(job.error_message(), 1)
            assert_shown(result.results[0].status, 1)
            with pytest.raises(QiskitError) as failed:
                result.get_counts(0)
            assert str(failed.value).isprintable()
            with pytest.raises(JobFailedError) as unknown:
                job.samples()
            assert_shown(str(unknown.value), 1)
            for stored in (*provider.jobs(), *provider.jobs()[0].api_jobs):
                assert repr(stored).isprintable()
            server.fail_jobs(HOSTILE)
            with pytest.raises(JobFailedError) as of_primitive:
                AQTSampler(device).run([circuit]).result()
            assert_shown(str(of_primitive.value), 1)


@pytest.mark.parametrize("refusal", ["maintenance", HOSTILE])
def test_status(circuit, refusal):
    """A device that is not online, as a warning and as an error."""
    with hostile_server(status=refusal) as server, connect(server) as provider:
        device = provider.get_backend(NAME)
        with pytest.warns(BackendStatusWarning) as caught:
            job = device.run(circuit, **QUIET)
        job.cancel()
        assert_shown(str(caught[0].message), 1)
        with pytest.raises(DeviceNotOnlineError) as refused:
            device.run(circuit, require_online=True)
        assert_shown(str(refused.value), 1)


def test_not_listed():
    """A resource whose details are unusable is named in a warning."""
    unusable = hostile_server(type="simulator", available_qubits=0)
    with unusable as server, connect(server) as provider:
        with pytest.warns(PortalUnavailableWarning) as caught:
            provider.backends()
        assert_shown(str(caught[0].message), 1)


BODIES = [
    json.dumps({"detail": HOSTILE}),
    json.dumps({"message": HOSTILE}),
    json.dumps({"detail": [{"loc": ["body", HOSTILE], "msg": HOSTILE}, HOSTILE]}),
    json.dumps({"detail": {HOSTILE: HOSTILE}}),
    HOSTILE,
    f"<html>{HOSTILE}</html>",
]
HEADERS = [("Location", NAME), ("Retry-After", NAME), ("X", NAME), ("Content-Type", NAME)]


@pytest.mark.parametrize("name", EVERYTHING)
def test_refusals(name, figures):
    """Details, reason phrases and headers, in errors and all that led to them."""
    operation, shown = EVERYTHING[name], 0
    statuses = [200, 400, 401, 403, 404, 410, 422]
    if operation.patience < 60:  # others are asked again for an hour of the clock
        statuses += [302, 409, 429, 500, 503]
    for status in statuses:
        for body in BODIES if status == 400 else BODIES[status % 3 :: 3]:
            answer = httpx.Response(
                status,
                headers=[(name, value.encode("utf-8")) for name, value in HEADERS],
                content=body.encode(),
                extensions={"reason_phrase": ESCAPES.encode("latin-1")},
            )
            try:
                operation.run(Script(answer), FakeTime())
            except AQTError as error:
                shown += 1
                for each in chain(error):
                    assert str(each).isprintable()
                assert_shown(str(error), 1)
                assert_shown("".join(traceback.format_exception_only(error)), 1)
    assert shown > 15
    figures(f"hostile answers to {name}", errors=shown)


class TestCommands:
    """``aqt-fast backends``."""

    @pytest.fixture(autouse=True)
    def named(self, shared, monkeypatch):
        """Commands find the hostile portal, and have a wide terminal."""
        monkeypatch.setenv("AQT_PORTAL_URL", shared.url)
        monkeypatch.setenv("AQT_TOKEN", shared.token)
        monkeypatch.setenv("COLUMNS", "2000")

    @pytest.mark.parametrize(
        ("arguments", "lines"),
        [
            (["backends"], 5),
            (["backends", "--workspace", NAME], 3),
            (["backends", NAME], None),
            (["backends", "--name", "nothing"], 1),
            (["backends", "nothing"], 1),
        ],
    )
    def test_for_people(self, arguments, lines):
        """Nothing but what can be shown."""
        assert_shown(CliRunner().invoke(main, arguments).output, lines)

    @pytest.mark.parametrize("arguments", [["--workspace", NAME], [NAME]])
    def test_for_programs(self, arguments):
        """JSON has what the portal has sent, and can be shown as well."""
        run = CliRunner().invoke(main, ["backends", *arguments, "--json"])
        assert all(line.isprintable() for line in run.stdout.split("\n"))
        found = json.loads(run.stdout)
        device = found[0] if isinstance(found, list) else found
        assert (device["resource_id"], device["description"]) == (NAME, HOSTILE)


def test_the_face_of_version_2(monkeypatch, circuit, tmp_path):
    """Workspaces, resources, backends and errors."""
    with hostile_server() as server:
        monkeypatch.setenv("AQT_TOKEN", server.token)
        config = ArnicaConfig(tmp_path)
        config.arnica_url = f"{server.url}/api"
        with v2.AQTProvider() as provider:
            cloud = provider.cloud(config)
            workspaces = cloud.fetch_workspaces()
            workspace = workspaces[0]
            assert workspace.id == NAME
            backend = workspace.get_backend(NAME)
            job = backend.run(circuit)
            assert job.result().success
            server.fail_jobs(HOSTILE)
            failing = backend.run(circuit)
            with pytest.raises(QiskitBackendNotFoundError) as missing:
                workspace.get_backend(HOSTILE)
            with pytest.raises(AQTJobFailedError) as failed:
                failing.result()
            for each in (workspaces, workspace, backend, job, job.result(), failing):
                assert_shown(repr(each), 1)
            assert repr(workspace.list_backends()).isprintable()
            assert_shown(missing.value.message, 1)
            assert_shown(str(failed.value), 1)
