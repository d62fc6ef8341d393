"""``/openapi.json``: what the server's interfaces take and answer, as OpenAPI 3.1."""

from __future__ import annotations

from typing import Any, get_args

from aqt_fast.server.faults import KINDS, ODD_KINDS
from aqt_fast.server.jobs import Status
from aqt_fast.server.workspaces import ResourceStatus, ResourceType

_Schema = dict[str, Any]

_TEXT: _Schema = {"type": "string"}
_FLAG: _Schema = {"type": "boolean"}
_WHEN: _Schema = {"type": "string", "format": "date-time"}
_COUNT: _Schema = {"type": "integer", "minimum": 0}
_SECONDS: _Schema = {"type": "number", "minimum": 0}
_EPOCH: _Schema = {"type": "number", "description": "seconds since the epoch"}
_JOB_ID: _Schema = {"type": "string", "format": "uuid"}
_QUBIT: _Schema = {"type": "integer", "minimum": 0}
_STATUS: _Schema = {"enum": list(get_args(Status))}
_SHOT: _Schema = {"type": "array", "items": {"enum": [0, 1]}, "description": "qubit 0 first"}


def _ref(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _or_null(schema: _Schema) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(required: _Schema, optional: _Schema | None = None) -> _Schema:
    """Describe an object by the schemas of its fields."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "properties": properties, "required": list(required)}


def _angle(low: int, high: int) -> _Schema:
    return {"type": "number", "minimum": low, "maximum": high, "description": "in units of π"}


def _gate(name: str, **fields: _Schema) -> _Schema:
    return _object({"operation": {"const": name}, **fields})


_VALUE = _object({"value": {"type": "number"}, "uncertainty": {"type": "number"}})

_SCHEMAS: _Schema = {
    "Operation": {
        "oneOf": [
            _gate("RZ", qubit=_QUBIT, phi={"type": "number", "description": "in units of π"}),
            _gate("R", qubit=_QUBIT, theta=_angle(0, 1), phi=_angle(0, 2)),
            _gate(
                "RXX",
                qubits={**_array(_QUBIT), "minItems": 2, "maxItems": 2},
                theta={**_angle(0, 1), "maximum": 0.5},
            ),
            _gate("MEASURE"),
        ]
    },
    "Circuit": _object(
        {
            "repetitions": {"type": "integer", "minimum": 1, "maximum": 2000},
            "quantum_circuit": {
                **_array(_ref("Operation")),
                "minItems": 1,
                "maxItems": 2000,
                "description": "ends with its only MEASURE",
            },
            "number_of_qubits": {"type": "integer", "minimum": 1, "maximum": 31},
        }
    ),
    "SubmitJob": _object(
        {
            "job_type": {"const": "quantum_circuit"},
            "payload": _object(
                {"circuits": {**_array(_ref("Circuit")), "minItems": 1, "maxItems": 50}}
            ),
        },
        {"label": _or_null(_TEXT)},
    ),
    "Job": _object(
        {
            "job_id": _JOB_ID,
            "job_type": {"const": "quantum_circuit"},
            "label": _or_null(_TEXT),
            "resource_id": _TEXT,
            "workspace_id": _TEXT,
        }
    ),
    "Submitted": _object(
        {"job": _ref("Job"), "response": _object({"status": {"const": "queued"}})}
    ),
    "Result": _object(
        {
            "job": _ref("Job"),
            "response": _object(
                {"status": _STATUS},
                {
                    "finished_count": {**_COUNT, "description": "circuits; while it is ongoing"},
                    "message": {**_TEXT, "description": "why it failed"},
                    "result": {
                        "type": "object",
                        "additionalProperties": _array(_SHOT),
                        "description": "shots of each circuit, by its index",
                    },
                    "timing_data": _array(_object({"new_status": _STATUS, "timestamp": _WHEN})),
                },
            ),
        }
    ),
    "Workspace": _object(
        {
            "id": _TEXT,
            "accepting_job_submissions": _FLAG,
            "jobs_being_processed": _FLAG,
            "resources": _array(
                _object(
                    {"id": _TEXT, "name": _TEXT, "type": {"enum": list(get_args(ResourceType))}}
                )
            ),
        }
    ),
    "Resource": _object(
        {
            "id": _TEXT,
            "name": _TEXT,
            "type": {"enum": list(get_args(ResourceType))},
            "status": {"enum": list(get_args(ResourceStatus))},
            "available_qubits": {"type": "integer", "minimum": 1},
            "status_updated_at": _WHEN,
        },
        {
            "characterisation": {
                "type": "object",
                "description": "of a device: percent, µs, and s for T1 and T2",
                "properties": {
                    "single_qubit_gate_fidelity": {
                        "type": "object",
                        "additionalProperties": _VALUE,
                        "description": "by qubit",
                    },
                    "mean_two_qubit_gate_fidelity": _VALUE,
                    "two_qubit_gate_fidelity": _array({"type": "object"}),
                    "spam_fidelity_lower_bound": {"type": "number"},
                    "t1_s": _VALUE,
                    "t2_coherence_time_s": _VALUE,
                    "readout_time_micros": {"type": "number"},
                    "single_qubit_gate_duration_micros": {"type": "number"},
                    "two_qubit_gate_duration_micros": {"type": "number"},
                    "updated_at": _WHEN,
                },
            }
        },
    ),
    "DirectResult": _object(
        {
            "job_id": _JOB_ID,
            "payload": _object(
                {"status": {"enum": ["finished", "error"]}}, {"result": _array(_SHOT)}
            ),
        }
    ),
    "Problem": _object(
        {
            "detail": {
                "anyOf": [
                    _TEXT,
                    _array(
                        _object(
                            {
                                "loc": _array({"type": ["string", "integer"]}),
                                "msg": _TEXT,
                                "type": _TEXT,
                            }
                        )
                    ),
                ]
            }
        }
    ),
    "AcceptedJob": _object(
        {
            "job_id": _JOB_ID,
            "label": _or_null(_TEXT),
            "workspace_id": _TEXT,
            "resource_id": _TEXT,
            "sha256": {**_TEXT, "description": "of the request body"},
            "status": _STATUS,
            "repetitions": _array(_COUNT),
            "digests": _or_null(_array(_TEXT)),
            "runs": {**_array(_COUNT), "description": "how often each circuit ran"},
            "fetches": _COUNT,
        }
    ),
    "JobSummary": _object(
        {
            "job_id": _JOB_ID,
            "number": _COUNT,
            "label": _or_null(_TEXT),
            "workspace_id": _TEXT,
            "resource_id": _TEXT,
            "status": _STATUS,
            "cancelling": _FLAG,
            "circuits": _COUNT,
            "finished_count": _COUNT,
            "shots": _COUNT,
            "qubits": _COUNT,
            "accepted": _EPOCH,
            "started": _or_null(_EPOCH),
            "ended": _or_null(_EPOCH),
            "message": _or_null(_TEXT),
            "fetches": _COUNT,
            "has_result": _FLAG,
            "has_circuits": _FLAG,
        }
    ),
    "State": _object(
        {
            "now": _EPOCH,
            "created": _EPOCH,
            "permits": {
                **_or_null(_COUNT),
                "description": "circuits that may start before machines hold; null: any number",
            },
            "failing": {**_COUNT, "description": "jobs that fail next"},
            "accepted": {**_COUNT, "description": "jobs since the server was created"},
            "jobs": {"type": "object", "additionalProperties": _COUNT, "description": "by status"},
            "workspaces": _array({"type": "object"}),
            "resources": _array({"type": "object"}),
            "faults": {"type": "object"},
        }
    ),
    "CircuitView": _object(
        {
            "circuit": _or_null(
                _object(
                    {
                        "number_of_qubits": _COUNT,
                        "repetitions": _COUNT,
                        "operations": {**_array(_ref("Operation")), "maxItems": 500},
                        "num_operations": _COUNT,
                    }
                )
            ),
            "counts": _or_null(
                _object(
                    {
                        "outcomes": {
                            "type": "array",
                            "maxItems": 64,
                            "items": {"type": "array", "prefixItems": [_TEXT, _COUNT]},
                            "description": "the most frequent; qubit 0 at the right",
                        },
                        "num_outcomes": _COUNT,
                        "shots": _COUNT,
                    }
                )
            ),
        }
    ),
}


def _answer(description: str, schema: _Schema | None = None) -> _Schema:
    content = {} if schema is None else {"content": {"application/json": {"schema": schema}}}
    return {"description": description, **content}


def _operation(
    group: str,
    summary: str,
    answers: dict[int, _Schema],
    *,
    body: _Schema | None = None,
    query: _Schema | None = None,
    open_to_all: bool = False,
) -> _Schema:
    """Describe a method of a path; ``answers`` are those beside refusals."""
    operation: _Schema = {
        "tags": [group],
        "summary": summary,
        "responses": {str(status): answer for status, answer in answers.items()},
    }
    if query is not None:
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": schema} for name, schema in query.items()
        ]
    if body is not None:
        required = bool(body.get("required"))
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": required, "content": content}
    if open_to_all:
        operation["security"] = []
    operation["responses"]["4XX"] = _answer("a refusal", _ref("Problem"))
    return operation


_CLOUD, _DIRECT, _LOGIN, _CONTROL, _OTHER = "cloud", "direct access", "login", "control", "server"

_PATHS: _Schema = {
    "/api/v1/workspaces": {
        "get": _operation(
            _CLOUD,
            "List the workspaces that the token opens.",
            {200: _answer("workspaces with their resources", _array(_ref("Workspace")))},
        )
    },
    "/api/v1/resources/{resource}": {
        "get": _operation(
            _CLOUD, "Describe a resource.", {200: _answer("the resource", _ref("Resource"))}
        )
    },
    "/api/v1/submit/{workspace}/{resource}": {
        "post": _operation(
            _CLOUD,
            "Submit a job of up to 50 circuits.",
            {200: _answer("the job was accepted", _ref("Submitted"))},
            body=_ref("SubmitJob"),
        )
    },
    "/api/v1/result/{job_id}": {
        "get": _operation(
            _CLOUD,
            "Return the status of a job, and its outcomes once it is finished.",
            {
                200: _answer("the status", _ref("Result")),
                410: _answer("the result has expired, or the job was forgotten", _ref("Problem")),
            },
            query={"include_timing_data": _FLAG},
        )
    },
    "/api/v1/jobs/{job_id}": {
        "delete": _operation(
            _CLOUD,
            "Cancel a job: at once if it is queued, else after its current circuit.",
            {204: _answer("it is cancelled"), 208: _answer("it was cancelled before")},
        )
    },
    "/direct/{resource}/status/ions": {
        "get": _operation(
            _DIRECT,
            "Return the number of ions.",
            {200: _answer("the number", _object({"num_ions": _COUNT}))},
        )
    },
    "/direct/{resource}/system/name": {
        "get": _operation(_DIRECT, "Return the machine's name.", {200: _answer("the name", _TEXT)})
    },
    "/direct/{resource}/circuit": {
        "put": _operation(
            _DIRECT,
            "Submit a circuit; another one must not be in flight (409).",
            {200: _answer("the identifier", _JOB_ID)},
            body=_ref("Circuit"),
        )
    },
    "/direct/{resource}/circuit/result/{job_id}": {
        "get": _operation(
            _DIRECT,
            "Wait until the circuit was measured; return its shots.",
            {200: _answer("the shots", _ref("DirectResult"))},
        )
    },
    "/oauth/device/code": {
        "post": _operation(
            _LOGIN,
            "Begin a login with a device code.",
            {200: _answer("codes and the page for the person", {"type": "object"})},
            body=_object({"client_id": _TEXT}),
            open_to_all=True,
        )
    },
    "/oauth/token": {
        "post": _operation(
            _LOGIN,
            "Return a token for a device code, client credentials or a refresh token.",
            {200: _answer("tokens", {"type": "object"})},
            body=_object({"grant_type": _TEXT}),
            open_to_all=True,
        )
    },
    "/.well-known/jwks.json": {
        "get": _operation(
            _LOGIN,
            "Return the keys that sign tokens.",
            {200: _answer("the keys", _object({"keys": _array({"type": "object"})}))},
            open_to_all=True,
        )
    },
    "/control/state": {
        "get": _operation(
            _CONTROL,
            "Describe machines, workspaces, faults and numbers of jobs.",
            {200: _answer("the state", _ref("State"))},
        )
    },
    "/control/jobs": {
        "get": _operation(
            _CONTROL,
            "Describe the newest jobs.",
            {
                200: _answer(
                    "the jobs, and how many there are",
                    _object({"jobs": _array(_ref("JobSummary")), "total": _COUNT}),
                )
            },
            query={
                "offset": _COUNT,
                "limit": {**_COUNT, "maximum": 200, "default": 50},
                "status": _STATUS,
                "resource": _TEXT,
                "text": {
                    **_TEXT,
                    "description": "part of the label, or beginning of the identifier",
                },
            },
        )
    },
    "/control/jobs/{job_id}": {
        "get": _operation(
            _CONTROL,
            "Describe a job.",
            {
                200: _answer(
                    "the job, its changes of status, shots and qubits of its circuits",
                    {
                        "allOf": [
                            _ref("JobSummary"),
                            _object(
                                {
                                    "sha256": _TEXT,
                                    "changes": _array({"prefixItems": [_STATUS, _EPOCH]}),
                                    "sizes": _array({"prefixItems": [_COUNT, _COUNT]}),
                                    "runs": _array(_COUNT),
                                }
                            ),
                        ]
                    },
                )
            },
        )
    },
    "/control/jobs/{job_id}/circuits/{index}": {
        "get": _operation(
            _CONTROL,
            "Describe a circuit of a job, and count its outcomes. This is no fetch of the result.",
            {200: _answer("null for what there is not, or was forgotten", _ref("CircuitView"))},
        )
    },
    "/testing/record": {
        "get": _operation(
            _OTHER,
            "Return all accepted jobs; for clients on this computer.",
            {200: _answer("the jobs", _object({"jobs": _array(_ref("AcceptedJob"))}))},
            open_to_all=True,
        )
    },
    "/health": {
        "get": _operation(
            _OTHER,
            "Tell that the server answers.",
            {200: _answer("it does", _object({"status": {"const": "ok"}}))},
            open_to_all=True,
        )
    },
    "/openapi.json": {
        "get": _operation(
            _OTHER, "Return this.", {200: _answer("this", {"type": "object"})}, open_to_all=True
        )
    },
}

_KIND: _Schema = {"enum": [*KINDS, *ODD_KINDS]}

_CALLS: dict[str, tuple[str, _Schema]] = {
    "advance": (
        "Put the clock forward: results and tokens expire.",
        _object({"seconds": _SECONDS}),
    ),
    "cancel": ("Cancel a job.", _object({"job_id": _JOB_ID})),
    "drift": (
        "Have a device, or all, publish other figures.",
        _object({}, {"resource_id": _or_null(_TEXT), "amount": {**_SECONDS, "maximum": 10}}),
    ),
    "fail_jobs": (
        "Make the next jobs that start end with an error.",
        _object({"message": _TEXT}, {"count": {"type": "integer", "minimum": 1}}),
    ),
    "hold": ("Make every machine wait before its next circuit.", _object({})),
    "refuse": (
        "Reset all connections, this one included, and refuse new ones for a time.",
        _object({"seconds": _SECONDS}),
    ),
    "release": (
        "Let circuits run during a hold; null ends the hold.",
        _object({}, {"circuits": _or_null(_COUNT)}),
    ),
    "reset": ("Forget all jobs, end faults and holds, undo what was set.", _object({})),
    "set_status": (
        "Set a machine's status.",
        _object({"resource_id": _TEXT, "status": {"enum": list(get_args(ResourceStatus))}}),
    ),
    "set_workspace": (
        "Set what a workspace does with jobs; null leaves it as it is.",
        _object(
            {"workspace_id": _TEXT},
            {
                "accepting_job_submissions": _or_null(_FLAG),
                "jobs_being_processed": _or_null(_FLAG),
            },
        ),
    ),
    "faults/set": (
        "Give faults to random requests.",
        _object(
            {"rate": {"type": "number", "minimum": 0, "maximum": 1}},
            {"kinds": {**_array(_KIND), "minItems": 1}, "seed": _COUNT},
        ),
    ),
    "faults/next": (
        "Script a fault for the next requests.",
        _object(
            {"kind": _KIND},
            {
                "count": {"type": "integer", "minimum": 1},
                "method": _or_null(_TEXT),
                "path": _or_null({**_TEXT, "description": "part of the path"}),
            },
        ),
    ),
    "faults/clear": ("Stop all faults.", _object({})),
}
"""Calls of ``/control``: what each does, and its fields."""


def description() -> _Schema:
    """Make the description of all interfaces."""
    paths = {
        **_PATHS,
        **{
            f"/control/{name}": {
                "post": _operation(_CONTROL, summary, {204: _answer("it is done")}, body=fields)
            }
            for name, (summary, fields) in _CALLS.items()
        },
    }
    for path, methods in paths.items():
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        if names:
            methods["parameters"] = [
                {
                    "name": name,
                    "in": "path",
                    "required": True,
                    "schema": _COUNT if name == "index" else _TEXT,
                }
                for name in names
            ]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "aqt-fast: local server",
            "version": "1",
            "description": "AQT's cloud and direct-access interfaces, and what steers this server.",
        },
        "tags": [
            {"name": _CLOUD, "description": "as AQT's portal has it"},
            {"name": _DIRECT, "description": "as a machine has it at its root"},
            {"name": _LOGIN, "description": "a small OpenID Connect provider"},
            {"name": _CONTROL, "description": "for this computer, with the server's own token"},
            {"name": _OTHER, "description": "without a token"},
        ],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }
