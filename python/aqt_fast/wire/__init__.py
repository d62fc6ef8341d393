"""The native codec's Python face: circuits → request bytes, response bytes → results.

One way out, :func:`encode_job`; one way back, :func:`decode_response` and
:func:`result_from_response`. AQT's OpenAPI document (0.4.0) describes what crosses the wire, and
``aqt_connector.models`` models it. Inside::

    circuits    limits; circuits listed, checked and encoded
    snapshot    circuits read once, from which API jobs are encoded and results composed
    plan        a batch cut into API jobs, with their labels
    results     responses decoded, results composed
"""

from aqt_fast._native import JobState, Samples
from aqt_fast.wire.circuits import encode_job
from aqt_fast.wire.results import decode_response, result_from_response

__all__ = ["JobState", "Samples", "decode_response", "encode_job", "result_from_response"]
