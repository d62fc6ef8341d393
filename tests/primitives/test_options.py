"""Options of primitives: transpiling, their jobs, shots; and no progress bar unless asked for."""

import math

import pytest
from aqt_fast.exceptions import InvalidInputError, InvalidOptionError
from aqt_fast.jobs import waiting
from aqt_fast.primitives import AQTEstimator, AQTSampler
from qiskit import QuantumCircuit, transpile
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


def operations(primitive) -> dict[str, int]:
    """Count the gates that ran."""
    ((ran,),) = (job.circuits for job in jobs_of(primitive))
    return {name: ran.count_ops().get(name, 0) for name in ("rz", "r", "rxx")}


def transpiled(backend, level: int) -> dict[str, int]:
    """Count the gates of Qiskit's transpiler at a level."""
    bound = circuit(measured=True).assign_parameters([0.5])
    count = transpile(bound, backend, optimization_level=level).count_ops()
    return {name: count.get(name, 0) for name in ("rz", "r", "rxx")}


@BOTH
@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_optimization_level(backend, kind, level):
    """By option or by ``set_transpile_options``, as ``qiskit.transpile`` at that level."""
    by_option = kind(backend, {"optimization_level": level, "seed_simulator": 1})
    later = kind(backend)
    later.set_transpile_options(optimization_level=level)
    expected = transpiled(backend, level)
    assert operations(by_option) == operations(later) == expected
    assert by_option.transpile_options == later.transpile_options == {"optimization_level": level}


@BOTH
def test_optimization_level_by_default(backend, kind):
    """Not optimised: two rxx where level 1 has one."""
    primitive = kind(backend)
    assert primitive.transpile_options == {"optimization_level": 0}
    assert operations(primitive) == transpiled(backend, 0)
    assert transpiled(backend, 0)["rxx"] == 2
    assert transpiled(backend, 1)["rxx"] == 1


@BOTH
def test_other_transpile_options(backend, kind):
    """They add up, and do not change what ``transpile_options`` has returned."""
    primitive = kind(backend)
    before = primitive.transpile_options
    primitive.set_transpile_options(seed_transpiler=7)
    primitive.set_transpile_options(initial_layout=[3, 1])
    assert before == {"optimization_level": 0}
    assert primitive.transpile_options == {
        "optimization_level": 0,
        "seed_transpiler": 7,
        "initial_layout": [3, 1],
    }
    (job,) = jobs_of(primitive)
    assert job.circuits[0].num_qubits > 3


@BOTH
@pytest.mark.parametrize("level", [4, -1, "3", 1.0, True])
def test_bad_level(backend, kind, level):
    """The error names the option, and nothing changes."""
    with pytest.raises(InvalidOptionError, match=r"^optimization_level must be"):
        kind(backend, {"optimization_level": level})
    primitive = kind(backend)
    with pytest.raises(InvalidOptionError, match=r"^optimization_level must be"):
        primitive.set_transpile_options(optimization_level=level)
    assert primitive.transpile_options == {"optimization_level": 0}


@BOTH
def test_unknown_options(backend, kind):
    """Refused, with the names that there are."""
    with pytest.raises(InvalidInputError, match=r"no option 'shot', .*; did you mean 'shots'\?$"):
        kind(backend, {"shot": 5})
    with pytest.raises(InvalidInputError, match=r"no transpile option 'level', only .*optimiz"):
        kind(backend).set_transpile_options(level=3)
    with pytest.raises(InvalidInputError, match="no transpile option 'backend'"):
        kind(backend).set_transpile_options(backend=backend)


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
    """A sampler reads each shot anyway."""
    (job,) = jobs_of(kind(backend, {"run_options": {"memory": True}}))
    assert job.options.memory is True
    if kind is AQTSampler:
        assert jobs_of(kind(backend, {"memory": False}))[0].options.memory is True
        with pytest.raises(InvalidOptionError, match=r"^memory must be"):
            kind(backend, {"run_options": {"memory": "yes"}})


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
    monkeypatch.setattr(waiting, "BAR_DELAY_SECONDS", 0.0)
    backend.options.with_progress_bar = True
    for options in (None, {"with_progress_bar": False}, {"run_options": {"label": "x"}}):
        jobs_of(kind(backend, options))
    assert capfd.readouterr().err == ""
    for options in ({"with_progress_bar": True}, {"run_options": {"with_progress_bar": True}}):
        (job,) = jobs_of(kind(backend, options))
        assert job.options.with_progress_bar
