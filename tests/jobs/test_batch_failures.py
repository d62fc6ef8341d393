"""Batches of which a part fails, and the others do not."""

from __future__ import annotations

import pytest
from aqt_fast.exceptions import (
    IncompleteBatchError,
    ResultExpiredError,
    SubmissionUncertainError,
)
from markers import marker_counts, markers
from qiskit.providers import JobStatus
from waiting import SECONDS


class TestFailures:
    """One part fails, and the others keep their results."""

    def test_failed_part(self, server, device):
        """A failed part is named with its circuits, and resubmitted on request only."""
        server.hold()
        job = device.run(markers(range(120)), shots=2)
        server.fail_jobs("the ions have left", 1)
        server.release()
        result = job.result()
        assert not result.success
        failed = [index for index, entry in enumerate(result.results) if not entry.success]
        assert len(failed) in (20, 50)
        first, last = failed[0], failed[-1]
        expected = f"API job {first // 50 + 1} (circuits {first} to {last}): the ions have left"
        assert job.error_message == result.status == expected
        assert result.to_dict()["error"] == expected
        assert job.status() is JobStatus.ERROR
        good = (last + 1) % 120
        assert result.get_counts(good) == marker_counts([good], 2)[0]
        assert len(server.jobs) == 3
        assert job.resubmit_failed() == 1
        assert job.result().get_counts() == marker_counts(range(120), 2)
        assert job.status() is JobStatus.DONE
        assert len(server.jobs) == 4
        assert server.jobs[-1].label.endswith("] (again 1)")
        assert job.resubmit_failed() == 0

    @pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
    def test_uncertain_part(self, server, device, kind):
        """An uncertain part is named, the others have results; adopt or resubmit it."""
        server.faults.next(kind, method="POST")
        job = device.run(markers(range(120)), shots=2, label="b")
        with pytest.raises(IncompleteBatchError, match=r"partial=True") as caught:
            job.result()
        (failure,) = caught.value.failures
        assert isinstance(failure.error, SubmissionUncertainError)
        assert failure.label == failure.error.label == f"b [{failure.part + 1}/3]"
        partial = job.result(partial=True)
        assert [index for index, entry in enumerate(partial.results) if not entry.success] == list(
            failure.circuits
        )
        assert job.resubmit_failed() == 0
        accepted = {record.label: record.job_id for record in server.jobs}
        if kind == "reset_after":
            with pytest.raises(LookupError, match="no uncertain submission"):
                job.adopt("other", accepted[failure.label])
            with pytest.raises(ValueError, match="UUID"):
                job.adopt(failure.label, "not an id")
            job.adopt(failure.label, accepted[failure.label])
            assert len(server.jobs) == 3
        else:
            assert failure.label not in accepted
            assert job.resubmit_failed(uncertain=True) == 1
        assert job.result().get_counts() == marker_counts(range(120), 2)
        assert len(server.jobs) == 3
        assert all(set(record.runs) == {1} for record in server.jobs)

    def test_all_at_once(self, server, device):
        """Adopt one API job, submit one again, and request the expired result again."""
        server.faults.next("500_after", method="POST")
        server.faults.next("500", method="POST")
        server.faults.next("410", method="GET", path="/result/")
        job = device.run(markers(range(151)), shots=3)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        errors = [item.error for item in caught.value.failures]
        kinds = [SubmissionUncertainError] * 2 + [ResultExpiredError]
        assert sorted(type(error).__name__ for error in errors) == sorted(
            kind.__name__ for kind in kinds
        )
        labels = {getattr(error, "label", None) for error in errors}
        (accepted,) = [record for record in server.jobs if record.label in labels]
        server.hold()
        job.adopt(accepted.label, accepted.job_id)
        assert job.resubmit_failed(uncertain=True) == 1
        assert job.resubmit_failed(uncertain=True) == 0
        server.release()
        assert job.result().get_counts() == marker_counts(range(151), 3)
        assert len(server.jobs) == 4

    def test_cancel(self, server, device):
        """Finished circuits keep their results, and others do not run."""
        server.hold()
        job = device.run(markers(range(1000)), shots=1)
        parts = job.as_completed()
        server.release(50)
        first = next(parts).circuits
        assert job.cancel()
        server.release()
        job.wait_for_final_state(timeout=SECONDS)
        assert job.status() is JobStatus.CANCELLED
        result = job.result()
        assert not result.success
        assert all(result.results[index].success for index in first)
        assert sum(entry.success for entry in result.results) < 1000
        assert sum(sum(record.runs) for record in server.jobs) < 1000
        assert not job.cancel()
        assert job.resubmit_failed() == 0

    def test_faults_on_the_way(self, server, device):
        """Faults that allow a retry do not fail any API job."""
        server.faults.set(
            rate=0.3, kinds=["slow", "429", "500", "502", "504", "truncated", "bad_json"], seed=3
        )
        server.faults.retry_after = 0
        job = device.run(markers(range(300)), shots=1)
        job.wait_for_final_state(timeout=SECONDS)
        server.faults.clear()
        reasons = job.error_message or ""
        assert reasons.count("uncertain whether the submission") == reasons.count("API job ")
        assert all(set(record.runs) == {1} for record in server.jobs)
        labels = [record.label for record in server.jobs]
        assert len(labels) == len(set(labels))
        result = job.result(partial=True)
        for index, entry in enumerate(result.results):
            if entry.success:
                assert entry.data.counts == {hex(index): 1}
