"""Workspaces and resources, and the JSON that they are read from."""

import re
from dataclasses import replace

import orjson
import pytest
from aqt_fast.api_client import ListedResource, Resource, Workspace, Workspaces
from aqt_fast.api_client.models import fits, read_resource, read_uuid, read_workspaces
from aqt_fast.exceptions import InvalidOptionError, MalformedResponseError

UUID = "6a1c0f5e-7d0b-4a52-9c59-2f4a6c1f3c11"
LISTED = ListedResource("w", "r", "R", "device")
DETAILS = {
    "id": "r",
    "name": "Trap",
    "type": "device",
    "status": "maintenance",
    "available_qubits": 20,
}


def resource(workspace_id: str, resource_id: str, kind: str = "device") -> Resource:
    """A resource with 3 qubits."""
    return Resource(workspace_id, resource_id, resource_id.upper(), kind, 3)


@pytest.fixture
def workspaces() -> Workspaces:
    """Two workspaces, with one resource in both."""
    first = (resource("w1", "a"), resource("w1", "b", "simulator"))
    return Workspaces(
        [Workspace("w1", first), Workspace("w2", (resource("w2", "b", "simulator"),))]
    )


class TestReadResource:
    """The details of one resource."""

    def test_details(self):
        """Name, kind and status come from the details, identifiers from the list."""
        found = read_resource(orjson.dumps(DETAILS), LISTED)
        assert found == Resource("w", "r", "Trap", "device", 20, "maintenance")
        assert found.characterisation is None

    def test_characterisation(self):
        """It is kept as the portal sends it, and not shown."""
        body = orjson.dumps(DETAILS | {"characterisation": {"readout_time_us": 7.5}})
        found = read_resource(body, LISTED)
        assert found.characterisation == {"readout_time_us": 7.5}
        assert "readout" not in repr(found)

    @pytest.mark.parametrize(
        "change",
        [
            {"available_qubits": 0},
            {"available_qubits": -1},
            {"available_qubits": True},
            {"available_qubits": "20"},
            {"available_qubits": 1.0},
            {"name": None},
            {"type": 7},
            {"status": ["online"]},
            {"characterisation": [1]},
        ],
        ids=str,
    )
    def test_wrong_shape(self, change):
        """The error names the key."""
        with pytest.raises(MalformedResponseError, match=next(iter(change))):
            read_resource(orjson.dumps(DETAILS | change), LISTED)

    @pytest.mark.parametrize("key", ["name", "type", "status", "available_qubits"])
    def test_missing_key(self, key):
        """The error names it."""
        body = orjson.dumps({name: value for name, value in DETAILS.items() if name != key})
        with pytest.raises(MalformedResponseError, match=key):
            read_resource(body, LISTED)

    @pytest.mark.parametrize("body", [b"", b"[]", b"null", b"7"])
    def test_no_details(self, body):
        """Other JSON is refused."""
        with pytest.raises(MalformedResponseError):
            read_resource(body, LISTED)


def test_read_workspaces():
    """The resources of all workspaces, in order."""
    body = orjson.dumps(
        [
            {"id": "w1", "resources": [{"id": "a", "name": "A", "type": "device"}]},
            {"id": "empty", "resources": []},
            {
                "id": "w2",
                "accepting_job_submissions": False,
                "jobs_being_processed": True,
                "resources": [{"id": "b", "name": "B", "type": "simulator"}],
            },
        ]
    )
    assert read_workspaces(body) == {
        "w1": [ListedResource("w1", "a", "A", "device")],
        "empty": [],
        "w2": [ListedResource("w2", "b", "B", "simulator", accepting_job_submissions=False)],
    }


def test_flags_of_a_workspace():
    """Are flags; its resources have them."""
    body = orjson.dumps([{"id": "w", "jobs_being_processed": "no", "resources": [{}]}])
    with pytest.raises(MalformedResponseError, match="jobs_being_processed"):
        read_workspaces(body.replace(b"{}", b'{"id": "a", "name": "A", "type": "device"}'))
    listed = ListedResource("w", "r", "R", "device", jobs_being_processed=False)
    found = read_resource(orjson.dumps({**DETAILS, "status": "online"}), listed)
    assert not found.jobs_being_processed
    assert found.full_status == "online, jobs wait"
    closed = replace(found, accepting_job_submissions=False)
    assert closed.full_status == "online, no jobs accepted"
    assert found != closed


class TestWorkspaces:
    """A sequence that can be filtered."""

    def test_sequence(self, workspaces):
        """Length, indices, slices and ``repr``."""
        assert len(workspaces) == 2
        assert workspaces[1].workspace_id == "w2"
        assert isinstance(workspaces[:1], Workspaces)
        assert [each.workspace_id for each in workspaces[:1]] == ["w1"]
        assert repr(workspaces[1:]).startswith("Workspaces([Workspace(workspace_id='w2'")

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ({}, {"w1": "ab", "w2": "b"}),
            ({"workspace_pattern": "w2"}, {"w2": "b"}),
            ({"workspace_pattern": "w"}, {"w1": "ab", "w2": "b"}),
            ({"workspace_pattern": ".2$"}, {"w2": "b"}),
            ({"workspace_pattern": "2"}, {}),
            ({"workspace_pattern": re.compile("w")}, {"w1": "ab", "w2": "b"}),
            ({"name_pattern": "a"}, {"w1": "a", "w2": ""}),
            ({"name_pattern": "^[ab]"}, {"w1": "ab", "w2": "b"}),
            ({"name_pattern": re.compile("[bc]")}, {"w1": "b", "w2": "b"}),
            ({"backend_type": "device"}, {"w1": "a", "w2": ""}),
            ({"backend_type": "simulator", "workspace_pattern": "w1"}, {"w1": "b"}),
        ],
        ids=str,
    )
    def test_filter(self, workspaces, arguments, expected):
        """Text is a regular expression, too; workspaces that fit stay, with no resource as well."""
        found = workspaces.filter(**arguments)
        names = {
            each.workspace_id: "".join(item.resource_id for item in each.resources)
            for each in found
        }
        assert names == expected

    def test_no_pattern(self, workspaces):
        """The error names the argument."""
        with pytest.raises(InvalidOptionError, match=r"^name_pattern must be a regular expr.*'\['"):
            workspaces.filter(name_pattern="[")

    def test_equality_and_membership(self, workspaces):
        """Equal by value, also when made with a list; ``in`` by identifier alone."""
        again = Workspaces(
            root=[Workspace(each.workspace_id, list(each.resources)) for each in workspaces]
        )
        assert again == workspaces
        assert len({again, workspaces}) == 1
        assert again[:1] != workspaces
        assert Workspace(workspace_id="w1", resources=[]) in workspaces
        assert Workspace("w3", ()) not in workspaces
        assert "w1" not in workspaces
        assert list(Workspaces(root=[])) == []


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (None, True),
        ("marmot", True),
        ("mar", False),
        (re.compile("mar"), True),
        (re.compile("armot"), False),
    ],
    ids=str,
)
def test_fits(wanted, expected):
    """Strings must be equal, patterns match at the start."""
    assert fits(wanted, "marmot") is expected


class TestReadUUID:
    """The identifier of an API job."""

    @pytest.mark.parametrize("text", [UUID, UUID.upper(), UUID.replace("-", ""), f"{{{UUID}}}"])
    def test_one_form(self, text):
        """All spellings become lower case with hyphens."""
        assert read_uuid(text) == UUID

    @pytest.mark.parametrize("value", [None, 7, "", "7", b"7", [UUID], f"../{UUID}", UUID[:-1]])
    def test_no_uuid(self, value):
        """The answer cannot be used."""
        with pytest.raises(MalformedResponseError, match="no job's identifier"):
            read_uuid(value)
