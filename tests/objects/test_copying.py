"""Copies of providers, backends, jobs and what belongs to them."""

from __future__ import annotations

import copy

import pytest
from aqt_fast import AQTJob
from aqt_fast.primitives import AQTEstimator, AQTSampler
from clients import device_of, machine_of
from markers import marker
from qiskit.providers import JobStatus

COPIES = pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])


@pytest.fixture
def backends(portal, server, backend):
    """One of each kind."""
    noisy = portal.get_backend("offline_simulator_noise")
    noisy.set_options(with_progress_bar=False)
    return [device_of(portal), machine_of(portal, server), backend, noisy]


@COPIES
class TestBackends:
    """A copy is a backend like the original, with options of its own."""

    def test_options(self, backends, copied):
        """Changes of one do not show in the other."""
        for original in backends:
            original.set_options(shots=8)
            other = copied(original)
            assert type(other) is type(original)
            assert other.options == original.options
            other.set_options(shots=3)
            other.options.memory = True
            assert dict(original.options)["shots"] == 8
            assert original.options.memory is False
            original.set_options(shots=5)
            assert other.options.shots == 3

    def test_provider(self, backends, copied):
        """Copies share the provider and its connections."""
        for original in backends:
            assert copied(original).provider is original.provider
            assert copied(original.provider) is original.provider

    def test_runs(self, server, backends, copied):
        """They run, also if the original does not exist any more."""
        others = [copied(backend) for backend in backends]
        backends.clear()
        for other in others:
            counts = other.run(marker("01"), shots=4).result().get_counts()
            assert set(counts) <= {"00", "01", "10", "11"}
            assert counts == {"01": 4} or "noise" in other.name
        assert len(server.jobs) == 2

    @pytest.mark.parametrize("loaded", [True, False])
    def test_simulator(self, provider, bell, copied, loaded):
        """Each copy has a simulator of its own, with the original's present options."""
        original = provider.get_backend("offline_simulator_noise")
        original.set_options(with_progress_bar=False, memory=True, seed_simulator=2)
        if loaded:
            original.simulator.set_options(method="density_matrix")
        other = copied(original)
        memory = original.run(bell).result().get_memory()
        assert other.run(bell).result().get_memory() == memory
        other.simulator.set_options(noise_model=None)
        assert original.with_noise_model
        assert not other.with_noise_model
        assert original.run(bell).result().get_memory() == memory

    def test_target(self, backend, copied):
        """A change of the target of a deep copy stays there."""
        other = copied(backend)
        other.target.dt = 1e-6
        assert (backend.target.dt is None) is (copied is copy.deepcopy)

    def test_within_a_container(self, backends, copied):
        """A backend that occurs twice is copied once."""
        twice = {"one": backends[0], "other": backends[0]}
        other = copied(twice)
        assert other["one"] is other["other"]


@COPIES
class TestPrimitives:
    """A copy of a primitive has options of its own."""

    @pytest.mark.parametrize("kind", [AQTSampler, AQTEstimator])
    def test_options(self, backend, copied, kind):
        """Changes of one do not show in the other."""
        original = kind(backend, options={"seed_simulator": 3})
        other = copied(original)
        other.options.seed_simulator = 4
        assert original.options.seed_simulator == 3
        assert type(other) is kind


@COPIES
class TestJobs:
    """A copy of a job is the job: it cannot run twice."""

    def test_submitted(self, server, device, copied):
        """Running or not."""
        job = device.run(marker("1"))
        assert copied(job) is job
        assert copied([job])[0].result().get_counts() == {"1": 100}
        assert len(server.jobs) == 1

    def test_not_submitted(self, server, device, copied):
        """The first handle that submits it decides."""
        job = AQTJob(device, [marker("1")], device.options)
        copied(job).submit()
        assert job.status() is not JobStatus.INITIALIZING
        with pytest.raises(RuntimeError, match="already submitted"):
            job.submit()
        assert job.result().success
        assert len(server.jobs) == 1


def test_tables(portal):
    """A deep copy of a table has copies of its backends."""
    table = portal.backends()
    other = copy.deepcopy(table)
    assert str(other) == str(table)
    other[0].set_options(shots=3)
    assert table[0].options.shots == 100
