"""Stages of ``qiskit.transpile`` for AQT: decompose gates, normalise angles, measure last.

Definitions as in Qiskit and in AQT's interface: RZ(φ) = exp(−iφZ/2),
R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), RXX(θ) = exp(−iθ X⊗X/2).
"""

from __future__ import annotations

from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.dagcircuit import DAGCircuit
from qiskit.transpiler import PassManager, PassManagerConfig, Target, TransformationPass
from qiskit.transpiler.passes import BasisTranslator
from qiskit.transpiler.preset_passmanagers.plugin import (
    PassManagerStagePlugin,
    PassManagerStagePluginManager,
)

from aqt_fast import _native
from aqt_fast.angle_passes import (
    RewriteRxAsR,
    WrapRxxAngles,
    rewrite_rx_as_r,
    wrap_rxx_angle,
)

__all__ = [
    "AQTSchedulingPlugin",
    "AQTTranslationPlugin",
    "LowerToAQT",
    "RewriteRxAsR",
    "UnboundParametersTarget",
    "WrapRxxAngles",
    "aqt_scheduling_stage",
    "aqt_translation_stage",
    "bound_pass_manager",
    "rewrite_rx_as_r",
    "wrap_rxx_angle",
]

_GATES = {"r": RGate, "rz": RZGate, "rxx": RXXGate}


class LowerToAQT(TransformationPass):
    """Lower a circuit of standard gates to the form of AQT's interface.

    - Gates on two or more qubits become rxx and single-qubit gates, by exact rules: one rxx for a
      controlled rotation or a product of two Paulis.
    - The single-qubit gates between two interactions of a qubit become at most one r, with
      θ ∈ (0, π] and φ ∈ [0, 2π), followed by at most one rz.
    - Rotations about X commute with rxx. They move through it to where they save most r, then
      most operations, and never where they cost one.
    - θ of rxx is in (0, π/2], with corrections in the adjacent single-qubit gates. Adjacent rxx
      on the same pair merge if only rotations about X stand between them.
    - An rz directly before a measurement is dropped.
    - Measurements come last, in their order, but before operations that may depend on them.
    - Barriers stay in place, and nothing is merged across them.
    - Gates with unbound parameters and operations unknown to the native code stay as they are.

    The unitary, including the global phase, stays the same up to dropped rz. A DAG that already has
    this form is returned as it is. In any other DAG, labels of gates and measurements are lost.

    Args:
        merge: if False, lower each gate on its own, and drop no rz before a measurement.
        final_measurements: if False, leave a measurement in place that is not its qubit's last
            operation, instead of refusing it.
    """

    def __init__(self, *, merge: bool = True, final_measurements: bool = True) -> None:
        """Take the options that the class describes."""
        super().__init__()
        self._merge = merge
        self._final_measurements = final_measurements

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the lowered circuit, or the same object if it has the form already.

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
    """The translation stage ``aqt_fast``: Qiskit's stage with :class:`LowerToAQT` inserted.

    The pass runs between Qiskit's synthesis, which produces standard gates, and Qiskit's basis
    translator, which handles the gates with unbound parameters that the pass leaves.
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
        del pass_manager_config  # AQT's form does not depend on the configuration
        return PassManager([LowerToAQT(merge=optimization_level != 0)])


class UnboundParametersTarget(Target):
    """A target for circuits whose parameters have no values yet, as 1.x of the peer marks them.

    Our stages need no mark: they leave such gates to :func:`bound_pass_manager`.
    """


def bound_pass_manager() -> PassManager:
    """Return the passes for a circuit that was transpiled before its parameters had values."""
    return PassManager([LowerToAQT()])


def aqt_translation_stage() -> PassManagerStagePlugin:
    """Make the translation stage ``aqt``: the peer's if that is installed, else ours."""
    return _theirs_or("AQTTranslationPlugin", AQTTranslationPlugin)


def aqt_scheduling_stage() -> PassManagerStagePlugin:
    """Make the scheduling stage ``aqt``: the peer's if that is installed, else ours."""
    return _theirs_or("AQTSchedulingPlugin", AQTSchedulingPlugin)


def _theirs_or(name: str, ours: type[PassManagerStagePlugin]) -> PassManagerStagePlugin:
    """Make the peer's stage: it registers the same name, and either may be found."""
    try:
        from qiskit_aqt_provider import transpiler_plugin as theirs

        made: PassManagerStagePlugin = getattr(theirs, name, ours)()
    except Exception:  # noqa: BLE001 - it is not installed, or not made for this Qiskit
        return ours()
    return made
