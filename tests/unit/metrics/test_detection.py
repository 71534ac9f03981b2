"""Average precision of boxes: equal to pycocotools."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vizkit.errors import DataError
from vizkit.metrics.boxes import boxes_of
from vizkit.metrics.detection import SIZES, DetectionResult, DetectionScores


def made(seed: int, images: int = 12, classes: int = 4, crowds: float = 0.1) -> tuple[list[Any], list[Any]]:
    """Labels and detections: some near a label, some of another class, doubled, crossed or made up."""
    rng = np.random.default_rng(seed)
    labels, found = [], []
    for _ in range(images):
        count = int(rng.integers(0, 9))
        corner, size = rng.uniform(0, 300, (count, 2)), rng.uniform(4, 160, (count, 2))
        boxes = np.concatenate([corner, corner + size], axis=1).round(1)
        kinds = rng.integers(0, classes, count)
        crowd = rng.random(count) < crowds
        area = (size[:, 0] * size[:, 1] * rng.uniform(0.5, 1, count)).round(1)
        labels.append({"boxes": boxes, "labels": kinds, "crowd": crowd, "area": area})
        near = boxes.repeat(3, axis=0) + rng.normal(0, 6, (3 * count, 4)) * rng.random((3 * count, 1))
        near[::5] = boxes.repeat(3, axis=0)[::5]  # exact ones, with equal overlaps
        stray = rng.uniform(0, 300, (int(rng.integers(0, 6)), 2))
        stray = np.concatenate([stray, stray + rng.uniform(5, 80, stray.shape)], axis=1)
        every = np.concatenate([near, stray])
        if seed % 3:  # else some have sides that change places
            every[:, 2:] = np.maximum(every[:, 2:], every[:, :2] + 1)
        guessed = np.concatenate([kinds.repeat(3), rng.integers(0, classes, len(stray))])
        swapped = rng.random(len(guessed)) < 0.2
        guessed[swapped] = rng.integers(0, classes, swapped.sum())
        scores = rng.random(len(guessed)).round(2 if seed % 2 else 6)  # some are equal
        found.append({"boxes": every, "labels": guessed, "scores": scores})
    return labels, found


def gathered(labels: list[Any], found: list[Any], limit: int = 10**6, **options: Any) -> DetectionResult:
    scores = DetectionScores(limit)
    for true, guess in zip(labels, found, strict=True):
        scores.add(boxes_of(true, scored=False), boxes_of(guess, scored=True))
    return scores.result(**options)


def sides(box: Any) -> list[float]:
    left, top, right, bottom = map(float, box)
    return [left, top, right - left, bottom - top]


def reference(labels: list[Any], found: list[Any], classes: int) -> Any:
    annotations: list[Any] = []
    results: list[Any] = []
    for i, (true, guess) in enumerate(zip(labels, found, strict=True)):
        for j in range(len(true["boxes"])):
            one = {"image_id": i, "category_id": int(true["labels"][j]), "bbox": sides(true["boxes"][j])}
            crowd, area = int(true["crowd"][j]), float(true["area"][j])
            annotations.append({**one, "id": len(annotations) + 1, "iscrowd": crowd, "area": area})
        for j in range(len(guess["boxes"])):
            one = {"image_id": i, "category_id": int(guess["labels"][j]), "bbox": sides(guess["boxes"][j])}
            results.append({**one, "score": float(guess["scores"][j])})
    coco = COCO()
    images = [{"id": i} for i in range(len(labels))]
    categories = [{"id": k} for k in range(classes)]
    coco.dataset = {"images": images, "categories": categories, "annotations": annotations, "info": {}}
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


@pytest.mark.parametrize("seed", range(12))
def test_all_numbers_equal_those_of_pycocotools(seed: int) -> None:
    labels, found = made(seed)
    expected, result = reference(labels, found, 4), gathered(labels, found, classes=4)
    numbers = [
        *(result.ap(), result.ap(0.5), result.ap(0.75)),
        *(result.ap(size=size) for size in SIZES[1:]),
        *(result.ar(1), result.ar(10), result.ar(100)),
        *(result.ar(size=size) for size in SIZES[1:]),
    ]
    np.testing.assert_allclose(np.nan_to_num(numbers, nan=-1), expected.stats, atol=1e-9)
    ap = expected.eval["precision"][:, :, :, :, 2].mean(axis=1)
    np.testing.assert_allclose(np.nan_to_num(result.precision, nan=-1), ap, atol=1e-9)
    np.testing.assert_allclose(np.nan_to_num(result.recall, nan=-1), expected.eval["recall"], atol=1e-9)


def test_more_than_a_hundred_boxes_an_image_and_class() -> None:
    labels, found = made(1, images=3, classes=1)
    found = [{name: np.concatenate([part] * 12) for name, part in each.items()} for each in found]
    assert max(len(each["boxes"]) for each in found) > 100
    expected, result = reference(labels, found, 1), gathered(labels, found)
    assert result.ap() == pytest.approx(expected.stats[0])
    assert result.ar(100) == pytest.approx(expected.stats[8])


def box(left: float, top: float, side: float = 40) -> list[float]:
    return [left, top, left + side, top + side]


def test_false_positives_by_kind() -> None:
    far = [box(500 + 50 * i, 500) for i in range(6)]
    labels = [{"boxes": [box(0, 0), *far, box(200, 0)], "labels": [*[0] * 7, 1]}]
    guesses = [box(0, 0), box(1, 0), box(200, 0), box(20, 0), box(400, 400), *far]
    scores = [0.9, 0.8, 0.7, 0.6, 0.5, *[0.3] * 6]  # F1 is highest with all of them
    result = gathered(labels, [{"boxes": guesses, "labels": [0] * 11, "scores": scores}])
    assert result.best_score.tolist() == [0.3, 1.0] and result.right.tolist() == [7, 0]
    assert result.false_positives.tolist() == [[1, 1, 1, 1], [0, 0, 0, 0]]
    scores[5:] = [0.95] * 6  # now it is highest without the wrong ones
    result = gathered(labels, [{"boxes": guesses, "labels": [0] * 11, "scores": scores}])
    assert result.best_score[0] == 0.9 and not result.false_positives.any()


def test_a_curve_of_each_class() -> None:
    labels, found = made(3)
    result = gathered(labels, found, num_thresholds=5)
    curve = result.curves[0]
    assert curve.thresholds.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert (curve.tp + curve.fn == result.labels[0]).all() and (np.diff(curve.tp) <= 0).all()
    assert curve.ap == result.precision[0, 0, 0]


def test_past_the_limit_the_lowest_scores_are_dropped() -> None:
    labels, found = made(5)
    whole, part = gathered(labels, found), gathered(labels, found, limit=50)
    assert part.dropped and not whole.dropped
    assert part.ap(0.5) <= whole.ap(0.5) + 1e-12


def test_nothing_found_and_nothing_to_find() -> None:
    none = np.zeros((0, 4))
    result = gathered([{"boxes": [box(0, 0)], "labels": [2]}], [{"boxes": none, "labels": [], "scores": []}])
    assert result.ap() == 0 and result.labels.tolist() == [0, 0, 1]
    result = gathered([[]], [[[1, 0.9, 0, 0, 5, 5]]])
    assert np.isnan(result.ap()) and result.precision.shape == (10, 2, 4)
    assert np.isnan(gathered([[]], [[]]).ap())


def test_arrays_of_paddledetection() -> None:
    labels, found = made(4, crowds=0)
    arrays = [np.column_stack([each["labels"], each["boxes"]]) for each in labels]
    guesses = [np.column_stack([each["labels"], each["scores"], each["boxes"]]) for each in found]
    assert gathered(arrays, guesses).ap(0.5) == gathered(labels, found).ap(0.5)


@pytest.mark.parametrize(
    "given",
    [{"boxes": [box(0, 0)]}, np.zeros((2, 5)),
     {"boxes": [box(0, 0)], "labels": [-1], "scores": [1]},
     {"boxes": [box(0, 0)], "labels": [0, 1], "scores": [1]},
     {"boxes": [[0, 0, np.nan, 1]], "labels": [0], "scores": [1]}],
    ids=range(5),
)  # fmt: skip
def test_what_are_no_boxes_is_refused(given: Any) -> None:
    with pytest.raises(DataError, match="boxes of an image"):
        boxes_of(given, scored=True)


def test_sides_of_a_label_may_not_change_places() -> None:
    with pytest.raises(DataError, match="boxes of an image"):
        boxes_of({"boxes": [[5, 0, 1, 1]], "labels": [0]}, scored=False)


def test_boxes_of_five_sides_and_classes_that_would_take_all_memory_are_refused() -> None:
    with pytest.raises(DataError, match=r"shape \[n, 4\]"):
        boxes_of({"boxes": np.zeros((2, 5)), "labels": [0, 1]}, scored=False)
    with pytest.raises(DataError, match="at most 99,999, got 1,000,000,000"):
        boxes_of({"boxes": [box(0, 0)], "labels": [10**9]}, scored=False)
