"""Options of ``run``: other providers' that change nothing, and unknown ones."""

from __future__ import annotations

import copy
import enum
import pickle

import pytest
from aqt_fast import AQTOptions, execute
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.exceptions import InvalidOptionError, UnknownOptionError
from clients import device_of, machine_of
from markers import marker


class MeasLevel(enum.IntEnum):
    """As Qiskit's packages define it."""

    KERNELED = 1
    CLASSIFIED = 2


class MeasReturnType(str, enum.Enum):
    """As Qiskit's packages define it."""

    AVERAGE = "avg"
    SINGLE = "single"


HARMLESS = [
    {"meas_level": 2},
    {"meas_level": MeasLevel.CLASSIFIED},
    {"meas_level": None},
    {"meas_return": "avg"},
    {"meas_return": "single"},
    {"meas_return": MeasReturnType.AVERAGE},
    {"meas_return": MeasReturnType.SINGLE},
    {"init_qubits": True},
    {"rep_delay": None},
    {"rep_time": None},
    {"use_measure_esp": False},
    {"dynamic": False},
    {"noise_model": None},
    {"parameter_binds": []},
    {"parameter_binds": [{}]},
]

HARMFUL = [
    {"meas_level": 1},
    {"meas_level": MeasLevel.KERNELED},
    {"meas_return": "both"},
    {"init_qubits": False},
    {"rep_delay": 1e-4},
    {"use_measure_esp": True},
    {"dynamic": True},
    {"noise_model": "mine"},
    {"parameter_binds": [{"a": [1.0]}]},
]

MEANT = [
    ("shot", "shots"),
    ("Shots", "shots"),
    ("n_shots", "shots"),
    ("num_shots", "shots"),
    ("memry", "memory"),
    ("seed", "seed_simulator"),
    ("labell", "label"),
    ("timeout", "query_timeout_seconds"),
    ("progress_bar", "with_progress_bar"),
    ("tag", "tags"),
    ("banana", None),
]


@pytest.fixture(params=["offline", "cloud simulator", "device", "direct access"])
def anywhere(request, backend, portal):
    """A backend of each kind."""
    if request.param == "offline":
        return backend
    if request.param == "direct access":
        return request.getfixturevalue("machine")
    return device_of(portal, "ibex" if request.param == "device" else "simulator_ideal")


def hint(meant: str | None) -> str:
    """The end of a message."""
    return "$" if meant is None else rf"; did you mean '{meant}'\?$"


class TestOtherProviders:
    """What they call otherwise, or ask for although it happens anyway."""

    @pytest.mark.parametrize("options", HARMLESS, ids=str)
    def test_harmless(self, anywhere, options):
        """Taken without a word, and the counts are the same."""
        before = dict(anywhere.options)
        anywhere.set_options(**options)
        assert dict(anywhere.options) == before
        job = anywhere.run(marker("01"), shots=3, **options)
        assert job.result().get_counts() == {"01": 3}

    @pytest.mark.parametrize("options", HARMFUL, ids=str)
    def test_harmful(self, anywhere, options):
        """Refused everywhere, with the value that there is: the outcomes would be others."""
        (name,) = options
        with pytest.raises(InvalidOptionError, match=f"^{name} must be .*, not ") as caught:
            anywhere.run(marker("01"), **options)
        assert type(caught.value) is InvalidOptionError
        with pytest.raises(InvalidOptionError):
            anywhere.set_options(**options)

    def test_names(self, anywhere):
        """The same under another name."""
        job = anywhere.run(marker("01"), job_name="mine", job_tags=["a", "b"])
        assert (job.options.label, job.options.tags) == ("mine", ("a", "b"))
        job.cancel()


class TestUnknown:
    """A suggestion, and a refusal where it costs money."""

    def test_of_offline_simulators(self, portal, machine):
        """``executor`` is told to be theirs; None asks for nothing."""
        reason = "option 'executor' is for offline simulators only"
        for device in (machine, device_of(portal, "ibex")):
            with pytest.raises(UnknownOptionError, match=f"^{reason}$") as caught:
                device.run(marker("01"), executor="a pool")
            assert str(pickle.loads(pickle.dumps(caught.value))) == reason  # noqa: S301
            device.run(marker("01"), executor=None).cancel()
        with pytest.warns(UnknownOptionWarning, match=reason):
            device_of(portal).run(marker("01"), executor="a pool").cancel()

    @pytest.mark.parametrize(("name", "meant"), MEANT)
    def test_on_a_simulator(self, backend, name, meant):
        """A warning with the suggestion; the job runs."""
        with pytest.warns(UnknownOptionWarning, match=f"'{name}' is unknown.*{hint(meant)}"):
            job = backend.run(marker("01"), **{name: 7})
        assert job.result().get_counts() == {"01": 100}

    def test_on_a_simulator_in_the_cloud(self, device):
        """The same."""
        with pytest.warns(UnknownOptionWarning, match=f"'shot' is unknown.*{hint('shots')}"):
            assert execute(marker("01"), device, shot=7).result().get_counts() == {"01": 100}

    @pytest.mark.parametrize(("name", "meant"), MEANT)
    def test_on_a_device(self, server, portal, name, meant):
        """An error with the suggestion, and nothing is sent."""
        expected = f"no option '{name}'{hint(meant)}"
        for device in (device_of(portal, "ibex"), machine_of(portal, server)):
            with pytest.raises(UnknownOptionError, match=expected) as caught:
                device.run(marker("01"), **{name: 7})
            error = caught.value
            assert (error.option, error.value, error.suggestion) == (name, 7, meant)
            assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
            assert isinstance(error, InvalidOptionError)
        assert server.jobs == []

    def test_the_executor(self, backend):
        """An argument of offline simulators alone is suggested by them."""
        with pytest.warns(UnknownOptionWarning, match=hint("executor")):
            backend.run(marker("01"), executer=None).result()

    @pytest.mark.parametrize(("name", "meant"), MEANT)
    def test_as_a_default(self, anywhere, name, meant):
        """The same suggestion, in the exception that Qiskit's users expect."""
        with pytest.raises(AttributeError, match=f"no option '{name}'.*{hint(meant)}"):
            anywhere.set_options(**{name: 7})
        with pytest.raises(AttributeError, match=hint(meant)):
            AQTOptions(**{name: 7})

    def test_all_or_none(self, backend):
        """One bad option leaves the others as they were."""
        with pytest.raises(InvalidOptionError):
            backend.set_options(shots=5, memory="yes")
        with pytest.raises(AttributeError):
            backend.set_options(shots=5, shot=6)
        assert backend.options.shots == 100


class TestTags:
    """Texts to find a job by."""

    @pytest.mark.parametrize("tags", [["a", "b"], ("a", "b"), iter(["a", "b"])])
    def test_taken(self, tags):
        """Any sequence."""
        options = AQTOptions(tags=tags)
        assert options.tags == ("a", "b")
        assert copy.copy(options) == options

    @pytest.mark.parametrize(
        "tags", ["ab", b"ab", 7, [7], [""], ["x" * 256], ["\n"], ["a"] * 65, None]
    )
    def test_refused(self, tags):
        """A text alone would be taken for its letters."""
        with pytest.raises(InvalidOptionError, match=r"^tags must be up to 64 texts"):
            AQTOptions(tags=tags)
