"""What a primitive makes of the outcomes of its job, and how that is written to a file."""

from __future__ import annotations

import base64
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import orjson
from numpy.typing import NDArray
from qiskit.primitives import PrimitiveResult

from aqt_fast._native import Samples
from aqt_fast.store.checksummed_json import entry
from aqt_fast.wire.metadata import to_json
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from typing_extensions import Self


class Evaluation(ABC):
    """What a primitive makes of the outcomes of its job.

    It is kept with the job, so that another process can restore the primitive's job.
    """

    kind: ClassVar[str]
    """The primitive, as the file names it."""

    @property
    @abstractmethod
    def num_circuits(self) -> int:
        """Number of circuits of the job."""

    @abstractmethod
    def result(self, snapshot: Snapshot, samples: Sequence[Samples]) -> PrimitiveResult[Any]:
        """Make the result.

        Args:
            snapshot: the circuits of the job, in order.
            samples: the outcomes of each circuit.
        """

    @abstractmethod
    def check(self, num_clbits: Sequence[int]) -> None:
        """Check that the circuits have the bits that the result needs.

        Args:
            num_clbits: number of classical bits of each circuit of the job.

        Raises:
            ValueError: a circuit lacks bits.
        """

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """Return everything in JSON's types."""

    @classmethod
    @abstractmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Parse the output of :meth:`to_json`.

        Raises:
            LookupError: something is missing.
            TypeError: something has another type.
            ValueError: something has another form, or is out of its range.
        """


def array_to_json(array: NDArray[Any]) -> dict[str, Any]:
    """Write an array of booleans or numbers in JSON's types, bytes in base 64.

    Raises:
        TypeError: it has entries of another kind.
    """
    if array.dtype.kind not in _KINDS:
        raise TypeError(f"an array of {array.dtype} cannot be written")
    plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return {
        "dtype": plain.dtype.str,
        "shape": list(array.shape),
        "data": base64.b64encode(plain.tobytes()).decode(),
    }


def array_from_json(content: Any) -> NDArray[Any]:
    """Read the output of :func:`array_to_json`; the array can be written to.

    Raises:
        LookupError: something is missing.
        TypeError: something has another type.
        ValueError: size and shape do not fit.
    """
    name = entry(content, "dtype", str)
    if not _DTYPE.fullmatch(name):
        raise TypeError(f"an array of {name[:20]!r} is not read")
    dtype = np.dtype(name)
    shape = shape_from_json(entry(content, "shape", list))
    data = base64.b64decode(entry(content, "data", str), validate=True)
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{len(data)} bytes are no array of the shape {shape}")
    native = dtype.newbyteorder("=")
    return np.frombuffer(bytearray(data), dtype).reshape(shape).astype(native, copy=False)


_KINDS = "biuf"
"""NumPy's kinds of entries that are written: booleans, integers, floating-point numbers."""

_DTYPE = re.compile(f"[<>|=][{_KINDS}][0-9]{{1,2}}")
"""NumPy's names of their types."""


def shape_from_json(content: Any) -> tuple[int, ...]:
    """Read the shape of an array.

    Raises:
        TypeError: it is no list of integers.
        ValueError: a number is negative, or the array would be larger than any that is kept.
    """
    shape = numbers_from_json(content)
    if math.prod(filter(None, shape)) > _MOST_ENTRIES:
        raise ValueError(f"an array has at most {_MOST_ENTRIES} entries")
    return shape


_MOST_ENTRIES = 2**30


def numbers_from_json(content: Any) -> tuple[int, ...]:
    """Read numbers from 0.

    Raises:
        TypeError: it is no list of integers.
        ValueError: a number is negative.
    """
    if not isinstance(content, list) or any(type(number) is not int for number in content):
        raise TypeError("it is no list of numbers")
    if any(number < 0 for number in content):
        raise ValueError("a number is negative")
    return tuple(content)


def metadata_to_json(metadata: Mapping[Any, Any] | None) -> dict[str, Any] | None:
    """Return a circuit's metadata in JSON's types, without what JSON cannot express."""
    if metadata is None:
        return None
    plain: dict[str, Any] = {}
    for key, value in metadata.items():
        with suppress(TypeError):
            plain |= orjson.loads(to_json({key: value}))
    return plain
