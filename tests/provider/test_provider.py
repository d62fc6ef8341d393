"""Provider and table of backends."""

import re
from datetime import datetime

import numpy as np
import pytest
from aqt_fast import AQTProvider, execute
from aqt_fast.api_client import PortalClient
from aqt_fast.aqt_provider import (
    OFFLINE_SIMULATORS,
    BackendsTable,
    NoTokenWarning,
    PortalUnavailableWarning,
)
from aqt_fast.aqt_resource import BackendStatusWarning
from aqt_fast.exceptions import (
    AQTCredentialsError,
    InvalidInputError,
    InvalidOptionError,
)
from markers import marker
from qiskit.exceptions import QiskitError
from qiskit.providers import QiskitBackendNotFoundError

NAMES = ["offline_simulator_no_noise", "offline_simulator_noise"]


def names(table: BackendsTable) -> list[str]:
    """Names of the backends in a table."""
    return [backend.name for backend in table]


class TestBackends:
    """Listing and choosing."""

    def test_all(self, provider):
        """Both offline simulators, with what the contract says about them."""
        table = provider.backends()
        assert names(table) == NAMES == [simulator.id for simulator in OFFLINE_SIMULATORS]
        assert [backend.with_noise_model for backend in table] == [False, True]
        for backend in table:
            assert backend.provider is provider
            assert backend.num_qubits == 20
            assert backend.resource_id.workspace_id == "default"
            assert backend.resource_id.resource_id == backend.name
            assert backend.resource_id.resource_name == backend.description
            assert backend.resource_id.resource_type == "offline_simulator"
            assert backend.resource_id.available_qubits == 20

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"name": NAMES[1]}, NAMES[1:]),
            ({"name": "offline"}, []),
            ({"name": re.compile("offline")}, NAMES),
            ({"name": re.compile(".*_noise")}, NAMES),
            ({"name": re.compile("noise")}, []),
            ({"workspace": "default"}, NAMES),
            ({"workspace": re.compile("def.*")}, NAMES),
            ({"workspace": "mine"}, []),
            ({"backend_type": "offline_simulator"}, NAMES),
            ({"backend_type": "device"}, []),
            ({"backend_type": "direct_access"}, []),
        ],
    )
    def test_filters(self, provider, filters, expected):
        """Strings are equal, patterns match."""
        assert names(provider.backends(**filters)) == expected

    def test_unknown_type(self, provider):
        """The error lists the types."""
        with pytest.raises(InvalidOptionError, match="backend_type must be one of device, simul"):
            provider.backends(backend_type="toaster")

    def test_portal_out_of_reach(self, monkeypatch):
        """The offline simulators are listed, and the reason is told."""
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        with pytest.warns(PortalUnavailableWarning, match=r"127\.0\.0\.1:9.*refused"):
            assert names(AQTProvider("token").backends()) == NAMES
        with pytest.raises(
            QiskitBackendNotFoundError, match=r"refused; no backend fits; there are: offline"
        ):
            AQTProvider("token").get_backend("ibex")

    @pytest.mark.parametrize("name", ["name", "workspace"])
    def test_criteria_of_a_wrong_type(self, provider, name):
        """Neither text nor pattern."""
        with pytest.raises(InvalidOptionError, match=f"^{name} must be a text, .* not 7$"):
            provider.get_backend(**{name: 7})
        with pytest.raises(InvalidInputError, match="base_url must be text"):
            provider.get_direct_access_backend(7)

    def test_the_missing_token_is_named(self, provider):
        """A device is not there, because the portal was not asked."""
        with pytest.raises(QiskitBackendNotFoundError, match=r"no access token; no backend fits"):
            provider.get_backend("ibex")
        with pytest.raises(QiskitBackendNotFoundError, match=r"^'no backend fits"):
            provider.get_backend("ibex", backend_type="offline_simulator")

    def test_get_backend(self, provider):
        """Exactly one, of any size."""
        backend = provider.get_backend("offline_simulator_noise", available_qubits=7)
        assert (backend.name, backend.num_qubits, backend.with_noise_model) == (NAMES[1], 7, True)
        assert backend.target.num_qubits == backend.resource_id.available_qubits == 7

    def test_none_or_several(self, provider):
        """The error names the candidates."""
        several = f"several backends fit: {', '.join(NAMES)}"
        with pytest.raises(QiskitBackendNotFoundError, match=several):
            provider.get_backend(backend_type="offline_simulator")
        none = f"; no backend fits; there are: {', '.join(NAMES)}"
        with pytest.raises(QiskitBackendNotFoundError, match=none):
            provider.get_backend("ibex")

    def test_an_offline_simulator_needs_no_portal(self):
        """An offline simulator named exactly needs no request to the portal."""
        assert (
            AQTProvider("token").get_backend(NAMES[0], available_qubits=np.int64(3)).num_qubits == 3
        )

    def test_warnings_point_here(self, monkeypatch):
        """Warnings name the user's line."""
        with pytest.warns(NoTokenWarning) as caught:
            AQTProvider("")
        assert caught[0].filename == __file__
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        with pytest.warns(PortalUnavailableWarning) as caught:
            AQTProvider("token").get_backend(re.compile(".*_no_noise"))
        assert caught[0].filename == __file__

    @pytest.mark.parametrize("size", [0, -1, 2.0, "20", True, 10**18])
    def test_bad_size(self, provider, size):
        """A register has one qubit or more."""
        with pytest.raises(InvalidOptionError, match="available_qubits must be a whole number"):
            provider.get_backend(NAMES[0], available_qubits=size)


class TestTable:
    """A sequence that can be read."""

    def test_sequence(self, provider):
        """Indexing, slicing, iterating."""
        table = provider.backends()
        assert len(table) == 2
        assert table[0] is next(iter(table))
        assert table[0] in table
        assert names(table[1:]) == NAMES[1:]
        assert isinstance(table[1:], BackendsTable)
        assert repr(table) == f"<BackendsTable of {', '.join(NAMES)}>"
        assert repr(table[:0]) == "<BackendsTable of nothing>"

    def test_text(self, provider, monkeypatch):
        """All columns, one line a backend."""
        monkeypatch.setenv("COLUMNS", "120")
        lines = str(provider.backends()).splitlines()
        for heading in ("Workspace", "Resource ID", "Description", "Type", "Qubits", "Status"):
            assert heading in lines[1]
        assert "offline_simulator_no_noise" in lines[3]
        assert len(lines) == 6

    def test_parts(self, provider):
        """Columns, rows and backends by the names that 1.x users know."""
        table = provider.backends()
        assert table.headers[:2] == ["Workspace", "Resource ID"]
        assert [backend.name for backend in table.backends] == NAMES
        assert [row[1] for row in table.table()] == NAMES
        assert {len(row) for row in table.table()} == {len(table.headers)}

    def test_html(self, provider):
        """A table for notebooks."""
        html = provider.backends()._repr_html_()
        assert html.count("<tr>") == 3
        assert "offline_simulator_noise" in html


class TestPortal:
    """What the portal has."""

    @pytest.fixture
    def requests(self, server, monkeypatch):
        """The paths that were asked for."""
        paths = []
        decide = server.faults.decide

        def note(method: str, path: str):
            paths.append(path.removeprefix("/api/v1"))
            return decide(method, path)

        monkeypatch.setattr(server.faults, "decide", note)
        return paths

    def test_all(self, portal, server, requests):
        """Every resource of every workspace, the details of each asked for once."""
        table = portal.backends()
        assert names(table) == [
            *NAMES,
            *["simulator_ideal", "simulator_noise", "ibex", "pine", "rowan", "simulator_noise"],
        ]
        assert [backend.resource_id.workspace_id for backend in table[-2:]] == ["lab", "lab"]
        status = {row[1]: row[5] for row in table.rows()}
        assert (status["ibex"], status["rowan"]) == ("online", "maintenance")
        assert {backend.name: backend.num_qubits for backend in table}["ibex"] == 12
        assert sorted(requests) == sorted(
            ["/workspaces"] + [f"/resources/{name}" for name in {*names(table)} - {*NAMES}]
        )
        assert list(table.by_workspace()) == ["default", "lab"]
        assert server.token not in str(table) + repr(table) + repr(portal) + repr(list(table))

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"name": "ibex"}, ["ibex"]),
            ({"backend_type": "device"}, ["ibex", "pine", "rowan"]),
            ({"workspace": "lab", "backend_type": "simulator"}, ["simulator_noise"]),
            ({"name": re.compile("simulator_")}, ["simulator_ideal"] + ["simulator_noise"] * 2),
            ({"name": "nobody"}, []),
        ],
    )
    def test_only_the_details_that_are_needed(self, portal, requests, filters, expected):
        """No more requests than resources that fit."""
        assert names(portal.backends(**filters)) == expected
        assert requests[0] == "/workspaces"
        assert sorted(requests[1:]) == sorted({f"/resources/{name}" for name in expected})

    @pytest.mark.parametrize(
        "filters",
        [{"name": NAMES[0]}, {"backend_type": "offline_simulator"},
         {"backend_type": "direct_access"}],
    )  # fmt: skip
    def test_the_portal_is_not_asked_in_vain(self, portal, requests, filters):
        """No request is made if nothing of the portal can match."""
        portal.backends(**filters)
        assert requests == []

    def test_get_backend(self, portal, requests):
        """One request lists, and one gets the details."""
        assert portal.get_backend("pine").num_qubits == 20
        assert requests == ["/workspaces", "/resources/pine"]

    def test_several(self, portal, requests):
        """The error names the workspaces; nobody's details are asked for."""
        expected = r"several backends fit: simulator_noise \(default\), simulator_noise \(lab\)"
        with pytest.raises(QiskitBackendNotFoundError, match=expected):
            portal.get_backend("simulator_noise")
        assert requests == ["/workspaces"]
        assert portal.get_backend("simulator_noise", workspace="lab").name == "simulator_noise"

    def test_none(self, portal):
        """The error names everything that there is."""
        with pytest.raises(QiskitBackendNotFoundError, match=r"there are: offline.*pine \(lab\)"):
            portal.get_backend("oak")

    def test_a_resource_that_cannot_be_asked_for(self, portal, server):
        """The others are listed; asked for by name, the error tells why."""
        for _ in range(2):
            server.faults.next("401", path="/resources/pine")
        with pytest.warns(PortalUnavailableWarning, match="resource pine cannot be asked for"):
            assert names(portal.backends(backend_type="device")) == ["ibex", "rowan"]
        with pytest.raises(AQTCredentialsError, match=r"pine cannot be asked for.*401"):
            portal.get_backend("pine")
        server.faults.next("500", count=20, path="/resources/pine")
        with pytest.raises(QiskitBackendNotFoundError, match=r"pine cannot be asked for.*500"):
            portal.get_backend("pine")

    def test_a_token_that_is_not_accepted(self, server):
        """The error is that of the token; the offline simulators are there."""
        provider = AQTProvider("wrong", portal_url=server.url, load_dotenv=False)
        with pytest.raises(AQTCredentialsError, match=r"portal.*401.*log in again") as caught:
            provider.get_backend("ibex")
        assert caught.value.status_code == 401
        assert provider.get_backend(NAMES[0]).name == NAMES[0]
        with pytest.warns(PortalUnavailableWarning, match="401"):
            assert names(provider.backends()) == NAMES

    def test_a_wrong_path(self, server):
        """The error names host and path."""
        provider = AQTProvider(server.token, portal_url=f"{server.url}/nowhere", load_dotenv=False)
        expected = re.escape(f"GET /workspaces at {server.url}/nowhere/api/v1: 404 Not Found")
        with pytest.raises(QiskitBackendNotFoundError, match=expected):
            provider.get_backend("ibex")

    def test_a_device_in_maintenance(self, portal, server):
        """The user who runs something there hears so, and since when."""
        server.set_status("rowan", "maintenance")
        rowan = portal.get_backend("rowan")
        since = datetime.fromisoformat(rowan.resource_id.status_since)
        expected = f"rowan is in maintenance since {since.astimezone():%Y-%m-%d %H:%M}"
        with pytest.warns(
            BackendStatusWarning, match=f"^{expected}.*until the device is"
        ) as caught:
            job = execute(marker("1"), rowan)
        assert caught[0].filename == __file__
        assert job.cancel()
        server.set_status("rowan", "online")
        assert execute(marker("1"), portal.get_backend("rowan")).cancel() in (True, False)

    def test_target(self, portal):
        """The target has the size of the register."""
        backend = portal.get_backend("ibex")
        assert (backend.target.num_qubits, backend.num_qubits) == (12, 12)
        assert backend.get_scheduling_stage_plugin() == "aqt_fast"
        assert backend.limits.qubits == 12

    def test_workspaces(self, server):
        """The portal's client lists workspaces without Qiskit."""
        client = PortalClient(server.token, portal_url=server.url)
        workspaces = client.workspaces()
        client.close()
        assert [workspace.workspace_id for workspace in workspaces] == ["default", "lab"]
        kept = workspaces.filter(name_pattern="ibex")
        found = [[item.resource_id for item in each.resources] for each in kept]
        assert found == [[], ["ibex"]]
        assert len(workspaces.filter(backend_type="simulator", workspace_pattern="lab")) == 1
        assert len(workspaces[:1]) == 1

    @pytest.mark.parametrize("number", [5, 12, 50])
    def test_size_of_a_device(self, portal, number):
        """A device has the qubits that it has: refused, with the device and its number."""
        message = rf"available_qubits={number} is for offline .*: ibex has 12 qubits"
        with pytest.raises(QiskitError, match=message) as caught:
            portal.get_backend("ibex", available_qubits=number)
        assert isinstance(caught.value, QiskitBackendNotFoundError)
        with pytest.raises(QiskitError, match="simulator_ideal has"):
            portal.get_backend("simulator_ideal", available_qubits=number)
