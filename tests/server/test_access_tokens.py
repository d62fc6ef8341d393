"""Bearer tokens and the workspaces that they open."""

import httpx
from server.cloud_client import client_of, flips, job, submit


def test_tokens(server, client):
    """Missing, wrong, revoked and expired tokens; a token for one workspace."""
    refused = [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {server.token}"}]
    for headers in refused:
        response = httpx.get(f"{server.url}/api/v1/workspaces", headers=headers, trust_env=False)
        assert response.status_code == 401
        assert isinstance(response.json()["detail"], str)
    foreign = submit(client, job(flips(1)), "lab/ibex")
    server.accept("guest", workspaces=["default"], lifetime=3600)
    with client_of(server, "guest") as guest:
        assert [workspace["id"] for workspace in guest.get("/workspaces").json()] == ["default"]
        assert guest.get("/resources/ibex").status_code == 403
        assert guest.get("/resources/simulator_noise").status_code == 200
        assert guest.post("/submit/lab/ibex", json=job(flips(1))).status_code == 403
        assert guest.get(f"/result/{foreign}").status_code == 404
        assert guest.delete(f"/jobs/{foreign}").status_code == 404
        server.advance(3601)
        assert guest.get("/workspaces").status_code == 401
    server.revoke(server.token)
    assert client.get("/workspaces").status_code == 401
    assert client.post("/submit/lab/ibex", json=job(flips(1))).status_code == 401
    server.accept(server.token)
    assert client.get("/workspaces").status_code == 200
    assert server.token not in repr(server)
