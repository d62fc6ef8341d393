"""Common parts of all backends: target, options, and how a job is made.

Longer than 400 lines: most of them are docstrings of the one class that users call.
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, QubitProperties
from qiskit.transpiler import Target

from aqt_fast._ids import canonical_uuid
from aqt_fast._native import __version__
from aqt_fast._pickles import AnyProtocol
from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast._warnings import warn_caller
from aqt_fast.api_client import Resource
from aqt_fast.aqt_job import AQTJob, provider_for_restoring
from aqt_fast.aqt_options import (
    WAITING_OPTIONS,
    AQTOptions,
    FetchOptions,
    RunOptions,
    WaitingOptions,
)
from aqt_fast.backends.admission import Besides, check_limits, is_dry, requires_online, tighten
from aqt_fast.backends.calibration import Calibration
from aqt_fast.backends.compiling import compiled
from aqt_fast.backends.estimating import (
    checked_prices,
    checked_times,
    job_estimate,
    requests_of,
    shots_of_parts,
)
from aqt_fast.backends.knowledge import Knowledge
from aqt_fast.backends.legacy import (
    BackendStatus,
    configuration_of,
    properties_of,
    status_of,
)
from aqt_fast.backends.page import as_html
from aqt_fast.backends.run_options import changes_nothing, job_options
from aqt_fast.devices.characterisation import Characterisation
from aqt_fast.devices.device_time import DeviceTimes
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.devices.prices import PriceList
from aqt_fast.devices.spending import SpendingLimits
from aqt_fast.exceptions import APIError, InvalidOptionError
from aqt_fast.jobs.execution import Execution
from aqt_fast.store.description import JobDescription, now
from aqt_fast.store.job_store import get_store_path
from aqt_fast.store.journal import Journal, JournalWarning
from aqt_fast.store.loading import ResumableJob
from aqt_fast.store.location import JobLocation
from aqt_fast.wire.circuits import Limits, checked_shots, count_gates, listed
from aqt_fast.wire.plan import BatchPlan, BatchSize, Part
from aqt_fast.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from qiskit.transpiler import CouplingMap
    from qiskit_aer.backends.backendconfiguration import AerBackendConfiguration
    from qiskit_aer.backends.backendproperties import AerBackendProperties
    from typing_extensions import Self, Unpack

    from aqt_fast import AQTProvider, JobsTable
    from aqt_fast.store.listing import JobCriteria

_CIRCUITS_FOR_TOOLS = 10_000
"""More than an experiment has, so tools do not cut it; few enough for a list of several times as
many."""


def checked_job_id(job_id: Any) -> str:
    """Return an identifier of portal or machine in canonical form.

    Raises:
        InvalidOptionError: it is not a UUID.
    """
    try:
        return canonical_uuid(job_id)
    except ValueError:
        raise InvalidOptionError("job_id", job_id, "a UUID") from None


class AQTResource(AnyProtocol, BackendV2):
    """An AQT backend of any kind. Its name is the identifier of the resource.

    A copy has options of its own, and the same provider. A pickle carries no access token: the
    provider finds one where the backend is unpickled, see :class:`~aqt_fast.AQTProvider`.
    """

    job_class: type[AQTJob] = AQTJob
    """Class of the jobs that the backend makes."""

    _own_options: tuple[str, ...] = ()
    """Further arguments of ``run``."""

    def __init__(
        self,
        resource: Resource,
        *,
        provider: Any = None,
        calibration: Calibration | None = None,
        characterisation: Characterisation | None = None,
    ) -> None:
        """Usually made by :class:`~aqt_fast.AQTProvider`.

        Args:
            resource: the resource.
            provider: the provider that makes the backend.
            calibration: what the target is told, None for what follows from the figures.
            characterisation: the figures, None for those that the portal publishes.
        """
        super().__init__(
            provider=provider,
            name=resource.resource_id,
            description=resource.resource_name,
            backend_version=__version__,
        )
        self._device_times: DeviceTimes | None = None
        self._known = Knowledge.of(
            resource, characterisation=characterisation, calibration=calibration
        )

    def __repr__(self) -> str:
        name = one_line(self.name, LONGEST_NAME)
        return f"<{type(self).__name__}({name!r}), {self.num_qubits} qubits>"

    def _repr_html_(self) -> str:
        return as_html(
            self._known,
            kind=type(self).__name__,
            limits=self.limits,
            api_limits=self.api_limits,
            options=self.options,
            defaults=self._default_options(),
        )

    def __copy__(self) -> Self:
        return self._copied(_options=copy.copy(self._options))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = memo[id(self)] = self._copied()
        copied.__dict__.update(copy.deepcopy(vars(self), memo))
        return copied

    def _copied(self, **changes: Any) -> Self:
        copied = object.__new__(type(self))
        copied.__dict__.update(vars(self), **changes)
        return copied

    @property
    def resource_id(self) -> Resource:
        """Workspace, identifier, name, type, size and status of the resource."""
        return self._resource

    @property
    def _resource(self) -> Resource:
        return self._known.resource

    @property
    def target(self) -> Target:
        """Target of the transpiler, with the error rates and durations that are known.

        It asks nobody: a restored backend knows them after :meth:`refresh`, or after the first use
        of :attr:`characterisation`.
        """
        return self._known.target

    @property
    def characterisation(self) -> Characterisation | None:
        """Fidelities, coherence times and durations as the portal publishes them, in SI units.

        They are as old as ``characterisation.fetched_at`` tells: :meth:`refresh` asks again. A
        backend that was made without asking the portal, by restoring a job, asks it on first use.
        None if nothing is published: simulators and machines in the same network have no figures.

        Raises:
            APIError: the portal must be asked and does not answer, or there is no access token.
        """
        if self._is_unasked:
            self.refresh()
        return self._known.characterisation

    @property
    def _is_unasked(self) -> bool:
        """Whether the portal has figures of which nobody has asked it."""
        known = self._known
        unknown = known.characterisation is None and known.resource.fetched_at is None
        return unknown and self._in_cloud

    def refresh(self) -> None:
        """Ask the portal again for status and figures; the target is then a new object.

        All of it is replaced at once, or nothing if the portal does not answer. Who has the old
        target goes on with it, for example a transpilation in another thread. Backends that are
        not in the cloud have nobody to ask and stay as they are.

        Raises:
            APIError: the portal does not answer, or does not have the resource any more.
            AQTCredentialsError: there is no access token, or the portal does not accept it.
        """
        resource = self._asked_again()
        if resource is not None:
            self._known = Knowledge.of(resource)

    def _asked_again(self) -> Resource | None:
        """Ask for the present details of the resource; None if there is nobody to ask."""
        return None

    def device_status(self, *, ask: bool) -> str | None:  # noqa: ARG002
        """Return the status of a device that does not run jobs, None if it does.

        Args:
            ask: ask the portal again, instead of returning what it told last. The backend stays as
                it is.

        Raises:
            APIError: the portal does not answer.
        """
        return None

    def qubit_properties(self, qubit: int | list[int]) -> QubitProperties | list[QubitProperties]:
        """Lifetime and coherence time of a qubit or of several, in seconds; None if unknown.

        Args:
            qubit: index of a qubit, or a list.

        Raises:
            NotImplementedError: nothing is published of the device, or it is a simulator.
        """
        if self.target.qubit_properties is None and self._known.characterisation is not None:
            return (
                QubitProperties() if isinstance(qubit, int) else [QubitProperties() for _ in qubit]
            )
        return super().qubit_properties(qubit)

    @property
    def coupling_map(self) -> CouplingMap:
        """All ordered pairs of qubits, for tools that list or draw them.

        As a constraint of the transpiler it is false: nothing is routed.
        """
        return self._known.coupling_map

    def configuration(self) -> AerBackendConfiguration:
        """Name, size, gates, pairs and limits, as backends of Qiskit 1 described themselves."""
        return configuration_of(self._resource, __version__, self.limits, self.max_circuits)

    def properties(self) -> AerBackendProperties | None:
        """Error rates, durations and coherence times, as backends of Qiskit 1 listed them.

        They are what the portal published when the backend was made, or at the last
        :meth:`refresh`; None if it published nothing. An offline simulator has the error rates of
        the noise that it was made with.
        """
        return properties_of(self._known, __version__)

    def status(self) -> BackendStatus:
        """Whether the backend took jobs when it was made, or at the last :meth:`refresh`."""
        return status_of(self._resource, __version__)

    @property
    def options(self) -> AQTOptions:
        """The options of all later jobs, to read and to change."""
        options: AQTOptions = self._options
        return options

    @property
    def store_path(self) -> Path:
        """Where its jobs are stored: as its provider says, or in the default directory."""
        return get_store_path(getattr(self.provider, "store_path", None))

    @property
    def max_circuits(self) -> int:
        """Number of circuits, for tools that cut their work into jobs: 10 000.

        No limit: a job takes any number of circuits.
        """
        return _CIRCUITS_FOR_TOOLS

    @property
    @abstractmethod
    def limits(self) -> Limits:
        """Maximum number of circuits, shots, operations and qubits of one job."""

    @property
    def api_limits(self) -> Limits | None:
        """Limits of one API job, None where there are no API jobs."""
        return None

    @classmethod
    def _default_options(cls) -> AQTOptions:
        return AQTOptions()

    def get_translation_stage_plugin(self) -> str:
        """Return the name of the stage in which ``qiskit.transpile`` decomposes gates."""
        return "aqt_fast"

    def get_scheduling_stage_plugin(self) -> str:
        """Return the name of the final stage of ``qiskit.transpile`` for this backend."""
        return "aqt_fast"

    @overload
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: Literal[False] | None = None,
        **options: Unpack[RunOptions],
    ) -> AQTJob: ...
    @overload
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: Literal[True],
        **options: Unpack[RunOptions],
    ) -> JobEstimate: ...
    def run(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        dry_run: bool | None = None,
        **options: Unpack[RunOptions],
    ) -> AQTJob | JobEstimate:
        """Check circuits, start a job with them and return at once.

        Args:
            circuits: one circuit or any number of circuits, transpiled for this backend, or of any
                gates if the option ``optimization_level`` is set.
            dry_run: do all of it up to the first request, and return the job's estimate with the
                SHA-256 of each request body that would be sent. Nothing is sent or written. Bodies
                hold the option ``label``: without it, each job has a label of its own, and the
                hashes are those with the nil UUID in it. In this process there are no requests and
                no hashes.
            options: those of :class:`~aqt_fast.RunOptions`, for this job only. None stands for
                the backend's own. Options of other providers that ask for what happens anyway are
                taken, too (``meas_level=2``, ``init_qubits=True``).

        Raises:
            InvalidOptionError: an option has an invalid value.
            UnknownOptionError: a device, in the cloud or by direct access, has no such option.
            InvalidJobError: there are no circuits, or a device would need more than 100 000 API
                jobs for circuits and shots.
            InvalidCircuitError: lists every circuit that cannot run. Nothing was started.
            SpendingLimitError: the job may cost or take more than an option, the backend or the
                provider allows. Nothing was started.
            DeviceNotOnlineError: the device is not online, or its workspace takes no jobs, and the
                option ``require_online`` is set. Nothing was started.

        Warns:
            UnknownOptionWarning: a simulator has no such option.
            BackendStatusWarning: the device or its workspace took no jobs when it was last asked.
        """
        job = self._job(circuits, options)
        if is_dry(dry_run):
            return self.dry_run(job.snapshot, job.options)
        job.submit()
        return job

    @abstractmethod
    def dry_run(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> JobEstimate:
        """Return what :meth:`run` returns with ``dry_run=True``, for checked circuits.

        Args:
            snapshot: the circuits.
            options: the job's options.
            besides: as for :meth:`execution`. It counts for limits, and is not in the estimate.

        Raises:
            SpendingLimitError: as for :meth:`run`.
            DeviceNotOnlineError: as for :meth:`run`, by the status when the portal was last asked.
        """

    def admit(
        self,
        snapshot: Snapshot,
        options: AQTOptions,
        parts: Sequence[Part],
        limits: SpendingLimits | None = None,
        *,
        besides: Besides | None = None,
        asks: bool = True,
    ) -> None:
        """Refuse what may not be sent. Whatever is sent to a device passes here before.

        Args:
            snapshot: the circuits of a job.
            options: the job's options.
            parts: the job's API jobs that were sent, as they may have run, and those to be sent
                now: one that was sent before and is sent again counts twice.
            limits: take the place of those in ``options``.
            besides: estimates what else counts; called only if there are limits.
            asks: whether the portal may be asked for the device's status.

        Raises:
            SpendingLimitError: they may cost or take more than the job's options, the backend's or
                the provider allow.
            DeviceNotOnlineError: the device takes no jobs, and ``require_online`` is set somewhere.
            APIError: the portal cannot be asked whether the device is online.
        """

        def check() -> None:
            check_limits(
                self._resource.resource_type,
                self.provider,
                self.options,
                SpendingLimits.of(options).replaced_by(limits or SpendingLimits()),
                parts,
                lambda: self.estimate_of(snapshot, options, parts),
                besides,
            )

        check()
        if requires_online(self.provider, self.options, options):
            self._require_online(asks=asks)
            check()  # the portal may tell other durations now

    def _require_online(self, *, asks: bool) -> None:
        """Check that jobs run now; simulators in this process always do.

        Args:
            asks: whether the portal may be asked.

        Raises:
            DeviceNotOnlineError: they do not.
        """

    def _job(
        self, circuits: QuantumCircuit | Iterable[QuantumCircuit], options: Mapping[str, Any]
    ) -> AQTJob:
        """Make a job without submitting it."""
        checked = self.options_of_job(options)
        if checked.optimization_level is not None:
            circuits = compiled(circuits, self, self.limits, checked.optimization_level)
        return self.job_class(self, circuits, checked)

    def options_of_job(
        self, given: Mapping[str, Any], present: AQTOptions | None = None
    ) -> AQTOptions:
        """Return the options of a job, from the backend's and those that ``run`` got.

        Args:
            given: what ``run`` got.
            present: what to take instead of the backend's options.

        Raises:
            InvalidOptionError: an option has an invalid value, or a device has no such option.

        Warns:
            UnknownOptionWarning: a simulator has no such option.
        """
        base = self.options if present is None else present
        own = ("dry_run", *self._own_options)
        options = job_options(base, given, refuses=self._runs_on_hardware, own=own)
        if present is None:
            tighten(options, self.provider)
        return options

    @property
    def _runs_on_hardware(self) -> bool:
        return self._resource.resource_type in ("device", "direct_access")

    def estimate(
        self,
        circuits: QuantumCircuit | Iterable[QuantumCircuit],
        *,
        price_list: PriceList | None = None,
        device_times: DeviceTimes | None = None,
        **options: Unpack[RunOptions],
    ) -> JobEstimate:
        """Return what a job would take. Circuits are checked; nothing is sent.

        Args:
            circuits: as for :meth:`run`.
            price_list: prices of this backend, None for its :attr:`price_list`.
            device_times: durations on this backend, None for its :attr:`device_times`.
            options: as for :meth:`run`, such as ``shots`` and ``optimization_level``.

        Raises:
            InvalidOptionError: an option or an argument has an invalid value.
            InvalidJobError: as for :meth:`run`.
            InvalidCircuitError: lists every circuit that cannot run.

        Warns:
            StalePriceWarning: the prices are old.
        """
        checked = self.options_of_job(options)
        batch = listed(circuits)
        if checked.optimization_level is not None:
            batch = compiled(batch, self, self.limits, checked.optimization_level)
        # Without a snapshot, whose headers of results take longer than reading the circuits.
        counts = count_gates(batch, self.limits, strict_angles=checked.strict_angles)
        number = checked_shots(checked.shots, self.limits, len(batch))
        return job_estimate(
            self.name,
            lambda: counts,
            len(batch),
            number,
            requests_of(len(batch), number, self.api_limits),
            times=checked_times(device_times) or self.device_times,
            prices=checked_prices(price_list) or self.price_list,
        )

    def estimate_of(
        self, snapshot: Snapshot, options: AQTOptions, parts: Sequence[Part] | None = None
    ) -> JobEstimate:
        """Return what a job of checked circuits will take.

        Args:
            snapshot: its circuits.
            options: its options.
            parts: its API jobs, each as often as it is sent; None for all circuits once.

        Raises:
            InvalidJobError: there would be too many API jobs for one job.

        Warns:
            StalePriceWarning: the prices are old.
        """
        number = len(snapshot)
        shots = checked_shots(options.shots, self.limits, number)
        if parts is None:
            requests = requests_of(number, shots, self.api_limits)
        else:
            shots = of_each = shots_of_parts(parts, number)
            number = sum(each > 0 for each in of_each)
            api_jobs = 0 if self.api_limits is None else len(parts)
            requests = BatchSize(api_jobs, sum(part.num_runs for part in parts))
        return job_estimate(
            self.name,
            snapshot.gate_counts,
            number,
            shots,
            requests,
            times=self.device_times,
            prices=self.price_list,
        )

    @property
    def device_times(self) -> DeviceTimes | None:
        """Durations on the device, for estimates; None if they are unknown, or there is none.

        They are those of :attr:`characterisation`, and usual ones where the portal publishes none
        or does not answer, unless others are set. Setting None takes them from there again.

        Raises:
            InvalidOptionError: on setting something else than ``DeviceTimes`` or None.
        """
        if self._device_times is not None:
            return self._device_times
        if self._resource.resource_type != "device":
            return None
        figures = self._known.characterisation
        with suppress(APIError):  # usual durations are not far off
            figures = self.characterisation
        return DeviceTimes.of(figures)

    @device_times.setter
    def device_times(self, times: DeviceTimes | None) -> None:
        self._device_times = checked_times(times)

    @property
    def price_list(self) -> PriceList | None:
        """The prices that its provider was given for it; None without any.

        A list that names no resources is for all devices in the cloud that no other list names.
        """
        lists: Iterable[PriceList] = getattr(self.provider, "price_lists", ())
        by_name = {name: prices for prices in lists for name in prices.resources or ("",)}
        if self._resource.resource_type == "device":
            return by_name.get(self.name, by_name.get(""))
        return by_name.get(self.name)

    def set_options(self, **fields: Unpack[RunOptions]) -> None:
        """Set options of all later jobs: all of them, or none if one is invalid.

        Args:
            fields: those of :class:`~aqt_fast.RunOptions`.

        Raises:
            InvalidOptionError: an option has an invalid value.
            AttributeError: there is no such option; the message suggests one.
        """
        ours = {name: value for name, value in fields.items() if not changes_nothing(name, value)}
        self.options.update_options(**cast("RunOptions", ours))

    def jobs(self, **criteria: Unpack[JobCriteria]) -> JobsTable:
        """List the jobs of this backend in the store, the newest first.

        Args:
            criteria: those of :meth:`AQTProvider.jobs <aqt_fast.AQTProvider.jobs>`, such as
                ``state``, ``label``, ``tags``, ``since`` and ``limit``.

        Raises:
            InvalidOptionError: a criterion is invalid.
            OSError: the store cannot be read.
        """
        if self._in_cloud:
            # What distinguishes them from those of another resource with its name.
            criteria = {"workspace": self._resource.workspace_id, **criteria}
        return self._provided().jobs(self.name, **criteria)

    def retrieve_job(
        self,
        job_id: str,
        circuits: QuantumCircuit | Iterable[QuantumCircuit] | None = None,
        **options: Unpack[FetchOptions],
    ) -> AQTJob:
        """Return a job of this backend by its id alone.

        Args:
            job_id: as for :meth:`AQTProvider.job <aqt_fast.AQTProvider.job>`, like the others.
            circuits: its circuits, if they are known.
            options: ``memory``, and how to wait for it.

        Raises:
            InvalidOptionError: the job is of another backend.
            JobNotFoundError: the store does not have it; nor does the portal, which is asked for
                jobs of its own resources.
            ResponseMismatchError: it has other circuits.
            APIError: the portal cannot be asked, or has deleted the result.
        """
        job: AQTJob
        if self._in_cloud:
            job = self._provided().job(job_id, circuits, **options)
        else:  # the portal does not know its jobs, and its token may be the machine's own
            job = self._provided().restore(job_id, remove_from_store=False)
            waiting = {
                name: value
                for name, value in options.items()
                if name in WAITING_OPTIONS and value is not None
            }
            job.options.update_options(**cast("WaitingOptions", waiting))
        found = job.backend()
        if (found.name, found.resource_id.workspace_id) != (self.name, self._resource.workspace_id):
            raise InvalidOptionError("job_id", job_id, f"that of a job of '{self.name}'")
        return job

    @property
    def _in_cloud(self) -> bool:
        return self._resource.resource_type in ("device", "simulator")

    def _provided(self) -> AQTProvider:
        """Return its provider; one of its own for stored jobs if it was made without."""
        provider: AQTProvider | None = self.provider
        return provider_for_restoring() if provider is None else provider

    def prepare(self, circuits: Sequence[QuantumCircuit], options: AQTOptions) -> Snapshot:
        """Check circuits and take a snapshot of them for :meth:`execution`.

        Raises:
            InvalidCircuitError: lists every circuit that cannot run.
        """
        return Snapshot(circuits, self.limits, strict_angles=options.strict_angles)

    @abstractmethod
    def execution(
        self, snapshot: Snapshot, options: AQTOptions, *, besides: Besides | None = None
    ) -> Execution:
        """Make the execution of a snapshot, without starting it.

        Args:
            snapshot: the circuits.
            options: the job's options.
            besides: estimates what else counts for the limits of this job: another job that belongs
                to it.

        Raises:
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the device takes no jobs, and ``require_online`` is set.
        """

    @abstractmethod
    def resumed(self, snapshot: Snapshot, options: AQTOptions, job: ResumableJob) -> Execution:
        """Make an execution that continues another process's.

        Args:
            snapshot: the snapshot of its circuits.
            options: its options.
            job: the stored job.

        Raises:
            ValueError: the job cannot be continued.
        """


def start_journal(
    backend: AQTResource,
    location: JobLocation,
    plan: BatchPlan,
    snapshot: Snapshot,
    options: AQTOptions,
) -> Journal | None:
    """Create the journal of a new job; None if the job has none.

    Args:
        backend: the job's backend.
        location: where the job will run.
        plan: its API jobs.
        snapshot: its circuits.
        options: its options, which may turn the journal off.

    Warns:
        JournalWarning: the journal cannot be written, and the job has none.
    """
    if not options.journal:
        return None
    description = JobDescription(
        job_id=plan.batch_id,
        backend_name=backend.name,
        available_qubits=backend.num_qubits,
        location=location,
        options=dict(options),
        num_circuits=len(snapshot),
        created=now(),
        plan=plan,
    )
    try:
        return Journal.create(
            backend.store_path, description, snapshot.to_bytes(), snapshot.headers
        )
    except OSError as error:
        message = f"the job is lost if this process ends, for it has no journal: {error}"
        warn_caller(message, JournalWarning)
        return None


@contextmanager
def released_on_error(journal: Journal | None) -> Iterator[None]:
    """Release the journal of a new job if its execution cannot be made, as after an interrupt."""
    try:
        yield
    except BaseException:
        if journal is not None:
            journal.close()
        raise
