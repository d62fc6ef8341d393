"""Jobs of offline simulators, saved here and restored there."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from aqt_fast import AQTJob, AQTOptions, execute
from aqt_fast.exceptions import (
    DamagedJobError,
    JobNotFoundError,
    UnsavableJobError,
)
from aqt_fast.store.checksummed_json import pack, unpack
from aqt_fast.store.job_directory import FORMAT

pytestmark = pytest.mark.all_qiskits


class TestPersistence:
    """Saved here, restored there."""

    def test_restore(self, provider, registers, tmp_path):
        """Circuits, options, register and noise come back; the job runs again."""
        backend = provider.get_backend("offline_simulator_noise", available_qubits=5)
        job = execute(
            registers, backend, shots=50, memory=True, seed_simulator=9, with_progress_bar=False
        )
        path = job.persist(store_path=tmp_path)
        assert path.is_relative_to(tmp_path)
        assert path.is_dir()
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path, remove_from_store=False)
        assert restored.job_id() != job.job_id()
        assert restored.circuits == job.circuits
        assert restored.options == job.options
        other = restored.backend()
        assert (other.name, other.num_qubits) == (backend.name, 5)
        assert other.simulator.options.noise_model == backend.simulator.options.noise_model
        assert restored.result().get_memory() == job.result().get_memory()
        assert path.exists()
        AQTJob.restore(job.job_id(), store_path=tmp_path).result()
        assert not path.exists()

    def test_custom_noise(self, provider, bell, tmp_path):
        """A noise model of the user's own comes back as well."""
        from qiskit_aer.noise import NoiseModel, depolarizing_error

        model = NoiseModel()
        model.add_all_qubit_quantum_error(depolarizing_error(0.5, 2), ["rxx"])
        backend = provider.get_backend("offline_simulator_no_noise")
        backend.simulator.set_options(noise_model=model)
        assert backend.with_noise_model
        job = backend.run(bell, with_progress_bar=False)
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert restored.backend().simulator.options.noise_model == model
        backend.simulator.set_options(method="density_matrix", zero_threshold=np.float32(0.5))
        job = backend.run(bell)
        job.persist(store_path=tmp_path)
        restored = AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert restored.backend().simulator.options.method == "density_matrix"
        assert restored.backend().simulator.options.zero_threshold == 0.5

    def test_what_cannot_be_saved(self, backend, bell, tmp_path):
        """``persist()`` refuses what could not be restored."""
        from qiskit import QuantumCircuit
        from qiskit_aer.noise import NoiseModel, QuantumError

        flip, error = QuantumCircuit(1, name="of_my_own"), QuantumCircuit(1)
        flip.x(0)
        error.append(flip.to_gate(), [0])
        model = NoiseModel()
        model.add_all_qubit_quantum_error(QuantumError([(error, 1)]), ["r"])
        backend.simulator.set_options(noise_model=model)
        with pytest.raises(UnsavableJobError, match=r"noise model cannot .*'of_my_own'"):
            AQTJob.persist(self.finished(backend, bell), store_path=tmp_path)
        backend.simulator.set_options(noise_model=None)
        for value in (math.inf, math.nan, [1]):
            backend.simulator.set_options(chop_threshold=value)
            with pytest.raises(UnsavableJobError, match="chop_threshold"):
                AQTJob.persist(self.finished(backend, bell), store_path=tmp_path)
        backend.simulator.set_options(chop_threshold=1e-8, seed_simulator=2**64)
        with pytest.raises(UnsavableJobError, match="seed_simulator"):
            AQTJob.persist(self.finished(backend, bell), store_path=tmp_path)
        backend.simulator.set_options(seed_simulator=None)
        bell.metadata = {"when": object()}
        with pytest.raises(UnsavableJobError, match="not JSON serializable"):
            backend.run(bell).persist(store_path=tmp_path)
        assert not list(tmp_path.iterdir())

    @staticmethod
    def finished(backend, circuit) -> AQTJob:
        """Run a circuit and wait for the end of the job."""
        job = backend.run(circuit)
        job.wait_for_final_state()
        return job

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("options", {"zz": 1}),
            ("options", None),
            ("options", {"shots": 0}),
            ("location", {}),
            ("location", {"kind": "simulator", "noise_model": 5, "simulator_options": {}}),
            ("location", {"kind": "simulator", "noise_model": {}, "simulator_options": {}}),
            (
                "location",
                {
                    "kind": "simulator",
                    "noise_model": {"errors": [{"type": "qerror", "instructions": []}]},
                    "simulator_options": {},
                },
            ),
            ("available_qubits", 10**18),
            ("available_qubits", 1),
            ("backend_name", "ibex"),
            ("job_id", "other"),
        ],
    )
    def test_readable_but_wrong(self, backend, bell, tmp_path, key, value):
        """Content with a valid checksum can still be unusable."""
        job = backend.run(bell)
        path = job.persist(store_path=tmp_path)
        file = path / "job.json"
        content = unpack("job", file.read_bytes(), FORMAT, file)
        assert key in content
        file.write_bytes(pack("job", {**content, key: value}, FORMAT))
        with pytest.raises(DamagedJobError, match=str(path)):
            AQTJob.restore(job.job_id(), store_path=tmp_path)
        assert path.exists()

    def test_other_process(self, backend, bell, tmp_path):
        """Another process restores the job from its identifier."""
        job = backend.run(bell, shots=11)
        job.persist(store_path=tmp_path)
        script = (
            "import sys; from aqt_fast import AQTJob; "
            "job = AQTJob.restore(sys.argv[1], access_token='', store_path=sys.argv[2]); "
            "print(sum(job.result().get_counts().values()))"
        )
        run = subprocess.run(  # noqa: S603
            [sys.executable, "-c", script, job.job_id(), str(tmp_path)],
            check=True,
            capture_output=True,
            text=True,
        )
        assert run.stdout == "11\n"

    def test_too_early(self, backend, bell, tmp_path):
        """A job without id cannot be saved."""
        job = AQTJob(backend, [bell], AQTOptions())
        with pytest.raises(RuntimeError, match=r"^Can only persist submitted jobs\.$"):
            job.persist(store_path=tmp_path)

    def test_unknown_and_damaged(self, backend, bell, tmp_path):
        """Typed errors, and the damaged file stays."""
        with pytest.raises(JobNotFoundError, match=r"no job 'x' in"):
            AQTJob.restore("x", store_path=tmp_path)
        for name in ("job.json", "circuits.qpy.zst"):
            job = backend.run(bell)
            path = job.persist(store_path=tmp_path) / name
            path.write_bytes(path.read_bytes()[:-20])
            before = path.read_bytes()
            with pytest.raises(DamagedJobError, match=str(path)):
                AQTJob.restore(job.job_id(), store_path=tmp_path)
            assert path.read_bytes() == before
