"""What a job is, and where it lives: through JSON and back, and nothing else."""

from __future__ import annotations

import math
import re
import uuid
from dataclasses import replace

import orjson
import pytest
from aqt_fast.store.description import JobDescription, now, utc
from aqt_fast.store.location import (
    MachineLocation,
    PortalLocation,
    SimulatorLocation,
    location_from_json,
    location_to_json,
)
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import BatchPlan, Part
from hypothesis import given
from hypothesis import strategies as st
from store.samples import MACHINE, PORTAL, SIMULATOR, described

LOCATIONS = [
    PORTAL,
    MACHINE,
    SIMULATOR,
    SimulatorLocation(None, {}),
    SimulatorLocation("standard", {"seed_simulator": 7, "method": "density_matrix"}),
    SimulatorLocation(None, {}, {"device": {"t1": None}, "settings": {}}),
]


def through_json(content):
    """As it is after it was written and read."""
    return orjson.loads(orjson.dumps(content))


class TestLocation:
    """Portal, machine, simulator."""

    @pytest.mark.parametrize("location", LOCATIONS)
    def test_round_trip(self, location):
        """Everything comes back, and keys of a later version are ignored."""
        content = through_json(location_to_json(location))
        assert location_from_json({**content, "later": [1]}) == location

    def test_kinds(self):
        """Each says what it is, and where."""
        assert [location.kind for location in (PORTAL, MACHINE, SIMULATOR)] == [
            "portal", "machine", "simulator",
        ]  # fmt: skip
        assert [location.url for location in (PORTAL, MACHINE, SIMULATOR)] == [
            "https://portal.example", "http://machine.example:80", None,
        ]  # fmt: skip

    @pytest.mark.parametrize("location", [PORTAL, MACHINE, SIMULATOR])
    @pytest.mark.parametrize("value", [None, [], 7.5, {"x": 1}])
    def test_wrong(self, location, value):
        """Whatever is missing or has another type: an error of the few that readers know."""
        content = location_to_json(location)
        for name in content:
            with pytest.raises(LookupError, match=name):
                location_from_json({key: content[key] for key in content if key != name})
            if name != "noise_model" and type(content[name]) is not type(value):
                with pytest.raises(TypeError, match=f"'{name}' must be"):
                    location_from_json({**content, name: value})

    @pytest.mark.parametrize(
        "content",
        [
            None,
            [],
            "portal",
            {"kind": "moon"},
            {**location_to_json(MACHINE), "max_shots": 0},
            {**location_to_json(SIMULATOR), "twin": "ibex"},
        ],
    )
    def test_no_location(self, content):
        """Nothing that could be one."""
        with pytest.raises((LookupError, TypeError, ValueError)):
            location_from_json(content)


json_values = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
locations = st.one_of(
    st.builds(
        PortalLocation, st.text(), st.text(), st.text(), st.sampled_from(["device", "simulator"])
    ),
    st.builds(MachineLocation, st.text(), st.text(), st.integers(1, 2000)),
)
simulators = st.builds(SimulatorLocation, json_values, st.dictionaries(st.text(), json_values))


@st.composite
def descriptions(draw):
    """Jobs of any size, cut by any limits."""
    numbers = draw(st.lists(st.integers(1, 9000), min_size=1, max_size=60))
    num_circuits, shots = len(numbers), tuple(numbers)
    if draw(st.booleans()) or len(set(numbers)) == 1:
        num_circuits, shots = draw(st.integers(1, 400)), numbers[0]
    offline = draw(st.booleans())
    by_circuit = draw(st.booleans())
    limits = Limits(
        circuits=1 if by_circuit else draw(st.integers(1, 100)),
        shots=draw(st.integers(500, 2000)),
        qubits=12,
    )
    plan = BatchPlan.new(
        num_circuits, shots, limits, draw(st.none() | st.text(max_size=255)), by_circuit=by_circuit
    )
    return JobDescription(
        job_id=plan.batch_id,
        backend_name=draw(st.text()),
        available_qubits=draw(st.integers(1, 10_000)),
        location=draw(simulators if offline else locations),
        options={**draw(st.dictionaries(st.text(), json_values)), "shots": shots},
        num_circuits=num_circuits,
        created=draw(st.datetimes(timezones=st.just(now().tzinfo))).replace(microsecond=1000),
        plan=None if offline else plan,
        is_copy=draw(st.booleans()),
        ended=draw(st.booleans()),
    )


@given(descriptions())
def test_round_trip(description):
    """Everything comes back, and keys of a later version are ignored."""
    content = through_json(description.to_json())
    assert JobDescription.from_json({**content, "later": None}) == description


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize(
    "value", [None, 0, -1, 10**18, math.pi, "x", "", [], [7], {}, {"a": 1}, True]
)
def test_other_types(offline, value):
    """Whatever stands in whatever place: the same description, or an error that readers know."""
    content = described(offline=offline).to_json()
    for name in content:
        try:
            read = JobDescription.from_json({**content, name: value})
        except (LookupError, TypeError, ValueError):
            continue
        assert JobDescription.from_json(through_json(read.to_json())) == read


@pytest.mark.parametrize("name", list(described().to_json()))
def test_missing(name):
    """Each entry is needed."""
    content = described().to_json()
    del content[name]
    with pytest.raises(LookupError, match=name):
        JobDescription.from_json(content)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [[0, 2, 9]],
        [[0, 1, 10]],
        [[1, 2, 10], [0, 1, 10]],
        [[0, 1, 10], [1, 3, 10]],
        [[0, 1, 10], [0, 1, 10], [1, 2, 10]],
        [[0, 2, 20], [0, 2, -10]],
        [[0, 1, 10], [1, 1, 10], [1, 2, 10]],
        [[0, 2]],
        [[0, 2, 10, 1]],
        [[0, 2, 10.0]],
        [[0, 2, True]],
        ["ab"],
        ["abc"],
        [None],
        {"0": [0, 2, 10]},
    ],
)
def test_other_parts(parts):
    """API jobs that are not those of the circuits and shots."""
    content = {**described().to_json(), "parts": parts}
    with pytest.raises((TypeError, ValueError)):
        JobDescription.from_json(content)


def different_shots(**changes):
    """A job of three circuits with different shots, the second one in two runs, as JSON."""
    plan = BatchPlan(str(uuid.uuid4()), "three", [Part(0, 3, ((10,), (20, 5), (7,)))])
    options = {"shots": (10, 25, 7), "label": None}
    content = described(job_id=plan.batch_id, num_circuits=3, options=options, plan=plan)
    return {**through_json(content.to_json()), **changes}


def test_shots_for_each():
    """A number for a circuit that is one run, and a list for one that is several."""
    content = different_shots()
    assert content["options"]["shots"] == [10, 25, 7]
    assert content["parts"] == [[0, 3, [10, [20, 5], 7]]]
    read = JobDescription.from_json(content)
    assert read.shots == (10, 25, 7)
    assert read.plan.parts == [Part(0, 3, ((10,), (20, 5), (7,)))]


@pytest.mark.parametrize(
    "parts",
    [
        [[0, 3, [10, [20, 5]]]],
        [[0, 3, [10, [20, 5], 7, 1]]],
        [[0, 3, [10, [20, 4], 7]]],
        [[0, 3, [[], [20, 5], 7]]],
        [[0, 3, [10, [25, 0], 7]]],
        [[0, 3, [10, [26, -1], 7]]],
        [[0, 3, [10, [20, 5.0], 7]]],
        [[0, 3, [10, [20, [5]], 7]]],
        [[0, 3, [10, "25", 7]]],
        [[0, 3, [10, 25, True]]],
        [[0, 3, 10]],
        [[0, 2, [10, 25]]],
        [[0, 1, 10], [1, 3, [7, 25]]],
        [[0, 1, 10], [1, 3, [25, 7]], [1, 3, [1, 1]]],
        [[0, 3, {"0": 10}]],
        [[0, 3, None]],
        [["0", 3, [10, 25, 7]]],
    ],
)
def test_other_parts_with_shots_for_each(parts):
    """API jobs that are not those of the circuits and shots."""
    with pytest.raises((TypeError, ValueError)):
        JobDescription.from_json(different_shots(parts=parts))


@pytest.mark.parametrize(
    "shots", [[], [10, 25], [10, 25, 7, 1], [10, 25, 0], [10, 25, 7.0], [10, 25, True], "abc", {}]
)
def test_other_shots(shots):
    """Numbers that are not shots of the circuits."""
    with pytest.raises((TypeError, ValueError)):
        JobDescription.from_json(different_shots(options={"shots": shots}))


@pytest.mark.parametrize("parts", [[[0, 1, [[4, 6]]], [1, 2, 10]], [[0, 2, 10]]])
def test_runs_of_a_machine(parts):
    """A machine takes one circuit, and one run of it at a time."""
    content = {**described().to_json(), "by_circuit": True}
    assert JobDescription.from_json(content).plan.by_circuit
    with pytest.raises(ValueError, match="one circuit, and one run"):
        JobDescription.from_json({**content, "parts": parts})


@pytest.mark.parametrize("offline", [True, False])
def test_other_place(offline):
    """A simulator has no API jobs, and all others have."""
    content = described(offline=not offline).to_json()
    location = location_to_json(SIMULATOR if offline else MACHINE)
    with pytest.raises(ValueError, match="API job"):
        JobDescription.from_json({**content, "location": location})


def test_parts_of_shots():
    """API jobs may share circuits."""
    content = {**described().to_json(), "parts": [[0, 2, 7], [0, 2, 3]]}
    plan = JobDescription.from_json(content).plan
    assert [(part.circuits, part.shots) for part in plan.parts] == [(range(2), 7), (range(2), 3)]


def test_moments():
    """In UTC, however they are written; the local zone if there is none."""
    assert utc("2026-11-22T10:30:00Z") == utc("2026-11-22T11:30:00+01:00")
    assert utc("2026-11-22T10:30:00Z").isoformat() == "2026-11-22T10:30:00+00:00"
    assert utc("2026-11-22").tzinfo == now().tzinfo
    assert re.search(r"T10:30:00\.125\+00:00$", described().to_json()["created"])
    assert replace(described(), created=now()).to_json()["created"] <= now().isoformat()
