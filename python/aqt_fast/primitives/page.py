"""What notebooks show of a primitive's job: its jobs, and what was made of their outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qiskit.primitives import DataBin, PrimitiveResult

from aqt_fast.aqt_job import AQTJob
from aqt_fast.visualization import html

_MOST_PUBS = 16
"""Number of PUBs that have a row."""
_MOST_VALUES = 4
"""Number of values of a PUB that are shown."""


def as_html(
    name: str, kind: str, jobs: Sequence[AQTJob], result: PrimitiveResult[Any] | None
) -> str:
    """Write the page of a primitive's job.

    Args:
        name: its identifier.
        kind: the name of its class.
        jobs: the jobs of the backend.
        result: its result, None if nobody has asked for it.
    """
    parts = [replace(job.summary(), kind=kind).to_html() for job in jobs]
    if not jobs:
        parts = [html.heading(name, html.faint(kind)), html.line("nothing had to be run")]
    if result is not None:
        rows = [(index, *_row(pub.data)) for index, pub in enumerate(result[:_MOST_PUBS])]
        title = f"Results of {len(rows)} of {len(result)} PUBs"
        parts.append(html.details(title, html.table(("PUB", "Shape", "Values"), rows)))
    return html.block(*parts)


def _row(data: DataBin) -> tuple[str, str]:
    """Return the shape of a PUB, and its expectation values or its registers."""
    shape = " × ".join(map(str, data.shape)) or "one"
    if "evs" not in data:
        registers = (
            f"{name}: {bits.num_bits} bits, {bits.num_shots} shots" for name, bits in data.items()
        )
        return shape, "; ".join(registers)
    values, errors = np.ravel(data["evs"]), np.ravel(data["stds"])
    shown = [f"{value:.4g} ± {error:.2g}" for value, error in zip(values, errors, strict=True)]
    return shape, ", ".join(shown[:_MOST_VALUES] + ["…"] * (len(shown) > _MOST_VALUES))
