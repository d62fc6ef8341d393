"""What jobs will take, as backends tell it, and what the local server says they took."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from aqt_fast import AQTJob, AQTProvider, PriceList
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices import DeviceTimes, StalePriceWarning
from aqt_fast.devices.estimate import added
from aqt_fast.exceptions import (
    APIConnectionError,
    InvalidCircuitError,
    InvalidJobError,
    InvalidOptionError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.testing import ArnicaServer, Durations, Resource, Workspace
from aqt_fast.wire.plan import cut
from clients import connect, device_of, machine_of
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

SLOW = Durations(single_qubit_gate=50.0, two_qubit_gate=5000.0, readout=20_000.0)
PRICES = PriceList(
    per_shot=0.02,
    per_circuit=0.3,
    per_api_job=1,
    currency="EUR",
    source="us",
    as_of=date(2026, 11, 1),
)


def native(r: int, rxx: int, *, rz: int = 0) -> QuantumCircuit:
    """A circuit with as many gates."""
    circuit = QuantumCircuit(2, 2)
    for number in range(max(r, rxx, rz)):
        if number < r:
            circuit.r(0.3, 0.1 * number, number % 2)
        if number < rxx:
            circuit.rxx(0.2, 0, 1)
        if number < rz:
            circuit.rz(0.7, number % 2)
    circuit.measure([0, 1], [0, 1])
    return circuit


@pytest.fixture(scope="module")
def realistic():
    """A server whose machines take their time, on its clock; one has slow gates."""
    resources = [
        Resource("ibex", "IBEX", "device", 12),
        Resource("slow", "SLOW", "device", 12, durations=SLOW),
        Resource("sim", "Simulator", "simulator", 12),
    ]
    workspaces = [Workspace("lab", resources)]
    with ArnicaServer(simulate=False, speed=1, virtual_time=True, workspaces=workspaces) as server:
        yield server


@pytest.fixture
def lab(realistic):
    """A provider with prices."""
    with connect(realistic, price_list=PRICES) as provider:
        yield provider


class TestAgainstTheServer:
    """The likely time is within five per cent of what the server reports."""

    @pytest.mark.parametrize("name", ["ibex", "slow"])
    @pytest.mark.parametrize(
        ("circuits", "shots"),
        [
            ([native(0, 0)], 1),
            ([native(1, 0, rz=50)], 2000),
            ([native(0, 0)] * 50, 2000),
            ([native(600, 300, rz=400)] * 50, 100),
            ([native(20, number) for number in range(120)], 30),
            ([native(5, 2), native(900, 900), native(0, 1)], (5000, 17, 1)),
        ],
        ids=["shortest", "one", "full", "many gates", "three API jobs", "different shots"],
    )
    def test_workloads(self, lab, name, circuits, shots):
        """Few gates and many; one circuit, and several API jobs; long gates and short ones."""
        backend = device_of(lab, name)
        estimate = backend.estimate(circuits, shots=shots)
        job = backend.run(circuits, shots=shots)
        job.result()
        used = job.usage()
        assert used == pytest.approx(estimate.device_seconds.likely, rel=0.05)
        assert used.estimate == estimate
        assert used.ratio == pytest.approx(1, rel=0.05)
        assert estimate.device_seconds.low < used < estimate.device_seconds.high

    def test_speed(self):
        """A server that is a thousand times faster takes a thousandth."""
        with (
            ArnicaServer(simulate=False, speed=1000, virtual_time=True) as server,
            connect(server) as provider,
        ):
            backend = device_of(provider, "ibex")
            job = backend.run([native(3, 2)] * 50, shots=2000)
            job.result()
            assert job.usage().ratio == pytest.approx(1e-3, rel=0.05)

    def test_compiled(self, lab):
        """What is counted are the gates after compilation."""
        circuit = QuantumCircuit(5)
        circuit.h(0)
        circuit.cx(0, [1, 2, 3, 4])
        circuit.measure_all()
        backend = device_of(lab, "slow")
        estimate = backend.estimate(circuit, shots=50, optimization_level=1)
        job = backend.run(circuit, shots=50, optimization_level=1)
        job.result()
        assert job.usage().estimate == estimate
        assert job.usage().ratio == pytest.approx(1, rel=0.05)
        with pytest.raises(InvalidCircuitError):
            backend.estimate(circuit)

    def test_primitives(self, lab):
        """Sweeps are counted set by set; an estimator's plan tells its time."""
        backend = device_of(lab, "slow")
        circuit = QuantumCircuit(2)
        circuit.ry(Parameter("a"), [0, 1])
        circuit.cx(0, 1)
        measured = circuit.measure_all(inplace=False)
        job = AQTSampler(backend).run([(measured, np.linspace(0.1, 3, 40)[:, None], 30)])
        job.result()
        assert job.usage().ratio == pytest.approx(1, rel=0.05)
        assert job.usage().estimate.cost.amount == pytest.approx(40 * (30 * 0.02 + 0.3) + 1)
        estimator = AQTEstimator(backend, {"grouping": "none", "optimization_level": 0})
        pubs = [(circuit, SparsePauliOp(["XX", "ZZ"], [3, 1]), [[0.1], [0.2], [0.3]], 0.1)]
        plan = estimator.plan(pubs)
        job = estimator.run(pubs)
        job.result()
        assert plan.seconds == pytest.approx(plan.estimate().device_seconds.likely)
        assert job.usage() == pytest.approx(plan.seconds, rel=0.05)
        assert job.usage().cost == plan.estimate().cost

    def test_restored(self, realistic, lab, monkeypatch):
        """A restored job knows its estimate again, from its circuits."""
        monkeypatch.setenv("AQT_PORTAL_URL", realistic.url)
        monkeypatch.setenv("AQT_TOKEN", realistic.token)
        backend = device_of(lab, "slow")
        job = backend.run([native(3, 2), native(0, 5)], shots=(70, 3))
        job.result()
        again = AQTJob.restore(job.job_id())
        assert again.usage() == job.usage()
        assert again.usage().estimate.shots == 73
        assert again.usage().ratio == pytest.approx(1, rel=0.05)

    def test_restored_without_answer(self, realistic, lab, monkeypatch):
        """If the portal does not tell the durations, usual ones stand in; nothing is raised."""
        monkeypatch.setenv("AQT_PORTAL_URL", realistic.url)
        monkeypatch.setenv("AQT_TOKEN", realistic.token)
        job = device_of(lab, "ibex").run(native(3, 2))
        job.result()
        again = AQTJob.restore(job.job_id())
        asked = []

        def refresh(backend):
            asked.append(backend.name)
            raise APIConnectionError("no answer")

        monkeypatch.setattr(AQTResource, "refresh", refresh)
        used = again.usage()
        assert used > 20
        assert asked == []
        assert used.estimate.device_times == DeviceTimes()
        assert asked == ["ibex"]

    def test_unknown_circuits(self, realistic, lab):
        """Of a job whose circuits are not known, nothing is expected."""
        job = device_of(lab, "ibex").run(native(1, 1), journal=False)
        job.result()
        with connect(realistic) as elsewhere:
            fetched = elsewhere.job(job.job_id(), store_path="/nonexistent")
            assert fetched.usage() == job.usage()
            assert fetched.usage().estimate is fetched.usage().ratio is None


class TestFigures:
    """Circuits, API jobs, shots and cost."""

    def test_cloud(self, lab):
        """As they would be sent."""
        estimate = device_of(lab, "ibex").estimate([native(1, 1)] * 120, shots=3000)
        assert (estimate.circuits, estimate.api_jobs, estimate.shots) == (120, 6, 360_000)
        assert estimate.cost.amount == pytest.approx(360_000 * 0.02 + 240 * 0.3 + 6)
        assert estimate.device_times.rxx == pytest.approx((200e-6,) * 3)

    def test_options_of_the_backend(self, lab):
        """They count where none are given; unknown ones are refused as by ``run``."""
        backend = device_of(lab, "ibex", shots=7)
        assert backend.estimate(native(1, 1)).shots == 7
        with pytest.raises(InvalidOptionError, match="shotz"):
            backend.estimate(native(1, 1), shotz=3)
        with pytest.raises(InvalidOptionError, match="shots"):
            backend.estimate(native(1, 1), shots=[3, 4])

    def test_bad_circuits(self, lab):
        """All of them at once; and nothing at all."""
        backend = device_of(lab, "ibex")
        bad = QuantumCircuit(1)
        with pytest.raises(InvalidCircuitError) as raised:
            backend.estimate([bad, native(1, 1), bad])
        assert [problem.circuit for problem in raised.value.problems] == [0, 2]
        with pytest.raises(InvalidJobError):
            backend.estimate([])

    def test_too_many(self, machine):
        """As ``run`` says it."""
        with pytest.raises(InvalidJobError, match="100001 API jobs"):
            machine.estimate([native(0, 0)] * 100_001)

    def test_a_snapshot(self, lab):
        """The same as for the circuits it is of."""
        backend = device_of(lab, "slow")
        circuits = [native(number, 30 - number, rz=3) for number in range(30)]
        shots = tuple(range(1, 31))
        options = backend.options_of_job({"shots": shots})
        snapshot = backend.prepare(circuits, options)
        assert backend.estimate_of(snapshot, options) == backend.estimate(circuits, shots=shots)

    def test_parts(self, lab):
        """Some API jobs, some of them twice."""
        backend = device_of(lab, "slow")
        circuits = [native(number, 120 - number) for number in range(120)]
        options = backend.options_of_job({"shots": 3000})
        snapshot = backend.prepare(circuits, options)
        parts = cut(120, 3000, backend.api_limits)
        assert backend.estimate_of(snapshot, options, parts) == (
            backend.estimate(circuits, shots=3000)
        )
        some = backend.estimate_of(snapshot, options, [parts[0], parts[0], parts[4]])
        expected = added(
            [
                backend.estimate(circuits[:50], shots=4000),
                backend.estimate(circuits[100:], shots=2000),
            ]
        )
        assert (some.circuits, some.api_jobs, some.shots) == (70, 3, 240_000)
        assert some.device_seconds == pytest.approx(expected.device_seconds)
        assert some.cost == expected.cost
        (different,) = cut(3, (5000, 1, 2), backend.api_limits)
        assert backend.estimate_of(snapshot, options, [different]).device_seconds == (
            backend.estimate(circuits[:3], shots=(5000, 1, 2)).device_seconds
        )

    def test_folded(self, lab):
        """Gates that folding leaves out, or adds, are those that the device gets."""
        circuit = QuantumCircuit(2, 2)
        circuit.rxx(math.pi, 0, 1)
        circuit.measure([0, 1], [0, 1])
        times = DeviceTimes(r=1, rxx=1000, readout=0, shot_overhead=0, circuit_overhead=0)
        estimate = device_of(lab, "ibex").estimate(circuit, shots=1, device_times=times)
        assert estimate.device_seconds == (2, 2, 2)


class TestWithoutDevice:
    """What there is to tell of other backends."""

    def test_machine(self, machine):
        """It publishes no durations, but the user may know them."""
        estimate = machine.estimate([native(1, 2)] * 3, shots=5000)
        assert (estimate.circuits, estimate.api_jobs, estimate.shots) == (3, 9, 15_000)
        assert estimate.device_seconds is estimate.cost is machine.device_times is None
        machine.device_times = DeviceTimes(
            r=1, rxx=10, readout=100, shot_overhead=0, circuit_overhead=(0, 1, 2)
        )
        assert machine.estimate(native(1, 2), shots=4000).device_seconds == (
            484_000, 484_002, 484_004,
        )  # fmt: skip
        machine.device_times = None
        assert machine.device_times is None

    def test_offline(self, backend):
        """Neither API jobs nor time nor cost, unless it is to be that of something else."""
        estimate = backend.estimate(native(1, 2), shots=10_000)
        assert (estimate.api_jobs, estimate.shots) == (0, 10_000)
        assert estimate.device_seconds is estimate.cost is None
        other = backend.estimate(
            native(1, 2), shots=10, price_list=PRICES, device_times=DeviceTimes()
        )
        assert other.cost.amount == pytest.approx(0.5)
        assert other.device_seconds.likely > 2

    def test_simulator_of_the_portal(self, lab):
        """It is no device; a list of prices may name it."""
        assert device_of(lab, "sim").estimate(native(1, 2)).cost is None
        assert device_of(lab, "sim").device_times is None

    def test_usage(self, backend):
        """A job offline has a number, and an estimate without seconds."""
        job = backend.run(native(1, 1))
        job.result()
        assert job.usage() == 0.0
        assert job.usage().estimate.shots == 100
        assert job.usage().ratio is None


class TestDeviceTimes:
    """The user knows better."""

    def test_own(self, lab):
        """They count for this backend until they are taken back."""
        backend = device_of(lab, "ibex")
        published = backend.device_times
        backend.device_times = published.replaced(shot_overhead=1)
        assert backend.estimate(native(0, 0), shots=100).device_seconds.likely > 100
        backend.device_times = None
        assert backend.device_times == published
        for wrong in (7, {"r": 1}):
            with pytest.raises(InvalidOptionError, match=r"^device_times must be DeviceTimes"):
                backend.device_times = wrong
            with pytest.raises(InvalidOptionError, match=r"^device_times must be DeviceTimes"):
                backend.estimate(native(0, 0), device_times=wrong)

    def test_nothing_published(self):
        """Usual durations stand in, with wide bounds; the likely time is still near."""
        with (
            ArnicaServer(
                simulate=False, speed=1, virtual_time=True, characterisation="none"
            ) as server,
            connect(server) as provider,
        ):
            backend = device_of(provider, "ibex")
            assert backend.device_times == DeviceTimes()
            job = backend.run([native(9, 9)] * 3, shots=200)
            job.result()
            assert job.usage().ratio == pytest.approx(1, rel=0.05)


class TestPrices:
    """Whose they are."""

    def test_by_resource(self, realistic):
        """The first list that names the resource, or that is for all devices."""
        special = replace(PRICES, resources=("sim", "slow"), currency="USD")
        with connect(realistic, price_list=[special, PRICES]) as provider:
            currencies = {
                name: provider.get_backend(name).price_list.currency
                for name in ("ibex", "slow", "sim")
            }
            assert currencies == {"ibex": "EUR", "slow": "USD", "sim": "USD"}
            assert provider.get_backend("offline_simulator_noise").price_list is None
        with connect(realistic) as provider:
            assert provider.get_backend("ibex").price_list is None
            assert provider.get_backend("ibex").estimate(native(0, 0)).cost is None

    def test_wrong(self, lab):
        """Said at once."""
        with pytest.raises(InvalidOptionError, match=r"^price_list must be a PriceList"):
            AQTProvider("", load_dotenv=False, price_list=0.02)
        with pytest.raises(InvalidOptionError, match=r"^price_list must be a PriceList"):
            device_of(lab, "ibex").estimate(native(0, 0), price_list=0.02)

    def test_stale(self, lab):
        """Old prices are shown with their date, and warned of at the user's line."""
        old = replace(PRICES, as_of=date(2020, 1, 1), max_age_days=180)
        backend = device_of(lab, "ibex")
        with pytest.warns(StalePriceWarning, match=r"days old .* us, 2020-01-01") as caught:
            estimate = backend.estimate(native(0, 0), price_list=old)
        assert caught[0].filename == __file__
        assert "2020-01-01" in str(estimate)

    def test_machine_of_ones_own(self, realistic):
        """A machine in the same network costs nothing, unless a list names it."""
        with connect(realistic, price_list=PRICES) as provider:
            assert machine_of(provider, realistic).price_list is None
