"""The login, by AQT's own client."""

import io
import os
import uuid

import pytest
from aqt_connector import ArnicaApp, ArnicaConfig, fetch_job_state, get_access_token, log_in
from aqt_connector.exceptions import AuthenticationError, NotAuthenticatedError
from aqt_fast.testing import ArnicaServer
from server.cloud_client import client_of, final_state, flips, job, submit


@pytest.fixture
def oidc_server(monkeypatch):
    """A server with a quick login; no setting of this computer reaches the client."""
    for name in [name for name in os.environ if name.startswith("AQT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with ArnicaServer(simulate=False, pending=2, poll_interval=0.01, token_lifetime=600) as server:
        yield server


def app_of(server, path, **settings):
    """AQT's own client, with the server's address and some settings."""
    config = ArnicaConfig(path)
    config.arnica_url = f"{server.url}/api"
    config.oidc_config = server.oidc_config()
    for name, value in settings.items():
        setattr(config, name, value)
    return ArnicaApp(config)


def test_log_in_with_a_device_code(oidc_server, tmp_path):
    """The user is asked to confirm; the token opens the portal, is stored, and expires."""
    out = io.StringIO()
    with app_of(oidc_server, tmp_path) as app:
        token = log_in(app, stdout=out)
        assert f"{oidc_server.url}/activate?user_code=" in out.getvalue()
        assert get_access_token(app) == token
        with client_of(oidc_server, token) as client:
            job_id = submit(client, job(flips(1)))
            final_state(client, job_id)
        assert fetch_job_state(app, uuid.UUID(job_id)).result == {0: [[1, 0, 0, 0]] * 10}
        oidc_server.advance(601)
        with pytest.raises(NotAuthenticatedError):
            fetch_job_state(app, uuid.UUID(job_id), api_token=token)


def test_log_in_with_client_credentials(oidc_server, tmp_path):
    """Only the right secret gives a token."""
    with app_of(
        oidc_server,
        tmp_path,
        client_id="local-client",
        client_secret="local-secret",  # noqa: S106
    ) as app:
        token = log_in(app, stdout=io.StringIO())
        with client_of(oidc_server, token) as client:
            assert client.get("/workspaces").status_code == 200
    other = tmp_path / "other"
    other.mkdir()
    with (
        app_of(
            oidc_server,
            other,
            client_id="local-client",
            client_secret="guess",  # noqa: S106
        ) as app,
        pytest.raises(AuthenticationError),
    ):
        log_in(app, stdout=io.StringIO())


def test_refresh(oidc_server, tmp_path):
    """A refresh token gives a new access token, once."""
    with app_of(oidc_server, tmp_path) as app:
        first, refresh = app.oidc_service.authenticate_device(out=io.StringIO())
        (tmp_path / "refresh_token").write_text(refresh)
        second = get_access_token(app)
        assert second != first
        assert (tmp_path / "refresh_token").read_text() != refresh
        with client_of(oidc_server, second) as client:
            assert client.get("/workspaces").status_code == 200
        with pytest.raises(AuthenticationError, match="refresh token"):
            app.oidc_service.authenticate_with_refresh_token(refresh)


def test_login_refusals(oidc_server):
    """Error responses have the shape that OAuth prescribes."""
    with client_of(oidc_server) as client:
        for fields, status, error in (
            (
                {"grant_type": "password", "client_id": "aqt-fast-device"},
                403,
                "unsupported_grant_type",
            ),
            ({"grant_type": "refresh_token", "client_id": "x"}, 403, "unauthorized_client"),
            ({"grant_type": "client_credentials"}, 401, "access_denied"),
            ({}, 403, "unauthorized_client"),
        ):
            response = client.post(f"{oidc_server.url}/oauth/token", data=fields)
            assert (response.status_code, response.json()["error"]) == (status, error)
        response = client.post(f"{oidc_server.url}/oauth/device/code", data={"client_id": "x"})
        assert response.status_code == 403
