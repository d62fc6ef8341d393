"""The record of accepted jobs."""

import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from aqt_fast.testing import ArnicaServer, circuit_digest, count_runs
from server.cloud_client import client_of, final_state, flips, job, state, submit


def test_record():
    """It holds each accepted job, and how many times each circuit ran."""
    bodies = [job(flips(1), flips(2), label="a"), job(flips(1, shots=7), flips(1))]
    with ArnicaServer(simulate=False, identify_circuits=True) as server:
        with client_of(server) as client:
            ids = [submit(client, body) for body in bodies]
            for job_id in ids:
                final_state(client, job_id)
            state(client, ids[0])
            first, second = server.jobs
            assert [first.job_id, second.job_id] == ids
            assert (first.label, second.label) == ("a", None)
            assert (first.repetitions, second.repetitions) == ((10, 10), (7, 10))
            assert (first.fetches, second.fetches) == (2, 1)
            assert first.runs == second.runs == (1, 1)
            assert count_runs(server.jobs) == {
                circuit_digest(flips(1)): 2,
                circuit_digest(flips(2)): 1,
                circuit_digest(flips(1, shots=7)): 1,
            }
        response = httpx.get(f"{server.url}/testing/record", trust_env=False)
        assert response.json() == json.loads(json.dumps(server.record()))
        assert [entry["job_id"] for entry in response.json()["jobs"]] == ids
        assert server.token not in response.text
    with ArnicaServer(simulate=False) as server, client_of(server) as client:
        submit(client, bodies[0])
        with pytest.raises(LookupError, match="identify_circuits"):
            count_runs(server.jobs)


def test_two_threads(server):
    """Two threads submit jobs: each result belongs to its job, each circuit runs once."""

    def run_jobs(thread):
        """Return expected and actual results on the ideal simulator."""
        expected, results = [], []
        with client_of(server) as client:
            for number in range(8):
                value = (thread * 8 + number) % 16
                place = ("default/simulator_ideal", "lab/ibex")[number % 2]
                last = final_state(client, submit(client, job(flips(value)), place))
                if place.startswith("default"):
                    expected.append({0: [[value >> qubit & 1 for qubit in range(4)]] * 10})
                    results.append(last.result)
        return expected, results

    with ThreadPoolExecutor(2) as threads:
        for expected, results in threads.map(run_jobs, range(2)):
            assert results == expected
    assert [accepted.runs for accepted in server.jobs] == [(1,)] * 16
