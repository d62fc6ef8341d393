"""The place of a problem in a circuit, in words."""

from __future__ import annotations

from collections.abc import Sequence


def on_qubits(qubits: Sequence[int]) -> str:
    """Return what follows a reason; empty if there are no qubits."""
    if not qubits:
        return ""
    return f" (on qubit{'s' if len(qubits) > 1 else ''} {', '.join(map(str, qubits))})"
