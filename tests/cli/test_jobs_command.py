"""The commands `aqt-fast jobs`, with the store of real jobs against the local server."""

from __future__ import annotations

import json
import re
import threading
from datetime import datetime, timedelta, timezone

import pytest
from aqt_fast import AQTProvider
from aqt_fast.cli.main import main
from aqt_fast.exceptions import SubmissionUncertainError
from aqt_fast.persistence import JobStore, get_store_path
from aqt_fast.store.journal import ApiJobLog
from click.testing import CliRunner, Result
from clients import connect
from qiskit.result import Result as QiskitResult
from store.samples import new_journal, rewritten
from waiting import wait_until

# Commands find the server.
pytestmark = pytest.mark.usefixtures("environment")


def invoke(*arguments: str, keys: str | None = None) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, ["jobs", *arguments], input=keys)


@pytest.fixture
def portal(server):
    """An impatient provider."""
    with connect(server, read_timeout=0.5) as provider:
        yield provider


@pytest.fixture
def cloud(device):
    """The ideal simulator."""
    return device


@pytest.fixture
def done(portal, cloud, circuit):
    """A job that has its results."""
    job = cloud.run([circuit] * 60, shots=9, label="12e3")
    job.result()
    settled(portal)
    return job


def settled(provider: AQTProvider) -> None:
    """Wait until no process works on any job."""
    wait_until(lambda: not any(job.active for job in provider.jobs()))


def aged(batch_id: str, days: float) -> None:
    """Make a journal older."""
    created = datetime.now(timezone.utc) - timedelta(days=days)
    rewritten(get_store_path() / batch_id / "job.json", created=created.isoformat())


class TestList:
    """For people and for scripts."""

    def test_nothing(self, server):
        """No error: there just are no jobs."""
        del server
        result = invoke()
        assert (result.exit_code, result.stdout) == (0, "")
        store = get_store_path()
        assert result.stderr == f"aqt-fast: no jobs in {store}, which does not exist\n"
        store.mkdir(parents=True)
        assert invoke("--label", "x").stderr == f"aqt-fast: no jobs in {store}\n"
        missing = store / "nowhere"
        assert f"in {missing}, which does not" in invoke("--store", str(missing)).stderr
        assert invoke("--json").stdout == "[]\n"

    def test_none_fits(self, cloud, circuit):
        """There are others."""
        cloud.run(circuit, label="mine").result()
        result = invoke("--label", "yours")
        assert (result.exit_code, result.stderr) == (0, "aqt-fast: no job fits\n")

    @pytest.mark.parametrize("columns", [40, 80, 200])
    def test_table(self, done, backend, circuit, monkeypatch, columns):
        """Identifiers are as long as there is room, and long enough for other commands."""
        backend.run(circuit, label="7").persist()
        monkeypatch.setenv("COLUMNS", str(columns))
        result = invoke()
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert "12e3" in result.stdout
        assert (done.job_id() in result.stdout) == (columns == 200)
        assert lines[-1].startswith(done.job_id()[:8])
        assert ("simulator_ideal" in lines[-1]) == (columns >= 80)
        assert max(map(len, lines)) <= columns
        shown = invoke("show", lines[-1].split()[0])
        assert done.job_id() in shown.stdout
        table = shown.stdout.partition("\n\n")[2]
        assert max(map(len, table.splitlines())) <= columns
        assert (done.api_job_id(0) in table) == (columns > 40)
        assert done.api_job_id(0)[:8] in table

    def test_json_and_filters(self, done, backend, circuit):
        """Everything that is known, of those that fit."""
        backend.run(circuit, label="other", tags=["a", "b"]).persist()
        rows = json.loads(invoke("--json").stdout)
        assert [row["state"] for row in rows] == ["saved", "done"]
        assert rows[1]["job_id"] == rows[1]["batch_id"] == done.job_id()
        assert rows[1]["api_jobs"][1]["circuits"] == [50, 59]
        assert datetime.fromisoformat(rows[1]["created"]).tzinfo is not None
        for number, arguments in [
            (1, ["--state", "done"]),
            (1, ["--backend", "off"]),
            (1, ["--label", "1[12]e"]),
            (1, ["--tag", "a"]),
            (1, ["--tag", "a", "--tag", "b"]),
            (0, ["--tag", "a", "--tag", "c"]),
            (2, ["--since", "2h"]),
            (2, ["--since", "2020-01-01T10:00:00Z"]),
            (0, ["--before", "2020-01-01"]),
            (2, ["--before", "2999-01-01T10:30"]),
            (1, ["--limit", "1"]),
        ]:
            assert len(json.loads(invoke("--json", *arguments).stdout)) == number, arguments

    def test_other_store(self, backend, circuit, tmp_path):
        """Before the command or after it."""
        job = backend.run(circuit)
        job.persist(store_path=tmp_path)
        assert invoke("--json").stdout == "[]\n"
        assert job.job_id() in invoke("--json", "--store", str(tmp_path)).stdout
        assert job.job_id() in invoke("show", job.job_id(), "--store", str(tmp_path)).stdout
        assert job.job_id() in invoke("--store", str(tmp_path), "show", job.job_id()).stdout

    def test_usage(self):
        """Mistakes have exit code 2."""
        for arguments in (
            ["--state", "gone"], ["--label", "["], ["--since", "yesterday"], ["--since", "9"],
            ["--since", "999999999w"], ["--limit", "0"], ["--json", "show", "x"],
            ["--state", "done", "prune", "--older-than", "1d"], ["remove"], ["prune"],
            ["prune", "--older-than", "5y"],
        ):  # fmt: skip
            assert invoke(*arguments).exit_code == 2, arguments


class TestShow:
    """One job."""

    def test_by_any_identifier(self, server, done):
        """With its API jobs."""
        for name in (done.job_id(), done.job_id()[:6], server.jobs[1].job_id):
            result = invoke("show", name)
            assert result.exit_code == 0
            assert "state:        done" in result.stdout
            assert all(record.job_id in result.stdout for record in server.jobs)
        assert json.loads(invoke("show", done.job_id(), "--json").stdout)["shots"] == 9

    def test_shots_for_each(self, server, cloud, circuit):
        """The range in tables, and all numbers in JSON."""
        shots = [*range(1, 51), 9]
        job = cloud.run([circuit] * 51, shots=shots)
        job.result()
        table = invoke("show", job.job_id()).stdout
        assert "shots:        1 to 50" in table
        assert re.search(r"0 to 49 +1 to 50 +done", table)
        assert re.search(r"50 to 50 +9 +done", table)
        assert json.loads(invoke("show", job.job_id(), "--json").stdout)["shots"] == shots
        assert "1 to 50" in CliRunner(env={"COLUMNS": "200"}).invoke(main, ["jobs"]).stdout
        assert json.loads(invoke("result", job.job_id()).stdout)["results"][49]["shots"] == 50
        assert len(server.jobs) == 2

    @pytest.mark.parametrize("columns", ["40", "80", "1000"])
    def test_messages(self, tmp_path, columns):
        """In full, for what they name is to be copied, and once."""
        message = f"{'it is unknown ' * 20}a51e2627-34b5-4b8c-8d14-000000000001"
        journal = new_journal(tmp_path)
        ApiJobLog(journal, 0).intend("x", "ab")
        ApiJobLog(journal, 0).uncertain(message)
        journal.close()
        arguments = ["jobs", "--store", str(tmp_path), "show", journal.path.name]
        shown = CliRunner(env={"COLUMNS": columns}).invoke(main, arguments).stdout
        assert shown.count(message) == 1

    @pytest.mark.usefixtures("in_india")
    def test_time(self, done, portal):
        """Local with its offset, as in the list; in JSON as it is stored."""
        created = portal.jobs()[0].created
        (line,) = [
            line
            for line in invoke("show", done.job_id()).stdout.splitlines()
            if line.startswith("created:")
        ]
        text = line.removeprefix("created:").strip()
        assert text.endswith("+05:30")
        assert datetime.fromisoformat(text) == created.replace(microsecond=0)
        assert text in invoke("prune", "--older-than", "0s", "--dry-run").stdout
        assert (
            f"{text[:16]}+05:30" in CliRunner(env={"COLUMNS": "200"}).invoke(main, ["jobs"]).stdout
        )
        stored = json.loads(invoke("show", done.job_id(), "--json").stdout)["created"]
        assert stored == created.isoformat()

    def test_unknown(self, server):
        """One line."""
        del server
        result = invoke("show", "abc")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == f"aqt-fast: no job 'abc' in {get_store_path()}\n"

    def test_damaged(self, done):
        """The reason is shown."""
        (get_store_path() / done.job_id() / "job.json").write_text("{}")
        assert "no saved job" in invoke("show", done.job_id()).stdout


class TestResult:
    """Results as Qiskit's JSON."""

    def test_stored(self, server, done):
        """The portal is not asked again; everything stays."""
        requests = [record.fetches for record in server.jobs]
        result = invoke("result", done.job_id()[:8])
        assert result.exit_code == 0, result.stderr
        again = QiskitResult.from_dict(json.loads(result.stdout))
        assert again.get_counts() == done.result().get_counts()
        assert [record.fetches for record in server.jobs] == requests
        assert "done" in invoke("--json").stdout

    def test_from_the_portal(self, server, portal, cloud, circuit, tmp_path):
        """It is waited for; what was saved by hand stays, too."""
        server.hold()
        job = cloud.run(circuit, shots=4)
        path = job.persist()
        portal.close()
        threading.Timer(0.3, server.release).start()
        output = tmp_path / "result.json"
        result = invoke("result", job.job_id(), "--output", str(output))
        assert (result.exit_code, result.stdout) == (0, "")
        assert QiskitResult.from_dict(json.loads(output.read_bytes())).get_counts() == {"0": 4}
        assert path.exists()
        assert len(server.jobs) == 1
        assert invoke("result", job.job_id()).exit_code == 0

    def test_of_another_computer(self, server, done, tmp_path):
        """The store does not have it: the portal is asked, for the counts of all qubits."""
        record = next(record for record in server.jobs if record.label.endswith("[1/2]"))
        result = invoke("result", record.job_id, "--store", str(tmp_path / "empty"))
        assert result.exit_code == 0, result.stderr
        found = QiskitResult.from_dict(json.loads(result.stdout))
        assert found.get_counts() == done.result().get_counts()[:50]
        unknown = "00000000-0000-4000-8000-000000000000"
        result = invoke("result", unknown)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(f"aqt-fast: no job '{unknown}' in")
        assert server.url in result.stderr

    def test_offline(self, backend, circuit):
        """It runs again."""
        circuit.metadata = {"angle": 0.5}
        job = backend.run(circuit, shots=3)
        path = job.persist()
        result = invoke("result", job.job_id())
        assert result.exit_code == 0
        assert json.loads(result.stdout)["results"][0]["header"]["metadata"] == {"angle": 0.5}
        assert path.exists()

    def test_failed(self, server, portal, cloud, circuit):
        """The reason, and what there is."""
        server.fail_jobs("the ions have left")
        job = cloud.run(circuit)
        job.result()
        settled(portal)
        result = invoke("result", job.job_id())
        assert result.exit_code == 1
        assert "the ions have left" in result.stderr
        assert json.loads(result.stdout)["success"] is False

    def test_uncertain(self, server, portal, cloud, circuit):
        """An error; a part if that is wanted."""
        cloud.set_options(label="lost")
        server.faults.next("reset_after", method="POST")
        with pytest.raises(SubmissionUncertainError):
            cloud.run(circuit).result()
        settled(portal)
        name = portal.jobs()[0].job_id
        result = invoke("result", name)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "uncertain" in result.stderr
        result = invoke("result", name, "--partial")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["success"] is False

    def test_too_late(self, server, portal, cloud, circuit):
        """The option of the job holds here as well."""
        server.hold()
        job = cloud.run(circuit, query_timeout_seconds=0.2)
        job.job_id()
        portal.close()
        result = invoke("result", job.job_id())
        assert (result.exit_code, result.stdout) == (124, "")
        assert "has not ended within 0.2 s" in result.stderr
        result = invoke("result", job.job_id(), "--timeout", "0", "--partial")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["success"] is False
        assert "not all circuits were evaluated in time" in result.stderr

    def test_no_token(self, done, monkeypatch):
        """Said in a line."""
        monkeypatch.setenv("AQT_TOKEN", "")
        result = invoke("result", done.job_id())
        assert (result.exit_code, result.stdout) == (1, "")
        assert "no access token" in result.stderr


class TestRemove:
    """What is lost is said before."""

    def test_asks(self, done):
        """Where there are results."""
        for keys in ("n\n", None):
            result = invoke("remove", done.job_id(), keys=keys)
            assert result.exit_code == 1
            assert "the results of 2 API jobs are here" in result.stderr
            assert (get_store_path() / done.job_id() / "job.json").exists()
        result = invoke("remove", done.job_id(), keys="y\n")
        assert (result.exit_code, result.stdout) == (0, f"{done.job_id()}\n")
        assert not any(path.is_dir() for path in get_store_path().iterdir())

    def test_does_not_ask(self, server, portal, cloud, backend, circuit, done):
        """With `--yes`, and where there are none."""
        server.fail_jobs("the ions have left")
        failed = cloud.run(circuit)
        failed.result()
        settled(portal)
        saved = backend.run(circuit)
        saved.persist()
        # The same job twice is the same job.
        result = invoke("remove", failed.job_id(), saved.job_id(), saved.job_id()[:9])
        assert result.exit_code == 0
        assert result.stdout.split() == [failed.job_id(), saved.job_id()]
        assert invoke("remove", "--yes", done.job_id()).exit_code == 0
        assert not any(path.is_dir() for path in get_store_path().iterdir())

    def test_damaged(self, portal, done):
        """Nobody knows what is in there."""
        (get_store_path() / done.job_id() / "job.json").write_text("{}")
        result = invoke("remove", done.job_id())
        assert result.exit_code == 1
        assert "cannot be read (it is no saved job)" in result.stderr
        assert invoke("remove", "--yes", done.job_id()).exit_code == 0
        assert len(portal.jobs()) == 0

    def test_at_work(self, server, cloud, circuit):
        """Nothing is removed, not even another one."""
        server.hold()
        job = cloud.run(circuit)
        job.job_id()
        result = invoke("remove", "--yes", job.job_id())
        assert (result.exit_code, result.stdout) == (1, "")
        assert f"a process works on {job.job_id()}; nothing was removed" in result.stderr
        server.release()
        assert job.result().success

    def test_unknown(self, done):
        """Nothing is removed."""
        assert invoke("remove", "--yes", done.job_id(), "zzz").exit_code == 1
        assert (get_store_path() / done.job_id()).exists()


class TestPrune:
    """Old jobs."""

    def test_only_the_old(self, portal, cloud, circuit, done):
        """Printed before, and removed after."""
        other = cloud.run(circuit)
        other.result()
        settled(portal)
        assert invoke("prune", "--older-than", "30d").stdout == ""
        aged(done.job_id(), 31)
        for arguments in (["--dry-run"], []):
            assert (get_store_path() / done.job_id()).exists()
            result = invoke("prune", "--older-than", "30d", *arguments)
            assert result.exit_code == 0
            assert result.stdout.startswith(f"{done.job_id()}  ")
            assert result.stdout.endswith("  done\n")
            assert result.stdout.count("\n") == 1
        assert [job.job_id for job in portal.jobs()] == [other.job_id()]

    def test_only_the_ended(self, server, portal, cloud, backend, circuit):
        """Others with `--all`, but never those that are worked on."""
        server.hold()
        job = cloud.run(circuit)
        job.job_id()
        backend.run(circuit).persist()
        lost = cloud.run(circuit, label="not submitted")
        lost.job_id()
        row = portal.jobs(label="not submitted")[0]
        portal.close()
        assert invoke("prune", "--older-than", "0s").stdout == ""
        with AQTProvider(server.token, load_dotenv=False) as provider:
            again = provider.jobs().find(job.job_id()).restore()
            result = invoke("prune", "--older-than", "0s", "--all")
            assert result.exit_code == 0
            assert [job.job_id for job in provider.jobs()] == [job.job_id()]
            assert row.job_id in result.stdout
            server.release()
            assert again.result().success
        assert list(JobStore().path.glob("*/circuits.qpy.zst")) == []

    def test_cannot_be_removed(self, portal, cloud, circuit, done, monkeypatch):
        """The others are, and it is said."""
        other = cloud.run(circuit)
        other.result()
        settled(portal)
        remove = JobStore.remove

        def refuse(store, job_id) -> None:
            if job_id != done.job_id():
                raise PermissionError(f"{other.job_id()} is not yours")
            remove(store, job_id)

        monkeypatch.setattr(JobStore, "remove", refuse)
        result = invoke("prune", "--older-than", "0s")
        assert result.exit_code == 1
        assert result.stderr == f"aqt-fast: {other.job_id()} is not yours\n"
        assert result.stdout.startswith(done.job_id())
        assert result.stdout.count("\n") == 1
