"""Steps and hyper-parameters as texts: without loss, and different where the values are."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import vizkit
from vizkit.curves.curves import curves_data
from vizkit.curves.plot_arguments import entry_at
from vizkit.errors import DataError
from vizkit.runs.formatting import exact_text, setting_text, setting_texts


def test_steps_and_settings_lose_no_digit() -> None:
    exact = {
        1234567: "1234567",
        2.0**53 - 1: "9007199254740991",
        1234567.25: "1234567.25",
    }
    for value, text in {**exact, 0.1 + 0.2: "0.30000000000000004", 1e-05: "1e-05", -0.0: "-0"}.items():
        assert exact_text(value) == text and float(text) == value
    assert exact_text(1234567.0) == "1234567"
    assert exact_text(np.float64(0.5)) == "0.5" and exact_text(float("nan")) == "nan"
    assert setting_text(1234567.0) == "1234567" and setting_text(0.123412) == "0.123412"
    assert setting_text(1 / 3) == "0.3333"


def test_settings_that_differ_have_texts_that_differ() -> None:
    close = [0.00037454011884736254, 0.0003745401188473625, 0.5]
    assert setting_texts(close) == ["0.00037454011884736254", "0.0003745401188473625", "0.5"]
    assert setting_texts([1 / 3, 1 / 3, 2 / 3]) == ["0.3333", "0.3333", "0.6667"]
    assert setting_texts([32, "32", None, "None"]) == ["32", "'32'", "None", "'None'"]


@pytest.mark.parametrize("values", [(0.12341211, 0.12341212), (32, "32"), (None, "None"), (True, "True")])
def test_no_group_is_lost_to_another_with_the_same_words(values: tuple[object, ...], tmp_path: Path) -> None:
    for number, value in enumerate(values):
        with vizkit.Tracker(tmp_path / f"run{number}", hparams={"lr": value}, quiet=True) as tracker:
            tracker.log({"loss": number}, step=0)
    data = curves_data(vizkit.load(tmp_path), "loss", by="lr")
    assert sorted(float(series.y[0]) for series in data.series) == [0.0, 1.0]
    assert len({series.name for series in data.series}) == 2


def test_what_is_printed_of_a_run_has_its_steps(tmp_path: Path) -> None:
    for number, rate in enumerate((0.123412, 0.123413)):
        with vizkit.Tracker(
            tmp_path / f"run{number}",
            hparams={"lr": rate, "samples": 1281167.0},
            metrics=["loss"],
            quiet=True,
        ) as tracker:
            for step in (1234560, 1234567, 1234574):
                tracker.log({"loss": (step - 1234566.0) ** 2}, step=step)
    runs = vizkit.load(tmp_path)
    text = str(runs)
    assert "0.123412" in text and "0.123413" in text and "samples = 1281167" in text
    assert "(min 1 at 1234567)" in text
    assert "1234567 steps" in str(runs.time_to("loss", 1.0, x="step", mode="min"))
    with vizkit.Tracker(tmp_path / "weights", quiet=True) as tracker:
        for step in (1234560, 1234567, 1234574):
            tracker.log_histogram("weights", np.arange(9.0), step=step)
    weights = vizkit.load(tmp_path)["weights"].histograms("weights")
    with pytest.raises(DataError, match="step 1234568; the nearest are 1234560, 1234567, 1234574"):
        entry_at(weights, 1234568)


def test_long_names_that_differ_late_are_told_apart(tmp_path: Path) -> None:
    names = [f"resnet50_imagenet_cosine_2026-11-30_seed{seed}" for seed in (1, 2)]
    for name in names:
        with vizkit.Tracker(tmp_path / name, hparams={"list": f"/data/{name}"}, quiet=True) as tracker:
            tracker.log({"loss": 1.0})
    rows = [line.split("  ")[0] for line in str(vizkit.load(tmp_path)).splitlines()[2:4]]
    assert len(set(rows)) == 2 and all(re.search(r"seed[12]$", row) for row in rows)
