"""Only type-checked: options that exist are completed, any others are refused.

Each ``type: ignore`` stands for an error that users see; one that is not needed fails.
"""

import copy

import numpy as np
from aqt_fast import AQTJob, AQTOptions, AQTProvider, AQTResource, JobsTable, RunOptions, execute
from aqt_fast.aqt_options import JobOptions
from aqt_fast.aqt_resource import OfflineSimulatorResource
from aqt_fast.devices import JobEstimate
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit
from typing_extensions import assert_type


def runs(circuit: QuantumCircuit, backend: AQTResource) -> None:
    """A misspelt option, or one of a wrong type, is an error in the editor already."""
    assert_type(backend.run(circuit, shots=5, memory=True, label=None), AQTJob)
    assert_type(backend.run([circuit], shots=np.array([5]), dry_run=True), JobEstimate)
    assert_type(execute(circuit, backend, shots=[5, np.int64(7)], tags=("a",)), AQTJob)
    backend.run(circuit, shotz=5)  # type: ignore[call-overload]
    backend.run(circuit, shots="5")  # type: ignore[arg-type]
    backend.run(circuit, memory="yes")  # type: ignore[call-overload]
    execute(circuit, backend, shotz=5)  # type: ignore[call-overload]
    backend.estimate(circuit, shots=5, optimization_level=1)
    backend.estimate(circuit, shotz=5)  # type: ignore[call-arg]


def together(circuit: QuantumCircuit, backend: AQTResource) -> AQTJob:
    """Options that belong together have a type of their own."""
    options: RunOptions = {"shots": 200, "max_cost": 5, "tags": ["calibration"]}
    misspelt: RunOptions = {"shotz": 200}  # type: ignore[typeddict-unknown-key]
    backend.set_options(**options)
    backend.set_options(memori=True)  # type: ignore[call-arg]
    assert_type(backend.options, AQTOptions)
    assert_type(backend.options.query_timeout_seconds, float | None)
    backend.options.memory = "yes"  # type: ignore[assignment]
    made = AQTOptions(**misspelt)
    made.update_options(query_period=1)  # type: ignore[call-arg]
    return backend.run(circuit, **options)


def jobs(circuit: QuantumCircuit, simulator: OfflineSimulatorResource) -> None:
    """Handles, copies and contexts keep their classes."""
    with AQTProvider("") as provider:
        assert_type(provider, AQTProvider)
        job = provider.job("id", memory=True, query_period_seconds=2)
        provider.job("id", tags=())  # type: ignore[call-arg]
    assert_type(job.options, JobOptions)
    assert_type(job.backend(), AQTResource)
    assert_type(copy.copy(simulator), OfflineSimulatorResource)
    assert_type(simulator.jobs(state="done", limit=3), JobsTable)
    simulator.jobs(stat="done")  # type: ignore[call-arg]
    simulator.jobs(state="finished")  # type: ignore[arg-type]
    simulator.run(circuit, executor=None, seed_simulator=5)
    simulator.run(circuit, executer=None)  # type: ignore[call-overload]


def primitives(backend: AQTResource) -> None:
    """What primitives are made with is completed, too."""
    sampler = AQTSampler(backend, options={"default_shots": 100, "run_options": {"tags": ["a"]}})
    assert_type(sampler.options.default_shots, int)
    AQTSampler(backend, options={"default_shotz": 5})  # type: ignore[arg-type]
    AQTEstimator(backend, {"default_precision": 0.1, "grouping": "general", "label": "VQE"})
    AQTEstimator(backend, {"grouping": "pairs"})  # type: ignore[arg-type]
    sampler.set_transpile_options(optimization_level=0)
    sampler.set_transpile_options(routing_method="sabre")  # type: ignore[call-arg]
