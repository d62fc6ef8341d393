"""Stages of ``qiskit.transpile`` for AQT: gates taken apart, angles in range, measurements last.

Definitions as in Qiskit and on the wire: RZ(φ) = exp(−iφZ/2),
R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), RXX(θ) = exp(−iθ X⊗X/2).
"""

from __future__ import annotations

from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import PassManager, PassManagerConfig, TransformationPass
from qiskit.transpiler.passes import BasisTranslator
from qiskit.transpiler.preset_passmanagers.plugin import (
    PassManagerStagePlugin,
    PassManagerStagePluginManager,
)

from aqt_fast import _native

_GATES = {"r": RGate, "rz": RZGate, "rxx": RXXGate}


class LowerToAQT(TransformationPass):
    """Bring a circuit of standard gates into the form of AQT's interface.

    - Gates on two and more qubits become rxx and single-qubit gates, by rules that are exact: one
      rxx for a controlled rotation or a product of two Paulis;
    - the single-qubit gates between two interactions of a qubit become at most one r, with
      θ ∈ (0, π] and φ ∈ [0, 2π), and one rz after it;
    - rotations about X are carried through rxx, with which they commute, to where they save most
      r, and then most operations; never at the cost of an operation;
    - θ of rxx ends in (0, π/2], with the corrections in the neighbouring single-qubit gates, and
      neighbouring rxx on the same pair become one if only rotations about X stand between;
    - an rz that only a measurement follows is dropped;
    - measurements come last, in their order, but before operations that may depend on them;
    - barriers stay where they are, and nothing is merged across them;
    - gates with unbound parameters, and operations that are not known natively, stay as they are.

    Up to the dropped rz, the unitary stays the same, global phase included. A DAG that is in this
    form is handed on as it is; in any other one, labels of gates and measurements are not kept.

    Args:
        merge: if False, each gate is taken on its own, and no rz before a measurement is dropped.
        final_measurements: if False, a measurement that is not the last of its qubit stays where
            it is, instead of being refused.
    """

    def __init__(self, *, merge: bool = True, final_measurements: bool = True) -> None:
        """See the class."""
        super().__init__()
        self._merge = merge
        self._final_measurements = final_measurements

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the new circuit, or the same.

        Raises:
            TranspilerError: an operation follows the measurement of its qubit.
        """
        lowered = _native.lower_dag(dag, self._merge, self._final_measurements)
        if isinstance(lowered, DAGCircuit):
            return lowered
        steps, phase = lowered
        nodes = {node._node_id: node for node in dag.op_nodes()}  # noqa: SLF001
        target = dag.copy_empty_like()
        target.global_phase += phase
        for step in steps:
            if isinstance(step, int):
                node = nodes[step]
                target.apply_operation_back(node.op, node.qargs, node.cargs)
            else:
                name, qubits, params = step
                gate = _GATES[name](*params)
                target.apply_operation_back(gate, [dag.qubits[index] for index in qubits])
        return target


class AQTTranslationPlugin(PassManagerStagePlugin):
    """The translation stage ``aqt_fast``: Qiskit's own, with :class:`LowerToAQT` in it.

    It stands between Qiskit's synthesis, which leaves standard gates, and Qiskit's basis
    translator, for which it leaves gates with unbound parameters.
    """

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Make the stage for an optimisation level; None stands for Qiskit's default level."""
        stage = PassManagerStagePluginManager().get_passmanager_stage(
            "translation", "translator", pass_manager_config, optimization_level
        )
        lower = LowerToAQT(merge=optimization_level != 0, final_measurements=False)
        passes = PassManager()
        for task in stage.to_flow_controller().tasks:
            if isinstance(task, BasisTranslator):
                passes.append(lower)
            passes.append(task)
        return passes


class AQTSchedulingPlugin(PassManagerStagePlugin):
    """The scheduling stage ``aqt_fast``: :class:`LowerToAQT`, which merges from level 1 on."""

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Make the stage for an optimisation level; None stands for Qiskit's default level."""
        del pass_manager_config  # what AQT needs does not depend on it
        return PassManager([LowerToAQT(merge=optimization_level != 0)])
