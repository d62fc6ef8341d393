"""Hypothesis strategies: circuits that a device accepts, and responses about them."""

from __future__ import annotations

import json
import math

from hypothesis import strategies as st
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit


def angles(upper: float):
    """Angles from 0 to ``upper`` radians, the bounds more often than by chance."""
    return st.one_of(st.sampled_from([0.0, upper]), st.floats(0, upper))


@st.composite
def circuits(draw, max_gates: int = 12):
    """Circuits of rz, r, rxx and barriers, then measurements into any of several registers."""
    num_qubits = draw(st.integers(1, 6))
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    circuit = QuantumCircuit(
        QuantumRegister(num_qubits, "q"),
        *(ClassicalRegister(size, f"c{index}") for index, size in enumerate(sizes)),
    )
    qubit = st.integers(0, num_qubits - 1)
    for kind in draw(st.lists(st.integers(0, 3), max_size=max_gates)):
        if kind == 0:
            circuit.rz(draw(st.floats(-1e6, 1e6)), draw(qubit))
        elif kind == 1:
            circuit.r(draw(angles(math.pi)), draw(angles(2 * math.pi)), draw(qubit))
        elif kind == 2 and num_qubits > 1:
            pair = draw(st.lists(qubit, min_size=2, max_size=2, unique=True))
            circuit.rxx(draw(angles(math.pi / 2)), *pair)
        else:
            circuit.barrier()
    clbit = st.integers(0, circuit.num_clbits - 1)
    for _ in range(draw(st.integers(1, 6))):
        circuit.measure(draw(qubit), draw(clbit))
    return circuit


@st.composite
def register_layouts(draw):
    """Circuits of 1 to 5 qubits with measurements only, and classical bits in any arrangement.

    Bits are loose or in registers; registers may share bits, and have them in any order.
    """
    num_qubits = draw(st.integers(1, 5))
    circuit = QuantumCircuit(QuantumRegister(num_qubits, "q"))
    for index in range(draw(st.integers(1, 4))):
        name = f"c{index}"
        kind = draw(st.sampled_from(["own bits", "own bits", "loose bits", "bits that are there"]))
        if kind == "own bits":
            circuit.add_register(ClassicalRegister(draw(st.integers(1, 4)), name))
        elif kind == "loose bits" or not circuit.clbits:
            circuit.add_bits([Clbit() for _ in range(draw(st.integers(1, 4)))])
        else:
            bits = draw(st.lists(st.sampled_from(circuit.clbits), min_size=1, unique=True))
            circuit.add_register(ClassicalRegister(name=name, bits=bits))
    clbit = st.integers(0, circuit.num_clbits - 1)
    for _ in range(draw(st.integers(1, 6))):
        circuit.measure(draw(st.integers(0, num_qubits - 1)), draw(clbit))
    return circuit


@st.composite
def responses(draw):
    """Pairs of circuits and the body of a finished response about them, in any layout."""
    batch = draw(st.lists(circuits(max_gates=0), min_size=1, max_size=3))
    num_shots = draw(st.integers(1, 12))
    result = {
        str(index): draw(
            st.lists(
                st.lists(st.integers(0, 1), min_size=n, max_size=n),
                min_size=num_shots,
                max_size=num_shots,
            )
        )
        for index, n in enumerate(circuit.num_qubits for circuit in batch)
    }
    response = {"status": "finished", "result": result, "timing_data": None, "x": [{}, -1.5e3]}
    document = {"job": {"job_id": "…\n"}, "response": response}
    for part in (result, response, document):
        order = draw(st.permutations(list(part)))
        values = [part.pop(key) for key in order]
        part.update(zip(order, values, strict=True))
    layout = draw(
        st.sampled_from(
            [{"separators": (",", ":")}, {}, {"indent": 1}, {"separators": (" ,\t", " : ")}]
        )
    )
    return batch, num_shots, json.dumps(document, **layout).encode()
