"""The native codec in Python: circuits → request bytes, response bytes → results.

Outbound: :func:`encode_job`. Inbound: :func:`decode_response` and :func:`result_from_response`.
AQT's OpenAPI document (0.4.0) describes the format, and ``aqt_connector.models`` models it.
Inside::

    circuits           limits; list, check and encode circuits
    snapshot           circuits that were read once: encode API jobs, compose results
    unknown_circuits   circuits of which only the outcomes are known
    plan               a batch cut into API jobs, with their labels
    results            decode responses, compose results
    time_stamps        when an API job has changed its status
    metadata           circuits' metadata, as JSON
    qpy_archive        circuits ↔ bytes in QPY
"""

from aqt_fast._native import JobState, Samples
from aqt_fast.wire.circuits import encode_job
from aqt_fast.wire.results import decode_response, result_from_response

__all__ = ["JobState", "Samples", "decode_response", "encode_job", "result_from_response"]
