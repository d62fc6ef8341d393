"""What is known of a device, and what a job takes there: figures, durations, prices, estimates.

Knows no backend: backends hand in what the portal publishes, and snapshots of circuits.

::

    characterisation    Characterisation: a device's figures, in SI units
    figures             its fields, checked
    measured            a value with its uncertainty; numbers and times of JSON
    published           what the portal publishes: per cent and microseconds
    saved               what a file of a characterisation has
    report              its text and HTML
    picture             its picture, with matplotlib
    history             characterisations that were kept, by time
    interval            a quantity that is known within bounds
    device_time         durations, and the seconds that circuits take
    prices              lists of prices, and what a job costs
    estimate            what a job will take
    spending            limits of what a job may cost and take
    usage               what a job took, beside its estimate
"""

from __future__ import annotations

from aqt_fast.devices.characterisation import Characterisation
from aqt_fast.devices.device_time import DeviceTimes
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.interval import Interval
from aqt_fast.devices.measured import Measured
from aqt_fast.devices.prices import Cost, PriceList, StalePriceWarning
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.devices.usage import DeviceUsage

__all__ = [
    "Characterisation",
    "Cost",
    "DeviceTimes",
    "DeviceUsage",
    "Interval",
    "JobEstimate",
    "Measured",
    "PriceList",
    "SpendingLimits",
    "StalePriceWarning",
]


def __dir__() -> list[str]:
    return sorted(__all__)
