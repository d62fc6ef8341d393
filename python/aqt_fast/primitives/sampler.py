"""The sampler primitive."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from qiskit import ClassicalRegister, QuantumCircuit
from qiskit.primitives import (
    BackendSamplerV2,
    BitArray,
    DataBin,
    PrimitiveResult,
    SamplerPubLike,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub

from aqt_fast.aqt_options import MOST_SHOTS, checked_integer
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.primitives.job import AQTPrimitiveJob, SubmittedJobs
from aqt_fast.primitives.options import Primitive, sampler_options, sampler_options_of_run
from aqt_fast.primitives.places import places_in_sampler
from aqt_fast.primitives.transpiling import TranspilingBackend


class AQTSampler(Primitive, BackendSamplerV2):
    """Samples the classical registers of circuits on an AQT backend.

    A ``BaseSamplerV2``: ``run(pubs, shots=None)`` takes any circuits, with parameters and any
    classical registers, also such as share bits. It transpiles each bound circuit, without
    optimising it unless an option says so. All circuits with the same number of shots run as one
    job. The result of a job that failed or was cancelled raises ``JobFailedError``.
    """

    job_class = AQTPrimitiveJob
    """Class of the jobs that it makes."""

    def __init__(self, backend: AQTResource, options: dict[str, Any] | None = None) -> None:
        """Make a sampler.

        Args:
            backend: where to run circuits.
            options: ``default_shots`` or ``shots`` (default: 1024); ``seed_simulator``;
                ``optimization_level`` of ``qiskit.transpile``, 0 to 3 (default: 0); those of its
                jobs, ``query_period_seconds``, ``query_timeout_seconds``,
                ``with_progress_bar`` (default: False), ``label`` and ``journal``, as in
                :class:`~aqt_fast.AQTOptions`; and ``run_options``, a dict of
                options for :meth:`AQTResource.run <aqt_fast.aqt_resource.AQTResource.run>`, of
                which ``shots`` and ``seed_simulator`` count unless they are given next to it.

        Raises:
            InvalidInputError: an option is unknown, or its value is invalid.
        """
        super().__init__(backend=backend)
        self._options, self._transpile_options = sampler_options(options)

    @property
    def default_shots(self) -> int:
        """Repetitions of PUBs without their own; the option ``default_shots``, settable."""
        shots: int = self._options.default_shots
        return shots

    @default_shots.setter
    def default_shots(self, shots: int) -> None:
        self._options.default_shots = checked_integer("shots", shots, 1, MOST_SHOTS)

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> AQTPrimitiveJob:
        """Sample circuits in the background.

        Args:
            pubs: circuits, each alone or with parameter values and shots.
            shots: repetitions where a PUB has none of its own; None for ``default_shots``.

        Raises:
            InvalidOptionError: ``shots`` in ``run_options`` are invalid.
        """
        options = sampler_options_of_run(self.options)
        default = options.default_shots if shots is None else shots
        coerced = [SamplerPub.coerce(pub, default) for pub in pubs]
        wanted = [_with_all_bits(pub) for pub in coerced if pub.parameter_values.size]
        submitted = SubmittedJobs(len({pub.shots for pub in wanted}))
        backend = TranspilingBackend(
            self.backend,
            submitted,
            self._transpile_options,
            places=lambda shots: places_in_sampler(coerced, shots),
        )
        job = BackendSamplerV2(backend=backend, options=vars(options)).run(wanted)
        return self.job_class(submitted, lambda: _completed(coerced, job.result()))


def _with_all_bits(pub: SamplerPub) -> SamplerPub:
    """Add a register of all bits where Qiskit's sampler would misread the circuit's own."""
    circuit = pub.circuit
    if _is_read_right(circuit):
        return pub
    every = ClassicalRegister(name=_name_of_all_bits(circuit), bits=circuit.clbits)
    extended = circuit.copy()
    extended.add_register(every)
    return SamplerPub(extended, pub.parameter_values, pub.shots)


def _name_of_all_bits(circuit: QuantumCircuit) -> str:
    names = {register.name for register in circuit.cregs}
    name = "all_bits"
    while name in names:
        name += "_"
    return name


def _places(circuit: QuantumCircuit) -> dict[str, list[int]]:
    """Return the indices of each register's bits in the circuit."""
    return {
        register.name: [circuit.find_bit(bit).index for bit in register]
        for register in circuit.cregs
    }


def _is_read_right(circuit: QuantumCircuit) -> bool:
    """Whether Qiskit's sampler finds the bits of each register.

    It takes them to be neighbours in ascending order, and no bit to be above all registers.
    """
    registers = [places for places in _places(circuit).values() if places]
    return all(
        places == list(range(places[0], places[0] + len(places))) for places in registers
    ) and (not registers or max(places[-1] for places in registers) + 1 == circuit.num_clbits)


def _completed(
    pubs: Sequence[SamplerPub], found: PrimitiveResult[SamplerPubResult]
) -> PrimitiveResult[SamplerPubResult]:
    """Return one result for each PUB, with the registers of its circuit."""
    sampled = iter(found)
    results = [
        _sampled(pub, next(sampled)) if pub.parameter_values.size else _empty(pub) for pub in pubs
    ]
    return PrimitiveResult(results, metadata=found.metadata)


def _sampled(pub: SamplerPub, found: SamplerPubResult) -> SamplerPubResult:
    if _is_read_right(pub.circuit):
        return found
    bits = found.data[_name_of_all_bits(pub.circuit)]
    registers = {name: bits.slice_bits(places) for name, places in _places(pub.circuit).items()}
    return SamplerPubResult(DataBin(**registers, shape=pub.shape), metadata=found.metadata)


def _empty(pub: SamplerPub) -> SamplerPubResult:
    """Return the result of no parameter sets."""
    registers = {
        register.name: BitArray(
            np.zeros((*pub.shape, pub.shots, -(-register.size // 8)), np.uint8), register.size
        )
        for register in pub.circuit.cregs
    }
    return SamplerPubResult(
        DataBin(**registers, shape=pub.shape),
        metadata={"shots": pub.shots, "circuit_metadata": pub.circuit.metadata},
    )
