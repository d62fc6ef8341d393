"""What backends, jobs and primitives of the 2.x face raise: errors of this face, everywhere."""

from __future__ import annotations

import uuid

import pytest
from aqt_fast.exceptions import InvalidInputError
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.exceptions import AQTJobNotFoundError, AQTRequestError, AQTValueError
from aqt_fast.v2.primitives import AQTSampler
from markers import marker
from qiskit import QuantumCircuit

UNUSABLE = {
    "api_job, no UUID": lambda backend: backend.api_job("mine", marker("1")),
    "api_job, no circuits": lambda backend: backend.api_job(str(uuid.uuid4()), []),
    "api_job, an option": lambda backend: backend.api_job(str(uuid.uuid4()), marker("1"), shots=0),
    "run, an option": lambda backend: backend.run(marker("1"), shots=0),
    "run, a circuit": lambda backend: backend.run(QuantumCircuit(1)),
    "run, too many shots": lambda backend: backend.run(marker("1"), shots=2**31 - 1),
    "set_options": lambda backend: backend.set_options(shots=0),
    "options, by attribute": lambda backend: setattr(backend.options, "shots", 0),
    "options": lambda backend: backend.options.update_options(memory="yes"),
    "options of a job": lambda backend: setattr(backend.run(marker("1")).options, "shots", 7),
    "options of a job, how to wait": lambda backend: backend.run(
        marker("1")
    ).options.update_options(query_period_seconds=0),
    "jobs": lambda backend: backend.jobs(state="unknown"),
    "api_job_id": lambda backend: backend.run(marker("1")).api_job_id(1),
    "sampler": lambda backend: AQTSampler(backend=backend).run([marker("0" * 40)]).result(),
}


@pytest.mark.parametrize("call", UNUSABLE)
@pytest.mark.parametrize("kind", ["cloud", "direct"])
def test_unusable_arguments(resource, direct, kind, call):
    """``AQTValueError``, which is also the error of our core."""
    with pytest.raises(AQTValueError) as caught:
        UNUSABLE[call](resource if kind == "cloud" else direct)
    assert isinstance(caught.value, InvalidInputError)


@pytest.mark.parametrize(
    "call", [name for name in UNUSABLE if "api_job" not in name and "too many" not in name]
)
def test_unusable_arguments_offline(call):
    """The same; but any number of shots is simulated."""
    with pytest.raises(AQTValueError):
        UNUSABLE[call](AQTProvider().offline.ideal())


@pytest.mark.parametrize("kind", ["cloud", "direct"])
def test_unknown_api_job(resource, direct, kind):
    """Portal or machine refuses to give its result."""
    job = (resource if kind == "cloud" else direct).api_job(str(uuid.uuid4()), marker("1"))
    with pytest.raises(AQTRequestError) as caught:
        job.result()
    assert caught.value.status_code == 404


def test_a_machines_token_stays_there(direct, monkeypatch):
    """A job that the store does not have is not asked for at AQT's portal."""
    monkeypatch.setattr("aqt_fast.provider.fetching.job_by_id", None)
    with pytest.raises(AQTJobNotFoundError):
        direct.retrieve_job(str(uuid.uuid4()))
    job = direct.run(marker("10"))
    job.result()
    again = direct.retrieve_job(job.api_job_id(), query_timeout_seconds=5)
    assert again.result().get_counts() == {"10": 100}
    assert again.options.query_timeout_seconds == 5
