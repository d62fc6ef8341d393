"""What the shell completes, as it asks for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from aqt_fast.cli.main import main
from aqt_fast.store.journal import ApiJobLog
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from store.samples import new_journal

SHELLS = ("bash", "zsh", "fish")


def names(*arguments: str, beginning: str = "") -> list[str]:
    """What may follow these arguments."""
    shell = ShellComplete(main, {}, "aqt-fast", "_AQT_FAST_COMPLETE")
    return [item.value for item in shell.get_completions(list(arguments), beginning)]


@pytest.mark.usefixtures("environment")
class TestJobs:
    """Identifiers, and labels that need no quotes."""

    @pytest.fixture(autouse=True)
    def jobs(self, backend, circuit):
        """Two that have labels, one of them with a space, and one without."""
        self.ids = {}
        for label in ("phase-1", "the phase", None):
            job = backend.run(circuit, label=label)
            job.persist()
            self.ids[label] = job.job_id()

    @pytest.mark.parametrize("command", ["show", "result", "wait", "cancel", "resubmit", "remove"])
    def test_commands(self, command):
        """All that take a job."""
        assert sorted(names("jobs", command)) == sorted(self.ids.values())
        assert names("jobs", command, beginning="ph") == ["phase-1"]
        assert names("jobs", command, beginning="the") == []
        one = self.ids["phase-1"]
        assert names("jobs", command, beginning=one[:13]) == [one]

    def test_store(self, tmp_path):
        """That of the option."""
        assert names("jobs", "--store", str(tmp_path), "show") == []
        assert names("jobs", "show", "--store", str(tmp_path)) == []

    def test_silence(self, monkeypatch, capsys):
        """No message into the line that is typed."""

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError

        monkeypatch.setattr("aqt_fast.provider.jobs_table.list_jobs", refuse)
        assert names("jobs", "show") == []
        assert "".join(capsys.readouterr()) == ""


def test_uncertain_labels(tmp_path):
    """What can be adopted."""
    journal = new_journal(tmp_path)
    ApiJobLog(journal, 0).intend("two-1", "ab")
    ApiJobLog(journal, 0).uncertain("no answer")
    journal.close()
    arguments = ("jobs", "--store", str(tmp_path), "adopt", journal.path.name)
    assert names(*arguments) == ["two-1"]
    assert names(*arguments, beginning="x") == []


class TestBackends:
    """Of the portal, of stored jobs, and of this package."""

    @pytest.mark.usefixtures("environment")
    def test_portal(self):
        """Each name once."""
        found = names("backends")
        assert {"ibex", "simulator_ideal", "offline_simulator_noise"} <= set(found)
        assert len(found) == len(set(found))
        assert names("run", "--backend", beginning="ib") == ["ibex"]
        assert names("estimate", "--backend", beginning="ib") == ["ibex"]

    def test_out_of_reach(self, monkeypatch, tmp_path):
        """The others."""
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        monkeypatch.setenv("AQT_TOKEN", "token")
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path))
        new_journal(tmp_path, backend_name="rowan").close()
        ideal, noisy = "offline_simulator_no_noise", "offline_simulator_noise"
        assert names("backends") == ["rowan", ideal, noisy]


@pytest.mark.parametrize("shell", SHELLS)
def test_script(shell):
    """It asks this command."""
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0
    assert f"_AQT_FAST_COMPLETE={shell}_complete" in result.stdout


def test_usage():
    """Mistakes have exit code 2."""
    assert CliRunner().invoke(main, ["completion"]).exit_code == 2
    assert CliRunner().invoke(main, ["completion", "csh"]).exit_code == 2


def test_bash(tmp_path):
    """A real bash completes a job's label."""
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    command = tmp_path / "aqt-fast"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m aqt_fast "$@"\n')
    command.chmod(0o755)
    store = tmp_path / "store"
    name = new_journal(store).path.name
    script = f"""
        eval "$(aqt-fast completion bash)"
        COMP_WORDS=(aqt-fast jobs --store {store} show {name[:4]}) COMP_CWORD=5
        _aqt_fast_completion aqt-fast
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(  # noqa: S603
        [bash, "-c", script], check=True, capture_output=True, text=True, env=environment
    )
    assert done.stdout == f"{name}\n"
    assert done.stderr == ""
