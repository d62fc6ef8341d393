"""Pictures with matplotlib: what is drawn, and what is said if that is not possible."""

from __future__ import annotations

import math
import re
import sys
from datetime import datetime, timedelta, timezone

import pytest
from aqt_fast import compile as compile_circuit
from aqt_fast.exceptions import InvalidOptionError, JobFailedError, MissingExtraError
from aqt_fast.visualization import (
    ApiJobTimes,
    JobSummary,
    plot_compilation,
    plot_counts,
    plot_timeline,
)
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter

START = datetime(2026, 1, 2, 12, tzinfo=timezone.utc)


def texts(figure) -> list[str]:
    """All that is written in a figure."""
    found = figure.findobj(lambda it: hasattr(it, "get_text"))
    return [text.get_text() for text in found if text.get_text() and text.get_visible()]


def at(seconds: float) -> datetime:
    """A moment after the start."""
    return START + timedelta(seconds=seconds)


def summary(*api_jobs: ApiJobTimes, name: str = "mine") -> JobSummary:
    """A job that has run for 100 s."""
    return JobSummary(
        "AQTJob", name, "id", "ibex", "running", 0, 1, 1, at(100), START, api_jobs=api_jobs
    )


class TestTimeline:
    """A row for each API job."""

    def test_rows(self):
        """Stages in the colours of their states, at their times, in a unit that suits them."""
        jobs = [
            ApiJobTimes("a", "done", at(0), at(60), at(90)),
            ApiJobTimes("b", "running", at(0), at(90)),
            ApiJobTimes("c", "failed", at(0), None, at(10)),
        ]
        figure = plot_timeline(summary(*jobs))
        (axes,) = figure.axes
        drawn = [
            tuple(round(value, 1) for value in (path.get_extents().x0, path.get_extents().x1))
            for collection in axes.collections
            for path in collection.get_paths()
        ]
        assert drawn == [(0, 60), (0, 90), (0, 10), (90, 100), (60, 90), (10, 10.4)]
        written = texts(figure)
        assert "3 API jobs: 1 done, 1 running, 1 failed" in written
        assert "mine on ibex" in written
        assert {"queued", "running", "done", "failed"} <= set(written)
        assert any(re.match("time since .*, s$", text) for text in written)
        figure.draw_without_rendering()

    def test_many(self):
        """Thousands of API jobs are one collection for each state, on one page."""
        jobs = [ApiJobTimes("a", "done", at(0), at(i), at(i + 1)) for i in range(5000)]
        figure = plot_timeline(summary(*jobs))
        assert len(figure.axes[0].collections) == 2
        assert figure.get_size_inches()[1] <= 8
        figure.draw_without_rendering()

    def test_names_of_others(self):
        """A dollar sign begins no formula."""
        plot_timeline(summary(name="a$\\frac$b")).draw_without_rendering()

    @pytest.mark.parametrize("letter", ["i", "W", "量"])
    @pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
    def test_long_name(self, letter):
        """A headline that is too long for the figure ends with an ellipsis in it."""
        figure = plot_timeline(summary(name=letter * 300))
        headline = next(text for text in figure.texts if "…" in text.get_text())
        assert headline.get_text().endswith("…")
        assert 0.9 < headline.get_window_extent().x1 / figure.bbox.x1 < 1

    def test_job(self, device, circuit):
        """Of a job itself, in the cloud."""
        job = device.run([circuit] * 60)
        job.result()
        assert "2 API jobs: 2 done" in texts(job.plot_timeline())

    def test_offline(self, backend, bell):
        """One row, and no API jobs."""
        job = backend.run(bell)
        job.result()
        figure = job.plot_timeline()
        assert "done" in texts(figure)
        assert "API job" not in texts(figure)

    def test_before_submission(self, backend, bell):
        """There is nothing to draw."""
        job = backend.job_class(backend, [bell], backend.options)
        with pytest.raises(RuntimeError, match="not submitted"):
            job.plot_timeline()
        with pytest.raises(ValueError, match="submitted"):
            plot_timeline(job.summary())


class TestCounts:
    """A bar for each outcome."""

    def test_bars(self):
        """In the order of the outcomes, with their shares."""
        figure = plot_counts({"11": 30, "00": 70}, "Bell")
        (axes,) = figure.axes
        assert [bar.get_height() for bar in axes.patches] == [70, 30]
        assert [label.get_text() for label in axes.get_xticklabels()] == ["00", "11"]
        assert {"Bell", "100 shots, 2 outcomes", "70.0 %", "30.0 %"} <= set(texts(figure))
        figure.draw_without_rendering()

    @pytest.mark.parametrize(("outcomes", "bars"), [(0, 0), (1, 1), (33, 33), (34, 32), (999, 32)])
    def test_many(self, outcomes, bars):
        """The most frequent have bars; how many others there are is said."""
        figure = plot_counts({f"{index:010b}": index + 1 for index in range(outcomes)})
        assert len(figure.axes[0].patches) == bars
        assert any("are not shown" in text for text in texts(figure)) == (bars < outcomes)
        figure.draw_without_rendering()

    def test_job(self, backend, bell, circuit):
        """Of a circuit that has ended, or else after waiting."""
        job = backend.run([bell, circuit], shots=50)
        (bar,) = job.plot_counts(1).axes[0].patches
        assert bar.get_height() == 50
        with pytest.raises(InvalidOptionError):
            job.plot_counts(2)

    def test_failed(self, server, device, circuit):
        """The reason is told instead."""
        server.fail_jobs("the ions are gone")
        job = device.run(circuit)
        with pytest.raises(JobFailedError, match="the ions are gone"):
            job.plot_counts()


class TestCompilation:
    """Before and after."""

    def test_gates(self, backend):
        """Both circuits, with their sizes, and the numbers of each gate."""
        circuit = QuantumCircuit(3, name="a$\\frac$b")
        circuit.h(0)
        circuit.cx(0, 2)
        circuit.barrier()
        circuit.measure_all()
        figure = plot_compilation(circuit, compile_circuit(circuit, backend))
        written = texts(figure)
        assert "Before: 2 gates, 1 on two or more qubits, depth 3" in written
        assert any(text.startswith("After: ") for text in written)
        assert written.count("rxx") == 3  # two boxes, and its number
        assert written.count("cx") == 3
        assert written.count("M") == 6
        assert "π/2" in " ".join(written)
        figure.draw_without_rendering()

    def test_large(self):
        """What there is no room for is counted."""
        circuit = QuantumCircuit(20)
        for _ in range(50):
            circuit.rx(0.1, range(20))
        written = texts(plot_compilation(circuit, circuit))
        assert written.count("and 616 more operations") == 2

    def test_angles(self):
        """Parts of π as such, others with two digits, parameters by name."""
        circuit = QuantumCircuit(1)
        angles = (math.pi, -math.pi / 2, 3 * math.pi / 4, 0.123, 0.0, Parameter("theta"))
        for angle in angles:
            circuit.rx(angle, 0)
        written = texts(plot_compilation(circuit, circuit))
        assert {"π", "-π/2", "3π/4", "0.12", "0", "theta"} <= set(written)

    def test_nothing(self):
        """An empty circuit is one, too."""
        plot_compilation(QuantumCircuit(1), QuantumCircuit(1)).draw_without_rendering()


def test_extra(monkeypatch, backend, bell):
    """Without matplotlib, errors tell what to install, and nothing is waited for."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    job = backend.run(bell)
    for draw in (
        job.plot_timeline,
        job.plot_counts,
        lambda: plot_counts({"0": 1}),
        lambda: plot_compilation(bell, bell),
    ):
        with pytest.raises(MissingExtraError, match=r"pip install 'aqt-fast\[plot\]'"):
            draw()
