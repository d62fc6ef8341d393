"""The package's own pytest fixture."""

from server.cloud_client import client_of

pytest_plugins = ["aqt_fast.testing"]


def test_fixture(arnica_server):
    """It gives a server that responds."""
    with client_of(arnica_server) as client:
        assert client.get("/workspaces").status_code == 200
