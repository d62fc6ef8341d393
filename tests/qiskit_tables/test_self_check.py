"""Which Qiskit is read natively: tested versions only, after a round trip of circuit and DAG."""

import subprocess
import sys
import textwrap

import pytest
import qiskit

pytestmark = pytest.mark.all_qiskits

INSTALLED = ".".join(qiskit.__version__.split(".")[:2])

PREAMBLE = """
import qiskit
from aqt_fast import _native
from aqt_fast.exceptions import UnsupportedQiskitError

def use():
    _native.check_circuits([], max_qubits=31, max_operations=2000)

def refused():
    try:
        use()
    except UnsupportedQiskitError as error:
        return error.found, str(error)
    raise AssertionError(qiskit.__version__)
"""


def run_fresh(script: str) -> list[str]:
    """Run a script in a process that has not used Qiskit's table; return what it prints."""
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "error", "-c", PREAMBLE + textwrap.dedent(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, (run.returncode, run.stderr)
    return run.stdout.splitlines()


def test_untested_versions_are_refused():
    """Not a crash but an error with the found version, the tested ones and what to do."""
    versions = [
        "1.4.6",
        "2.3.1",
        "2.7.0",
        "2.7.0rc1",
        "2.40.0",
        "3.0.0",
        "12.4.0",
        "2",
        "2.4rc1",
        "",
    ]
    lines = run_fresh(
        f"""
        for version in {versions}:
            qiskit.__version__ = version
            print(*refused(), sep="|")
        """
    )
    assert lines == [
        f"{version}|aqt-fast cannot read the circuits of Qiskit {version}: its C API is untested; "
        "tested are 2.4, 2.5 and 2.6: install Qiskit 2.4, 2.5 or 2.6, or a newer aqt-fast"
        for version in versions
    ]


def test_a_table_of_another_version_is_refused():
    """The table itself tells its version as well; a refusal is not remembered."""
    others = [version for version in ("2.4", "2.5", "2.6") if version != INSTALLED]
    lines = run_fresh(
        f"""
        installed = qiskit.__version__
        for version in {others}:
            qiskit.__version__ = version + ".0"
            print(refused()[1])
        qiskit.__version__ = installed
        use()
        """
    )
    assert len(lines) == len(others)
    assert all("its C API has version 0x02" in line for line in lines)


@pytest.mark.parametrize("suffix", ["", ".0", ".99", ".0rc1", ".0.dev0+1ab2c3d"])
def test_any_release_of_a_tested_minor_version(suffix):
    """Patch releases and pre-releases of the installed minor version are read."""
    run_fresh(f"qiskit.__version__ = {INSTALLED + suffix!r}; use()")


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("QuantumCircuit.r = lambda self, *args: r(self, 0.5000001, *args[1:])", "circuit"),
        ("QuantumCircuit.barrier = lambda self, *args: barrier(self, 0, 1)", "circuit"),
        ("QuantumCircuit.__eq__ = lambda self, other: False", "circuit"),
        (
            "qiskit.converters.circuit_to_dag = lambda c, **kw: to_dag(c.reverse_ops(), **kw)",
            "DAG",
        ),
        (
            "DAGCircuit.copy_empty_like = lambda _: to_dag(QuantumCircuit(3, 2, global_phase=1))",
            "DAG",
        ),
    ],
)
def test_another_round_trip_is_refused(change, what):
    """What reads or compares differently is not used."""
    (line,) = run_fresh(
        f"""
        import qiskit.converters
        from qiskit import QuantumCircuit
        from qiskit.dagcircuit import DAGCircuit
        r, barrier = QuantumCircuit.r, QuantumCircuit.barrier
        to_dag = qiskit.converters.circuit_to_dag
        {change}
        print(refused()[1])
        """
    )
    assert f"a known {what} differs after a round trip" in line
