"""The command line."""

import json
import os
import re
import subprocess
import sys

import pytest
from aqt_fast import Characterisation, __version__
from aqt_fast.cli.main import main
from aqt_fast.testing import ArnicaServer
from click.testing import CliRunner


def invoke(*arguments: str):
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments)


def test_help_and_version():
    """They tell what there is, without loading Qiskit."""
    result = invoke("--help")
    assert result.exit_code == 0
    assert "demo" in result.output
    assert invoke("--version").output == f"aqt-fast, version {__version__}\n"
    script = (
        "import sys; from aqt_fast.cli.main import main\n"
        "try: main(['demo', '--help'])\n"
        "except SystemExit: print('qiskit' in sys.modules)"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout.endswith("False\n")


def test_commands_need_no_server():
    """The extra ``server`` may be missing; the command that needs it says so."""
    script = (
        "import sys\n"
        "sys.modules.update(uvicorn=None, starlette=None)\n"
        "from aqt_fast.cli.main import main\n"
        "main(sys.argv[1:])"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603
            [sys.executable, "-c", script, *arguments], check=False, capture_output=True, text=True
        )

    assert "serve" in run("--help").stdout
    served = run("serve")
    assert (served.returncode, served.stdout) == (1, "")
    assert "aqt-fast[server]" in served.stderr


class TestBackends:
    """The table, for people and for scripts."""

    @pytest.fixture(scope="class")
    @staticmethod
    def server():
        """A portal."""
        with ArnicaServer(simulate=False) as server:
            yield server

    @pytest.fixture(autouse=True)
    def environment(self, server, monkeypatch):
        """What the command looks at."""
        monkeypatch.setenv("AQT_PORTAL_URL", server.url)
        monkeypatch.setenv("AQT_TOKEN", server.token)

    @pytest.mark.parametrize("columns", [30, 40, 60, 80, 120])
    def test_table(self, server, monkeypatch, columns):
        """It fits the terminal, and has every ID in one piece."""
        monkeypatch.setenv("COLUMNS", str(columns))
        result = invoke("backends")
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert max(map(len, lines)) <= columns
        assert len(lines) == (1 if columns == 80 else 2) + 8
        assert ("Description" in lines[0]) == (columns > 80)
        assert ("Type" in lines[0]) == (columns > 60)
        assert ("Workspace" in lines[0]) == (columns > 40)
        assert ("Status" in lines[0]) == (columns > 30)
        for name in ("offline_simulator_no_noise", "ibex", "simulator_ideal"):
            assert any(name in line for line in lines)
        assert server.token not in result.output

    def test_json_and_filters(self):
        """For scripts."""
        result = invoke("backends", "--json", "--type", "device", "--name", "[ip]")
        assert result.exit_code == 0
        rows = json.loads(result.stdout)
        assert [(row["resource_id"], row["qubits"]) for row in rows] == [("ibex", 12), ("pine", 20)]
        assert json.loads(invoke("backends", "--json", "--workspace", "lab").stdout)[0].keys() == {
            "workspace", "resource_id", "description", "type", "qubits", "status",
        }  # fmt: skip

    def test_one(self, server, in_india):  # noqa: ARG002 - it sets the time zone
        """A device: status with its time, limits, figures."""
        result = invoke("backends", "ibex")
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[0] == "ibex (lab): IBEX"
        assert re.fullmatch(r"status      online since \d{4}-\d\d-\d\d \d\d:\d\d\+05:30", lines[2])
        assert lines[3] == "type        device, 12 qubits"
        assert "any number of circuits, each with any number of shots" in lines[4]
        assert "up to 50 circuits, each with up to 2000 shots" in lines[5]
        time = r"\d{4}-\d\d-\d\d \d\d:\d\d\+05:30"
        assert re.fullmatch(f"characterisation: updated {time}, fetched {time}", lines[7])
        assert "T1                       1.14 ± 0.06 s" in lines
        assert sum(line.startswith("r on qubit ") for line in lines) == 12
        assert server.token not in result.output
        assert "rowan (lab)" in (text := invoke("backends", "rowan").stdout)
        assert "status      maintenance since " in text

    def test_a_workspace_that_takes_no_jobs(self, server):
        """Is told, in the table, too."""
        assert "workspace " not in invoke("backends", "ibex").stdout
        server.set_workspace("lab", accepting_job_submissions=False)
        assert "\nworkspace   no jobs accepted\n" in invoke("backends", "ibex").stdout
        content = json.loads(invoke("backends", "ibex", "--json").stdout)
        assert content["accepting_job_submissions"] is False
        assert content["jobs_being_processed"] is True
        assert "online, no jobs accepted" in invoke("backends", "--name", "ibex").stdout

    def test_one_without_figures(self):
        """Simulators have limits only."""
        for name, number in (("simulator_ideal", 1), ("offline_simulator_noise", 0)):
            result = invoke("backends", name)
            assert result.exit_code == 0
            assert result.stdout.endswith("\n\nno characterisation\n")
            assert result.stdout.count("an API job") == number

    def test_one_as_json(self):
        """All figures, in SI units."""
        content = json.loads(invoke("backends", "ibex", "--json").stdout)
        known = Characterisation.from_dict(content["characterisation"])
        assert (known.resource_id, known.num_qubits) == ("ibex", content["qubits"]) == ("ibex", 12)
        assert len(known.r_fidelity) == 12
        assert content["status"] == "online"
        assert content["status_since"].endswith("+00:00")
        assert content["limits"] == {
            "circuits": None, "shots": None, "operations": 2000, "qubits": 12
        }  # fmt: skip
        assert content["api_job_limits"]["circuits"] == 50
        other = json.loads(invoke("backends", "offline_simulator_noise", "--json").stdout)
        assert other["characterisation"] is other["api_job_limits"] is None

    def test_one_of_several(self):
        """Several with this ID, or none: an error that names what there is."""
        result = invoke("backends", "simulator_noise")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "simulator_noise (default), simulator_noise (lab)" in result.stderr
        assert invoke("backends", "simulator_noise", "--workspace", "lab").exit_code == 0
        result = invoke("backends", "oak", "--json")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "ibex (lab)" in result.stderr
        assert invoke("backends", "ibex", "--type", "simulator").exit_code == 1

    def test_nothing_fits(self):
        """Said, and in the exit code."""
        result = invoke("backends", "--name", "oak")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr == "aqt-fast: no backend fits\n"

    def test_portal_out_of_reach(self, monkeypatch):
        """The others are listed all the same."""
        monkeypatch.setenv("AQT_PORTAL_URL", "http://127.0.0.1:9")
        result = invoke("backends")
        assert result.exit_code == 1
        assert "offline_simulator_noise" in result.stdout
        assert "cannot be asked" in result.stderr
        monkeypatch.setenv("AQT_PORTAL_URL", "http://portal.example")
        result = invoke("backends", "--type", "device")
        assert result.exit_code == 1
        assert "plain HTTP" in result.stderr

    def test_usage(self):
        """Mistakes have exit code 2."""
        assert invoke("backends", "--name", "[").exit_code == 2
        assert invoke("backends", "--type", "toaster").exit_code == 2
        assert invoke("backends", "ibex", "--name", "i").exit_code == 2


def test_log_in_without_a_way(monkeypatch):
    """One line, exit code 1."""
    monkeypatch.setitem(sys.modules, "aqt_connector", None)
    result = invoke("log-in")
    assert result.exit_code == 1
    assert "pip install 'aqt-fast[login]'" in result.stderr


def test_demo():
    """Built-in circuits through a local server: a histogram and the stages."""
    result = invoke("demo", "--circuits", "20", "--shots", "50", "--no-noise", "--seed", "1")
    assert result.exit_code == 0, result.output
    assert "adder, 50 shots on simulator_ideal at http://127.0.0.1:" in result.stdout
    assert "1011            50  ████" in result.stdout
    for stage in ("read OpenQASM", "discover", "transpile", "check", "submit and wait", "counts"):
        assert stage in result.stdout


def test_demo_with_files(tmp_path):
    """Circuits of the user's own; bad ones are named."""
    good, bad, unmeasured = (tmp_path / f"{name}.qasm" for name in ("good", "bad", "unmeasured"))
    head = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[1];\ncreg c[1];\n'
    good.write_text(head + "x q[0];\nmeasure q[0] -> c[0];\n")
    unmeasured.write_text(head + "x q[0];\n")
    bad.write_text("nonsense")
    result = invoke("demo", str(good), "--circuits", "3", "--no-noise")
    assert result.exit_code == 0, result.output
    assert "good, 200 shots" in result.stdout
    result = invoke("demo", str(bad))
    assert result.exit_code == 1
    assert "bad.qasm is not OpenQASM 2" in result.stderr
    result = invoke("demo", str(unmeasured), "--circuits", "1")
    assert result.exit_code == 1
    assert "unmeasured.qasm cannot run on simulator_noise: circuit 0: no meas" in (result.stderr)
    wide = tmp_path / "wide.qasm"
    wide.write_text(head.replace("q[1]", "q[30]") + "measure q[0] -> c[0];\n")
    result = invoke("demo", str(wide))
    assert result.exit_code == 1
    assert "wide.qasm cannot run on" in result.stderr
    assert invoke("demo", str(tmp_path / "none.qasm")).exit_code == 2


def test_one_prefix(tmp_path, monkeypatch):
    """A message that another process has written bears it once, too."""
    (tmp_path / "uvicorn.py").write_text("raise ImportError(\"No module named 'uvicorn'\")\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    monkeypatch.setenv("PYTHONPATH", path)
    result = invoke("demo", "--circuits", "1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        "aqt-fast: the local server does not start: "
        "No module named 'uvicorn'; install aqt-fast[server]\n"
    )


@pytest.mark.filterwarnings("default")
def test_warnings(tmp_path, monkeypatch):
    """One line, without the place in the source."""
    file = tmp_path / ".env"
    file.write_text("AQT_STORE_PATH=/elsewhere\n")
    file.chmod(0o666)
    monkeypatch.chdir(tmp_path)
    result = invoke("jobs", "show", "xyz")
    warning, error = result.stderr.splitlines()
    assert warning.startswith(f"aqt-fast: {file} is not used: others can write it")
    assert error.startswith("aqt-fast: no job 'xyz' in ")
