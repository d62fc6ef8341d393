"""The local server's page in a real browser: it follows the jobs, and steers the server."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aqt_fast import AQTProvider
from aqt_fast.testing import ArnicaServer, ServerControl
from clients import device_of
from markers import marker_counts, markers
from playwright.sync_api import expect
from server.cloud_client import HALF, circuit, client_of, flips, job, submit, wait_for_status
from waiting import wait_until

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'


@contextmanager
def serving() -> Iterator[str]:
    """``aqt-fast serve`` in a process of its own; its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "aqt_fast", "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def simulating():
    """A server that simulates."""
    with ArnicaServer(seed=1) as server:
        yield server


@pytest.fixture
def server(request):
    """The server of a test: one that makes outcomes up, unless the test has one that simulates."""
    if "simulating" in request.fixturenames:
        yield request.getfixturevalue("simulating")
        return
    with ArnicaServer(simulate=False) as server:
        yield server


@pytest.fixture
def client(server):
    """A client that submits jobs."""
    with client_of(server) as client:
        yield client


@pytest.fixture
def opened(page, server):
    """The page, once it shows the server's state."""
    page.goto(server.url)
    expect(page.locator("#connection")).to_have_text("connected")
    return page


def filter_of(page, status):
    """The button that shows the jobs with a status, and their number."""
    return page.locator(f'#filters button[data-key="{status}"]')


def test_follows_200_circuits(page, screenshot, complaints):
    """A job of 200 circuits runs before the eyes of who looks at the page of ``aqt-fast serve``."""
    expected = marker_counts(range(200), 50)
    with (
        serving() as url,
        ServerControl(url) as control,
        AQTProvider("local-token", portal_url=url, load_dotenv=False) as provider,
    ):
        page.goto(url)
        control.hold()
        device = device_of(provider)
        job = device.run(markers(range(200)), shots=50, label="sweep")
        expect(page.locator("#jobs tr")).to_have_count(4)
        first = page.locator("#jobs tr", has=page.locator('[data-status="ongoing"]'))
        expect(first.locator("td").nth(4)).to_have_text("0 / 50")
        expect(filter_of(page, "queued")).to_have_text("queued 3")
        expect(page.locator("#pace")).to_have_text("Machines hold before their next circuits.")
        control.release(30)
        expect(first.locator("td").nth(4)).to_have_text("30 / 50")
        screenshot("server-jobs")
        form = page.locator("#next-fault")
        form.locator("[name=kind]").select_option("503")
        form.locator("[name=path]").fill("/result/")
        form.get_by_role("button").click()
        page.get_by_role("button", name="Release all").click()
        expect(filter_of(page, "finished")).to_have_text("finished 4")
        expect(page.locator("#fault-log li")).to_contain_text("503: GET /api/v1/result/")
        assert job.result().get_counts() == expected
        shown = []
        for row in page.locator("#jobs tr").all():
            row.get_by_role("link").click()
            page.get_by_label("circuit", exact=True).fill("7")
            page.get_by_label("circuit", exact=True).press("Enter")
            expect(page.locator("#circuit")).to_have_attribute("data-index", "7")
            bar = page.locator("#job .bar")
            shown.append({bar.get_attribute("data-outcome"): int(bar.get_attribute("data-count"))})
            page.get_by_role("button", name="close").click()
        assert len(shown) == 4
        assert all(expected[7 + start] in shown for start in range(0, 200, 50))
    assert complaints == []


def test_job_with_its_circuits_and_counts(
    simulating, client, opened, screenshot, complaints, scheme
):
    """It shows each circuit's gates, and the right counts; looking is no fetch."""
    server = simulating
    opened.emulate_media(color_scheme=scheme)
    gates = [{"operation": "RZ", "qubit": 2, "phi": 0.25}, HALF, {**HALF, "qubits": [1, 3]}]
    bell = circuit(gates, shots=200, qubits=20)
    job_id = submit(client, job(flips(0b0011, shots=70), bell, label="bell"))
    wait_for_status(client, job_id, "finished")
    fetched = server.jobs[0].fetches
    opened.get_by_role("link", name="bell").click()
    dialog = opened.locator("#job")
    expect(dialog).to_contain_text("finished")
    bars = dialog.locator(".bar")
    expect(bars).to_have_count(1)
    assert bars.get_attribute("data-outcome") == "0011"
    assert bars.get_attribute("data-count") == "70"
    expect(dialog.locator("svg.circuit .gate.r")).to_have_count(2)
    dialog.get_by_role("button", name="next circuit").click()
    expect(dialog.locator("svg.circuit .gate.rxx")).to_have_count(2)
    expect(dialog.locator("#circuit")).to_contain_text("16 idle qubits are not drawn")
    expect(dialog.locator("#counts")).to_contain_text("200 shots, 4 different outcomes")
    shown = {
        bar.get_attribute("data-outcome"): bar.get_attribute("data-count") for bar in bars.all()
    }
    shots = client.get(f"/result/{job_id}").json()["response"]["result"]["1"]
    outcomes = ["".join(map(str, reversed(shot))) for shot in shots]
    assert {outcome: str(outcomes.count(outcome)) for outcome in outcomes} == shown
    assert server.jobs[0].fetches == fetched + 1
    screenshot(f"server-job-{scheme}")
    opened.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert not opened.evaluate("location.hash")
    screenshot(f"server-{scheme}")
    assert complaints == []


def test_faults(client, opened, screenshot):
    """A fault that the page turns on strikes the next request, and not the page's own."""
    form = opened.locator("#next-fault")
    form.locator("[name=kind]").select_option("503")
    form.get_by_role("button").click()
    expect(opened.locator("#faults-now")).to_have_text("On: 503 for the next 1 request.")
    assert client.get("/workspaces").status_code == 503
    expect(opened.locator("#fault-log li")).to_have_text("503: GET /api/v1/workspaces")
    expect(opened.locator("#faults-now")).to_have_text("No fault is on.")
    opened.locator("#random-faults [name=percent]").fill("100")
    opened.locator("#kinds-summary").click()
    opened.get_by_role("button", name="None").click()
    opened.get_by_label("429", exact=True).check()
    expect(opened.locator("#kinds-summary")).to_have_text("1 kind")
    opened.get_by_role("button", name="Turn on").click()
    expect(opened.locator("#faults-now")).to_have_text("On: 100 % of requests (429).")
    assert {client.get("/workspaces").status_code for _ in range(5)} == {429}
    screenshot("server-faults")
    opened.get_by_role("button", name="Turn all off").click()
    expect(opened.locator("#faults-now")).to_have_text("No fault is on.")
    assert client.get("/workspaces").status_code == 200


def test_steering(client, opened):
    """Status, workspaces, holds, failures, cancelling and the reset reach the server."""
    opened.get_by_label("status of ibex").select_option("maintenance")
    wait_until(lambda: client.get("/resources/ibex").json()["status"] == "maintenance")
    lab = opened.locator("#workspaces p", has_text="lab")
    lab.get_by_label("accepts jobs").uncheck()
    wait_until(lambda: client.post("/submit/lab/pine", json=job(flips(1))).status_code == 403)
    opened.get_by_role("button", name="Hold").click()
    expect(opened.locator("#pace")).to_contain_text("hold")
    failing = opened.locator("#fail")
    failing.get_by_label("message").fill(HOSTILE)
    failing.get_by_role("button").click()
    expect(opened.locator("#pace")).to_contain_text("The next 1 job will fail.")
    failed, cancelled = (submit(client, job(flips(1), label=label)) for label in (HOSTILE, "two"))
    opened.get_by_role("link", name="two").click()
    opened.get_by_role("button", name="Cancel job").click()
    wait_for_status(client, cancelled, "cancelled")
    opened.get_by_role("button", name="close").click()
    opened.get_by_role("button", name="Release all").click()
    wait_for_status(client, failed, "error")
    opened.get_by_role("link", name="<img").click()
    expect(opened.locator("#job-title")).to_have_text(HOSTILE)
    expect(opened.locator("#job-message")).to_have_text(HOSTILE)
    opened.get_by_role("button", name="close").click()
    assert opened.locator("main img, main script").count() == 0
    assert opened.title() == "aqt-fast: local server"
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.get_by_role("button", name="Reset").click()
    expect(opened.locator("#no-jobs")).to_have_text("No job was submitted yet.")
    assert client.get("/resources/ibex").json()["status"] == "online"
    assert client.get(f"/result/{failed}").status_code == 410
    submit(client, job(flips(1)), "lab/ibex")
    expect(opened.locator("#jobs tr")).to_have_count(1)


def test_many_jobs(client, opened, screenshot):
    """The list turns its pages, and finds jobs by label and status."""
    for number in range(120):
        submit(client, job(flips(1), label=f"scan {number}"))
    expect(filter_of(opened, "finished")).to_have_text("finished 120")
    expect(opened.locator("#range")).to_have_text("1–50 of 120")
    expect(opened.locator("#jobs tr").first).to_contain_text("scan 119")
    opened.get_by_role("button", name="older").click()
    expect(opened.locator("#range")).to_have_text("51–100 of 120")
    opened.get_by_label("Find").fill("SCAN 11")
    expect(opened.locator("#jobs tr")).to_have_count(11)
    screenshot("server-find")
    filter_of(opened, "error").click()
    expect(opened.locator("#no-jobs")).to_have_text("No job fits.")


def test_without_network(opened):
    """The page says so, and goes on once the server is there again."""
    opened.locator("#cut [name=seconds]").fill("2")
    opened.get_by_role("button", name="Cut").click()
    expect(opened.locator("#connection")).to_have_text("no connection")
    expect(opened.locator("#connection")).to_have_text("connected")


def test_token(page, screenshot):
    """A server with a token of its own shows nothing before it has it; no URL has it."""
    urls = []
    page.on("request", lambda request: urls.append(request.url))
    with ArnicaServer(token="secret-7", simulate=False) as server:  # noqa: S106 - of this test
        page.goto(server.url)
        expect(page.locator("#log-in")).to_be_visible()
        expect(page.locator("main")).to_be_hidden()
        page.get_by_label("Token").fill("wrong")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("#log-in-text")).to_have_text(re.compile("does not accept this token"))
        screenshot("server-token")
        asked = len(urls)
        page.wait_for_timeout(1500)
        assert len(urls) == asked  # it waits for another token
        page.get_by_label("Token").fill("secret-7")
        page.get_by_role("button", name="Open").click()
        expect(page.locator("main")).to_be_visible()
        page.reload()
        expect(page.locator("#resources tr")).to_have_count(5)
    assert not [url for url in urls if "secret" in url or not url.startswith(server.url)]


def test_behind_a_proxy(server, page):
    """Who is not on the server's computer sees nothing, and why."""
    page.set_extra_http_headers({"x-forwarded-for": "192.0.2.1"})
    page.goto(server.url)
    expect(page.locator("#connection")).to_have_text("closed")
    expect(page.locator("#notice")).to_contain_text("Only a browser on the server's computer")
    expect(page.locator("main")).to_be_hidden()
    expect(page.locator("#log-in")).to_be_hidden()


def test_narrow(client, opened, screenshot):
    """On a narrow screen, nothing but tables is wider than it."""
    submit(client, job(flips(1), label="x" * 300))
    opened.set_viewport_size({"width": 420, "height": 900})
    expect(opened.locator("#jobs tr")).to_have_count(1)
    assert opened.evaluate("document.documentElement.scrollWidth") <= 420
    screenshot("server-narrow")


def test_interfaces(server, page, screenshot, complaints):
    """The page of the interfaces shows each operation, with a call of curl."""
    page.goto(f"{server.url}/docs")
    submission = page.locator("details", has_text="/api/v1/submit/{workspace}/{resource}")
    submission.locator("summary").click()
    expect(submission).to_contain_text('curl -X POST -H "Authorization: Bearer $AQT_TOKEN" --json')
    expect(submission).to_contain_text(re.compile("SubmitJob"))
    screenshot("server-interfaces")
    assert complaints == []


def test_page_of_another_site(server, page):
    """With the well-known token it neither reads nor steers, nor frames; its link works."""
    site = "http://site.example/"
    text = f'<p>evil</p><a href="{server.url}/">link</a><iframe src="{server.url}/"></iframe>'
    page.route(f"{site}**", lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(site)
    attack = """async ([url, token]) => {
        const tries = [
            [`${url}/control/hold`, {method: "POST", headers: {Authorization: `Bearer ${token}`}}],
            [`${url}/control/hold`, {method: "POST", mode: "no-cors", body: "{}"}],
            [`${url}/control/state`, {headers: {Authorization: `Bearer ${token}`}}],
            [`${url}/testing/record`, {}],
        ];
        const texts = [];
        for (const [path, how] of tries) {
            try { texts.push(await (await fetch(path, how)).text()); } catch { texts.push(""); }
        }
        return texts;
    }"""
    assert page.evaluate(attack, [server.url, server.token]) == [""] * 4
    assert all("aqt-fast" not in frame.content() for frame in page.frames[1:])
    with ServerControl(server.url, server.token) as control:
        assert control.state()["permits"] is None
    page.get_by_role("link", name="link").click()
    expect(page.locator("#connection")).to_have_text("connected")
