"""The sampler primitive."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from qiskit import QuantumCircuit
from qiskit.primitives import BaseSamplerV2, DataBin, SamplerPubLike
from qiskit.primitives.containers.sampler_pub import SamplerPub

from aqt_fast._warnings import warn_caller
from aqt_fast.aqt_options import MOST_SHOTS, checked_integer
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.devices.estimate import JobEstimate
from aqt_fast.primitives.batch import Batch
from aqt_fast.primitives.job import AQTPrimitiveJob
from aqt_fast.primitives.options import (
    Primitive,
    SamplerArguments,
    SamplerOptions,
    checked_backend,
    options_of_job,
    sampler_options,
    sampler_options_of_run,
)
from aqt_fast.primitives.pubs import (
    PubProblems,
    Sweep,
    check_bound,
    listed_pubs,
    snapshot_of_sweeps,
)
from aqt_fast.primitives.registers import Layout, SampledPub, SamplerEvaluation, layout_of


class AQTSampler(Primitive, BaseSamplerV2):
    """Samples the classical registers of circuits on an AQT backend.

    A ``BaseSamplerV2``: ``run(pubs, shots=None)`` takes any circuits, with parameters and any
    classical registers, also such as share bits. A circuit is compiled once for all of its
    parameter sets, and all PUBs are one job, whatever their shots are.
    """

    job_class = AQTPrimitiveJob
    """Class of the jobs that it makes."""

    _options: SamplerOptions

    def __init__(self, backend: AQTResource, options: SamplerArguments | None = None) -> None:
        """Make a sampler.

        Args:
            backend: where to run circuits.
            options: ``default_shots`` or ``shots`` (default: 1024); ``seed_simulator``;
                ``optimization_level`` of :func:`aqt_fast.compile`, 0 to 3 (default: 2);
                ``executor``, whose workers simulate on an offline simulator; those of its jobs, as
                in :class:`~aqt_fast.RunOptions`, such as ``label``, ``tags``, ``journal``,
                ``query_period_seconds`` and ``with_progress_bar`` (default: False); and
                ``run_options``, a dict of the same options, which count unless they are given next
                to it.

        Raises:
            InvalidInputError: an option is unknown, or its value is invalid.
        """
        self._backend = checked_backend(backend)
        self._options = sampler_options(options)

    @property
    def options(self) -> SamplerOptions:
        """Its options, to read and to change; :meth:`run` checks them."""
        return self._options

    @property
    def default_shots(self) -> int:
        """Repetitions of PUBs without their own; the option ``default_shots``, settable."""
        return self._options.default_shots

    @default_shots.setter
    def default_shots(self, shots: int) -> None:
        self._options.default_shots = checked_integer("shots", shots, 1, MOST_SHOTS)

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> AQTPrimitiveJob:
        """Sample circuits in the background: compile them, submit them and return at once.

        What no classical register reads is not run: its result is empty, or has zeros.

        Args:
            pubs: circuits, each alone or with parameter values and shots.
            shots: repetitions where a PUB has none of its own, 1 to 2³¹ − 1; None for
                ``default_shots``.

        Returns:
            The job. Its result has one entry for each PUB, with a
            :class:`~qiskit.primitives.BitArray` for each classical register: its shape is that of
            the parameter sets. The metadata of an entry are ``shots`` and ``circuit_metadata``.

        Raises:
            InvalidPubError: lists everything that is wrong with the PUBs. Nothing was sent.
            InvalidOptionError: ``shots`` or an option is out of range.
            InvalidInputError: ``pubs`` is no list.
            SpendingLimitError: all PUBs together may cost or take more than a limit allows. Nothing
                was sent.
            DeviceNotOnlineError: the device takes no jobs, and the option ``require_online`` is
                set.

        Warns:
            UserWarning: a circuit measures nothing, or has no classical register.
        """
        batch, sampled = self._batch(pubs, shots)
        return self.job_class.start(batch, SamplerEvaluation(sampled))

    def dry_run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> JobEstimate:
        """Do all that :meth:`run` does up to the first request; nothing is sent or written.

        Args:
            pubs: as for :meth:`run`.
            shots: as for :meth:`run`.

        Returns:
            What the job would cost and take, with the SHA-256 of each request body; see
            :meth:`AQTResource.run <aqt_fast.aqt_resource.AQTResource.run>`.

        Raises:
            InvalidPubError: as for :meth:`run`, like the others.
            InvalidOptionError: ``shots`` or an option is out of range.
            SpendingLimitError: a limit would be exceeded.
            DeviceNotOnlineError: the device was not online when the portal was last asked.
        """
        batch, _ = self._batch(pubs, shots)
        return batch.dry_run()

    def _batch(
        self, pubs: Iterable[SamplerPubLike], shots: int | None
    ) -> tuple[Batch, list[SampledPub]]:
        """Compile the circuits of PUBs; return them, and what the result needs."""
        options = sampler_options_of_run(self._options)
        default = options.default_shots
        if shots is not None:
            default = checked_integer("shots", shots, 1, MOST_SHOTS)
        reader = _PubReader(default)
        for index, pub in enumerate(listed_pubs(pubs)):
            reader.read(index, pub)
        snapshot = snapshot_of_sweeps(
            reader.sweeps, self._backend, options.optimization_level, reader.problems
        )
        for text in reader.warnings:
            warn_caller(text, UserWarning)
        of_job = options_of_job(self._backend, options, reader.shots)
        return Batch(self._backend, snapshot, of_job, options.executor), reader.sampled


class _Registers(NamedTuple):
    """What a circuit's classical bits are."""

    layout: Layout
    """Its registers."""
    measured: bool
    """Whether something is measured that a register may read."""


class _PubReader:
    """Reads PUBs one after the other, and notes what is wrong with them."""

    def __init__(self, default_shots: int) -> None:
        self.problems = PubProblems()
        self.sweeps: list[Sweep] = []
        self.sampled: list[SampledPub] = []
        self.warnings: list[str] = []
        self._default_shots = default_shots
        self._known: dict[int, _Registers] = {}
        """By the circuit's identity: the same one may come ten thousand times."""

    @property
    def shots(self) -> int | tuple[int, ...]:
        """The repetitions of each circuit of the job; one number if they are equal."""
        running = [pub for pub in self.sampled if pub.num_circuits]
        if len({pub.shots for pub in running}) <= 1:
            return running[0].shots if running else self._default_shots
        return tuple(shots for pub in running for shots in [pub.shots] * pub.num_circuits)

    def read(self, index: int, pub: Any) -> None:
        """Read a PUB.

        Args:
            index: its index, from 0.
            pub: what the user has given.
        """
        with self.problems.of_pub(index):
            circuit, values, own_shots = _parts(pub)
            shots = self._default_shots
            if own_shots is not None:
                shots = checked_integer("shots", own_shots, 1, MOST_SHOTS)
            check_bound(circuit, values)
            coerced = SamplerPub.coerce((circuit, values, shots))
            numbers = coerced.parameter_values.as_array(circuit.parameters)
            registers = self._registers(index, circuit)
            sampled = SampledPub(
                registers.layout, coerced.shape, shots, circuit.metadata, registers.measured
            )
            self.sampled.append(sampled)
            if sampled.num_circuits:
                rows = numbers.reshape(sampled.num_circuits, circuit.num_parameters)
                self.sweeps.append(Sweep(circuit, rows, index, coerced.shape))

    def _registers(self, index: int, circuit: QuantumCircuit) -> _Registers:
        known = self._known.get(id(circuit))
        if known is None:
            layout = layout_of(circuit)
            for name in layout:
                _check_name(name)
            measured = any(layout.values()) and any(item.clbits for item in circuit.data)
            known = self._known[id(circuit)] = _Registers(layout, measured)
        if not any(known.layout.values()):
            self.warnings.append(f"PUB {index} has no classical register: its result is empty")
        elif not known.measured:
            self.warnings.append(f"PUB {index} measures nothing: its bits are 0")
        return known


def _parts(pub: Any) -> tuple[Any, Any, Any]:
    """Return circuit, parameter values and shots of a PUB; None for what it does not have.

    Raises:
        TypeError: it is no PUB.
        ValueError: it has more than three parts.
    """
    if isinstance(pub, SamplerPub):
        return pub.circuit, pub.parameter_values, pub.shots
    parts = [pub] if isinstance(pub, QuantumCircuit) else pub
    if not isinstance(parts, list | tuple):
        raise TypeError(
            "expected a circuit or a tuple of circuit, parameter values and shots, not an object "
            f"of type '{type(pub).__name__}'"
        )
    if not 1 <= len(parts) <= 3:
        raise ValueError(f"expected circuit, parameter values and shots, not {len(parts)} parts")
    if not isinstance(parts[0], QuantumCircuit):
        raise TypeError(f"expected a circuit, not an object of type '{type(parts[0]).__name__}'")
    circuit, values, shots = (*parts, None, None)[:3]
    return circuit, values, shots


def _check_name(register: str) -> None:
    """Check that a result can have a register's bits: its own attributes have some names.

    Raises:
        ValueError: it cannot.
    """
    try:
        DataBin(**{register: 0}, shape=())
    except (TypeError, ValueError):
        raise ValueError(f"no result can have a register called '{register}'") from None
