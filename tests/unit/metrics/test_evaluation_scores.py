"""Scores gathered batch by batch: scikit-learn's numbers, and past the limit numbers within stated errors."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, confusion_matrix, roc_auc_score

from vizkit.errors import DataError
from vizkit.metrics.evaluation_scores import EvaluationResult, EvaluationScores
from vizkit.metrics.score_bins import ScoreBins

RNG = np.random.default_rng(11)


def gathered(labels: Any, scores: Any, batch: int = 7, **options: Any) -> EvaluationResult:
    gatherer = EvaluationScores(**options)
    for start in range(0, len(scores), batch):
        gatherer.add(labels[start : start + batch], scores[start : start + batch])
    return gatherer.result()


def softmax(logits: Any) -> Any:
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(logits: Any) -> Any:
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def sample(count: int, classes: int, seed: int = 0, spread: float = 2) -> tuple[Any, Any]:
    """Labels of which every class has some, and float32 logits."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(count) % classes)
    logits = rng.normal(0, spread, (count, classes))
    logits[np.arange(count), labels] += 1
    return labels, logits.astype(np.float32)


def expected_error(confidence: Any, right: Any, bins: int = 15) -> float:
    """ECE as it is written in the paper, with a loop."""
    total = 0.0
    for m in range(1, bins + 1):
        inside = (confidence > (m - 1) / bins) & (confidence <= m / bins)
        inside |= (m == 1) & (confidence == 0)
        if inside.any():
            total += inside.sum() * abs(right[inside].mean() - confidence[inside].mean())
    return total / len(confidence)


# ---- held: exact -----------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.integers(2, 6), st.integers(12, 60), st.integers(0, 10**6), st.sampled_from([0.5, 2, 20]))
def test_several_classes_equal_scikit_learn(classes: int, count: int, seed: int, spread: float) -> None:
    labels, logits = sample(count, classes, seed, spread)
    found = gathered(labels, logits, activation="softmax")
    scores, one_hot = softmax(logits), np.eye(classes)[labels]
    for k, (pr, roc) in enumerate(found.curves):
        assert pr.ap == pytest.approx(average_precision_score(labels == k, scores[:, k]), abs=1e-12)
        assert roc.auc == pytest.approx(roc_auc_score(labels == k, scores[:, k]), abs=1e-12)
    assert found.micro is not None and found.reliability is not None
    for average, (ap, auc) in {
        "macro": found.macro,
        "micro": (found.micro[0].ap, found.micro[1].auc),
    }.items():
        assert ap == pytest.approx(average_precision_score(one_hot, scores, average=average), abs=1e-12)
        auc_of = roc_auc_score(one_hot, scores, average=average, multi_class="ovr")
        assert auc == pytest.approx(auc_of, abs=1e-12)
    guess = scores.argmax(axis=1)
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, guess, labels=range(classes)))
    ece = expected_error(scores.max(axis=1), guess == labels)
    assert found.reliability.ece == pytest.approx(ece, abs=1e-12)
    assert (found.samples, found.bins, found.error) == (count, 0, (0.0, 0.0))


@settings(max_examples=25)
@given(st.integers(2, 5), st.integers(10, 60), st.integers(0, 10**6))
def test_several_labels_equal_scikit_learn(classes: int, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (count, classes))
    labels[0], labels[1] = 1, 0
    logits = rng.normal(0, 2, (count, classes))
    found = gathered(labels, logits, activation="sigmoid")
    scores = sigmoid(logits)
    assert found.micro is not None and found.reliability is not None
    for average, (ap, auc) in {
        "macro": found.macro,
        "micro": (found.micro[0].ap, found.micro[1].auc),
    }.items():
        assert ap == pytest.approx(average_precision_score(labels, scores, average=average), abs=1e-12)
        assert auc == pytest.approx(roc_auc_score(labels, scores, average=average), abs=1e-12)
    assert found.confusion is None
    assert found.reliability.ece == pytest.approx(expected_error(scores.ravel(), labels.ravel()), abs=1e-12)


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
@pytest.mark.parametrize("limit", [1000, 20])
def test_a_single_class(shape: tuple[int, ...], limit: int) -> None:
    labels, logits = RNG.integers(0, 2, 90), RNG.normal(0, 2, 90).astype(np.float32)
    found = gathered(labels.reshape(shape), logits.reshape(shape), activation="sigmoid", limit=limit)
    scores = sigmoid(logits)
    ((pr, roc),) = found.curves
    assert pr.ap == pytest.approx(average_precision_score(labels, scores), abs=1e-12 + found.error[0])
    assert roc.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12 + found.error[1])
    assert found.macro == (pr.ap, roc.auc)
    assert found.micro is None
    np.testing.assert_array_equal(found.confusion, confusion_matrix(labels, scores >= 0.5))
    share, mean = calibration_curve(labels, scores, n_bins=15)
    assert found.reliability is not None
    held = found.reliability.counts > 0
    np.testing.assert_allclose(found.reliability.accuracy[held], share, atol=1e-12)
    np.testing.assert_allclose(found.reliability.confidence[held], mean, atol=1e-12)
    assert found.reliability.axes == ("probability", "share of positives")


def test_two_scores_of_one_decision_are_two_classes() -> None:
    labels, logits = sample(50, 2)
    found = gathered(labels, logits, activation="softmax")
    assert len(found.curves) == 2
    assert found.curves[0][1].auc == pytest.approx(found.curves[1][1].auc)


def test_any_scores_have_curves_but_only_probabilities_a_reliability() -> None:
    labels, scores = RNG.integers(0, 2, 60), RNG.normal(0, 100, 60)
    found = gathered(labels, scores)
    assert found.curves[0][0].ap == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert found.reliability is None
    assert found.confusion is None
    labels, logits = sample(60, 3)
    found = gathered(labels, logits)
    assert found.reliability is None
    assert found.confusion is not None
    assert found.confusion.trace() == (logits.argmax(axis=1) == labels).sum()


def test_classes_without_samples_are_left_out_of_the_means() -> None:
    found = gathered(np.zeros(9, int), sample(9, 3)[1], activation="softmax")
    assert np.isnan(found.macro).all()
    labels, logits = sample(40, 2)
    logits = np.column_stack([logits, RNG.normal(0, 1, 40)])
    found = gathered(labels, logits, activation="softmax")
    known = [(pr.ap, roc.auc) for pr, roc in found.curves[:2]]
    assert found.macro == pytest.approx(np.mean(known, axis=0))


# ---- which form --------------------------------------------------------------------------------------


def equal(one: EvaluationResult, other: EvaluationResult) -> bool:
    same = [(a.ap, b.auc) for a, b in one.curves] == [(a.ap, b.auc) for a, b in other.curves]
    assert one.reliability is not None and other.reliability is not None
    return same and one.reliability.ece == other.reliability.ece


@pytest.mark.parametrize("limit", [10**6, 60])
def test_one_hot_labels_are_class_ids(limit: int) -> None:
    labels, logits = sample(60, 3)
    one_hot = np.eye(3)[labels]
    for activation in ("softmax", "auto"):
        found = gathered(one_hot, logits, activation=activation, limit=limit)
        assert equal(found, gathered(labels, logits, activation="softmax", limit=limit))
        assert found.confusion is not None
    assert gathered(one_hot, logits, activation="sigmoid", limit=limit).confusion is None


def test_auto_tells_logits_from_probabilities() -> None:
    labels, logits = sample(60, 3)
    certain = softmax(logits).astype(np.float16)
    assert equal(gathered(labels, logits, activation="auto"), gathered(labels, logits, activation="softmax"))
    assert equal(gathered(labels, certain, activation="auto"), gathered(labels, certain))
    several = RNG.integers(0, 2, (60, 3))
    found = gathered(several, logits, activation="auto")
    assert equal(found, gathered(several, logits, activation="sigmoid"))
    chances = sigmoid(logits)
    assert equal(gathered(several, chances, activation="auto"), gathered(several, chances))


@pytest.mark.parametrize("convert", [np.asarray, paddle.to_tensor, lambda x: np.asarray(x).tolist()])
def test_batches_may_be_arrays_tensors_and_lists_of_any_length(convert: Any) -> None:
    labels, logits = sample(60, 3)
    gatherer = EvaluationScores(activation="softmax")
    for start, end in ((0, 1), (1, 40), (40, 60)):
        gatherer.add(convert(labels[start:end]), convert(logits[start:end]))
    gatherer.add(np.empty(0), np.empty((0, 3)))
    found, expected = gatherer.result(), gathered(labels, logits, activation="softmax")
    assert [pr.ap for pr, _ in found.curves] == pytest.approx([pr.ap for pr, _ in expected.curves])
    assert found.samples == 60


@pytest.mark.parametrize("limit", [10**6, 500])
@pytest.mark.parametrize("channel", [False, True])
def test_each_pixel_of_a_segmentation_is_a_sample(limit: int, channel: bool) -> None:
    labels = RNG.integers(0, 3, (4, 5, 6))
    logits = RNG.normal(0, 2, (4, 3, 5, 6)).astype(np.float32)
    labels[2, :2] = 255
    flat, pixels = labels.ravel(), np.moveaxis(logits, 1, -1).reshape(-1, 3)
    kept = flat != 255
    given = labels[:, None] if channel else labels
    found = gathered(given, logits, 2, activation="softmax", ignore_index=255, limit=limit)
    assert found.samples == kept.sum() == 108
    expected = gathered(flat[kept], pixels[kept], activation="softmax", limit=limit)
    np.testing.assert_array_equal(found.confusion, expected.confusion)
    assert found.macro == pytest.approx(expected.macro, abs=1e-12)
    masks = np.stack([labels == k for k in range(3)], axis=1)
    several = gathered(masks, logits, 2, activation="sigmoid", limit=limit)
    assert several.samples == 120
    assert several.curves[1][0].tp[0] == (labels == 1).sum()


def test_a_first_batch_of_which_nothing_counts() -> None:
    labels, scores = RNG.integers(0, 3, 40), RNG.random((40, 3))
    labels[:20] = -100
    found = gathered(labels, scores, 20, ignore_index=-100)
    assert found.samples == 20
    assert found.macro == pytest.approx(gathered(labels[20:], scores[20:]).macro, abs=1e-12)


def test_what_is_given_is_neither_kept_nor_changed() -> None:
    labels, logits = sample(60, 3)
    expected = gathered(labels, logits, activation="softmax")
    given, scores = labels.copy(), logits.copy()
    gatherer = EvaluationScores(activation="softmax")
    scores.flags.writeable = False
    gatherer.add(given, scores)
    scores.flags.writeable = True
    given[:], scores[:] = 0, 0
    assert equal(gatherer.result(), expected)


# ---- past the limit ----------------------------------------------------------------------------------


def test_errors_are_small_where_bins_are_fine() -> None:
    labels, logits = sample(4000, 5, spread=3)
    exact = gathered(labels, logits, 500, activation="softmax")
    binned = gathered(labels, logits, 500, activation="softmax", limit=4000)
    assert binned.bins > 10_000
    assert 0 < binned.error[0] < 1e-3
    assert 0 < binned.error[1] < 1e-4
    for one, other in zip(binned.curves, exact.curves, strict=True):
        assert one[0].ap == pytest.approx(other[0].ap, abs=1e-5)
        assert one[1].auc == pytest.approx(other[1].auc, abs=1e-5)
        np.testing.assert_allclose(one[0].thresholds, other[0].thresholds, atol=1e-3)
    assert binned.macro == pytest.approx(exact.macro, abs=max(binned.macro_error))


def test_nothing_is_lost_when_the_limit_is_passed_amid_an_epoch() -> None:
    labels, logits = sample(300, 4)
    exact = gathered(labels, logits, activation="softmax")
    for batch, limit in ((7, 500), (64, 500), (300, 500), (300, 3), (7, 1), (7, 1199)):
        found = gathered(labels, logits, batch, activation="softmax", limit=limit)
        assert found.bins
        assert found.samples == 300
        np.testing.assert_array_equal(found.confusion, exact.confusion)
        assert found.reliability is not None and exact.reliability is not None
        np.testing.assert_array_equal(found.reliability.counts, exact.reliability.counts)
        assert found.reliability.ece == pytest.approx(exact.reliability.ece)
        assert found.macro == pytest.approx(exact.macro, abs=max(found.macro_error))
    assert not gathered(labels, logits, activation="softmax", limit=1200).bins


def test_order_and_batches_do_not_count_past_the_limit() -> None:
    labels, logits = sample(400, 4)
    order = np.argsort(labels)
    one = gathered(labels, logits, 33, activation="softmax", limit=300)
    other = gathered(labels[order], logits[order], 400, activation="softmax", limit=700)
    assert [pr.ap for pr, _ in one.curves] == [pr.ap for pr, _ in other.curves]
    assert one.error == other.error


def test_memory_is_bounded() -> None:
    batch, scores = RNG.integers(0, 50, 400), RNG.random((400, 50))
    gatherer = EvaluationScores(limit=200_000)
    tracemalloc.start()
    peaks = []
    for _ in range(3):
        for _ in range(20):  # twice the limit
            gatherer.add(batch, scores)
        peaks.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert peaks[2] < 1.01 * peaks[1]
    assert gatherer.nbytes < (64 << 20) + 2 * 200_000 * 8 + 8_000_000
    assert ScoreBins(1000).nbytes <= 64 << 20


def test_many_tiny_batches_take_little_more_than_their_scores() -> None:
    gatherer = EvaluationScores()
    for k in range(3000):
        gatherer.add([k % 2], [0.25])
    assert gatherer.nbytes < 2 * 3000 * (8 + 1) + 100
    assert gatherer.result().samples == 3000


# ---- what is refused ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "labels", "scores", "message"),
    [
        ({}, [0, 1], [[0.1, np.nan], [0.5, 0.5]], "1 of 4 scores are NaN, in 1 of 2 samples"),
        ({}, [0, 2], np.eye(2), "from 0 to 1, got 2 in 1 of 2 class ids; ignore_index"),
        ({}, [0, -100], np.eye(2), "got -100"),
        ({}, [0, 0.5], np.eye(2), "whole numbers.*got 0.5"),
        ({}, [0, 3], [0.1, 0.2], "0 or 1, got 3"),
        ({}, [[0, 2]], [[0.1, 0.2]], "0 or 1, got 2"),
        ({"ignore_index": 255}, [255, 7], np.eye(2), "got 7 in 1 of 1"),
        ({}, [0, 1, 1], np.eye(2), r"of shape \[2\], \[2, 1\] or \[2, 2\], got \[3\]"),
        ({}, np.zeros((2, 4, 4)), np.zeros((2, 4, 4, 3)), "second axis"),
        ({}, 1, 0.5, "shape"),
        ({}, [1j], [0.5], "real numbers"),
        ({"activation": "softmax"}, [0], [[np.inf, 0]], "inf"),
    ],
)
def test_a_bad_batch_is_refused(options: Any, labels: Any, scores: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        EvaluationScores(**options).add(labels, scores)


def test_batches_that_do_not_fit_those_before() -> None:
    gatherer = EvaluationScores()
    gatherer.add([0, 1], np.eye(2))
    with pytest.raises(DataError, match="3 classes came after scores of 2"):
        gatherer.add([0], np.ones((1, 3)))
    with pytest.raises(DataError, match="class ids in some batches"):
        gatherer.add([[0, 1]], np.ones((1, 2)))
    assert gatherer.samples == 2


@pytest.mark.parametrize(
    "options", [{"activation": "relu"}, {"limit": 0}, {"limit": 1.5}, {"ignore_index": "none"}]
)
def test_bad_options(options: Any) -> None:
    with pytest.raises(DataError, match=next(iter(options))):
        EvaluationScores(**options)


def test_what_only_the_end_tells() -> None:
    with pytest.raises(DataError, match="no samples"):
        EvaluationScores().result()
    with pytest.raises(DataError, match="one label a sample"):
        gathered(np.ones((4, 2)), np.ones((4, 2)), activation="softmax")
    with pytest.raises(DataError, match="past 5 scores only probabilities"):
        gathered([0, 1, 0, 1], np.eye(2)[[0, 1, 0, 1]] * 3, 1, limit=5)
    one_hot = np.eye(2)[[0, 1, 0, 1, 1]]
    one_hot[4] = 1
    with pytest.raises(DataError, match="one-hot at first"):
        gathered(one_hot, np.full((5, 2), 0.5), 1, limit=4)
