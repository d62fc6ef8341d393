"""What two-qubit gates do to a signal, as far as the backend tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations

from aqt_fast.aqt_resource import AQTResource

ASSUMED_ERROR = 0.01
"""Error rate of an rxx on a device that publishes none: 1 minus the average gate fidelity."""


@dataclass(frozen=True)
class GateErrors:
    """Error rates of rxx."""

    of_pairs: Mapping[tuple[int, int], float]
    """By pair of qubits, in both orders; 1 minus the average gate fidelity."""
    otherwise: float
    """For pairs that are not listed."""

    @classmethod
    def of_backend(cls, backend: AQTResource) -> GateErrors:
        """Read the backend's target; where it tells nothing, take :data:`ASSUMED_ERROR`.

        An ideal simulator has no errors.
        """
        if getattr(backend, "with_noise_model", None) is False:
            return cls({}, 0.0)
        properties = dict(backend.target.items()).get("rxx") or {}
        pairs = {}
        for pair in permutations(range(backend.num_qubits), 2):
            known = properties.get(pair)
            if known is not None and known.error is not None:
                pairs[pair] = float(known.error)
        return cls(pairs, ASSUMED_ERROR)

    def signal(self, gates: Sequence[tuple[str, tuple[int, ...]]]) -> float:
        """Return the factor by which gates shrink expectation values, at worst.

        Args:
            gates: names and qubits; each gate on two qubits becomes one rxx.
        """
        factor = 1.0
        for _, qubits in gates:
            if len(qubits) > 1:
                a, b = qubits
                factor *= max(0.0, 1 - 4 / 3 * self.of_pairs.get((a, b), self.otherwise))
        return factor
