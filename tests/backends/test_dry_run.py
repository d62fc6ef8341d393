"""Dry runs: everything up to the first request, and nothing after that."""

from __future__ import annotations

import hashlib
import threading
import tracemalloc

import orjson
import pytest
from aqt_fast import execute
from aqt_fast.exceptions import (
    InvalidCircuitError,
    InvalidOptionError,
    SpendingLimitError,
    UnknownOptionError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from clients import QUIET, connect, device_of, machine_of
from markers import marker, markers
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter


def hashes_of(server) -> set[str]:
    """The SHA-256 of the bodies that the server has accepted."""
    return {job.sha256 for job in server.jobs}


@pytest.mark.parametrize(
    ("number", "shots"),
    [(1, 10), (60, 10), (3, 4500), (70, [*range(1, 71)]), (2, [5000, 3])],
)
def test_hashes_of_the_real_run(server, device, number, shots):
    """Are those of the bodies that the portal gets, in the order of the API jobs."""
    batch = markers(range(number))
    dry = device.run(batch, shots=shots, label="Ψ", dry_run=True)
    assert server.jobs == []
    assert device.run(batch, shots=shots, label="Ψ", dry_run=True) == dry
    job = device.run(batch, shots=shots, label="Ψ")
    assert job.result().success
    assert set(dry.payload_hashes) == hashes_of(server)
    assert dry.api_jobs == len(dry.payload_hashes) == len(server.jobs)
    by_id = {record.job_id: record.sha256 for record in server.jobs}
    assert [by_id[job.api_job_id(index)] for index in range(dry.api_jobs)] == [*dry.payload_hashes]


def test_without_a_label(server, device):
    """Jobs have random labels: the hash is that of the nil UUID."""
    first, second = (device.run(marker("1"), dry_run=True) for _ in range(2))
    assert first == second
    nil = "aqt-fast 00000000-0000-0000-0000-000000000000"
    named = device.run(marker("1"), dry_run=True, label=nil)
    assert named.payload_hashes == first.payload_hashes
    device.run(marker("1")).result()
    assert hashes_of(server).isdisjoint(first.payload_hashes)


def test_other_circuits(device):
    """Have other hashes; so do other shots and labels."""
    runs = [
        device.run(marker(pattern), shots=shots, label=label, dry_run=True).payload_hashes
        for pattern, shots, label in (("1", 9, "a"), ("0", 9, "a"), ("1", 8, "a"), ("1", 9, "b"))
    ]
    assert len(set(runs)) == 4


def test_machine(server, portal):
    """Bodies have no label, so that the hashes are right in any case."""
    machine = machine_of(portal, server, shots=5)
    machine._max_shots = 4  # noqa: SLF001
    dry = machine.run(markers([1, 2]), dry_run=True)
    assert server.jobs == []
    machine.run(markers([1, 2])).result()
    assert [job.sha256 for job in server.jobs] == list(dry.payload_hashes)
    assert dry.api_jobs == 4


def test_offline(backend):
    """There are no requests, and no hashes."""
    dry = backend.run(markers([1, 2]), shots=7, dry_run=True)
    assert (dry.circuits, dry.shots, dry.api_jobs, dry.payload_hashes) == (2, 14, 0, ())


def test_execute(server, device):
    """Transpiles, and compiles with an option."""
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    dry = execute(circuit, device, label="bell", dry_run=True)
    compiled = device.run(circuit, optimization_level=2, label="bell", dry_run=True)
    assert server.jobs == []
    execute(circuit, device, label="bell").result()
    device.run(circuit, optimization_level=2, label="bell").result()
    assert hashes_of(server) == {*dry.payload_hashes, *compiled.payload_hashes}


def test_primitives(server, device):
    """Compile templates for all of their sets."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    measured = circuit.measure_all(inplace=False)
    options = {"label": "sweep", **QUIET}
    sampler, estimator = AQTSampler(device, options), AQTEstimator(device, options)
    dry = sampler.dry_run([(measured, [[0.1], [0.2]])], shots=9)
    assert (dry.circuits, dry.shots) == (2, 18)
    planned = estimator.dry_run([(circuit, ["X", "Z"], [0.1])], precision=0.3)
    assert server.jobs == []
    sampler.run([(measured, [[0.1], [0.2]])], shots=9).result()
    estimator.run([(circuit, ["X", "Z"], [0.1])], precision=0.3).result()
    assert hashes_of(server) == {*dry.payload_hashes, *planned.payload_hashes}


def test_adaptive_estimator(server, device):
    """Tells the bodies of the pilot."""
    circuit = QuantumCircuit(1)
    circuit.ry(0.3, 0)
    estimator = AQTEstimator(device, {"adaptive": True, "label": "both", **QUIET})
    dry = estimator.dry_run([(circuit, "Z")], precision=0.05)
    assert dry.shots == 400
    estimator.run([(circuit, "Z")], precision=0.05).result()
    assert (server.jobs[0].sha256,) == dry.payload_hashes


def test_nothing_is_sent_or_written(server, tmp_path, monkeypatch):
    """No request at all, no journal, no thread."""
    monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "store"))
    with connect(server) as provider:
        device = device_of(provider, "ibex")
        server.stop()
        threads = threading.active_count()
        dry = device.run(markers(range(120)), dry_run=True, require_online=True)
        assert len(dry.payload_hashes) == 3
        assert dry.device_seconds.likely > 0
        assert threading.active_count() == threads
    assert not (tmp_path / "store").exists()


def test_errors_of_the_real_run(portal):
    """Are raised, and name the same."""
    device = device_of(portal, "ibex")
    with pytest.raises(InvalidCircuitError, match="circuit 1"):
        device.run([marker("1"), QuantumCircuit(13, 1)], dry_run=True)
    with pytest.raises(UnknownOptionError, match="did you mean 'shots'"):
        device.run(marker("1"), shot=7, dry_run=True)
    with pytest.raises(UnknownOptionError, match="did you mean 'dry_run'"):
        device.run(marker("1"), dryrun=True)
    with pytest.raises(InvalidOptionError, match="dry_run must be True or False, not 'yes'"):
        device.run(marker("1"), dry_run="yes")
    with pytest.raises(SpendingLimitError) as caught:
        device.run(marker("1"), shots=8, max_shots=7, dry_run=True)
    assert caught.value.estimate.shots == 8
    assert device.run(marker("1"), dry_run=False).result().success
    assert device.run(marker("1"), dry_run=None).result().success


def test_estimate(device):
    """A dry run has the figures of an estimate."""
    batch = markers(range(60))
    dry = device.run(batch, shots=[*range(1, 61)], dry_run=True)
    estimate = device.estimate(batch, shots=[*range(1, 61)])
    assert {**dry.to_dict(), "payload_hashes": []} == estimate.to_dict()


def test_one_body_at_a_time(device):
    """All bodies of a large job together would take much more memory."""
    long = QuantumCircuit(2)
    for step in range(1000):
        long.rxx(0.1 + step / 1000, 0, 1)
    long.measure_all()
    device.run(long, dry_run=True)
    body = 50 * 60_000
    tracemalloc.start()
    try:
        device.run([long] * 500, dry_run=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * body  # ten bodies are made


def test_body(device, monkeypatch):
    """The hash is of the bytes that go over the wire."""
    bodies = []
    portal = type(device._connect().portal)  # noqa: SLF001
    submit = portal.submit

    def noting(self, workspace_id, resource_id, body, **options):
        bodies.append(body)
        return submit(self, workspace_id, resource_id, body, **options)

    monkeypatch.setattr(portal, "submit", noting)
    dry = device.run(marker("1"), label="Ψ", dry_run=True)
    assert bodies == []
    device.run(marker("1"), label="Ψ").result()
    (body,) = bodies
    assert orjson.loads(body)["label"] == "Ψ"
    assert dry.payload_hashes == (hashlib.sha256(body).hexdigest(),)
