"""The commands `aqt-fast log-in`, `log-out` and `whoami`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from aqt_fast.cli.main import main
from aqt_fast.login.tokens import Origin, TokenStore
from click.testing import CliRunner, Result


def invoke(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments)


def web_token(**claims: object) -> str:
    """A JSON web token that says this of itself."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{payload}.c2lnbmF0dXJl"


@pytest.fixture
def portal(shared_server, monkeypatch, tmp_path):
    """The environment names a portal, without a token."""
    monkeypatch.setenv("AQT_PORTAL_URL", shared_server.url)
    monkeypatch.chdir(tmp_path)
    return shared_server


class TestWhoAmI:
    """Whose token there is, and what it opens."""

    def test_environment(self, portal, monkeypatch):
        """Any token; it is not printed."""
        monkeypatch.setenv("AQT_TOKEN", portal.token)
        result = invoke("whoami")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout.splitlines()[:2] == [
            f"portal     {portal.url}",
            "token      of AQT_TOKEN, of the environment",
        ]
        assert "\nworkspace  lab: " in result.stdout
        assert "ibex" in result.stdout
        assert portal.token not in result.stdout

    @pytest.mark.usefixtures("in_india")
    def test_log_in(self, portal):
        """User and expiry, which the token tells; the time is local, with its zone."""
        token = web_token(sub="auth0|17", email="ada@example.org", exp=1_800_000_000)
        TokenStore().save(token, None, Origin(portal.url, portal.url))
        result = invoke("whoami")
        assert result.exit_code == 1  # the portal knows no such token
        lines = result.stdout.splitlines()
        assert lines[1:3] == ["token      of the last log-in", "user       ada@example.org"]
        assert lines[3] in (f"{word}    2027-01-15 13:30+05:30" for word in ("expires", "expired"))
        assert "token" in result.stderr
        assert token not in result.output
        described = json.loads(invoke("whoami", "--json").stdout)
        assert described["expires"] == "2027-01-15T08:00:00+00:00"
        assert (described["user"], described["workspaces"]) == ("ada@example.org", None)
        # Texts of others are shown, and not obeyed.
        token = web_token(sub="\x1b[31mada", exp="soon")
        TokenStore().save(token, None, Origin(portal.url, portal.url))
        assert "\x1b" not in invoke("whoami").stdout

    def test_file(self, portal, tmp_path):
        """Of the project's `.env`."""
        (tmp_path / ".env").write_text(f"AQT_TOKEN={portal.token}\n")
        result = invoke("whoami", "--json")
        assert result.exit_code == 0
        described = json.loads(result.stdout)
        assert described["token_from"] == "AQT_TOKEN, of the file .env"  # noqa: S105
        assert described["user"] is described["expires"] is None
        assert "ibex" in described["workspaces"]["lab"]

    def test_no_token(self, portal):
        """What to do."""
        result = invoke("whoami")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == (
            f"aqt-fast: there is no access token for {portal.url}: run aqt-fast log-in, or set "
            "AQT_TOKEN\n"
        )
        TokenStore().save("of-another-portal", None)
        assert "log in for this portal" in invoke("whoami").stderr

    def test_out_of_reach(self, monkeypatch):
        """What is known without the portal is shown."""
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AQT_TOKEN", "token")
        result = invoke("whoami")
        assert result.exit_code == 1
        assert "portal     http://127.0.0.1:9" in result.stdout
        assert len(result.stderr.splitlines()) == 1

    def test_usage(self):
        """It takes nothing."""
        assert invoke("whoami", "me").exit_code == 2


class TestLogOut:
    """The tokens go."""

    def test_saved(self, portal, monkeypatch):
        """All that a log-in has saved, and nothing else."""
        TokenStore().save("access", "refresh", Origin(portal.url, portal.url))
        other = TokenStore().directory / "config"
        other.write_text("")
        # Not even readable ones are needed.
        (TokenStore().directory / "access_token").chmod(0o644)
        result = invoke("log-out")
        assert (result.exit_code, result.stdout, result.stderr) == (0, "", "aqt-fast: logged out\n")
        assert list(TokenStore().directory.iterdir()) == [other]
        monkeypatch.setenv("AQT_TOKEN", "another")
        result = invoke("log-out")
        assert result.exit_code == 0
        assert result.stderr == (
            "aqt-fast: nobody was logged in: no tokens are saved\n"
            "aqt-fast: there is a token in AQT_TOKEN, which stays\n"
        )

    def test_cannot(self, monkeypatch):
        """An error, as the tokens are still there."""
        TokenStore().save("access", None)

        def refuse(path: Path, **_: object) -> None:
            raise PermissionError(f"{path} is not yours")

        monkeypatch.setattr(Path, "unlink", refuse)
        result = invoke("log-out")
        assert result.exit_code == 1
        assert "access_token is not yours" in result.stderr
        assert TokenStore().access_token() == "access"
