"""The socket: start, stop, refuse, close."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from aqt_fast.testing import ArnicaServer
from server.cloud_client import SUBMIT, client_of, flips, job, reachable, state, submit
from waiting import wait_until


def test_stop_and_start(server, client):
    """In between nobody listens, and machines go on; the port and all jobs stay."""
    server.hold()
    job_id = submit(client, job(flips(1)))
    port = server.port
    server.stop()
    for _ in range(2):
        with pytest.raises(httpx.ConnectError):
            client.get(f"/result/{job_id}")
    server.release()
    wait_until(lambda: server.jobs[0].status == "finished")
    server.start()
    server.start()
    assert server.port == port
    assert state(client, job_id).result == {0: [[1, 0, 0, 0]] * 10}


def test_ports_that_nobody_shares(monkeypatch):
    """On Windows a stopped server leaves its port, and no second one gets a port in use."""
    monkeypatch.setattr("aqt_fast.server.http_server._SHARES_PORTS", False)
    with ArnicaServer(simulate=False) as server:
        port = server.port
        with pytest.raises(OSError, match="in use"):
            ArnicaServer(port=port, simulate=False).start()
        server.stop()
        server.start()
        assert server.port == port
        with client_of(server) as client:
            assert reachable(client)


def test_stop_with_blocked_requests(server, client, caplog, capfd):
    """Stopping ends long polls and stalled responses, and logs nothing about them."""
    server.hold()
    url = server.direct_url
    job_id = client.put(f"{url}/circuit", json=flips(1)).json()
    server.faults.next("stall", path="/workspaces")
    addresses = [f"{url}/circuit/result/{job_id}"] * 3 + ["/workspaces"]
    with ThreadPoolExecutor(len(addresses)) as threads:
        blocked = [threads.submit(client.get, address) for address in addresses]
        wait_until(lambda: server.faults.log)
        server.stop()
        for request in blocked:
            with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):
                request.result()
    server.start()
    server.release()
    assert client.get(f"{url}/circuit/result/{job_id}").json()["payload"]["status"] == "finished"
    assert caplog.records == []
    assert capfd.readouterr().err == ""


def test_refuse_now(faulty, faulty_client):
    """Between two requests: the next one cannot connect, so the server sees nothing of it."""
    assert reachable(faulty_client)
    faulty.refuse(3600)
    faulty.refuse(0)
    with pytest.raises(httpx.ConnectError):
        faulty_client.post(SUBMIT, json=job(flips(9)))
    faulty.stop()
    faulty.start()
    faulty.refuse(0.01)
    wait_until(lambda: reachable(faulty_client))
    assert faulty.jobs == []


def test_close_ends_all_threads():
    """No thread is left, even with a job under way; the port is free."""
    before = set(threading.enumerate())
    with ArnicaServer(simulate=False, speed=1e-6) as server, client_of(server) as client:
        port = server.port
        submit(client, job(flips(1)))
    wait_until(lambda: set(threading.enumerate()) <= before)
    with socket.socket() as again:
        again.bind(("127.0.0.1", port))


def test_port_in_use(server):
    """Starting fails."""
    other = ArnicaServer(port=server.port, simulate=False)
    with pytest.raises(OSError, match="in use"):
        other.start()
    other.close()
