"""The formats of results on the command line."""

from __future__ import annotations

import csv
import io
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from aqt_fast.cli.main import main
from aqt_fast.cli.result_formats import result_as
from click.testing import CliRunner
from qiskit import ClassicalRegister, QuantumCircuit

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def job(device, circuit):
    """Two circuits, one with two registers."""
    pair = QuantumCircuit(2, name="a,b")
    pair.measure_all()
    pair.add_register(ClassicalRegister(1, "c"))
    job = device.run([circuit, pair], shots=7, label="formats")
    assert job.result().success
    return job


def invoke(*arguments: str):
    """Print the job's result."""
    return CliRunner().invoke(main, ["jobs", "result", "formats", *arguments])


@pytest.mark.usefixtures("job")
def test_table():
    """One row per outcome."""
    result = invoke("--format", "table")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["Circuit", "Name", "Outcome", "Shots", "Share"]
    assert rows[2][0] == "0"
    assert rows[2][2:] == ["0", "7", "100.0", "%"]
    assert rows[3] == ["1", "a,b", "0", "00", "7", "100.0", "%"]


@pytest.mark.usefixtures("job")
def test_csv(tmp_path):
    """As other programs read it."""
    file = tmp_path / "counts.csv"
    assert invoke("--format", "csv", "--output", str(file)).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [row["count"] for row in rows] == ["7", "7"]
    assert rows[1] == {"circuit": "1", "name": "a,b", "outcome": "0 00", "count": "7"}


@pytest.mark.usefixtures("job")
def test_npz(tmp_path):
    """Arrays without pickled objects."""
    file = tmp_path / "counts.npz"
    assert invoke("--format", "npz", "--output", str(file)).exit_code == 0
    with np.load(file, allow_pickle=False) as arrays:
        assert arrays["circuit"].tolist() == [0, 1]
        assert arrays["outcome"].tolist() == ["0", "0 00"]
        assert arrays["count"].tolist() == [7, 7]
        assert arrays["name"].tolist()[1] == "a,b"
        assert arrays["shots"].tolist() == [7, 7]
    with np.load(io.BytesIO(invoke("--format", "npz").stdout_bytes)) as arrays:
        assert arrays["count"].sum() == 14


@pytest.mark.usefixtures("job")
def test_json():
    """Qiskit's form, as without the option."""
    assert json.loads(invoke("--format", "json").stdout) == json.loads(invoke().stdout)


def test_many_outcomes(backend):
    """A table shows the most frequent; CSV has all of them."""
    circuit = QuantumCircuit(5)
    circuit.r(math.pi / 2, 0, range(5))
    circuit.measure_all()
    result = backend.run(circuit, shots=400, seed_simulator=1).result()
    table = result_as("table", result).decode()
    counts = result.get_counts()
    assert len(counts) > 12
    assert f"{len(counts) - 12} others" in table
    assert result_as("csv", result).count(b"\n") == 1 + len(counts)


def test_failed(server, portal, device, circuit):
    """Why there is none; CSV and arrays have no rows."""
    server.fail_jobs("the ions have left")
    device.run(circuit, label="formats").result()
    portal.close()
    result = invoke("--format", "table")
    assert result.exit_code == 1
    assert "none: " in result.stdout
    assert "the ions have left" in result.stdout
    assert invoke("--format", "csv").stdout == "circuit,name,outcome,count\n"
    with np.load(io.BytesIO(invoke("--format", "npz").stdout_bytes)) as arrays:
        assert arrays["shots"].tolist() == [0]
        assert arrays["outcome"].size == 0


@pytest.mark.usefixtures("job")
def test_unknown_format():
    """A mistake."""
    result = invoke("--format", "xml")
    assert result.exit_code == 2
    assert "'json'" in result.stderr


@pytest.mark.usefixtures("job")
def test_terminal(monkeypatch, tmp_path):
    """Arrays would do strange things to it, and are for a file or a pipe."""
    monkeypatch.setattr("aqt_fast.cli.result_output.sys", SimpleNamespace(stdout=Terminal()))
    result = invoke("--format", "npz")
    assert result.exit_code == 2
    assert "use --output" in result.stderr
    assert invoke("--format", "csv").exit_code == 0
    assert invoke("--format", "npz", "--output", str(tmp_path / "counts.npz")).exit_code == 0


class Terminal(io.TextIOWrapper):
    """What somebody looks at."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO())

    def isatty(self) -> bool:
        """It is one."""
        return True
