"""How evaluations are kept: one document a job, which names the primitive."""

from __future__ import annotations

from typing import Any

from aqt_fast.primitives.estimation.estimates import EstimatorEvaluation
from aqt_fast.primitives.evaluation import Evaluation
from aqt_fast.primitives.registers import SamplerEvaluation
from aqt_fast.store.checksummed_json import entry

_EVALUATIONS: dict[str, type[Evaluation]] = {
    evaluation.kind: evaluation for evaluation in (SamplerEvaluation, EstimatorEvaluation)
}
"""The evaluation of each primitive."""


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Any]:
    """Return an evaluation in JSON's types."""
    return {"kind": evaluation.kind, **evaluation.to_json()}


def evaluation_from_json(content: Any) -> Evaluation:
    """Parse the output of :func:`evaluation_to_json`.

    Raises:
        LookupError: something is missing, or no primitive has this name.
        TypeError: something has another type.
        ValueError: something has another form, or is out of its range.
    """
    return _EVALUATIONS[entry(content, "kind", str)].from_json(content)
