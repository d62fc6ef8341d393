"""Access tokens: saved, found and renewed with AQT's own login package."""

from __future__ import annotations

import io
import stat
import sys
from typing import Any

import aqt_connector
import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_provider import ArnicaConfig
from aqt_fast.exceptions import AQTCredentialsError
from aqt_fast.login import connector
from aqt_fast.login.tokens import Origin, TokenStore
from aqt_fast.testing import ArnicaServer
from clients import device_of
from hostile import ESCAPES, assert_shown

SECRET = "a-token-that-nobody-may-see"  # noqa: S105


@pytest.fixture
def server():
    """A portal with a login; the user is done at the first question."""
    with ArnicaServer(simulate=False, pending=0, poll_interval=0.01) as server:
        yield server


@pytest.fixture
def config(server, tmp_path, monkeypatch):
    """How to log in there."""
    monkeypatch.delenv("AQT_TOKEN", raising=False)
    config = ArnicaConfig(tmp_path / "aqt")
    config.arnica_url = f"{server.url}/api"
    config.oidc_config = server.oidc_config()
    return config


def origin_of(server) -> Origin:
    """What gives the tokens of a login there."""
    return Origin(server.url, server.oidc_config().issuer)


def connect(server, config, token: str | None = None) -> AQTProvider:
    """A provider that takes its token from the store, unless one is given."""
    return AQTProvider(token, config, portal_url=server.url, load_dotenv=False)


class TestStore:
    """Token files are private to their user."""

    def test_round_trip(self, tmp_path):
        """Saved tokens are read back; files and directory are private."""
        store = TokenStore(tmp_path / "new" / "directory")
        assert store.access_token() is None
        store.save("access", "refresh")
        assert (store.access_token(), store.refresh_token()) == ("access", "refresh")
        assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
        for path in store.directory.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        store.save("next", None)
        assert (store.access_token(), store.refresh_token()) == ("next", None)
        names = sorted(path.name for path in store.directory.iterdir())
        assert names == ["access_token", "aqt_fast_origins.json"]

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
    def test_readable_by_others(self, tmp_path, mode):
        """A token file that others can read is refused; the error says how to change it."""
        TokenStore(tmp_path).save(SECRET, None)
        path = tmp_path / "access_token"
        path.chmod(mode)
        with pytest.raises(AQTCredentialsError, match=f"chmod 600 {path}") as caught:
            TokenStore(tmp_path).access_token()
        assert SECRET not in str(caught.value)

    def test_unreadable(self, tmp_path):
        """An unreadable token file is named, its content is not shown."""
        (tmp_path / "access_token").mkdir()
        with pytest.raises(AQTCredentialsError, match="cannot read the access token"):
            TokenStore(tmp_path).access_token()

    def test_default(self, monkeypatch, tmp_path):
        """Where AQT's own packages look."""
        monkeypatch.setenv("HOME", str(tmp_path))
        assert TokenStore().directory == tmp_path / ".aqt"


class TestLogIn:
    """With AQT's own package against an OpenID provider on a socket."""

    def test_with_a_link(self, server, config, capsys):
        """The link is shown on standard error; the tokens are kept."""
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.get_backend("ibex").name == "ibex"
            token = provider.access_token
        shown = capsys.readouterr()
        assert "Verify the following code" in shown.err
        assert shown.out == ""
        assert token not in shown.err
        store = TokenStore(config.store_path)
        assert (store.access_token(), bool(store.refresh_token())) == (token, True)
        with connect(server, config) as provider:
            assert provider.access_token == token
            assert len(provider.backends(backend_type="device")) == 3

    def test_with_a_client(self, server, config):
        """A client's credentials log in without the user."""
        config.client_id, config.client_secret = "local-client", "local-secret"
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.get_backend("ibex").name == "ibex"
        assert TokenStore(config.store_path).refresh_token() is None

    def test_twice(self, server, config, capsys):
        """While the saved token is valid, no other login begins, not in another program either."""
        with connect(server, config, "") as provider:
            provider.log_in()
            token = provider.access_token
            capsys.readouterr()
            provider.log_in()
            assert provider.access_token == token
        assert capsys.readouterr().err == (
            "aqt-fast: already logged in, the saved access token is valid\n"
        )
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.access_token == token
            assert provider.get_backend("ibex").name == "ibex"
        assert "Verify" not in capsys.readouterr().err

    def test_renewed_silently(self, server, config, capsys):
        """An expired token is renewed without the user, who is told that all is well."""
        with connect(server, config, "") as provider:
            provider.log_in()
            token = provider.access_token
        server.advance(11 * 3600)
        capsys.readouterr()
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.access_token != token
            assert provider.get_backend("ibex").name == "ibex"
            assert TokenStore(config.store_path).access_token() == provider.access_token
        assert "already logged in" in capsys.readouterr().err

    def test_anew(self, server, config, capsys):
        """On request, the login begins again."""
        with connect(server, config, "") as provider:
            provider.log_in()
            token = provider.access_token
            capsys.readouterr()
            provider.log_in(anew=True)
            assert provider.access_token != token
        assert "Verify" in capsys.readouterr().err

    def test_revoked(self, server, config, capsys):
        """A token that the portal refuses and nobody renews is replaced by a login."""
        TokenStore(config.store_path).save("revoked", None, origin_of(server))
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.get_backend("ibex").name == "ibex"
        assert "Verify" in capsys.readouterr().err

    def test_not_kept_twice(self, server, config, capsys):
        """Without a store, the token of this provider counts."""
        config.store_access_token = False
        with connect(server, config, "") as provider:
            provider.log_in()
            token = provider.access_token
            capsys.readouterr()
            provider.log_in()
            assert provider.access_token == token
        assert "Verify" not in capsys.readouterr().err

    def test_refused(self, server, config):
        """A refused login raises a typed error without the secret."""
        config.client_id, config.client_secret = "local-client", SECRET
        with connect(server, config, "") as provider, pytest.raises(AQTCredentialsError) as caught:
            provider.log_in()
        assert SECRET not in str(caught.value)
        assert list(config.store_path.parent.iterdir()) == []

    def test_not_kept(self, server, config):
        """The configuration can turn off storing tokens."""
        config.store_access_token = False
        with connect(server, config, "") as provider:
            provider.log_in()
            assert provider.get_backend("ibex").name == "ibex"
        assert not config.store_path.exists()

    def test_a_hostile_link(self, config, monkeypatch):
        """The login's address and code reach the terminal cleaned; the QR code stays as it is."""

        def authenticate(_, *, out):
            out.write(f"{ESCAPES}\xa0▀▄█\n")
            out.flush()
            return "access", "refresh"

        service = type(aqt_connector.ArnicaApp(config).oidc_service)
        monkeypatch.setattr(service, "authenticate_device", authenticate)
        shown = io.StringIO()
        store = TokenStore(config.store_path)
        assert connector.log_in(config, store, config.portal_url, out=shown) == "access"
        assert shown.getvalue().endswith("\xa0▀▄█\n")
        assert_shown(shown.getvalue().replace("\xa0", " "))

    def test_without_the_extra(self, config, monkeypatch):
        """The error tells what to install."""
        monkeypatch.setitem(sys.modules, "aqt_connector", None)
        with pytest.raises(AQTCredentialsError, match=r"pip install 'aqt-fast\[login\]'"):
            connector.log_in(
                config, TokenStore(config.store_path), config.portal_url, out=io.StringIO()
            )


class TestRenewal:
    """A token expires while the work goes on."""

    @pytest.mark.parametrize("client", [True, False])
    def test_while_polling_and_submitting(self, server, config, circuit, client):
        """By refresh token or by the client's secret; jobs do not notice."""
        if client:
            config.client_id, config.client_secret = "local-client", "local-secret"
        with connect(server, config, "") as provider:
            provider.log_in()
            device = device_of(provider)
            tokens = [provider.access_token]
            server.hold()
            job = device.run(circuit)
            job.job_id()
            server.advance(11 * 3600)
            server.release()
            assert job.result().success
            tokens.append(provider.access_token)
            server.advance(11 * 3600)
            assert device.run(circuit).result().success
            tokens.append(provider.access_token)
        assert len(set(tokens)) == 3
        assert TokenStore(config.store_path).access_token() == tokens[-1]
        assert len(server.jobs) == 2

    def test_login_out_of_reach(self, server, config, circuit, monkeypatch):
        """An outage of the login only delays a renewal; the job succeeds."""
        renewals = []

        def renew_without_network(*arguments: Any) -> str | None:
            if not renewals:
                server.refuse(0.2)
            renewals.append(arguments)
            return connector.renew(*arguments)

        monkeypatch.setattr("aqt_fast.provider.access.renew", renew_without_network)
        with connect(server, config, "") as provider:
            provider.log_in()
            device = device_of(provider)
            server.hold()
            job = device.run(circuit)
            job.job_id()
            server.faults.next("401", path="/result/")
            server.release()
            assert job.result().success
        assert renewals
        assert len(server.jobs) == 1

    def test_by_another_process(self, server, config):
        """A token that another process has saved is used."""
        server.accept("old")
        server.accept("new")
        TokenStore(config.store_path).save("old", None, origin_of(server))
        with connect(server, config) as provider:
            assert provider.get_backend("ibex").name == "ibex"
            server.revoke("old")
            TokenStore(config.store_path).save("new", None, origin_of(server))
            assert provider.get_backend("pine").name == "pine"
            assert provider.access_token == "new"  # noqa: S105

    def test_nothing_to_renew_it_with(self, server, config):
        """Without a refresh token the user must log in, and then the provider works."""
        TokenStore(config.store_path).save("expired", None, origin_of(server))
        with connect(server, config) as provider:
            with pytest.warns(UserWarning, match="log in again"):
                assert provider.backends(backend_type="device").rows() == []
            provider.log_in()
            assert len(provider.backends(backend_type="device")) == 3

    def test_a_given_token_is_not_renewed(self, server, config):
        """A token that the user gives is not replaced."""
        TokenStore(config.store_path).save(server.token, None, origin_of(server))
        with (
            connect(server, config, "given") as provider,
            pytest.warns(UserWarning, match="log in again or give another token"),
        ):
            provider.backends(backend_type="device")


class TestConfig:
    """AQT's own configuration object is taken, too."""

    def test_of(self, tmp_path):
        """A copy with all attributes; one of ours stays as it is."""
        theirs = aqt_connector.ArnicaConfig(tmp_path)
        theirs.client_id, theirs.client_secret = "id", "secret"
        theirs.arnica_url, theirs.store_access_token = "https://portal/api", False
        ours = ArnicaConfig.of(theirs)
        assert ours.store_path == tmp_path
        for name in ("client_id", "client_secret", "arnica_url", "store_access_token"):
            assert getattr(ours, name) == getattr(theirs, name)
        assert ours.oidc_config is theirs.oidc_config
        assert ArnicaConfig.of(ours) is ours

    @pytest.mark.parametrize(
        ("url", "portal"),
        [
            ("https://arnica.aqt.eu/api", None),
            ("https://arnica.aqt.eu/api/", None),
            ("https://portal/api", "https://portal"),
            ("https://portal", "https://portal/v1"),
        ],
    )
    def test_portal(self, tmp_path, url, portal):
        """The URL of its API names the portal, unless it is AQT's own."""
        config = ArnicaConfig(tmp_path)
        config.arnica_url = url
        assert config.portal_url == portal

    def test_provider(self, server, tmp_path):
        """A provider takes portal and directory from it."""
        config = aqt_connector.ArnicaConfig(tmp_path)
        config.arnica_url = f"{server.url}/api"
        TokenStore(tmp_path).save(server.token, None, origin_of(server))
        with AQTProvider(arnica_config=config, load_dotenv=False) as provider:
            assert provider.get_backend("ibex").num_qubits == 12
