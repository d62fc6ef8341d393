"""The package as a whole: names, laziness, documentation, errors."""

import builtins
import importlib
import inspect
import pickle
import subprocess
import sys
from pathlib import Path

import aqt_fast
import pytest
from aqt_fast import api_client, exceptions, primitives, testing, v2, wire

CONTRACT = {
    "aqt_fast": ["AQTProvider", "AQTJob", "AQTOptions", "Progress", "execute", "__version__"],
    "aqt_fast.aqt_provider": [
        "AQTProvider", "BackendsTable", "OfflineSimulator", "OFFLINE_SIMULATORS", "NoTokenWarning",
        "ArnicaConfig",
    ],
    "aqt_fast.aqt_resource": [
        "AQTResource", "AQTDirectAccessResource", "OfflineSimulatorResource",
        "UnknownOptionWarning", "make_transpiler_target",
    ],
    "aqt_fast.aqt_job": ["AQTJob", "AQTDirectAccessJob", "Progress"],
    "aqt_fast.aqt_options": ["AQTOptions", "AQTDirectAccessOptions"],
    "aqt_fast.persistence": ["JobNotFoundError", "JobStore", "get_store_path"],
    "aqt_fast.primitives": ["AQTSampler", "AQTEstimator"],
    "aqt_fast.transpiler_plugin": ["AQTSchedulingPlugin", "AQTTranslationPlugin", "LowerToAQT"],
    "aqt_fast.api_client": [
        "PortalClient", "Resource", "Workspace", "Workspaces", "DEFAULT_PORTAL_URL",
    ],
    "aqt_fast.testing": ["ArnicaServer", "arnica_server"],
    "aqt_fast.wire": [
        "encode_job", "decode_response", "JobState", "Samples", "result_from_response",
    ],
}  # fmt: skip


@pytest.mark.parametrize("module", CONTRACT)
def test_names(module):
    """Everything that the contract names."""
    loaded = importlib.import_module(module)  # noqa: TID251 - every module
    for name in CONTRACT[module]:
        assert getattr(loaded, name) is not None


def test_lazy():
    """Importing the package loads nothing heavy; its names are listed all the same."""
    script = (
        "import sys, aqt_fast\n"
        "assert set(aqt_fast.__all__) <= set(dir(aqt_fast))\n"
        "heavy = {'qiskit', 'qiskit_aer', 'httpx', 'numpy', 'tqdm', 'orjson', 'click', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "aqt_fast.AQTProvider('').get_backend('offline_simulator_noise')\n"
        "print({'qiskit_aer', 'httpx', 'tenacity', 'aqt_connector'} & set(sys.modules) or False)"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-W", "ignore", "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout == "[]\nFalse\n"


def test_star_import():
    """It leaves Python's own names alone, and ``dir`` shows what is public."""
    names = {}
    exec("from aqt_fast import *", names)  # noqa: S102
    assert set(aqt_fast.__all__) <= set(names)
    assert not set(aqt_fast.__all__) & set(dir(builtins))
    assert callable(aqt_fast.compile)
    assert dir(aqt_fast) == sorted([*aqt_fast.__all__, "compile"])


@pytest.mark.parametrize("module", [aqt_fast.devices, primitives, v2, wire, api_client])
def test_dir(module):
    """``dir`` of the faces of subpackages shows public names only."""
    assert dir(module) == sorted(module.__all__)


def test_dir_of_testing():
    """It shows the fixture, too, which pytest finds there."""
    assert dir(testing) == sorted([*testing.__all__, "arnica_server"])


def test_unknown_name():
    """An unknown name raises AttributeError."""
    with pytest.raises(AttributeError, match="has no attribute 'AQTBackend'"):
        _ = aqt_fast.AQTBackend


def public_objects():
    """Public classes and functions of all modules, with their names."""
    for path in Path(aqt_fast.__file__).parent.rglob("*.py"):
        relative = path.relative_to(Path(aqt_fast.__file__).parents[1]).with_suffix("")
        name = ".".join(relative.parts).removesuffix(".__init__")
        if path.name == "__main__.py":
            continue  # it is a command
        module = importlib.import_module(name)  # noqa: TID251 - every module
        yield name, module
        for attribute, value in vars(module).items():
            if attribute.startswith("_") or getattr(value, "__module__", None) != name:
                continue
            yield f"{name}.{attribute}", value
            if inspect.isclass(value):
                for member, function in vars(value).items():
                    if inspect.isfunction(function) and not member.startswith("_"):
                        yield f"{name}.{attribute}.{member}", function


def test_docstrings():
    """Everything public is documented."""
    assert [name for name, value in public_objects() if not inspect.getdoc(value)] == []


def test_exception_tree():
    """The docstring shows every exception; all have one base class and can be pickled."""
    classes = [
        value
        for value in vars(exceptions).values()
        if inspect.isclass(value) and issubclass(value, Exception)
    ]
    assert len(classes) > 5
    examples = {
        exceptions.InvalidCircuitError: [[]],
        exceptions.InvalidOptionError: ["shots", 0, "1 or more"],
        exceptions.InvalidShotsError: [[1, 0], "a whole number for each circuit", {1: 0}],
        exceptions.FixedOptionError: ["shots", 7],
        exceptions.MalformedResponseError: ["expected a value", 7],
        exceptions.JobNotFoundError: ["x", Path("jobs")],
        exceptions.UnusableFiguresError: ["ibex", ["t1 is missing"]],
        exceptions.DamagedJobError: [Path("jobs/x.json"), "it is empty"],
        exceptions.UnsavableJobError: ["x", "its noise model"],
        exceptions.JobFailedError: ["x", "out of ions"],
        exceptions.OtherProcessError: ["the job", 7, "wait for it there"],
        exceptions.ResultExpiredError: ["x"],
        exceptions.IncompleteBatchError: [
            [exceptions.PartFailure(0, range(50), "Bell states", "lost", None)]
        ],
        exceptions.NotSubmittedError: [],
        exceptions.SubmissionUncertainError: ["Bell states", "ab12", "connection lost"],
        exceptions.MalformedRequestError: ["expected a value", 7],
        exceptions.InvalidSettingError: ["HTTPS_PROXY", "it is not the URL of a proxy"],
        exceptions.InvalidCharacterisationError: ["t1", "must be above 0, not -1", Path("x")],
        exceptions.MissingExtraError: ["the picture of a device", "matplotlib", "plot"],
        exceptions.SpendingLimitError: ["max_shots", 5, "7 shots", "provider"],
        exceptions.MissingEstimateError: ["max_cost", 5.0, "no price is known", "provider"],
        exceptions.UnsupportedQiskitError: ["1.0", "it is old"],
    }
    for cls in classes:
        assert cls.__name__ in exceptions.__doc__
        assert issubclass(cls, exceptions.AQTError)
        error = cls(*examples.get(cls, ["something"]))
        copy = pickle.loads(pickle.dumps(error))  # noqa: S301
        assert (type(copy), str(copy), vars(copy)) == (cls, str(error), vars(error))


def test_all_exceptions():
    """``from aqt_fast.exceptions import *`` gives the public classes, and nothing else."""
    classes = {
        name
        for name, value in vars(exceptions).items()
        if inspect.isclass(value) and value.__module__ == exceptions.__name__
    }
    assert exceptions.__all__ == sorted(name for name in classes if not name.startswith("_"))


def test_the_client_knows_no_qiskit():
    """``api_client`` does not import Qiskit."""
    script = (
        "import sys, aqt_fast.api_client as c; c.PortalClient('t', portal_url='https://x').close()\n"
        "c.DirectAccessClient('https://x', c.Credentials('t')).close()\n"
        "print('qiskit' in sys.modules)"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert run.stdout == "False\n"
