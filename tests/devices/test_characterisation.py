"""What is read of a characterisation, and how it is saved and shown."""

from __future__ import annotations

import copy
import json
import math
import pickle
import re
from dataclasses import replace
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest
from aqt_connector.models.arnica.response_bodies.resources import CharacterisationResponse
from aqt_fast import Characterisation
from aqt_fast.devices import Measured
from aqt_fast.exceptions import AQTError, InvalidCharacterisationError, InvalidOptionError
from hypothesis import given, settings
from hypothesis import strategies as st

PUBLISHED = {
    "single_qubit_gate_fidelity": {
        "0": {"value": 99.9, "uncertainty": 0.1},
        "1": {"value": 99.8, "uncertainty": 0.0},
        "2": {"value": 99.5, "uncertainty": 0.2},
    },
    "mean_two_qubit_gate_fidelity": {"value": 98.0, "uncertainty": 0.5},
    "two_qubit_gate_fidelity": [
        {"qubits": [0, 1], "value": 98.5, "uncertainty": 0.3},
        {"qubits": [0, 2], "value": 97.0, "uncertainty": 0.3},
    ],
    "spam_fidelity_lower_bound": 99.5,
    "t1_s": {"value": 1.25, "uncertainty": 0.05},
    "t2_coherence_time_s": {"value": 0.5, "uncertainty": 0.1},
    "readout_time_micros": 2500.0,
    "single_qubit_gate_duration_micros": 15.0,
    "two_qubit_gate_duration_micros": 200.0,
    "updated_at": "2026-01-02T03:04:05Z",
}
FIELDS = {
    "mean_two_qubit_gate_fidelity": "mean_rxx_fidelity",
    "two_qubit_gate_fidelity": "rxx_fidelity",
    "spam_fidelity_lower_bound": "spam_fidelity",
    "t1_s": "t1",
    "t2_coherence_time_s": "t2",
    "readout_time_micros": "readout_duration",
    "single_qubit_gate_duration_micros": "r_duration",
    "two_qubit_gate_duration_micros": "rxx_duration",
}
"""The field that each of the portal's keys is read into."""
NOON = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def read(published=None, num_qubits=3, **changes) -> Characterisation:
    """A characterisation from what the portal publishes, with some entries changed."""
    return Characterisation.from_published(
        {**(PUBLISHED if published is None else published), **changes},
        resource_id="ion",
        workspace_id="lab",
        num_qubits=num_qubits,
        fetched_at=NOON,
    )


def near(value: float, uncertainty: float | None = None) -> Measured:
    """A value that equals others of about its size."""
    spread = None if uncertainty is None else pytest.approx(uncertainty)
    return Measured(pytest.approx(value), spread)


class TestPublished:
    """From per cent and microseconds to SI units."""

    def test_example_is_published_so(self):
        """AQT's own model has this shape."""
        assert CharacterisationResponse.model_validate(PUBLISHED)

    def test_pairs(self):
        """The newest shape: each pair, and the mean."""
        found = read()
        assert found.problems == ()
        assert found.r_fidelity == {0: near(0.999, 1e-3), 1: near(0.998, 0), 2: near(0.995, 2e-3)}
        assert found.rxx_fidelity == {(0, 1): near(0.985, 3e-3), (0, 2): near(0.97, 3e-3)}
        assert found.mean_rxx_fidelity == near(0.98, 5e-3)
        assert found.spam_fidelity == pytest.approx(0.995)
        assert (found.t1, found.t2) == (Measured(1.25, 0.05), Measured(0.5, 0.1))
        assert (found.r_duration, found.rxx_duration, found.readout_duration) == pytest.approx(
            (15e-6, 200e-6, 2.5e-3)
        )
        assert found.updated_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
        assert found.fetched_at == NOON
        assert found.rxx_fidelity_of(2, 0) == found.rxx_fidelity[0, 2]
        assert found.rxx_fidelity_of(2, 1) == found.mean_rxx_fidelity
        for pair in ((1, 1), (0, 3), (-1, 0), ("0", 1), (0.5, 1)):
            with pytest.raises(InvalidOptionError, match="two of 3 qubits"):
                found.rxx_fidelity_of(*pair)

    def test_only_a_mean(self):
        """The older shape."""
        published = {k: v for k, v in PUBLISHED.items() if k != "two_qubit_gate_fidelity"}
        found = read(published)
        assert found.problems == ()
        assert found.rxx_fidelity == {}
        assert found.rxx_fidelity_of(1, 2) == near(0.98, 5e-3)

    def test_bare_numbers(self):
        """Values without uncertainties, and with them where none are expected."""
        found = read(t1_s=2, spam_fidelity_lower_bound={"value": 99, "uncertainty": 1})
        assert found.problems == ()
        assert found.t1 == Measured(2.0)
        assert found.spam_fidelity == 0.99

    def test_pairs_in_any_order(self):
        """Both orders are the same pair; a second value is named, not taken."""
        pairs = [
            {"qubits": [2, 1], "value": 96},
            {"qubits": [1, 2], "value": 96},
            {"qubits": [1, 2], "value": 95},
        ]
        found = read(two_qubit_gate_fidelity=pairs)
        assert found.rxx_fidelity == {(1, 2): Measured(0.96)}
        assert [problem.split()[0] for problem in found.problems] == ["two_qubit_gate_fidelity[2]"]

    @pytest.mark.parametrize("name", PUBLISHED)
    def test_nothing_is_needed(self, name):
        """What is missing or null is unknown, and no problem."""
        without = {key: value for key, value in PUBLISHED.items() if key != name}
        found = read(without)
        assert found == read(**{name: None})
        assert found.problems == read(**{name: None}).problems == ()
        assert found != read()

    @pytest.mark.parametrize("value", ["?", True, math.nan, math.inf, 10**400, -1, (), {}])
    @pytest.mark.parametrize("name", FIELDS)
    def test_malformed(self, name, value):
        """It is unknown, and named by the portal's key; the rest is read."""
        found = read(**{name: value})
        (problem,) = found.problems
        assert problem.startswith(name)
        unknown = {} if name == "two_qubit_gate_fidelity" else None
        assert found == replace(read(), **{FIELDS[name]: unknown})

    @pytest.mark.parametrize("name", [name for name in FIELDS if "fidelity" in name])
    def test_other_units(self, name):
        """Less than depolarisation leaves is no fidelity in per cent, nor is more than all."""
        for value in (100.1, 0.9985):
            entries = [{"qubits": [0, 1], "value": value}]
            found = read(**{name: entries if name == "two_qubit_gate_fidelity" else value})
            assert "to 100 per cent, not" in found.problems[0]
        found = read(single_qubit_gate_fidelity={"0": 0.9985, "1": 50})
        assert found.r_fidelity == {1: Measured(0.5)}

    def test_malformed_parts(self):
        """Other qubits, pairs and values stay."""
        found = read(
            single_qubit_gate_fidelity={"0": 99, "1": "x\x1b[2J", "3": 99, "01": 99},
            two_qubit_gate_fidelity=[
                7,
                {"qubits": [0]},
                {"qubits": [0, 3], "value": 1},
                {"qubits": [1, 1], "value": 1},
                {"qubits": [0, True], "value": 1},
                {"qubits": [0, 1], "value": 98, "uncertainty": "?"},
                {"qubits": [0, 2]},
            ],
            updated_at="yesterday",
        )
        assert found.r_fidelity == {0: Measured(0.99)}
        assert found.rxx_fidelity == {(0, 1): Measured(0.98)}
        assert found.updated_at is None
        assert len(found.problems) == 3 + 7 + 1
        assert all(problem.isprintable() and len(problem) < 120 for problem in found.problems)

    def test_time_zones(self):
        """Without a zone, a time is in UTC."""
        for text in ("2026-01-02T03:04:05", "2026-01-02T08:34:05+05:30"):
            assert read(updated_at=text).updated_at == read().updated_at

    @settings(max_examples=60, deadline=None)
    @given(
        st.dictionaries(
            st.sampled_from(sorted(PUBLISHED)),
            st.recursive(
                st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                lambda inner: (
                    st.lists(inner, max_size=3)
                    | st.dictionaries(
                        st.sampled_from(["0", "1", "value", "uncertainty", "qubits"]),
                        inner,
                        max_size=3,
                    )
                ),
                max_leaves=6,
            ),
        )
    )
    def test_whatever_the_portal_sends(self, published):
        """Reading never fails, and what it returns can be shown and saved."""
        found = read(published)
        assert str(found)
        assert found._repr_html_()
        text = json.dumps(found.to_dict(), allow_nan=False)
        assert Characterisation.from_dict(json.loads(text)) == found


class TestModel:
    """The values themselves."""

    def test_means(self):
        """Of the known qubits, with the uncertainty of a mean of independent values."""
        found = read().mean_r_fidelity
        assert found.value == pytest.approx((0.999 + 0.998 + 0.995) / 3)
        assert found.uncertainty == pytest.approx(math.hypot(1e-3, 2e-3) / 3)
        bare = read(single_qubit_gate_fidelity={"0": 99, "2": {"value": 98, "uncertainty": 1}})
        assert bare.mean_r_fidelity == near(0.985)
        assert read({}).mean_r_fidelity is None

    @pytest.mark.parametrize(
        ("field", "value", "place"),
        [
            ("num_qubits", 0, "num_qubits"),
            ("r_fidelity", {3: Measured(0.9)}, "r_fidelity[3]"),
            ("r_fidelity", {0: Measured(1.1)}, "r_fidelity[0]"),
            ("rxx_fidelity", {(1, 0): Measured(0.9)}, "rxx_fidelity[(1, 0)]"),
            ("rxx_fidelity", {(0, 1): Measured(-0.1)}, "rxx_fidelity[(0, 1)]"),
            ("rxx_fidelity", {3: Measured(0.9)}, "rxx_fidelity[3]"),
            ("r_fidelity", {0: 0.9}, "r_fidelity[0]"),
            ("mean_rxx_fidelity", Measured(0.9, -1.0), "mean_rxx_fidelity.uncertainty"),
            ("mean_rxx_fidelity", Measured(0.9, 1.5), "mean_rxx_fidelity.uncertainty"),
            ("r_fidelity", [Measured(0.9)], "r_fidelity"),
            ("rxx_fidelity", None, "rxx_fidelity"),
            ("resource_id", 5, "resource_id"),
            ("updated_at", "2026-01-01", "updated_at"),
            ("t1", 1.25, "t1"),
            ("spam_fidelity", Measured(0.99), "spam_fidelity"),
            ("spam_fidelity", 99.5, "spam_fidelity"),
            ("t1", Measured(0.0), "t1"),
            ("t2", Measured(math.nan), "t2"),
            ("r_duration", -1e-6, "r_duration"),
            ("rxx_duration", math.inf, "rxx_duration"),
            ("updated_at", datetime(2026, 1, 1), "updated_at"),  # noqa: DTZ001 - that is the fault
        ],
    )
    def test_impossible_values(self, field, value, place):
        """They are refused by the name of their field."""
        with pytest.raises(InvalidCharacterisationError) as caught:
            replace(read(), **{field: value})
        assert caught.value.field == place
        assert str(caught.value).startswith(f"the characterisation: {place} ")

    def test_a_key(self):
        """Equal ones have one hash; later changes of what it was made of do not matter."""
        fidelities = {0: Measured(0.9)}
        found = replace(read(), r_fidelity=fidelities)
        fidelities[1] = "?"
        assert found.r_fidelity == {0: Measured(0.9)}
        assert len({read(), read(), found}) == 2

    def test_copies(self):
        """A copy and a pickle are equal, and keep the problems."""
        found = read(t1_s="?")
        for copied in (copy.deepcopy(found), pickle.loads(pickle.dumps(found))):  # noqa: S301
            assert copied == found
            assert copied.problems == found.problems


class TestSaved:
    """Dictionaries and files."""

    @pytest.mark.parametrize("changes", [{}, dict.fromkeys(PUBLISHED), {"t1_s": "?"}])
    def test_round_trip(self, changes, tmp_path):
        """All of it comes back, through JSON's types alone."""
        found = read(**changes)
        content = found.to_dict()
        assert json.loads(json.dumps(content)) == content
        path = tmp_path / "ion.json"
        found.save(path)
        found.save(str(path))
        for again in (Characterisation.from_dict(content), Characterisation.load(path)):
            assert again == found
            assert again.problems == found.problems
        assert (path.stat().st_mode & 0o777) == 0o600

    def test_little_is_needed(self):
        """A file that a person writes needs only names, size and version."""
        content = {"format": 1, "resource_id": "ion", "workspace_id": "lab", "num_qubits": 3}
        assert Characterisation.from_dict(content) == Characterisation("ion", "lab", 3)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"format": 2}, "format"),
            ({"format": True}, "format"),
            ({"num_qubits": "3"}, "num_qubits"),
            ({"num_qubits": True}, "num_qubits"),
            ({"resource_id": None}, "resource_id"),
            ({"t1": 1.25}, "t1"),
            ({"t1": {"value": "x"}}, "t1.value"),
            ({"t1": {"value": 1, "uncertainty": []}}, "t1.uncertainty"),
            ({"t1": {"value": -1}}, "t1"),
            ({"t1": {"value": 1, "spread": 2}}, "t1.spread"),
            ({"r_fidelity": [{"qubit": 0, "value": 1, "qubits": 1}]}, "r_fidelity[0].qubits"),
            ({"r_duration": "15"}, "r_duration"),
            ({"r_fidelity": {}}, "r_fidelity"),
            ({"r_fidelity": [3]}, "r_fidelity[0]"),
            ({"r_fidelity": [{"qubit": "0", "value": 1}]}, "r_fidelity[0].qubit"),
            ({"r_fidelity": [{"qubit": 0, "value": 1}] * 2}, "r_fidelity[1]"),
            ({"rxx_fidelity": [{"qubits": [0], "value": 1}]}, "rxx_fidelity[0].qubits"),
            ({"rxx_fidelity": [{"qubits": [0, 1]}]}, "rxx_fidelity[0].value"),
            ({"updated_at": "yesterday"}, "updated_at"),
            ({"problems": [1]}, "problems[0]"),
            ({"t3": 4}, "'t3'"),
        ],
    )
    def test_damaged(self, change, field, tmp_path):
        """The error names field and file."""
        content = {**read().to_dict(), **change}
        with pytest.raises(InvalidCharacterisationError) as caught:
            Characterisation.from_dict(content)
        assert caught.value.field == field
        path = tmp_path / "ion.json"
        path.write_text(json.dumps(content))
        with pytest.raises(InvalidCharacterisationError, match=re.escape(str(path))) as caught:
            Characterisation.load(path)
        assert (caught.value.field, caught.value.path) == (field, path)
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
        assert str(again) == str(caught.value)

    @pytest.mark.parametrize("name", ["format", "resource_id", "workspace_id", "num_qubits"])
    def test_missing(self, name):
        """Names, size and version must be there."""
        content = read().to_dict()
        del content[name]
        with pytest.raises(InvalidCharacterisationError) as caught:
            Characterisation.from_dict(content)
        assert (caught.value.field, caught.value.reason) == (name, "is missing")

    def test_other_files(self, tmp_path):
        """One that is no characterisation, and one that is not there."""
        path = tmp_path / "other"
        for text in ("", "[]", "{", "null", "\x00"):
            path.write_text(text)
            with pytest.raises(AQTError, match=re.escape(str(path))):
                Characterisation.load(path)
        with pytest.raises(OSError, match="nowhere"):
            Characterisation.load(tmp_path / "nowhere")
        nowhere = tmp_path / "nowhere" / "ion.json"
        with pytest.raises(FileNotFoundError) as caught:
            read().save(nowhere)
        assert caught.value.filename == str(nowhere)


class _Texts(HTMLParser):
    """Keeps the texts of a page, its tags and whatever leads elsewhere."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.open: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.links += [name for name, _ in attrs if name in ("src", "href")]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


class TestShown:
    """The table of text, and HTML."""

    def test_text(self):
        """Values with as many digits as their uncertainty leaves, and units."""
        assert str(read()).splitlines() == [
            "ion (lab), 3 qubits",
            "updated 2026-01-02 03:04 UTC, fetched 2026-01-02 12:00 UTC",
            "",
            "fidelity of r            99.5 to 99.9 %, mean 99.73 ± 0.07 %",
            "fidelity of rxx          97.0 to 98.5 %, mean 98.0 ± 0.5 %",
            "preparation and readout  at least 99.5 %",
            "T1                       1.25 ± 0.05 s",
            "T2 without echo          0.50 ± 0.10 s",
            "duration of r            15 µs",
            "duration of rxx          200 µs",
            "duration of readout      2.5 ms",
            "",
            "r on qubit 0             99.90 ± 0.10 %",
            "r on qubit 1             99.8 %",
            "r on qubit 2             99.5 ± 0.2 %",
        ]

    def test_weakest_pairs(self):
        """The three worst of many."""
        values = {(0, 1): 99, (0, 2): 97, (0, 3): 98, (1, 2): 96, (1, 3): 99, (2, 3): 99}
        pairs = [{"qubits": list(pair), "value": value} for pair, value in values.items()]
        text = str(read(two_qubit_gate_fidelity=pairs, num_qubits=4))
        assert "weakest pairs            1–2 96 %, 0–2 97 %, 0–3 98 %\n" in text

    def test_little_known(self):
        """What is unknown is called so, and problems are listed up to a number."""
        lines = str(read({})).splitlines()
        assert lines[1] == "fetched 2026-01-02 12:00 UTC"
        assert sum(line.endswith("unknown") for line in lines) == 8
        text = str(read(single_qubit_gate_fidelity=dict.fromkeys("abcdefgh", 1)))
        assert "not understood:\nsingle_qubit_gate_fidelity: 'a' is none of 3 qubits\n" in text
        assert text.endswith("and 3 more")
        assert "1 qubit\nno date\n" in str(Characterisation("ion", "lab", 1))

    @pytest.mark.parametrize(
        ("known", "line"),
        [
            ({"t1": Measured(1.0, 1e-320)}, "T1                       1 ± 1e-320 s"),
            ({"t1": Measured(1.5e300, 1e299)}, "T1                       1.5e+300 ± 1e+299 s"),
            ({"t1": Measured(1.5, 1e308)}, "T1                       1.5 ± 1e+308 s"),
            ({"spam_fidelity": 0.0}, "preparation and readout  at least 0 %"),
            ({"r_duration": 0.0}, "duration of r            0 s"),
            ({"r_duration": 3e-9}, "duration of r            3 ns"),
        ],
    )
    def test_extremes(self, known, line):
        """What no device has stays readable, too."""
        assert line in str(replace(read(), **known)).splitlines()
        assert line.split("  ")[-1].strip() in _Texts(replace(read(), **known)._repr_html_()).texts

    def test_control_characters(self):
        """What the portal sends does not steer the terminal, nor the page."""
        found = replace(
            read(), resource_id="a\x1b[31m<b>\x07\n", workspace_id="&\u202e", problems=("<i>\x9b",)
        )
        assert str(found).replace("\n", "").isprintable()
        page = _Texts(found._repr_html_())
        assert "a\ufffd[31m<b>\ufffd  (&\ufffd), 3 qubits" in page.texts
        assert all(text.isprintable() for text in page.texts)

    def test_html(self):
        """All tags are closed, and nothing is loaded."""
        html = read()._repr_html_()
        page = _Texts(html)
        assert page.open == []
        assert page.links == []
        for text in ("T1", "1.25 ± 0.05 s", "98.50", "97.00", "r on qubit 2"):
            assert text in page.texts
        assert "rgba(214,96,40,0.50)" in html

    def test_html_of_little(self):
        """Unknown values, no matrix."""
        page = _Texts(read({})._repr_html_())
        assert page.texts.count("unknown") == 8
        assert page.open == []
