"""``vizkit plot``: in the terminal, and into a file."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vizkit

from .commands import Command


def test_plot_draws_letters_into_a_pipe_and_dots_of_one_run(vk: Command) -> None:
    said = vk("plot", "train/loss", "--width", 60, "--height", 12, "--where", "seed == 0")
    assert "a batch32-0" in said.out and "b batch64-0" in said.out
    assert max(map(len, said.out.splitlines())) <= 60 and "\x1b" not in said.out
    dots = vk("plot", "train/loss", "batch32-0", "--width", 60)
    assert any("\u2801" <= c <= "\u28ff" for c in dots.out)
    series = vk("plot", "train/loss", "--by", "batch size", "--json").data["series"]
    assert [line["runs"] for line in series] == [3, 3] and len(series[0]["x"]) == 30


@pytest.mark.parametrize("smooth", ["0.9", "time:0.9", "gaussian:3", "mean:5"])
@pytest.mark.parametrize("x", ["step", "time", "relative", "walltime", "rate"])
def test_axes_and_smoothings_are_those_of_plots(vk: Command, tmp_path: Path, x: str, smooth: str) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(30):
            for tag, value in {"loss": math.sin(step), "rate": step**0.5}.items():
                writer.add_scalar(tag, value, step, walltime=1_700_000_000_000 + 1000 * step)
    (line,) = vk("plot", "loss", "--x", x, "--smooth", smooth, "--json", at=tmp_path).data["series"]
    (expected,) = vizkit.load(tmp_path).plot("loss", x=x, smooth=smooth).data.series
    assert line["x"] == expected.x.tolist() and line["smooth"] == expected.smooth.tolist() != line["y"]


def test_the_time_of_day_is_local(vk: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(30):
            writer.add_scalar("loss", step, step, walltime=1_700_000_000_000 + 60_000 * step)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        said = vk("plot", "loss", "--x", "walltime", at=tmp_path).out
        plot = vizkit.load(tmp_path).plot("loss", x="walltime")
        plot.save(tmp_path / "plot.svg")
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "2023-11-15 06:13:20 " in said and said.splitlines()[-2].endswith(" 2023-11-15 06:42:20")
    assert "06:20" in [label.get_text() for label in plot.ax.get_xticklabels()]
    assert plot.ax.xaxis.get_offset_text().get_text() == "2023-11-15"


@pytest.mark.parametrize(
    ("option", "message"),
    [(("--x", "foo"), "a scalar tag of these runs, got 'foo'"), (("--smooth", "2"), "below 1, got '2'")],
)
def test_wrong_axes_and_smoothings_are_said(vk: Command, option: tuple[str, str], message: str) -> None:
    said = vk("plot", "train/loss", *option)
    assert said.code == 2 and message in said.err


def test_plot_writes_a_picture(vk: Command, tmp_path: Path) -> None:
    path = tmp_path / "loss.png"
    said = vk("plot", "train/loss", "--by", "batch size", "--log", "-o", path)
    assert said.code == 0 and said.out == "" and path.read_bytes().startswith(b"\x89PNG")


def test_plot_writes_an_interactive_chart(vk: Command, tmp_path: Path) -> None:
    path = tmp_path / "loss.HTML"
    said = vk("plot", "train/loss", "--by", "batch size", "-o", path)
    assert said.code == 0 and path.read_text("utf-8").startswith("<!doctype html>")
    assert "batch size = 64" in path.read_text("utf-8")


def test_a_dark_picture(vk: Command, tmp_path: Path) -> None:
    for option, corner in ((["--dark"], 0), ([], 255)):
        assert vk("plot", "train/loss", "-o", tmp_path / "loss.png", *option).code == 0
        assert np.asarray(Image.open(tmp_path / "loss.png").convert("L"))[0, 0] == corner


def test_colours_in_a_terminal_that_has_them(vk: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    out = vk("plot", "train/loss", "--where", "seed == 0").out
    assert "\x1b[38;2;" in out and "━━ " in out


def test_nan_is_one_document_and_a_mark(vk: Command, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        for step in range(20):
            tracker.log({"loss": math.nan if 5 < step < 9 else step, "rate": math.inf}, step=step)
    assert vk("ls", "--json", at=tmp_path).data[0]["metrics"]["rate"]["last"] == "Infinity"
    said = vk("plot", "loss", "--width", 60, at=tmp_path)
    assert "3 NaN (x)" in said.out and "x" in said.out.splitlines()[-5]
    assert "20 inf (^)" in vk("plot", "rate", at=tmp_path).out


def test_a_spike_is_seen_in_the_terminal() -> None:
    from vizkit.curves.curves import Curve, CurvesData
    from vizkit.plots.terminal import draw

    y = np.zeros(100_000)
    y[60_321] = 5.0
    x = np.arange(100_000.0)
    rows = str(draw(CurvesData("loss", "step", "", (Curve("run", 0, x, y, y),)), 80, 12)).splitlines()
    column = {row.index(mark) for row in rows[1:5] for mark in row if "\u2801" <= mark <= "\u28ff"}
    assert len(column) == 1 and abs(column.pop() - (len(rows[1].split("|")[0]) + 1) - 0.6 * 77) < 3


def test_a_file_without_an_ending_is_refused_not_written_elsewhere(vk: Command, tmp_path: Path) -> None:
    for name in ("picture", "loss.v1", "x.foo"):
        said = vk("plot", "train/loss", "-o", tmp_path / name)
        assert said.code == 2 and "does not say which picture it is: name a .png, .svg" in said.err
    assert list(tmp_path.iterdir()) == []
