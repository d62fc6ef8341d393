"""Pickles with the protocols 0 and 1, with which Qiskit's targets and Aer's simulators fail."""

from __future__ import annotations

import pickle
from typing import Any

_PROTOCOL = 4
"""Protocol of pickles within pickles; all supported versions of Python read it."""


class AnyProtocol:
    """Base class of what can be pickled with any protocol: old ones carry a newer one."""

    def __reduce_ex__(self, protocol: Any) -> Any:
        if protocol < 2:
            return pickle.loads, (pickle.dumps(self, _PROTOCOL),)
        return super().__reduce_ex__(protocol)
