"""Templates: circuits with parameters are compiled as bound circuits are."""

from __future__ import annotations

import math

import aqt_fast
import numpy as np
import parameterised
import pytest
from aqt_connector.models.arnica.request_bodies.jobs import SubmitJobRequest
from aqt_fast.exceptions import InvalidCircuitError
from aqt_fast.primitives.templates import Template, snapshot_of
from aqt_fast.wire.circuits import Limits
from aqt_fast.wire.snapshot import Snapshot
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter

LIMITS = Limits(circuits=None, shots=None)


def pulses(circuit: QuantumCircuit) -> tuple[int, int]:
    """Numbers of RXX and of R."""
    found = circuit.count_ops()
    return found.get("rxx", 0), found.get("r", 0)


@pytest.mark.parametrize("seed", range(40))
def test_plain(backend, seed):
    """The request bodies are those of circuits that were bound first and compiled after."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 5)), int(rng.integers(1, 25))
    drawn = parameterised.circuit(rng, *size, plain=True)
    level = int(rng.integers(4))
    values = parameterised.sets(rng, drawn, 6)
    found = snapshot_of([(Template(drawn, backend, level), values)], LIMITS)
    bound = [drawn.assign_parameters(row) for row in values]
    expected = Snapshot(aqt_fast.compile(bound, backend, optimization_level=level), LIMITS)
    body = found.encode_job(0, 6, 100, "sweep")
    SubmitJobRequest.model_validate_json(body)
    assert body == expected.encode_job(0, 6, 100, "sweep")
    assert found.headers == [{**header, "name": "drawn"} for header in expected.headers]


@pytest.mark.parametrize("seed", range(60))
def test_any(backend, seed):
    """Circuits measure what the bound ones do, with no more pulses than when compiled after."""
    rng = np.random.default_rng(seed)
    drawn = parameterised.circuit(rng, int(rng.integers(1, 5)), int(rng.integers(1, 25)))
    level = int(rng.integers(4))
    values = parameterised.sets(rng, drawn, 6)
    found = snapshot_of([(Template(drawn, backend, level), values)], LIMITS)
    bound = [drawn.assign_parameters(row) for row in values]
    compiled = aqt_fast.compile(bound, backend, optimization_level=level)
    for ours, theirs, circuit in zip(found.rebuilt(), compiled, bound, strict=True):
        assert parameterised.outcomes(ours) == pytest.approx(
            parameterised.outcomes(circuit), abs=1e-6
        )
        assert pulses(ours) == pulses(theirs)
    SubmitJobRequest.model_validate_json(found.encode_job(0, 6, 100, "sweep"))


def test_saved(backend):
    """A snapshot of several templates is loaded with the same circuits, whole and in parts."""
    rng = np.random.default_rng(1)
    sweeps = []
    for size in (3, 0, 1, 40):
        drawn = parameterised.circuit(rng, 3, 12)
        sweeps.append((Template(drawn, backend, 2), parameterised.sets(rng, drawn, size)))
    whole = snapshot_of(sweeps, LIMITS)
    again = Snapshot.from_saved(whole.to_bytes(), whole.headers)
    assert len(again) == 44
    assert again.encode_job(0, 44, 7, "x") == whole.encode_job(0, 44, 7, "x")
    assert again.is_of(whole.rebuilt())
    part = Snapshot.from_saved(whole.part(2, 6), whole.headers[2:6])
    assert part.encode_job(0, 4, 7, "x") == whole.encode_job(2, 6, 7, "x")


def test_is_small(backend):
    """A template and its values are saved, not the circuits."""
    circuit = QuantumCircuit(4)
    angle = Parameter("a")
    for qubit in range(3):
        circuit.rzz(angle, qubit, qubit + 1)
        circuit.rx(2 * angle, qubit)
    circuit.measure_all()
    template = Template(circuit, backend, 2)
    sizes = [
        len(snapshot_of([(template, np.ones((size, 1)))], LIMITS).to_bytes()) for size in (1, 1001)
    ]
    assert sizes[1] - sizes[0] == 2 * 8 * 1000


def test_needs_values(backend):
    """An operation that is defined for numbers only is compiled set by set."""

    class Numeric(Gate):
        def __init__(self, angle: object) -> None:
            super().__init__("numeric", 1, [angle])

        def _define(self) -> None:
            self.definition = QuantumCircuit(1)
            self.definition.rx(math.sin(float(self.params[0])), 0)

    circuit = QuantumCircuit(1, 1)
    circuit.append(Numeric(Parameter("a")), [0])
    circuit.measure(0, 0)
    template = Template(circuit, backend, 2)
    assert not template.is_native
    found = snapshot_of([(template, np.array([[0.5], [1.5]]))], LIMITS)
    angles = [circuit.data[0].operation.params[0] for circuit in found.rebuilt()]
    assert angles == pytest.approx([math.sin(0.5), math.sin(1.5)])


class TestRefused:
    """All circuits that cannot run are named, by their places in the snapshot."""

    def test_circuit(self, backend):
        """What no value can mend is refused with the template."""
        circuit = QuantumCircuit(1, 1)
        circuit.rx(Parameter("a"), 0)
        circuit.measure(0, 0)
        circuit.x(0)
        with pytest.raises(InvalidCircuitError, match="after a measurement"):
            Template(circuit, backend, 2)

    def test_angles(self, backend):
        """Values at which an angle is no finite number."""
        angle = Parameter("a")
        circuit = QuantumCircuit(1)
        circuit.rx(1 / angle, 0)
        circuit.measure_all()
        good = QuantumCircuit(1)
        good.measure_all()
        sweeps = [
            (Template(good, backend, 2), np.zeros((2, 0))),
            (Template(circuit, backend, 2), np.array([[1.0], [0.0], [2.0], [np.nan]])),
        ]
        with pytest.raises(InvalidCircuitError) as raised:
            snapshot_of(sweeps, LIMITS)
        assert [problem.circuit for problem in raised.value.problems] == [3, 5]

    def test_length(self, backend):
        """Values at which a circuit has too many operations; others do not mend it."""
        angles = [Parameter(f"a{k}") for k in range(80)]
        circuit = QuantumCircuit(2)
        for angle in angles:
            circuit.rxx(angle, 0, 1)
            circuit.ry(angle, 0)
        circuit.measure_all()
        template = Template(circuit, backend, 2)
        values = np.vstack([np.zeros(80), np.linspace(0.1, 1, 80), np.linspace(0.2, 1, 80)])
        assert len(snapshot_of([(template, values)], LIMITS)) == 3
        short = Limits(circuits=None, shots=None, operations=20, qubits=2)
        few = Template(circuit, backend, 0)
        with pytest.raises(InvalidCircuitError) as raised:
            snapshot_of([(few, values)], short)
        assert [problem.circuit for problem in raised.value.problems] == [1, 2]
        assert "operations" in str(raised.value)


def test_expressions_without_a_derivative_are_bound_set_by_set(backend):
    """Qiskit derives no sign of a parameter."""
    angle = Parameter("a")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(angle.sign() + angle, 0)
    circuit.measure(0, 0)
    values = np.array([[0.3], [-0.7], [2.5]])
    found = snapshot_of([(Template(circuit, backend, 2), values)], LIMITS)
    bound = [circuit.assign_parameters(row) for row in values]
    expected = Snapshot(aqt_fast.compile(bound, backend, optimization_level=2), LIMITS)
    assert found.encode_job(0, 3, 100, "sign") == expected.encode_job(0, 3, 100, "sign")
