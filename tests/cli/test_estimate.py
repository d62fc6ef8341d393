"""What a job will take, on the command line."""

import json

import pytest
from aqt_fast.cli.main import main
from aqt_fast.testing import ArnicaServer
from click.testing import CliRunner
from qiskit.utils import optionals

VERSION_2 = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[2];
creg c[2];
h q[0];
cx q[0], q[1];
measure q -> c;
"""
VERSION_3 = """// OPENQASM 2.0;
/* two
   lines */ OPENQASM 3.0;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""


def invoke(*arguments: object):
    """Run the command in this process."""
    return CliRunner().invoke(main, ["estimate", *map(str, arguments)])


@pytest.fixture
def bell(tmp_path):
    """A circuit in OpenQASM 2."""
    path = tmp_path / "bell.qasm"
    path.write_text(VERSION_2)
    return path


@pytest.fixture
def bell_3(tmp_path):
    """The same in OpenQASM 3."""
    path = tmp_path / "bell3.qasm"
    path.write_text(VERSION_3)
    return path


@pytest.fixture
def cloud(shared_server: ArnicaServer, monkeypatch):
    """The environment names a portal."""
    monkeypatch.setenv("AQT_PORTAL_URL", shared_server.url)
    monkeypatch.setenv("AQT_TOKEN", shared_server.token)


@pytest.mark.usefixtures("cloud")
class TestDevice:
    """With a token."""

    def test_text(self, bell):
        """Time and cost; nothing is sent."""
        prices = ("--price-per-shot", 0.02, "--price-per-circuit", 1, "--currency", "EUR")
        result = invoke(*[bell] * 50, "--backend", "ibex", "--shots", 2000, *prices)
        assert (result.exit_code, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[:4] == [
            "backend      ibex", "circuits     50", "API jobs     1", "shots        100,000",
        ]  # fmt: skip
        assert lines[4].startswith("device time  5.63 h (4.5")
        assert lines[5] == "cost         2,050.00 EUR"
        assert lines[6].startswith("prices       command line, 20")

    def test_json(self, bell, bell_3, shared_server):
        """Both versions of OpenQASM make the same circuit."""
        before = len(shared_server.jobs)
        results = [
            invoke(file, "--backend", "ibex", "--workspace", "lab", "--json")
            for file in (bell, bell_3)
        ]
        assert [result.exit_code for result in results] == [0, 0]
        first, second = (json.loads(result.stdout) for result in results)
        assert first == second
        assert first["cost"] is None
        assert first["device_seconds"]["likely"] == pytest.approx(0.1 + 100 * 0.2027, rel=0.01)
        assert len(shared_server.jobs) == before

    def test_status(self, bell):
        """Of a device that takes no jobs now."""
        result = invoke(bell, "--backend", "rowan")
        assert result.exit_code == 0
        assert result.stderr == "aqt-fast: rowan is not ready for jobs: maintenance\n"

    def test_no_such_backend(self, bell):
        """Those that there are, in one line."""
        result = invoke(bell, "--backend", "oak")
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("aqt-fast: no backend fits; there are: offline")
        assert len(result.stderr.splitlines()) == 1


class TestWithoutToken:
    """Offline simulators, and what is missing for others."""

    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch):
        """No token."""
        monkeypatch.setenv("AQT_TOKEN", "")

    def test_offline(self, bell):
        """Shots and circuits, without time and cost."""
        result = invoke(bell, "--backend", "offline_simulator_no_noise")
        assert (result.exit_code, result.stderr) == (0, "")
        assert "API jobs     none: it runs in this process\n" in result.stdout
        assert "device time  none\n" in result.stdout

    def test_device(self, bell):
        """A token is missing."""
        result = invoke(bell, "--backend", "ibex")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "there is no access token" in result.stderr

    def test_files(self, tmp_path, monkeypatch, bell_3):
        """What cannot be read is named."""
        offline = ("--backend", "offline_simulator_no_noise")
        for name, text, message in (
            ("nonsense", b"nonsense", "nonsense.qasm is not OpenQASM 2"),
            ("three", b"OPENQASM 3;\nnonsense", "three.qasm cannot be read as OpenQASM 3"),
            ("binary", b"\xff\xfe", "binary.qasm is not OpenQASM"),
            (
                "open",
                VERSION_2.replace("measure q -> c;", "").encode(),
                f"circuit '{tmp_path / 'open.qasm'}': no measurement",
            ),
        ):
            path = tmp_path / f"{name}.qasm"
            path.write_bytes(text)
            result = invoke(path, *offline)
            assert (result.exit_code, result.stdout) == (1, "")
            assert message in result.stderr
        monkeypatch.setattr(optionals.HAS_QASM3_IMPORT, "_bool", False)
        result = invoke(bell_3, *offline)
        assert result.exit_code == 1
        assert "needs the package qiskit-qasm3-import" in result.stderr

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--price-per-shot", "0.02"),
            ("--currency", "EUR"),
            ("--price-per-shot", "-1", "--currency", "EUR"),
            ("--shots", "0"),
            ("--optimization-level", "4"),
        ],
    )
    def test_usage(self, bell, arguments):
        """Mistakes have exit code 2."""
        assert invoke(bell, "--backend", "offline_simulator_noise", *arguments).exit_code == 2
        assert invoke("--backend", "offline_simulator_noise").exit_code == 2
        assert invoke(bell).exit_code == 2


@pytest.mark.parametrize("option", ["--price-per-shot", "--price-per-circuit"])
@pytest.mark.parametrize("price", ["nan", "inf", "-1"])
def test_no_price(bell, option, price):
    """A mistake."""
    assert invoke(bell, "--backend", "x", option, price).exit_code == 2
