"""What notebooks show of backends, tables and primitives' jobs."""

from __future__ import annotations

import pytest
from aqt_fast.primitives import AQTEstimator, AQTSampler
from hostile import elements
from qiskit.quantum_info import SparsePauliOp
from visualization.pages import words


class TestBackends:
    """One backend, without asking anybody."""

    def test_offline(self, backend):
        """Gates, limits, and the options that somebody has changed."""
        page = words(backend._repr_html_())
        assert "offline_simulator_no_noise OfflineSimulatorResource online" in page
        assert "gates measure, r, rxx, rz" in page
        assert "any number of circuits, each with any number of shots" in page
        assert "options with_progress_bar = False" in page

    def test_device(self, portal):
        """With its figures and the limits of an API job."""
        page = portal.get_backend("ibex")._repr_html_()
        assert "an API job up to 50 circuits, each with up to 2000 shots" in words(page)
        assert "Characterisation" in page
        assert "r on qubit 0" in page
        assert page.count("<style>") == 1
        elements(page)

    def test_machine(self, machine):
        """It has no figures."""
        page = words(machine._repr_html_())
        assert "direct_access" in page
        assert "Characterisation" not in page


class TestPrimitives:
    """The jobs, and what was made of their outcomes once somebody has asked for it."""

    def test_estimator(self, backend, bell):
        """The first values of each PUB, with their standard errors."""
        bare = bell.remove_final_measurements(inplace=False)
        observables = [SparsePauliOp("ZZ"), SparsePauliOp("XX")] * 3
        job = AQTEstimator(backend).run([(bare, observables)])
        job.wait_for_final_state()
        assert "AQTPrimitiveJob done" in words(job._repr_html_())
        assert "PUB" not in job._repr_html_()
        job.result()
        page = words(job._repr_html_())
        assert "Results of 1 of 1 PUBs" in page
        assert "1 ± 0" in page
        assert "…" in page

    def test_sampler(self, backend, bell):
        """The registers."""
        job = AQTSampler(backend).run([bell], shots=30)
        job.result()
        assert "meas: 2 bits, 30 shots" in words(job._repr_html_())

    def test_nothing_to_run(self, backend):
        """A job without circuits has a page, too."""
        job = AQTSampler(backend).run([])
        job.result()
        assert "nothing had to be run" in words(job._repr_html_())


@pytest.mark.usefixtures("environment")
def test_jobs_table(portal, device, circuit):
    """States have their colours, identifiers are whole."""
    job = device.run(circuit)
    job.result()
    page = portal.jobs()._repr_html_()
    assert '<span class="aqt-state aqt-done">done</span>' in page
    assert job.job_id() in page
