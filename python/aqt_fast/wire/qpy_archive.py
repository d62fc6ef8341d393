"""Circuits ↔ bytes in QPY, for storage and for workers."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence

from qiskit import QuantumCircuit, qpy
from qiskit.exceptions import QiskitError

from aqt_fast.wire.metadata import MetadataEncoder

_LONGEST_NAME = 2**16 - 1
"""Maximum length in bytes: QPY truncates longer names, and cannot read the file again."""

_VERSION = 17
"""That of Qiskit 2.4 and 2.5. Newer versions of Qiskit read it, too."""


def circuits_to_qpy(circuits: Sequence[QuantumCircuit]) -> bytes:
    """Write circuits so that Qiskit 2.4 reads them, unless that would lose ancilla registers.

    Raises:
        ValueError: QPY cannot express something in a circuit.
    """
    for circuit in circuits:
        if len(circuit.name.encode()) > _LONGEST_NAME:
            raise ValueError(f"the name of a circuit has more than {_LONGEST_NAME} bytes")
    # An ancilla register would be read as an ordinary one.
    version = qpy.QPY_VERSION if any(circuit.ancillas for circuit in circuits) else _VERSION
    archive = io.BytesIO()
    try:
        qpy.dump(list(circuits), archive, metadata_serializer=MetadataEncoder, version=version)
    except (TypeError, ValueError, struct.error, QiskitError) as error:
        raise ValueError(str(error)) from error
    return archive.getvalue()


def circuits_from_qpy(data: bytes) -> list[QuantumCircuit]:
    """Read the output of :func:`circuits_to_qpy`.

    Raises:
        ValueError: ``data`` is from a newer Qiskit, or is not QPY.
    """
    try:
        return list(qpy.load(io.BytesIO(data)))
    except (LookupError, TypeError, ValueError, struct.error, QiskitError) as error:
        raise ValueError(f"the circuits cannot be read: {error}") from error
