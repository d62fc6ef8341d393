"""How objects are copied and pickled."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

_PROTOCOL = 4
"""Protocol of pickles within pickles; all supported versions of Python read it."""


class AnyProtocol:
    """Base class of what can be pickled with any protocol: old ones carry a newer one.

    With the protocols 0 and 1, Qiskit's targets and Aer's simulators fail.
    """

    def __reduce_ex__(self, protocol: Any) -> Any:
        if protocol < 2:
            return pickle.loads, (pickle.dumps(self, _PROTOCOL),)
        return super().__reduce_ex__(protocol)


class Single:
    """Base class of what owns connections or a job: a copy is the object itself."""

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self
