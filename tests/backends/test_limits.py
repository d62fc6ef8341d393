"""Limits of cost, time and shots: nothing is sent or written if one is exceeded."""

from __future__ import annotations

import copy
import pickle
import threading
from datetime import date

import numpy as np
import pytest
from aqt_fast import AQTJob, AQTOptions, AQTProvider, execute
from aqt_fast.devices import PriceList, SpendingLimits
from aqt_fast.exceptions import (
    APIError,
    FixedOptionError,
    InvalidOptionError,
    MissingEstimateError,
    SpendingLimitError,
    SubmissionUncertainError,
    WorkspaceRefusedError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.v2 import AQTProvider as Face
from clients import QUIET, connect, device_of, machine_of
from markers import marker, markers
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

PRICES = PriceList(
    per_shot=0.5,
    per_circuit=1.0,
    per_api_job=10.0,
    currency="EUR",
    source="our contract",
    as_of=date(2026, 11, 1),
)


@pytest.fixture
def ibex(server):
    """A device whose prices are known: 1 circuit of 10 shots costs 16 EUR."""
    with connect(server, price_list=PRICES) as provider:
        yield device_of(provider, "ibex", shots=10)


def refused(call, *arguments, **options) -> SpendingLimitError:
    """The error with which a call is refused."""
    with pytest.raises(SpendingLimitError) as caught:
        call(*arguments, **options)
    return caught.value


class TestNewJobs:
    """Are refused before anything is sent or written."""

    @pytest.mark.parametrize(
        ("limit", "value"), [("max_cost", 15.99), ("max_device_seconds", 0.1), ("max_shots", 9)]
    )
    @pytest.mark.parametrize("place", ["provider", "backend", "job"])
    def test_places(self, server, tmp_path, monkeypatch, limit, value, place):
        """On the provider, the backend, and for one job; the error says where."""
        monkeypatch.setenv("AQT_STORE_PATH", str(tmp_path / "store"))
        of_provider = {limit: value} if place == "provider" else {}
        with connect(server, price_list=PRICES, **of_provider) as provider:
            of_backend = {limit: value} if place == "backend" else {}
            device = device_of(provider, "ibex", shots=10, **of_backend)
            given = {limit: value if place == "job" else 10**6}
            threads = threading.active_count()
            error = refused(device.run, marker("1"), **given)
            assert (error.limit, error.allowed, error.source) == (limit, value, place)
            assert error.estimate.shots == 10
            assert error.estimate.cost.amount == 16
            assert refused(execute, marker("1"), device, **given).source == place
            assert threading.active_count() == threads
        assert server.jobs == []
        assert not (tmp_path / "store").exists()

    def test_within(self, server, ibex):
        """A job that just reaches its limits runs."""
        most = ibex.estimate([marker("1")]).device_seconds.high
        job = ibex.run(marker("1"), max_cost=16, max_shots=10, max_device_seconds=most)
        assert job.result().success
        assert job.options["max_shots"] == 10
        assert len(server.jobs) == 1

    def test_several_api_jobs(self, server, ibex):
        """All of them count."""
        batch = markers(range(60))
        assert refused(ibex.run, batch, max_cost=379.9).estimate.cost.amount == 380
        error = refused(ibex.run, batch, shots=[*range(1, 61)], max_shots=1829)
        assert error.estimate.shots == 1830
        assert ibex.run(batch, max_cost=380, max_shots=600).result().success
        assert len(server.jobs) == 2

    def test_run_cannot_loosen(self, ibex):
        """What the backend or the provider forbids."""
        ibex.set_options(max_shots=50)
        assert ibex.run(marker("1"), max_shots=100).options["max_shots"] == 50
        assert ibex.run(marker("1"), max_shots=20).options["max_shots"] == 20
        ibex.set_options(max_shots=9)
        assert refused(ibex.run, marker("1"), max_shots=100).source == "backend"
        ibex.provider.spending_limits = SpendingLimits(max_shots=8)
        assert refused(ibex.run, marker("1"), max_shots=100).source == "provider"
        ibex.set_options(max_shots=None)
        assert refused(ibex.run, marker("1"), max_shots=100).source == "provider"
        with pytest.raises(FixedOptionError):
            ibex.run(marker("1"), shots=8).options.update_options(max_shots=100)

    def test_a_job_made_by_hand(self, server, ibex):
        """Passes the same gate."""
        ibex.provider.spending_limits = SpendingLimits(max_cost=1)
        job = AQTJob(ibex, [marker("1")], AQTOptions(shots=10))
        assert refused(job.submit).source == "provider"
        assert server.jobs == []

    @pytest.mark.usefixtures("environment")
    def test_copies_and_pickles(self, server, ibex):
        """Of provider and backend have the limits."""
        ibex.set_options(max_shots=9)
        other = copy.deepcopy(ibex)
        ibex.set_options(max_shots=None)
        assert refused(other.run, marker("1")).source == "backend"
        ibex.provider.spending_limits = SpendingLimits(max_shots=5)
        again = pickle.loads(pickle.dumps(ibex))  # noqa: S301
        with again.provider:
            assert refused(again.run, marker("1")).source == "provider"
        assert server.jobs == []

    def test_unknown_prices(self, server):
        """Are no reason to send anything."""
        with connect(server) as provider:
            device = device_of(provider, "ibex")
            error = refused(device.run, marker("1"), max_cost=1e9)
            assert isinstance(error, MissingEstimateError)
            assert "no price is known" in str(error)
        assert server.jobs == []

    def test_simulators(self, server):
        """In the cloud take no time on a device, and cost what a list says."""
        free = PriceList(
            per_shot=0,
            currency="EUR",
            source="our contract",
            as_of=date(2026, 11, 1),
            resources=("simulator_ideal",),
        )
        with connect(server, max_cost=1, max_device_seconds=0.001) as provider:
            error = refused(device_of(provider).run, marker("1"))
            assert isinstance(error, MissingEstimateError)
        with connect(server, price_list=free, max_cost=1, max_device_seconds=0.001) as provider:
            assert device_of(provider).run(marker("1")).result().success

    def test_offline(self, backend):
        """Only shots count: nothing is spent in this process."""
        backend.provider.spending_limits = SpendingLimits(1e-9, 1e-9, 50)
        assert backend.run(marker("1"), shots=50).result().success
        error = refused(backend.run, markers([0, 1]), shots=26)
        assert (error.limit, error.estimate.api_jobs, error.estimate.shots) == ("max_shots", 0, 52)

    def test_wrong_limits(self, provider):
        """Are not taken for none."""
        for wrong in (5, None, {"max_cost": 5}):
            with pytest.raises(InvalidOptionError, match="spending_limits must be SpendingLimits"):
                provider.spending_limits = wrong
        for wrong in (1, None, "yes"):
            with pytest.raises(InvalidOptionError, match="require_online must be True or False"):
                provider.require_online = wrong
        with pytest.raises(InvalidOptionError, match="max_cost must be"):
            AQTProvider("", load_dotenv=False, max_cost=-1)

    def test_machines(self, server):
        """Have prices and durations if the user says so."""
        with connect(server) as provider:
            machine = machine_of(provider, server, shots=10)
            assert isinstance(refused(machine.run, marker("1"), max_cost=99), MissingEstimateError)
            error = refused(machine.run, marker("1"), max_device_seconds=99)
            assert isinstance(error, MissingEstimateError)
            assert refused(machine.run, markers([1, 2]), max_shots=19).estimate.api_jobs == 2
            assert machine.run(markers([1, 2]), max_shots=20).result().success
        assert len(server.jobs) == 2

    def test_by_id(self, server, ibex, tmp_path):
        """A job by its id alone sends nothing, so nothing is compared."""
        job = ibex.run(marker("1"))
        job.result()
        with connect(server, max_shots=1, max_cost=1) as provider:
            known = provider.job(job.job_id(), marker("1"), store_path=tmp_path)
            assert known.result().success
            other = provider.get_backend("ibex").api_job(job.job_id(), marker("1"), shots=10)
            assert other.result().success

    def test_face_of_2x(self, server, monkeypatch):
        """Its options, and its errors."""
        aqt_connector = pytest.importorskip("aqt_connector")
        from aqt_fast.v2.exceptions import AQTValueError

        monkeypatch.setenv("AQT_TOKEN", server.token)
        config = aqt_connector.ArnicaConfig()
        config.arnica_url = f"{server.url}/api"
        with Face() as provider:
            workspace = provider.cloud(config).fetch_workspaces().get_by_id("lab")
            device = workspace.get_backend("ibex")
            device.set_options(**QUIET, max_shots=99)
            with pytest.raises(AQTValueError, match="max_shots=99 of the backend") as caught:
                device.run(marker("1"), shots=100)
            assert isinstance(caught.value, SpendingLimitError)
            assert caught.value.estimate.shots == 100
            assert device.run(marker("1"), dry_run=True, shots=9).shots == 9
        assert server.jobs == []


class TestSubmittingAgain:
    """What was sent before counts, and what is sent again."""

    def test_failed(self, server, ibex):
        """An API job that has failed on the device has run."""
        server.fail_jobs("out of ions")
        job = ibex.run(marker("1"), max_shots=19)
        assert not job.result().success
        error = refused(job.resubmit_failed)
        assert (error.limit, error.source, error.estimate.shots) == ("max_shots", "job", 20)
        assert len(server.jobs) == 1
        assert job.resubmit_failed(max_shots=20) == 1
        assert job.result().success
        assert len(server.jobs) == 2

    def test_a_raised_limit_stays(self, server, ibex):
        """With the job, until it is raised again; those of others count as before."""
        server.fail_jobs("out of ions", 3)
        job = ibex.run(marker("1"), max_cost=16)
        job.result()
        assert job.resubmit_failed(max_cost=48) == 1
        job.result()
        assert job.resubmit_failed() == 1
        job.result()
        assert refused(job.resubmit_failed).estimate.cost.amount == 64
        ibex.set_options(max_cost=63)
        assert refused(job.resubmit_failed, max_cost=1000).source == "backend"
        ibex.set_options(max_cost=None)
        ibex.provider.spending_limits = SpendingLimits(max_cost=62)
        assert refused(job.resubmit_failed, max_cost=1000).source == "provider"
        ibex.provider.spending_limits = SpendingLimits(max_cost=64)
        assert job.resubmit_failed(max_cost=1000) == 1
        assert job.result().success
        assert len(server.jobs) == 4

    def test_at_once(self, server, ibex, monkeypatch):
        """What another thread sends while this one asks for permission counts."""
        server.fail_jobs("out of ions", 5)
        job = ibex.run(marker("1"), max_shots=20)
        job.result()
        estimate_of, others = ibex.estimate_of, [1]

        def slow(*given):
            if others and others.pop():
                assert job.resubmit_failed() == 1
                job.wait_for_final_state()
            return estimate_of(*given)

        monkeypatch.setattr(type(ibex), "estimate_of", lambda _, *given: slow(*given))
        ibex.set_options(max_device_seconds=1000)  # limits of shots alone need no estimate
        assert refused(job.resubmit_failed).estimate.shots == 30
        assert len(server.jobs) == 2

    def test_what_was_sent(self, server, ibex):
        """Tells submissions, not circuits; those that were refused are none."""
        job = ibex.run(marker("1"), max_shots=100)
        assert job.estimate_sent().shots == 10
        job.result()
        server.fail_jobs("out of ions")
        job = ibex.run(marker("1"))
        job.result()
        assert job.resubmit_failed() == 1
        job.result()
        sent = job.estimate_sent()
        assert (sent.shots, sent.api_jobs, sent.cost.amount) == (20, 2, 32)

    def test_a_part(self, server, ibex):
        """Of a batch: the other API jobs count once."""
        server.fail_jobs("out of ions")
        job = ibex.run(markers(range(60)), shots=1, max_shots=60)
        assert not job.result().success
        (failed,) = [entry for entry in server.jobs if entry.status == "error"]
        assert refused(job.resubmit_failed).estimate.shots == 60 + len(failed.repetitions)
        assert job.resubmit_failed(max_shots=110) == 1
        assert job.result().success

    def test_refused_submissions(self, server, ibex):
        """Cost nothing: they may be sent within the job's own limit."""
        server.set_workspace("lab", accepting_job_submissions=False)
        job = ibex.run(marker("1"), max_shots=10)
        with pytest.raises(APIError, match="403"):
            job.result()
        assert job.resubmit_failed() == 1
        with pytest.raises(WorkspaceRefusedError, match="403") as caught:
            job.result()
        assert caught.value.workspace_id == "lab"
        server.set_workspace("lab", accepting_job_submissions=True)
        assert job.resubmit_failed() == 1
        assert job.result().success
        assert len(server.jobs) == 1

    @pytest.mark.parametrize("accepted", [True, False])
    def test_uncertain(self, server, ibex, accepted):
        """A submission that may have been accepted counts, whether it was or not."""
        server.faults.next("reset_after" if accepted else "reset_before", method="POST")
        job = ibex.run(marker("1"), max_shots=10)
        with pytest.raises(SubmissionUncertainError):
            job.result()
        assert job.resubmit_failed() == 0
        assert refused(job.resubmit_failed, uncertain=True).estimate.shots == 20
        assert len(server.jobs) == accepted
        assert job.resubmit_failed(uncertain=True, max_shots=20) == 1
        assert job.result().success

    def test_adopting(self, server, ibex):
        """Sends nothing; the adopted API job counts once."""
        server.faults.next("reset_after", method="POST")
        job = ibex.run(marker("1"), max_shots=10, label="mine")
        with pytest.raises(SubmissionUncertainError):
            job.result()
        ibex.set_options(max_shots=1)
        job.adopt("mine", server.jobs[0].job_id)
        assert job.result().success
        assert len(server.jobs) == 1

    def test_retrying(self, server, ibex):
        """Another try of what was not accepted is within the limit, unless that is tighter now."""
        server.revoke(server.token)
        job = ibex.run(marker("1"), max_shots=10)
        with pytest.raises(APIError, match="401"):
            job.result()
        server.accept(server.token)
        ibex.provider.spending_limits = SpendingLimits(max_shots=9)
        assert refused(job.result).source == "provider"
        assert not job.result(partial=True).success
        assert [part.results[0].success for part in job.as_completed()] == [False]
        assert server.jobs == []
        ibex.provider.spending_limits = SpendingLimits()
        assert job.result().success
        assert len(server.jobs) == 1

    def test_machine(self, server):
        """Runs of a machine are API jobs, too."""
        with connect(server) as provider:
            machine = machine_of(provider, server, shots=10)
            server.fail_jobs("out of ions")
            job = machine.run(markers([1, 2]), max_shots=20)
            assert not job.result().success
            assert refused(job.resubmit_failed).estimate.shots == 30
            assert job.resubmit_failed(max_shots=30) == 1
            assert job.result().success


@pytest.mark.usefixtures("environment")
class TestRestoredJobs:
    """Keep their limits, and know what was sent before."""

    def test_limits_of_the_first_provider(self, server, ibex):
        """Count in another process, too."""
        ibex.provider.spending_limits = SpendingLimits(max_cost=20)
        server.fail_jobs("out of ions")
        job = ibex.run(marker("1"))
        job.result()
        with connect(server, price_list=PRICES) as provider:
            again = provider.restore(job.batch_id)
            assert not again.result().success
            error = refused(again.resubmit_failed)
            assert (error.source, error.allowed, error.estimate.cost.amount) == ("job", 20, 32)
            assert again.resubmit_failed(max_cost=32) == 1
            assert again.result().success
        assert len(server.jobs) == 2

    def test_durations(self, server, ibex):
        """Are asked for before API jobs of a restored job are compared with a limit."""
        most = ibex.estimate([marker("1")], shots=10).device_seconds.high
        server.fail_jobs("out of ions", 2)
        job = ibex.run(marker("1"), max_device_seconds=2 * most)
        job.result()
        with connect(server) as provider:
            again = provider.restore(job.batch_id)
            again.result()
            assert again.resubmit_failed() == 1
            again.result()
            assert refused(again.resubmit_failed).estimate.device_seconds.high == pytest.approx(
                3 * most
            )
        assert len(server.jobs) == 2

    def test_simulations(self, backend, tmp_path):
        """Run again when they are restored, within the limits that hold then."""
        job = backend.run(marker("1"), shots=20)
        job.persist(store_path=tmp_path)
        backend.provider.spending_limits = SpendingLimits(max_shots=19)
        kept = [*tmp_path.iterdir()]
        assert refused(backend.provider.restore, job.job_id(), store_path=tmp_path).allowed == 19
        assert [*tmp_path.iterdir()] == kept
        backend.provider.spending_limits = SpendingLimits(max_shots=20)
        again = backend.provider.restore(job.job_id(), store_path=tmp_path)
        assert again.result().get_counts() == {"1": 20}

    @pytest.mark.parametrize("way", ["journal", "copy", "pickle"])
    def test_earlier_submissions(self, server, ibex, way, tmp_path):
        """Are known from the journal, from a copy and from a pickle."""
        server.fail_jobs("out of ions", 2)
        job = ibex.run(marker("1"), max_shots=10, journal=way == "journal")
        job.result()
        job.resubmit_failed(max_shots=20)
        job.result()
        with connect(server, price_list=PRICES) as provider:
            if way == "pickle":
                again = pickle.loads(pickle.dumps(job))  # noqa: S301
            elif way == "copy":
                job.persist(store_path=tmp_path)
                again = provider.restore(job.batch_id, store_path=tmp_path)
            else:
                again = provider.restore(job.batch_id)
            assert not again.result().success
            assert refused(again.resubmit_failed).estimate.shots == 30
            assert again.resubmit_failed(max_shots=30) == 1
            assert again.result().success
        assert len(server.jobs) == 3

    def test_unsent(self, server, ibex):
        """API jobs that were not sent count once."""
        server.revoke(server.token)
        job = ibex.run(marker("1"), max_shots=10)
        with pytest.raises(APIError, match="401"):
            job.result()
        server.accept(server.token)
        with connect(server, max_shots=9) as provider:
            again = provider.restore(job.batch_id)
            with pytest.raises(APIError):
                again.result()
            assert refused(again.resubmit_failed).source == "provider"
            assert server.jobs == []
            provider.spending_limits = SpendingLimits()
            assert again.resubmit_failed() == 1
            assert again.result().success
        assert len(server.jobs) == 1


class TestPrimitives:
    """All PUBs of a call are one job."""

    def circuit(self) -> QuantumCircuit:
        """A rotation by a parameter."""
        circuit = QuantumCircuit(1)
        circuit.ry(Parameter("a"), 0)
        return circuit

    def test_sampler(self, server, ibex):
        """Options of the sampler, of the backend, of the provider."""
        measured = self.circuit().measure_all(inplace=False)
        pubs = [(measured, [[0.1], [0.2]], shots) for shots in (3, 4)]
        sampler = AQTSampler(ibex, {"max_shots": 13, **QUIET})
        assert (refused(sampler.run, pubs).source, server.jobs) == ("job", [])
        assert refused(sampler.dry_run, pubs).estimate.shots == 14
        sampler.options.run_options = {"max_shots": 14}
        ibex.set_options(max_shots=12)
        assert refused(sampler.run, pubs).source == "backend"
        ibex.set_options(max_shots=None)
        plan = sampler.dry_run(pubs)
        assert (plan.circuits, plan.shots, plan.cost.amount) == (4, 14, 21)
        job = sampler.run(pubs)
        assert job.result()[0].data.meas.num_shots == 3
        assert len(server.jobs) == 1

    def test_estimator(self, server, ibex):
        """By the shots of its plan."""
        pubs = [(self.circuit(), ["Z", "X"], [0.1])]
        estimator = AQTEstimator(ibex, {"max_shots": 199, "default_precision": 0.1, **QUIET})
        assert estimator.plan(pubs).shots == 200
        assert refused(estimator.run, pubs).estimate.shots == 200
        estimator.options.run_options["max_shots"] = 200
        assert estimator.dry_run(pubs).shots == 200
        estimator.run(pubs).result()
        assert len(server.jobs) == 1

    def test_adaptive(self, server, ibex):
        """The pilot is not sent if the second job with all of its shots may exceed a limit."""
        pubs = [(self.circuit(), "Z", [[np.pi / 2], [0.3]])]
        options = {"adaptive": True, "default_precision": 0.05, "max_shots": 799, **QUIET}
        estimator = AQTEstimator(ibex, options)
        error = refused(estimator.run, pubs)
        assert (error.estimate.shots, error.estimate.circuits) == (800, 4)
        assert refused(estimator.dry_run, pubs).estimate.shots == 800
        assert server.jobs == []
        estimator.options.run_options["max_shots"] = 800
        dry = estimator.dry_run(pubs)
        assert (dry.shots, len(dry.payload_hashes)) == (800, 1)
        estimator.run(pubs).result()
        assert sum(sum(job.repetitions) for job in server.jobs) <= 800
        assert len(server.jobs) == 2

    def test_second_job(self, server, ibex):
        """Is refused if a limit is tighter by then: the pilot counts."""
        server.hold()
        estimator = AQTEstimator(
            ibex, {"adaptive": True, "default_precision": 0.05, "max_shots": 400, **QUIET}
        )
        job = estimator.run([(self.circuit(), "Z", [np.pi / 2])])
        ibex.provider.spending_limits = SpendingLimits(max_shots=100)
        server.release()
        error = refused(job.result)
        assert error.source == "provider"
        assert error.estimate.shots > 100
        (pilot,) = server.jobs
        assert error.estimate.circuits == 2
        assert sum(pilot.repetitions) < 100

    def test_second_job_after_two_pilots(self, server, ibex):
        """A pilot that was sent twice counts twice."""
        options = {"adaptive": True, "default_precision": 0.05, "max_shots": 400, **QUIET}
        server.fail_jobs("out of ions")
        job = AQTEstimator(ibex, options).run([(self.circuit(), "Z", [np.pi / 2])])
        job.jobs[0].wait_for_final_state()
        pilot = sum(server.jobs[0].repetitions)
        assert job.jobs[0].resubmit_failed(max_shots=1000) == 1
        error = refused(job.result)
        assert error.estimate.shots > 400
        assert [sum(sent.repetitions) for sent in server.jobs] == [pilot, pilot]

    def test_nothing_to_run(self, ibex):
        """Costs nothing."""
        ibex.set_options(max_cost=1e-9)
        assert AQTEstimator(ibex).run([(QuantumCircuit(1), "I")]).result()[0].data.evs == 1
        dry = AQTEstimator(ibex).dry_run([(QuantumCircuit(1), "I")])
        assert (dry.circuits, dry.shots, dry.cost.amount) == (0, 0, 0)

    def test_several_observables(self, backend):
        """The bound of the second job is that of the plan without a pilot."""
        chain = SparsePauliOp.from_sparse_list(
            [(2 * letter, [site, site + 1], 1.0) for site in range(3) for letter in "XYZ"], 4
        )
        circuit = QuantumCircuit(4)
        circuit.ry(0.3, range(4))
        options = {"adaptive": True, "default_precision": 0.1, "seed_simulator": 5}
        plan = AQTEstimator(backend, {**options, "adaptive": False}).plan([(circuit, chain)])
        adaptive = AQTEstimator(backend, options)
        assert adaptive.dry_run([(circuit, chain)]).shots == plan.shots
        assert adaptive.run([(circuit, chain)]).result()[0].metadata["shots"] <= plan.shots
