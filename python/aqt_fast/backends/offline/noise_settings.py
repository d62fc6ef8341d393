"""How the noise of a device's twin is made of its characterisation."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias, get_args

from aqt_fast.exceptions import InvalidOptionError

FidelityKind: TypeAlias = Literal["average", "process"]
"""What a reported fidelity is: the average gate fidelity, or the process fidelity."""


@dataclass(frozen=True)
class NoiseSettings:
    """What a twin's noise has, apart from the figures of the device.

    Raises:
        InvalidOptionError: a value is none of those that are allowed.
    """

    fidelity: FidelityKind = "average"
    """How to read the reported fidelities of gates."""
    relaxation: bool = True
    """Whether states decay while a gate acts on them; if not, all errors are depolarising."""
    idle: bool = False
    """Whether states decay while gates act on other qubits, one gate after the other."""
    over_rotation: float = 0.0
    """How much farther r and rxx rotate than they should, as a fraction of the angle."""
    crosstalk: float = 0.0
    """Rabi frequency of ions beside those on which a gate acts, as a fraction of theirs."""

    def __post_init__(self) -> None:
        if self.fidelity not in get_args(FidelityKind):
            raise InvalidOptionError("fidelity", self.fidelity, "'average' or 'process'")
        for name in ("relaxation", "idle"):
            if not isinstance(getattr(self, name), bool):
                raise InvalidOptionError(name, getattr(self, name), "True or False")
        if self.idle and not self.relaxation:
            raise InvalidOptionError("idle", self.idle, "False without relaxation")
        for name, least in (("over_rotation", -1), ("crosstalk", 0)):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not least <= value <= 1:
                raise InvalidOptionError(name, value, f"a number from {least} to 1")

    @property
    def changes_circuits(self) -> bool:
        """Whether there is noise that no noise model of Aer's has."""
        return self.idle or self.over_rotation != 0 or self.crosstalk != 0

    def process_fidelity(self, reported: float, num_qubits: int) -> float:
        """Return the process fidelity that a reported fidelity stands for.

        With the dimension d = 2ⁿ, the average gate fidelity is (d F + 1)/(d + 1) if F is the
        process fidelity, which is also called entanglement fidelity: M. Horodecki, P. Horodecki
        and R. Horodecki, Phys. Rev. A 60, 1888 (1999), and M. A. Nielsen, Phys. Lett. A 303, 249
        (2002).

        Args:
            reported: the reported fidelity, from 0 to 1.
            num_qubits: number of qubits of the gate.
        """
        if self.fidelity == "process":
            return reported
        dimension: int = 2**num_qubits
        return ((dimension + 1) * reported - 1) / dimension

    def reported_fidelity(self, process_fidelity: float, num_qubits: int) -> float:
        """Return what would be reported of a gate with a process fidelity.

        It is the inverse of :meth:`process_fidelity`.

        Args:
            process_fidelity: the process fidelity, from 0 to 1.
            num_qubits: number of qubits of the gate.
        """
        if self.fidelity == "process":
            return process_fidelity
        return average_fidelity(process_fidelity, num_qubits)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields by name, in JSON's types."""
        return asdict(self)


def average_fidelity(process_fidelity: float, num_qubits: int) -> float:
    """Return the average gate fidelity of a gate with a process fidelity."""
    dimension: int = 2**num_qubits
    return (dimension * process_fidelity + 1) / (dimension + 1)
