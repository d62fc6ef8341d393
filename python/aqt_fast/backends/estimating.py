"""What a job will take on a backend."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aqt_fast._shots import Shots, total
from aqt_fast._warnings import warn_caller
from aqt_fast.devices.device_time import DeviceTimes, DeviceWork
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.prices import PriceList, StalePriceWarning
from aqt_fast.exceptions import InvalidOptionError
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import BatchSize, Part, size


def job_estimate(
    backend_name: str,
    gate_counts: Callable[[], NDArray[np.uint32]],
    num_circuits: int,
    shots: Shots,
    requests: BatchSize,
    *,
    times: DeviceTimes | None,
    prices: PriceList | None,
) -> JobEstimate:
    """Return what a job will take.

    Args:
        backend_name: where it would run.
        gate_counts: returns the numbers of r and rxx of each circuit; shape (circuits, 2).
        num_circuits: number of circuits that run.
        shots: repetitions of each circuit; 0 for one that does not run.
        requests: numbers of API jobs and runs.
        times: the device's durations, None without a device or without durations.
        prices: what it costs there, None if that is unknown.

    Warns:
        StalePriceWarning: the prices are old.
    """
    all_shots = total(shots, num_circuits)
    cost, seconds = None, None
    if prices is not None:
        cost = prices.cost(shots=all_shots, circuits=requests.runs, api_jobs=requests.api_jobs)
        if (stale := prices.warning()) is not None:
            warn_caller(stale, StalePriceWarning)
    if times is not None:
        seconds = times.seconds(DeviceWork.of(gate_counts(), shots, requests.runs))
    return JobEstimate(
        backend_name=backend_name,
        circuits=num_circuits,
        api_jobs=requests.api_jobs,
        shots=all_shots,
        device_seconds=seconds,
        cost=cost,
        device_times=times,
    )


def requests_of(num_circuits: int, shots: Shots, limits: Limits | None) -> BatchSize:
    """Return the numbers of API jobs and runs of a job.

    Args:
        num_circuits: number of circuits.
        shots: repetitions of each circuit.
        limits: limits of one API job, None where there are none.

    Raises:
        InvalidJobError: there would be too many API jobs for one job.
    """
    return BatchSize(0, num_circuits) if limits is None else size(num_circuits, shots, limits)


def shots_of_parts(parts: Sequence[Part], num_circuits: int) -> tuple[int, ...]:
    """Return the shots that parts of a job have of each circuit, 0 if they do not have it.

    Args:
        parts: some parts, each as often as it runs.
        num_circuits: number of circuits of the job.
    """
    shots = np.zeros(num_circuits, np.int64)
    for part in parts:
        shots[part.start : part.stop] += part.shots
    return tuple(shots.tolist())


def checked_times(times: Any) -> DeviceTimes | None:
    """Return durations.

    Raises:
        InvalidOptionError: they are something else.
    """
    if times is not None and not isinstance(times, DeviceTimes):
        raise InvalidOptionError("device_times", times, "DeviceTimes or None")
    return times


def checked_prices(prices: Any) -> PriceList | None:
    """Return a list of prices.

    Raises:
        InvalidOptionError: it is something else.
    """
    if prices is not None and not isinstance(prices, PriceList):
        raise InvalidOptionError("price_list", prices, "a PriceList or None")
    return prices
