"""A job that was submitted again is found by every identifier that its API jobs ever had."""

from __future__ import annotations

import pytest
from aqt_fast import AQTJob
from aqt_fast.exceptions import JobNotFoundError
from clients import connect
from waiting import wait_until

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize("circuits", [1, 60])
def test_every_identifier(server, device, circuit, circuits):
    """Of the first submission, the second and the last; of one API job and of several."""
    known = []
    server.fail_jobs("out of ions", 100)
    job = device.run([circuit] * circuits, label="mine")
    for _ in range(2):
        job.wait_for_final_state()
        known += [job.api_job_id(index) for index in range(-(-circuits // 50))]
        assert job.resubmit_failed() == -(-circuits // 50)
    job.wait_for_final_state()
    known += [job.api_job_id(index) for index in range(-(-circuits // 50))]
    assert len(set(known)) == 3 * -(-circuits // 50)
    wait_until(lambda: not any(each.active for each in connect(server).jobs()))
    for job_id in known:
        assert AQTJob.restore(job_id).batch_id == job.batch_id
    with pytest.raises(JobNotFoundError):
        AQTJob.restore(f"{known[0][:-4]}ffff")
