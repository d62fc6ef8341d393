"""Options: typed, validated, and real Qiskit options."""

import copy
import math
import pickle

import numpy as np
import pytest
from aqt_fast import AQTOptions
from aqt_fast.aqt_options import AQTDirectAccessOptions
from aqt_fast.exceptions import InvalidOptionError
from qiskit.providers import Options

DEFAULTS = {
    "shots": 100,
    "memory": False,
    "query_period_seconds": 1.0,
    "query_timeout_seconds": None,
    "with_progress_bar": True,
    "seed_simulator": None,
    "label": None,
    "strict_angles": False,
    "journal": True,
    "tags": (),
    "optimization_level": None,
    "max_cost": None,
    "max_device_seconds": None,
    "max_shots": None,
    "require_online": False,
}


def test_defaults():
    """Options are a mapping with the documented defaults."""
    options = AQTOptions()
    assert isinstance(options, Options)
    assert dict(options) == DEFAULTS
    assert options.get("shots") == options["shots"] == options.shots == 100
    assert options == AQTOptions(**DEFAULTS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shots", 1),
        ("shots", np.int32(10**6)),
        ("memory", True),
        ("memory", np.bool_(1)),
        ("query_period_seconds", 0.1),
        ("query_timeout_seconds", 1e-3),
        ("query_timeout_seconds", None),
        ("with_progress_bar", False),
        ("seed_simulator", 0),
        ("seed_simulator", 2**63 - 1),
        ("label", "Bell states, Ψ⁻"),
        ("label", "x" * 255),
        ("label", None),
        ("max_cost", 1e-9),
        ("max_cost", 50),
        ("max_device_seconds", np.float32(0.5)),
        ("max_device_seconds", None),
        ("max_shots", np.int64(1)),
        ("max_shots", 2**40),
        ("require_online", True),
    ],
)
def test_good_values(name, value):
    """By attribute, by key, by update and when made."""
    options = AQTOptions()
    setattr(options, name, value)
    assert options[name] == value
    by_key, updated = AQTOptions(), AQTOptions()
    by_key[name] = value
    updated.update_options(**{name: value})
    assert options == by_key == updated == AQTOptions(**{name: value})
    assert type(options[name]) in (int, float, bool, str, type(None))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shots", 0),
        ("shots", -5),
        ("shots", 10.0),
        ("shots", True),
        ("shots", 2**31),
        ("shots", None),
        ("shots", "100"),
        ("memory", 1),
        ("memory", None),
        ("query_period_seconds", 0.09),
        ("query_period_seconds", math.nan),
        ("query_period_seconds", math.inf),
        ("query_period_seconds", "1"),
        ("query_period_seconds", None),
        ("query_timeout_seconds", 0),
        ("query_timeout_seconds", -1.0),
        ("query_timeout_seconds", True),
        ("with_progress_bar", "yes"),
        ("seed_simulator", -1),
        ("seed_simulator", 2**63),
        ("seed_simulator", 0.5),
        ("max_cost", 0),
        ("max_cost", math.inf),
        ("max_cost", "50"),
        ("max_device_seconds", -1.0),
        ("max_device_seconds", math.nan),
        ("max_shots", 0),
        ("max_shots", 10.5),
        ("max_shots", True),
        ("require_online", None),
        ("require_online", 1),
    ],
)
def test_bad_values(name, value):
    """The error names option, value and range, and nothing changes."""
    options = AQTOptions()
    with pytest.raises(ValueError, match=f"^{name} must be .*, not ") as caught:
        setattr(options, name, value)
    assert isinstance(caught.value, InvalidOptionError)
    assert (caught.value.option, caught.value.value) == (name, value) or value != value
    with pytest.raises(InvalidOptionError):
        options[name] = value
    with pytest.raises(InvalidOptionError):
        options.update_options(shots=7, **{name: value}) if name != "shots" else AQTOptions(
            **{name: value}
        )
    assert options == AQTOptions()


def test_update_returns_the_options():
    """For chains of calls."""
    options = AQTOptions()
    assert options.update_options(shots=7) is options
    assert options.shots == 7


@pytest.mark.parametrize("kind", [AQTOptions, AQTDirectAccessOptions])
def test_max_shots(kind):
    """That of one API job, asked of the class or of options."""
    assert kind.max_shots() == kind().max_shots() == 2000


def test_the_option_max_shots():
    """Has the name of a method: it is read by key."""
    options = AQTOptions(max_shots=7)
    options.max_shots = 9
    assert options["max_shots"] == options.get("max_shots") == dict(options)["max_shots"] == 9
    assert options.max_shots() == 2000


def test_pickles_of_older_versions():
    """Have no limits."""
    old = AQTOptions(shots=7)
    fields, validator = old.__getstate__()
    for name in ("max_cost", "max_device_seconds", "max_shots", "require_online"):
        del fields[name]
    loaded = AQTOptions.__new__(AQTOptions)
    loaded.__setstate__((fields, validator))
    assert loaded == AQTOptions(shots=7)


def test_unknown_option():
    """Misspelt options are refused."""
    options = AQTOptions()
    with pytest.raises(AttributeError, match="there is no option 'shot', only shots, memory"):
        options.shot = 5
    with pytest.raises(AttributeError, match="shot"):
        _ = options.shot


def test_copies_are_independent():
    """A copy, also by pickle, does not share values."""
    options = AQTOptions(shots=5)
    other = copy.copy(options)
    other.shots = 6
    assert options.shots == 5
    assert pickle.loads(pickle.dumps(other)) == other  # noqa: S301
