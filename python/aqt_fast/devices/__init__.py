"""What is known of a device, and what a job takes there: figures, durations, prices, estimates.

Knows no backend: backends hand in what the portal publishes, and snapshots of circuits.

::

    characterisation    Characterisation: a device's figures, in SI units
    measured            a value with its uncertainty; numbers and times of JSON
    published           what the portal publishes: per cent and microseconds
    saved               what a file of a characterisation has
    history             characterisations that were kept, by time
"""

from __future__ import annotations

from aqt_fast.devices.characterisation import Characterisation
from aqt_fast.devices.measured import Measured

__all__ = ["Characterisation", "Measured"]
