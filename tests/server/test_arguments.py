"""Arguments out of range are refused at once, and named."""

import inspect
import subprocess
import sys

import pytest
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.testing import ArnicaServer, Durations, Resource, Workspace

NAN, INF = float("nan"), float("inf")
NO_NUMBERS = [NAN, INF, -INF, "1", None, True, [1], 10**400]
NO_INTEGERS = [*NO_NUMBERS, 1.0]
NO_FLAGS = [0, 1, "yes", []]
NO_TEXTS = [7, b"a", ["a"], True]
NO_IDENTIFIERS = [*NO_TEXTS, None, "", ".", "..", "a/b", "a b", "a?", "a#", "a%2f", "a\n", "\x1b"]
NO_TOKENS = [*NO_TEXTS, "", "a b", "é", "a\r\nb", "\x7f"]
IBEX = Resource("ibex", "IBEX", "device", 12)
LAB = Workspace("lab", [IBEX])

OF_THE_SERVER = {
    "host": [None, 7, b"::1", "1.2.3.4.5"],
    "port": [*NO_INTEGERS, -1, 65_536],
    "token": NO_TOKENS,
    "workspaces": ["lab", [IBEX], 7, [LAB, LAB], [Workspace("direct-access", [])]],
    "speed": [NAN, INF, -INF, 0, -1, "1", True, 1e13],
    "virtual_time": [*NO_FLAGS, None],
    "simulate": [*NO_FLAGS, None],
    "identify_circuits": NO_FLAGS,
    "seed": [*NO_INTEGERS[:-2], -1, 1.0],
    "compress": [*NO_FLAGS, None],
    "characterisation": ["medium", None, ["mean"], {}],
    "clock": [None, 7, lambda: NAN, lambda: -1, lambda: "now", lambda: 1e15],
    "token_lifetime": [*NO_NUMBERS, 0, -1],
    "pending": [*NO_INTEGERS[:-2], -1],
    "poll_interval": [*NO_NUMBERS, -1],
    "clients": [7, "ab", {"a": 1}, {1: "a"}],
    "log_in": NO_FLAGS,
    "console": [7, "stderr"],
    "requests": [7, "stderr"],
    "limits": [None, {}, 7],
}

OF_A_RESOURCE = {
    "id": NO_IDENTIFIERS,
    "name": [*NO_TEXTS, None],
    "type": ["trap", None, ["device"]],
    "available_qubits": [*NO_INTEGERS, 0, -3, 1001],
    "noisy": [*NO_FLAGS, None],
    "status": ["on", "ONLINE", "", None, 7],
    "max_shots": [*NO_INTEGERS, 0, 10**7],
    "status_updated_at": [NAN, INF, -1, "now", 1e15],
    "characterisation": [["mean"], "medium", 7, {"t1_s": object()}, {1: 2}],
    "durations": [None, {}, 15.0],
}

OF_METHODS = {
    "accept": {
        "token": NO_TOKENS,
        "workspaces": ["lab", 7, [7]],
        "lifetime": [NAN, INF, -1, "1"],
    },
    "set_status": {"resource_id": NO_TEXTS, "status": OF_A_RESOURCE["status"]},
    "set_workspace": {
        "workspace_id": NO_TEXTS,
        "accepting_job_submissions": NO_FLAGS,
        "jobs_being_processed": NO_FLAGS,
    },
    "drift": {"resource_id": NO_TEXTS, "amount": [*NO_NUMBERS, -1, 11]},
    "release": {"circuits": [NAN, INF, -1, "1", 1.0, True]},
    "fail_jobs": {"message": [*NO_TEXTS, None], "count": [*NO_INTEGERS, 0, -1]},
    "advance": {"seconds": [*NO_NUMBERS, -1]},
    "refuse": {"seconds": [*NO_NUMBERS, -1, 10**6]},
    "direct_url_of": {"resource_id": NO_IDENTIFIERS},
    "faults.set": {
        "rate": [*NO_NUMBERS, -0.1, 1.1],
        "kinds": ["429", ["fire"], [429], [["429"]], [], 7, None],
        "seed": [*NO_INTEGERS[:-2], -1],
    },
    "faults.next": {
        "kind": ["fire", 429, None, ["429"]],
        "count": [*NO_INTEGERS, 0, -1],
        "method": NO_TEXTS,
        "path": NO_TEXTS,
    },
}
VALID = {
    "accept": {"token": "t"},
    "set_status": {"resource_id": "ibex", "status": "offline"},
    "set_workspace": {"workspace_id": "lab"},
    "fail_jobs": {"message": "hot"},
    "faults.set": {"rate": 0},
    "faults.next": {"kind": "429"},
}
OF_FAULTS = {"refuse_seconds": NO_NUMBERS, "drip_seconds": NO_NUMBERS, "retry_after": NO_INTEGERS}


def refuses(call, name, values):
    """Check that each value is refused with an error that names the argument."""
    for value in values:
        with pytest.raises(InvalidOptionError) as caught:
            call(value)
        assert caught.value.option == name, value
        assert str(caught.value).startswith(f"{name} must be ")
    return len(values)


def test_server(figures):
    """Every argument of the server."""
    names = set(inspect.signature(ArnicaServer.__init__).parameters) - {"self"}
    assert names == set(OF_THE_SERVER)
    tried = sum(
        refuses(lambda value, name=name: ArnicaServer(**{name: value}), name, values)
        for name, values in OF_THE_SERVER.items()
    )
    figures("arguments of ArnicaServer", refused=tried)


def test_resources():
    """Every value of resources and workspaces, at once and when it is assigned."""
    valid = {"id": "a", "name": "A", "type": "device", "available_qubits": 3}
    assert set(inspect.signature(Resource).parameters) == set(OF_A_RESOURCE)
    device = Resource(**valid)
    for name, values in OF_A_RESOURCE.items():
        refuses(lambda value, name=name: Resource(**{**valid, name: value}), name, values)
        refuses(lambda value, name=name: setattr(device, name, value), name, values)
    assert device == Resource(**valid)
    for name in inspect.signature(Durations).parameters:
        refuses(lambda value, name=name: Durations(**{name: value}), name, [*NO_NUMBERS, -1])
    refuses(lambda value: Workspace(value, []), "id", NO_IDENTIFIERS)
    refuses(lambda value: Workspace("w", value), "resources", [7, "ibex", ["ibex"], None])
    for name in ("accepting_job_submissions", "jobs_being_processed"):
        refuses(lambda value, name=name: setattr(LAB, name, value), name, [*NO_FLAGS, None])


def test_methods(figures):
    """Every argument of what steers a server; nothing changes."""
    server = ArnicaServer(simulate=False)
    tried = 0
    for path, arguments in OF_METHODS.items():
        called = server
        for part in path.split("."):
            called = getattr(called, part)
        assert set(inspect.signature(called).parameters) == set(arguments)
        for name, values in arguments.items():
            valid = VALID.get(path, {})
            tried += refuses(
                lambda value, name=name, called=called, valid=valid: called(
                    **{**valid, name: value}
                ),
                name,
                values,
            )
    for name, values in OF_FAULTS.items():
        tried += refuses(lambda value, name=name: setattr(server.faults, name, value), name, values)
    for call in (
        lambda: server.set_status("nowhere", "online"),
        lambda: server.set_workspace("nowhere"),
        lambda: server.accept("t", workspaces=["lab", "nowhere"]),
        lambda: server.drift("nowhere"),
    ):
        with pytest.raises(LookupError, match="nowhere"):
            call()
    figures("arguments of what steers a server", refused=tried)


def test_one_identifier_two_machines():
    """Two machines with one identifier could not be told apart."""
    first, equal = Workspace("a", [IBEX]), Resource("ibex", "IBEX", "device", 12)
    with pytest.raises(InvalidOptionError, match="'ibex'"):
        ArnicaServer(workspaces=[first, Workspace("b", [equal])])
    ArnicaServer(simulate=False, workspaces=[first, Workspace("b", [IBEX])])


def test_secrets_are_not_shown():
    """Errors do not repeat them."""
    for arguments in ({"token": "se cret"}, {"clients": {"c": ["se cret"]}}):
        with pytest.raises(InvalidOptionError) as caught:
            ArnicaServer(**arguments)
        assert "se cret" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        ["--speed", "nan"],
        ["--speed", "inf"],
        ["--speed", "0"],
        ["--fault-rate", "nan"],
        ["--token-lifetime", "inf"],
        ["--token", "a b"],
        ["--host", "1.2.3.4.5"],
        ["--fault-kinds", "429,fire"],
        ["--fault-kinds", ""],
    ],
)
def test_command_line(options):
    """A usage error names the option, and nothing is served."""
    serve = [sys.executable, "-m", "aqt_fast", "serve", "--no-simulate", "--port", "0"]
    run = subprocess.run(  # noqa: S603
        [*serve, *options], check=False, capture_output=True, text=True, timeout=60
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert options[0].removeprefix("--").removeprefix("fault-") in run.stderr
    assert "Traceback" not in run.stderr
