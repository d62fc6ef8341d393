"""A pilot job measures variances, and a second job takes the shots that are still missing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aqt_fast._ids import LONGEST_LABEL
from aqt_fast._native import Samples
from aqt_fast.aqt_options import MOST_SHOTS, AQTOptions
from aqt_fast.primitives.estimation.estimates import MeasuredBlocks, MeasuredPub, Shots
from aqt_fast.primitives.estimation.measurement import Measurement
from aqt_fast.primitives.estimation.planner import allocate_shots
from aqt_fast.primitives.estimation.planning import PlannedBlocks, PlannedPub
from aqt_fast.wire.snapshot import Snapshot

PART = 0.2
"""Largest part of the shots for an average state that a pilot takes of a group."""

ROOTS = 3
"""Shots of a pilot over the root of those for an average state."""

FEWEST = 8
"""Fewest shots of a group in a pilot: an estimated variance needs some."""


def pilot_of(pub: PlannedPub) -> PlannedPub:
    r"""Return a PUB with the shots of a pilot.

    A group with N shots for an average state gets :math:`3 \sqrt{N}`. Shots of groups that do not
    vary are lost, in proportion to the pilot; what shots lose because variances are not known
    better goes with 1 over the pilot. Their sum is least if the pilot goes with the root.

    It has its own copy of the parameter values: the second job needs them later.
    """
    parts = []
    for part in pub.parts:
        known = [group.average_variances() for group in part.measurement.groups]
        shots = _fewest(known, part.measurement)
        pilot = [
            min(number, max(FEWEST, round(min(PART * number, ROOTS * math.sqrt(number)))))
            for number in shots
        ]
        parts.append(_with_shots(part, pilot))
    return replace(pub, parts=tuple(parts), values=pub.values.copy())


def shots_after(pubs: Sequence[PlannedPub]) -> tuple[int, ...]:
    """Return the largest number of shots of each circuit that the second job is planned for.

    They are those that the variances cannot exceed, less those of the pilot. Several observables in
    the same shots may call for more of one group, and fewer of others.

    Args:
        pubs: the PUBs of the pilot.
    """
    numbers = []
    for pub in pubs:
        for part in pub.parts:
            groups = part.measurement.groups
            try:
                most = _fewest([group.half_spreads**2 for group in groups], part.measurement)
            except OverflowError:
                most = [MOST_SHOTS] * len(groups)
            for group, number in zip(groups, most, strict=True):
                if group.shots:
                    more = min(max(0, number - group.shots), MOST_SHOTS)
                    numbers += [more] * len(part.sets)
    return tuple(numbers)


def continued(
    pubs: Sequence[PlannedPub],
    measured: Sequence[MeasuredPub],
    snapshot: Snapshot,
    samples: Sequence[Samples],
) -> tuple[list[PlannedPub], list[MeasuredPub]]:
    r"""Plan the second job.

    The variance of a shot is taken to be :math:`((n - 1) s^2 + h^2) / n`, with that of the n shots
    of the pilot, :math:`s^2`, and one more that varies as much as it can, by half the spread
    :math:`h`: a few shots that agree prove little. It is never more than the bound, :math:`h^2`.
    For each parameter set, shots are shared among groups as usual, for its variances; all sets of a
    group take as many as the most demanding one. Shots of the pilot count.

    Args:
        pubs: the PUBs of the pilot.
        measured: what their results need.
        snapshot: the circuits of the pilot.
        samples: its outcomes.

    Returns:
        The PUBs of the second job, and what their results need, with the pilot's shots.
    """
    planned, results = [], []
    start = 0
    for pub, result in zip(pubs, measured, strict=True):
        parts, blocks = [], []
        for part, block in zip(pub.parts, result.parts, strict=True):
            earlier = []
            for group in block.groups:
                count = len(part.sets)
                earlier.append(result.shots_of(group, snapshot, samples, start, count))
                start += count
            more = _missing(part.measurement, earlier)
            parts.append(_with_shots(part, more))
            blocks.append(_continued(block, earlier, more))
        planned.append(replace(pub, parts=tuple(parts)))
        results.append(replace(result, parts=tuple(blocks)))
    return planned, results


def options_of_pilot(options: AQTOptions) -> AQTOptions:
    """Return the options of a pilot: the label of the second job, with a word that tells them."""
    if options.label is None:
        return options
    label = options.label[: LONGEST_LABEL - len(_SUFFIX)] + _SUFFIX
    return AQTOptions(**{**options, "label": label})


_SUFFIX = ", pilot"
"""What a pilot's label has at its end."""


def options_after_pilot(options: AQTOptions) -> AQTOptions:
    """Return the options of the second job: other random numbers than those of the pilot."""
    if options.seed_simulator is None:
        return options
    return AQTOptions(**{**options, "seed_simulator": (options.seed_simulator + 2**32) % 2**63})


def _missing(measurement: Measurement, earlier: Sequence[Shots]) -> list[int]:
    """Return the shots that each group needs besides those of the pilot."""
    if not earlier:
        return []
    smoothed = np.array(
        [
            np.minimum(
                ((shots.number - 1) * shots.variances + group.half_spreads**2) / shots.number,
                group.half_spreads**2,
            )
            for group, shots in zip(measurement.groups, earlier, strict=True)
        ]
    )
    had = np.array([shots.number for shots in earlier])
    # Sets with the largest variances first: the others often need no more.
    needed = had.copy()
    for number in np.argsort(-smoothed.sum(axis=(0, 2)), kind="stable"):
        known = smoothed[:, number]
        if np.any((known / needed[:, None]).sum(axis=0) > measurement.errors**2):
            needed = np.maximum(needed, _fewest(list(known), measurement))
    more: list[int] = np.minimum(needed - had, MOST_SHOTS).tolist()
    return more


def _fewest(variances: Sequence[NDArray[np.float64]], measurement: Measurement) -> list[int]:
    """Return the fewest shots of each group, for the variances of a shot of each observable."""
    if not variances:
        return []
    shots: list[int] = allocate_shots(np.array(variances).T, measurement.errors).tolist()
    return shots


def _with_shots(part: PlannedBlocks, shots: Sequence[int]) -> PlannedBlocks:
    groups = tuple(
        replace(group, shots=number)
        for group, number in zip(part.measurement.groups, shots, strict=True)
    )
    return replace(part, measurement=replace(part.measurement, groups=groups))


def _continued(
    block: MeasuredBlocks, earlier: Sequence[Shots], more: Sequence[int]
) -> MeasuredBlocks:
    groups = tuple(
        replace(group, shots=number, earlier=shots)
        for group, number, shots in zip(block.groups, more, earlier, strict=True)
    )
    return replace(block, groups=groups)
