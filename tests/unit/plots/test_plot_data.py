"""The data steps of the plots: numbers from runs that were written and read back."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import vizkit
from tests.helpers import python
from vizkit.curves.curves import curves_data
from vizkit.curves.smoothing import smoothed
from vizkit.curves.x_axis import epochs
from vizkit.errors import DataError, UnknownNameError
from vizkit.media.palette import COLORS, color, lap
from vizkit.metrics.calibration import Reliability
from vizkit.metrics.downsampling import thinned
from vizkit.metrics.pr_roc import compute_pr_curve, compute_roc_curve
from vizkit.plots._confusion_matrix import confusion_data
from vizkit.plots._histogram import histogram_data
from vizkit.plots._hparam_axes import hparam_axes
from vizkit.plots._images import images_data
from vizkit.plots._importance import importance_data
from vizkit.plots._input_output import input_output_data
from vizkit.plots._pr_roc import pr_data, roc_data
from vizkit.plots._reliability import reliability_data
from vizkit.plots._time_to import time_to_data

START = 1_700_000_000_000
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a run: hyper-parameters, and tag -> values at steps 0, 1, ..., a second apart."""

    def write(
        name: str,
        scalars: Mapping[str, Any],
        hparams: Mapping[str, Any] | None = None,
        milliseconds: int = 1000,
    ) -> None:
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_hparams(hparams or {}, list(scalars))
            for tag, values in scalars.items():
                for step, value in enumerate(values):
                    writer.add_scalar(tag, float(value), step, START + milliseconds * step)

    return write


# -- colours ------------------------------------------------------------------------------------------


def test_a_run_has_its_colour_in_every_choice_of_runs(write: Write, tmp_path: Path) -> None:
    for k in (10, 1, 2):
        write(f"run{k}", {"loss": [1.0]})
    runs = vizkit.load(tmp_path)
    everyone = {line.name: line.position for line in curves_data(runs, "loss").series}
    assert everyone == {"run1": 0, "run2": 1, "run10": 2}  # natural order
    for chosen in (runs[1:], [runs["run10"]], runs.filter("name == 'run2'"), runs["run1"]):
        for line in curves_data(chosen, "loss").series:
            assert line.position == everyone[line.name]


def test_runs_of_several_directories_are_told_apart(write: Write, tmp_path: Path) -> None:
    write("a/run1", {"loss": [1.0]})
    write("b/run2", {"loss": [1.0]})
    both = [*vizkit.load(tmp_path / "a"), *vizkit.load(tmp_path / "b")]
    assert [line.position for line in curves_data(both, "loss").series] == [0, 1]


def test_colours_differ_for_the_colour_blind_too() -> None:
    def linear(text: str) -> NDArray[np.float64]:
        srgb = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)

    def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        lms = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
        lab = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
        return np.array(lab) @ np.cbrt(np.array(lms) @ np.clip(rgb, 0, 1))

    sights = {  # Machado, Oliveira and Fernandes (2009), severity 1
        "normal": np.eye(3),
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    for name, matrix in sights.items():
        seen = [oklab(np.asarray(matrix) @ linear(each)) for each in COLORS]
        nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
        assert nearest > 0.09, name  # matplotlib's own ten: 0.007
    assert color(10) == color(0) and lap(9) == 0 and lap(10) == 1


# -- thinning -----------------------------------------------------------------------------------------


def test_spikes_side_by_side_survive_thinning() -> None:
    y = np.random.default_rng(0).normal(size=1_000_000)
    y[777_777], y[777_778], y[123_456] = 50.0, -50.0, 30.0
    points = thinned(np.arange(len(y)), y, most=4000)
    assert len(points.x) <= 4000
    assert {777_777, 777_778, 123_456, 0, 999_999} <= set(points.x.tolist())
    assert np.array_equal(points.y, y[points.x.astype(int)])


@pytest.mark.parametrize(("count", "most"), [(1003, 40), (1000, 40), (401, 400), (9, 8), (5, 4), (5, 1)])
def test_a_spike_anywhere_survives_thinning(count: int, most: int) -> None:
    for place in range(count):
        y = np.zeros(count)
        y[place] = 1.0 if place % 2 else -1.0
        points = thinned(np.arange(count), y, most=most)
        assert {0, place, count - 1} <= set(points.x.tolist())
        assert len(points.x) <= max(most, 4)


def test_gaps_and_their_kinds_survive_thinning() -> None:
    y = np.linspace(0, 1, 100_000)
    y[50_000:60_000] = np.nan
    y[60_000], y[70_000] = np.inf, -np.inf
    points = thinned(np.arange(len(y)), y, most=1000)
    assert len(points.x) <= 1010
    assert points.gaps_x.tolist() == [50_000, 60_000, 70_000]
    assert np.isnan(points.gaps_y[0]) and points.gaps_y[1:].tolist() == [np.inf, -np.inf]
    assert np.isnan(points.y[np.isin(points.x, points.gaps_x)]).all()


def test_short_curves_are_left_whole() -> None:
    points = thinned(np.array([3, 1, 2]), np.array([1.0, np.nan, 2.0]))
    assert points.x.tolist() == [3, 1, 2]
    assert np.array_equal(points.y, [1.0, np.nan, 2.0], equal_nan=True)
    assert not len(thinned(np.zeros(0), np.zeros(0)).x)


# -- curves -------------------------------------------------------------------------------------------


def test_smoothing_is_a_weighted_mean_of_what_came_before() -> None:
    values = np.array([4.0, 2.0, np.nan, 6.0, np.inf])
    got = smoothed(values, 0.5)
    assert got[:2].tolist() == [4.0, pytest.approx((2 * 2.0 + 4.0) / 3)]
    assert got[3] == pytest.approx((4 * 6.0 + 2 * 2.0 + 4.0) / 7)
    assert np.isnan(got[2]) and got[4] == np.inf
    assert smoothed(values, 0.0) is values
    assert smoothed(np.full(50, 7.0), 0.99) == pytest.approx(7.0)  # no pull towards 0


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

    def x(tag: str, kind: Any) -> list[float]:
        return curves_data(run, tag, x=kind).series[0].x.tolist()

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


def test_groups_have_a_mean_and_a_band(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.0, 1.0, 2.0]}, {"batch size": 128})
    write("b", {"acc": [2.0, 3.0, 4.0]}, {"batch size": 128})
    write("c", {"acc": [5.0, 5.0, 5.0]}, {"batch size": 32})
    runs = vizkit.load(tmp_path)
    single, pair = curves_data(runs, "acc", by="batch size").series
    assert (single.name, single.runs, single.low) == ("batch size = 32", 1, None)
    assert (pair.name, pair.runs) == ("batch size = 128", 2)
    assert pair.y.tolist() == [1.0, 2.0, 3.0]
    deviation = np.sqrt(2.0)
    assert pair.low == pytest.approx(pair.y - deviation) and pair.high == pytest.approx(pair.y + deviation)
    extremes = curves_data(runs, "acc", by="batch size", band="minmax").series[1]
    assert (extremes.low.tolist(), extremes.high.tolist()) == ([0, 1, 2], [2, 3, 4])
    interval = curves_data(runs, "acc", by="batch size", band="ci").series[1]
    assert interval.high - interval.y == pytest.approx(12.706, rel=1e-4)  # t(0.975, 1) * sqrt(2) / sqrt(2)
    assert curves_data(runs, "acc", by="batch size", band=None).series[1].low is None


def test_groups_of_several_hyper_parameters_and_of_none(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"lr": 0.001, "optimizer": "Adam"})
    write("b", {"acc": [0.5]}, {"lr": 0.001})
    names = [line.name for line in curves_data(vizkit.load(tmp_path), "acc", by=["lr", "optimizer"]).series]
    assert names == ["lr = 0.001, optimizer = Adam", "lr = 0.001, optimizer = none"]


def test_limits_leave_far_values_out_and_count_them(write: Write, tmp_path: Path) -> None:
    values = np.linspace(1.0, 2.0, 200)
    values[[50, 60]], values[70], values[80] = 1e6, -1e6, np.inf
    write("run", {"loss": values})
    data = curves_data(vizkit.load(tmp_path), "loss", outliers=False)
    assert data.limits is not None and 0.0 < data.limits[0] <= 1.0 and 2.0 <= data.limits[1] < 3.1
    assert (data.above, data.below) == (2, 1)
    shown = curves_data(vizkit.load(tmp_path), "loss")
    assert (shown.limits, shown.above, shown.below) == (None, 0, 0)
    logarithmic = curves_data(vizkit.load(tmp_path), "loss", outliers=False, log_y=True)
    assert (logarithmic.above, logarithmic.below, logarithmic.hidden) == (2, 0, 1)


@pytest.mark.parametrize("options", [{"smooth": 1.0}, {"smooth": -0.1}, {"band": "sd"}, {"x": "steps"}])
def test_senseless_options_are_refused(options: Any, write: Write, tmp_path: Path) -> None:
    write("run", {"loss": [1.0]})
    with pytest.raises(DataError, match=str(next(iter(options)))):
        curves_data(vizkit.load(tmp_path), "loss", **options)


def test_an_unknown_tag_names_the_closest(write: Write, tmp_path: Path) -> None:
    write("run", {"train/loss": [1.0]})
    with pytest.raises(UnknownNameError, match="train/loss"):
        curves_data(vizkit.load(tmp_path), "train/los")
    with pytest.raises(DataError, match="no run to draw"):
        curves_data(vizkit.load(tmp_path)[:0], "train/loss")
    with pytest.raises(DataError, match=r"vizkit\.load"):
        curves_data(str(tmp_path), "train/loss")


# -- classification -----------------------------------------------------------------------------------

LABELS = np.array([0, 1, 2, 2, 1, 0])
SCORES = np.array(
    [[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.1, 0.1, 0.8], [0.4, 0.3, 0.3], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]]
)


@pytest.fixture
def classifiers(tmp_path: Path) -> Any:
    """Two runs with evaluations at steps 5 and 10, the second one's upside down."""
    for name, scores in (("run1", SCORES), ("run2", SCORES[::-1])):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            for step in (5, 10):
                writer.add_class_curves("eval", LABELS, scores, step)
                names = ["cat", "dog", "eel"]
                writer.add_confusion_matrix("eval/confusion", LABELS, scores, step, class_names=names)
    return vizkit.load(tmp_path)


def test_curves_of_all_classes_or_of_one(classifiers: Any) -> None:
    every = pr_data(classifiers[0], "eval/pr")
    assert [rate.name for rate in every] == ["0", "1", "2"]
    assert [rate.position for rate in every] == [0, 1, 2]
    (one,) = pr_data(classifiers[0], "eval/pr/2", step=5)
    expected = compute_pr_curve(LABELS == 2, SCORES[:, 2])
    assert np.array_equal(one.x, expected.recall) and np.array_equal(one.y, expected.precision)
    assert one.area == pytest.approx(expected.ap) and one.chance == pytest.approx(1 / 3)
    both = pr_data(classifiers, "eval/pr/2")
    assert [(rate.name, rate.position) for rate in both] == [("run1", 0), ("run2", 1)]
    assert [rate.name for rate in pr_data(classifiers, "eval/pr")][:2] == ["run1 0", "run1 1"]


def test_roc_curves_end_where_nothing_is_predicted(classifiers: Any) -> None:
    (one,) = roc_data(classifiers[0], "eval/roc/1")
    assert (one.x[0], one.y[0], one.x[-1], one.y[-1]) == (1.0, 1.0, 0.0, 0.0)
    assert one.area == pytest.approx(compute_roc_curve(LABELS == 1, SCORES[:, 1]).auc)


def test_curves_need_no_run() -> None:
    good, bad = compute_pr_curve(LABELS == 2, SCORES[:, 2]), compute_pr_curve(LABELS == 2, SCORES[:, 0])
    assert [rate.area for rate in pr_data({"good": good, "bad": bad})] == [good.ap, bad.ap]
    assert [rate.name for rate in pr_data([good, bad])] == ["0", "1"]
    assert pr_data(good)[0].name == ""
    with pytest.raises(DataError, match="of runs or of ROCCurves"):
        roc_data(good)


def test_what_is_not_recorded_is_named(classifiers: Any) -> None:
    with pytest.raises(UnknownNameError, match="eval/pr/0"):
        pr_data(classifiers, "eval/pr/7")
    with pytest.raises(DataError, match="no record at step 7; the nearest are 5, 10"):
        pr_data(classifiers[0], "eval/pr/0", step=7)
    with pytest.raises(DataError, match="give tag"):
        pr_data(classifiers)


def test_a_confusion_matrix_comes_from_the_log(classifiers: Any) -> None:
    data = confusion_data(classifiers[0])
    assert data.names == ("cat", "dog", "eel")
    assert data.counts.tolist() == [[2, 0, 0], [0, 2, 0], [1, 0, 1]]
    assert data.accuracy == pytest.approx(5 / 6)
    assert confusion_data(classifiers[0], normalize="true").shares[2].tolist() == [0.5, 0, 0.5]
    with pytest.raises(DataError, match=r"shows one run, got 2.*runs\['run1'\]"):
        confusion_data(classifiers)


def test_a_confusion_matrix_of_counts() -> None:
    data = confusion_data([[2, 2], [0, 0]], normalize="true", class_names=["a", "b"])
    assert data.shares[0].tolist() == [0.5, 0.5] and np.isnan(data.shares[1]).all()
    by_column = confusion_data([[2, 2], [0, 4]], normalize="predicted").shares
    assert by_column[:, 1] == pytest.approx([1 / 3, 2 / 3])
    assert confusion_data([[2, 2], [0, 4]], normalize="all").shares.sum() == 1.0
    for wrong in ([[1, 2]], [[-1, 0], [0, 1]], [[np.nan, 0], [0, 1]]):
        with pytest.raises(DataError):
            confusion_data(wrong)
    with pytest.raises(DataError, match="normalize"):
        confusion_data([[1]], normalize="rows")  # type: ignore[arg-type]
    with pytest.raises(DataError, match="2 class names for 1 classes"):
        confusion_data([[1]], class_names=["a", "b"])


def test_reliability_of_classes_and_of_one_probability(tmp_path: Path) -> None:
    data = reliability_data(SCORES, labels=LABELS)
    assert data.counts.sum() == 6
    right = SCORES.argmax(axis=1) == LABELS
    assert (data.counts * np.nan_to_num(data.accuracy)).sum() == pytest.approx(right.sum())
    single = reliability_data(np.array([0.1, 0.1, 0.9]), labels=np.array([0, 1, 1]))
    assert single.accuracy[1] == 0.5 and single.accuracy[13] == 1.0
    assert single.ece == pytest.approx((2 * 0.4 + 0.1) / 3)
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_text("eval/reliability/bins", data.as_text(), 3)
    read = reliability_data(vizkit.load(tmp_path)[0])
    assert isinstance(read, Reliability) and read.ece == data.ece


@pytest.mark.parametrize(
    ("scores", "labels", "match"),
    [(SCORES, None, "labels"), (SCORES * 9, LABELS, "softmax"), (SCORES, [1], "1 labels need")],
)
def test_what_is_no_probability_is_refused(scores: Any, labels: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        reliability_data(scores, labels=labels)


# -- histograms and images ------------------------------------------------------------------------------


def test_histograms_are_brought_to_the_same_buckets(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_histogram("w", np.array([0.0, 1.0, 1.0, np.nan]), 0, buckets=2)
        writer.add_histogram("w", np.array([-1.0, 3.0]), 7, buckets=4)
    data = histogram_data(vizkit.load(tmp_path)[0], "w", bins=8)
    assert data.edges.tolist() == [-1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
    assert data.shares[0] == pytest.approx([0, 0, 1 / 3, 2 / 3, 0, 0, 0, 0])
    assert data.shares[1] == pytest.approx([0.25, 0.25, 0, 0, 0, 0, 0.25, 0.25])
    assert data.steps.tolist() == [0, 7] and data.others.tolist() == [1, 0]


def test_of_many_histograms_the_first_and_the_last_are_shown(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step in range(40):
            writer.add_histogram("w", np.full(3, np.nan) if step == 0 else np.arange(3.0), step)
    data = histogram_data(vizkit.load(tmp_path)[0], "w")
    assert len(data.steps) == 16 and data.steps[0] == 0 and data.steps[-1] == 39
    assert data.shares[0].sum() == 0 and data.shares[1].sum() == pytest.approx(1)


def test_images_stand_at_their_steps(tmp_path: Path) -> None:
    for name, steps in (("run1", (0, 10, 20)), ("run2", (0, 13)), ("run3", ())):
        with vizkit.LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", 1.0, 0)
            for step in steps:
                writer.add_image("sample", np.full((2, 3, 3), step, np.uint8), step)
    runs = vizkit.load(tmp_path)
    data = images_data(runs, "sample", steps=[0, 15, 20])
    assert data.names == ("run1", "run2")
    assert np.array_equal(data.steps, [[0, 10, 20], [0, 13, np.nan]], equal_nan=True)
    assert data.pixels[1][2] is None and data.pixels[1][1] is not None
    assert (data.pixels[1][1] == 13).all() and data.pixels[1][1].shape == (2, 3, 3)
    assert images_data(runs, "sample").columns.tolist() == [0, 10, 13, 20]
    assert images_data(runs, "sample", most=2).columns.tolist() == [0, 20]
    with pytest.raises(UnknownNameError, match="closest: 'sample'"):
        images_data([runs["run3"], runs["run1"]], "samples")
    with pytest.raises(DataError, match="at or before step -1"):
        images_data(runs, "sample", steps=[-1])


def test_an_input_and_its_scores() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 0] = 255
    data = input_output_data(image, SCORES[3], label=2, class_names=["cat", "dog", "eel"], bgr=True, top=2)
    assert data.pixels[0, 0].tolist() == [0, 0, 255]
    assert image[0, 0].tolist() == [255, 0, 0]  # the caller's is as it was
    assert data.names == ("cat", "dog") and data.shares.tolist() == [0.4, 0.3]
    assert data.good is False and data.words == "cat, not eel"
    assert input_output_data(image, SCORES[:1], label="cat", class_names=["cat", "dog", "eel"]).good is True


def test_an_input_and_another_output() -> None:
    image = np.random.default_rng(0).random((3, 4, 4))
    mask = input_output_data(image, image[0] > 0.5, dataformats="CHW")
    assert mask.output is not None and set(np.unique(mask.output)) == {0, 255} and mask.good is None
    assert mask.pixels.shape == (4, 4, 3)
    assert input_output_data(image, 3, dataformats="CHW").words == "3"
    assert input_output_data(image, "a ship", label="a ship", dataformats="CHW").good is True
    with pytest.raises(DataError, match="a prediction is"):
        input_output_data(image, np.zeros((2, 2, 2, 2)), dataformats="CHW")


# -- hyper-parameters -----------------------------------------------------------------------------------


@pytest.fixture
def nine(write: Write, tmp_path: Path) -> Any:
    """Nine runs; what they reach is decided by the optimizer, how soon by the batch size."""
    grid = itertools.product(("SGD", "Momentum", "Adam"), (32, 64, 128))
    for k, (optimizer, size) in enumerate(grid, 1):
        top = {"SGD": 0.7, "Momentum": 0.8, "Adam": 0.9}[optimizer] + k / 10_000
        hparams = {"optimizer": optimizer, "batch size": size, "lr": 10.0 ** -(k % 3 + 1), "epochs": 5}
        metrics = {"eval/acc": [0.1, 0.65, top], "eval/loss": [2.0, 1.0, 1 - top]}
        write(f"run{k}", metrics, hparams, 10 * size)
    return vizkit.load(tmp_path)


def test_settings_are_what_differs_and_the_best_metric(nine: Any) -> None:
    data = hparam_axes(nine, ["eval/acc", "eval/loss"])
    columns = {column.name: column for column in data.columns}
    assert list(columns) == ["optimizer", "batch size", "lr", "eval/acc", "eval/loss"]  # no epochs
    assert columns["optimizer"].ticks == ((0.0, "Adam"), (1.0, "Momentum"), (2.0, "SGD"))
    assert columns["lr"].scale == "log" and columns["lr"].places.min() == -3
    assert columns["batch size"].scale == "linear"
    assert columns["eval/acc"].places.max() == pytest.approx(0.9009)
    assert columns["eval/loss"].places.min() == pytest.approx(0.0991)  # the lowest is the best
    assert [column.name for column in hparam_axes(nine, "eval/acc", ["lr"]).columns] == ["lr", "eval/acc"]
    with pytest.raises(UnknownNameError, match="batch size"):
        hparam_axes(nine, "eval/acc", ["batch"])
    with pytest.raises(DataError, match="no hyper-parameter differs"):
        hparam_axes(nine[:1], "eval/acc")


def test_a_missing_setting_has_no_place(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"lr": 0.1})
    write("b", {"acc": [0.6]}, {})
    column = hparam_axes(vizkit.load(tmp_path), "acc").columns[0]
    assert column.places[0] == 0.1 and np.isnan(column.places[1])


def test_a_setting_that_is_an_equal_number_does_not_differ(write: Write, tmp_path: Path) -> None:
    write("a", {"acc": [0.5]}, {"batch size": 64, "lr": 0.1})
    write("b", {"acc": [0.6]}, {"batch size": 64.0, "lr": 0.2})
    assert [column.name for column in hparam_axes(vizkit.load(tmp_path), "acc").columns] == ["lr", "acc"]


def test_importance_tells_what_mattered(nine: Any) -> None:
    data = importance_data(nine, "eval/acc")
    assert data.names[0] == "optimizer" and data.shares[0] > 0.9 and data.p[0] < 0.05
    assert data.runs == 9 and data.shares[1:].max() < 0.1


def test_who_gets_there_first(nine: Any) -> None:
    data = time_to_data(nine, "eval/acc", 0.75)
    first = [contender.name for contender in data.contenders[:6]]
    assert first == ["run7", "run4", "run8", "run5", "run9", "run6"]  # of equal times the better one
    assert data.contenders[0].seconds[0] == pytest.approx(0.64) and data.contenders[0].steps[0] == 2
    assert all(np.isnan(contender.seconds[0]) for contender in data.contenders[6:])
    sizes = time_to_data(nine, "eval/acc", 0.75, by="batch size").contenders
    assert [each.name for each in sizes] == [
        "batch size = 32",
        "batch size = 64",
        "batch size = 128",
    ]
    assert np.isfinite(sizes[0].seconds).sum() == 2 and sizes[0].median == pytest.approx(0.64)
    assert time_to_data(nine, "eval/loss", 0.25).mode == "min"
    few = time_to_data(nine, "eval/acc", 0.85, by="batch size").contenders[0]  # one of three runs
    assert np.isfinite(few.seconds).sum() == 1 and np.isnan(few.median)
    alone = time_to_data(nine, "eval/acc", 0.85, by="optimizer").contenders
    assert [np.isnan(contender.median) for contender in alone] == [False, True, True]
    with pytest.raises(DataError, match="target"):
        time_to_data(nine, "eval/acc", float("nan"))


def test_runs_of_one_name_race_each_for_itself(write: Write, tmp_path: Path) -> None:
    write("a/run1", {"acc": [0.5, 0.9]})
    write("b/run1", {"acc": [0.5, 0.6, 0.9]})
    both = [*vizkit.load(tmp_path / "a"), *vizkit.load(tmp_path / "b")]
    contenders = time_to_data(both, "acc", 0.9).contenders
    assert [(each.steps.tolist(), each.positions) for each in contenders] == [
        ([1], (0,)),
        ([2], (1,)),
    ]


def test_the_data_steps_need_no_matplotlib(nine: Any, tmp_path: Path) -> None:
    code = (
        "import sys, vizkit; from vizkit.curves.curves import curves_data\n"
        "sys.modules['matplotlib'] = None\n"
        "runs = vizkit.load(sys.argv[1]); print(len(curves_data(runs, 'eval/acc').series))\n"
        "try: runs.plot('eval/acc')\n"
        "except vizkit.MissingDependencyError as error: print(error)\n"
    )
    done = python(code, tmp_path)
    asked = "plots need matplotlib: pip install 'paddle-vizkit[plots]'"
    assert done.stdout.splitlines() == ["9", asked], done.stderr
