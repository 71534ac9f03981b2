"""Metrics of pixels: equal to scikit-learn's and to each definition written as a loop."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import paddle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage  # type: ignore[import-untyped]
from sklearn.metrics import confusion_matrix, f1_score, jaccard_score

from vizkit.errors import DataError
from vizkit.metrics.segmentation import SegmentationResult, SegmentationScores, boundary_of


def gathered(labels: Any, predictions: Any, batch: int = 2, **options: Any) -> SegmentationResult:
    scores = SegmentationScores(**options)
    for start in range(0, len(labels), batch):
        scores.add(labels[start : start + batch], predictions[start : start + batch])
    return scores.result()


def blobs(rng: Any, n: int, h: int, w: int, classes: int) -> Any:
    """Maps of class ids with connected regions, as labels have."""
    coarse = rng.integers(0, classes, (n, -(-h // 5), -(-w // 4)))
    return coarse.repeat(5, axis=1).repeat(4, axis=2)[:, :h, :w]


def expected_boundaries(labels: Any, predictions: Any, classes: int, ignored: int | None) -> Any:
    """Boundary IoU as the paper's code computes it: a mask less its erosion, in a frame of zeros."""
    both, either = np.zeros(classes), np.zeros(classes)
    for true, chosen in zip(labels, predictions, strict=True):
        counted = np.ones(true.shape, bool) if ignored is None else true != ignored
        distance = max(1, round(0.02 * np.hypot(*true.shape)))
        for k in range(classes):
            edges = []
            for mask in ((true == k) & counted, (chosen == k) & counted):
                framed = np.pad(mask.astype(np.uint8), 1)
                eroded = cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=distance)
                edges.append(mask & ~eroded[1:-1, 1:-1].astype(bool))
            both[k] += (edges[0] & edges[1]).sum()
            either[k] += (edges[0] | edges[1]).sum()
    with np.errstate(invalid="ignore"):
        return both / either


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 70), st.integers(1, 70), st.integers(2, 6),
    st.sampled_from([None, 255, -100, 1]),
)  # fmt: skip
def test_all_metrics_of_odd_shapes(seed: int, n: int, h: int, w: int, k: int, ignored: int | None) -> None:
    rng = np.random.default_rng(seed)
    labels = blobs(rng, n, h, w, k)
    if ignored is not None:
        labels = np.where(rng.random(labels.shape) < 0.2, ignored, labels)
    scores = rng.normal(size=(n, k, h, w)).astype(np.float32)
    predictions = scores.argmax(axis=1)
    found = gathered(labels, scores, ignore_index=ignored)
    counted = labels.ravel() != ignored
    true, chosen = labels.ravel()[counted], predictions.ravel()[counted]
    if not len(true):
        assert np.isnan(found.miou) and np.isnan(found.pixel_accuracy)
        return
    ids = range(k)
    assert (found.confusion == confusion_matrix(true, chosen, labels=ids)).all()
    seen = np.union1d(true, chosen)
    options: Any = {"labels": ids, "average": None, "zero_division": 0}
    np.testing.assert_allclose(np.nan_to_num(found.iou), jaccard_score(true, chosen, **options), rtol=1e-12)
    np.testing.assert_allclose(np.nan_to_num(found.dice), f1_score(true, chosen, **options), rtol=1e-12)
    assert np.isnan(found.iou).tolist() == [i not in seen for i in ids]
    assert found.miou == pytest.approx(jaccard_score(true, chosen, labels=seen, average="macro"))
    weighted = jaccard_score(true, chosen, average="weighted", zero_division=0)
    assert found.frequency_weighted_iou == pytest.approx(weighted)
    assert found.pixel_accuracy == (true == chosen).mean()
    expected = expected_boundaries(labels, predictions, k, ignored)
    if ignored is None:  # otherwise the maps differ where pixels do not count
        np.testing.assert_allclose(found.boundary_iou, expected)
    assert found.label_area.tolist() == [(true == i).mean() for i in ids]
    assert found.predicted_area.tolist() == [(chosen == i).mean() for i in ids]


def test_the_region_that_does_not_count_is_a_contour_of_both() -> None:
    labels = blobs(np.random.default_rng(3), 3, 40, 50, 3)
    labels[:, 10:20, 15:30] = 255
    predictions = blobs(np.random.default_rng(4), 3, 40, 50, 3)
    found = gathered(labels, predictions, classes=3, ignore_index=255)
    np.testing.assert_allclose(found.boundary_iou, expected_boundaries(labels, predictions, 3, 255))


def test_a_boundary_of_a_square() -> None:
    ids = np.ones((9, 9), np.uint8)
    ids[2:7, 2:7] = 2
    edge = boundary_of(ids, 1)
    assert not edge[4, 4] and not edge[3:6, 3:6].any() and edge[2, 2:7].all() and edge[0].all()
    assert (ids[~edge] == 2).all()


@pytest.mark.parametrize("h", [1, 130])  # less than, and more than, what is looked at at once
def test_the_highest_score_is_the_first_of_equals(h: int) -> None:
    scores = np.random.default_rng(0).integers(0, 3, (2, 300, h, 131)).astype(np.float32)
    found = SegmentationScores().add(np.zeros((2, h, 131), np.int64), scores)
    assert (found.predictions == scores.argmax(axis=1)).all()


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_tensors_of_paddle(dtype: str) -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=(2, 3, 8, 9)).astype("float32"), rng.integers(0, 3, (2, 1, 8, 9))
    tensor = paddle.to_tensor(scores, stop_gradient=False).astype(dtype)
    found = gathered(paddle.to_tensor(labels), tensor)
    chosen = tensor.astype("float32").numpy().argmax(axis=1)
    assert (found.confusion == confusion_matrix(labels.ravel(), chosen.ravel())).all()


def test_what_the_scores_of_a_single_class_are() -> None:
    labels = np.array([[[0, 1], [1, 0]]])
    scores = np.array([[[[-0.1, 0.1], [0.6, 0.4]]]], np.float32)
    logits = gathered(labels, scores, activation="sigmoid").confusion
    assert logits.tolist() == [[1, 1], [0, 2]]
    assert gathered(labels, scores, activation=None).confusion.tolist() == [[2, 0], [1, 1]]
    assert gathered(labels, scores).confusion.tolist() == logits.tolist()  # some lie outside [0, 1]
    shares = scores + 0.1
    taken = gathered(labels, shares, activation=None).confusion.tolist()
    assert gathered(labels, shares).confusion.tolist() == taken
    several = np.concatenate([scores, shares])
    gathered(labels.repeat(2, axis=0), several, batch=1)  # logits may lie in it, too
    with pytest.raises(DataError, match="the batches before may be probabilities: give activation='sigmoid'"):
        gathered(labels.repeat(2, axis=0), several[::-1], batch=1)
    with pytest.raises(DataError, match="softmax has two"):
        gathered(labels, scores, activation="softmax")
    with pytest.raises(DataError, match="NaN, in image 0"):
        gathered(labels, scores * np.nan, activation="sigmoid")


def test_each_image_has_its_own_iou() -> None:
    labels = np.array([[[0, 0, 1, 1]], [[1, 1, 1, 1]], [[9, 9, 9, 9]]])
    chosen = np.array([[[0, 1, 1, 1]], [[1, 1, 1, 1]], [[0, 0, 0, 0]]])
    scores = SegmentationScores(3, ignore_index=9)
    found = scores.add(labels, chosen)
    np.testing.assert_allclose(found.iou, [(1 / 2 + 2 / 3) / 2, 1, np.nan])
    np.testing.assert_allclose(found.accuracy, [0.75, 1, np.nan])
    assert scores.images == 3 and scores.classes == 3


def test_one_hot_labels() -> None:
    ids = np.random.default_rng(2).integers(0, 3, (2, 5, 4))
    one_hot = np.moveaxis(np.eye(3)[ids], -1, 1)
    assert gathered(one_hot, one_hot).miou == 1


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        (np.zeros((1, 4, 4)), np.zeros((1, 3, 2, 2)), "2 x 2 pixels and labels of 4 x 4: bring the scores"),
        (np.zeros((2, 2, 2)), np.zeros((1, 3, 2, 2)), "of the same images and pixels"),
        (np.full((1, 2, 2), 3), np.zeros((1, 3, 2, 2)), "from 0 to 2, got 3 in 4 of 4 labels; ignore_index"),
        (np.full((1, 2, 2), -1), np.zeros((1, 3, 2, 2)), "from 0 to 2, got -1"),
        (np.full((1, 2, 2), 0.5), np.zeros((1, 3, 2, 2)), "whole numbers"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2), int), "say how many with classes="),
        (np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), "scores of shape"),
        (np.zeros((1, 2, 2)), np.full((1, 3, 2, 2), np.nan), "NaN, in image 0"),
        (np.zeros((1, 2, 2)), np.zeros((1, 2001, 2, 2)), "too many"),
    ],
)
def test_what_does_not_fit_is_refused(labels: Any, predictions: Any, words: str) -> None:
    with pytest.raises(DataError, match=words):
        SegmentationScores().add(labels, predictions)


def test_classes_stay_the_same() -> None:
    scores = SegmentationScores()
    scores.add(np.zeros((1, 2, 2), int), np.zeros((1, 3, 2, 2)))
    with pytest.raises(DataError, match="scores of 4 classes came after scores of 3"):
        scores.add(np.zeros((1, 2, 2), int), np.zeros((1, 4, 2, 2)))


def edges_of(mask: Any, distance: int) -> Any:
    """A mask less its erosion, with all outside of the volume as background."""
    around = np.ones((3,) * mask.ndim, bool)
    return mask & ~ndimage.binary_erosion(mask, around, iterations=distance, border_value=0)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 9), st.integers(1, 30), st.integers(1, 50),
    st.integers(2, 4), st.sampled_from(["scores", "scores of one", "ids", "channel", "one-hot"]),
)  # fmt: skip
def test_metrics_of_volumes(seed: int, n: int, d: int, h: int, w: int, k: int, form: str) -> None:
    rng = np.random.default_rng(seed)
    k = 2 if form == "scores of one" else k
    labels = np.stack([blobs(rng, d, h, w, k) for _ in range(n)])
    scores: Any = rng.normal(size=(n, k, d, h, w)).astype(np.float32)
    ids = scores.argmax(axis=1)
    given: Any = labels
    options: dict[str, Any] = {}
    if form == "scores of one":
        scores = scores[:, 1:] - scores[:, :1]
        options = {"activation": "sigmoid"}
    elif form in ("ids", "channel"):
        scores, options = (ids, {"classes": k}) if form == "ids" else (ids[:, None], {"classes": k})
        given = labels[:, None] if form == "channel" else labels
    elif form == "one-hot":
        given = np.moveaxis(np.eye(k, dtype=np.int8)[labels], -1, 1)
    found = gathered(given, scores, **options)
    true, chosen = labels.ravel(), ids.ravel()
    assert (found.confusion == confusion_matrix(true, chosen, labels=range(k))).all()
    seen = np.union1d(true, chosen)
    assert found.miou == pytest.approx(jaccard_score(true, chosen, labels=seen, average="macro"))
    assert found.mean_dice == pytest.approx(f1_score(true, chosen, labels=seen, average="macro"))
    distance = max(1, round(0.02 * float(np.sqrt(d**2 + h**2 + w**2))))
    both, either = np.zeros(k), np.zeros(k)
    for one, other in zip(labels, ids, strict=True):
        for c in range(k):
            edges = [edges_of(map_ == c, distance) for map_ in (one, other)]
            both[c] += (edges[0] & edges[1]).sum()
            either[c] += (edges[0] | edges[1]).sum()
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.boundary_iou, both / either)
