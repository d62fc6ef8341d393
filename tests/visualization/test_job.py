"""What notebooks and terminals show of a job."""

from __future__ import annotations

import os
import re

import pytest
from aqt_fast import v2
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.testing import ArnicaServer
from clients import connect, device_of
from forking import in_fork
from hostile import HOSTILE, assert_shown, elements
from visualization.pages import fills, words
from waiting import wait_until


def test_before_submission(backend, bell):
    """There is a page of a job that was not submitted."""
    job = backend.job_class(backend, [bell] * 3, backend.options)
    assert "3 circuits AQTJob not submitted 0 of 3 circuits (0.0 %)" in words(job._repr_html_())
    assert str(job.summary()).startswith("AQTJob 3 circuits\nstate     not submitted\n")


def test_offline(backend, bell):
    """State, progress, and the counts of the first circuit, with the number of its shots."""
    job = backend.run([bell] * 3, shots=50)
    counts = job.result().get_counts(0)
    page = job._repr_html_()
    assert "done 3 of 3 circuits (100.0 %)" in words(page)
    assert "Circuit 0 (" in page
    for outcome, number in counts.items():
        assert f"{outcome} {number} ({2 * number}.0 %)" in words(page)
    assert "API job" not in page
    assert "Results of 3 of 3 circuits" in page


def test_chosen_circuit(backend, bell, circuit):
    """Another circuit can be chosen, and only one that exists."""
    job = backend.run([bell, circuit], shots=50)
    job.result()
    assert "0 50 (100.0 %)" in words(job.summary(1)._repr_html_())
    for index in (2, -1, "0"):
        with pytest.raises(InvalidOptionError, match="circuit"):
            job.summary(index)


def test_registers(backend, registers):
    """Outcomes are written as ``Result.get_counts`` has them."""
    job = backend.run(registers, shots=20, optimization_level=1)
    (outcome, *_) = job.result().get_counts()
    assert f"{outcome} " in words(job._repr_html_())
    assert " " in outcome


class TestApiJobs:
    """Those of a job in the cloud."""

    def test_queued_and_running(self, server, device, circuit):
        """All are listed, without waiting, whatever is known of their times."""
        server.hold()
        job = device.run([circuit] * 120, shots=50)
        wait_until(lambda: job.queue_info().unsent == 0)
        page = words(job._repr_html_())
        assert "0 of 120 circuits" in page
        assert re.search("3 API jobs: (3 queued|2 queued, 1 running)", page)
        assert "Circuit 0" not in page
        server.release()
        job.result()
        page = job._repr_html_()
        assert "3 API jobs: 3 done" in page
        assert fills(page).count("done") == 4  # the progress bar, and a row each
        assert "0 50 (100.0 %)" in words(page)

    def test_some_failed(self, server, device, circuit):
        """The reason, whose page nothing of it can change; the results of the others."""
        server.fail_jobs(HOSTILE, 1)
        job = device.run([circuit] * 100, shots=50, label="<i>mine</i>")
        job.result()
        page = job._repr_html_()
        assert "&lt;i&gt;mine&lt;/i&gt;" in page
        assert "2 API jobs: 1 done, 1 failed" in page
        assert "failed 50 of 100 circuits (50.0 %)" in words(page)
        kinds = {tag for tag, *_ in elements(page)}
        assert kinds <= {
            *("div", "span", "style", "details", "summary"),
            *("table", "thead", "tbody", "tr", "th", "td"),
        }
        attributes = {name for _, *names in elements(page) for name in names}
        assert attributes <= {"class", "style", "title", "open"}
        assert_shown(str(job.summary()).replace("\n", " "), 1)

    def test_cancelled(self, server, device, circuit):
        """An API job that never ran has no time on the device."""
        server.hold()
        job = device.run(circuit)
        job.job_id()
        job.cancel()
        job.wait_for_final_state()
        assert "1 API job: 1 cancelled" in job._repr_html_()

    def test_machine(self, machine, circuit):
        """Each circuit is an API job, from the end of the one before to its own."""
        job = machine.run([circuit] * 3)
        job.result()
        times = job.summary().api_jobs
        assert [each.state for each in times] == ["done"] * 3
        assert times[0].started_at == job.creation_date
        assert [each.started_at for each in times[1:]] == [each.ended_at for each in times[:2]]

    @pytest.mark.usefixtures("environment")
    def test_restored(self, device, circuit):
        """Another handle has the same times: the stored answers tell them."""
        job = device.run([circuit] * 60)
        job.result()
        again = type(job).restore(job.batch_id)
        again.result()
        assert again.summary().api_jobs == job.summary().api_jobs

    def test_part_that_has_ended(self, circuit):
        """The counts of a circuit are there as soon as its API job has ended."""
        with ArnicaServer(simulate=False) as server, connect(server) as provider:
            device = device_of(provider)
            server.hold()
            job = device.run([circuit] * 120, shots=50)
            job.job_id()
            server.release(50)
            parts = job.as_completed()
            part = next(parts)
            chosen = job.summary(part.circuits[0]).chosen
            assert chosen.counts == {"0": 50}
            server.release()
            job.result()


class TestElsewhere:
    """Jobs that this process has not made, or does not run."""

    def test_by_id_alone(self, portal, device, circuit):
        """Without the circuits, their number is known at the end."""
        job = device.run([circuit] * 3, journal=False)
        job.result()
        alone = portal.job(job.job_id())
        assert "AQTJob" in words(alone._repr_html_())
        alone.result()
        assert "done" in words(alone._repr_html_())

    def test_in_a_fork(self, server, device, circuit):
        """A fork tells which process has the running job; it waits for no lock of it."""
        server.hold()
        job = device.run(circuit)
        job.job_id()
        told = in_fork(lambda: str(job.summary()))
        assert f"state      in process {os.getpid()}" in told
        server.release()
        job.result()
        assert "state          done" in in_fork(lambda: str(job.summary()))

    def test_the_face_of_version_2(self, circuit):
        """Its jobs are ours."""
        job = v2.AQTProvider().offline.ideal().run(circuit, shots=7)
        job.result()
        assert "OfflineSimulatorJob done" in words(job._repr_html_())


def test_nothing_is_loaded(backend, bell):
    """No scripts, no addresses, no imports."""
    job = backend.run(bell)
    job.result()
    for word in ("script", "http", "url(", "@import", "src=", "href"):
        assert word not in job._repr_html_().lower()
