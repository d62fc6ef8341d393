"""Fixtures for the 2.x face.

=============  ===================================================
``config``     an ``ArnicaConfig`` of AQT's package for ``server``
``cloud``      the server's cloud
``resource``   a resource of the cloud that answers quickly
``direct``     the server's machine
``store``      a store of jobs in a directory of its own
=============  ===================================================
"""

from __future__ import annotations

from collections.abc import Iterator

import aqt_connector
import pytest
from aqt_fast.v2 import AQTProvider
from aqt_fast.v2.cloud import CloudProvider
from aqt_fast.v2.persistence import FileJobStore
from aqt_fast.v2.resources import CloudResource, DirectAccessResource


@pytest.fixture
def config(server, tmp_path, monkeypatch) -> aqt_connector.ArnicaConfig:
    """The server is the portal; the token is in the environment."""
    monkeypatch.setenv("AQT_TOKEN", server.token)
    config = aqt_connector.ArnicaConfig(tmp_path / "aqt")
    config.arnica_url = f"{server.url}/api"
    return config


@pytest.fixture
def cloud(config) -> Iterator[CloudProvider]:
    """The server's cloud."""
    with AQTProvider() as provider:
        yield provider.cloud(config)


@pytest.fixture
def resource(cloud) -> CloudResource:
    """The ideal simulator of the portal, with the shortest period."""
    workspace = cloud.fetch_workspaces()[0]
    resource = workspace.get_backend("simulator_ideal")
    resource.set_options(query_period_seconds=0.1)
    return resource


@pytest.fixture
def direct(server) -> Iterator[DirectAccessResource]:
    """The server's machine."""
    with AQTProvider() as provider:
        resource = provider.direct_access().get_resource(server.direct_url, server.token)
        resource.set_options(query_period_seconds=0.1)
        yield resource


@pytest.fixture
def store(tmp_path) -> FileJobStore:
    """A store in a directory of its own."""
    return FileJobStore(tmp_path / "saved")
