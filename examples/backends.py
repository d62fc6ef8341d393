"""Where the examples run: simulated offline, or on a local server of AQT's interface."""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from aqt_fast import AQTProvider
from aqt_fast.aqt_provider import NoTokenWarning
from aqt_fast.aqt_resource import AQTResource


@contextmanager
def chosen_backend(about: str) -> Iterator[AQTResource]:
    """Open the backend that the command line asks for.

    Args:
        about: what the example does, for ``--help``.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--server", action="store_true", help="run on a local server")
    if parser.parse_args().server:
        from aqt_fast.testing import ArnicaServer

        with (
            ArnicaServer(seed=1) as server,
            AQTProvider(server.token, portal_url=server.url, load_dotenv=False) as provider,
        ):
            backend = provider.get_backend("simulator_ideal")
            backend.set_options(query_period_seconds=0.1)
            yield backend
    else:
        warnings.simplefilter("ignore", NoTokenWarning)
        # For a device: AQTProvider().get_backend("ibex"), with AQT_TOKEN set.
        yield AQTProvider("", load_dotenv=False).get_backend("offline_simulator_no_noise")
