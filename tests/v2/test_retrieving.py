"""Jobs by their id alone, and lists of stored jobs, with backends and jobs of the 2.x face."""

from __future__ import annotations

import uuid

import pytest
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.exceptions import AQTJobFailedError, AQTJobNotFoundError, AQTValueError
from aqt_fast.v2.jobs import CloudJob, DirectAccessJob, OfflineSimulatorJob
from aqt_fast.v2.resources import CloudResource, DirectAccessResource, OfflineSimulatorResource
from markers import marker


class TestCloud:
    """On the portal."""

    def test_from_the_store(self, resource):
        """A job with a journal."""
        job = resource.run(marker("10"))
        again = resource.retrieve_job(job.job_id())
        assert type(again) is CloudJob
        assert type(again.backend()) is CloudResource
        assert again.result().get_counts() == {"10": 100}

    def test_from_the_portal(self, resource):
        """A job of another computer, without its circuits."""
        job = resource.run(marker("10"), journal=False)
        again = resource.retrieve_job(job.job_id())
        assert type(again) is CloudJob
        assert again.result().get_counts() == {"10": 100}
        assert again.api_job_id() == job.job_id()

    def test_failed(self, server, resource):
        """It raises like any job of this face."""
        server.fail_jobs("no ions")
        job = resource.run(marker("10"))
        with pytest.raises(AQTJobFailedError, match="no ions"):
            resource.retrieve_job(job.job_id()).result()

    def test_unknown(self, resource):
        """Neither the store nor the portal has it."""
        with pytest.raises(AQTJobNotFoundError):
            resource.retrieve_job(str(uuid.uuid4()))

    def test_listed(self, resource):
        """Stored jobs of the backend are restored as jobs of this face."""
        job = resource.run(marker("10"))
        job.result()
        (row,) = resource.jobs()
        assert type(row.restore()) is CloudJob

    def test_of_another_backend(self, cloud, resource):
        """A job belongs to one backend."""
        job = resource.run(marker("10"))
        job.job_id()
        other = cloud.fetch_workspaces()[0].get_backend("simulator_noise")
        with pytest.raises(AQTValueError, match="simulator_noise"):
            other.retrieve_job(job.job_id())


def test_direct(direct):
    """A job on a machine, from the store."""
    job = direct.run(marker("10"))
    job.result()
    again = direct.retrieve_job(job.job_id())
    assert type(again) is DirectAccessJob
    assert type(again.backend()) is DirectAccessResource
    assert again.job_id() == job.job_id()
    assert again.result().get_counts() == {"10": 100}


def test_offline(tmp_path):
    """A simulator lists jobs, too; they have no journal."""
    resource = AQTProvider().offline.ideal()
    assert type(resource) is OfflineSimulatorResource
    assert type(resource.run(marker("10"))) is OfflineSimulatorJob
    assert list(resource.jobs(store_path=tmp_path)) == []
