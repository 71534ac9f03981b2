"""Parallel coordinates: the drawing."""

from __future__ import annotations

from vizkit import Runs, plots


def test_the_best_run_is_bold(runs: Runs) -> None:
    plot = plots.parallel_coordinates(runs, "acc")
    assert plot.best == "run0"
    widths = {name: line.get_linewidth() for name, line in plot.lines.items()}
    assert max(widths, key=lambda name: widths[name]) == "run0"
    assert plots.parallel_coordinates(runs, "acc", mode="min").best == "run3"
    assert [text.get_text() for text in plot.ax.get_xticklabels()] == ["batch size", "lr", "optimizer", "acc"]
