"""How long machines take."""

import pytest
from aqt_fast.server.device_time import run_seconds
from aqt_fast.testing import ArnicaServer, Durations, Resource, Workspace
from server.cloud_client import FLIP, HALF, circuit, client_of, final_state, job, submit


def test_formula():
    """A device has gates, a read-out and a pause; a simulator only shots."""
    durations = Durations(single_qubit_gate=1000.0, two_qubit_gate=10_000.0, readout=100_000.0)
    device = Resource("ibex", "IBEX", "device", 12, durations=durations)
    assert run_seconds(device, 10, (3, 2)) == pytest.approx(0.1 + 10 * (0.2 + 0.003 + 0.02 + 0.1))
    simulator = Resource("sim", "Simulator", "simulator", 12, durations=durations)
    assert run_seconds(simulator, 10, (3, 2)) == pytest.approx(0.2)


@pytest.mark.parametrize("simulate", [True, False], ids=["aer", "native"])
def test_virtual_time(simulate):
    """Nobody waits; time stamps are those of the machine, whatever makes its outcomes."""
    durations = Durations(single_qubit_gate=1e6, two_qubit_gate=1e7, readout=0.0)
    lab = Workspace("lab", [Resource("ibex", "IBEX", "device", 12, durations=durations)])
    with (
        ArnicaServer(simulate=simulate, speed=2, virtual_time=True, workspaces=[lab]) as server,
        client_of(server) as client,
    ):
        rz = {"operation": "RZ", "qubit": 1, "phi": 0.5}
        body = job(circuit([FLIP, rz, HALF, FLIP], shots=5), circuit([], shots=1))
        last = final_state(client, submit(client, body, "lab/ibex"), include_timing_data=True)
        ongoing, finished = (change.timestamp for change in last.timing_data[1:])
        expected = (0.1 + 5 * 12.2 + 0.1 + 0.2) / 2
        assert (finished - ongoing).total_seconds() == pytest.approx(expected, abs=5)


def test_published():
    """A device publishes the durations that it takes."""
    durations = Durations(single_qubit_gate=1.0, two_qubit_gate=2.0, readout=3.0)
    lab = Workspace("lab", [Resource("ibex", "IBEX", "device", 12, durations=durations)])
    with ArnicaServer(simulate=False, workspaces=[lab]) as server, client_of(server) as client:
        figures = client.get("/resources/ibex").json()["characterisation"]
        assert figures["single_qubit_gate_duration_micros"] == 1.0
        assert figures["two_qubit_gate_duration_micros"] == 2.0
        assert figures["readout_time_micros"] == 3.0
