"""A saved login counts only for the portal that it was for, wherever another is named."""

from __future__ import annotations

import pickle
from pathlib import Path

import aqt_connector
import httpx
import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.api_client.portal_url import DEFAULT_PORTAL_URL, is_same_portal
from aqt_fast.aqt_provider import ArnicaConfig, NoTokenWarning, PortalUnavailableWarning
from aqt_fast.cli.main import main
from aqt_fast.exceptions import AQTCredentialsError
from aqt_fast.login import connector
from aqt_fast.login.tokens import Origin, TokenStore
from aqt_fast.testing import ArnicaServer
from click.testing import CliRunner
from clients import device_of
from markers import marker
from qiskit.providers import QiskitBackendNotFoundError

SECRET = "a-token-that-nobody-may-see"  # noqa: S105


@pytest.fixture
def server():
    """A portal that records what it gets, with a login."""
    with ArnicaServer(simulate=False, pending=0, poll_interval=0.01) as server:
        yield server


@pytest.fixture
def home(tmp_path, monkeypatch) -> TokenStore:
    """The saved login of a user without other settings."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for name in ("AQT_TOKEN", "AQT_PORTAL_URL", "AQT_ARNICA_URL"):
        monkeypatch.delenv(name, raising=False)
    return TokenStore()


def config_of(server: ArnicaServer, directory: Path) -> ArnicaConfig:
    """How to log in there."""
    config = ArnicaConfig(directory)
    config.arnica_url, config.oidc_config = f"{server.url}/api", server.oidc_config()
    return config


class TestOtherPortals:
    """A token of one portal, and settings that name another."""

    @pytest.mark.parametrize("by", ["argument", "environment", "dotenv"])
    @pytest.mark.parametrize("noted", [True, False])
    def test_nothing_is_sent(self, server, home, monkeypatch, by, noted, tmp_path):
        """Not to any address; the message says which portal, and what to do."""
        sent = []
        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda *args: sent.append(args))
        origin = Origin("https://first.example", "https://login.example/")
        if noted:
            home.save(SECRET, None, origin)
        else:  # as AQT's own package and older versions do
            home.directory.mkdir()
            (home.directory / "access_token").write_text(SECRET)
            (home.directory / "access_token").chmod(0o600)
        if by == "environment":
            monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        elif by == "dotenv":
            (tmp_path / ".env").write_text(f"AQT_PORTAL_URL={server.url}\n")
        known = "https://first.example" if noted else DEFAULT_PORTAL_URL
        said = f"the saved login is for {known}, not for {server.url}: .*AQT_TOKEN"
        with pytest.warns(NoTokenWarning, match=said):
            provider = AQTProvider(portal_url=server.url if by == "argument" else None)
        with provider:
            assert provider.access_token == ""
            with pytest.warns(PortalUnavailableWarning, match=said):
                assert provider.backends(backend_type="device").rows() == []
            with pytest.raises(QiskitBackendNotFoundError, match=said):
                provider.get_backend("ibex")
        assert sent == []

    def test_the_same_portal(self, server, home):
        """However its URL is written."""
        home.save(server.token, None, Origin(f"{server.url.upper()}/"))
        for url in (server.url, f"{server.url}/", f"{server.url}/api/v1"):
            with AQTProvider(portal_url=url, load_dotenv=False) as provider:
                assert provider.get_backend("ibex").name == "ibex"

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ("https://a.example", "https://A.example:443/api/v1", True),
            ("https://a.example", "https://a.example:8443", False),
            ("https://a.example", "http://a.example", False),
            ("https://a.example", "https://a.example.evil.org", False),
            ("https://a.example", "https://a.example@evil.org", False),
            ("https://a.example", "https://b.example#https://a.example", False),
            ("https://a.example", "https://a.example:port", False),
            ("", "https://a.example", False),
            ("a.example", "b.example", False),
            ("https:///a", "https:///b", False),
        ],
    )
    def test_which_portals_are_the_same(self, one, other, same):
        """Scheme, host and port agree."""
        assert is_same_portal(one, other) is is_same_portal(other, one) is same

    def test_a_token_that_another_program_has_saved_since(self, home):
        """The note is about the tokens that it names, and about no others."""
        home.save(SECRET, SECRET, Origin("https://first.example"))
        (home.directory / "access_token").write_text("AQT's")
        assert home.origin("AQT's") == Origin()
        assert home.origin(SECRET).portal_url == "https://first.example"
        assert home.access_token_for("https://first.example") is None
        assert home.access_token_for(DEFAULT_PORTAL_URL) == "AQT's"

    @pytest.mark.parametrize(
        "note", [b"", b"{", b"[]", b'{"a": 1}', b'{"a": {"b": "c"}}', b"\xff", None]
    )
    def test_a_note_that_cannot_be_read(self, home, note):
        """The token goes nowhere; the error says what to do."""
        home.save(SECRET, None)
        path = home.directory / "aqt_fast_origins.json"
        path.unlink()
        path.mkdir() if note is None else path.write_bytes(note)
        with pytest.raises(AQTCredentialsError, match="log in again") as caught:
            AQTProvider(load_dotenv=False)
        assert SECRET not in str(caught.value)

    def test_the_note_is_there_first(self, home, monkeypatch):
        """At no time is a token taken for one of AQT's own portal."""
        first, second = Origin("https://first.example"), Origin("https://second.example")
        home.save("one", "one-refresh", first)
        real, writes = tokens_write(), []

        def write(path, data) -> None:
            real(path, data)
            writes.append(path.name)
            for token in (home.access_token(), home.refresh_token()):
                assert home.origin(token) == (first if token.startswith("one") else second)

        monkeypatch.setattr("aqt_fast.login.tokens.write_file", write)
        home.save("two", "two-refresh", second)
        assert writes == ["aqt_fast_origins.json", "access_token", "refresh_token"]


def tokens_write():
    """What writes the files."""
    from aqt_fast.login import tokens

    return tokens.write_file


class TestLoggingIn:
    """The note is made by the login."""

    def test_the_portal_is_noted(self, server, tmp_path):
        """Portal and issuer of access and refresh token."""
        config = config_of(server, tmp_path / "aqt")
        with AQTProvider("", config, portal_url=server.url, load_dotenv=False) as provider:
            provider.log_in()
        store = TokenStore(config.store_path)
        for token in (store.access_token(), store.refresh_token()):
            assert store.origin(token) == Origin(server.url, server.oidc_config().issuer)

    @pytest.mark.usefixtures("home")
    def test_a_login_for_another_portal(self, server, monkeypatch):
        """AQT's login gives no token for the portal that the environment names."""
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        result = CliRunner().invoke(main, ["log-in"])
        assert result.exit_code == 1
        said = f"this login gives a token for {DEFAULT_PORTAL_URL}, not for {server.url}"
        assert said in result.stderr
        assert "AQT_ARNICA_URL" in result.stderr

    def test_the_command_lists_nothing(self, server, home, monkeypatch):
        """``aqt-fast backends`` says why, and ends with 1."""
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        home.save(SECRET, None)
        result = CliRunner().invoke(main, ["backends"])
        assert result.exit_code == 1
        assert f"the saved login is for {DEFAULT_PORTAL_URL}, not for" in result.stderr

    def test_the_default_issuer(self):
        """It is that of AQT's package."""
        assert aqt_connector.ArnicaConfig().oidc_config.issuer == Origin().issuer
        assert aqt_connector.ArnicaConfig().arnica_url == f"{Origin().portal_url}/api"


class TestRenewing:
    """What another login has saved is not used, and gets no secret."""

    def test_a_token_of_another_portal(self, server, home):
        """A token that was saved meanwhile is for its own portal only."""
        home.save(SECRET, None, Origin("https://other.example"))
        config = config_of(server, home.directory)
        assert connector.renew(config, home, "old", server.url) is None

    def test_a_refresh_token_of_another_issuer(self, server, home, monkeypatch):
        """It is sent to nobody."""
        config = config_of(server, home.directory)
        for origin in (Origin(), Origin(server.url, "https://x.example/")):
            home.save("old", SECRET, origin)
            used = []
            monkeypatch.setattr(
                "aqt_connector._domain.oidc_service.OIDCService.authenticate_with_refresh_token",
                lambda _, token, used=used: used.append(token),
            )
            assert connector.renew(config, home, "old", server.url) is None
            assert used == []

    def test_a_client_of_another_portal(self, server, home):
        """Its secret is not used for a token that goes elsewhere."""
        config = config_of(server, home.directory)
        config.client_id, config.client_secret = "local-client", "local-secret"
        assert connector.renew(config, home, "old", server.url)
        assert connector.renew(config, home, "old", "https://other.example") is None

    @pytest.mark.parametrize("name", ["config", "refresh_token", "access_token"])
    def test_files_that_cannot_be_read(self, home, name):
        """Typed errors, also where AQT's package reads the file."""
        home.save("old", "refresh")
        (home.directory / name).unlink(missing_ok=True)
        (home.directory / name).mkdir()
        with pytest.raises(AQTCredentialsError, match=f"{name}"):
            connector.renew(None, home, "old", DEFAULT_PORTAL_URL)


class TestElsewhere:
    """Restored jobs and pickled backends name their portal, too."""

    def test_a_job_of_another_portal(self, server, home, monkeypatch):
        """It gets no token of a login that is for another portal."""
        with AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider:
            job = device_of(provider).run(marker("1"))
            job.result()
            path = job.persist()
        home.save(SECRET, None)
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        said = f"the saved login is for {DEFAULT_PORTAL_URL}, not for {server.url}"
        with pytest.raises(AQTCredentialsError, match=said):
            AQTJob.restore(job.job_id(), store_path=path.parent)

    def test_a_backend_of_another_portal(self, server, home, monkeypatch):
        """The error says which portal the login is for."""
        with AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider:
            pickled = pickle.dumps(device_of(provider))
        home.save(SECRET, None, Origin("https://other.example"))
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        device = pickle.loads(pickled)  # noqa: S301
        said = f"the saved login is for https://other.example, not for {server.url}"
        with pytest.raises(AQTCredentialsError, match=said):
            device.run(marker("1"))
