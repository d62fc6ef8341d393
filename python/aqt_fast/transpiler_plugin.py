"""The stage that ``qiskit.transpile`` ends with for AQT: angles in range, measurements last.

Definitions as in Qiskit and on the wire: RZ(φ) = exp(−iφZ/2),
R(θ, φ) = exp(−iθ(cos φ·X + sin φ·Y)/2), RXX(θ) = exp(−iθ X⊗X/2).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

from qiskit.circuit import ParameterExpression, Qubit
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.dagcircuit import DAGCircuit, DAGOpNode
from qiskit.transpiler import PassManager, PassManagerConfig, TransformationPass, TranspilerError
from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePlugin

_NEGLIGIBLE = 1e-12
"""Rotations by less than this, in radians, are left out."""

_Matrix = tuple[complex, complex, complex, complex]
"""A 2×2 matrix, row by row."""

_IDENTITY: _Matrix = (1, 0, 0, 1)
_X: _Matrix = (0, 1, 1, 0)
_Z: _Matrix = (1, 0, 0, -1)


class LowerToAQT(TransformationPass):
    """Bring a circuit of rz, r, rxx and measure into the form that AQT's interface accepts.

    - θ of r ends in [0, π] and φ in [0, 2π); neighbouring single-qubit gates become at most one r
      and one rz unless ``merge`` is False;
    - θ of rxx ends in [0, π/2], with the corrections in the neighbouring single-qubit gates;
    - measurements come last, in their order;
    - barriers stay where they are, and nothing is merged across them;
    - gates with unbound parameters, and operations that AQT does not know, stay as they are.

    The unitary stays the same, global phase included.
    """

    def __init__(self, *, merge: bool = True) -> None:
        """``merge=False`` rewrites each gate on its own."""
        super().__init__()
        self._merge = merge

    def run(self, dag: DAGCircuit) -> DAGCircuit:
        """Return the new circuit.

        Raises:
            TranspilerError: an operation follows the measurement of its qubit.

        """
        lowered = _Lowered(dag, merge=self._merge)
        for node in dag.topological_op_nodes():
            lowered.add(node)
        return lowered.finish()


class _Lowered:
    """The new circuit while it grows, with the single-qubit gates that wait to be merged."""

    def __init__(self, dag: DAGCircuit, *, merge: bool) -> None:
        self._source = dag
        self._dag = dag.copy_empty_like()
        self._merge = merge
        self._waiting: dict[Qubit, _Matrix] = {}
        self._measurements: list[DAGOpNode] = []
        self._measured: set[Qubit] = set()

    def add(self, node: DAGOpNode) -> None:
        if node.name == "measure":
            self._measurements.append(node)
            self._measured.update(node.qargs)
            return
        measured = [qubit for qubit in node.qargs if qubit in self._measured]
        if node.name == "barrier":
            # What was measured already has no gates left that the barrier could keep apart.
            self._flush(node.qargs)
            self._dag.apply_operation_back(node.op, node.qargs, node.cargs)
            return
        if measured:
            index = self._source.find_bit(measured[0]).index
            raise TranspilerError(
                f"'{node.name}' acts on qubit {index} after its measurement; AQT devices measure "
                "all qubits at the end"
            )
        symbolic = any(isinstance(param, ParameterExpression) for param in node.params)
        if node.name in ("rz", "r") and not symbolic:
            matrix = _rz(*node.params) if node.name == "rz" else _r(*node.params)
            self._push(node.qargs[0], matrix)
        elif node.name == "rxx" and not symbolic:
            self._add_rxx(float(node.params[0]), node.qargs)
        else:
            self._flush(node.qargs)
            self._dag.apply_operation_back(node.op, node.qargs, node.cargs)
            return
        if not self._merge:
            self._flush(node.qargs)

    def finish(self) -> DAGCircuit:
        self._flush(list(self._waiting))
        for node in self._measurements:
            self._dag.apply_operation_back(node.op, node.qargs, node.cargs)
        return self._dag

    def _push(self, qubit: Qubit, matrix: _Matrix) -> None:
        self._waiting[qubit] = _product(matrix, self._waiting.get(qubit, _IDENTITY))

    def _add_rxx(self, theta: float, qubits: Sequence[Qubit]) -> None:
        # RXX(θ + 2π) = −RXX(θ): bring θ into [−π, π].
        turns = round(theta / math.tau)
        theta -= turns * math.tau
        self._dag.global_phase += turns * math.pi
        # RXX(±π) = ∓i X⊗X, which commutes with RXX: bring θ into [−π/2, π/2].
        if abs(theta) > math.pi / 2:
            half_turn = math.copysign(math.pi, theta)
            theta -= half_turn
            self._dag.global_phase -= half_turn / 2
            for qubit in qubits:
                self._push(qubit, _X)
        # (Z⊗1) RXX(θ) (Z⊗1) = RXX(−θ).
        flipped = theta < 0
        if abs(theta) > _NEGLIGIBLE:
            if flipped:
                self._push(qubits[0], _Z)
            self._flush(qubits)
            self._dag.apply_operation_back(RXXGate(abs(theta)), qubits)
            if flipped:
                self._push(qubits[0], _Z)

    def _flush(self, qubits: Sequence[Qubit]) -> None:
        """Append what waits on ``qubits`` as R(θ, φ) and then RZ(λ), up to the global phase α."""
        for qubit in qubits:
            if qubit not in self._waiting:
                continue
            theta, phi, lam, alpha = _angles(self._waiting.pop(qubit))
            if theta > _NEGLIGIBLE:
                self._dag.apply_operation_back(RGate(theta, phi), (qubit,))
            if abs(lam) > _NEGLIGIBLE:
                self._dag.apply_operation_back(RZGate(lam), (qubit,))
            self._dag.global_phase += alpha


def _rz(phi: float) -> _Matrix:
    half = cmath.exp(0.5j * float(phi))
    return (half.conjugate(), 0, 0, half)


def _r(theta: float, phi: float) -> _Matrix:
    cosine, sine = math.cos(float(theta) / 2), math.sin(float(theta) / 2)
    axis = cmath.exp(1j * float(phi))
    return (cosine, -1j * sine * axis.conjugate(), -1j * sine * axis, cosine)


def _product(left: _Matrix, right: _Matrix) -> _Matrix:
    a, b, c, d = left
    e, f, g, h = right
    return (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)


def _angles(matrix: _Matrix) -> tuple[float, float, float, float]:
    """Angles with matrix = exp(iα) RZ(λ) R(θ, φ), θ ∈ [0, π], φ ∈ [0, 2π), λ ∈ [−π, π]."""
    m00, m01, m10, m11 = matrix
    theta = 2 * math.atan2(abs(m10), abs(m00))
    if abs(m00) > abs(m10) * _NEGLIGIBLE:
        lam = cmath.phase(m11) - cmath.phase(m00)
        alpha = (cmath.phase(m11) + cmath.phase(m00)) / 2
        phi = cmath.phase(m10) - cmath.phase(m11) + math.pi / 2
    else:
        lam = 0.0
        alpha = (cmath.phase(m10) + cmath.phase(m01) + math.pi) / 2
        phi = (cmath.phase(m10) - cmath.phase(m01)) / 2
    turns = round(lam / math.tau)
    phi %= math.tau
    return theta, 0.0 if phi >= math.tau else phi, lam - turns * math.tau, alpha + turns * math.pi


class AQTSchedulingPlugin(PassManagerStagePlugin):
    """The scheduling stage ``aqt_fast``: :class:`LowerToAQT`, which merges from level 1 on."""

    def pass_manager(
        self, pass_manager_config: PassManagerConfig, optimization_level: int | None = None
    ) -> PassManager:
        """Make the stage for an optimisation level; None stands for Qiskit's default level."""
        del pass_manager_config  # what AQT needs does not depend on it
        return PassManager([LowerToAQT(merge=optimization_level != 0)])
