"""What a backend knows of its resource at one moment."""

from __future__ import annotations

from typing import NamedTuple

from qiskit.transpiler import CouplingMap, Target

from aqt_fast.api_client import Resource
from aqt_fast.backends.calibration import Calibration
from aqt_fast.backends.target import all_pairs, make_transpiler_target
from aqt_fast.devices import Characterisation


class Knowledge(NamedTuple):
    """What belongs together: a backend replaces all of it at once."""

    resource: Resource
    """The resource, with its status."""
    characterisation: Characterisation | None
    """Its figures, None if none are published, or it was not asked."""
    calibration: Calibration | None
    """What the target takes of them."""
    target: Target
    """What the transpiler is told."""
    coupling_map: CouplingMap
    """All pairs of qubits."""

    @classmethod
    def of(
        cls,
        resource: Resource,
        *,
        characterisation: Characterisation | None = None,
        calibration: Calibration | None = None,
    ) -> Knowledge:
        """Put together what follows from a resource.

        Args:
            resource: the resource.
            characterisation: its figures, None for what the portal published.
            calibration: what the target is told instead of these figures.
        """
        qubits = resource.available_qubits
        if characterisation is None and resource.characterisation is not None:
            characterisation = Characterisation.from_published(
                resource.characterisation,
                resource_id=resource.resource_id,
                workspace_id=resource.workspace_id,
                num_qubits=qubits,
                fetched_at=resource.fetched_at,
            )
        if calibration is None:
            calibration = Calibration.of_device(characterisation)
        target = make_transpiler_target(
            qubits, description=resource.resource_name, calibration=calibration
        )
        return cls(resource, characterisation, calibration, target, all_pairs(qubits))
