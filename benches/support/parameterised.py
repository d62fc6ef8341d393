"""Random circuits with parameters, values for them, and what they measure."""

from __future__ import annotations

import math

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, Parameter, ParameterExpression
from qiskit.circuit.library import PauliEvolutionGate, get_standard_gate_name_mapping
from qiskit.quantum_info import SparsePauliOp, Statevector

_NO_GATES = {"measure", "reset", "delay", "global_phase"}

STANDARD = {
    name: gate
    for name, gate in get_standard_gate_name_mapping().items()
    if isinstance(gate, Gate) and name not in _NO_GATES
}
"""Qiskit's standard gates by name."""

SPECIAL = [0.0, math.pi / 2, -math.pi / 2, math.pi, -math.pi, 2 * math.pi, 1e-10]
"""Values at which gates merge or vanish."""


def expression(
    rng: np.random.Generator, parameters: list[Parameter]
) -> ParameterExpression | float:
    """Draw a number, a parameter, an affine expression or another one."""
    first, second = (parameters[k] for k in rng.integers(len(parameters), size=2))
    factor = float(rng.choice([-1.0, 0.5, 2.0, math.pi]))
    return [
        float(rng.uniform(-7, 7)),
        first,
        first,
        factor * first,
        first + factor * second - math.pi / 3,
        first * second,
        (first - 1) ** 2 / 3,
        first.sin() + second,
    ][rng.integers(8)]


def plain_angle(rng: np.random.Generator, parameters: list[Parameter]) -> Parameter | float:
    """Draw a number or a parameter."""
    return [float(rng.uniform(-7, 7)), *parameters][rng.integers(len(parameters) + 1)]


def circuit(
    rng: np.random.Generator, num_qubits: int, num_gates: int, *, plain: bool = False
) -> QuantumCircuit:
    """Draw a circuit of up to five parameters.

    Args:
        rng: where to draw from.
        num_qubits: number of qubits.
        num_gates: number of gates: standard ones, or custom gates and evolutions.
        plain: whether angles are numbers or parameters, and all gates are standard ones: then its
            angles are the same bit for bit, however they are computed.
    """
    parameters = [Parameter(f"p{k}") for k in range(rng.integers(1, 6))]
    drawn = QuantumCircuit(num_qubits, num_qubits + 1, name="drawn", metadata={"n": num_gates})
    names = [name for name, gate in STANDARD.items() if gate.num_qubits <= num_qubits]
    for _ in range(num_gates):
        kind = 9 if plain else rng.integers(20)
        if kind == 0:
            drawn.barrier(*range(rng.integers(1, num_qubits + 1)))
        elif kind == 1 and num_qubits > 1:
            pair = rng.choice(num_qubits, 2, replace=False).tolist()
            operator = SparsePauliOp(["XY", "ZI"], [0.7, -0.4])
            drawn.append(PauliEvolutionGate(operator, expression(rng, parameters)), pair)
        elif kind == 2 and num_qubits > 1:
            inner = QuantumCircuit(2, global_phase=parameters[0])
            inner.crz(expression(rng, parameters), 1, 0)
            inner.ry(expression(rng, parameters), 1)
            drawn.append(inner.to_gate(label="own"), rng.choice(num_qubits, 2, False).tolist())
        else:
            gate = STANDARD[str(rng.choice(names))]
            draw = plain_angle if plain else expression
            params = [draw(rng, parameters) for _ in gate.params]
            bits = rng.choice(num_qubits, gate.num_qubits, replace=False).tolist()
            drawn.append(type(gate)(*params) if params else gate, bits)
    measured = rng.permutation(num_qubits)[: rng.integers(1, num_qubits + 1)]
    drawn.measure(measured, rng.permutation(num_qubits + 1)[: len(measured)])
    return drawn


def sets(rng: np.random.Generator, drawn: QuantumCircuit, number: int) -> np.ndarray:
    """Draw parameter sets, some with special values."""
    values = rng.uniform(-7, 7, (number, drawn.num_parameters))
    special = rng.random(values.shape) < 0.3
    values[special] = rng.choice(SPECIAL, special.sum())
    return values


def outcomes(circuit: QuantumCircuit) -> dict[str, float]:
    """Return the probabilities of the outcomes of its measured classical bits, from 1e-9."""
    places = {
        circuit.find_bit(item.clbits[0]).index: circuit.find_bit(item.qubits[0]).index
        for item in circuit.data
        if item.operation.name == "measure"
    }
    bare = circuit.remove_final_measurements(inplace=False).decompose("PauliEvolution")
    bits = sorted(places)
    found = Statevector(bare).probabilities_dict([places[bit] for bit in bits])
    return {f"{bits}:{outcome}": value for outcome, value in found.items() if value > 1e-9}
