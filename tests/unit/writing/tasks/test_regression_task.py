"""`tracker.evaluation` of a regression, read back from the log."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import explained_variance_score, r2_score

from tests.helpers import by_tag, series, stock
from vizkit import DataError, Tracker, VizKitWarning

RNG = np.random.default_rng(3)
LABELS = RNG.normal(50, 10, (200, 2)).astype(np.float32)
OUTPUTS = LABELS + RNG.normal([1, -4], [2, 5], (200, 2)).astype(np.float32)


def value(run: Path, tag: str) -> Any:
    ((_, data),) = series(run, tag)
    return data


def picture(run: Path, tag: str) -> Any:
    return np.asarray(Image.open(io.BytesIO(value(run, tag))).convert("RGB"))


def evaluate(run: Path, labels: Any, outputs: Any, inputs: Any = None, **options: Any) -> Any:
    with (
        Tracker(run, strict=True) as tracker,
        tracker.evaluation("eval", task="regression", **options) as evaluation,
    ):
        for start in range(0, len(labels), 64):
            some = slice(start, start + 64)
            evaluation.add(labels[some], outputs[some], None if inputs is None else inputs[some])
    return evaluation


@pytest.mark.parametrize("missing", ["nan", "ignore_index", "masked"])
def test_labels_that_do_not_count(tmp_path: Path, missing: str) -> None:
    labels = LABELS.astype(np.float64)
    away = RNG.random(labels.shape) < 0.3
    away[:3] = True  # of no output
    labels[away] = -1 if missing == "ignore_index" else np.nan
    given: Any = np.ma.masked_array(LABELS, away) if missing == "masked" else labels
    options: Any = {"ignore_index": -1} if missing == "ignore_index" else {}
    evaluation = evaluate(tmp_path, given, OUTPUTS, RNG.normal(size=(200, 3)), **options)
    true, found = LABELS.astype(float), OUTPUTS.astype(float)
    each = [(true[~away[:, k], k], found[~away[:, k], k]) for k in range(2)]
    for k, (label, output) in enumerate(each):
        assert value(tmp_path, f"eval/mae/{k}") == pytest.approx(np.abs(output - label).mean())
        assert value(tmp_path, f"eval/rmse/{k}") == pytest.approx(np.sqrt(np.mean((output - label) ** 2)))
        assert value(tmp_path, f"eval/r2/{k}") == pytest.approx(r2_score(label, output))
        assert value(tmp_path, f"eval/error/p90/{k}") == pytest.approx(
            np.quantile(np.abs(output - label), 0.9)
        )
        assert value(tmp_path, f"eval/residuals/{k}").counts.sum() == len(label)
    expected = np.mean([explained_variance_score(*pair) for pair in each])
    assert value(tmp_path, "eval/explained variance") == pytest.approx(expected)
    assert f"{away.sum()} labels do not count" in value(tmp_path, "eval/scores")
    table = [row.split("\t") for row in value(tmp_path, "eval/predicted vs true/table").splitlines()]
    assert sum(int(row[3]) for row in table[1:]) == (~away).sum()
    rows = evaluation.rows()
    there = ~away.all(axis=1)
    assert rows["id"].tolist() == np.flatnonzero(there).tolist()
    squares = np.where(away, 0, found - true)[there] ** 2
    np.testing.assert_allclose(rows["error"], np.sqrt(squares.sum(1) / (~away)[there].sum(1)), rtol=1e-6)


def test_pixels_that_do_not_count(tmp_path: Path) -> None:
    true, found = RNG.random((4, 1, 16, 16)), RNG.random((4, 1, 16, 16))
    true[1, :, :4] = -1
    evaluate(tmp_path, true, found, ignore_index=-1)
    counted = true >= 0
    assert value(tmp_path, "eval/mae") == pytest.approx(np.abs(found - true)[counted].mean())
    parts = [10 * np.log10(1 / np.mean((found[k] - true[k]) ** 2)) for k in (0, 2, 3)]
    assert value(tmp_path, "eval/psnr") == pytest.approx(np.mean(parts))


def test_an_output_without_labels_has_no_values(tmp_path: Path) -> None:
    labels = LABELS.astype(np.float64)
    labels[:, 1] = np.nan
    evaluate(tmp_path, labels, OUTPUTS)
    assert np.isnan(value(tmp_path, "eval/mae/1"))
    errors = OUTPUTS[:, 0].astype(float) - labels[:, 0]
    assert value(tmp_path, "eval/mae") == pytest.approx(np.abs(errors).mean())


@pytest.mark.parametrize("loss", [None, lambda output, label: (output - label).abs().mean()])
def test_numbers_of_a_loss_of_ones_own_are_a_regression(tmp_path: Path, loss: Any) -> None:
    labels = LABELS[:, :1].copy()
    labels[7] = -100  # a value as any other
    with Tracker(tmp_path, strict=True) as tracker, tracker.evaluation("eval", loss=loss) as evaluation:
        evaluation.add(labels[:50], OUTPUTS[:50, 0])
        evaluation.add(labels[50:], OUTPUTS[50:, 0])
    errors = OUTPUTS[:, 0].astype(float) - labels[:, 0]
    assert value(tmp_path, "eval/mae") == pytest.approx(np.abs(errors).mean())
    assert "taken for a regression" in value(tmp_path, "eval/task")


def test_named_outputs(tmp_path: Path) -> None:
    evaluation = evaluate(tmp_path, LABELS, OUTPUTS, class_names=["width", "高"])
    errors = OUTPUTS.astype(float) - LABELS
    for k, name in enumerate(["width", "高"]):
        assert value(tmp_path, f"eval/mae/{name}") == pytest.approx(np.abs(errors[:, k]).mean())
        assert value(tmp_path, f"eval/error/mean/{name}") == pytest.approx(errors[:, k].mean())
        assert value(tmp_path, f"eval/error/p90/{name}") == pytest.approx(
            np.quantile(np.abs(errors[:, k]), 0.9)
        )
        assert value(tmp_path, f"eval/residuals/{name}").counts.sum() == 200
    assert value(tmp_path, "eval/r2") == pytest.approx(r2_score(LABELS, OUTPUTS), rel=1e-5)
    expected = explained_variance_score(LABELS, OUTPUTS)
    assert value(tmp_path, "eval/explained variance") == pytest.approx(expected, rel=1e-5)
    table = [row.split("\t") for row in value(tmp_path, "eval/predicted vs true/table").splitlines()]
    assert [row[0] for row in table] == ["output", *["width"] * 10, *["高"] * 10]
    assert sum(int(row[3]) for row in table[1:]) == 400
    assert picture(tmp_path, "eval/predicted vs true").shape[1] > 600
    assert len(stock(tmp_path, "histogram", "eval/residuals/width")) == 1
    assert not {"eval/samples", "eval/scores", "eval/psnr"} & set(by_tag(tmp_path))
    rows = evaluation.rows()
    np.testing.assert_array_equal(np.stack([rows["label/width"], rows["label/高"]], 1), LABELS)
    np.testing.assert_allclose(rows["error"], np.sqrt((errors**2).mean(axis=1)), rtol=1e-6)


def test_one_output_and_the_worst_samples_as_text(tmp_path: Path) -> None:
    inputs = np.arange(400.0).reshape(200, 2)
    outputs = OUTPUTS[:, :1].copy()
    outputs[77] += 100
    evaluate(tmp_path, LABELS[:, 0], outputs, inputs, samples=[5], worst=2)
    worst = [line.split("\t") for line in value(tmp_path, "eval/worst").splitlines()]
    assert worst[0] == ["sample", "label", "prediction", "input"] and worst[1][0] == "77"
    assert worst[1][3] == "154, 155" and len(worst) == 3
    assert value(tmp_path, "eval/samples").splitlines()[1].startswith("5\t")
    assert value(tmp_path, "eval/residuals").counts.sum() == 200
    assert not any(tag.startswith("eval/mae/") for tag in by_tag(tmp_path))


def test_values_of_images_are_shown_below_them(tmp_path: Path) -> None:
    evaluate(tmp_path, LABELS[:9, 0], OUTPUTS[:9, 0], RNG.uniform(0, 1, (9, 3, 20, 20)), worst=0)
    assert picture(tmp_path, "eval/samples").ndim == 3
    assert "eval/worst" not in by_tag(tmp_path)


@pytest.mark.parametrize(
    ("low", "high", "said", "span"),
    [(0, 1, "[0, 1]", 1), (-1, 1, "[-1, 1]", 2), (0, 255, "[0, 255]", 255), (-3, 9, None, None)],
)
def test_the_range_of_images_is_told_by_all_of_them(
    tmp_path: Path, low: int, high: int, said: str | None, span: Any
) -> None:
    labels = np.random.default_rng(1).uniform(low, high, (70, 1, 16, 16))
    labels[:64] = labels[:64].clip(0, 1)  # the first batch could be of any range
    outputs = labels + 0.1 * (high - low) * (np.arange(70) % 2 * 2 - 1)[:, None, None, None]
    evaluate(tmp_path, labels, outputs, worst=1)
    tags = by_tag(tmp_path)
    if said is None:
        assert not {"eval/psnr", "eval/ssim", "eval/scores"} & set(tags)
        return
    assert f"as {said}:" in value(tmp_path, "eval/scores")
    assert value(tmp_path, "eval/psnr") == pytest.approx(20 * np.log10(span / (0.1 * (high - low))))
    assert 0 < value(tmp_path, "eval/ssim") < 1
    assert picture(tmp_path, "eval/worst").shape[1] > 3 * 100


def test_past_the_limit_it_is_said_what_is_of_some_values(tmp_path: Path) -> None:
    evaluate(tmp_path, LABELS[:, 0], OUTPUTS[:, 0], limit=100)
    assert "of every 4th of 200 values" in value(tmp_path, "eval/scores")


def test_what_does_not_fit_is_warned_about(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="same shape"):
        with tracker.evaluation("eval", task="regression") as evaluation:
            evaluation.add(np.zeros((3, 2)), np.zeros((3, 4)))
        tracker.flush()
    with Tracker(tmp_path / "names", strict=True) as tracker, pytest.raises(DataError, match="2 different"):
        tracker.evaluation(task="regression", class_names=["a"]).add(np.zeros((3, 2)), np.zeros((3, 2)))


LEVELS = (0.1, 0.25, 0.5, 0.9)


def test_quantiles(tmp_path: Path) -> None:
    offsets = np.array([-3.0, -1.0, 0.0, 4.0])
    outputs = OUTPUTS[:, :, None] + offsets
    evaluation = evaluate(
        tmp_path,
        LABELS,
        outputs,
        np.zeros((200, 3)),
        quantiles=LEVELS,
        class_names=["width", "高"],
        samples=2,
    )
    errors = OUTPUTS.astype(float) - LABELS
    assert value(tmp_path, "eval/mae") == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    inside = (outputs[..., 0] <= LABELS) & (outputs[..., 3] >= LABELS)
    assert value(tmp_path, "eval/coverage/80") == pytest.approx(inside.mean())
    assert value(tmp_path, "eval/coverage/80/高") == pytest.approx(inside[:, 1].mean())
    assert value(tmp_path, "eval/interval width/80/width") == pytest.approx(7, rel=1e-5)
    below = (LABELS[:, :, None] <= outputs).mean(axis=0)
    expected = np.abs(below - LEVELS).mean()
    assert value(tmp_path, "eval/calibration error") == pytest.approx(expected, rel=1e-5)
    table = [row.split("\t") for row in value(tmp_path, "eval/calibration/table").splitlines()]
    assert table[2] == ["width", "0.25", f"{below[0, 1]:.6g}"] and len(table) == 9
    assert picture(tmp_path, "eval/calibration").shape[1] > 600
    first = value(tmp_path, "eval/samples").splitlines()[1].split("\t")
    assert "[" in first[2] and first[2].endswith("]")
    rows = evaluation.rows()
    np.testing.assert_allclose(rows["upper/width"] - rows["lower/width"], 7, rtol=1e-5)
    assert "eval/interval width/65" not in by_tag(tmp_path)


def test_intervals_alone_and_crossed_ones(tmp_path: Path) -> None:
    labels = np.arange(10.0)
    outputs = np.stack([labels - 1, labels + 3], axis=1)
    outputs[0] = outputs[0, ::-1]
    evaluate(tmp_path, labels, outputs, quantiles=(0.05, 0.95))
    assert value(tmp_path, "eval/mae") == pytest.approx(1)
    assert value(tmp_path, "eval/coverage/90") == pytest.approx(0.9)
    assert "Of 1 of 10 samples" in value(tmp_path, "eval/scores")


def test_quantiles_tell_the_task_and_are_checked(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", strict=True) as tracker:
        with tracker.evaluation(quantiles="normal") as evaluation:
            evaluation.add(np.zeros(4), (np.ones(4), np.ones(4)))
        with pytest.raises(DataError, match="ascending levels"):
            tracker.evaluation(quantiles=[0.9, 0.1])
    assert value(tmp_path / "run", "eval/mae") == 1
