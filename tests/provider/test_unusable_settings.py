"""Proxies and certificates that cannot be used, as users of providers and commands see it."""

from __future__ import annotations

import io

import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_provider import ArnicaConfig, PortalUnavailableWarning
from aqt_fast.cli.main import main
from aqt_fast.exceptions import APIError, InvalidSettingError
from aqt_fast.login import connector
from aqt_fast.login.tokens import TokenStore
from click.testing import CliRunner
from qiskit.providers import QiskitBackendNotFoundError

PASSWORD = "hush-hush"  # noqa: S105 - nobody's

SETTINGS = {
    "HTTPS_PROXY": f"foo://user:{PASSWORD}@proxy.example",
    "https_proxy": f"http://user:{PASSWORD}@[::1",
    "ALL_PROXY": f"http://user:{PASSWORD}@proxy.example:port",
    "SSL_CERT_FILE": "/nonexistent/certificates.pem",
    "SSL_CERT_DIR": "/nonexistent",
}


@pytest.fixture(params=SETTINGS)
def setting(request, monkeypatch, tmp_path) -> str:
    """The name of a variable that cannot be used."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "AQT_PORTAL_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AQT_TOKEN", "a-token")
    monkeypatch.setenv(request.param, SETTINGS[request.param])
    return request.param


def test_provider(setting):
    """Offline simulators are there all the same; the warning names the variable."""
    with AQTProvider(load_dotenv=False) as provider:
        with pytest.warns(PortalUnavailableWarning, match=f"{setting} cannot be used") as caught:
            assert len(provider.backends()) == 2
        assert PASSWORD not in str(caught[0].message)
        with pytest.raises(QiskitBackendNotFoundError, match=f"{setting} cannot be used"):
            provider.get_backend("ibex")
        with pytest.raises(APIError, match=f"{setting} cannot be used"):
            provider.get_direct_access_backend("https://machine.example")


def test_log_in(setting, tmp_path):
    """The same error, also for a renewal."""
    config = ArnicaConfig(tmp_path)
    config.client_id, config.client_secret = "id", "secret"
    store = TokenStore(tmp_path)
    url = "https://arnica.aqt.eu"
    with pytest.raises(InvalidSettingError, match=f"^{setting} cannot be used") as caught:
        connector.log_in(config, store, url, out=io.StringIO())
    assert PASSWORD not in str(caught.value)
    with pytest.raises(InvalidSettingError, match=f"^{setting} cannot be used"):
        connector.renew(config, store, "old", url)


@pytest.mark.parametrize("command", [["backends"], ["backends", "ibex"], ["log-in"]])
def test_command(setting, command):
    """Exit code 1, and one line that names the variable."""
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert f"{setting} cannot be used" in result.stderr
    assert PASSWORD not in result.output
    assert "Traceback" not in result.output
