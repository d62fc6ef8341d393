"""Noise twins as backends: what they imitate, and that it lasts."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import combinations

import pytest
from aqt_fast import AQTJob, AQTProvider
from aqt_fast.aqt_provider import CharacterisationWarning
from aqt_fast.devices import Characterisation, Measured
from aqt_fast.exceptions import (
    CharacterisationNotFoundError,
    DamagedJobError,
    InvalidOptionError,
    UnusableFiguresError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.primitives.estimation.gate_errors import GateErrors
from qiskit import QuantumCircuit, transpile
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel, depolarizing_error
from store.samples import rewritten

MEASURED_AT = datetime(2026, 11, 20, 8, 30, tzinfo=timezone.utc)
QUIET = {"with_progress_bar": False}


def known(num_qubits: int = 5, **changes) -> Characterisation:
    """A device whose qubits and pairs differ."""
    figures = {
        "r_fidelity": {qubit: Measured(0.999 - 0.001 * qubit) for qubit in range(num_qubits)},
        "rxx_fidelity": {
            (a, b): Measured(0.99 - 0.005 * a - 0.001 * b)
            for a, b in combinations(range(num_qubits), 2)
        },
        "spam_fidelity": 0.99,
        "t1": Measured(1.14, 0.06),
        "t2": Measured(0.45, 0.07),
        "r_duration": 15e-6,
        "rxx_duration": 200e-6,
        "readout_duration": 2.5e-3,
        "updated_at": MEASURED_AT,
    }
    return Characterisation("ibex", "lab", num_qubits, **{**figures, **changes})


@pytest.fixture
def twin(provider):
    """The twin of such a device."""
    return provider.get_noise_twin(known())


def ghz(backend, num_qubits: int = 4) -> QuantumCircuit:
    """A state of several qubits, in the device's gates."""
    circuit = QuantumCircuit(num_qubits)
    circuit.h(0)
    for qubit in range(1, num_qubits):
        circuit.cx(0, qubit)
    circuit.measure_all()
    return transpile(circuit, backend)


def pickled(value):
    """What comes out of a pickle."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301


class TestIdentity:
    """What it tells of itself."""

    def test_names(self, twin):
        """Device and time."""
        assert twin.name == "noise_twin_ibex"
        assert twin.description == "Noise twin of ibex, characterised 2026-11-20 08:30 UTC"
        told = "<NoiseTwin('noise_twin_ibex'), 5 qubits, characterised 2026-11-20 08:30 UTC>"
        assert repr(twin) == told
        assert twin.characterisation == known()
        assert twin.with_noise_model

    @pytest.mark.parametrize(
        ("fetched_at", "told"), [(MEASURED_AT, "fetched 2026-11-20 08:30 UTC"), (None, "undated")]
    )
    def test_without_time(self, provider, fetched_at, told):
        """When figures were fetched is the next best."""
        twin = provider.get_noise_twin(known(updated_at=None, fetched_at=fetched_at))
        assert twin.description == f"Noise twin of ibex, {told}"

    def test_control_characters(self, provider):
        """A name from the portal cannot write to the terminal."""
        twin = provider.get_noise_twin(replace(known(), resource_id="ib\x1b[31mex"))
        assert repr(twin).isprintable()
        assert twin.description.isprintable()

    def test_limits(self, twin):
        """Qubits and operations of the device, any number of circuits and shots."""
        assert twin.num_qubits == twin.limits.qubits == 5
        assert twin.limits.operations == 2000
        assert twin.limits.circuits is twin.limits.shots is None

    def test_target(self, twin):
        """It has the errors of the noise, and the times of the device."""
        target = twin.target
        assert target.get("r")[(2,)].error == pytest.approx(0.003)
        assert target.get("rxx")[3, 1].error == target.get("rxx")[1, 3].error
        assert target.get("rxx")[1, 3].error == pytest.approx(0.018)
        assert target.get("rxx")[1, 3].duration == 200e-6
        assert target.get("measure")[(0,)].error == pytest.approx(0.01)
        assert target.get("rz")[(0,)].error == 0
        assert target.qubit_properties[4].t2 == 0.45

    def test_process_fidelity(self, provider):
        """The target's errors are those of average fidelities, however the figures are read."""
        twin = provider.get_noise_twin(known(), fidelity="process")
        assert twin.target.get("r")[(2,)].error == pytest.approx(0.002)
        assert twin.target.get("rxx")[1, 3].error == pytest.approx(0.018 * 4 / 5)

    def test_estimator(self, twin):
        """The estimator plans with the errors of the pairs."""
        errors = GateErrors.of_backend(twin)
        assert errors.of_pairs[3, 1] == pytest.approx(0.018)

    def test_result(self, twin):
        """A result tells whose noise it has, and of when."""
        job = twin.run(ghz(twin), shots=10, **QUIET)
        result = job.result()
        assert result.backend_name == "noise_twin_ibex"
        assert result.to_dict()["header"]["noise_twin"] == {
            "resource_id": "ibex",
            "workspace_id": "lab",
            "updated_at": MEASURED_AT.isoformat(),
            "fetched_at": None,
            "fidelity": "average",
            "relaxation": True,
            "idle": False,
            "over_rotation": 0.0,
            "crosstalk": 0.0,
        }


class TestSources:
    """Of what a twin is made."""

    def test_backend(self, shared_server):
        """A device in the cloud, whose figures the portal publishes."""
        with AQTProvider(shared_server.token, portal_url=shared_server.url) as portal:
            device = portal.get_backend("ibex")
            twin = portal.get_noise_twin(device)
        assert twin.characterisation == device.characterisation
        assert twin.num_qubits == device.num_qubits
        assert twin.target.get("rxx")[0, 1].error == device.target.get("rxx")[0, 1].error

    def test_twin(self, provider, twin):
        """A twin's twin has the same noise, or other settings."""
        again = provider.get_noise_twin(twin, relaxation=False)
        assert (again.name, again.characterisation) == (twin.name, twin.characterisation)
        assert again.noise.relaxation is None

    @pytest.mark.parametrize("kind", [str, lambda path: path])
    def test_file(self, provider, tmp_path, kind):
        """A saved characterisation."""
        known().save(tmp_path / "ibex.json")
        assert provider.get_noise_twin(kind(tmp_path / "ibex.json")).characterisation == known()

    def test_no_figures(self, provider, backend):
        """An ideal simulator has none."""
        with pytest.raises(CharacterisationNotFoundError, match="offline_simulator_no_noise' has"):
            provider.get_noise_twin(backend)

    @pytest.mark.parametrize("source", [None, 7, {"t1": 1}])
    def test_wrong(self, provider, source):
        """Anything else."""
        with pytest.raises(InvalidOptionError, match="device must be a backend, a char"):
            provider.get_noise_twin(source)

    def test_contradictions(self, provider):
        """A warning points at the caller, and the twin can be used."""
        with pytest.warns(CharacterisationWarning, match="T2 is 3.0 s") as told:
            twin = provider.get_noise_twin(known(t2=Measured(3.0)))
        assert told[0].filename == __file__
        assert twin.run(ghz(twin), shots=10, **QUIET).result().success

    def test_missing_figures(self, provider):
        """What is missing is told before anything runs, and can be filled in."""
        with pytest.raises(UnusableFiguresError, match="t1 is missing; t2 is missing"):
            provider.get_noise_twin(known(t1=None, t2=None))
        filled = replace(known(t1=None, t2=None), t1=Measured(1.1), t2=Measured(0.4))
        assert provider.get_noise_twin(filled).noise.relaxation.t2 == 0.4


class TestTime:
    """``at`` chooses among the characterisations that were kept."""

    @pytest.fixture(autouse=True)
    def _kept(self, provider):
        for day in (2, 9, 4):
            moment = MEASURED_AT - timedelta(days=day)
            provider.keep_characterisation(
                known(updated_at=moment, spam_fidelity=0.99 - 0.01 * day)
            )
        other = replace(known(updated_at=MEASURED_AT - timedelta(days=3)), resource_id="ibex2")
        provider.keep_characterisation(other)

    @pytest.mark.parametrize(
        ("days", "chosen"), [(0, 0), (1, 2), (2, 2), (3, 4), (4, 4), (8.9, 9), (9, 9)]
    )
    def test_newest_not_later(self, provider, days, chosen):
        """Of all that are kept and the given one."""
        twin = provider.get_noise_twin(known(), at=MEASURED_AT - timedelta(days=days))
        assert twin.characterisation.updated_at == MEASURED_AT - timedelta(days=chosen)
        assert twin.noise.readout_error == pytest.approx(0.01 * (1 + chosen))

    def test_too_early(self, provider):
        """There is none so old."""
        at = MEASURED_AT - timedelta(days=10)
        with pytest.raises(CharacterisationNotFoundError, match="oldest are of 2026-11-11") as told:
            provider.get_noise_twin(known(), at=at)
        assert (told.value.resource_id, told.value.at) == ("ibex", at)
        with pytest.raises(CharacterisationNotFoundError, match="none were kept"):
            provider.get_noise_twin(replace(known(updated_at=None), resource_id="ib"), at=at)

    @pytest.mark.usefixtures("in_india")
    def test_local_time(self, provider):
        """A time without a zone is local."""
        at = datetime(2026, 11, 18, 14, 0)  # noqa: DTZ001 - that of the computer
        twin = provider.get_noise_twin(known(), at=at)
        assert twin.characterisation.updated_at == MEASURED_AT - timedelta(days=2)

    def test_wrong(self, provider):
        """What is no time, or has none."""
        for wrong in ("2026-11-20", 0, datetime.min):  # noqa: DTZ901 - no zone reaches so far
            with pytest.raises(InvalidOptionError, match="at must be a datetime or None"):
                provider.get_noise_twin(known(), at=wrong)
        with pytest.raises(CharacterisationNotFoundError, match="none whose time is known"):
            provider.keep_characterisation(known(updated_at=None))

    def test_odd_names(self, provider):
        """Identifiers that are no names of files stay apart."""
        for name in ("..", "a/b", "a", "a@", "ä"):
            path = provider.keep_characterisation(replace(known(), resource_id=name))
            assert path.parent == provider.store_path / "characterisations"
        later = MEASURED_AT + timedelta(days=1)
        for name in ("..", "a/b", "a", "a@", "ä"):
            unknown = replace(known(updated_at=None), resource_id=name)
            assert provider.get_noise_twin(unknown, at=later).name == f"noise_twin_{name}"
        assert len(provider.jobs()) == 0

    def test_other_devices(self, provider):
        """Of the same name, in another workspace or of another size, are others."""
        provider.keep_characterisation(known())
        later = MEASURED_AT + timedelta(days=1)
        assert provider.get_noise_twin(known(updated_at=None), at=later)
        for other in ({"workspace_id": "default"}, {"num_qubits": known().num_qubits + 1}):
            with pytest.raises(CharacterisationNotFoundError, match="none were kept"):
                provider.get_noise_twin(replace(known(updated_at=None), **other), at=later)

    def test_kept_by_the_portal_only_now(self, shared_server):
        """What a device publishes is kept under its time."""
        with AQTProvider(shared_server.token, portal_url=shared_server.url) as portal:
            device = portal.get_backend("ibex")
            path = portal.keep_characterisation(device)
        assert Characterisation.load(path) == device.characterisation


class TestSaved:
    """Jobs bring their noise along."""

    def test_restored(self, twin, tmp_path):
        """The same backend and the same outcomes, although the device has other figures now."""
        job = twin.run(ghz(twin), shots=300, seed_simulator=5, **QUIET)
        expected = job.result()
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        backend = again.backend()
        assert repr(backend) == repr(twin)
        assert backend.noise == twin.noise
        assert backend.target.get("rxx")[0, 1].error == twin.target.get("rxx")[0, 1].error
        result = again.result()
        assert result.get_counts() == expected.get_counts()
        assert result.header == expected.header

    @pytest.mark.parametrize("settings", [{"fidelity": "process"}, {"relaxation": False}])
    def test_settings(self, provider, tmp_path, settings):
        """So is how the noise was made."""
        twin = provider.get_noise_twin(known(), **settings)
        job = twin.run(ghz(twin), shots=10, **QUIET)
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert restored.backend().noise == twin.noise

    def test_listed(self, twin):
        """The table of jobs has it under its name."""
        job = twin.run(ghz(twin), shots=10, **QUIET)
        job.persist()
        assert [entry.job_id for entry in twin.jobs()] == [job.job_id()]
        assert twin.retrieve_job(job.job_id()).backend().noise == twin.noise

    def test_other_noise(self, twin, tmp_path):
        """Noise that the user has put in its place is restored; the backend is still the twin."""
        model = NoiseModel(basis_gates=["rz", "r", "rxx"])
        model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), ["rxx"])
        twin.simulator.set_options(noise_model=model, method="density_matrix")
        job = twin.run(ghz(twin), shots=10, **QUIET)
        assert job.result().header is None
        job.persist(store_path=tmp_path)
        backend = AQTJob.restore(job.job_id(), store_path=tmp_path).backend()
        assert backend.noise == twin.noise
        assert backend.simulator.options.noise_model == model
        assert backend.simulator.options.method == "density_matrix"

    def test_noise_elsewhere(self, backend, twin, bell, tmp_path):
        """A simulator that was given the noise of a twin has it after restoring, too."""
        backend.simulator.set_options(noise_model=twin.simulator.options.noise_model)
        job = backend.run(bell, shots=200, seed_simulator=1)
        job.persist(store_path=tmp_path)
        again = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert again.backend().name == backend.name
        assert again.backend().simulator.options.noise_model.noise == twin.noise
        assert again.result().get_counts() == job.result().get_counts()
        assert again.result().header == job.result().header == {"noise_twin": twin.noise.origin}

    @pytest.mark.parametrize(
        "damage", [{}, {"device": {}, "settings": {}}, {"device": None, "settings": {"x": 1}}]
    )
    def test_damaged(self, twin, tmp_path, damage):
        """Noise that cannot be read."""
        job = twin.run(ghz(twin), shots=10, **QUIET)
        path = job.persist(store_path=tmp_path)
        location = {
            "kind": "simulator",
            "noise_model": None,
            "simulator_options": {},
            "twin": damage,
        }
        rewritten(path / "job.json", location=location)
        with pytest.raises(DamagedJobError):
            AQTJob.restore(job.job_id(), store_path=tmp_path)


class TestCopies:
    """Copies and pickles have the same noise."""

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickled])
    @pytest.mark.parametrize("used", [False, True])
    def test_copies(self, twin, copied, used):
        """Before and after the first job."""
        options = {"shots": 200, "seed_simulator": 3, **QUIET}
        if used:
            twin.run(ghz(twin), **options).result()
        again = copied(twin)
        assert (again.name, again.noise) == (twin.name, twin.noise)
        expected = twin.run(ghz(twin), **options).result().get_counts()
        assert again.run(ghz(twin), **options).result().get_counts() == expected

    def test_fixed(self, provider):
        """The noise model is the same object in all copies, so nobody may change it."""
        model = provider.get_noise_twin(known(2)).simulator.options.noise_model
        assert copy.deepcopy(model) is copy.copy(model) is model
        again = pickled(model)
        assert again == model
        assert again.noise == model.noise
        error = depolarizing_error(0.1, 1)
        for change in (
            lambda: model.add_all_qubit_quantum_error(error, ["r"]),
            lambda: model.add_quantum_error(error, ["r"], [0]),
            lambda: model.add_all_qubit_readout_error([[1, 0], [0, 1]]),
            lambda: model.add_readout_error([[1, 0], [0, 1]], [0]),
            model.reset,
        ):
            with pytest.raises(TypeError, match="cannot be changed"):
                change()
        assert again == model

    def test_pickled_job(self, twin):
        """The result of a job in a pickle tells whose noise it has."""
        job = twin.run(ghz(twin), shots=10, **QUIET)
        again = pickled(job)
        assert again.backend().noise == twin.noise
        assert again.result().to_dict() == job.result().to_dict()

    def test_executor(self, twin):
        """Processes get the noise, and give the same outcomes."""
        circuits = [ghz(twin, size) for size in (2, 3, 4, 5)]
        options = {"shots": 100, "seed_simulator": 4, "memory": True, **QUIET}
        expected = twin.run(circuits, **options).result()
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            result = twin.run(circuits, executor=pool, **options).result()
        assert result.header == expected.header
        for index in range(len(circuits)):
            assert result.get_memory(index) == expected.get_memory(index)


class TestUse:
    """Jobs on a twin."""

    def test_model_of_a_run(self, twin):
        """The model that Aer gets has the gates of the circuits only, and the same effect."""
        model = twin.simulator.options.noise_model
        circuits = [ghz(twin, size) for size in (2, 3)]
        part = model.of_gates(circuits)
        pairs = {tuple(entry["gate_qubits"][0]) for entry in part.to_dict()["errors"][:-1]}
        assert pairs == {(0,), (1,), (2,), (0, 1), (0, 2)} | pairs & {(1, 2)}
        assert part.noise_instructions == model.noise_instructions
        runs = [
            twin.simulator.run(circuits, shots=500, seed_simulator=1, noise_model=found).result()
            for found in (part, model)
        ]
        assert runs[0].get_counts() == runs[1].get_counts()

    def test_primitives(self, twin):
        """Expectation values shrink."""
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        (result,) = (
            AQTEstimator(twin).run([(circuit, SparsePauliOp("ZZ"))], precision=0.01).result()
        )
        assert 0.85 < result.data.evs < 0.97
        (sampled,) = AQTSampler(twin).run([ghz(twin, 2)], shots=100).result()
        assert sampled.data.meas.num_shots == 100
