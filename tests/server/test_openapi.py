"""``/openapi.json`` says what the server does: the same routes, and answers of the same types."""

import httpx
import pytest
from aqt_fast.server.openapi import description
from aqt_fast.testing import ArnicaServer
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from server.cloud_client import FLIP, HALF, SUBMIT, circuit, flips, job
from starlette.routing import Mount, Route

WHOLE = description()
PAGES = {"/", "/docs", "/activate"}


def validator(schema):
    """What checks values against a schema of the description."""
    return Draft202012Validator({**schema, "components": WHOLE["components"]})


def routes_of(routes, prefix=""):
    """All methods and paths of an application."""
    for route in routes:
        path = prefix + route.path
        if isinstance(route, Mount):
            yield from routes_of(route.routes, path)
        elif isinstance(route, Route):
            yield from ((method.lower(), path) for method in route.methods - {"HEAD"})


def test_routes(monkeypatch):
    """It has all routes but the pages and their files, and no other."""
    found = {}
    monkeypatch.setattr(
        "aqt_fast.server.arnica.FaultInjection",
        lambda app, *_: found.setdefault("app", app),
    )
    ArnicaServer(simulate=False).close()
    served = {
        (method, path)
        for method, path in routes_of(found["app"].routes)
        if path not in PAGES and not path.startswith("/static/")
    }
    described = {
        (method, path)
        for path, item in WHOLE["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == served


def test_schemas():
    """They are JSON schemas, and each reference leads somewhere."""
    references = []

    def walk(part):
        if isinstance(part, dict):
            references.extend([part["$ref"]] if "$ref" in part else [])
            for value in part.values():
                walk(value)
        elif isinstance(part, list):
            for value in part:
                walk(value)

    walk(WHOLE)
    names = {reference.removeprefix("#/components/schemas/") for reference in references}
    assert names == set(WHOLE["components"]["schemas"])
    for schema in WHOLE["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("simulate", [True, False])
def test_answers(simulate, figures):
    """Each answer, and each body that is accepted, is as the description says."""
    bell = circuit([HALF, FLIP, {"operation": "RZ", "qubit": 1, "phi": -7.5}], shots=20)
    bodies = [job(bell, flips(3), label="bell"), job(flips(1))]
    checked = 0
    with (
        ArnicaServer(simulate=simulate, characterisation="pairs") as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=60) as client,
    ):
        client.headers["authorization"] = f"Bearer {server.token}"

        def ask(method, template, *, body=None, query=None, **parts):
            nonlocal checked
            operation = WHOLE["paths"][template][method]
            if body is not None:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                validator(schema).validate(body)
            path = template.format(**parts)
            response = client.request(method, path, json=body, params=query)
            responses = operation["responses"]
            status = str(response.status_code)
            answer = responses[status if status in responses else f"{status[0]}XX"]
            if "content" in answer:
                schema = answer["content"]["application/json"]["schema"]
                validator(schema).validate(response.json())
            else:
                assert response.content == b""
            checked += 1
            return response.json() if response.content else None

        api = "/api/v1"
        ask("get", f"{api}/workspaces")
        for resource in ("ibex", "simulator_ideal", "x"):
            ask("get", f"{api}/resources/{{resource}}", resource=resource)
        place = {"workspace": "default", "resource": "simulator_ideal"}
        server.hold()
        ids = [
            ask("post", f"{api}/submit/{{workspace}}/{{resource}}", body=body, **place)["job"][
                "job_id"
            ]
            for body in bodies
        ]
        for _ in range(2):
            ask("delete", f"{api}/jobs/{{job_id}}", job_id=ids[1])
        timing = {"include_timing_data": True}
        for job_id in (*ids, "x", "00000000-0000-4000-8000-000000000000"):
            ask("get", f"{api}/result/{{job_id}}", job_id=job_id, query=timing)
        server.release()
        direct = "/direct/{resource}"
        ask("get", f"{direct}/status/ions", resource="ibex")
        ask("get", f"{direct}/system/name", resource="ibex")
        lone = ask("put", f"{direct}/circuit", body=bell, resource="ibex")
        ask("get", f"{direct}/circuit/result/{{job_id}}", resource="ibex", job_id=lone)
        while ask("get", "/control/state")["jobs"]["finished"] < 2:
            pass
        ask("get", f"{api}/result/{{job_id}}", job_id=ids[0], query=timing)
        ask("get", "/control/jobs", query={"limit": 2, "text": "be"})
        for job_id in (*ids, lone):
            ask("get", "/control/jobs/{job_id}", job_id=job_id)
            for index in range(3):
                circuits = "/control/jobs/{job_id}/circuits/{index}"
                ask("get", circuits, job_id=job_id, index=index)
        ask("get", "/testing/record")
        ask("get", "/health")
        ask("get", "/.well-known/jwks.json")
        ask("post", "/oauth/device/code", body={"client_id": "aqt-fast-device"})
        for name, body in {
            "hold": {},
            "release": {"circuits": None},
            "set_status": {"resource_id": "ibex", "status": "offline"},
            "set_workspace": {"workspace_id": "lab", "jobs_being_processed": False},
            "drift": {"resource_id": None, "amount": 0.5},
            "fail_jobs": {"message": "no"},
            "advance": {"seconds": 2.5},
            "cancel": {"job_id": lone},
            "faults/set": {"rate": 0, "kinds": ["404"]},
            "faults/next": {"kind": "429", "path": "/nowhere"},
            "faults/clear": {},
            "reset": {},
        }.items():
            ask("post", f"/control/{name}", body=body)
        client.headers["authorization"] = "Bearer wrong"
        ask("get", "/control/state")
        ask("get", f"{api}/workspaces")
    figures(f"answers checked against openapi.json, simulate={simulate}", checked=checked)


@pytest.mark.parametrize(
    "body",
    [
        {},
        job(),
        job(circuit(qubits=32)),
        job(circuit(shots=0)),
        job(circuit([{**HALF, "theta": 0.6}])),
        job(circuit([{**FLIP, "theta": 1.1}])),
        job(circuit([{"operation": "H", "qubit": 0}])),
        job(*[circuit()] * 51),
        {**job(circuit()), "job_type": "x"},
    ],
)
def test_refused_bodies(shared_server, body):
    """What the description does not allow is refused."""
    with pytest.raises(ValidationError):
        validator({"$ref": "#/components/schemas/SubmitJob"}).validate(body)
    headers = {"authorization": f"Bearer {shared_server.token}"}
    url = f"{shared_server.url}/api/v1{SUBMIT}"
    assert httpx.post(url, json=body, headers=headers).status_code == 422
