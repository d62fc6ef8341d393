"""The sampler primitive."""

from __future__ import annotations

from typing import Any

from qiskit.primitives import BackendSamplerV2

from aqt_fast.aqt_resource import AQTResource
from aqt_fast.primitives.transpiling import TranspilingBackend


class AQTSampler(BackendSamplerV2):
    """Samples the classical registers of circuits on an AQT backend.

    A ``BaseSamplerV2``: ``run(pubs, shots=None)`` takes any circuits, with parameters and any
    number of classical registers. It transpiles each bound circuit without optimising it. All
    circuits with the same number of shots run as one job. The result of a job that failed or was
    cancelled raises ``JobFailedError``.
    """

    def __init__(self, backend: AQTResource, options: dict[str, Any] | None = None) -> None:
        """Make a sampler.

        Args:
            backend: where to run circuits.
            options: ``default_shots`` (default: 1024), ``seed_simulator``, and ``run_options``, a
                dict of further options for each job: ``query_period_seconds``,
                ``query_timeout_seconds`` and ``with_progress_bar``.
        """
        super().__init__(backend=TranspilingBackend(backend), options=options)
