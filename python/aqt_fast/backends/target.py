"""The transpiler's target of an AQT device."""

from __future__ import annotations

from collections.abc import ItemsView, Mapping, ValuesView
from typing import Any

from qiskit.circuit import Measure, Parameter
from qiskit.circuit.library import RGate, RXXGate, RZGate
from qiskit.providers import QubitProperties
from qiskit.transpiler import CouplingMap, InstructionDurations, Target

from aqt_fast._texts import LONGEST_NAME, one_line
from aqt_fast.backends.calibration import Calibration


class AQTTarget(Target):
    """rz, r, rxx and measure, with all-to-all connectivity.

    For the transpiler all operations are global: nothing is routed. ``target["rxx"]``,
    :meth:`items`, :meth:`values` and :meth:`get` list the properties for each qubit and each
    ordered pair, if there are any: Aer's ``NoiseModel.from_backend`` reads those.
    """

    calibration: Calibration | None = None
    """Error rates, durations and coherence times, None if unknown."""

    _listing: Mapping[str, Any] | None = None
    _durations: InstructionDurations | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "calibration": self.calibration}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.calibration = state.pop("calibration")
        super().__setstate__(state)

    def durations(self) -> InstructionDurations:
        """Durations of the operations in seconds, as far as known; the same for all qubits."""
        if self._durations is None:
            known = {} if self.calibration is None else self.calibration.durations
            self._durations = InstructionDurations(
                [(name, None, seconds, "s") for name, seconds in known.items()]
            )
        return self._durations

    def __getitem__(self, key: str) -> Any:
        return self._listed()[key]

    def items(self) -> ItemsView[str, Any]:
        """Properties of each operation on each qubit or ordered pair, by name."""
        return self._listed().items()

    def values(self) -> ValuesView[Any]:
        """Properties of each operation on each qubit or ordered pair."""
        return self._listed().values()

    def get(self, key: str, default: Any = None) -> Any:
        """Properties of an operation on each qubit or ordered pair."""
        return self._listed().get(key, default)

    def _listed(self) -> Mapping[str, Any]:
        if self._listing is None or len(self._listing) != len(self):
            known: Mapping[str, Any] = {}
            if self.calibration is not None:
                known = self.calibration.instructions(self.num_qubits)
            # A pair's mapping is empty on a single qubit.
            listed = super().__getitem__
            self._listing = {name: known.get(name) or listed(name) for name in self}
        return self._listing


class AllToAll(CouplingMap):
    """A coupling map of all pairs, which is no constraint and therefore false.

    Qiskit's transpiler asks whether a coupling map is true before it chooses a layout and routes;
    tools that draw or list the pairs ask whether there is one.
    """

    def __bool__(self) -> bool:
        return False

    def __repr__(self) -> str:
        # Qiskit's passes take it as a key: the list of all pairs would take longer than a pass.
        return f"<{type(self).__name__}: all pairs of {self.size()} qubits>"


def all_pairs(num_qubits: int) -> CouplingMap:
    """Make the coupling map of all ordered pairs of qubits."""
    return AllToAll.from_full(num_qubits)


def make_transpiler_target(
    num_qubits: int, *, description: str | None = None, calibration: Calibration | None = None
) -> Target:
    """Make the target of an AQT device: rz, r, rxx and measure, with all-to-all connectivity.

    Args:
        num_qubits: number of qubits, 1 or more.
        description: of the device.
        calibration: error rates, durations and coherence times, None if unknown.
    """
    qubits = None
    if calibration is not None and calibration.has_time:
        qubits = [QubitProperties(t1=calibration.t1, t2=calibration.t2)] * num_qubits
    if description is not None:
        description = one_line(description, LONGEST_NAME)  # Qiskit prints it as it is
    target = AQTTarget(description, num_qubits, qubit_properties=qubits)
    target.calibration = calibration
    target.add_instruction(RZGate(Parameter("λ")))
    target.add_instruction(RGate(Parameter("θ"), Parameter("φ")))
    target.add_instruction(RXXGate(Parameter("θ")))
    target.add_instruction(Measure())
    return target
