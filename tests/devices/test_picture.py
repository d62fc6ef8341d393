"""The picture of a characterisation."""

from __future__ import annotations

import io
import pickle
import sys
from dataclasses import replace

import pytest
from aqt_fast.devices import Characterisation
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
        (Characterisation("ion", "lab", 1), "ion (lab), 1 qubit"),
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
