"""Files of jobs with anything at all in them, and the right checksums: a typed error names them."""

from __future__ import annotations

import hashlib
import math
import random
import shutil
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.backends.offline.local import LocalAerExecution
from aqt_fast.exceptions import (
    APIError,
    DamagedJobError,
    InvalidOptionError,
    SpendingLimitError,
)
from aqt_fast.persistence import JobStore
from aqt_fast.primitives import AQTEstimator, AQTPrimitiveJob, AQTSampler
from aqt_fast.primitives.evaluations import evaluation_from_json
from aqt_fast.store.checksummed_json import UNUSABLE, pack
from aqt_fast.store.event_lines import BEGIN, BLOCK, read_events
from aqt_fast.store.job_directory import FORMAT, JobDirectory
from aqt_fast.store.journal import Journal
from aqt_fast.store.named_files import compress, decompress, packed, unpacked
from aqt_fast.testing import ArnicaServer
from aqt_fast.wire.snapshot import Snapshot
from backends.test_noise_twin import known
from clients import QUIET, connect, device_of, machine_of
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer.noise import NoiseModel, depolarizing_error
from store.mutations import Mutation, mutations, several, to_text

NUMBER = 40
"""Of mutations of each file: as many with one fault, and half as many with several."""

KINDS = (
    "cloud", "parts", "shots", "sweep", "pilot", "second", "fetched", "copy", "direct", "offline",
    "noise", "twin",
)  # fmt: skip
"""The kinds of jobs."""

PROPER = (DamagedJobError, APIError, SpendingLimitError)
"""What a restored job may raise: it may be of another portal, or have a limit."""


def flip(number: int) -> QuantumCircuit:
    """A circuit with metadata; the number tells which qubits are 1."""
    circuit = QuantumCircuit(2, name=f"c{number}", metadata={"n": number, "x": [1, {"y": None}]})
    for qubit in (0, 1):
        if number >> qubit & 1:
            circuit.r(math.pi, 0, qubit)
    circuit.measure_all()
    return circuit


def rotation(*, measured: bool) -> QuantumCircuit:
    """A circuit with a parameter."""
    circuit = QuantumCircuit(1)
    circuit.ry(Parameter("a"), 0)
    if measured:
        circuit.measure_all()
    return circuit


def jobs_of(server: ArnicaServer) -> dict[str, str]:
    """Run a job of each kind, and return their identifiers."""
    found: dict[str, str] = {}
    with connect(server, read_timeout=60) as provider:
        device, machine = device_of(provider), machine_of(provider, server)

        def ran(kind: str, job: Any) -> Any:
            job.result()
            found[kind] = job.batch_id if isinstance(job, AQTJob) else job.job_id()
            if kind in ("offline", "noise", "twin", "copy"):
                job.persist()
            return job

        ran("cloud", device.run(flip(1), shots=5, label="one"))
        ran("parts", device.run([flip(number % 4) for number in range(51)], shots=2001))
        shots = [1, 2001, 3, 4]
        ran("shots", device.run([flip(k) for k in range(4)], shots=shots, tags=["a"]))
        values = [[0.0], [1.0], [2.0]]
        ran("sweep", AQTSampler(device).run([(rotation(measured=True), values, 5), flip(1)]))
        adaptive = AQTEstimator(device, {"adaptive": True})
        pub = (rotation(measured=False), "Z", [1.0])
        found["second"] = ran("pilot", adaptive.run([pub], precision=0.05)).jobs[1].batch_id
        ran("direct", machine.run([flip(1), flip(2)], shots=5))
        ran("copy", device.run(flip(2), shots=4, journal=False))
        elsewhere = device.run(flip(2), shots=4, journal=False)
        elsewhere.result()
        provider.job(elsewhere.job_id(), flip(2), **QUIET).result()
        (found["fetched"],) = (
            name for name in JobStore(device.store_path).job_ids() if name not in found.values()
        )
        simulator = provider.get_backend("offline_simulator_no_noise")
        ran("offline", simulator.run(flip(1), shots=3, memory=True, with_progress_bar=False))
        model = NoiseModel()
        model.add_all_qubit_quantum_error(depolarizing_error(0.01, 1), ["r"])
        model.add_all_qubit_readout_error([[0.9, 0.1], [0.2, 0.8]])
        simulator.simulator.set_options(noise_model=model, method="statevector")
        ran("noise", simulator.run(flip(1), shots=3, with_progress_bar=False))
        twin = provider.get_noise_twin(known())
        ran("twin", twin.run(flip(1), shots=3, with_progress_bar=False))
    return found


@pytest.fixture(scope="module")
def stored(tmp_path_factory) -> Iterable[tuple[Path, dict[str, str]]]:
    """A store with a job of each kind, and their identifiers."""
    root = tmp_path_factory.mktemp("stored")
    with pytest.MonkeyPatch.context() as patch, ArnicaServer(simulate=True) as server:
        patch.setenv("AQT_STORE_PATH", str(root))
        yield root, jobs_of(server)


class Tried:
    """A store with one job, whose files are written anew and again."""

    def __init__(self, root: Path, stored: tuple[Path, dict[str, str]], kind: str) -> None:
        """The job is of a server that has gone."""
        template, ids = stored
        self.store, self.job_id = root, ids[kind]
        self.path = root / self.job_id
        shutil.copytree(template / self.job_id, self.path)
        self.document = orjson.loads((self.path / "job.json").read_bytes())
        self.outcomes: Counter[str] = Counter()
        self.problems: list[str] = []
        place = self.document["job"]["location"]
        url = place.get("portal_url", "http://127.0.0.1:9")
        self.provider = AQTProvider("token", portal_url=url, load_dotenv=False)

    def write(self, file: str, mutation: Mutation) -> None:
        """Write a file with its checksum."""
        text = mutation.text
        if file == "headers.zst":
            data = compress(text)
            digests = {**self.document["job"]["digests"], file: hashlib.sha256(data).hexdigest()}
            job = pack("job", {**self.document["job"], "digests": digests}, FORMAT)
            (self.path / "job.json").write_bytes(job)
        elif file == "evaluation.zst":
            data = packed(_checksummed("evaluation", text, 1), self.job_id, file)
        elif file == "events":
            events = mutation.content if isinstance(mutation.content, list) else [mutation.content]
            data = _lines([BEGIN, *events], self.job_id)
        else:
            data = _checksummed("job", text, self.document["format"])
        (self.path / file).write_bytes(data)

    def content(self, file: str) -> Any:
        """What a file has."""
        if file == "headers.zst":
            return orjson.loads(decompress((self.path / file).read_bytes()))
        if file == "evaluation.zst":
            data = unpacked((self.path / file).read_bytes(), self.job_id, file).content
            return orjson.loads(data)["evaluation"]
        if file == "events":
            return read_events((self.path / file).read_bytes(), self.job_id).events
        return self.document["job"]

    def attempt(self, name: str, action: Callable[[], Any], *others: type[Exception]) -> Any:
        """Note how something ends; return its value."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = action()
        except (*PROPER, *others) as error:
            self.outcomes[type(error).__name__] += 1
            if isinstance(error, DamagedJobError) and self.path not in (
                error.path, error.path.parent,
            ):  # fmt: skip
                self.problems.append(f"{name}: names {error.path}")
        except Exception as error:  # noqa: BLE001 - that is what must not happen
            self.problems.append(f"{name}: {type(error).__name__}: {error}"[:300])
        else:
            self.outcomes["read"] += 1
            return value
        return None

    def readable(self, name: str, file: str) -> bool:
        """Whether a file is read, without making a job."""

        def read() -> bool:
            directory = JobDirectory.load(self.store, self.job_id)
            if file == "headers.zst":
                Snapshot.from_saved(*directory.snapshot())
            if file == "evaluation.zst":
                evaluation_from_json(directory.evaluation())
            if file == "events":
                Journal(directory).replay()
            return True

        # That of headers and evaluation becomes a DamagedJobError where the job is restored.
        later = () if file == "job.json" else UNUSABLE
        return self.attempt(f"read {name}", read, *later) is True

    def restored(self, name: str) -> None:
        """List and restore the job, and use it."""

        def listed() -> None:
            (row,) = table = self.provider.jobs()
            self.outcomes[f"listed as {row.state}"] += 1
            str(table), repr(table), table._repr_html_(), row.to_dict(), row.counts

        def used(job: AQTJob) -> None:
            repr(job), job.status(), job.progress(), job.metrics(), job.circuits
            job.result(0, partial=True).to_dict()

        options = {"provider": self.provider, "remove_from_store": False}
        self.attempt(f"list {name}", listed)
        job = self.attempt(f"restore {name}", lambda: AQTJob.restore(self.job_id, **options))
        if job is not None:
            self.attempt(f"use {name}", lambda: used(job))
        if (self.path / "evaluation.zst").exists():
            self.attempt(
                f"restore {name} of a primitive",
                lambda: AQTPrimitiveJob.restore(self.job_id, **options),
                InvalidOptionError,
            )


def _lines(events: list[Any], job_id: str) -> bytes:
    """A file of events with the right numbers and checksums."""
    text = b""
    for number, event in enumerate(events):
        line = b"%d %s" % (number, to_text(event))
        text += b"%08x %s\n" % (zlib.crc32(line, zlib.crc32(job_id.encode())), line)
    return text.ljust((len(text) // BLOCK + 1) * BLOCK)


def _checksummed(name: str, text: bytes, version: int) -> bytes:
    """A document with the right checksum, as far as there is one."""
    try:
        plain = orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS)
    except (ValueError, TypeError):
        plain = b""
    digest = hashlib.sha256(plain).hexdigest()
    return b'{"format":%d,"%s":%s,"sha256":"%s"}' % (version, name.encode(), text, digest.encode())


def chosen(content: Any) -> Iterable[Mutation]:
    """Some mutations, always the same."""
    every = list(mutations(content))
    some = random.Random(7).sample(every, min(NUMBER, len(every)))  # noqa: S311
    return chain(some, several(content, NUMBER // 2, 7))


@pytest.fixture
def opened(stored, tmp_path, monkeypatch):
    """Open a job of a kind in a store of its own; simulations do not begin."""
    monkeypatch.setattr(LocalAerExecution, "begin", lambda _: None)

    def opened(kind: str) -> Tried:
        root = tmp_path / kind
        root.mkdir()
        monkeypatch.setenv("AQT_STORE_PATH", str(root))
        tried = Tried(root, stored, kind)
        url = tried.document["job"]["location"].get("machine_url")
        monkeypatch.setenv("AQT_DIRECT_URL", url or "")
        return tried

    return opened


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("job.json", KINDS),
        ("headers.zst", ("cloud", "parts", "sweep")),
        ("evaluation.zst", ("sweep", "pilot", "second")),
        ("events", ("parts", "direct", "copy", "fetched")),
    ],
)
def test_crafted(opened, file, kinds, figures):
    """Whatever is in a file, the job is restored, or the error names the file."""
    number, outcomes = 0, Counter()
    for kind in kinds:
        tried = opened(kind)
        content = tried.content(file)
        with tried.provider:
            tried.restored("unchanged")
            assert not tried.problems
            assert "DamagedJobError" not in tried.outcomes
            for mutation in chosen(content):
                tried.write(file, mutation)
                number += 1
                # What is refused at once is seldom tried again by all the other ways.
                whole = file == "events" and number % 5  # read, whatever is in it
                if (tried.readable(mutation.name, file) and not whole) or number % 20 == 0:
                    tried.restored(mutation.name)
        assert tried.problems == []
        assert tried.outcomes["DamagedJobError"] or file == "events"  # it tells what is missing
        outcomes += tried.outcomes
    damaged = outcomes["DamagedJobError"]
    figures(f"crafted {file}", tried=number, jobs=len(kinds), damaged=damaged, other_errors=0)
