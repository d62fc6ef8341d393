"""Settings from a ``.env`` file: which file, which variables, and who may have written it."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_provider import DotenvWarning, NoTokenWarning
from aqt_fast.login.config import ArnicaConfig
from aqt_fast.persistence import JobStore
from aqt_fast.provider import settings
from aqt_fast.provider.settings import Settings, find_dotenv, read_dotenv

HOSTILE = """\
PATH=/tmp/hostile
LD_PRELOAD=/tmp/hostile.so
SSLKEYLOGFILE=/tmp/keys
BROWSER=/tmp/hostile
HTTPS_PROXY=http://hostile.example
aqt_token=lower-case
"""

OURS = "AQT_TOKEN=from-file\nAQT_PORTAL_URL=https://portal.example\nAQT_EMPTY\n"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch, tmp_path) -> None:
    """No variable and no file of this machine counts."""
    for name in [name for name in os.environ if name.startswith("AQT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """The top of a project; the working directory is two levels below."""
    top = tmp_path / "project"
    below = top / "one" / "two"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    return top


def write(path: Path, text: str = OURS) -> Path:
    """Write a file that only its owner can write."""
    path.write_text(text)
    path.chmod(0o644)
    return path


class TestVariables:
    """What is taken."""

    def test_the_environment_stays(self, tmp_path):
        """Only the provider gets settings, and only those of AQT."""
        file = write(tmp_path / "my.env", OURS + HOSTILE)
        before = dict(os.environ)
        with AQTProvider(dotenv_path=file) as provider:
            assert provider.access_token == "from-file"  # noqa: S105
        assert dict(os.environ) == before
        assert read_dotenv(file) == {
            "AQT_TOKEN": "from-file",
            "AQT_PORTAL_URL": "https://portal.example",
        }

    def test_the_environment_comes_first(self, monkeypatch):
        """Also where it says nothing with an empty text."""
        values = Settings({"AQT_TOKEN": "file", "AQT_PORTAL_URL": "file"})
        monkeypatch.setenv("AQT_TOKEN", "")
        assert (values.get("AQT_TOKEN"), values.get("AQT_PORTAL_URL")) == ("", "file")
        assert values.get("AQT_DIRECT_URL") is None

    def test_the_portal(self, server, tmp_path):
        """It is asked where the file says it is."""
        file = write(tmp_path / "my.env", f"AQT_TOKEN={server.token}\nAQT_PORTAL_URL={server.url}")
        with AQTProvider(dotenv_path=file) as provider:
            assert len(provider.backends(backend_type="device")) == 3

    def test_the_machine(self, server, tmp_path):
        """By both ways."""
        lines = f"AQT_TOKEN={server.token}\nAQT_DIRECT_URL={server.direct_url}"
        with AQTProvider(dotenv_path=write(tmp_path / "my.env", lines)) as provider:
            named = provider.get_direct_access_backend()
            assert len(provider.backends(backend_type="direct_access")) == 1
        assert named.name == "IBEX"

    def test_the_store(self, server, tmp_path, circuit):
        """Journals, saved jobs and lists are in the directory that the file names."""
        store = tmp_path / "store"
        file = write(tmp_path / "my.env", f"AQT_STORE_PATH={store}")
        settings = {"portal_url": server.url, "dotenv_path": file}
        with AQTProvider(server.token, **settings) as provider:
            assert provider.store_path == store
            backend = provider.get_backend("ibex")
            job = backend.run(circuit, shots=5, with_progress_bar=False, query_period_seconds=0.1)
            assert job.result().success
            assert list(JobStore(store).job_ids()) == [provider.jobs()[0].batch_id]
            assert job.persist().parent == store
            assert len(provider.jobs()) == 1
            assert provider.restore(job.job_id()).result().success
        with AQTProvider("", load_dotenv=False) as other:
            assert other.store_path != store

    def test_the_login(self, monkeypatch):
        """A client's id and secret; the environment comes first."""
        monkeypatch.setenv("AQT_CLIENT_ID", "environment")
        defaults = {"AQT_CLIENT_ID": "file", "AQT_CLIENT_SECRET": "file-secret"}
        config = ArnicaConfig(defaults=defaults)
        assert (config.client_id, config.client_secret) == ("environment", "file-secret")


class TestSearch:
    """Which file."""

    @pytest.mark.parametrize("mark", [".git", "pyproject.toml"])
    def test_up_to_the_top_of_the_project(self, project, mark):
        """Not above."""
        write(project.parent / ".env")
        (project / mark).touch()
        assert find_dotenv() is None
        top = write(project / ".env")
        assert find_dotenv() == top
        nearest = write(project / "one" / ".env")
        assert find_dotenv() == nearest

    def test_up_to_the_home_directory(self, project, monkeypatch):
        """Not above."""
        monkeypatch.setenv("HOME", str(project))
        write(project.parent / ".env")
        assert find_dotenv() is None
        file = write(project / ".env")
        assert find_dotenv() == file

    def test_outside_of_projects(self, project):
        """The working directory only."""
        for directory in (project, project / "one"):
            write(directory / ".env")
        assert find_dotenv() is None
        file = write(project / "one" / "two" / ".env")
        assert find_dotenv() == file

    def test_not_wanted(self, project, monkeypatch):
        """Neither found nor read, but a named file is."""
        monkeypatch.chdir(project)
        file = write(project / ".env")
        with pytest.warns(NoTokenWarning):
            assert AQTProvider(load_dotenv=False).access_token == ""
        named = AQTProvider(load_dotenv=False, dotenv_path=file)
        assert named.access_token == "from-file"  # noqa: S105


class TestOwner:
    """Who may have written it."""

    @pytest.mark.parametrize(("mode", "reason"), [(0o666, "others can"), (0o646, "others can")])
    def test_writable_by_others(self, project, monkeypatch, mode, reason):
        """Found or named: refused, with the reason."""
        monkeypatch.chdir(project)
        file = write(project / ".env")
        file.chmod(mode)
        for arguments in ({}, {"dotenv_path": file}):
            with (
                pytest.warns(NoTokenWarning),
                pytest.warns(DotenvWarning, match=f"{file} is not used: {reason}") as caught,
            ):
                assert AQTProvider(**arguments).access_token == ""
            assert caught[0].filename == __file__

    @pytest.mark.parametrize("own", [True, False])
    def test_writable_by_a_group(self, tmp_path, monkeypatch, own):
        """Accepted if this user alone is in it."""
        file = write(tmp_path / ".env")
        file.chmod(0o664)
        monkeypatch.setattr(settings, "_is_own_group", lambda gid: own and gid >= 0)
        if own:
            assert read_dotenv(file)
        else:
            with pytest.warns(DotenvWarning, match="its group can write it"):
                assert read_dotenv(file) == {}

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    def test_of_another_user(self, project, monkeypatch):
        """A file in a directory that everybody can write, for example."""
        monkeypatch.chdir(project)
        os.chown(write(project / ".env"), 12345, -1)
        with pytest.warns(NoTokenWarning), pytest.warns(DotenvWarning, match="another user"):
            assert AQTProvider().access_token == ""

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
    @pytest.mark.parametrize("mark", [None, ".git", "pyproject.toml"])
    @pytest.mark.parametrize("kind", ["file", "link", "link to another file"])
    def test_in_a_directory_of_everybody(self, tmp_path, monkeypatch, mark, kind):
        """Another user puts a file, or a link to one, above the working directory."""
        everybody = tmp_path / "tmp"
        below = everybody / "one"
        below.mkdir(parents=True)
        everybody.chmod(0o1777)
        target = write(tmp_path / "elsewhere", OURS + HOSTILE)
        if kind == "file":
            os.chown(write(everybody / ".env", OURS + HOSTILE), 12345, -1)
        else:
            (everybody / ".env").symlink_to(target)
            os.chown(everybody / ".env", 12345, -1, follow_symlinks=False)
            if kind == "link to another file":
                os.chown(target, 12345, -1)
        if mark is not None:
            (everybody / mark).touch()
        monkeypatch.chdir(below)
        before = dict(os.environ)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            provider = AQTProvider()
        assert provider.access_token == ""
        told = [str(each.message) for each in caught if each.category is DotenvWarning]
        assert len(told) == (mark is not None)  # else the file is not even looked at
        assert all("another user" in text for text in told)
        assert dict(os.environ) == before

    def test_a_link_of_ones_own(self, tmp_path):
        """It is followed."""
        link = tmp_path / ".env"
        link.symlink_to(write(tmp_path / "elsewhere"))
        assert read_dotenv(link)["AQT_TOKEN"] == "from-file"  # noqa: S105

    def test_of_another_user_by_its_number(self, tmp_path, monkeypatch):
        """The same for users who cannot give files away."""
        file = write(tmp_path / ".env")
        monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
        os_owner = file.stat().st_uid
        if os_owner == 0:
            assert read_dotenv(file)  # root's files are as good as one's own
        else:
            with pytest.warns(DotenvWarning, match=f"another user .uid {os_owner}"):
                assert read_dotenv(file) == {}

    def test_unreadable(self, tmp_path):
        """A warning: the provider works without it."""
        file = tmp_path / ".env"
        file.write_bytes(b"AQT_TOKEN=\xff\xfe")
        with pytest.warns(DotenvWarning, match="cannot be read"):
            assert read_dotenv(file) == {}
