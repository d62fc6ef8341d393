"""Executors under a test's control, and circuits and checks for simulations on them."""

from __future__ import annotations

import math
import zlib
from concurrent.futures import Executor, Future

import orjson
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.providers import JobStatus
from waiting import wait_until


class Inline(Executor):
    """Runs what it gets at once, in the thread that submits it."""

    def __init__(self, run=lambda _number, call: call()):
        """``run`` gets the number of the call and the call."""
        self.run = run
        self.number = 0

    def submit(self, function, *arguments):
        """The outcome of ``run``."""
        future = Future()
        try:
            future.set_result(self.run(self.number, lambda: function(*arguments)))
        except Exception as error:  # noqa: BLE001 - as executors do
            future.set_exception(error)
        self.number += 1
        return future


class Waiting(Executor):
    """Keeps what it gets until a test runs it."""

    def __init__(self, client=None):
        """``client`` is what Dask's executor would have: something with a ``status``."""
        self._client = client
        self.calls = []
        self.most_open = 0

    def submit(self, function, *arguments):
        """A future that stays as it is; ``most_open`` counts those that did so at a time."""
        self.calls.append((Future(), lambda: function(*arguments)))
        num_open = sum(not future.done() for future, _ in self.calls)
        self.most_open = max(self.most_open, num_open)
        return self.calls[-1][0]

    def wait_for_calls(self, number):
        """Wait until there are so many."""
        wait_until(lambda: len(self.calls) >= number)


def layers(seed: int, *, qubits: int = 5, depth: int = 4) -> QuantumCircuit:
    """Gates of all kinds, with angles that depend on the seed."""
    circuit = QuantumCircuit(QuantumRegister(qubits, "q"), ClassicalRegister(qubits, "c"))
    for layer in range(depth):
        for qubit in range(qubits):
            circuit.r(1 + math.sin(seed + 3 * layer + qubit), 3 + math.cos(seed * qubit), qubit)
            circuit.rz(0.1 * seed, qubit)
        circuit.rxx(0.7 + 0.5 * math.sin(seed), layer % qubits, (layer + 1) % qubits)
    circuit.barrier()
    circuit.measure(range(qubits), reversed(range(qubits)))
    return circuit


def odd_ones() -> list[QuantumCircuit]:
    """What might get lost on the way: registers, wide outcomes, metadata, names, labels."""
    wide = QuantumCircuit(QuantumRegister(3), ClassicalRegister(3, "a"), ClassicalRegister(67, "b"))
    wide.r(1.0, 0.5, [0, 1])
    wide.rxx(1.0, 1, 2)
    wide.measure([0, 1, 2], [69, 0, 1])
    told = layers(1)
    told.metadata = {"who": 1j, (1, 2): "three"}
    told.name = "long " * 20_000
    labelled = layers(2)
    special = labelled.data[0].operation.to_mutable()
    special.label = "special"
    labelled.data[0] = labelled.data[0].replace(operation=special)
    return [wide, told, labelled]


def mixed_batch() -> list[QuantumCircuit]:
    """Enough for chunks of several circuits."""
    return [layers(seed) for seed in range(40)] + odd_ones()


def slow_batch(number: int) -> list[QuantumCircuit]:
    """Some 50 ms each on the noisy simulator."""
    return [layers(seed, qubits=17, depth=3) for seed in range(number)]


def taking(seconds, call) -> bytes:
    """The answer of a worker that claims to have taken ``seconds``."""
    answer = orjson.loads(zlib.decompress(call()))
    return zlib.compress(orjson.dumps({**answer, "seconds": seconds}))


def outcomes(result) -> list:
    """Everything that a result says of its circuits."""
    return [
        (entry.success, entry.shots, entry.header, entry.data.to_dict()) for entry in result.results
    ]


def noisy(provider, **options):
    """The noisy simulator, of 17 qubits."""
    backend = provider.get_backend("offline_simulator_noise", available_qubits=17)
    backend.set_options(with_progress_bar=False, **options)
    return backend


def check(provider, batch, executor):
    """Compare with the same job without an executor: every shot is the same."""
    backend = noisy(provider, shots=40, memory=True, seed_simulator=2**63 - 5)
    expected = outcomes(backend.run(batch).result())
    job = backend.run(batch, executor=executor)
    result = job.result()
    assert result.success, job.error_message
    assert outcomes(result) == expected
    assert job.status() is JobStatus.DONE
    assert job.progress() == (len(batch), len(batch))
    assert (result.job_id, job.backend(), job.circuits) == (job.job_id(), backend, batch)
    assert job.cancel() is False
