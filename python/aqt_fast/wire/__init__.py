"""The native codec in Python: circuits → request bytes, response bytes → results.

Outbound: :func:`encode_job`. Inbound: :func:`decode_response` and :func:`result_from_response`.
AQT's OpenAPI document (0.4.0) describes the format, and ``aqt_connector.models`` models it.
Inside::

    circuits           limits; list, check and encode circuits
    snapshot           circuits that were read once: encode API jobs, compose results
    bare_circuits      what circuits do, as Qiskit's circuits for a simulator
    unknown_circuits   circuits of which only the outcomes are known
    plan               a batch cut into API jobs, with their labels
    results            decode responses, compose results
    time_stamps        when an API job has changed its status
    metadata           circuits' metadata, as JSON
    qpy_archive        circuits ↔ bytes in QPY
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

from aqt_fast._lazy import lazy_names
from aqt_fast._native import JobState, Samples

if TYPE_CHECKING:
    from aqt_fast.wire.circuits import encode_job
    from aqt_fast.wire.results import decode_response, result_from_response

__all__ = ["JobState", "Samples", "decode_response", "encode_job", "result_from_response"]

# These load Qiskit. The list of stored jobs needs the plans of batches only.


def _circuits() -> ModuleType:
    from aqt_fast.wire import circuits

    return circuits


def _results() -> ModuleType:
    from aqt_fast.wire import results

    return results


__getattr__ = lazy_names(
    __name__,
    {
        "decode_response": _results,
        "encode_job": _circuits,
        "result_from_response": _results,
    },
)


def __dir__() -> list[str]:
    return sorted(__all__)
