"""The sampler with the signature of the 2.x face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from qiskit.primitives import SamplerPubLike

from aqt_fast import primitives
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.options import SamplerArguments
from aqt_fast.v2.aqt_provider import AnyAQTResource
from aqt_fast.v2.exceptions import raised_as_v2
from aqt_fast.v2.primitives.job import PrimitiveJob

__all__ = ["AQTSampler"]


class AQTSampler(primitives.AQTSampler):
    """Samples the classical registers of circuits: see :class:`aqt_fast.primitives.AQTSampler`."""

    job_class = PrimitiveJob

    def __init__(
        self, *, backend: AnyAQTResource, options: SamplerArguments | dict[str, Any] | None = None
    ) -> None:
        """Make a sampler; its ``backend`` is the one that is given.

        Args:
            backend: where to run circuits.
            options: as for :class:`aqt_fast.primitives.AQTSampler`.

        Raises:
            AQTValueError: an option is unknown, or its value is invalid.
        """
        with raised_as_v2():
            super().__init__(backend, cast("SamplerArguments | None", options))

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> AQTPrimitiveJob:
        """Sample circuits in the background.

        Args:
            pubs: circuits, each alone or with parameter values and shots.
            shots: repetitions where a PUB has none of its own; None for ``default_shots``.

        Raises:
            AQTValueError: lists everything that is wrong with the PUBs; or ``shots`` or an option
                is out of range. Nothing was sent.
            AQTRequestError: there is no access token for the backend's portal.
        """
        with raised_as_v2():
            return super().run(pubs, shots=shots)
