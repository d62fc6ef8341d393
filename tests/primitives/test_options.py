"""Options of primitives: transpiling, their jobs, shots; and no progress bar unless asked for."""

import copy
import math
import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
from aqt_fast import compile as compile_circuit
from aqt_fast.aqt_resource import UnknownOptionWarning
from aqt_fast.exceptions import InvalidInputError, InvalidOptionError
from aqt_fast.jobs import progress_bar
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

BOTH = pytest.mark.parametrize("kind", [AQTSampler, AQTEstimator])


def circuit(*, measured: bool) -> QuantumCircuit:
    """Two gates on either side of a parameter, which merge at higher levels only."""
    theta = Parameter("θ")
    made = QuantumCircuit(2)
    made.rx(theta, 0)
    made.ry(0.3, 0)
    made.rxx(0.25, 0, 1)
    made.rxx(theta, 0, 1)
    if measured:
        made.measure_all()
    return made


def jobs_of(primitive):
    """Run the circuit with the parameter 0.5, and return the jobs of the backend."""
    if isinstance(primitive, AQTSampler):
        job = primitive.run([(circuit(measured=True), [0.5])])
    else:
        job = primitive.run([(circuit(measured=False), SparsePauliOp("ZZ"), [0.5])])
    job.result()
    return job.jobs


def counts_of(primitive):
    """Run the circuit, and return the counts of the backend's job."""
    (job,) = jobs_of(primitive)
    return job.result().get_counts()


def operations(primitive) -> dict[str, int]:
    """Count the gates that ran."""
    ((ran,),) = (job.circuits for job in jobs_of(primitive))
    return {name: ran.count_ops().get(name, 0) for name in ("rz", "r", "rxx")}


def compiled(backend, level: int) -> dict[str, int]:
    """Count the gates of ``aqt_fast.compile`` at a level."""
    bound = circuit(measured=True).assign_parameters([0.5])
    count = compile_circuit(bound, backend, optimization_level=level).count_ops()
    return {name: count.get(name, 0) for name in ("rz", "r", "rxx")}


@BOTH
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_optimization_level(backend, kind, level):
    """By option, by attribute or by ``set_transpile_options``, as ``aqt_fast.compile``."""
    by_option = kind(backend, {"optimization_level": level, "seed_simulator": 1})
    inside = kind(backend, {"run_options": {"optimization_level": level}})
    later, by_attribute = kind(backend), kind(backend)
    later.set_transpile_options(optimization_level=level)
    by_attribute.options.optimization_level = level
    for primitive in (by_option, inside, later, by_attribute):
        assert primitive.transpile_options == {"optimization_level": level}
        assert operations(primitive) == compiled(backend, level)


@BOTH
def test_optimization_level_by_default(backend, kind):
    """Optimised: one rxx for two."""
    primitive = kind(backend)
    assert primitive.transpile_options == {"optimization_level": 2}
    assert operations(primitive) == compiled(backend, 2)
    assert (compiled(backend, 0)["rxx"], compiled(backend, 2)["rxx"]) == (2, 1)


@BOTH
def test_other_transpile_options(backend, kind):
    """Nothing transpiles: an error says what to do."""
    primitive = kind(backend)
    for name in ("initial_layout", "seed_transpiler", "backend"):
        with pytest.raises(InvalidInputError, match=f"without '{name}': run what qiskit.transp"):
            primitive.set_transpile_options(**{name: 7})
    primitive.set_transpile_options()
    assert primitive.transpile_options == {"optimization_level": 2}


@BOTH
@pytest.mark.parametrize("level", [4, -1, "3", 1.0, True])
def test_bad_level(backend, kind, level):
    """The error names the option, and nothing changes."""
    with pytest.raises(InvalidOptionError, match=r"^optimization_level must be"):
        kind(backend, {"optimization_level": level})
    primitive = kind(backend)
    with pytest.raises(InvalidOptionError, match=r"^optimization_level must be"):
        primitive.set_transpile_options(optimization_level=level)
    assert primitive.transpile_options == {"optimization_level": 2}
    primitive.options.optimization_level = level
    with pytest.raises(InvalidOptionError, match=r"^optimization_level must be"):
        jobs_of(primitive)


@BOTH
def test_unknown_options(backend, kind):
    """Refused, with the names that there are."""
    with pytest.raises(InvalidInputError, match=r"no option 'shot', .*; did you mean 'shots'\?$"):
        kind(backend, {"shot": 5})
    with pytest.raises(InvalidInputError, match="no transpile option 'level', only optimiz"):
        kind(backend).set_transpile_options(level=3)
    with pytest.raises(InvalidInputError, match="an AQT backend, not an object of type 'str'"):
        kind("backend")


@BOTH
def test_options_of_jobs(backend, kind):
    """Given alone as in 1.x, or in ``run_options``; those alone come first."""
    alone = kind(backend, {"query_timeout_seconds": 70, "journal": False})
    inside = kind(backend, {"run_options": {"query_timeout_seconds": 70, "journal": False}})
    both = kind(
        backend,
        {
            "query_timeout_seconds": 70,
            "run_options": {"query_timeout_seconds": 7, "journal": False},
        },
    )
    for primitive in (alone, inside, both):
        (job,) = jobs_of(primitive)
        assert (job.options.query_timeout_seconds, job.options.journal) == (70, False)
        assert primitive.options.run_options["query_timeout_seconds"] == 70
    with pytest.raises(InvalidOptionError, match="query_period_seconds"):
        kind(backend, {"query_period_seconds": 0})


def test_shots(backend):
    """``shots`` as in 1.x; ``default_shots`` can be changed."""
    sampler = AQTSampler(backend, {"shots": 70, "memory": True})
    assert sampler.default_shots == sampler.options.default_shots == 70
    sampler.default_shots = 30
    assert jobs_of(sampler)[0].options.shots == 30
    with pytest.raises(InvalidOptionError, match="shots"):
        sampler.default_shots = 0
    estimator = AQTEstimator(backend, {"shots": 400})
    assert estimator.options.default_precision == pytest.approx(1 / math.sqrt(400))
    assert jobs_of(estimator)[0].options.shots == 400
    with pytest.raises(InvalidOptionError, match="shots"):
        AQTEstimator(backend, {"shots": 0})


@BOTH
def test_run_options(backend, kind):
    """What a primitive sets itself is taken from there, too, also when it was changed later."""
    primitive = kind(backend, {"run_options": {"shots": 50, "seed_simulator": 3, "label": "x"}})
    (job,) = jobs_of(primitive)
    assert (job.options.shots, job.options.seed_simulator, job.options.label) == (50, 3, "x")
    assert primitive.options.seed_simulator == 3
    primitive.options.run_options = {"shots": 40, "seed_simulator": 4}
    (job,) = jobs_of(primitive)
    assert (job.options.shots, job.options.seed_simulator, job.options.label) == (40, 4, None)
    beside = kind(backend, {"shots": 9, "run_options": {"shots": 4, "seed_simulator": None}})
    assert jobs_of(beside)[0].options.shots == 9
    with pytest.raises(InvalidOptionError, match=r"^shots must be"):
        kind(backend, {"run_options": {"shots": 0}})
    primitive.options.run_options = {"shots": -1}
    with pytest.raises(InvalidOptionError, match=r"^shots must be"):
        jobs_of(primitive)


@BOTH
def test_memory(backend, kind):
    """Primitives read each shot anyway."""
    for options in (None, {"memory": False}, {"run_options": {"memory": True}}):
        assert jobs_of(kind(backend, options))[0].options.memory is True
    with pytest.raises(InvalidOptionError, match=r"^memory must be"):
        jobs_of(kind(backend, {"run_options": {"memory": "yes"}}))


@BOTH
def test_unknown_run_options(backend, kind):
    """As of the backend's ``run``: a simulator warns."""
    with pytest.warns(UnknownOptionWarning, match="'shotz' is unknown.*; did you mean 'shots'"):
        jobs_of(kind(backend, {"run_options": {"shotz": 5}}))


@BOTH
def test_executor(backend, kind):
    """Its workers simulate, with the same outcomes; a copy in a pickle has none."""
    with ThreadPoolExecutor(1) as executor:
        primitive = kind(backend, {"executor": executor, "seed_simulator": 4})
        other = kind(backend, {"seed_simulator": 4})
        assert counts_of(primitive) == counts_of(other)
        assert pickle.loads(pickle.dumps(primitive)).options.executor is None  # noqa: S301
    primitive.options.executor = "executor"
    with pytest.raises(InvalidOptionError, match="executor"):
        jobs_of(primitive)


@BOTH
def test_suggestions(backend, kind):
    """Of the option that was probably meant."""
    for name, meant in (("shotz", "shots"), ("seed", "seed_simulator"), ("job_name", "label")):
        with pytest.raises(InvalidInputError, match=f"'{name}', .*; did you mean '{meant}'"):
            kind(backend, {name: 5})
    with pytest.raises(InvalidInputError, match=r"'optimisation_level'.* mean 'optimization_l"):
        kind(backend).set_transpile_options(optimisation_level=3)


@BOTH
def test_progress_bar(backend, kind, capfd, monkeypatch):
    """None unless an option of the primitive asks for it."""
    monkeypatch.setattr(progress_bar, "BAR_DELAY_SECONDS", 0.0)
    backend.options.with_progress_bar = True
    for options in (None, {"with_progress_bar": False}, {"run_options": {"label": "x"}}):
        jobs_of(kind(backend, options))
    assert capfd.readouterr().err == ""
    for options in ({"with_progress_bar": True}, {"run_options": {"with_progress_bar": True}}):
        (job,) = jobs_of(kind(backend, options))
        assert job.options.with_progress_bar


def test_a_copy_keeps_the_executor(backend):
    """Its options are its own, and its workers those of the original."""
    with ThreadPoolExecutor(1) as executor:
        sampler = AQTSampler(backend, {"executor": executor})
        copied = copy.copy(sampler)
        assert copied.options.executor is executor
        copied.options.default_shots = 7
        assert sampler.options.default_shots == 1024


class TestMisspelt:
    """Options that do not exist are refused wherever they are given."""

    def test_attribute(self, backend):
        """An assignment would otherwise change nothing, without a word."""
        estimator = AQTEstimator(backend)
        with pytest.raises(AttributeError, match="did you mean 'grouping'"):
            estimator.options.gruoping = "none"
        with pytest.raises(AttributeError, match="there is no option 'grouping'"):
            AQTSampler(backend).options.grouping = "none"
        estimator.options.grouping = "none"
        assert estimator.options.grouping == "none"

    @pytest.mark.parametrize("kind", [AQTSampler, AQTEstimator])
    def test_no_dict(self, backend, kind):
        """Neither the options nor those of the job are a number or a list."""
        with pytest.raises(InvalidInputError, match="options must be a dict, not of type 'list'"):
            kind(backend, [1])
        with pytest.raises(InvalidInputError, match="run_options"):
            kind(backend, {"run_options": 3})
