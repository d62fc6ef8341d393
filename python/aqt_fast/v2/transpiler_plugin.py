"""The stage of ``qiskit.transpile`` for AQT, and passes for pass managers of your own.

``qiskit.transpile(circuits, backend)`` needs none of these passes: the stage ``aqt_fast`` of our
backends does all that they do, and merges and folds gates natively.
"""

from __future__ import annotations

from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.transpiler import TransformationPass
from qiskit.transpiler.exceptions import TranspilerError

from aqt_fast.angle_passes import RewriteRxAsR, WrapRxxAngles
from aqt_fast.transpiler_plugin import AQTSchedulingPlugin

__all__ = [
    "AQTSchedulingPlugin",
    "EnsureSingleFinalMeasurement",
    "RewriteRxAsR",
    "TranspilerMixin",
    "WrapRxxAngles",
]


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
