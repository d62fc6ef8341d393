"""Names of ``qiskit-aqt-provider`` 1.x: stages ``aqt``, passes, the mark of unbound parameters."""

from __future__ import annotations

import math
import sys
from types import ModuleType

import pytest
from aqt_fast import transpiler_plugin
from aqt_fast.angle_passes import RewriteRxAsR, WrapRxxAngles
from aqt_fast.transpiler_plugin import (
    AQTSchedulingPlugin,
    AQTTranslationPlugin,
    UnboundParametersTarget,
    aqt_scheduling_stage,
    aqt_translation_stage,
    bound_pass_manager,
    rewrite_rx_as_r,
    wrap_rxx_angle,
)
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Parameter
from qiskit.quantum_info import Operator
from qiskit.transpiler import Target
from qiskit.transpiler.preset_passmanagers.plugin import PassManagerStagePlugin

ANGLES = [number * math.pi / 4 for number in range(-12, 13)] + [0.1, -0.1, 1e3, -1e3]


def test_passes():
    """Those of ``aqt_fast.angle_passes``."""
    assert transpiler_plugin.RewriteRxAsR is RewriteRxAsR
    assert transpiler_plugin.WrapRxxAngles is WrapRxxAngles


@pytest.mark.parametrize("theta", ANGLES)
def test_rewrite_rx_as_r(theta):
    """One r in AQT's ranges, equal to rx up to global phase."""
    found, expected = QuantumCircuit(1), QuantumCircuit(1)
    found.append(rewrite_rx_as_r(theta), [0])
    expected.rx(theta, 0)
    assert Operator(found).equiv(Operator(expected))
    angle, axis = found.data[0].operation.params
    assert 0 <= angle <= math.pi
    assert axis in (0, math.pi)


@pytest.mark.parametrize("theta", ANGLES)
def test_wrap_rxx_angle(theta):
    """One rxx in AQT's range, exactly equal; pulses only for half turns."""
    found, expected = QuantumCircuit(2), QuantumCircuit(2)
    found.append(wrap_rxx_angle(theta), [0, 1])
    expected.rxx(theta, 0, 1)
    assert Operator(found) == Operator(expected)
    gates = found.decompose()
    (angle,) = (item.operation.params[0] for item in gates.data if item.operation.name == "rxx")
    assert 0 <= angle <= math.pi / 2
    half_turns = round(theta / math.pi) % 2
    assert gates.count_ops().get("r", 0) == 2 * half_turns


def test_bound_later(backend):
    """Transpile, bind, and bring the angles into range: 1.x's way with its marked target."""
    theta = Parameter("θ")
    circuit = QuantumCircuit(2)
    circuit.rx(theta, 0)
    circuit.rxx(theta, 0, 1)
    target = UnboundParametersTarget(num_qubits=2)
    assert isinstance(target, Target)
    for name in ("rz", "r", "rxx", "measure"):
        target.add_instruction(backend.target.operation_from_name(name))
    unbound = transpile(
        circuit, target=target, translation_method="aqt_fast", scheduling_method="aqt_fast"
    )
    bound = bound_pass_manager().run(unbound.assign_parameters([7.0]))
    assert Operator(bound).equiv(Operator(circuit.assign_parameters([7.0])))
    bound.measure_all()
    assert backend.run(bound, strict_angles=True).result().success


class TestStages:
    """The stages ``aqt``."""

    def test_without_the_peer(self, monkeypatch):
        """Ours."""
        monkeypatch.setitem(sys.modules, "qiskit_aqt_provider", None)
        assert type(aqt_translation_stage()) is AQTTranslationPlugin
        assert type(aqt_scheduling_stage()) is AQTSchedulingPlugin

    def test_beside_the_peer(self, monkeypatch):
        """The peer's, whichever of the two registrations Qiskit takes; ours where it has none."""

        class Theirs(PassManagerStagePlugin):
            def pass_manager(self, pass_manager_config, optimization_level=None):
                raise NotImplementedError

        package, module = ModuleType("qiskit_aqt_provider"), ModuleType("plugin")
        package.transpiler_plugin = module
        module.AQTSchedulingPlugin = Theirs
        monkeypatch.setitem(sys.modules, "qiskit_aqt_provider", package)
        monkeypatch.setitem(sys.modules, "qiskit_aqt_provider.transpiler_plugin", module)
        assert type(aqt_scheduling_stage()) is Theirs
        assert type(aqt_translation_stage()) is AQTTranslationPlugin

    def test_by_name(self, backend):
        """As Qiskit finds them in the installed package."""
        circuit = QuantumCircuit(2)
        circuit.h(0)
        circuit.cx(0, 1)
        ours = transpile(circuit, backend)
        names = {"translation_method": "aqt", "scheduling_method": "aqt"}
        assert transpile(circuit, backend, **names) == ours
