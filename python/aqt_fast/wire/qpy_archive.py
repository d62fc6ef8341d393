"""Circuits ↔ bytes in QPY, as they are kept on the disk and sent to workers."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

from qiskit import QuantumCircuit, qpy
from qiskit.exceptions import QiskitError

_LONGEST_NAME = 2**16 - 1
"""QPY cuts longer names of circuits off, and then cannot read its own file."""


def circuits_to_qpy(circuits: Sequence[QuantumCircuit]) -> bytes:
    """Write circuits.

    Raises:
        ValueError: a circuit has something that QPY cannot express.
    """
    for circuit in circuits:
        if len(circuit.name.encode()) > _LONGEST_NAME:
            raise ValueError(f"the name of a circuit has more than {_LONGEST_NAME} bytes")
    archive = io.BytesIO()
    try:
        qpy.dump(list(circuits), archive)
    except (TypeError, ValueError, struct.error, QiskitError) as error:
        raise ValueError(str(error)) from error
    return archive.getvalue()


def circuits_from_qpy(data: bytes) -> list[QuantumCircuit]:
    """Read what :func:`circuits_to_qpy` has written.

    Raises:
        ValueError: a newer Qiskit has written it, or it is something else.
    """
    try:
        return list(qpy.load(io.BytesIO(data)))
    except (LookupError, TypeError, ValueError, struct.error, QiskitError) as error:
        raise ValueError(f"the circuits cannot be read: {error}") from error
