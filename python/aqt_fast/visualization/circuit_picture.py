"""A picture of a circuit before and after its compilation. Loading this module loads matplotlib."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import MaxNLocator
from qiskit import QuantumCircuit

from aqt_fast._texts import one_line
from aqt_fast.visualization.picture import (
    BAR,
    BAR_BEFORE,
    FAINT,
    INK,
    LINE,
    Picture,
    headline,
    picture,
    plain,
    title,
)
from aqt_fast.visualization.quantities import plural

_MOST_LAYERS = 24
"""Number of layers of a circuit that are drawn."""
_MOST_QUBITS = 16
"""Number of qubits of a circuit that are drawn."""
_MOST_NAMES = 12
"""Number of gates whose numbers are drawn."""
_NO_GATES = ("barrier", "measure")


class _Box(NamedTuple):
    """An operation in its layer."""

    layer: int
    qubits: tuple[int, ...]
    name: str
    angles: str


def draw(before: QuantumCircuit, after: QuantumCircuit) -> Picture:
    """Draw both circuits, one below the other, and how many gates of each name they have."""
    circuits = {"before": before, "after": after}
    boxes = {when: list(_boxes(circuit)) for when, circuit in circuits.items()}
    layers = max(max((box.layer for box in found), default=0) for found in boxes.values()) + 1
    qubits = [min(circuit.num_qubits, _MOST_QUBITS) for circuit in circuits.values()]
    names = _names(circuits)
    width = min(max(7.5, 0.62 * min(layers, _MOST_LAYERS) + 1.2), 16)
    heights = [0.45 * number + 0.5 for number in qubits] + [0.34 * len(names) + 0.8]
    figure = picture(width, sum(heights) + 0.6)
    *drawings, chart = figure.subplots(3, 1, height_ratios=heights)
    for axes, (when, circuit) in zip(drawings, circuits.items(), strict=True):
        title(axes, f"{when.capitalize()}: {_sizes(circuit)}")
        _draw_circuit(axes, circuit, boxes[when], min(layers, _MOST_LAYERS))
    _draw_numbers(chart, circuits, names)
    headline(figure, f"{before.name}, compiled")
    return figure


def _sizes(circuit: QuantumCircuit) -> str:
    gates = sum(number for name, number in circuit.count_ops().items() if name not in _NO_GATES)
    pairs = circuit.num_nonlocal_gates()
    return f"{plural(gates, 'gate')}, {pairs:,} on two or more qubits, depth {circuit.depth():,}"


def _boxes(circuit: QuantumCircuit) -> Iterator[_Box]:
    """Give each operation the first layer in which all its qubits, and those between, are free."""
    free = [0] * circuit.num_qubits
    for item in circuit.data:
        qubits = tuple(circuit.find_bit(qubit).index for qubit in item.qubits)
        if item.name == "barrier" or not qubits:
            continue
        crossed = range(min(qubits), max(qubits) + 1)
        layer = max(free[qubit] for qubit in crossed)
        for qubit in crossed:
            free[qubit] = layer + 1
        angles = ", ".join(map(_angle, item.params[:3]))
        yield _Box(layer, qubits, one_line(item.name, 8), angles)


def _angle(value: object) -> str:
    """Write a parameter in a few characters: parts of π as such."""
    if not isinstance(value, (int, float)):
        return one_line(str(value), 6)
    for divisor in (1, 2, 3, 4, 6, 8):
        times = value / math.pi * divisor
        if round(times) and abs(times - round(times)) < 1e-9 and abs(round(times)) < 16:
            factor = {1: "", -1: "-"}.get(round(times), f"{round(times)}")
            return f"{factor}π" if divisor == 1 else f"{factor}π/{divisor}"
    return f"{value:.2g}"


def _draw_circuit(axes: Axes, circuit: QuantumCircuit, boxes: Sequence[_Box], layers: int) -> None:
    shown = min(circuit.num_qubits, _MOST_QUBITS)
    drawn = [box for box in boxes if box.layer < layers and max(box.qubits) < shown]
    axes.hlines(range(shown), -0.7, layers - 0.3, color=LINE, linewidth=1, zorder=0)
    for box in drawn:
        color = FAINT if box.name == "measure" else BAR
        if len(box.qubits) > 1:
            ends = min(box.qubits), max(box.qubits)
            axes.vlines(box.layer, *ends, color=color, linewidth=2, zorder=1)
        for place, qubit in enumerate(box.qubits):
            name = "M" if box.name == "measure" else box.name
            angles = box.angles if place == 0 else ""
            _draw_box(axes, box.layer, qubit, name, angles, color)
    axes.set_xlim(-0.9, layers - 0.2)
    axes.set_ylim(shown - 0.4, -0.6)
    axes.set_yticks(range(shown))
    axes.set_xticks([])
    axes.tick_params(length=0, labelcolor=FAINT)
    axes.spines[:].set_visible(False)
    if len(drawn) < len(boxes):
        axes.set_xlabel(f"and {plural(len(boxes) - len(drawn), 'more operation')}", color=FAINT)


def _draw_box(axes: Axes, layer: int, qubit: int, name: str, angles: str, color: str) -> None:
    corner = (layer - 0.36, qubit - 0.32)
    box = FancyBboxPatch(
        corner, 0.72, 0.64, boxstyle="round,pad=0,rounding_size=0.08", color=color, linewidth=0
    )
    axes.add_patch(box)
    up = 0.11 if angles else 0
    for text, height, size in ((name, qubit - up, 7.5), (angles, qubit + 0.17, 5.5)):
        if text:
            words = axes.text(
                layer, height, text, color="white", ha="center", va="center", fontsize=size
            )
            words.set_parse_math(False)


def _names(circuits: dict[str, QuantumCircuit]) -> list[str]:
    """Return the names of the gates, those first that there are most of."""
    numbers: dict[str, int] = {}
    for circuit in circuits.values():
        for name, number in circuit.count_ops().items():
            if name not in _NO_GATES:
                numbers[name] = max(number, numbers.get(name, 0))
    return sorted(numbers, key=lambda name: (-numbers[name], name))[:_MOST_NAMES]


def _draw_numbers(axes: Axes, circuits: dict[str, QuantumCircuit], names: Sequence[str]) -> None:
    title(axes, "Number of gates")
    for (when, circuit), shift, color in zip(
        circuits.items(), (-0.19, 0.19), (BAR_BEFORE, BAR), strict=True
    ):
        numbers = [circuit.count_ops().get(name, 0) for name in names]
        places = [row + shift for row in range(len(names))]
        bars = axes.barh(places, numbers, height=0.36, color=color, label=when)
        labels = [f"{number:,}" if number else "" for number in numbers]
        axes.bar_label(bars, labels, color=INK, fontsize=8, padding=3)
    axes.set_yticks(range(len(names)), [one_line(name, 16) for name in names])
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.08)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes, "x")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
