"""Answers that belong to somebody else: never another job's counts, and always two ways out.

Each test is run with labels in the server's answers, and without.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from aqt_fast import AQTJob, AQTOptions
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.cloud.endpoint import CloudEndpoint
from aqt_fast.exceptions import (
    APIError,
    IncompleteBatchError,
    InvalidInputError,
    SubmissionUncertainError,
)
from aqt_fast.store.accepted_ids import FILE
from aqt_fast.store.event_lines import file_of
from aqt_fast.store.job_directory import EVENTS
from aqt_fast.store.job_store import JobStore
from aqt_fast.store.journal import ApiJobLog
from aqt_fast.testing import ArnicaServer
from backends.between import Between, accepted
from clients import connect, device_of
from markers import marker, marker_counts, markers
from qiskit.providers import JobStatus


@pytest.fixture(params=[True, False], ids=["labels", "no labels"])
def between(request, monkeypatch) -> Between:
    """What changes answers."""
    return Between(monkeypatch, labels=request.param)


@pytest.fixture
def no_labels(monkeypatch) -> Between:
    """What changes answers, which never name labels."""
    return Between(monkeypatch, labels=False)


@pytest.fixture
def with_labels(monkeypatch) -> Between:
    """What changes answers, which name labels."""
    return Between(monkeypatch, labels=True)


@pytest.fixture(autouse=True)
def _found(environment: None) -> None:
    """The server is found by ``restore``."""


def uncertain(job: AQTJob) -> SubmissionUncertainError:
    """The error of a job of one API job, whose text has all that is needed."""
    with pytest.raises(SubmissionUncertainError) as caught:
        job.result()
    error = caught.value
    for part in (error.label, error.payload_hash, "adopt('", "resubmit_failed(uncertain=True)"):
        assert part in str(error)
    assert job.status() is JobStatus.ERROR
    assert job.resubmit_failed() == 0
    return error


def leave(job: AQTJob, way: str, server: ArnicaServer, number: int, shots: int) -> None:
    """Take one of the ways out of an uncertain submission of a marker, which was accepted once."""
    error = uncertain(job)
    (right,) = [record for record in server.jobs if record.sha256 == error.payload_hash]
    before = len(server.jobs)
    if way == "adopt":
        job.adopt(error.label, right.job_id)
        assert len(server.jobs) == before
    else:
        assert job.resubmit_failed(uncertain=True) == 1
    assert job.result().get_counts() == marker_counts([number], shots)[0]
    assert len(server.jobs) == before + (way == "resubmit")


def uncertain_labels(job: AQTJob) -> list[str]:
    """The labels of uncertain API jobs, as the store lists them."""
    found = job.backend().provider.jobs().find(job.batch_id)
    return [part.label for part in found.api_jobs if part.state == "uncertain"]


def reformed(form: Callable[[str], str], _: Any, answer: Any) -> Any:
    """An answer with its identifier in another form."""
    if "job" not in answer:
        return answer
    return {**answer, "job": {**answer["job"], "job_id": form(answer["job"]["job_id"])}}


def in_another_process(job: AQTJob) -> AQTJob:
    """The job, as another process restores it; the present one has ended."""
    (name,) = (item.batch_id for item in job.backend().provider.jobs() if item.state == "uncertain")
    return AQTJob.restore(name)


KNOWN = ("here", "here, no journal", "elsewhere", "restored", "fetched", "foreign")


def known_job(where: str, server: ArnicaServer, device: AQTResource) -> AQTJob:
    """A job that is known, of the same shape as the next one, and with other outcomes."""
    if where.startswith("here"):
        return device.run(marker(1), shots=7, journal=where == "here")
    with connect(server) as other:
        keeps = where in ("elsewhere", "restored")
        job = device_of(other).run(marker(1), shots=7, journal=keeps)
        name = job.job_id()
        if where == "elsewhere":
            assert job.result().success
            return job
    if where == "restored":
        return device.provider.restore(name)
    if where == "fetched":
        return device.provider.job(name)
    return device.api_job(name, marker(1), shots=7)


CASES = [
    *[("here", process, way) for process in ("same", "other") for way in ("adopt", "resubmit")],
    *[(where, "other", "adopt") for where in KNOWN if where != "here"],
]
"""Where a job is known, which process leaves, and by which way."""


class TestKnown:
    """An identifier that is known for other circuits."""

    @pytest.mark.parametrize(("where", "process", "way"), CASES)
    def test_of_another_job(self, server, device, between, where, process, way):
        """The second job is uncertain, the first one keeps its counts."""
        first = known_job(where, server, device)
        name = first.job_id()
        between.swap("POST", accepted(name))
        job = device.run(marker(2), shots=7, label="mine")
        assert uncertain(job).label == "mine"
        if process == "other":
            job = in_another_process(job)
        leave(job, way, server, 2, 7)
        assert first.result().get_counts() == marker_counts([1], 7)[0]
        assert AQTJob.restore(job.job_id()).result().get_counts() == marker_counts([2], 7)[0]

    @pytest.mark.parametrize("way", ["adopt", "resubmit"])
    def test_without_journals(self, server, device, between, way):
        """Nothing is written, and both ways are open."""
        first = device.run(marker(1), shots=7, journal=False)
        between.swap("POST", accepted(first.job_id()))
        leave(device.run(marker(2), shots=7, journal=False), way, server, 2, 7)
        assert not device.store_path.exists()

    def test_journal_of_others(self, server, device, between):
        """A job without journal knows those of the store."""
        first = device_of(connect(server)).run(marker(1), shots=7)
        between.swap("POST", accepted(first.job_id()))
        uncertain(device.run(marker(2), shots=7, journal=False))

    def test_in_other_form(self, device, between):
        """Identifiers are the same in capitals and in braces."""
        first = device.run(marker(1), shots=7)
        for form in (str.upper, "{{{}}}".format, "urn:uuid:{}".format):
            between.swap("POST", accepted(form(first.job_id())))
            uncertain(device.run(marker(2), shots=7))

    def test_own_in_other_form(self, device, between):
        """An answer may write them as it likes."""
        for form in (str.upper, "{{{}}}".format, "urn:uuid:{}".format):
            between.changes[:] = [partial(reformed, form)]
            assert device.run(marker(3), shots=7).result().get_counts() == marker_counts([3], 7)[0]

    def test_of_a_former_submission(self, server, device, between):
        """An API job that was submitted again gets the answer to the first time."""
        server.fail_jobs("the ions have left", 1)
        job = device.run(marker(1), shots=7)
        assert not job.result().success
        between.swap("POST", accepted(server.jobs[0].job_id))
        assert job.resubmit_failed() == 1
        leave(job, "adopt", server, 1, 7)

    def test_within_a_batch(self, server, device, between):
        """Two API jobs of a batch with the same identifier, one after the other or at once."""
        first: list[Any] = []

        def repeat(request, answer) -> Any:
            if request.method == "POST":
                first.append(answer)
                return first[0]
            return answer

        between.changes.append(repeat)
        job = device.run(markers(range(150)), shots=2)
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        for index, entry in enumerate(job.result(partial=True).results):
            assert not entry.success or entry.data.counts == {hex(index): 2}
        assert job.resubmit_failed() == 0
        between.changes.clear()
        right = {record.label: record.job_id for record in server.jobs}
        for failure in caught.value.failures:
            job.adopt(failure.label, right[failure.label])
        assert job.result().get_counts() == marker_counts(range(150), 2)
        assert len(server.jobs) == 3

    @pytest.mark.parametrize(
        ("ended", "process"), [(True, "same"), (True, "other"), (False, "same")]
    )
    def test_shifted(self, server, device, between, ended, process):
        """Each submission gets the answer to the one before, whose identifier nobody knows yet."""
        answers: list[Any] = []

        def shift(request, answer) -> Any:
            if request.method != "POST":
                return answer
            answers.append(answer)
            return answers[max(len(answers) - 2, 0)]

        between.changes.append(shift)
        server.hold()
        job = device.run(markers(range(150)), shots=2)
        for index in range(3):
            with suppress(APIError):
                job.api_job_id(index)
        between.changes.clear()
        right = {record.label: record.job_id for record in server.jobs}
        if ended:
            server.release()
            with pytest.raises(IncompleteBatchError):
                job.result()
        if process == "other":
            job = job.backend().provider.restore(job.batch_id)
        for _ in range(3):
            for label in uncertain_labels(job):
                job.adopt(label, right[label])
            server.release()
            with suppress(IncompleteBatchError):
                job.result()
        assert job.result().get_counts() == marker_counts(range(150), 2)
        assert job.resubmit_failed(uncertain=True) == 0
        assert AQTJob.restore(job.batch_id).result().get_counts() == job.result().get_counts()
        assert len(server.jobs) == 3

    @pytest.mark.parametrize("journal", [True, False])
    def test_wrong_in_another_job(self, server, device, no_labels, journal):
        """Another job has the identifier, and its counts, since before it could be known."""
        server.faults.next("reset_after", method="POST")
        right = device.run(marker(1), shots=7, label="right", journal=journal)
        error = uncertain(right)
        (sent,) = server.jobs
        no_labels.swap("POST", accepted(sent.job_id))
        wrong = device.run(marker(2), shots=7, label="wrong", journal=journal)
        assert wrong.result().get_counts() == marker_counts([1], 7)[0]
        right.adopt(error.label, sent.job_id)
        assert right.result().get_counts() == marker_counts([1], 7)[0]
        leave(wrong if not journal else in_another_process(wrong), "adopt", server, 2, 7)
        assert len(server.jobs) == 2

    def test_index_gone(self, server, device, between):
        """Also if the file of identifiers was lost: journals have them."""
        first = device.run(marker(1), shots=7)
        name = first.job_id()
        (device.store_path / FILE).unlink()
        between.swap("POST", accepted(name))
        with connect(server) as other:
            uncertain(device_of(other).run(marker(2), shots=7))
        batch = JobStore(device.store_path).find(name).path.name
        assert f"{name} {batch} 0 " in (device.store_path / FILE).read_text()

    @pytest.mark.usefixtures("between")
    def test_adopting_what_is_known(self, server, device):
        """The error names whose it is."""
        first = device.run(marker(1), shots=7)
        first.job_id()
        server.faults.next("reset_after", method="POST")
        job = device.run(marker(2), shots=7)
        error = uncertain(job)
        batch = device.provider.jobs().find(first.job_id()).batch_id
        for name in (first.job_id(), first.job_id().upper()):
            with pytest.raises(InvalidInputError, match=f"of API job 1 of job {batch}"):
                job.adopt(error.label, name)
        leave(job, "adopt", server, 2, 7)


class TestAtOnce:
    """Submissions that are under way at the same time."""

    @pytest.mark.parametrize(("providers", "journal"), [(1, True), (1, False), (2, True)])
    def test_same_answer(self, server, device, between, providers, journal):
        """Both get the answer to the second one: nobody knows whose it is, unless labels tell."""
        barrier, answers = threading.Barrier(2), []

        def same(request, answer) -> Any:
            if request.method != "POST":
                return answer
            answers.append(answer)
            barrier.wait(30)
            return max(answers, key=str)

        between.changes.append(same)
        server.hold()
        devices = [device, device if providers == 1 else device_of(connect(server))]
        jobs = [
            each.run(marker(number), shots=7, label=f"job {number}", journal=journal)
            for number, each in zip((1, 2), devices, strict=True)
        ]
        for job in jobs:
            with suppress(APIError):
                job.api_job_id()
        server.release()
        for job in jobs:
            job.wait_for_final_state(timeout=30)
        between.changes.clear()
        for number, job in enumerate(jobs, 1):
            if between.labels and job.status() is JobStatus.DONE:
                assert job.result().get_counts() == marker_counts([number], 7)[0]
            else:
                leave(job, "adopt", server, number, 7)
        assert len(server.jobs) == 2


OTHERS = ({"resource_id": "ibex"}, {"workspace_id": "lab"}, {"job_type": 7})
"""Fields of an answer that is about another API job."""


class TestFields:
    """Answers whose fields do not fit, about an identifier that nobody knows."""

    def test_labels(self, server, device, with_labels):
        """Another label, in the answer to the submission or to the first poll."""
        for method in ("POST", "GET"):
            with_labels.amend(method, label="theirs")
            job = device.run(marker(1), shots=7)
            uncertain(job)
            with_labels.changes.clear()
            leave(in_another_process(job), "adopt", server, 1, 7)

    @pytest.mark.parametrize("fields", OTHERS, ids=str)
    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_others(self, server, device, between, fields, method):
        """Another place or type of job."""
        between.amend(method, **fields)
        job = device.run(marker(1), shots=7)
        uncertain(job)
        between.changes.clear()
        leave(in_another_process(job), "adopt", server, 1, 7)

    def test_that_has_ended(self, server, device, between):
        """A job that has just been accepted has not ended."""
        for status in ("finished", "error", "cancelled"):
            between.changes[:] = [
                lambda request, answer, response={"status": status}: (
                    {**answer, "response": response} if request.method == "POST" else answer
                )
            ]
            leave(device.run(marker(1), shots=7), "adopt", server, 1, 7)

    @pytest.mark.parametrize(
        ("circuits", "shots", "process"),
        [([marker(1)], 8, "same"), (markers([1, 2]), 7, "other"), ([marker("1")], 7, "other")],
    )
    def test_of_other_circuits(self, server, device, between, circuits, shots, process):
        """Another user's job, with another number of circuits, shots or qubits."""
        with connect(server) as other:
            theirs = device_of(other).run(circuits, shots=shots, journal=False).job_id()
        between.swap("POST", accepted(theirs))
        job = device.run(marker(1), shots=7)
        uncertain(job)
        leave(job if process == "same" else in_another_process(job), "resubmit", server, 1, 7)


class TestMisrouted:
    """Answers to polls that name another API job."""

    @pytest.mark.parametrize("times", [1, 10])
    def test_asked_again(self, server, device, between, times):
        """They say nothing of the job; so are its counts, sooner or later."""
        first = device.run(marker(1), shots=7)
        assert first.result().success
        answer: list[Any] = []
        between.changes.append(lambda _, right: answer.append(right) or right)
        again = device.api_job(first.job_id(), marker(1), shots=7)
        assert again.result().success
        between.changes.clear()
        between.swap("GET", answer[-1], times)
        job = device.run(marker(2), shots=7)
        assert job.result().get_counts() == marker_counts([2], 7)[0]
        assert len(server.jobs) == 2

    def test_fetched(self, server, device, between):
        """So does a job of which only the identifier is known."""
        server.hold()
        name = device.run(marker(1), shots=7, journal=False).job_id()
        with connect(server) as other:
            job = other.job(name)
            between.amend("GET", 10, job_id=name.replace(name[0], "abcdef"[name[0] == "a"]))
            server.release()
            assert job.result().get_counts() == marker_counts([1], 7)[0]

    def test_no_identifier(self, device, between):
        """An answer that does not tell whose it is may be anybody's."""
        between.amend("GET", job_id=None)
        job = device.run(marker(1), shots=7)
        with pytest.raises(APIError, match="does not tell which API job"):
            job.result()
        between.changes.clear()
        assert job.result().get_counts() == marker_counts([1], 7)[0]


class TestUnknown:
    """The portal does not know what it has accepted."""

    @pytest.fixture(autouse=True)
    def _at_once(self, monkeypatch) -> None:
        monkeypatch.setattr(CloudEndpoint, "settling_seconds", 0.3)

    @pytest.mark.parametrize(("process", "way"), [("same", "resubmit"), ("other", "adopt")])
    def test_for_ever(self, server, device, between, process, way):
        """The submission is uncertain."""
        between.swap("POST", accepted("00000000-0000-0000-0000-000000000001"))
        job = device.run(marker(1), shots=7)
        assert "404" in str(uncertain(job))
        leave(job if process == "same" else AQTJob.restore(job.batch_id), way, server, 1, 7)

    @pytest.mark.parametrize("process", ["same", "other"])
    def test_for_a_while(self, server, device, between, process):
        """As with a wrong token: the identifier stays, and is asked for again."""
        between.unknown = 10_000
        job = device.run(marker(1), shots=7)
        assert "does not know" in str(uncertain(job))
        assert job.resubmit_failed() == 0
        again = job if process == "same" else AQTJob.restore(job.batch_id)
        between.unknown = 0
        assert again.result().get_counts() == marker_counts([1], 7)[0]
        assert again.resubmit_failed(uncertain=True) == 0
        assert len(server.jobs) == 1

    def test_for_a_moment(self, server, device, between, monkeypatch):
        """It appears a moment later; until then, the job is queued."""
        monkeypatch.setattr(CloudEndpoint, "settling_seconds", 60.0)
        between.unknown = 3
        job = device.run(marker(1), shots=7)
        assert job.result().get_counts() == marker_counts([1], 7)[0]
        assert between.unknown == 0
        assert len(server.jobs) == 1


class TestStore:
    """What the store has of answers that turned out to be wrong, and of journals that were lost."""

    def test_taken_back_while_it_is_read(self, device, no_labels, monkeypatch):
        """A result of an identifier that was taken back meanwhile is neither taken nor stored."""
        job = AQTJob(device, markers(range(100)), AQTOptions(**{**device.options, "shots": 2}))
        decode, taken = CloudEndpoint.decode, []

        def decoded(endpoint, body) -> Any:
            state = decode(endpoint, body)
            if state.status == "finished" and not taken:
                taken.append(state.job_id)
                execution = job._execution  # noqa: SLF001 - no other moment is certain
                execution.give_up(taken[0], "it was adopted elsewhere", keep=None)
            return state

        monkeypatch.setattr(CloudEndpoint, "decode", decoded)
        job.submit()
        with pytest.raises(IncompleteBatchError) as caught:
            job.result()
        (failure,) = caught.value.failures
        again = AQTJob.restore(job.batch_id)
        with pytest.raises(IncompleteBatchError, match="it was adopted elsewhere"):
            again.result()
        assert len([*(device.store_path / job.batch_id).glob("result-*")]) == 1
        no_labels.changes.clear()
        again.adopt(failure.label, taken[0])
        assert again.result().get_counts() == marker_counts(range(100), 2)

    @pytest.mark.parametrize(
        "meanwhile",
        [
            lambda job: job.abandon("the provider is closed"),
            lambda job: job.submit(),
            lambda job: job.cancel(),
            lambda job: job.fail(OSError("no memory")),
            lambda job: job.record(),
            lambda job: job.take_back(job.job_id, "found twice"),
        ],
        ids=["abandon", "submit", "cancel", "fail", "record", "take back"],
    )
    def test_taken_back_at_once(self, server, device, no_labels, monkeypatch, meanwhile):
        """While an identifier is taken back, no thread finds an API job that was never sent."""
        no_labels.changes.clear()
        server.hold()
        job = device.run(marker(1), shots=7)
        name = job.job_id()
        (api_job,) = job._execution._jobs  # noqa: SLF001 - no other moment is certain
        drop, found = ApiJobLog.drop_result, []
        thread = threading.Thread(target=lambda: found.append(meanwhile(api_job)))

        def dropped(log: ApiJobLog) -> None:
            thread.start()
            thread.join(0.2)  # it has time to do harm; it waits if all is well
            drop(log)

        with monkeypatch.context() as patch:
            patch.setattr(ApiJobLog, "drop_result", dropped)
            api_job.take_back(name, "it is another's")
        thread.join(30)
        assert "it is another's" in str(uncertain(job))
        for record in (api_job.record(), *filter(None, found)):
            assert record is True or record.uncertain
        server.release()
        assert len(server.jobs) == 1
        assert b" free\n" in (lines := (device.store_path / FILE).read_bytes())
        assert not [line for line in lines.splitlines() if line.startswith(b" ")]
        leave(AQTJob.restore(job.batch_id), "adopt", server, 1, 7)

    @pytest.mark.usefixtures("between")
    def test_older_journal(self, server, device):
        """A journal that went back to an older state: the list of identifiers knows better."""
        job = device.run(markers(range(100)), shots=2)
        assert job.result().success
        path = device.store_path / job.batch_id
        (path / EVENTS).write_bytes(file_of([], job.batch_id))
        for file in path.glob("result-*"):
            file.unlink()
        again = AQTJob.restore(job.batch_id)
        with pytest.raises(IncompleteBatchError, match="older than the store's list") as caught:
            again.result()
        assert again.resubmit_failed() == 0
        right = {record.label: record.job_id for record in server.jobs}
        for failure in caught.value.failures:
            again.adopt(failure.label, right[failure.label])
        assert again.result().get_counts() == marker_counts(range(100), 2)
        assert len(server.jobs) == 2

    @pytest.mark.usefixtures("between")
    def test_nothing_twice(self, server, device):
        """Restoring writes no identifiers again."""
        job = device.run(markers(range(100)), shots=2)
        assert job.result().success
        before = (device.store_path / FILE).read_bytes()
        assert len(before.splitlines()) <= 2 + 2 * 2
        for _ in range(2):
            assert AQTJob.restore(job.batch_id).result().success
            assert device.provider.restore(job.batch_id).result().success
        assert (device.store_path / FILE).read_bytes() == before
        assert len(server.jobs) == 2


class TestDirect:
    """A machine's answers, which have no labels."""

    @pytest.mark.parametrize(("process", "way"), [("same", "resubmit"), ("other", "adopt")])
    def test_known(self, server, machine, between, process, way, monkeypatch):
        """The answer to an earlier circuit."""
        monkeypatch.setenv("AQT_DIRECT_URL", server.direct_url)
        first = machine.run(marker(1))
        assert first.result().success
        between.swap("PUT", first.api_job_id())
        job = machine.run(marker(2))
        uncertain(job)
        if process == "other":
            job = AQTJob.restore(job.job_id())
        (sent,) = [record for record in server.jobs if record.job_id != first.api_job_id()]
        if way == "adopt":
            job.adopt(uncertain(job).label, sent.job_id)
        else:
            assert job.resubmit_failed(uncertain=True) == 1
        assert job.result().get_counts() == marker_counts([2], 5)[0]
        assert len(server.jobs) == 2 + (way == "resubmit")

    def test_misrouted(self, server, machine, between):
        """A result that names another run is asked for again."""
        first = machine.run(marker(1))
        other = first.api_job_id()
        left = [other] * 9

        def misroute(request, answer) -> Any:
            if "result" in request.url.path and left:
                return {**answer, "job_id": left.pop()}
            return answer

        between.changes.append(misroute)
        assert machine.run(marker(2)).result().get_counts() == marker_counts([2], 5)[0]
        assert (left, len(server.jobs)) == ([], 2)

    def test_unknown(self, server, machine, between):
        """The machine has forgotten the run, as after a restart."""
        between.swap("PUT", "00000000-0000-0000-0000-000000000001")
        job = machine.run(marker(2))
        error = uncertain(job)
        job.adopt(error.label, server.jobs[0].job_id)
        assert job.result().get_counts() == marker_counts([2], 5)[0]
