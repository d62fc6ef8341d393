"""Backends, primitives and errors on the way to the processes of real pools, and back."""

from __future__ import annotations

import functools
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

import pytest
from aqt_fast.exceptions import AQTCredentialsError, InvalidCircuitError, InvalidOptionError
from aqt_fast.primitives import AQTSampler
from clients import QUIET, device_of, machine_of
from executors import layers
from markers import marker, word
from pool_tasks import bits_of, fail, memory_of, refuse, set_environment
from qiskit import QuantumCircuit
from qiskit_aer.noise import NoiseModel, amplitude_damping_error

pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

WORKERS = 2


def settings():
    """The variables of the provider in this process."""
    return {name: value for name, value in os.environ.items() if name.startswith("AQT_")}


@contextmanager
def executor_of(method):
    """A pool of Python's own, as a function that calls another one for each item."""
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(WORKERS, context, set_environment, (settings(),)) as pool:
        yield lambda function, *items: list(pool.map(function, *items))


@contextmanager
def pool_of(method):
    """The older kind of pool."""
    context = multiprocessing.get_context(method)
    with context.Pool(WORKERS, set_environment, (settings(),)) as pool:
        yield lambda function, *items: pool.starmap(function, zip(*items, strict=True))


@contextmanager
def joblib_pool():
    """Processes of loky, as joblib uses them."""
    import joblib
    from joblib.externals.loky import get_reusable_executor

    with joblib.parallel_config("loky", n_jobs=WORKERS):
        yield lambda function, *items: joblib.Parallel()(map(joblib.delayed(function), *items))
    get_reusable_executor().shutdown()


@contextmanager
def dask_cluster():
    """A cluster of processes on this computer."""
    distributed = pytest.importorskip("distributed")
    settings = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": ":0"}
    with distributed.LocalCluster(**settings) as cluster, cluster.get_client() as client:
        yield lambda function, *items: client.gather(client.map(function, *items, pure=False))


POOLS = {
    **{
        f"executor, {method}": functools.partial(executor_of, method)
        for method in multiprocessing.get_all_start_methods()
    },
    "pool, fork": functools.partial(pool_of, "fork"),
    "joblib": joblib_pool,
    "dask": dask_cluster,
}


@pytest.fixture(params=POOLS.values(), ids=POOLS)
def pool_map(request, server, environment, monkeypatch):  # noqa: ARG001 - workers inherit it
    """Call a function in other processes, for each item."""
    monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
    with request.param() as call:
        yield call


@pytest.fixture
def noisy(provider):
    """A noisy simulator with a noise model and a seed of the user's."""
    noise = NoiseModel(basis_gates=["rz", "r", "rxx"])
    noise.add_all_qubit_quantum_error(amplitude_damping_error(0.2), ["r"])
    backend = provider.get_backend("offline_simulator_noise", available_qubits=5)
    backend.simulator.set_options(noise_model=noise)
    backend.set_options(shots=50, seed_simulator=6, **QUIET)
    return backend


def test_backends(pool_map, server, portal, noisy):
    """Outcomes are those of this process, and every kind of backend runs there."""
    device, machine = device_of(portal), machine_of(portal, server)
    batches = [[layers(seed) for seed in range(start, start + 4)] for start in range(0, 12, 4)]
    found = pool_map(memory_of, [noisy] * 3, batches)
    assert os.getpid() not in {process for process, _ in found}
    assert [memory for _, memory in found] == [memory_of(noisy, batch)[1] for batch in batches]

    numbers = range(4)
    found = pool_map(memory_of, [device] * 4, [[marker(number)] for number in numbers])
    assert [memory for _, memory in found] == [[[word(number)] * 100] for number in numbers]
    assert len(server.jobs) == 4
    found = pool_map(memory_of, [machine], [[marker(1)]])
    assert found[0][1] == [[word(1)] * 100]


def test_primitives(pool_map, noisy):
    """Samples are those of this process."""
    sampler = AQTSampler(noisy, options={"seed_simulator": 4, "default_shots": 30})
    circuits = [QuantumCircuit(2) for _ in range(2)]
    for number, circuit in enumerate(circuits):
        circuit.rx(number + 0.5, 0)
        circuit.cx(0, 1)
        circuit.measure_all()
    found = pool_map(bits_of, [sampler] * 2, [[circuit] for circuit in circuits])
    assert [bits for _, bits in found] == [bits_of(sampler, [circuit])[1] for circuit in circuits]


def test_errors(pool_map, noisy):
    """They arrive with their attributes."""
    bad = QuantumCircuit(1)
    bad.h(0)
    with pytest.raises(InvalidCircuitError) as error:
        pool_map(fail, [noisy], [[marker("1"), bad]])
    (problem,) = error.value.problems
    assert (problem.circuit, problem.operation) == (1, "h")
    assert "circuit 1" in str(error.value)


def test_no_token(device, monkeypatch):
    """A worker without a token says what it needs."""
    monkeypatch.delenv("AQT_TOKEN", raising=False)
    with executor_of("spawn") as pool_map, pytest.raises(AQTCredentialsError, match="AQT_TOKEN"):
        pool_map(fail, [device], [[marker(1)]])


def test_values_that_cannot_be_pickled(backend):
    """An error that holds one arrives, with its representation."""
    with executor_of("spawn") as pool_map, pytest.raises(InvalidOptionError) as error:
        pool_map(refuse, [backend])
    assert "<function" in str(error.value)
