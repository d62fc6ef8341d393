"""What tools from before Qiskit 2 ask of a backend: configuration, properties, status.

The classes are Aer's, which keeps those that Qiskit 1 had.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aqt_fast.api_client import Resource
from aqt_fast.backends.knowledge import Knowledge
from aqt_fast.backends.target import all_pairs
from aqt_fast.store.description import now
from aqt_fast.wire.circuits import Limits

if TYPE_CHECKING:
    from qiskit_aer.backends.backendconfiguration import AerBackendConfiguration
    from qiskit_aer.backends.backendproperties import AerBackendProperties

_MANY = 2**31 - 1
"""Stands for no limit, since tools divide by limits."""

_PARAMETERS = {"rz": ["lambda"], "r": ["theta", "phi"], "rxx": ["theta"]}


@dataclass(frozen=True)
class BackendStatus:
    """Whether a backend takes jobs."""

    backend_name: str
    """Its name."""
    backend_version: str
    """Version of the package."""
    operational: bool
    """Whether it takes jobs."""
    pending_jobs: int
    """Number of jobs in its queue; 0 because AQT's portal does not tell."""
    status_msg: str
    """``online``, ``offline``, ``maintenance`` or ``unavailable``; behind a comma, what its
    workspace does not do at present."""

    def to_dict(self) -> dict[str, Any]:
        """All fields by name."""
        return asdict(self)


def configuration_of(
    resource: Resource, version: str, limits: Limits, max_circuits: int
) -> AerBackendConfiguration:
    """Describe a backend as Qiskit 1 did.

    Args:
        resource: the backend's resource.
        version: the backend's version.
        limits: its limits; none of shots shows as 2^31 − 1.
        max_circuits: number of circuits of a job, for tools that cut their work into jobs.
    """
    from qiskit_aer.backends.backendconfiguration import AerBackendConfiguration, GateConfig

    pairs = [list(pair) for pair in all_pairs(resource.available_qubits).get_edges()]
    gates = [GateConfig(name, parameters, "") for name, parameters in _PARAMETERS.items()]
    configuration = AerBackendConfiguration(
        backend_name=resource.resource_id,
        backend_version=version,
        n_qubits=resource.available_qubits,
        basis_gates=list(_PARAMETERS),
        gates=gates,
        max_shots=limits.shots or _MANY,
        coupling_map=pairs,
        supported_instructions=[*_PARAMETERS, "measure"],
        max_experiments=max_circuits,
        description=resource.resource_name,
    )
    configuration.local = resource.resource_type in ("offline_simulator", "direct_access")
    configuration.simulator = resource.resource_type in ("offline_simulator", "simulator")
    configuration.conditional = False
    return configuration


def properties_of(knowledge: Knowledge, version: str) -> AerBackendProperties | None:
    """List error rates, durations and coherence times as Qiskit 1 did; None if there are none.

    Args:
        knowledge: what is known of the backend.
        version: the backend's version.
    """
    resource, calibration = knowledge.resource, knowledge.calibration
    if calibration is None:
        return None
    from qiskit_aer.backends.backendproperties import AerBackendProperties

    figures = knowledge.characterisation
    date = (figures and (figures.updated_at or figures.fetched_at)) or now()

    def entries(**values: tuple[str, float | None]) -> list[dict[str, Any]]:
        return [
            {"date": date, "name": name, "unit": unit, "value": value}
            for name, (unit, value) in values.items()
            if value is not None
        ]

    known = calibration.instructions(resource.available_qubits)
    gates = [
        {
            "gate": name,
            "qubits": list(qubits),
            "name": name + "_".join(map(str, qubits)),
            "parameters": entries(
                gate_error=("", properties.error), gate_length=("s", properties.duration)
            ),
        }
        for name in _PARAMETERS
        for qubits, properties in known[name].items()
        if qubits is not None and properties is not None
    ]
    qubit = entries(
        T1=("s", calibration.t1),
        T2=("s", calibration.t2),
        readout_error=("", calibration.readout_error),
        readout_length=("s", calibration.durations.get("measure")),
    )
    return AerBackendProperties.from_dict(
        {
            "backend_name": resource.resource_id,
            "backend_version": version,
            "last_update_date": date,
            "qubits": [qubit] * resource.available_qubits,
            "gates": gates,
            "general": [],
        }
    )


def status_of(resource: Resource, version: str) -> BackendStatus:
    """Describe whether a backend takes jobs, as Qiskit 1 did.

    Args:
        resource: the backend's resource.
        version: the backend's version.
    """
    return BackendStatus(
        backend_name=resource.resource_id,
        backend_version=version,
        operational=resource.status == "online" and resource.accepting_job_submissions,
        pending_jobs=0,
        status_msg=resource.full_status,
    )
