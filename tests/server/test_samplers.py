"""Outcomes of both samplers."""

from collections import Counter

import orjson
import pytest
from aqt_fast.server.aer_sampler import AerSampler
from aqt_fast.testing import ArnicaServer
from qiskit_aer import AerSimulator
from server.cloud_client import HALF, circuit, client_of, final_state, flips, job, submit


def test_outcomes(client):
    """Entry i of a shot is qubit i; circuits keep their order, shots and number of qubits."""
    values = [0b0001, 0b0110, 0b1000, 0b1111]
    circuits = [flips(value, shots=5 + index) for index, value in enumerate(values)]
    result = final_state(client, submit(client, job(*circuits))).result
    assert result == {
        index: [[value >> qubit & 1 for qubit in range(4)]] * (5 + index)
        for index, value in enumerate(values)
    }


def test_simulated_distribution():
    """All gates have AQT's definitions: RXX makes a Bell state, R and RZ turn a qubit back."""
    turn = {"operation": "R", "qubit": 0, "phi": 0.5, "theta": 0.5}
    back = {"operation": "R", "qubit": 0, "phi": 1.5, "theta": 0.5}
    frame = {"operation": "RZ", "qubit": 0, "phi": 1.0}
    with ArnicaServer(seed=5) as server, client_of(server) as client:
        circuits = [
            circuit([HALF], shots=1000),
            circuit([turn, back]),
            circuit([turn, frame, turn]),
        ]
        result = final_state(client, submit(client, job(*circuits))).result
        bell = Counter(map(tuple, result[0]))
        assert set(bell) == {(0, 0), (1, 1)}
        assert 400 < bell[0, 0] < 600
        assert result[1] == [[0, 0]] * 10
        assert result[2] == [[0, 0]] * 10
        deep = job(circuit([HALF] * 200, shots=1000))
        noisy = final_state(client, submit(client, deep, "lab/ibex"))
        assert len(set(map(tuple, noisy.result[0]))) == 4


@pytest.mark.parametrize("simulate", [True, False])
def test_seed(simulate):
    """The same seed and the same jobs give the same shots; another job gives others."""

    def outcomes(seed):
        body = job(circuit([HALF], shots=64), circuit([HALF], shots=64))
        with ArnicaServer(simulate=simulate, seed=seed) as server, client_of(server) as client:
            return [final_state(client, submit(client, body)).result for _ in range(2)]

    first, second = outcomes(1)
    assert outcomes(1) == [first, second]
    assert first != second
    assert first[0] != first[1]
    assert outcomes(2)[0] != first[0]


def test_large_circuit_with_noise(monkeypatch):
    """Aer computes few shots in a call, so that other threads have their turns in between."""
    calls, run = [], AerSimulator.run

    def counted(self, circuits, **options):
        calls.append(options["shots"])
        return run(self, circuits, **options)

    monkeypatch.setattr(AerSimulator, "run", counted)
    flipped = [{"operation": "R", "qubit": qubit, "phi": 0.0, "theta": 0.5} for qubit in range(14)]
    body = orjson.dumps(job(circuit(flipped, shots=10, qubits=14)))

    def outcomes(*, noisy):
        calls.clear()
        workload = AerSampler().read_job(body)
        workload.measure(0, noisy=noisy, seed=7)
        return orjson.loads(workload.result(seed=7))["0"]

    first = outcomes(noisy=True)
    assert calls == [4, 4, 2]
    assert len({tuple(shot) for shot in first}) == len(first) == 10
    assert outcomes(noisy=True) == first
    assert len(outcomes(noisy=False)) == 10
    assert calls == [10]
