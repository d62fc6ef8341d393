"""The picture of a characterisation."""

from __future__ import annotations

import io
import pickle
import sys
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from aqt_fast.devices import Characterisation, Measured
from aqt_fast.exceptions import MissingExtraError
from devices.test_characterisation import read
from matplotlib.colors import to_rgb
from matplotlib.image import imread


def texts(figure) -> str:
    """All that is written in a figure."""
    return "\n".join(
        found.get_text() for found in figure.findobj(lambda it: hasattr(it, "get_text"))
    )


def test_pairs_and_qubits():
    """A cell for each pair, a bar with its uncertainty for each qubit, and the date."""
    figure = read().plot()
    pairs, qubits, _ = (axes for part in figure.subfigs for axes in part.axes)
    (image,) = pairs.images
    assert image.get_array().compressed() == pytest.approx([98.5, 97.0])
    assert [(text.get_position(), text.get_text()) for text in pairs.texts] == [
        ((0, 1), "98.50"),
        ((0, 2), "97.00"),
    ]
    assert [bar.get_width() for bar in qubits.patches] == pytest.approx([0.1, 0.2, 0.5])
    ends = [[segment[0][0] for segment in lines.get_segments()] for lines in qubits.collections[:1]]
    assert ends == [pytest.approx([0.0, 0.2, 0.3])]
    written = texts(figure)
    assert "ion (lab), 3 qubits, 2026-01-02 03:04 UTC" in written
    for text in ("Fidelity of rxx, % (mean 98.0 ± 0.5 %)", "Error of r, %", "1.25 ± 0.05 s"):
        assert text in written


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (replace(read(), rxx_fidelity={}), "mean 98.0 ± 0.5 %"),
        (read({}), "unknown"),
        (Characterisation("ion", "lab", 1), "one qubit has no pair"),
        (replace(read(), resource_id="a$\\frac$b"), "a$\\frac$b (lab), 3 qubits"),
        (replace(read({}, num_qubits=26), rxx_fidelity=read().rxx_fidelity), "26 qubits"),
    ],
)
def test_what_is_unknown(known, expected):
    """It is said instead of drawn."""
    figure = known.plot()
    assert expected in texts(figure)
    figure.draw_without_rendering()


def test_image():
    """Notebooks get a PNG on white; a figure can be written and pickled, and opens no window."""
    before = "matplotlib.pyplot" in sys.modules
    figure = read().plot()
    pixels = imread(io.BytesIO(figure._repr_png_()))
    assert tuple(pixels[0, 0, :3]) == to_rgb("white")
    assert pixels.std() > 0.05
    data = io.BytesIO()
    pickle.loads(pickle.dumps(figure)).savefig(data, format="svg")  # noqa: S301 - our own
    assert b"<svg" in data.getvalue()
    assert ("matplotlib.pyplot" in sys.modules) == before


def test_extra(monkeypatch):
    """Without matplotlib, the error tells what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'aqt-fast\[plot\]'") as caught:
        read().plot()
    assert (caught.value.package, caught.value.extra) == ("matplotlib", "plot")
    assert isinstance(caught.value, ImportError)


def test_scale():
    """It is there where the pairs differ and leave room for it, and reaches from worst to best."""

    def drawn(num_qubits, values):
        pairs = dict(zip(combinations(range(num_qubits), 2), map(Measured, values), strict=True))
        known = Characterisation("ion", "lab", num_qubits, rxx_fidelity=pairs)
        axes = known.plot().subfigs[0].axes[0]
        return len(axes.child_axes), axes.images[0].get_clim()

    assert drawn(5, [0.99] * 9 + [0.95]) == (1, (pytest.approx(95), pytest.approx(99)))
    for num_qubits, values in ((5, [0.99] * 10), (2, [0.99]), (3, [0.99, 0.98, 0.97])):
        shown, (lowest, highest) = drawn(num_qubits, values)
        assert shown == 0
        assert highest - lowest <= 2.001


def test_no_uncertainty():
    """Where none is known, none is drawn."""
    known = Characterisation("ion", "lab", 2, {0: Measured(0.99), 1: Measured(0.98, 0.001)})
    bars = known.plot().subfigs[1].axes[0].collections[0]
    drawn = [
        segment for segment in bars.get_segments() if np.isfinite(segment).all() and len(segment)
    ]
    assert [segment[:, 1].tolist() for segment in drawn] == [[1, 1]]
