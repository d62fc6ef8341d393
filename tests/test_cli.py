"""The command line."""

import subprocess
import sys

from aqt_fast import __version__
from aqt_fast.cli import main
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
        "import sys; from aqt_fast.cli import main\n"
        "try: main(['demo', '--help'])\n"
        "except SystemExit: print('qiskit' in sys.modules)"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout.endswith("False\n")


def test_demo():
    """Built-in circuits: a histogram and the stages."""
    result = invoke("demo", "--circuits", "20", "--shots", "50", "--no-noise", "--seed", "1")
    assert result.exit_code == 0, result.output
    assert "adder, 50 shots" in result.stdout
    assert "1011            50  ████" in result.stdout
    for stage in ("read OpenQASM", "transpile", "check", "encode", "simulate", "counts"):
        assert stage in result.stdout
    assert "20/20" in result.stderr


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
    assert "unmeasured.qasm cannot run on offline_simulator_noise: circuit 0: no meas" in (
        result.stderr
    )
    wide = tmp_path / "wide.qasm"
    wide.write_text(head.replace("q[1]", "q[30]") + "measure q[0] -> c[0];\n")
    result = invoke("demo", str(wide))
    assert result.exit_code == 1
    assert "wide.qasm cannot run on" in result.stderr
    assert invoke("demo", str(tmp_path / "none.qasm")).exit_code == 2
