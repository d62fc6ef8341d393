"""A thousand random jobs and limits: the server's record tells what has left, to the API job.

What a job costs and takes is worked out here once more, from the documented rules alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from aqt_fast import execute
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices import DeviceTimes, PriceList, SpendingLimits
from aqt_fast.exceptions import (
    AQTError,
    MissingEstimateError,
    SpendingLimitError,
    SubmissionUncertainError,
)
from aqt_fast.primitives import AQTEstimator, AQTSampler
from aqt_fast.testing import ArnicaServer
from clients import QUIET, connect, device_of, machine_of
from markers import marker
from qiskit import QuantumCircuit

PRICES = PriceList(
    per_shot=0.1,
    per_circuit=0.7,
    per_api_job=3.3,
    currency="EUR",
    source="our contract",
    as_of=date(2026, 11, 1),
    resources=("ibex", "IBEX"),  # the machine tells its name
)
TIMES = DeviceTimes(
    r=(0.001, 0.002, 0.004),
    rxx=1.0,
    readout=(0.1, 0.2, 0.3),
    shot_overhead=(0.1, 0.2, 0.7),
    circuit_overhead=(0.0, 1.0, 5.0),
)
PLACES = ("provider", "backend", "job")
NAMES = ("max_cost", "max_device_seconds", "max_shots")
NUMBERS = {"run": 600, "execute": 75, "machine": 75, "sampler": 100, "estimator": 50}
"""Numbers of new jobs; the other hundred are submitted again and again."""
ibex_of = partial(device_of, name="ibex")
CIRCUITS = [marker("1" * ones + "0") for ones in range(4)]
"""Circuits with 0 to 3 gates."""


@dataclass
class Request:
    """A random job."""

    send: Callable[..., Any]
    """Takes the limits of the job."""
    shots: int
    runs: int
    api_jobs: int
    seconds: float
    """The upper end."""
    limits: dict[str, dict[str, float]] = field(default_factory=dict)
    """By place and name."""

    @property
    def cost(self) -> float:
        """By the rules of ``PriceList``, in decimal numbers."""
        parts = (self.shots, "0.1"), (self.runs, "0.7"), (self.api_jobs, "3.3")
        return float(sum(number * Decimal(price) for number, price in parts))

    def value(self, name: str) -> float:
        """What a limit is compared with."""
        return {
            "max_shots": self.shots, "max_cost": self.cost, "max_device_seconds": self.seconds
        }[name]  # fmt: skip

    def exceeded(self, *, priced: bool, timed: bool) -> bool:
        """Whether a limit must refuse it."""
        unknown = {"max_cost": not priced, "max_device_seconds": not timed}
        return any(
            unknown.get(name, False) or self.value(name) > allowed
            for of_place in self.limits.values()
            for name, allowed in of_place.items()
        )


def request(rng: random.Random, device: AQTResource, *, width: int, way: str) -> Request:
    """Draw a job: circuits, shots, and the way in which it is sent."""
    picked = rng.choices(range(4), k=rng.choice([1, 2, 3, rng.randint(1, 7)]))
    if way != "machine" and rng.random() < 0.05:
        picked = rng.choices(range(4), k=rng.randint(49, 102))
    numbers = [rng.randint(1, 40)] * len(picked)
    if rng.random() < 0.3:
        numbers = [rng.randint(1, 40) for _ in picked]
    elif way != "sampler" and rng.random() < 0.05:
        numbers = [rng.randint(1990, 4100)] * len(picked)
    circuits = [CIRCUITS[ones] for ones in picked]
    if way == "estimator":
        count, precision = len(picked), rng.choice([0.5, 0.3, 0.25])
        picked, numbers = [0] * count, [math.ceil(1 / precision**2)] * count
        pubs = [(QuantumCircuit(1), "Z")] * count
        primitive = partial(AQTEstimator, device)
        send = partial(run_primitive, primitive, pubs, precision=precision)
    elif way == "sampler":
        pubs = [(circuit, None, number) for circuit, number in zip(circuits, numbers, strict=True)]
        send = partial(run_primitive, partial(AQTSampler, device), pubs)
    else:
        shots = numbers if len(set(numbers)) > 1 else numbers[0]
        function = partial(execute, circuits, device)
        send = partial(device.run if way == "run" else function, *[circuits] * (way == "run"))
        if way == "machine":
            send = partial(device.run, circuits)
        send = partial(send, shots=shots, journal=False)
    runs = sum(-(-number // 2000) for number in numbers)
    groups = -(-len(picked) // width)
    return Request(
        send=send,
        shots=sum(numbers),
        runs=runs,
        api_jobs=groups * (runs // len(picked)),
        seconds=runs * 5.0
        + sum(number * (1.0 + ones * 0.004) for number, ones in zip(numbers, picked, strict=True)),
    )


def run_primitive(make: Any, pubs: list[Any], *, precision: Any = None, **limits: Any) -> Any:
    """Run PUBs; gates stay as they are written."""
    options = {**QUIET, **limits, "optimization_level": 0, "journal": False}
    primitive = make(options)
    more = {} if precision is None else {"precision": precision}
    return primitive.run(pubs, **more).job


def draw_limits(rng: random.Random, case: Request) -> None:
    """Set limits in some places, near what the job takes."""
    for place in PLACES:
        case.limits[place] = {}
        for name in NAMES:
            if rng.random() < 0.75:
                continue
            factor = rng.choice([0.3, 0.99, 1.01, 1.5, 10])
            allowed = case.value(name) * factor
            if name == "max_shots":
                allowed = max(1, case.shots + rng.choice([-5, -1, 0, 0, 1, 5, 1000]))
            elif name == "max_cost" and rng.random() < 0.3:
                allowed = case.cost
            case.limits[place][name] = allowed


@pytest.fixture(scope="module")
def fast_server() -> Iterator[ArnicaServer]:
    """A server of this module's own."""
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.mark.parametrize("way", ["run", "execute", "machine", "sampler", "estimator"])
def test_new_jobs(fast_server, way):
    """Nothing arrives if a limit is exceeded; else all arrives."""
    rng = random.Random(f"limits {way}")  # noqa: S311 - for tests
    number, refusals = NUMBERS[way], 0
    with connect(fast_server, price_list=PRICES) as priced, connect(fast_server) as free:
        make = partial(machine_of, server=fast_server) if way == "machine" else ibex_of
        devices = {provider: make(provider) for provider in (priced, free)}
        for _ in range(number):
            provider = rng.choice([priced, priced, priced, free])
            timed = way != "machine" or rng.random() < 0.5
            device = devices[provider]
            device.device_times = TIMES if timed else None
            case = request(rng, device, width=1 if way == "machine" else 50, way=way)
            draw_limits(rng, case)
            provider.spending_limits = SpendingLimits(**case.limits["provider"])
            device.set_options(**{**dict.fromkeys(NAMES), **case.limits["backend"]})
            exceeded = case.exceeded(priced=provider is priced, timed=timed)
            before = len(fast_server.jobs)
            if exceeded:
                with pytest.raises(SpendingLimitError) as caught:
                    case.send(**case.limits["job"])
                check_error(caught.value, case)
                refusals += 1
            else:
                job = case.send(**case.limits["job"])
                for index in range(case.api_jobs):
                    job.api_job_id(index)
                if way == "machine":
                    job.result()
            arrived = fast_server.jobs[before:]
            assert len(arrived) == (0 if exceeded else case.api_jobs)
            assert sum(sum(job.repetitions) for job in arrived) == (0 if exceeded else case.shots)
    assert 0.2 * number < refusals < 0.8 * number


def check_error(error: SpendingLimitError, case: Request) -> None:
    """It names a limit that is set there, and the estimate is that of the job."""
    assert case.limits[error.source][error.limit] == error.allowed
    assert error.allowed == min(
        of_place[error.limit] for of_place in case.limits.values() if error.limit in of_place
    )
    estimate = error.estimate
    assert (estimate.shots, estimate.api_jobs) == (case.shots, case.api_jobs)
    if estimate.cost is not None:
        assert estimate.cost.amount == case.cost
    if estimate.device_seconds is not None:
        assert estimate.device_seconds.high == pytest.approx(case.seconds)
    if not isinstance(error, MissingEstimateError):
        assert case.value(error.limit) > error.allowed


FATES = {
    "reset_after": True,
    "reset_before": True,
    "500_after": True,
    "502": True,
    "bad_json": True,
    "401": False,
    "out of ions": True,
    None: True,
}
"""What may happen to a submission, and whether it counts as one that may have run."""


def test_submitting_again(fast_server):
    """Under faults: what may have run and what would be sent are within the limit together."""
    rng = random.Random("limits under faults")  # noqa: S311 - for tests
    refusals = 0
    with connect(fast_server, price_list=PRICES) as provider:
        device = ibex_of(provider)
        for number in range(100):
            circuits, shots = rng.randint(1, 3), rng.randint(1, 9)
            label = f"case {number}"
            unit = {
                "max_shots": circuits * shots,
                "max_cost": float(
                    Decimal("0.1") * circuits * shots + Decimal("0.7") * circuits + Decimal("3.3")
                ),
            }
            limit, allowed_times = rng.choice([*unit]), rng.randint(1, 3)
            allowed = unit[limit] * allowed_times
            allowed += 0.001 if limit == "max_cost" else 0  # sums of decimal numbers
            inject(fast_server, rng)
            job = device.run([CIRCUITS[1]] * circuits, shots=shots, label=label, **{limit: allowed})
            counted = 0
            for _ in range(5):
                if job.result(partial=True).success:  # it tries again after 401
                    break
                counted += counts(job)
                inject(fast_server, rng)
                if counted + 1 > allowed_times:
                    with pytest.raises(SpendingLimitError) as caught:
                        job.resubmit_failed(uncertain=True)
                    assert caught.value.estimate.shots == unit["max_shots"] * (counted + 1)
                    refusals += 1
                    break
                assert job.resubmit_failed(uncertain=True) == 1
            fast_server.faults.clear()
            arrived = [item for item in fast_server.jobs if (item.label or "").startswith(label)]
            arrived = [item for item in arrived if item.label.split(" (")[0] == label]
            assert len(arrived) <= allowed_times
            assert sum(sum(item.repetitions) for item in arrived) * unit[limit] <= (
                allowed * unit["max_shots"]
            )
    assert refusals > 30


def inject(server: ArnicaServer, rng: random.Random) -> None:
    """Decide about the next submission."""
    server.faults.clear()
    kind = rng.choices([*FATES], weights=[3, 3, 3, 3, 3, 2, 1, 3])[0]
    if kind == "out of ions":
        server.fail_jobs(kind)
    elif kind is not None:
        server.faults.next(kind, method="POST")


def counts(job: Any) -> bool:
    """Whether the last submission may have run, by what the user hears of it."""
    try:
        job.job_id()
    except SubmissionUncertainError:
        return True
    except AQTError:
        return False
    return True
