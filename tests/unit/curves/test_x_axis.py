"""Steps, epochs and times."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.unit.conftest import START, Write
from vizkit.curves.curves import curves_data
from vizkit.curves.x_axis import X, epochs, time_unit
from vizkit.errors import DataError


def test_x_is_steps_epochs_or_time(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(10):  # two epochs of four batches, and half of a third
            writer.add_scalar("train/loss", 1.0, step, START + 60_000 * step)
            writer.add_scalar("train/epoch", step // 4, step, START + 60_000 * step)
        writer.add_scalar("eval/acc", 0.5, 3, START + 200_000)
        writer.add_scalar("eval/acc", 0.6, 7, START + 500_000)
        for second in (-1, 200, 500):
            writer.add_scalar("system/cpu percent", 50.0, second + 1, START + 1000 * second)
    (run,) = vizkit.load(tmp_path)

    def x(tag: str, kind: X) -> list[float]:
        found: list[float] = curves_data(run, tag, x=kind).series[0].x.tolist()
        return found

    assert x("eval/acc", "step") == [3, 7]
    assert x("eval/acc", "epoch") == [1.0, 2.0]
    assert x("system/cpu percent", "epoch") == [0.0, 1.0, 2.25]  # its own steps are seconds
    assert x("train/loss", "epoch") == pytest.approx(np.arange(1, 11) / 4)
    assert x("eval/acc", "time") == pytest.approx([200 / 60, 500 / 60])
    assert x("eval/acc", "relative") == [0.0, 5.0]
    assert curves_data(run, "eval/acc", x="relative").unit == "min"


def test_epochs_that_count_from_0_again_go_on(write: Write, tmp_path: Path) -> None:
    write("run", {"train/epoch": [0, 0, 1, 1, 0, 0]})
    assert epochs(vizkit.load(tmp_path)[0], np.arange(6)).tolist() == [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]


def test_without_epochs_there_is_no_epoch_axis(write: Write, tmp_path: Path) -> None:
    write("run", {"loss": [1.0]})
    with pytest.raises(DataError, match=r"no scalar 'train/epoch'.*x='step'"):
        curves_data(vizkit.load(tmp_path), "loss", x="epoch")


def test_without_epochs_system_metrics_have_none_either(write: Write, tmp_path: Path) -> None:
    write("run", {"system/cpu": [1.0]})
    with pytest.raises(DataError, match="no scalar 'train/epoch'"):
        curves_data(vizkit.load(tmp_path), "system/cpu", x="epoch")


@pytest.mark.parametrize(
    ("longest", "unit"), [(1, "s"), (180, "min"), (10_800, "h"), (259_200, "days"), (float("inf"), "days")]
)
def test_times_have_the_unit_that_reads_best(longest: float, unit: str) -> None:
    assert time_unit(longest)[1] == unit
