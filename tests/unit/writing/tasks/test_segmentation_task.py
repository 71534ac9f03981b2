"""`tracker.evaluation` of a segmentation, read back from the log."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, confusion_matrix, jaccard_score

import vizkit
from tests.helpers import by_tag, series, stock
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.writing.tasks.segmentation_task import SegmentationTask
from vizkit.writing.tasks.task import TaskOptions

NAMES = ["ground", "disc", "方块"]
RNG = np.random.default_rng(7)
LABELS = np.zeros((6, 40, 44), np.int64)
for _i, _label in enumerate(LABELS):
    _label[5 + _i : 20, 6:18] = 1
    _label[22:36, 20 : 30 + _i] = 2
    _label[:2] = 255
SCORES = RNG.normal(0, 1, (6, 3, 40, 44)).astype(np.float32)
for _k in range(3):
    SCORES[:, _k] += 2 * (_k == LABELS)
SCORES[4] = RNG.normal(0, 1, SCORES[4].shape)  # the worst
IMAGES = RNG.normal(0, 0.1, (6, 3, 40, 44)) + (LABELS % 255)[:, None] / 2
COUNTED = LABELS != 255
TRUE, CHOSEN = LABELS[COUNTED], SCORES.argmax(axis=1)[COUNTED]


def evaluate(tracker: Tracker, batch: int = 4, **options: Any) -> Any:
    with tracker.evaluation("eval", activation="softmax", ignore_index=255, **options) as evaluation:
        for start in range(0, 6, batch):
            some = slice(start, start + batch)
            evaluation.add(LABELS[some], SCORES[some], IMAGES[some], ids=[f"img{i}" for i in range(6)[some]])
    return evaluation


def value(run: Path, tag: str) -> Any:
    ((_, data),) = series(run, tag)
    return data


def test_what_is_recorded(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        evaluate(tracker, class_names=NAMES)  # the task is known by the shapes
    iou = jaccard_score(TRUE, CHOSEN, average=None)
    for name, expected in zip(NAMES, iou, strict=True):
        assert value(tmp_path, f"eval/iou/{name}") == pytest.approx(expected)
    assert value(tmp_path, "eval/miou") == pytest.approx(iou.mean())
    assert value(tmp_path, "eval/pixel acc") == (TRUE == CHOSEN).mean()
    rows = [row.split("\t") for row in value(tmp_path, "eval/confusion/counts").splitlines()]
    assert [[int(cell) for cell in row[1:]] for row in rows[1:]] == confusion_matrix(TRUE, CHOSEN).tolist()
    table = [row.split("\t") for row in value(tmp_path, "eval/classes").splitlines()]
    assert table[0] == ["class", "IoU", "Dice", "boundary IoU", "label area", "predicted area", "AP", "AUC"]
    assert [row[0] for row in table[1:]] == [NAMES[k] for k in np.argsort(iou)]
    powers = np.exp(np.moveaxis(SCORES, 1, -1)[COUNTED].astype(np.float64))
    ap = average_precision_score(TRUE == 1, powers[:, 1] / powers.sum(axis=1))
    assert value(tmp_path, "eval/ap/disc") == pytest.approx(ap, abs=1e-9)
    assert "eval/scores" not in by_tag(tmp_path)  # all pixels of such small images count
    assert len(stock(tmp_path, "pr_curve", "eval/pr/disc")) == 1
    assert len(stock(tmp_path, "image", "eval/worst")) == 1
    tags = SegmentationTask(TaskOptions(class_names=NAMES))
    tags.add(batch_of(slice(0, 1)))
    recorded = {tag for tag in by_tag(tmp_path) if tag.startswith("eval")}
    assert recorded - {"eval/predictions", "eval/predictions/images"} <= set(tags.tags("eval"))


def batch_of(some: slice) -> Any:
    from vizkit.writing.tasks.task import LabelledBatch

    return LabelledBatch(np.where(COUNTED, LABELS, 0)[some], SCORES[some])


def test_pictures_show_input_label_prediction_and_difference(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        evaluate(tracker, samples=["img5", "img2", "none"], worst=1)
    shown = np.asarray(Image.open(io.BytesIO(value(tmp_path, "eval/samples"))).convert("RGB"))
    worst = np.asarray(Image.open(io.BytesIO(value(tmp_path, "eval/worst"))).convert("RGB"))
    assert shown.shape[1] == worst.shape[1] > 4 * 40 and 1.5 < shown.shape[0] / worst.shape[0] < 2.1
    wrong = (shown == (230, 97, 1)).all(axis=2)
    columns = np.flatnonzero(wrong.any(axis=0))
    assert columns[0] > 0.7 * shown.shape[1]  # in the last of four panels alone
    factor = 160 // 44
    counted = CHOSEN_MAPS_WRONG[[5, 2]].sum() * factor**2
    assert wrong.sum() == counted


def test_label_and_prediction_are_layers(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        evaluate(tracker, class_names=NAMES, samples=["img5", "img2"], worst=0)
    layers = vizkit.load(tmp_path)[0].images("eval/samples").layers(0)
    assert layers is not None and layers.class_names == {1: "disc", 2: "方块"}
    factor = 256 // 44
    difference = layers.difference
    assert difference is not None and difference.sum() == CHOSEN_MAPS_WRONG[[5, 2]].sum() * factor**2
    height, width = LABELS.shape[1] * factor, LABELS.shape[2] * factor
    np.testing.assert_array_equal(
        layers.masks["label"][:height:factor, :width:factor], LABELS[5]
    )  # the first of the sheet
    first = layers.image[:height:factor, :width:factor].astype(int)
    assert (
        np.corrcoef(first[..., 0].ravel(), (LABELS[5] % 255).ravel())[0, 1] > 0.9
    )  # nothing is drawn over it


CHOSEN_MAPS_WRONG = (SCORES.argmax(axis=1) != LABELS) & COUNTED


def test_rows_of_a_table(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        evaluation = evaluate(tracker)
    rows = evaluation.rows()
    assert rows["id"].tolist() == [f"img{i}" for i in range(6)]
    assert rows["iou"].argmin() == 4
    expected = [(SCORES[i].argmax(axis=0) == LABELS[i])[COUNTED[i]].mean() for i in range(6)]
    np.testing.assert_allclose(rows["accuracy"], expected)


@pytest.mark.parametrize("step", [1, 3])
def test_images_of_a_table_have_label_and_prediction_as_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    monkeypatch.setattr("vizkit.writing.tasks.sample_rows._LARGEST", -(-44 // step))
    with Tracker(tmp_path, strict=True) as tracker:
        evaluate(tracker, class_names=NAMES)
        evaluate(tracker, class_names=NAMES)
    run = vizkit.load(tmp_path)[0]
    frame = run.predictions(0)
    for row, image in enumerate(frame.input):
        layers = image.layers()
        assert layers.class_names == {1: "disc", 2: "方块"}
        thin = LABELS[row, ::step, ::step]
        np.testing.assert_array_equal(layers.masks["label"], thin)
        chosen = np.where(thin == 255, 255, SCORES[row].argmax(axis=0)[::step, ::step])
        np.testing.assert_array_equal(layers.masks["prediction"], chosen)
        np.testing.assert_array_equal(layers.difference, CHOSEN_MAPS_WRONG[row, ::step, ::step])
        np.testing.assert_array_equal(layers.image, image.array())
        assert layers.size == layers.image.shape[:2] == thin.shape
    packs = list((tmp_path / "vizkit.tables").glob("*/*.pack"))
    assert len(packs) == 2  # inputs and layers: of two evaluations, all of it is stored once


def test_curves_of_large_images_are_of_some_pixels_and_say_so_once(tmp_path: Path) -> None:
    big = RNG.normal(0, 1, (2, 2, 200, 210)).astype(np.float32)
    labels = (big[:, 1] > 0.3).astype(np.int64)
    with Tracker(tmp_path, strict=True) as tracker:
        for step in range(2):
            with tracker.evaluation("eval", task="segmentation", activation="softmax") as evaluation:
                evaluation.add(labels, big)
            tracker.log({"train/loss": 1.0}, step=step)
    ((_, said),) = series(tmp_path, "eval/scores")
    assert "of 1,680 of 42,000 pixels of each image" in said
    assert [step for step, _ in series(tmp_path, "eval/miou")] == [0, 1]
    pr = value_at(tmp_path, "eval/pr/1", 0)
    assert pr.tp[0] + pr.fn[0] + pr.fp[0] + pr.tn[0] == 2 * 1680


def value_at(run: Path, tag: str, place: int) -> Any:
    return series(run, tag)[place][1]


def test_what_the_scores_were_taken_for_is_said_once(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        for _ in range(2):
            with tracker.evaluation("eval") as evaluation:
                evaluation.add(LABELS[:, 2:], SCORES[:, :, 2:])
    ((_, said),) = series(tmp_path, "eval/scores")
    assert "as logits" in said and "softmax" in said


def test_one_class_beside_the_background(tmp_path: Path) -> None:
    labels, scores = (LABELS == 1).astype(np.int64), SCORES[:, 1:2] - 1
    with Tracker(tmp_path, strict=True) as tracker:
        evaluation = tracker.evaluation("eval", activation="sigmoid", class_names=["disc"])
        evaluation.add(labels[:, None], scores, IMAGES)
        evaluation.record()
    chosen = (scores[:, 0] > 0).astype(int)
    assert value(tmp_path, "eval/miou") == pytest.approx(
        jaccard_score(labels.ravel(), chosen.ravel(), average="macro")
    )
    ap = average_precision_score(labels.ravel(), scores[:, 0].ravel())
    assert value(tmp_path, "eval/ap") == pytest.approx(ap, abs=1e-6)
    head, *_ = value(tmp_path, "eval/confusion/counts").splitlines()
    assert head.split("\t")[1:] == ["not disc", "disc"]


@pytest.mark.parametrize("form", ["last", "flat labels", "no channel", "booleans"])
def test_forms_of_a_single_class(tmp_path: Path, form: str) -> None:
    labels, scores = (LABELS == 1)[:, None].astype(np.int64), SCORES[:, 1:2] - 1
    chosen = scores > 0
    if form == "last":
        given, outputs = np.moveaxis(labels, 1, 3), np.moveaxis(scores, 1, 3)
    elif form == "flat labels":
        given, outputs = labels[:, 0], np.moveaxis(scores, 1, 3)
    else:
        given, outputs = labels[:, 0].astype(np.bool_ if form == "booleans" else np.float32), scores[:, 0]
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.evaluation("eval", task="segmentation") as evaluation,  # all scores tell what they are
    ):
        evaluation.add(given[:4], outputs[:4], IMAGES[:4])
        evaluation.add(given[4:], outputs[4:], IMAGES[4:])
    expected = jaccard_score(labels.ravel(), chosen.ravel(), average="macro")
    assert value(tmp_path, "eval/miou") == pytest.approx(expected)
    assert "as logits" in value(tmp_path, "eval/scores")
    ap = average_precision_score(labels.ravel(), scores.ravel())
    assert value(tmp_path, "eval/ap") == pytest.approx(ap, abs=1e-6)


@pytest.mark.parametrize("loss", [None, "mask"])
def test_masks_of_0_and_1_are_a_segmentation(tmp_path: Path, loss: Any) -> None:
    labels, scores = (LABELS == 1)[:, None].astype(np.float32), SCORES[:, 1:2] - 1
    given = paddle.nn.BCEWithLogitsLoss() if loss else None
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.evaluation("eval", loss=given) as evaluation,
    ):
        evaluation.add(labels, scores)
    expected = jaccard_score(labels.ravel(), scores.ravel() > 0, average="macro")
    assert value(tmp_path, "eval/miou") == pytest.approx(expected)
    assert ("eval/task" in by_tag(tmp_path)) == (loss is None)


@pytest.mark.parametrize("labels", [LABELS, LABELS[..., None]])
@pytest.mark.parametrize("told", [{"loss": "last"}, {"task": "segmentation"}, {}])
def test_classes_on_the_last_axis(tmp_path: Path, labels: Any, told: dict[str, Any]) -> None:
    if "loss" in told:
        told = {"loss": paddle.nn.CrossEntropyLoss(ignore_index=255)}
    outputs = np.moveaxis(SCORES, 1, 3)
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.evaluation("eval", ignore_index=255, **told) as evaluation,
    ):
        evaluation.add(labels[:4], outputs[:4])
        evaluation.add(labels[4:], outputs[4:])
    assert value(tmp_path, "eval/miou") == pytest.approx(jaccard_score(TRUE, CHOSEN, average="macro"))


def test_class_numbers_as_outputs(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        options: Any = {"task": "segmentation", "class_names": NAMES, "ignore_index": 255}
        with tracker.evaluation("eval", **options) as evaluation:
            evaluation.add(LABELS, SCORES.argmax(axis=1))
    assert value(tmp_path, "eval/miou") == pytest.approx(jaccard_score(TRUE, CHOSEN, average="macro"))
    assert not any(tag.startswith("eval/pr/") for tag in by_tag(tmp_path))


def test_many_classes_have_a_table_and_no_tags_of_their_own(tmp_path: Path) -> None:
    scores = RNG.normal(0, 1, (1, 30, 20, 20))
    with Tracker(tmp_path, strict=True) as tracker, tracker.evaluation("eval") as evaluation:
        evaluation.add(scores.argmax(axis=1), scores)
    assert value(tmp_path, "eval/miou") == 1
    assert len(value(tmp_path, "eval/classes").splitlines()) == 31
    assert not any(tag.startswith("eval/iou/") for tag in by_tag(tmp_path))


def test_a_bad_batch_loses_the_evaluation_alone(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="ignore_index is for a label"):
        with tracker.evaluation("eval") as evaluation:
            evaluation.add(LABELS, SCORES)
        tracker.log({"eval/acc": 1.0})
    assert set(by_tag(tmp_path)) == {"eval/acc"}


@pytest.mark.parametrize(
    "options",
    [{"task": "poetry"}, {"classes": 0}, {"samples": [1, 1]}, {"samples": -1}, {"worst": 0.5},
     {"activation": "relu"}, {"ignore_index": "x"}],
)  # fmt: skip
def test_bad_options_are_told_at_once(tmp_path: Path, options: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=next(iter(options))):
        tracker.evaluation(**options)


@pytest.mark.parametrize("last", [False, True])
def test_volumes_are_counted_whole_and_shown_by_their_middle_slice(tmp_path: Path, last: bool) -> None:
    depth = 5
    labels = np.stack([LABELS[:2]] * depth, axis=1)
    scores = np.stack([SCORES[:2]] * depth, axis=2)
    scores[:, :, 1] *= -1  # slices differ
    inputs = np.stack([IMAGES[:2] * one for one in (0, 0.1, 1, 0.1, 0)], axis=2)
    middle = depth // 2
    given = tuple(np.moveaxis(one, 1, -1) for one in (scores, inputs)) if last else (scores, inputs)
    loss = paddle.nn.CrossEntropyLoss(axis=-1 if last else 1, ignore_index=255)
    with Tracker(tmp_path, strict=True) as tracker:
        with tracker.evaluation("eval", loss=loss, class_names=NAMES) as evaluation:
            evaluation.add(labels, given[0], given[1])
        with tracker.evaluation("slice", loss=loss, class_names=NAMES) as evaluation:
            shown = (given[0][:, middle], given[1][:, middle]) if last else (scores[:, :, middle], IMAGES[:2])
            evaluation.add(labels[:, middle], *shown)
    counted = labels != 255
    iou = jaccard_score(labels[counted], scores.argmax(axis=1)[counted], average=None)
    assert [value(tmp_path, f"eval/iou/{name}") for name in NAMES] == pytest.approx(iou.tolist())
    assert value(tmp_path, "slice/miou") != pytest.approx(iou.mean())
    found = by_tag(tmp_path)
    assert "Volumes are shown by their middle slice of 5" in value(tmp_path, "eval/scores")
    rows = vizkit.load(tmp_path)[0].table("eval/predictions")
    assert len(rows) == 2
    wanted = vizkit.load(tmp_path)[0].table("slice/predictions")
    for row in range(2):
        np.testing.assert_array_equal(rows.input[row].array(), wanted.input[row].array())
    areas = {tag: value(tmp_path, f"{tag}/ap/disc") for tag in ("eval", "slice")}
    assert 0 < areas["eval"] < areas["slice"]
    assert found["eval/samples"]


def test_masks_of_volumes_are_known_by_their_shapes(tmp_path: Path) -> None:
    masks = (RNG.random((2, 1, 3, 8, 8)) < 0.5).astype(np.float32)
    logits = np.where(RNG.random(masks.shape) < 0.9, masks, 1 - masks) * 8 - 4
    with Tracker(tmp_path, strict=True) as tracker, tracker.evaluation("eval") as evaluation:
        evaluation.add(paddle.to_tensor(masks), paddle.to_tensor(logits.astype(np.float32)))
    expected = jaccard_score(masks.ravel(), logits.ravel() > 0, average=None)
    assert value(tmp_path, "eval/miou") == pytest.approx(expected.mean())
