"""The provider's token: where it comes from, how it is changed, and where it is sent."""

import httpx
import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_provider import (
    OFFLINE_SIMULATORS,
    NoTokenWarning,
    PlainHTTPWarning,
    PortalUnavailableWarning,
)
from aqt_fast.exceptions import (
    AQTCredentialsError,
    InsecureConnectionError,
    InvalidInputError,
    InvalidOptionError,
)


class TestToken:
    """The token comes from argument, environment or file, and is never shown."""

    @pytest.fixture(autouse=True)
    def _clean(self, monkeypatch, tmp_path):
        monkeypatch.setenv("AQT_TOKEN", "x")
        monkeypatch.delenv("AQT_TOKEN")
        monkeypatch.chdir(tmp_path)

    def test_none(self):
        """A warning says what that means."""
        with pytest.warns(NoTokenWarning, match="only offline simulators"):
            assert AQTProvider().access_token == ""

    def test_empty_argument_wins(self, monkeypatch):
        """The empty string is no token, whatever the environment says."""
        monkeypatch.setenv("AQT_TOKEN", "from-environment")
        with pytest.warns(NoTokenWarning):
            assert AQTProvider("").access_token == ""

    def test_sources(self, monkeypatch, tmp_path):
        """A file fills in for the environment, the environment for the argument."""
        (tmp_path / ".env").write_text("AQT_TOKEN=from-file\n")
        (tmp_path / "pyproject.toml").touch()
        (tmp_path / "sub").mkdir()
        monkeypatch.chdir(tmp_path / "sub")
        with pytest.warns(NoTokenWarning):
            assert AQTProvider(load_dotenv=False).access_token == ""
        assert AQTProvider().access_token == "from-file"  # noqa: S105
        monkeypatch.setenv("AQT_TOKEN", "from-environment")
        assert AQTProvider().access_token == "from-environment"  # noqa: S105
        provider = AQTProvider("from-argument")
        assert provider.access_token == "from-argument"  # noqa: S105
        assert "from-argument" not in repr(provider)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"access_token": 123},
            {"access_token": b"secret"},
            {"access_token": ["secret"]},
            {"portal_url": 8080},
        ],
    )
    def test_wrong_types(self, arguments):
        """The error names the argument and its type, and never shows what may be a token."""
        ((name, value),) = arguments.items()
        found = type(value).__name__
        with pytest.raises(InvalidInputError, match=f"^{name} must be .* type '{found}'$"):
            AQTProvider(**arguments, load_dotenv=False)

    @pytest.mark.parametrize("name", ["connect_timeout", "read_timeout"])
    @pytest.mark.parametrize("value", [0, -1, "10", None, float("nan"), True])
    def test_bad_timeouts(self, name, value):
        """A time-out is a time."""
        with pytest.raises(InvalidOptionError, match=f"^{name} must be a time of more than 0 s"):
            AQTProvider("token", **{name: value})

    def test_named_file(self, tmp_path):
        """A named file must exist."""
        (tmp_path / "my.env").write_text("AQT_TOKEN=from-mine\n")
        assert AQTProvider(dotenv_path=tmp_path / "my.env").access_token == "from-mine"  # noqa: S105
        with pytest.raises(FileNotFoundError, match=r"other\.env"):
            AQTProvider(dotenv_path=tmp_path / "other.env")


class TestAccessToken:
    """The provider's token can be changed, as in 1.x."""

    def test_set(self, server):
        """All backends use it, those made before, too."""
        with pytest.warns(NoTokenWarning):
            provider = AQTProvider("", portal_url=server.url, load_dotenv=False)
        with provider:
            assert provider.name == "aqt_provider"
            provider.access_token = server.token
            assert provider.access_token == server.token
            device = provider.get_backend("ibex")
            server.accept("another")
            provider.access_token = "another"  # noqa: S105 - nobody's
            server.revoke(server.token)
            assert provider.get_backend("pine").num_qubits == 20
            assert device.provider.access_token == "another"  # noqa: S105 - nobody's
            provider.access_token = ""
            assert [it.name for it in provider.backends()] == [it.id for it in OFFLINE_SIMULATORS]

    def test_bad(self, provider):
        """Refused, without showing it, and the token stays."""
        with pytest.raises(AQTCredentialsError) as caught:
            provider.access_token = "not a token"  # noqa: S105 - nobody's
        assert "not a token" not in str(caught.value)
        with pytest.raises(InvalidInputError, match="access_token"):
            provider.access_token = 123
        assert provider.access_token == ""


class TestPlainHTTP:
    """A machine in a private network that wants a token, and has no https."""

    URL = "http://10.0.0.7:6020"

    @pytest.fixture
    def tokens(self, monkeypatch):
        """A machine that answers, whatever its address; the tokens that it gets."""
        got = []

        def answer(_: object, request: httpx.Request) -> httpx.Response:
            got.append(request.headers.get("Authorization"))
            ions = request.url.path.endswith("/ions")
            return httpx.Response(200, json={"num_ions": 7} if ions else "marmot")

        monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
        return got

    @pytest.fixture
    def provider(self):
        """With a token."""
        with AQTProvider("secret", load_dotenv=False) as provider:
            yield provider

    def test_by_default(self, provider, tokens):
        """Refused; the error says what allows it."""
        with pytest.raises(InsecureConnectionError, match="allow_plain_http=True"):
            provider.get_direct_access_backend(self.URL)
        assert tokens == []

    def test_on_request(self, provider, tokens):
        """Allowed, with a warning."""
        with pytest.warns(PlainHTTPWarning, match=r"10\.0\.0\.7:6020: others can read it"):
            machine = provider.get_direct_access_backend(self.URL, allow_plain_http=True)
        assert (machine.name, machine.num_qubits) == ("marmot", 7)
        assert set(tokens) == {"Bearer secret"}

    def test_name_or_public_address(self, provider, tokens):
        """Refused all the same."""
        for url in ("http://machine.lab:6020", "http://8.8.8.8"):
            with pytest.raises(InsecureConnectionError, match="private and link-local"):
                provider.get_direct_access_backend(url, allow_plain_http=True)
        assert tokens == []

    @pytest.mark.parametrize(("value", "allowed"), [("1", True), ("Yes", True), ("off", False)])
    def test_by_variable(self, provider, tokens, monkeypatch, value, allowed):
        """The variable counts where the argument is not given, also in lists."""
        monkeypatch.setenv("AQT_DIRECT_ALLOW_PLAIN_HTTP", value)
        monkeypatch.setenv("AQT_DIRECT_URL", self.URL)
        expected = PlainHTTPWarning if allowed else PortalUnavailableWarning
        with pytest.warns(expected):
            found = [it.name for it in provider.backends(backend_type="direct_access")]
        assert found == (["marmot"] if allowed else [])
        assert bool(tokens) is allowed
        with pytest.raises(InsecureConnectionError):
            AQTProvider("secret", load_dotenv=False).get_direct_access_backend(
                self.URL, allow_plain_http=False
            )

    def test_bad_variable(self, provider, monkeypatch):
        """The error names it."""
        monkeypatch.setenv("AQT_DIRECT_ALLOW_PLAIN_HTTP", "maybe")
        with pytest.raises(
            InvalidOptionError, match=r"^AQT_DIRECT_ALLOW_PLAIN_HTTP must be 1.*'maybe'"
        ):
            provider.get_direct_access_backend(self.URL)

    def test_without_a_token(self, tokens):
        """There is nothing to protect, and no warning."""
        with pytest.warns(NoTokenWarning):
            provider = AQTProvider("", load_dotenv=False)
        with provider:
            machine = provider.get_direct_access_backend(self.URL, allow_plain_http=True)
            assert machine.name == "marmot"
        assert set(tokens) == {None}
