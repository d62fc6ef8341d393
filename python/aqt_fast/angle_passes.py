"""Passes that bring single angles into AQT's ranges, for pass managers of your own.

``qiskit.transpile(circuits, backend)`` needs none of them: the stages of our backends do all that
they do, and merge and fold gates natively.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from qiskit import QuantumCircuit
from qiskit.circuit import Gate
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.circuit.tools import pi_check
from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.transpiler import TransformationPass
from qiskit.transpiler.exceptions import TranspilerError


class RewriteRxAsR(TransformationPass):
    """Replace each rx by an r with θ ∈ [0, π] and φ ∈ {0, π}; the unitary stays the same."""

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the same DAG, changed.

        Raises:
            TranspilerError: an angle is not bound to a value.
        """
        for node in dag.named_nodes("rx"):
            theta = _bound(node)
            folded = _folded(theta)
            turns = round((theta - folded) / (2 * math.pi))
            dag.global_phase += math.pi * (turns % 2)  # rx has the period 4π
            dag.substitute_node(node, rewrite_rx_as_r(theta))
        return dag


def rewrite_rx_as_r(theta: float) -> RGate:
    """Return the r with θ ∈ [0, π] and φ ∈ {0, π} that equals RX(θ) up to global phase."""
    folded = _folded(theta)
    return RGate(abs(folded), math.pi if folded < 0 else 0.0)


class WrapRxxAngles(TransformationPass):
    """Replace each rxx with θ outside of [0, π/2] by an instruction with one rxx inside.

    Its name begins with :attr:`SUBSTITUTE_GATE_NAME`; Qiskit's pass ``Decompose`` takes it apart
    into an rxx with θ ∈ [0, π/2], rz, and r. The unitary stays the same.
    """

    SUBSTITUTE_GATE_NAME: Final = "Rxx-wrapped"
    """How the names of the instructions begin."""

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the same DAG, changed.

        Raises:
            TranspilerError: an angle is not bound to a value.
        """
        for node in dag.named_nodes("rxx"):
            theta = _bound(node)
            if not 0 <= theta <= math.pi / 2:
                dag.substitute_node(node, wrap_rxx_angle(theta))
        return dag


def wrap_rxx_angle(theta: float) -> Gate:
    """Return a gate that equals RXX(θ), made of rz, r and one rxx with θ ∈ [0, π/2].

    With θ = θ' + kπ, RXX(θ) is RXX(θ') times (−i X⊗X) to the power of k, X is i·R(π, 0), and a Z on
    either side of RXX reverses its sign.
    """
    half_turns = round(theta / math.pi)
    rest = theta - half_turns * math.pi
    name = f"{WrapRxxAngles.SUBSTITUTE_GATE_NAME}({pi_check(theta)})"
    circuit = QuantumCircuit(2, name=name)
    circuit.global_phase = -math.pi / 2 * (half_turns % 4)
    if half_turns % 2:
        circuit.global_phase += math.pi
        circuit.append(RGate(math.pi, 0.0), [0])
        circuit.append(RGate(math.pi, 0.0), [1])
    if rest < 0:
        circuit.append(RZGate(math.pi), [0])
    circuit.append(RXXGate(min(abs(rest), math.pi / 2)), [0, 1])
    if rest < 0:
        circuit.append(RZGate(-math.pi), [0])
    return circuit.to_gate()


def _folded(theta: float) -> float:
    """Return the angle in [−π, π] that differs by a multiple of 2π."""
    return math.atan2(math.sin(theta), math.cos(theta))


def _bound(node: DAGOpNode) -> float:
    (theta,) = node.op.params
    to_float: Callable[[object], float] = float  # type: ignore[assignment]
    try:
        return to_float(theta)
    except TypeError as error:
        raise TranspilerError(
            f"'{node.name}' has the unbound parameter {theta}: bind it first"
        ) from error
