"""Stages of ``qiskit.transpile`` for AQT: decompose gates, normalise angles, measure last.

Definitions as in Qiskit and in AQT's interface: RZ(φ) = exp(−iφZ/2),
R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), RXX(θ) = exp(−iθ X⊗X/2).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from itertools import islice
from typing import Any

from qiskit.circuit import (
    BoxOp,
    ControlFlowOp,
    Delay,
    ForLoopOp,
    Gate,
    Operation,
    Reset,
    Store,
    WhileLoopOp,
)
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.converters import circuit_to_dag
from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.passmanager import ConditionalController, DoWhileController, PropertySet
from qiskit.transpiler import (
    AnalysisPass,
    PassManager,
    PassManagerConfig,
    Target,
    TransformationPass,
    TranspilerError,
)
from qiskit.transpiler.passes import BasisTranslator, HighLevelSynthesis, UnitarySynthesis
from qiskit.transpiler.preset_passmanagers.plugin import (
    PassManagerStagePlugin,
    PassManagerStagePluginManager,
)

from aqt_fast import _native
from aqt_fast._forks import spare_qiskits_threads
from aqt_fast._places import on_qubits
from aqt_fast._reading import read_by
from aqt_fast.angle_passes import (
    RewriteRxAsR,
    WrapRxxAngles,
    rewrite_rx_as_r,
    wrap_rxx_angle,
)
from aqt_fast.definitions import GIVE_A_DEFINITION, NO_MEANING, is_namesake, meaning
from aqt_fast.exceptions import CircuitProblem, InvalidCircuitError

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

_OTHERS = "aqt_fast_others"
_CHANGED = "aqt_fast_changed"


class RefusedCircuitError(InvalidCircuitError, TranspilerError):
    """Inside of ``qiskit.transpile``, a circuit has operations that no AQT device runs.

    ``problems`` has them all. Their circuit has a name instead of an index.
    """

    def __init__(self, problems: Iterable[CircuitProblem]) -> None:
        """Describe the problems of one circuit."""
        InvalidCircuitError.__init__(self, tuple(problems))
        self.message = str(self)


def _refusal(
    dag: DAGCircuit, node: DAGOpNode, reason: str, mend: str, qubits: Iterable[int] | None = None
) -> CircuitProblem:
    if qubits is None:
        qubits = [dag.find_bit(qubit).index for qubit in node.qargs]
    indices = tuple(qubits)
    return CircuitProblem(
        circuit=None,
        instruction=None,
        operation=node.name,
        value=None,
        reason=reason + on_qubits(indices),
        qubits=indices,
        mend=mend,
        circuit_name=dag.name,
    )


class TakeApart(TransformationPass):
    """Replace gates that bear the name of a standard gate of Qiskit's, but are none.

    Each is replaced by the gate of AQT's set that it equals, by its definition, or by its matrix.
    The basis translator would take them for the gates of their names.
    ``property_set["aqt_fast_changed"]`` tells whether any was replaced.
    """

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the DAG, changed in place."""
        changed = False
        for index in _native.other_nodes(dag):
            node = dag.node(index)
            if not is_namesake(node.op):
                continue
            found = meaning(node.op)
            if found is None:
                raise RefusedCircuitError(
                    [_refusal(dag, node, NO_MEANING.format(node.name), GIVE_A_DEFINITION)]
                )
            replacement, phase = found
            changed = True
            if isinstance(replacement, Gate):
                dag.substitute_node(node, replacement)
                dag.global_phase += phase
            else:
                dag.substitute_node_with_dag(node, circuit_to_dag(replacement))
        self.property_set[_CHANGED] = changed
        return dag


_NO_CONTROL_FLOW = "AQT devices have no control flow"

_REFUSED: dict[type[Operation], tuple[str, str]] = {
    ForLoopOp: (_NO_CONTROL_FLOW, "unroll the loop"),
    WhileLoopOp: (_NO_CONTROL_FLOW, "unroll the loop"),
    BoxOp: (_NO_CONTROL_FLOW, "append what is in the box"),
    ControlFlowOp: (_NO_CONTROL_FLOW, "run a circuit for each branch"),
    Delay: ("AQT devices have no delays", "leave it out"),
    Reset: (
        "AQT devices reset qubits at the beginning of a circuit only",
        "use a qubit that no operation has used",
    ),
    Store: ("AQT devices have no classical variables", "remove the variable"),
}

_LATE = (
    "comes after a measurement; measurements must be the last operations",
    "use another qubit, or measure at the end",
)


class RefuseOperations(AnalysisPass):
    """Refuse delays, control flow, resets and variables that a target does not have, all together.

    Args:
        supported: names of the target's operations.
    """

    def __init__(self, supported: Container[str]) -> None:
        """Take the names."""
        super().__init__()
        self._supported = supported

    def run(self, dag: DAGCircuit) -> None:
        """Look at all operations.

        Raises:
            RefusedCircuitError: lists what the target does not have.
        """
        problems = []
        for index in _native.other_nodes(dag):
            node = dag.node(index)
            if node.name not in self._supported:
                kinds = (kind for kind in _REFUSED if isinstance(node.op, kind))
                problems += [_refusal(dag, node, *_REFUSED[kind]) for kind in islice(kinds, 1)]
        if problems:
            raise RefusedCircuitError(problems)


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
    - Resets of qubits that are still in ``|0⟩`` are dropped.
    - Barriers stay in place, and nothing is merged across them.
    - Gates with unbound parameters and operations unknown to the native code stay as they are.

    The unitary, including the global phase, stays the same up to dropped rz. A DAG that already has
    this form is returned as it is. In any other DAG, labels of gates and measurements are lost.

    Args:
        merge: if False, lower each gate on its own, and drop no rz before a measurement.
        final_measurements: if False, leave a measurement in place that is not its qubit's last
            operation, instead of refusing it.
        drop_resets: if False, keep all resets: qubits do not begin in ``|0⟩``.
        only_standard: if True, leave a circuit as it is that has other operations than standard
            gates, barriers and measurements; ``property_set["aqt_fast_others"]`` tells whether.
    """

    def __init__(
        self,
        *,
        merge: bool = True,
        final_measurements: bool = True,
        drop_resets: bool = True,
        only_standard: bool = False,
    ) -> None:
        """Take the options that the class describes."""
        super().__init__()
        self._only_standard = only_standard
        self._merge = merge
        self._final_measurements = final_measurements
        self._drop_resets = drop_resets

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the lowered circuit, or the same object if it has the form already.

        Raises:
            RefusedCircuitError: lists the qubits with operations after their measurement, and the
                first of these operations.
        """
        lowered = read_by(
            _native.lower_dag,
            dag,
            merge=self._merge,
            final_measurements=self._final_measurements,
            drop_resets=self._drop_resets,
            only_standard=self._only_standard,
        )
        if self._only_standard:
            self.property_set[_OTHERS] = lowered is None
        if lowered is None:
            return dag
        if isinstance(lowered, DAGCircuit):
            return lowered
        if isinstance(lowered, list):
            first = {qubit: index for index, qubit in reversed(lowered)}
            raise RefusedCircuitError(
                _refusal(dag, dag.node(first[qubit]), *_LATE, qubits=[qubit])
                for qubit in sorted(first)
            )
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
    """The translation stage ``aqt_fast``: Qiskit's stage with passes of this module inserted.

    After Qiskit's synthesis, which produces standard gates, :class:`LowerToAQT` translates them. If
    there are others, :class:`TakeApart` and :class:`RefuseOperations` look at them first. Qiskit's
    basis translator handles the gates with unbound parameters.
    """

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Make the stage for an optimisation level; None stands for Qiskit's default level."""
        spare_qiskits_threads()
        stage = PassManagerStagePluginManager().get_passmanager_stage(
            "translation", "translator", pass_manager_config, optimization_level
        )
        options = {
            "merge": optimization_level != 0,
            "final_measurements": False,
            "drop_resets": pass_manager_config.qubits_initially_zero,
        }
        lower_others: list[Any] = [LowerToAQT(**options)]
        if pass_manager_config.target is not None:
            names = frozenset(pass_manager_config.target.operation_names)
            lower_others.append(RefuseOperations(names))
        passes = PassManager()
        tasks = stage.to_flow_controller().tasks
        synthesis = [it for it in tasks if isinstance(it, HighLevelSynthesis | UnitarySynthesis)]
        # A definition may hold another namesake, and that what needs synthesis.
        again = DoWhileController([*synthesis, TakeApart()], do_while=_has_changed)
        lower_others[:0] = [TakeApart(), ConditionalController(again, _has_changed)]
        for task in tasks:
            if isinstance(task, BasisTranslator):
                passes.append(LowerToAQT(**options, only_standard=True))
                passes.append(ConditionalController(lower_others, _has_others))
            passes.append(task)
        return passes


def _has_others(property_set: PropertySet) -> bool:
    """Return whether there are others than standard gates, barriers and measurements."""
    return bool(property_set[_OTHERS])


def _has_changed(property_set: PropertySet) -> bool:
    """Return whether the last :class:`TakeApart` has replaced anything."""
    return bool(property_set[_CHANGED])


class AQTSchedulingPlugin(PassManagerStagePlugin):
    """The scheduling stage ``aqt_fast``: :class:`LowerToAQT`, which merges from level 1 on."""

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Make the stage for an optimisation level; None stands for Qiskit's default level."""
        spare_qiskits_threads()
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
