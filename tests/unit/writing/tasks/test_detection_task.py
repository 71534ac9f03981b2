"""`tracker.evaluation` of a detector, read back from the log."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import vizkit
from tests.helpers import by_tag, series, stock
from tests.unit.metrics.test_detection import gathered, made
from vizkit import DataError, Tracker, VizKitWarning

LABELS, FOUND = made(2, images=10)
NAMES = ["cat", "dog", "鸟", "fish"]
IMAGES = np.random.default_rng(0).uniform(0, 1, (10, 3, 480, 470)).astype(np.float32)


def value(run: Path, tag: str) -> Any:
    ((_, data),) = series(run, tag)
    return data


def evaluate(run: Path, labels: Any, outputs: Any, inputs: Any = None, **options: Any) -> Any:
    with Tracker(run, strict=True) as tracker, tracker.evaluation("eval", **options) as evaluation:
        for some in (slice(0, 6), slice(6, None)):
            evaluation.add(labels[some], outputs[some], None if inputs is None else inputs[some])
    return evaluation


def test_what_is_recorded(tmp_path: Path) -> None:
    evaluation = evaluate(tmp_path, LABELS, FOUND, IMAGES, class_names=NAMES, samples=[3], worst=2)
    expected = gathered(LABELS, FOUND)
    assert value(tmp_path, "eval/map") == pytest.approx(expected.ap())
    assert value(tmp_path, "eval/map50") == pytest.approx(expected.ap(0.5))
    assert value(tmp_path, "eval/map/large") == pytest.approx(expected.ap(size="large"))
    assert value(tmp_path, "eval/ar10") == pytest.approx(expected.ar(10))
    assert value(tmp_path, "eval/ap/鸟") == pytest.approx(expected.precision[:, 2, 0].mean())
    assert value(tmp_path, "eval/false positives/class") == expected.false_positives[:, 1].sum()
    table = [row.split("\t") for row in value(tmp_path, "eval/classes").splitlines()]
    assert sorted(row[0] for row in table[1:]) == sorted(NAMES)
    assert [float(row[2]) for row in table[1:]] == sorted(float(row[2]) for row in table[1:])
    assert all(int(row[1]) == int(row[7]) + int(row[8]) for row in table[1:])
    assert value(tmp_path, "eval/pr/dog").ap == expected.curves[1].ap
    assert len(stock(tmp_path, "pr_curve", "eval/pr/dog")) == 1
    heights = [Image.open(io.BytesIO(value(tmp_path, tag))).size[1] for tag in ("eval/samples", "eval/worst")]
    assert 1.8 < heights[1] / heights[0] < 2.1
    rows = evaluation.rows()
    assert rows["labels"].sum() == expected.labels.sum() and (rows["found"] <= rows["labels"]).all()


def turned(every: int) -> list[Any]:
    """Detections of which every such one has sides that change places."""
    out: list[Any] = []
    for each in FOUND:
        boxes = each["boxes"].copy()
        boxes[::every, [0, 2]] = boxes[::every, [2, 0]] + [1, 0]
        out.append({**each, "boxes": boxes})
    return out


def test_detections_whose_sides_change_places_are_of_nothing(tmp_path: Path) -> None:
    found = turned(3)
    evaluate(tmp_path, LABELS, found, IMAGES, class_names=NAMES, samples=[3], worst=2)
    assert value(tmp_path, "eval/map50") == pytest.approx(gathered(LABELS, found).ap(0.5))
    layers = vizkit.load(tmp_path)[0].images("eval/samples").layers(0)
    assert layers is not None
    boxes = np.asarray(layers.boxes["prediction"].places)
    assert len(boxes) == len(found[3]["boxes"]) - len(found[3]["boxes"][::3])
    assert (boxes[:, 2:] >= boxes[:, :2]).all()


def test_detections_in_another_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"left, top, right, bottom: of [0-9]+ of [0-9]+ detections"):
        evaluate(tmp_path, LABELS, turned(1))


def test_labels_as_dicts_and_detections_as_arrays(tmp_path: Path) -> None:
    found = [np.column_stack([each["labels"], each["scores"], each["boxes"]]) for each in FOUND]
    evaluate(tmp_path, LABELS, found)
    assert value(tmp_path, "eval/map") == pytest.approx(gathered(LABELS, FOUND).ap())


def test_boxes_of_label_and_prediction_are_layers(tmp_path: Path) -> None:
    evaluate(tmp_path, LABELS, FOUND, IMAGES, class_names=NAMES, samples=[3], worst=0)
    layers = vizkit.load(tmp_path)[0].images("eval/samples").layers(0)
    assert layers is not None
    label, prediction = layers.boxes["label"], layers.boxes["prediction"]
    np.testing.assert_allclose(label.places, LABELS[3]["boxes"], atol=0.006)  # of 480 pixels: not scaled
    assert label.texts == [NAMES[kind] for kind in LABELS[3]["labels"]] and label.scores is None
    order = np.argsort(-FOUND[3]["scores"], kind="stable")[:100]
    np.testing.assert_allclose(prediction.places, FOUND[3]["boxes"][order], atol=0.006)
    assert prediction.scores is not None
    np.testing.assert_allclose(prediction.scores, FOUND[3]["scores"][order], atol=1e-4)  # also the low ones
    assert layers.threshold == pytest.approx(gathered(LABELS, FOUND).best_score.min(), abs=1e-4)


def test_images_of_a_table_have_boxes_as_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.writing.tasks.sample_rows._LARGEST", 240)
    evaluate(tmp_path, LABELS, FOUND, IMAGES, class_names=NAMES, samples=0, worst=0)
    frame = vizkit.load(tmp_path)[0].predictions().dropna(subset=["input"])
    assert len(frame) >= 5
    for key, image in zip(frame.id, frame.input, strict=True):
        layers = image.layers()
        label, prediction = layers.boxes["label"], layers.boxes["prediction"]
        assert layers.size == (240, 235) == image.array().shape[:2]
        np.testing.assert_allclose(label.places, LABELS[key]["boxes"] / 2, atol=0.006)
        assert label.texts == [NAMES[kind] for kind in LABELS[key]["labels"]]
        assert prediction.scores.tolist() == sorted(prediction.scores, reverse=True)
        assert layers.threshold == pytest.approx(gathered(LABELS, FOUND).best_score.min(), abs=1e-4)


def test_batches_of_paddledetection(tmp_path: Path) -> None:
    labels, found = made(6, crowds=0.2)
    outputs = {
        "bbox": np.concatenate(
            [np.column_stack([each["labels"], each["scores"], each["boxes"]]) for each in found]
        ),
        "bbox_num": np.array([len(each["boxes"]) for each in found]),
    }
    truth = {
        "gt_bbox": [each["boxes"] for each in labels],
        "gt_class": [each["labels"][:, None] for each in labels],
        "is_crowd": [each["crowd"][:, None] for each in labels],
    }
    with Tracker(tmp_path, strict=True) as tracker, tracker.evaluation("eval") as evaluation:
        evaluation.add(truth, outputs)
    for each in labels:
        del each["area"]
    assert value(tmp_path, "eval/map") == pytest.approx(gathered(labels, found).ap())


def test_a_single_class(tmp_path: Path) -> None:
    labels, found = made(7, classes=1)
    evaluate(tmp_path, labels, found, class_names=["face"])
    assert value(tmp_path, "eval/ap/face") == pytest.approx(value(tmp_path, "eval/map"))
    assert len(value(tmp_path, "eval/classes").splitlines()) == 2


def test_detections_that_were_left_out_are_told(tmp_path: Path) -> None:
    evaluate(tmp_path, LABELS, FOUND, limit=60)
    assert "lowest scores were left out" in value(tmp_path, "eval/scores")


@pytest.mark.parametrize(
    ("labels", "outputs", "words"),
    [
        (LABELS[:1], FOUND[:2], "equal length"),
        ({"boxes": 1}, {"bbox": 1}, "gt_bbox, gt_class"),
        (LABELS[:1], [{"boxes": [[0, 0, 1, 1]]}], "boxes, labels, scores"),
    ],
)
def test_what_does_not_fit_is_warned_about(tmp_path: Path, labels: Any, outputs: Any, words: str) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match=words):
        with tracker.evaluation("eval", task="detection") as evaluation:
            evaluation.add(labels, outputs)
        tracker.flush()
    assert not by_tag(tmp_path)


def test_more_classes_than_names(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="2 class names"):
        tracker.evaluation("eval", class_names=["a", "b"]).add(LABELS, FOUND)
