"""Whether a job may be sent: the limits of provider, backend and job, and the device's status."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeAlias
from uuid import UUID

from aqt_fast._shots import total
from aqt_fast.api_client import BackendType
from aqt_fast.api_client.payload import payload_hash
from aqt_fast.aqt_options import AQTOptions, checked_flag
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.spending import SpendingLimits, check_spending
from aqt_fast.wire.plan import BatchPlan, Part, default_label

Besides: TypeAlias = Callable[[], JobEstimate]
"""Estimates a job that counts together with another one."""

_OF_SIMULATORS: dict[BackendType, tuple[str, ...]] = {
    "offline_simulator": ("max_shots",),
    "simulator": ("max_shots", "max_cost"),
}
"""Limits that mean something for simulators. They take no time on a device, and cost nothing in
this process."""


class BackendStatusWarning(UserWarning):
    """The device does not run jobs at present, or its workspace does not accept them."""


def tightest(name: str, *values: Any) -> Any:
    """Return the value of an option that holds if several are set, one for each place.

    Args:
        name: one of :data:`TIGHTENING`.
        values: valid values; None for no limit.
    """
    if name == "require_online":
        return any(values)
    return min((value for value in values if value is not None), default=None)


TIGHTENING = ("max_cost", "max_device_seconds", "max_shots", "require_online")
"""Options of which the tightest value counts, not the innermost one."""


def limits_of(provider: Any) -> SpendingLimits:
    """Return the limits of a provider; none if it is no provider of ours, or there is none."""
    return getattr(provider, "spending_limits", None) or SpendingLimits()


def tighten(options: AQTOptions, provider: Any) -> None:
    """Put the limits of a provider into the options of a job, which is stored with them."""
    for name, value in vars(limits_of(provider)).items():
        options[name] = tightest(name, options[name], value)
    options["require_online"] = requires_online(provider, options)


def check_limits(
    kind: BackendType,
    provider: Any,
    backend: AQTOptions,
    job: SpendingLimits,
    parts: Sequence[Part],
    estimate: Callable[[], JobEstimate],
    besides: Besides | None,
) -> None:
    """Compare API jobs with the limits of provider, backend and job: the tightest count.

    Args:
        kind: kind of the backend.
        provider: the backend's provider, if it has one.
        backend: the backend's options.
        job: the job's own limits.
        parts: the API jobs, one for each time that it is sent.
        estimate: estimates what they take; called only if that is needed.
        besides: estimates what else counts.

    Raises:
        SpendingLimitError: a limit is exceeded, or cannot be compared.
    """
    limits = {
        "provider": limits_of(provider),
        "backend": SpendingLimits.of(backend),
        "job": job,
    }
    if kind in _OF_SIMULATORS:
        names = _OF_SIMULATORS[kind]
        limits = {source: each.only(names) for source, each in limits.items()}
    if not any(limits.values()):
        return
    shots = sum(total(part.shots, len(part.circuits)) for part in parts)
    if besides is None:
        check_spending(limits, shots, estimate)
    else:
        others = besides()
        check_spending(limits, shots + others.shots, lambda: estimate().plus(others))


def requires_online(provider: Any, *options: AQTOptions) -> bool:
    """Whether a job is to be refused while the device is not online.

    Args:
        provider: the backend's provider, if it has one.
        options: those of backend and job.
    """
    of_provider: bool = getattr(provider, "require_online", False)
    return of_provider or any(of_one.require_online for of_one in options)


def payload_hashes(
    plan: BatchPlan, label: str | None, encode: Callable[[Part, str], bytes]
) -> tuple[str, ...]:
    """Return the SHA-256 of the request body of each API job; one body at a time is made.

    Args:
        plan: the API jobs.
        label: the job's label, None if the user gives none: a nil UUID then takes the place of the
            random one.
        encode: makes the body of an API job with a label.
    """
    fixed = replace(plan, label=label or default_label(str(UUID(int=0))))
    return tuple(
        payload_hash(encode(part, fixed.part_label(index)))
        for index, part in enumerate(fixed.parts)
    )


def is_dry(dry_run: bool | None) -> bool:
    """Return whether ``run`` is to send nothing.

    Raises:
        InvalidOptionError: ``dry_run`` is neither True nor False nor None.
    """
    return dry_run is not None and checked_flag("dry_run", dry_run)
