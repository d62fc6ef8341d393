"""The stage of ``qiskit.transpile`` for AQT, and passes for pass managers of your own.

``qiskit.transpile(circuits, backend)`` needs none of these passes: the stage ``aqt_fast`` of our
backends does all that they do, and merges and folds gates natively.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from qiskit import QuantumCircuit
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.circuit.tools import pi_check
from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.transpiler import TransformationPass
from qiskit.transpiler.exceptions import TranspilerError

from aqt_fast.transpiler_plugin import AQTSchedulingPlugin

__all__ = [
    "AQTSchedulingPlugin",
    "EnsureSingleFinalMeasurement",
    "RewriteRxAsR",
    "TranspilerMixin",
    "WrapRxxAngles",
]


class RewriteRxAsR(TransformationPass):
    """Replace each rx by an r with θ ∈ [0, π] and φ ∈ {0, π}; the unitary stays the same."""

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the same DAG, changed.

        Raises:
            TranspilerError: an angle is not bound to a value.
        """
        for node in dag.named_nodes("rx"):
            theta = _bound(node)
            folded = math.atan2(math.sin(theta), math.cos(theta))
            turns = round((theta - folded) / (2 * math.pi))
            dag.global_phase += math.pi * (turns % 2)  # rx has the period 4π
            dag.substitute_node(node, RGate(abs(folded), math.pi if folded < 0 else 0.0))
        return dag


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
                dag.substitute_node(node, _wrapped(theta, self.SUBSTITUTE_GATE_NAME).to_gate())
        return dag


def _wrapped(theta: float, name: str) -> QuantumCircuit:
    """Express rxx by one with θ ∈ [0, π/2].

    With θ = θ' + kπ, RXX(θ) is RXX(θ') times (−i X⊗X) to the power of k, X is i·R(π, 0), and a Z on
    either side of RXX reverses its sign.
    """
    half_turns = round(theta / math.pi)
    rest = theta - half_turns * math.pi
    circuit = QuantumCircuit(2, name=f"{name}({pi_check(theta)})")
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
    return circuit


class EnsureSingleFinalMeasurement(TransformationPass):
    """Move measurements to the end, each pair of qubit and bit once.

    Barriers behind the measurement of one of their qubits are dropped. A qubit may be measured into
    several bits: each of them has its value.
    """

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return a new DAG.

        Raises:
            TranspilerError: an operation follows the measurement of its qubit, or depends on it.
        """
        target = dag.copy_empty_like()
        final: dict[tuple[object, object], DAGOpNode] = {}
        for node in dag.topological_op_nodes():
            touched = {qubit for qubit, _ in final}.intersection(node.qargs)
            read = {bit for _, bit in final}.intersection(node.cargs)
            if node.name == "measure":
                pair = (node.qargs[0], node.cargs[0])
                final.pop(pair, None)  # the later one decides what the bit holds
                final[pair] = node
            elif node.name == "barrier" and touched:
                continue
            elif touched or read:
                raise TranspilerError(
                    f"'{node.name}' follows the measurement of a qubit it acts on"
                )
            else:
                target.apply_operation_back(node.op, node.qargs, node.cargs)
        for node in final.values():
            target.apply_operation_back(node.op, node.qargs, node.cargs)
        return target


class TranspilerMixin:
    """Makes ``qiskit.transpile`` use our stages for a backend of your own with AQT's gates."""

    def get_translation_stage_plugin(self) -> str:
        """Return the name of the stage in which ``qiskit.transpile`` decomposes gates."""
        return "aqt_fast"

    def get_scheduling_stage_plugin(self) -> str:
        """Return the name of the final stage of ``qiskit.transpile``."""
        return "aqt_fast"


def _bound(node: DAGOpNode) -> float:
    (theta,) = node.op.params
    to_float: Callable[[object], float] = float  # type: ignore[assignment]
    try:
        return to_float(theta)
    except TypeError as error:
        raise TranspilerError(
            f"'{node.name}' has the unbound parameter {theta}: bind it first"
        ) from error
