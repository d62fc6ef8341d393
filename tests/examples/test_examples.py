"""The scripts in ``examples/`` run as a user runs them, and find the values that are known."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples are not here")


def numbers(script: str, *options: str) -> list[float]:
    """Return all decimal numbers that a script prints, in order."""
    ran = subprocess.run(  # noqa: S603 - our own scripts
        [sys.executable, "-W", "error", EXAMPLES / script, *options],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert ran.returncode == 0, ran.stderr
    assert not ran.stderr
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?", ran.stdout)]


where = pytest.mark.parametrize("options", [(), ("--server",)], ids=["offline", "server"])


@where
def test_vqe_finds_the_ground_energy_of_hydrogen(options: tuple[str, ...]) -> None:
    """The energy is that of full configuration interaction."""
    _, _, energy, exact = numbers("vqe.py", *options)
    assert exact == -1.1373
    # The last energy has a standard error of at most 0.003; Hartree-Fock is off by 0.0203.
    assert energy == pytest.approx(exact, abs=0.01)


@where
def test_qaoa_finds_the_largest_cut(options: tuple[str, ...]) -> None:
    """A largest cut is sampled often, and the mean weight rises."""
    _, mean, largest, _, weight, times, shots = numbers("qaoa.py", *options)
    assert largest == 13
    assert weight == largest
    # A random cut has a mean weight of 6.5; two layers at the best angles give 11.2.
    assert mean > 9.8
    # A random cut is one of the largest in 16 of 500 shots, at the best angles more.
    assert times / shots > 0.08


@where
def test_a_kernel_separates_two_sets_of_points(options: tuple[str, ...]) -> None:
    """Entries are near the exact ones, and all new points are classified right."""
    entries, shots, deviation, right, points = numbers("kernel.py", *options)
    assert (entries, shots) == (112, 500)
    # Five standard errors of the entry that is known least.
    assert 0 < deviation < 5 * (0.25 / shots) ** 0.5
    assert right == points
