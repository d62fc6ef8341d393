"""What the tests of other packages have in common.

They need packages that the other tests do not have, and run by ``make test-ecosystem``: see
``docs/ecosystem.md``. Warnings of these packages are no errors here, ours are.
"""

from __future__ import annotations

import pytest
from aqt_fast import AQTProvider
from aqt_fast.aqt_resource import AQTResource, UnknownOptionWarning

_OURS = f"error::{UnknownOptionWarning.__module__}.{UnknownOptionWarning.__qualname__}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let packages warn as they like."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings(_OURS), append=False)
        item.add_marker(pytest.mark.filterwarnings("default"), append=False)


@pytest.fixture
def ideal() -> AQTResource:
    """The offline simulator without noise, with a fixed seed."""
    return _offline("offline_simulator_no_noise")


@pytest.fixture
def noisy() -> AQTResource:
    """The offline simulator with noise, with a fixed seed."""
    return _offline("offline_simulator_noise")


def _offline(name: str) -> AQTResource:
    backend = AQTProvider("", load_dotenv=False).get_backend(name, available_qubits=8)
    backend.set_options(with_progress_bar=False, seed_simulator=17)
    return backend
