"""A backend that transpiles circuits before it runs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2
from qiskit.result import Result
from qiskit.transpiler import Target

from aqt_fast.aqt_job import AQTJob
from aqt_fast.aqt_options import AQTOptions
from aqt_fast.aqt_resource import AQTResource
from aqt_fast.backends.transpiling import TranspiledBatch
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError, JobFailedError
from aqt_fast.primitives.estimator_job import SubmittedJobs
from aqt_fast.primitives.places import PubPlace


class TranspilingBackend(BackendV2):
    """An AQT backend for Qiskit's primitives, which run circuits right after binding parameters.

    Circuits are transpiled here, with values: gates with unbound parameters merge with no others.
    """

    def __init__(
        self,
        backend: AQTResource,
        submitted: SubmittedJobs,
        transpile_options: Mapping[str, Any],
        run_options: Mapping[str, Any] | None = None,
        *,
        places: Callable[[int], Sequence[PubPlace]],
    ) -> None:
        """Wrap ``backend``.

        Args:
            backend: where to run circuits.
            submitted: where to note the jobs.
            transpile_options: arguments of ``qiskit.transpile``.
            run_options: options of each job, unless a primitive gives them to :meth:`run`.
            places: returns the place of each circuit in the job with a number of shots.
        """
        super().__init__(provider=backend.provider, name=backend.name)
        self._backend = backend
        self._submitted = submitted
        self._transpile_options = transpile_options
        self._places = places
        self._run_options = {"with_progress_bar": False, **(run_options or {})}

    @property
    def target(self) -> Target:
        """The target of the wrapped backend."""
        return self._backend.target

    @property
    def max_circuits(self) -> None:
        """None: a job takes any number of circuits."""
        return None

    @classmethod
    def _default_options(cls) -> AQTOptions:
        return AQTOptions()

    def run(
        self, circuits: QuantumCircuit | Sequence[QuantumCircuit], **options: Any
    ) -> CompleteJob:
        """Transpile circuits and run them, without a progress bar unless an option asks for it.

        Raises:
            InvalidCircuitError: lists every circuit that cannot run, by PUB and parameter set.
        """
        every = {**self._run_options, **options}
        try:
            batch = TranspiledBatch(circuits, self._backend, self._transpile_options)
            return CompleteJob(self._submitted.submit(lambda: batch.run(**every)))
        except InvalidCircuitError as error:
            places = self._places(options["shots"])
            problems = [_placed(problem, places) for problem in error.problems]
            raise InvalidCircuitError(problems) from error.__cause__


def _placed(problem: CircuitProblem, places: Sequence[PubPlace]) -> CircuitProblem:
    if problem.circuit is None:
        return problem
    return replace(problem, **places[problem.circuit]._asdict())


class CompleteJob:
    """A job with all results or none.

    Qiskit's sampler would take a circuit without outcomes for one without measurements, and return
    shots that read 0.
    """

    def __init__(self, job: AQTJob) -> None:
        """Wrap ``job``."""
        self._job = job

    def result(self) -> Result:
        """Wait for all results.

        Raises:
            JobFailedError: not all circuits were evaluated.
        """
        result = self._job.result()
        if not result.success:
            raise JobFailedError(result.job_id, result.status)
        return result
