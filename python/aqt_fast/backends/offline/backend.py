"""The backend for Qiskit Aer as a simulator of an AQT device."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, overload

from qiskit import QuantumCircuit

from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions, RunOptions
from aqt_fast.backends.admission import Besides, is_dry
from aqt_fast.backends.base import AQTResource
from aqt_fast.backends.calibration import Calibration
from aqt_fast.backends.offline import noise_strengths
from aqt_fast.backends.offline.copies import Copies
from aqt_fast.devices import Characterisation
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.jobs.execution import Execution
from aqt_fast.store.loading import ResumableJob
from aqt_fast.store.location import SimulatorLocation
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.plan import whole
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from qiskit_aer import AerSimulator
    from qiskit_aer.noise import NoiseModel
    from typing_extensions import Unpack

    from aqt_fast.backends.offline.simulation import AerExecution


class OfflineSimulatorResource(AQTResource):
    """A simulator of an AQT device with Qiskit Aer, in this process or on an executor's workers.

    It checks circuits as a device does. Only Aer limits the number of qubits; the numbers of
    circuits and shots are unlimited.
    """

    _own_options = ("executor",)

    def __init__(
        self,
        resource: Resource,
        *,
        provider: Any = None,
        with_noise_model: bool = False,
        calibration: Calibration | None = None,
        characterisation: Characterisation | None = None,
    ) -> None:
        """Usually made by :class:`~aqt_fast.AQTProvider`.

        Args:
            resource: name and size of the simulator.
            provider: the provider that makes the backend.
            with_noise_model: put depolarising noise on r (0.003) and rxx (0.01).
            calibration: what the target is told, None for the errors of this noise.
            characterisation: the figures of the device that is simulated, None for no device.
        """
        if calibration is None:
            r, rxx = (noise_strengths.R, noise_strengths.RXX) if with_noise_model else (0.0, 0.0)
            calibration = Calibration.of_noise(resource.available_qubits, r=r, rxx=rxx)
        super().__init__(
            resource,
            provider=provider,
            calibration=calibration,
            characterisation=characterisation,
        )
        self._noisy_from_start = with_noise_model
        self._simulator: AerSimulator | None = None
        self._copies = Copies()

    def __copy__(self) -> AQTResource:
        copied = super().__copy__()
        copied.__dict__.update(_simulator=copy.deepcopy(self._simulator), _copies=Copies())
        return copied

    @property
    def limits(self) -> Limits:
        """No limit of circuits and shots; operations as on a device; qubits as requested."""
        return Limits(circuits=None, shots=None, qubits=self.num_qubits)

    @property
    def with_noise_model(self) -> bool:
        """Whether the simulator has a noise model."""
        return self.simulator.options.noise_model is not None

    @property
    def simulator(self) -> AerSimulator:
        """The Aer backend that simulates; its options may be changed. Each copy has its own."""
        if self._simulator is None:
            from qiskit_aer import AerSimulator

            self._simulator = AerSimulator(noise_model=self._noise_model())
        return self._simulator

    @simulator.setter
    def simulator(self, simulator: AerSimulator) -> None:
        self._simulator = simulator

    def _noise_model(self) -> NoiseModel | None:
        """Make the noise model of a new simulator."""
        from aqt_fast.backends.offline.aer import standard_noise_model

        return standard_noise_model() if self._noisy_from_start else None

    @overload
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: Literal[False] | None = None,
        executor: Executor | None = None,
        **options: Unpack[RunOptions],
    ) -> AQTJob: ...
    @overload
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: Literal[True],
        executor: Executor | None = None,
        **options: Unpack[RunOptions],
    ) -> JobEstimate: ...
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: bool | None = None,
        executor: Executor | None = None,
        **options: Unpack[RunOptions],
    ) -> AQTJob | JobEstimate:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number of circuits, transpiled for this backend, or of any
                gates if the option ``optimization_level`` is set.
            dry_run: check all of it, and return the job's estimate without running it.
            executor: its workers simulate; for example a ``ProcessPoolExecutor`` or the result of
                Dask's ``Client.get_executor()``. None stands for this process. Outcomes do not
                depend on it. It is neither saved with the job nor shut down.
            options: those of :class:`~aqt_fast.RunOptions`, for this job only. None stands for
                the backend's own.

        Raises:
            InvalidOptionError: an option has an invalid value, ``executor`` is not an executor, or
                the simulator's options cannot be sent to it.
            InvalidJobError: there are no circuits.
            InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
            SpendingLimitError: the job has more shots than an option, the backend or the provider
                allows. Nothing was started.
        """
        job = self._job(circuits, options)
        if is_dry(dry_run):
            return self.dry_run(job.snapshot, job.options)
        job.submit(partial(self.execution, executor=executor))
        return job

    def execution(
        self,
        snapshot: Snapshot,
        options: AQTOptions,
        executor: Executor | None = None,
        *,
        besides: Besides | None = None,
    ) -> AerExecution:
        """Make a simulation with the simulator's current options.

        Raises:
            InvalidOptionError: ``executor`` is not an executor, or the simulator cannot be sent to
                it.
            SpendingLimitError: there are more shots than a limit allows.
        """
        self.admit(snapshot, options, [whole(len(snapshot), options.shots)], besides=besides)
        from aqt_fast.backends.offline.executor import ExecutorAerExecution
        from aqt_fast.backends.offline.local import LocalAerExecution

        simulator = self._copies.of(self.simulator)
        if executor is None:
            return LocalAerExecution(simulator, snapshot, options)
        return ExecutorAerExecution(executor, simulator, snapshot, options)

    def dry_run(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> JobEstimate:
        """Return the estimate of a job; there are no requests, and no hashes."""
        self.admit(snapshot, options, [whole(len(snapshot), options.shots)], besides=besides)
        return self.estimate_of(snapshot, options)

    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: ResumableJob) -> Execution:
        """Restore noise model and options of the simulator, and run the circuits again."""
        from qiskit_aer import AerSimulator

        from aqt_fast.backends.offline.aer import restore_simulator

        location = job.description.location
        if not isinstance(location, SimulatorLocation):
            raise ValueError("it is no job of a simulator")
        if self._simulator is None:
            self._simulator = AerSimulator()
        restore_simulator(self._simulator, location)
        return self.execution(snapshot, options)
