"""The estimator primitive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from qiskit import QuantumCircuit
from qiskit.circuit import Measure
from qiskit.primitives import BaseEstimatorV2, EstimatorPubLike
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.observables_array import ObservablesArray

from aqt_fast._native import Samples
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.primitives.batch import Batch
from aqt_fast.primitives.estimation.device_time import gates_of_shot
from aqt_fast.primitives.estimation.estimates import EstimatorEvaluation
from aqt_fast.primitives.estimation.gate_errors import GateErrors
from aqt_fast.primitives.estimation.measurement import MeasurementGroup
from aqt_fast.primitives.estimation.observables import problems_of
from aqt_fast.primitives.estimation.pilot import (
    continued,
    options_after_pilot,
    options_of_pilot,
    pilot_of,
    shots_after,
)
from aqt_fast.primitives.estimation.plan import EstimationPlan, GroupPlan, Place
from aqt_fast.primitives.estimation.planning import PlannedBlocks, PlannedPub, Planner
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.options import (
    EstimatorArguments,
    EstimatorOptions,
    Primitive,
    checked_backend,
    checked_precision,
    estimator_options,
    estimator_options_of_run,
    options_of_job,
)
from aqt_fast.primitives.pubs import PubProblems, check_bound, listed_pubs, snapshot_of_sweeps
from aqt_fast.wire.plan import parts_of
from aqt_fast.wire.snapshot import Snapshot


class AQTEstimator(Primitive, BaseEstimatorV2):
    """Estimates expectation values of observables on an AQT backend.

    A ``BaseEstimatorV2``: ``run(pubs, precision=None)`` takes circuits of any gates, with
    parameters and without measurements. It groups the Pauli terms of all observables of a circuit,
    appends a basis for each group, compiles each of these circuits once for all parameter sets, and
    shares shots among groups so that each value reaches its precision: :meth:`plan` shows how.
    Terms that are constants cost nothing. All circuits run as one job, or as two with the option
    ``adaptive``. The result of a job that failed or was cancelled raises ``JobFailedError``.

    Values and errors (``evs``, ``stds``) have the shape of PUBs in Qiskit's sense. The errors come
    from the variances that were measured, with the covariances of terms in the same shots.
    """

    job_class = AQTPrimitiveJob
    """Class of the jobs that it makes."""

    _options: EstimatorOptions

    def __init__(self, backend: AQTResource, options: EstimatorArguments | None = None) -> None:
        r"""Make an estimator.

        Args:
            backend: where to run circuits.
            options:
                - ``default_precision``: target standard error of each expectation value where
                  neither a PUB nor ``run`` has one. Default: 1/64. ``shots`` stands for 1/√shots.
                - ``grouping``: which Pauli terms are measured in the same shots.
                  ``"qubit_wise"``: those that commute on each qubit. ``"general"``: all that
                  commute, which may take two-qubit gates before the measurement. ``"auto"``:
                  ``"general"`` if the errors of these gates cost less than the shots that they
                  save; errors are those of the backend's target, or 0.01 for each rxx of a device
                  that tells none. ``"none"``: each term alone; ``abelian_grouping=False`` says the
                  same. Default: ``"auto"``.
                - ``variances``: which variances the numbers of shots are for. ``"bound"``: the
                  largest that there can be, so that each value reaches its precision for certain.
                  ``"average"``: those of an average state, so that values do in most states, with
                  much fewer shots if observables have many terms. A single Pauli term takes
                  ⌈1/precision²⌉ shots in either case. Default: ``"bound"``.
                - ``adaptive``: run a pilot first, with a small part of the shots for average
                  states, and then those that its variances call for. Values reach their precision
                  in about the fewest shots there can be, where ``variances`` has to assume
                  something; errors of rare outcomes may be stated too small by a tenth or two if
                  circuits have a few hundred shots only. See :meth:`run`. Default: False.
                - ``seed_simulator``, ``optimization_level`` of :func:`aqt_fast.compile`, 0 to 3
                  (default: 2; at 0, the circuit's Clifford end is not taken into the observables).
                - those of its jobs, ``query_period_seconds``, ``query_timeout_seconds``,
                  ``with_progress_bar`` (default: False), ``label``, ``tags`` and ``journal``, as in
                  :class:`~aqt_fast.RunOptions`; or ``run_options``, a dict of them, of which
                  ``shots`` and ``seed_simulator`` count unless they are given next to it.
                - ``executor``, as for ``run`` of an offline simulator.

        Raises:
            InvalidInputError: an option is unknown, or its value is invalid.
        """
        self._backend = checked_backend(backend)
        self._options = estimator_options(options)

    @property
    def options(self) -> EstimatorOptions:
        """Its options, to read and to change; :meth:`run` checks them."""
        return self._options

    def run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> AQTPrimitiveJob:
        """Estimate expectation values in the background.

        With the option ``adaptive``, the pilot is submitted at once. The second job follows in the
        background, as long as this process runs; the result counts the shots of both. If the pilot
        was enough, or another process restores the pilot alone, the metadata of each PUB have
        ``pilot``, which is True. The pilot has the same label with ", pilot" at its end.

        Args:
            pubs: circuits, each with observables, and with parameter values and a precision if need
                be.
            precision: target standard error where a PUB has none of its own; None for
                ``default_precision``.

        Raises:
            InvalidOptionError: ``precision`` is not a finite number greater than 0, or an option
                has an invalid value.
            InvalidPubError: lists everything that is wrong with PUBs: circuits that cannot run, or
                that measure; values that do not fit, are missing, or are not finite; observables
                that do not fit, or are not Hermitian; precisions that need too many shots.
                Nothing was sent.
        """
        settings = estimator_options_of_run(self._options)
        problems = PubProblems()
        planned = self._planned(pubs, precision, settings, problems)
        options = options_of_job(self._backend, settings, 1)
        if not settings.adaptive:
            evaluation = EstimatorEvaluation([pub.measured() for pub in planned])
            batch = self._batch(planned, options, settings, problems)
            return self.job_class.start(batch, evaluation)
        first = [pilot_of(pub) for pub in planned]
        measured = [pub.measured() for pub in first]
        evaluation = EstimatorEvaluation(measured, pilot=any(pub.shots() for pub in first))
        batch = self._batch(first, options_of_pilot(options), settings, problems)
        pilot = self.job_class.start(batch, evaluation, besides=partial(_most_after, batch, first))
        later = options_after_pilot(options)

        def second(snapshot: Snapshot, samples: list[Samples]) -> AQTPrimitiveJob | None:
            more, both = continued(first, measured, snapshot, samples)
            if not any(pub.shots() for pub in more):
                return None
            rest = self._batch(more, later, settings, PubProblems())
            sent = pilot.jobs[0].estimate_sent
            return self.job_class.start(rest, EstimatorEvaluation(both), besides=sent)

        pilot.continue_with(second)
        return pilot

    def dry_run(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> JobEstimate:
        """Do all that :meth:`run` does up to the first request; nothing is sent or written.

        Args:
            pubs: as for :meth:`run`.
            precision: as for :meth:`run`.

        Returns:
            What the job would cost and take, with the SHA-256 of each request body; see
            :meth:`AQTResource.run <aqt_fast.aqt_resource.AQTResource.run>`. That of an adaptive
            estimator is both jobs together, with the most shots that the second one is planned for,
            and the request bodies of the pilot.

        Raises:
            InvalidOptionError: as for :meth:`run`, like the others.
            InvalidPubError: PUBs cannot run.
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the device was not online when the portal was last asked.
        """
        settings = estimator_options_of_run(self._options)
        problems = PubProblems()
        planned = self._planned(pubs, precision, settings, problems)
        options = options_of_job(self._backend, settings, 1)
        if not settings.adaptive:
            return self._batch(planned, options, settings, problems).dry_run()
        first = [pilot_of(pub) for pub in planned]
        batch = self._batch(first, options_of_pilot(options), settings, problems)
        second = _most_after(batch, first)
        return batch.dry_run(lambda: second).plus(second)

    def _batch(
        self,
        planned: Sequence[PlannedPub],
        options: AQTOptions,
        settings: EstimatorOptions,
        problems: PubProblems,
    ) -> Batch:
        """Compile the circuits of PUBs."""
        sweeps = [problems.finite(sweep) for pub in planned for sweep in pub.sweeps()]
        snapshot = snapshot_of_sweeps(sweeps, self._backend, settings.optimization_level, problems)
        shots = tuple(number for pub in planned for number in pub.shots())
        of_job = AQTOptions(**{**options, "shots": shots or 1})
        return Batch(self._backend, snapshot, of_job, settings.executor)

    def plan(
        self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None
    ) -> EstimationPlan:
        """Return what :meth:`run` would do with the same arguments. Nothing runs.

        Shots of an ``adaptive`` estimator depend on outcomes; the plan is the one without a pilot.

        Args:
            pubs: as for :meth:`run`.
            precision: as for :meth:`run`.

        Raises:
            InvalidOptionError: as for :meth:`run`.
            InvalidPubError: as for :meth:`run`, except that circuits are not compiled, unless the
                backend tells its durations.
        """
        settings = estimator_options_of_run(self._options)
        problems = PubProblems()
        planned = self._planned(pubs, precision, settings, problems)
        for pub in planned:
            for sweep in pub.sweeps():
                problems.finite(sweep)
        problems.raise_any()
        place = Place.of(self._backend)
        groups = [
            self._group_plan(pub, *item, settings, place)
            for pub in planned
            for item in pub.groups()
        ]
        errors = [pub.standard_errors(settings.variances) for pub in planned]
        return EstimationPlan(groups, errors, place)

    def _planned(
        self,
        pubs: Iterable[EstimatorPubLike],
        precision: float | None,
        settings: EstimatorOptions,
        problems: PubProblems,
    ) -> list[PlannedPub]:
        """Plan those of the PUBs that have no problems."""
        default = settings.default_precision
        if precision is not None:
            default = checked_precision("precision", precision)
        planner = Planner(
            settings.grouping if settings.abelian_grouping else "none",
            settings.variances,
            GateErrors.of_backend(self._backend),
            cut_ends=settings.optimization_level > 0,
        )
        planned = []
        for index, pub in enumerate(listed_pubs(pubs)):
            coerced = _coerced(index, pub, default, problems)
            if coerced is not None:
                with problems.of_pub(index):
                    planned.append(planner.plan(index, coerced))
        return planned

    def _group_plan(
        self,
        pub: PlannedPub,
        part: PlannedBlocks,
        group: MeasurementGroup,
        circuit: QuantumCircuit,
        settings: EstimatorOptions,
        place: Place,
    ) -> GroupPlan:
        number, gates, seconds = len(part.sets), None, None
        if place.times is not None:
            level = settings.optimization_level
            gates = gates_of_shot(circuit, pub.values[part.sets[0]], self._backend, level)
            alone = place.estimate([gates] * number, [group.shots] * number, with_prices=False)
            seconds = alone.device_seconds and alone.device_seconds.likely
        return GroupPlan(
            pub=pub.index,
            terms=tuple(part.measurement.terms.labels(group.terms)),
            gates=tuple(group.basis.gates),
            left_out=part.left_out,
            circuits=number,
            shots=group.shots,
            seconds=seconds,
            gates_of_shot=gates,
        )


def _most_after(batch: Batch, pilot: Sequence[PlannedPub]) -> JobEstimate:
    """Return what the job after a pilot takes at most.

    Args:
        batch: the circuits of the pilot.
        pilot: its PUBs.
    """
    return batch.estimate(parts_of(shots_after(pilot), batch.backend.api_limits))


def _coerced(index: int, pub: Any, precision: float, problems: PubProblems) -> EstimatorPub | None:
    """Make a PUB of what the user has given; None if something is wrong with it."""
    parts = pub
    if isinstance(pub, EstimatorPub):
        parts = (pub.circuit, pub.observables, pub.parameter_values, pub.precision)
    own, array = precision, None
    with problems.of_pub(index):
        if not isinstance(parts, tuple | list) or not 2 <= len(parts) <= 4:
            raise TypeError(
                "expected a tuple of circuit and observables, with parameter values and precision "
                f"if need be, not an object of type '{type(pub).__name__}'"
            )
        circuit, observables, values, given = (*parts, None, None)[:4]
        if not isinstance(circuit, QuantumCircuit):
            found = type(circuit).__name__
            raise TypeError(f"expected a circuit, not an object of type '{found}'")
        with problems.of_pub(index):
            own = precision if given is None else checked_precision("precision", given)
        with problems.of_pub(index):
            array = _observables(index, observables, problems)
        with problems.of_pub(index):
            check_bound(circuit, values)
            _check_unmeasured(circuit)
            if array is not None:
                return EstimatorPub.coerce((circuit, array, values, own))
    return None


def _observables(index: int, observables: Any, problems: PubProblems) -> ObservablesArray | None:
    """Read observables; note each one that is wrong.

    Raises:
        TypeError: they are no array of observables.
        ValueError: they do not fit each other.
    """
    try:
        return ObservablesArray.coerce(observables)
    except Exception:  # Qiskit tells only of the first one that is wrong
        wrong = problems_of(observables)
        if not wrong:
            raise
    for place, reason in wrong:
        where = f"observable {', '.join(map(str, place))}: " if place else ""
        problems.add(index, where + reason.rstrip("."))
    return None


def _check_unmeasured(circuit: QuantumCircuit) -> None:
    """Check that a circuit has no measurements.

    Raises:
        ValueError: it has some.
    """
    if any(isinstance(item.operation, Measure) for item in circuit.data):
        raise ValueError(
            "the circuit has measurements, but an estimator measures observables itself: "
            "remove them"
        )
