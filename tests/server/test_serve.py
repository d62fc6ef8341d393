"""The command ``aqt-fast serve``."""

import json
import signal
import subprocess
import sys

import httpx
import pytest
from server.cloud_client import SUBMIT, final_state, flips, job

SERVE = [sys.executable, "-m", "aqt_fast", "serve"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve(number, tmp_path):
    """The first line is the URL. A signal ends the server: it writes the record, exits with 0."""
    path = tmp_path / "record.json"
    options = ["--port", "0", "--no-simulate", "--token", "tok-7", "--record", str(path)]
    options += ["--characterisation", "pairs", "--speed", "1", "--virtual-time"]
    with subprocess.Popen(  # noqa: S603
        [*SERVE, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=f"{url}/api/v1", timeout=60, trust_env=False) as client:
            mine, other = ({"Authorization": f"Bearer {token}"} for token in ("tok-7", "secret-9"))
            response = client.post(SUBMIT, headers=mine, json=job(flips(1, shots=2000)))
            assert response.status_code == 200
            client.headers.update(mine)
            job_id = response.json()["job"]["job_id"]
            timing = final_state(client, job_id, include_timing_data=True).timing_data
            assert (timing[-1].timestamp - timing[-2].timestamp).total_seconds() > 20
            assert client.get(SUBMIT, headers=other).status_code == 405
            figures = client.get("/resources/ibex", headers=mine).json()["characterisation"]
            assert len(figures["two_qubit_gate_fidelity"]) == 66
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out == ""
    assert f"export AQT_PORTAL_URL={url}\nexport AQT_TOKEN=tok-7\n" in err
    assert "secret-9" not in err
    (accepted,) = json.loads(path.read_bytes())["jobs"]
    assert accepted["job_id"] == response.json()["job"]["job_id"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes there cannot be looked at")
def test_nobody_reads(tmp_path):
    """A full pipe holds up neither the server nor its end."""
    path = tmp_path / "record.json"
    command = [*SERVE, "--no-simulate", "--port", "0", "--record", str(path)]
    with subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        url = process.stdout.readline().strip()
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            for _ in range(2000):  # lines of 40 bytes; a pipe holds 65 536
                assert client.get("/" + 40 * "x").status_code == 404
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        err = process.stderr.read()
    assert err.endswith("0 jobs were accepted\n")
    assert json.loads(path.read_bytes())["jobs"] == []


def test_beyond_this_computer():
    """Random secrets are printed once; without a terminal, a printed code confirms a login."""
    command = [*SERVE, "--no-simulate", "--port", "0", "--host", "0.0.0.0", "--log-in"]  # noqa: S104
    with subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        url = process.stdout.readline().strip()
        device = {"client_id": "aqt-fast-device"}
        with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
            begun = client.post("/oauth/device/code", data=device).json()
            lines = []
            while "asks to log in" not in "".join(lines[-1:]):
                lines.append(process.stderr.readline())
                assert lines[-1], "the server has ended"
            code = lines[-1].split("enter ")[1].split()[0]
            codes = {"user_code": begun["user_code"], "confirmation_code": code}
            assert client.post("/activate", data=codes).status_code == 200
            grant = "urn:ietf:params:oauth:grant-type:device_code"
            fields = {**device, "grant_type": grant, "device_code": begun["device_code"]}
            token = client.post("/oauth/token", data=fields).json()["access_token"]
            printed = "".join(lines)
            own = printed.split("export AQT_TOKEN=")[1].split()[0]
            secret = printed.split("AQT_CLIENT_SECRET=")[1].split()[0]
            assert {"local-token", "local-secret"}.isdisjoint({own, secret})
            for known in (token, own, "local-token"):
                headers = {"Authorization": f"Bearer {known}"}
                status = client.get("/api/v1/workspaces", headers=headers).status_code
                assert status == (401 if known == "local-token" else 200)
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=60)
    assert url.startswith("http://127.0.0.1:")
    printed += rest
    assert (printed.count(own), printed.count(secret)) == (1, 1)


def test_serve_refuses(server):
    """A port in use, kinds of faults that do not exist, a record that cannot be written."""
    for options, code, message in (
        (["--port", str(server.port)], 1, f"cannot listen on 127.0.0.1:{server.port}"),
        (["--fault-kinds", "fire"], 2, "kinds must be of the kinds refuse, "),
        (["--record", "/nowhere/record.json"], 1, "cannot write /nowhere/record.json"),
    ):
        run = subprocess.run(  # noqa: S603
            [*SERVE, "--no-simulate", *options], check=False, capture_output=True, text=True
        )
        assert run.returncode == code
        assert message in run.stderr
        assert "Traceback" not in run.stderr
        assert run.stdout == ""


def test_help_needs_no_server_packages():
    """It works without the extra ``server``, and loads neither uvicorn nor Qiskit."""
    script = (
        "import runpy, sys\n"
        "sys.argv[1:] = ['serve', '--help']\n"
        "try: runpy.run_module('aqt_fast', run_name='__main__')\n"
        "except SystemExit: print([name for name in ('uvicorn', 'qiskit') if name in sys.modules])"
    )
    run = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert "--fault-rate" in run.stdout
    assert run.stdout.endswith("[]\n")


@pytest.mark.parametrize("closed", ["</dev/null", "<&-", ">&- </dev/null"])
def test_end_at_once(closed):
    """An input that has ended, or a stream that is closed, ends the server in order."""
    command = f"exec {closed}; exec {sys.executable} -m aqt_fast serve --port 0 --until-eof"
    ended = subprocess.run(  # noqa: S603
        ["/bin/sh", "-c", command], check=True, capture_output=True, text=True
    )
    assert ended.stderr.endswith("0 jobs were accepted\n")
