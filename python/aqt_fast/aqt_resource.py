"""The backends: what they can run, their options, and how a job is made."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import qiskit
from qiskit import QuantumCircuit
from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.providers import BackendV2
from qiskit.transpiler import Target

from aqt_fast import wire
from aqt_fast._native import __version__
from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTDirectAccessJob, AQTJob
from aqt_fast.aqt_options import AQTDirectAccessOptions, AQTOptions, checked_integer
from aqt_fast.batch import Batch
from aqt_fast.caller import warn_caller
from aqt_fast.exceptions import InvalidInputError
from aqt_fast.execution import Execution

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from qiskit_aer import AerSimulator

    from aqt_fast.cloud import CloudSession
    from aqt_fast.direct_access import DirectAccessSession
    from aqt_fast.journal import Journal


class UnknownOptionWarning(UserWarning):
    """An option was passed to ``run`` that backends do not know; it has no effect."""


def make_transpiler_target(num_qubits: int) -> Target:
    """Make the target of an AQT register: rz, r, rxx and measure, every pair connected.

    Args:
        num_qubits: size of the register, 1 or more.
    """
    target = Target(num_qubits=num_qubits)
    target.add_instruction(RZGate(Parameter("λ")))
    target.add_instruction(RGate(Parameter("θ"), Parameter("φ")))
    target.add_instruction(RXXGate(Parameter("θ")))
    target.add_instruction(Measure())
    return target


class AQTResource(BackendV2):
    """An AQT backend of whatever kind. Its name is the identifier of the resource."""

    job_class: type[AQTJob] = AQTJob
    """What makes its jobs."""

    def __init__(self, resource: Resource, *, provider: Any = None) -> None:
        """Usually made by :class:`~aqt_fast.AQTProvider`."""
        super().__init__(
            provider=provider,
            name=resource.resource_id,
            description=resource.resource_name,
            backend_version=__version__,
        )
        self._resource = resource
        self._target = make_transpiler_target(resource.available_qubits)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}('{self.name}'), {self.num_qubits} qubits>"

    @property
    def resource_id(self) -> Resource:
        """Workspace, identifier, name, type, size and status of the resource."""
        return self._resource

    @property
    def target(self) -> Target:
        """What the transpiler compiles to."""
        return self._target

    @property
    def max_circuits(self) -> int | None:
        """Circuits that one job takes, None for any number."""
        return self.limits.circuits

    @property
    @abstractmethod
    def limits(self) -> wire.Limits:
        """What one job takes."""

    @classmethod
    def _default_options(cls) -> AQTOptions:
        return AQTOptions()

    def get_translation_stage_plugin(self) -> str:
        """The stage in which ``qiskit.transpile`` takes gates apart."""
        return "aqt_fast"

    def get_scheduling_stage_plugin(self) -> str:
        """Name of the stage that ``qiskit.transpile`` ends with for this backend."""
        return "aqt_fast"

    def run(self, circuits: QuantumCircuit | Iterable[QuantumCircuit], **options: Any) -> AQTJob:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number, transpiled for this backend.
            options: those of :class:`~aqt_fast.AQTOptions`, for this job only. None stands for
                the backend's own.

        Raises:
            InvalidOptionError: an option has a value that it does not take.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
        """
        job = self._job(circuits, options)
        job.submit()
        return job

    def _job(
        self, circuits: QuantumCircuit | Iterable[QuantumCircuit], options: dict[str, Any]
    ) -> AQTJob:
        """Make a job that was not submitted."""
        job_options = copy.copy(self.options)
        for name, value in options.items():
            if name not in job_options:
                message = f"option '{name}' is unknown and has no effect"
                warn_caller(message, UnknownOptionWarning)
            elif value is not None:
                job_options[name] = value
        return self.job_class(self, circuits, job_options)

    def prepare(self, circuits: Sequence[QuantumCircuit]) -> Any:
        """Check circuits and make a snapshot of them, which is for :meth:`execution`.

        Raises:
            InvalidCircuitError: lists every circuit that cannot run.
        """
        return Batch(circuits, self.limits)

    @abstractmethod
    def execution(self, batch: Any, options: AQTOptions) -> Execution:
        """Make an execution of circuits that were prepared; it has not begun."""

    @abstractmethod
    def resumed(
        self, batch: Any, options: AQTOptions, settings: dict[str, Any], journal: Journal | None
    ) -> Execution:
        """Make one that goes on with that of another process.

        Args:
            batch: its circuits, prepared.
            options: its options.
            settings: what its ``settings()`` has returned.
            journal: its journal, if there is one.
        """

    def unchanged(self, circuits: Sequence[QuantumCircuit], batch: Any) -> list[QuantumCircuit]:
        """The circuits of a snapshot, to be saved.

        Raises:
            ValueError: they were changed since.
        """
        if not batch.is_of(circuits):
            raise ValueError("a circuit was changed after the job was made")
        return list(circuits)


class CloudResource(AQTResource):
    """A quantum computer or simulator that is reached through AQT's portal."""

    def __init__(self, resource: Resource, *, provider: Any, session: CloudSession) -> None:
        """``session`` is the connection to the portal, shared by all backends of a provider."""
        super().__init__(resource, provider=provider)
        self._session = session

    @property
    def limits(self) -> wire.Limits:
        """Any number of circuits and shots, which are cut into API jobs; qubits as there are."""
        return replace(self.api_limits, circuits=None, shots=None)

    @property
    def api_limits(self) -> wire.Limits:
        """What one API job takes."""
        qubits = min(self._resource.available_qubits, wire.API_LIMITS.qubits)
        return replace(wire.API_LIMITS, qubits=qubits)

    def execution(self, batch: Batch, options: AQTOptions) -> Execution:
        """Circuits on their way to the portal, in as many API jobs as it takes."""
        return self._session.execution(self._resource, batch, options, self.api_limits)

    def resumed(
        self, batch: Batch, options: AQTOptions, settings: dict[str, Any], journal: Journal | None
    ) -> Execution:
        """API jobs that were submitted before."""
        return self._session.resumed(self._resource, batch, options, settings, journal)


class AQTDirectAccessResource(AQTResource):
    """A quantum computer in the same network, which runs one circuit at a time."""

    job_class = AQTDirectAccessJob

    def __init__(
        self,
        resource: Resource,
        *,
        provider: Any,
        session: DirectAccessSession,
        max_shots: int = 2000,
    ) -> None:
        """Usually made by ``AQTProvider.get_direct_access_backend``.

        Args:
            resource: the machine.
            provider: who has made the backend.
            session: the connection to the machine.
            max_shots: repetitions of a circuit that it takes.
        """
        super().__init__(resource, provider=provider)
        self._session = session
        self._max_shots = max_shots

    @classmethod
    def _default_options(cls) -> AQTDirectAccessOptions:
        return AQTDirectAccessOptions()

    @property
    def limits(self) -> wire.Limits:
        """Any number of circuits, one after the other; shots and qubits as the machine has them."""
        qubits = min(self._resource.available_qubits, wire.API_LIMITS.qubits)
        return replace(wire.API_LIMITS, circuits=None, shots=self._max_shots, qubits=qubits)

    def execution(self, batch: Batch, options: AQTOptions) -> Execution:
        """Circuits on their way to the machine, one after the other."""
        return self._session.execution(self._resource, batch, options, self.limits)

    def resumed(
        self, batch: Batch, options: AQTOptions, settings: dict[str, Any], journal: Journal | None
    ) -> Execution:
        """Circuits that were sent before, and those that were not."""
        return self._session.resumed(batch, options, settings, journal)


class OfflineSimulatorResource(AQTResource):
    """A simulator of an AQT register, in this process or on an executor's workers: Qiskit Aer.

    Circuits go through the same checks as on a device. The register may have any size that Aer
    can simulate; the number of circuits and of shots is free.
    """

    def __init__(
        self, resource: Resource, *, provider: Any = None, with_noise_model: bool = False
    ) -> None:
        """``with_noise_model`` puts depolarising noise on r (0.003) and rxx (0.01)."""
        super().__init__(resource, provider=provider)
        self._noisy_from_start = with_noise_model

    @property
    def limits(self) -> wire.Limits:
        """Any number of circuits and shots; operations as on a device; qubits as asked for."""
        return wire.Limits(circuits=None, shots=None, qubits=self.num_qubits)

    @property
    def with_noise_model(self) -> bool:
        """Whether the simulator has a noise model."""
        return self.simulator.options.noise_model is not None

    @cached_property
    def simulator(self) -> AerSimulator:
        """The Aer backend that does the work; its options may be changed."""
        simulation = _simulation()
        noise_model = simulation.standard_noise_model() if self._noisy_from_start else None
        return simulation.AerSimulator(noise_model=noise_model)

    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        executor: Executor | None = None,
        **options: Any,
    ) -> AQTJob:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number, transpiled for this backend.
            executor: whose workers simulate, such as a ``ProcessPoolExecutor`` or what Dask's
                ``Client.get_executor()`` gives; None stands for this process. Outcomes do not
                depend on it. It is neither saved with the job nor shut down.
            options: those of :class:`~aqt_fast.AQTOptions`, for this job only. None stands for
                the backend's own.

        Raises:
            InvalidOptionError: an option has a value that it does not take, ``executor`` is none,
                or the simulator's options cannot be sent to it.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
        """
        job = self._job(circuits, options)
        job.submit(partial(self.execution, executor=executor))
        return job

    def prepare(self, circuits: Sequence[QuantumCircuit]) -> list[QuantumCircuit]:
        """Check circuits and copy them: Aer wants Qiskit's own."""
        return [circuit.copy() for circuit in wire.check_circuits(circuits, self.limits)]

    def unchanged(
        self,
        circuits: Sequence[QuantumCircuit],  # noqa: ARG002 - there are copies
        batch: list[QuantumCircuit],
    ) -> list[QuantumCircuit]:
        """The copies."""
        return batch

    def execution(
        self,
        batch: list[QuantumCircuit],
        options: AQTOptions,
        executor: Executor | None = None,
    ) -> Execution:
        """A simulation with the simulator's options as they are now.

        Raises:
            InvalidOptionError: ``executor`` is none, or the simulator cannot be sent to it.
        """
        module = _simulation()
        make = module.LocalSimulation
        if executor is not None:
            make = partial(module.ExecutorSimulation, executor)
        simulation: Execution = make(
            module.copy_simulator(self.simulator),
            batch,
            shots=options.shots,
            memory=options.memory,
            seed=options.seed_simulator,
        )
        return simulation

    def resumed(
        self,
        batch: list[QuantumCircuit],
        options: AQTOptions,
        settings: dict[str, Any],
        journal: Journal | None,  # noqa: ARG002 - simulations have none
    ) -> Execution:
        """Take over noise model and options of the simulator, and run the circuits again."""
        _simulation().restore_simulator(self.simulator, settings)
        return self.execution(batch, options)


def _simulation() -> ModuleType:
    """The module that needs Aer, which is loaded when first used."""
    return import_module("aqt_fast.simulation")


def execute(
    circuits: QuantumCircuit | Iterable[QuantumCircuit],
    backend: AQTResource,
    *,
    optimization_level: int | None = None,
    **options: Any,
) -> AQTJob:
    """Transpile circuits for a backend and run them: the short way from circuits to a job.

    AQT devices have neither reset, delay, control flow nor gates after a measurement: Qiskit's
    transpiler refuses them.

    Args:
        circuits: one circuit or any number of them.
        backend: where to run them.
        optimization_level: that of ``qiskit.transpile``, 0 to 3; None stands for its default.
        options: those of :class:`~aqt_fast.AQTOptions`, for this job only.

    Raises:
        InvalidInputError: ``backend`` is no AQT backend, or ``circuits`` are no circuits.
        InvalidOptionError: an option, or ``optimization_level``, has a value that it does not take.
        InvalidJobError: there are no circuits.
        InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
        TranspilerError: Qiskit cannot express a circuit in AQT's gates, or on so few qubits.
    """
    if not isinstance(backend, AQTResource):
        found = type(backend).__name__
        raise InvalidInputError(f"expected an AQT backend, not an object of type '{found}'")
    if optimization_level is not None:
        optimization_level = checked_integer("optimization_level", optimization_level, 0, 3)
    batch = wire.as_batch(circuits)
    transpiled = qiskit.transpile(batch, backend, optimization_level=optimization_level)
    return backend.run(transpiled, **options)
