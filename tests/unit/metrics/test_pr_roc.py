"""PR and ROC curves: scikit-learn's numbers at every drawn threshold, whatever the scores."""

from __future__ import annotations

import tracemalloc
import warnings
from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics

from vizkit.errors import DataError
from vizkit.metrics.pr_roc import (
    PRCurve,
    ROCCurve,
    compute_class_curves,
    compute_pr_curve,
    compute_pr_roc_curves,
    compute_roc_curve,
)

pytestmark = pytest.mark.filterwarnings("error")

RNG = np.random.default_rng(11)
EXACT = 1e-12
LIMITS = settings(max_examples=100)


def agree_with_scikit_learn(
    pr: PRCurve, roc: ROCCurve, labels: Any, scores: Any, weights: Any = None
) -> None:
    """Each drawn point is scikit-learn's at its least threshold at or above; the areas are its own.

    Where scikit-learn has NaN for tpr or fpr, VizKit draws 0.
    """
    labels, scores = np.asarray(labels).astype(int), np.asarray(scores).astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one class only
        precision, recall, levels = metrics.precision_recall_curve(labels, scores, sample_weight=weights)
        fpr, tpr, roc_levels = metrics.roc_curve(
            labels, scores, sample_weight=weights, drop_intermediate=False
        )
        ap = metrics.average_precision_score(labels, scores, sample_weight=weights)
        auc = np.nan
        if labels.min() != labels.max():
            auc = metrics.roc_auc_score(labels, scores, sample_weight=weights)
    at = np.searchsorted(levels, pr.thresholds)
    np.testing.assert_allclose(pr.precision, precision[at], rtol=0, atol=EXACT)
    np.testing.assert_allclose(pr.recall, recall[at], rtol=0, atol=EXACT)
    at = np.searchsorted(roc_levels[::-1], roc.thresholds)
    np.testing.assert_allclose(roc.tpr, np.nan_to_num(tpr[::-1][at]), rtol=0, atol=EXACT)
    np.testing.assert_allclose(roc.fpr, np.nan_to_num(fpr[::-1][at]), rtol=0, atol=EXACT)
    np.testing.assert_allclose([pr.ap, roc.auc], [ap, auc], rtol=0, atol=EXACT)
    agree_with_counting(pr, labels, scores, weights)
    agree_with_counting(roc, labels, scores, weights)


def agree_with_counting(curve: Any, labels: Any, scores: Any, weights: Any = None) -> None:
    weights = np.ones(len(labels)) if weights is None else weights
    labels = np.asarray(labels).astype(bool)
    predicted = np.asarray(scores).astype(np.float64) >= curve.thresholds[:, None]
    for name, chosen in {
        "tp": predicted & labels,
        "fp": predicted & ~labels,
        "fn": ~predicted & labels,
        "tn": ~predicted & ~labels,
    }.items():
        np.testing.assert_allclose(getattr(curve, name), chosen @ weights, rtol=EXACT, atol=1e-9)


def same(one: Any, other: Any) -> None:
    for name, value in vars(one).items():
        np.testing.assert_array_equal(value, getattr(other, name), err_msg=name)


@st.composite
def samples(draw: st.DrawFn, scores: st.SearchStrategy[float] | None = None) -> tuple[Any, Any]:
    """Labels and scores of up to 60 samples, with ties, one class only, float32 and float64."""
    if scores is None:
        scores = draw(
            st.sampled_from(
                [
                    st.sampled_from([0.0, -0.0, 0.25, 0.5, 0.75, 1.0]),
                    st.integers(0, 126).map(lambda k: k / 126),
                    st.floats(0, 1),
                    st.floats(-1000, 1000),
                    st.floats(0, 1e300),
                    st.floats(allow_nan=False, allow_infinity=False),
                ]
            )
        )
    values = np.array(draw(st.lists(scores, min_size=1, max_size=60)))
    if np.abs(values).max() < 1e38 and draw(st.booleans()):
        values = values.astype(np.float32)
    seed = draw(st.integers(0, 2**32 - 1))
    share = draw(st.sampled_from([0.0, 0.03, 0.1, 0.5, 1.0]))  # few positives: the search by buckets
    return np.random.default_rng(seed).random(values.size) < share, values


COUNTS = st.sampled_from([2, 3, 10, 127, 200])


class TestNumbers:
    @LIMITS
    @given(samples(), COUNTS)
    def test_equal_scikit_learn(self, data: tuple[Any, Any], count: int) -> None:
        agree_with_scikit_learn(*compute_pr_roc_curves(*data, num_thresholds=count), *data)

    @LIMITS
    @given(samples(), COUNTS, st.data())
    def test_equal_scikit_learn_with_weights(self, data: tuple[Any, Any], count: int, more: Any) -> None:
        labels, scores = data
        weight = st.sampled_from([0.25, 1.0, 3.0]) | st.floats(1e-3, 1e3)
        weights = np.array(more.draw(st.lists(weight, min_size=len(labels), max_size=len(labels))))
        pr, roc = compute_pr_roc_curves(labels, scores, num_thresholds=count, weights=weights)
        agree_with_scikit_learn(pr, roc, labels, scores, weights)

    @LIMITS
    @given(samples(st.integers(-120, 120).map(lambda k: k / 4)))
    def test_equal_scikit_learn_on_logits(self, data: tuple[Any, Any]) -> None:
        labels, logits = data
        probabilities = 1 / (1 + np.exp(-logits.astype(np.float64)))
        pr, roc = compute_pr_roc_curves(labels, logits, num_thresholds=126, activation="sigmoid")
        assert pr.thresholds[0] == 0
        assert pr.thresholds[-1] == 1
        agree_with_scikit_learn(pr, roc, labels, probabilities)

    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    @pytest.mark.parametrize("share", [0.001, 0.1, 0.5, 0.999])
    @pytest.mark.parametrize("spread", ["even", "near 0 and 1", "tied", "tiny", "signed"])
    def test_equal_scikit_learn_on_many_samples(self, dtype: Any, share: float, spread: str) -> None:
        labels = RNG.random(3000) < share
        logits = RNG.normal(size=3000) + labels
        scores = {
            "even": RNG.random(3000),
            "near 0 and 1": 1 / (1 + np.exp(-8 * logits)),
            "tied": np.round(RNG.random(3000), 2),
            "tiny": RNG.random(3000) ** 9,
            "signed": logits,
        }[spread].astype(dtype)
        agree_with_scikit_learn(*compute_pr_roc_curves(labels, scores, num_thresholds=127), labels, scores)

    def test_of_a_curve_worked_out_by_hand(self) -> None:
        pr, roc = compute_pr_roc_curves([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], num_thresholds=3)
        assert pr.thresholds.tolist() == [0, 0.5, 1]
        assert (pr.tp.tolist(), pr.fp.tolist()) == ([2, 1, 0], [2, 0, 0])
        assert (pr.tn.tolist(), pr.fn.tolist()) == ([0, 2, 2], [0, 1, 2])
        assert (pr.precision.tolist(), pr.recall.tolist()) == ([0.5, 1, 1], [1, 0.5, 0])
        assert (roc.tpr.tolist(), roc.fpr.tolist()) == ([1, 0.5, 0], [1, 0, 0])
        assert pr.ap == pytest.approx(0.5 + 0.5 * 2 / 3, abs=EXACT)
        assert roc.auc == 0.75

    def test_ties_count_one_half_in_the_auc(self) -> None:
        assert compute_roc_curve([0, 1], [0.5, 0.5]).auc == 0.5
        assert compute_roc_curve([0, 1, 0, 0], [0.0, -0.0, 0.25, -0.25]).auc == 0.5

    def test_areas_do_not_depend_on_the_grid(self) -> None:
        labels, scores = RNG.random(500) < 0.3, RNG.random(500)
        coarse, fine = (compute_pr_roc_curves(labels, scores, num_thresholds=n) for n in (2, 1000))
        assert coarse[0].ap == fine[0].ap
        assert coarse[1].auc == fine[1].auc

    def test_pr_curve_and_roc_curve_are_the_shared_pair(self) -> None:
        labels, scores = RNG.random(300) < 0.3, RNG.normal(size=300)
        for more in ({}, {"weights": RNG.random(300)}, {"activation": "sigmoid"}):
            pr, roc = compute_pr_roc_curves(labels, scores, num_thresholds=50, **more)
            same(compute_pr_curve(labels, scores, num_thresholds=50, **more), pr)
            same(compute_roc_curve(labels, scores, num_thresholds=50, **more), roc)
        assert (
            compute_pr_curve(labels, scores).thresholds.size
            == compute_roc_curve(labels, scores).tpr.size
            == 127
        )

    def test_every_array_is_float64_of_the_asked_length(self) -> None:
        for curve in compute_pr_roc_curves(
            [True, False], np.array([0.5, 0.1], np.float32), num_thresholds=20
        ):
            for name, value in vars(curve).items():
                if name in ("ap", "auc"):
                    assert type(value) is float
                else:
                    assert (value.dtype, value.shape) == (np.float64, (20,))


class TestThresholds:
    @pytest.mark.parametrize("count", [2, 10, 127, 128, 1000])
    def test_are_exactly_k_of_n_minus_1_for_probabilities(self, count: int) -> None:
        found = compute_pr_curve([0, 1], [0.3, 0.6], num_thresholds=count).thresholds
        assert found.tolist() == [k / (count - 1) for k in range(count)]

    def test_a_float32_score_next_to_a_threshold_is_on_its_true_side(self) -> None:
        """k/126 rounded to float32 is below k/126 for about half of all k."""
        scores = (np.arange(127) / 126).astype(np.float32)
        below = scores.astype(np.float64) < np.arange(127) / 126
        assert 30 < below.sum() < 97
        for labels in (np.ones(127), np.arange(127) == 5):
            for weights in (None, np.full(127, 2.0)):
                pr = compute_pr_curve(labels, scores, weights=weights)
                agree_with_counting(pr, labels, scores, weights)

    @given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), COUNTS)
    @example([-1.7e308, 1.7e308], 127)
    @example([5.0], 127)
    @example([1.1, 1.1], 200)
    @LIMITS
    def test_span_the_scores_when_some_lie_outside_0_1(self, scores: list[float], count: int) -> None:
        found = compute_pr_curve(np.ones(len(scores)), scores, num_thresholds=count).thresholds
        low, high = min(scores), max(scores)
        if low >= 0 and high <= 1:
            low, high = 0, 1
        assert (found[0], found[-1]) == (low, high)
        assert (np.diff(found / 2) >= 0).all()
        even = low / 4 + (high / 4 - low / 4) * (np.arange(count) / (count - 1))
        np.testing.assert_allclose(found / 4, even, rtol=1e-9, atol=1e-9 * max(high / 4, -low / 4))

    def test_no_score_is_left_out(self) -> None:
        labels, scores = [0, 1, 1, 0], [-3.0, 4.0, 0.5, 1.5]
        roc = compute_roc_curve(labels, scores, num_thresholds=8)
        assert roc.thresholds.tolist() == list(range(-3, 5))
        assert (roc.tp[0], roc.fp[0]) == (2, 2)
        assert (roc.tp[-1], roc.fp[-1]) == (1, 0)
        assert roc.auc == 0.75

    def test_integer_scores_are_numbers(self) -> None:
        same(
            compute_pr_curve([0, 1, 1], np.array([3, 200, 7], np.uint8)),
            compute_pr_curve([0, 1, 1], [3.0, 200.0, 7.0]),
        )

    def test_the_largest_float32_is_no_overflow(self) -> None:
        largest = np.finfo(np.float32).max
        scores = np.array([-largest, 0, largest], dtype=np.float32)
        assert compute_pr_curve([0, 0, 1], scores).tp[-1] == 1


class TestInfiniteScores:
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    @pytest.mark.parametrize("size", [6, 4000])
    @pytest.mark.parametrize("weighted", [False, True])
    def test_keep_their_rank(self, dtype: Any, size: int, weighted: bool) -> None:
        scores = RNG.random(size).astype(dtype)
        scores[: size // 3] = RNG.choice([-np.inf, np.inf], size // 3)
        labels = RNG.random(size) < 0.05
        labels[:2] = [True, False]
        weights = RNG.random(size) + 0.1 if weighted else None
        pr, roc = compute_pr_roc_curves(labels, scores, num_thresholds=10, weights=weights)
        assert roc.thresholds.tolist() == [k / 9 for k in range(10)]
        finite = np.clip(scores.astype(np.float64), -9, 9)
        agree_with_scikit_learn(pr, roc, labels, finite, weights)

    def test_do_not_stretch_the_grid(self) -> None:
        assert compute_pr_curve([0, 1, 1], [-2.0, 6.0, np.inf], num_thresholds=3).thresholds.tolist() == [
            -2,
            2,
            6,
        ]
        alone = compute_pr_curve([0, 1], [-np.inf, np.inf], num_thresholds=3)
        assert alone.thresholds.tolist() == [0, 0.5, 1]
        assert (alone.tp.tolist(), alone.fp.tolist(), alone.ap) == ([1, 1, 1], [0, 0, 0], 1)


class TestUndefined:
    def test_no_samples_is_a_curve_of_nothing(self) -> None:
        choices: list[ArrayLike | None] = [None, [], 2.0]
        for weights in choices:
            pr, roc = compute_pr_roc_curves([], [], num_thresholds=5, weights=weights)
            assert pr.thresholds.tolist() == [0, 0.25, 0.5, 0.75, 1]
            for name in ("tp", "fp", "tn", "fn"):
                assert getattr(pr, name).tolist() == getattr(roc, name).tolist() == [0] * 5
            assert (pr.precision.tolist(), pr.recall.tolist()) == ([1] * 5, [0] * 5)
            assert roc.tpr.tolist() == roc.fpr.tolist() == [0] * 5
            assert np.isnan([pr.ap, roc.auc]).all()

    @pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0]])
    def test_no_positives(self, weights: Any) -> None:
        pr, roc = compute_pr_roc_curves([0, 0, 0], [0.1, 0.2, 0.6], num_thresholds=3, weights=weights)
        assert (pr.precision.tolist(), pr.recall.tolist(), pr.ap) == ([0, 0, 1], [1, 1, 0], 0)
        assert roc.tpr.tolist() == [0, 0, 0]
        assert (roc.fpr[0], roc.fpr[2]) == (1, 0)
        assert np.isnan(roc.auc)

    @pytest.mark.parametrize("weights", [None, [1.0, 2.0, 3.0]])
    def test_no_negatives(self, weights: Any) -> None:
        pr, roc = compute_pr_roc_curves([1, 1, 1], [0.1, 0.2, 0.6], num_thresholds=3, weights=weights)
        assert (pr.precision.tolist(), pr.ap) == ([1, 1, 1], 1)
        assert (roc.tpr[0], roc.tpr[2]) == (1, 0)
        assert roc.fpr.tolist() == [0, 0, 0]
        assert np.isnan(roc.auc)


class TestWeights:
    def test_one_number_scales_the_counts_alone(self) -> None:
        labels, scores = RNG.random(400) < 0.4, RNG.random(400)
        for plain, scaled in zip(
            compute_pr_roc_curves(labels, scores, num_thresholds=9),
            compute_pr_roc_curves(labels, scores, num_thresholds=9, weights=np.float32(2.5)),
            strict=True,
        ):
            for name, value in vars(plain).items():
                factor = 2.5 if name in ("tp", "fp", "tn", "fn") else 1
                np.testing.assert_array_equal(getattr(scaled, name), value * factor)

    @pytest.mark.parametrize("everything", [0, np.zeros(3)])
    def test_nothing_that_counts_is_no_samples(self, everything: Any) -> None:
        found = compute_pr_roc_curves([0, 1, 1], [0.1, 0.2, 9], num_thresholds=4, weights=everything)
        for one, other in zip(found, compute_pr_roc_curves([], [], num_thresholds=4), strict=True):
            same(one, other)

    def test_a_sample_of_weight_0_is_absent(self) -> None:
        weights = [1, 0, 2, 3, 0]
        found = compute_pr_roc_curves(
            [0, 1, 1, 0, 1], [0.1, 0.2, 0.7, 0.6, 50], num_thresholds=6, weights=weights
        )
        kept = compute_pr_roc_curves([0, 1, 0], [0.1, 0.7, 0.6], num_thresholds=6, weights=[1, 2, 3])
        for one, other in zip(found, kept, strict=True):
            same(one, other)

    @pytest.mark.parametrize(
        ("weights", "named"),
        [
            ([1, -0.5, 1], "-0.5"),
            ([1, np.nan, 1], "nan"),
            ([1, np.inf, 1], "not negative, got inf"),
            (-2, "-2"),
            (np.nan, "nan"),
            ([1, 1], "labels and weights must be of equal length, got 3 and 2"),
            (np.ones((3, 2)), r"\[3, 2\]"),
            ([1j, 1, 1], "real"),
            ("heavy", "heavy"),
            ([1e308, 1e308, 1e308], "1e\\+308"),
            (1e308, "1e\\+308"),
        ],
    )
    def test_that_mean_nothing_are_refused(self, weights: Any, named: str) -> None:
        with pytest.raises(DataError, match=named):
            compute_pr_curve([0, 1, 1], [0.1, 0.2, 0.3], weights=weights)


class TestClasses:
    @pytest.mark.parametrize("weights", [None, RNG.random(200).round(1)])
    @pytest.mark.parametrize("activation", [None, "sigmoid"])
    def test_each_class_is_a_curve_against_the_rest(self, weights: Any, activation: Any) -> None:
        ids, scores = RNG.integers(0, 4, 200), RNG.normal(size=(200, 4)).astype(np.float32)
        found = compute_class_curves(ids, scores, num_thresholds=12, weights=weights, activation=activation)
        assert len(found) == 4
        for k, (pr, roc) in enumerate(found):
            alone = compute_pr_roc_curves(
                ids == k, scores[:, k], num_thresholds=12, weights=weights, activation=activation
            )
            same(pr, alone[0])
            same(roc, alone[1])

    @pytest.mark.parametrize("together", [1, 500, 1 << 20])
    def test_classes_of_equal_scores_and_without_samples_stay_apart(
        self, together: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("vizkit.metrics.ranking._TOGETHER", together)
        ids, scores = RNG.choice([0, 2, 3, 5], 200), RNG.integers(0, 3, (200, 7)) / 2
        scores[:, 2:4] = 0.5
        for k, (pr, roc) in enumerate(compute_class_curves(ids, scores, num_thresholds=5)):
            agree_with_scikit_learn(pr, roc, ids == k, scores[:, k])

    def test_softmax_is_over_the_classes(self) -> None:
        ids, logits = RNG.integers(0, 3, 300), RNG.normal(size=(300, 3)) * 2
        logits[:150] += 1000
        logits[0, 1] = -np.inf  # a masked class
        powers = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.longdouble))
        shares = powers / powers.sum(axis=1, keepdims=True)
        for k, (pr, roc) in enumerate(compute_class_curves(ids, logits, activation="softmax")):
            assert pr.thresholds[-1] == 1
            agree_with_scikit_learn(pr, roc, ids == k, shares[:, k].astype(np.float64))

    def test_labels_may_be_ids_or_one_hot_in_any_form(self) -> None:
        ids, scores = np.arange(30) % 3, RNG.random((30, 3))
        expected = compute_class_curves(ids, scores)
        one_hot = np.eye(3)[ids]
        for labels in (
            ids.tolist(),
            ids[:, None],
            ids.astype(np.uint8),
            ids.astype(np.float32),
            one_hot,
            one_hot.astype(bool),
            one_hot.astype(int).tolist(),
            paddle.to_tensor(ids[:, None]),
        ):
            for one, other in zip(compute_class_curves(labels, scores), expected, strict=True):
                same(one[0], other[0])
                same(one[1], other[1])

    def test_multi_label(self) -> None:
        labels, scores = RNG.random((500, 3)) < [0.02, 0.5, 0.9], RNG.random((500, 3))
        for k, curves in enumerate(compute_class_curves(labels, scores)):
            agree_with_scikit_learn(*curves, labels[:, k], scores[:, k])

    @pytest.mark.parametrize("shape", [(4,), (4, 1)])
    def test_one_column_is_binary(self, shape: tuple[int, ...]) -> None:
        labels, scores = np.array([0, 1, 1, 0]), np.array([[0.2], [0.9], [0.4], [0.6]])
        (curves,) = compute_class_curves(labels.reshape(shape), scores)
        for one, other in zip(curves, compute_pr_roc_curves(labels, scores, num_thresholds=127), strict=True):
            same(one, other)

    def test_no_samples(self) -> None:
        assert compute_class_curves([], []) == []
        for labels in (np.empty(0, int), np.empty((0, 3))):
            found = compute_class_curves(labels, np.empty((0, 3)), activation="softmax")
            assert len(found) == 3
            assert np.isnan([[pr.ap, roc.auc] for pr, roc in found]).all()

    @pytest.mark.parametrize(
        ("labels", "named"),
        [
            ([0, 1, 3], "0 to 2, got 3"),
            ([0, -1, 2], "got -1"),
            ([0, 1.5, 2], r"1\.5"),
            ([0, np.nan, 2], "nan"),
            (np.full((3, 3), 0.5), r"0 or 1, got 0\.5"),
            (np.zeros((3, 2)), r"\[3, 2\]"),
            (np.zeros((3, 3, 3)), r"\[3, 3, 3\]"),
            ([0, 1], "labels and scores must be of equal length, got 2 and 3"),
            (1, "labels and scores must be of equal length, got one number and 3"),
            (["cat", "dog", "cat"], "numbers"),
        ],
    )
    def test_labels_that_mean_nothing_are_refused(self, labels: Any, named: str) -> None:
        with pytest.raises(DataError, match=named):
            compute_class_curves(labels, RNG.random((3, 3)))

    @pytest.mark.parametrize(
        ("scores", "activation", "named"),
        [
            ([0.1, 0.2], None, r"\[samples, classes\], got \[2\]"),
            ([[0.1, np.nan], [np.nan, 0.2]], None, "2 of 4 scores are NaN"),
            ([[0.1, np.inf], [0.1, 0.2]], "softmax", "1 of 2 rows"),
            ([[0.1, 0.2], [-np.inf, -np.inf]], "softmax", "1 of 2 rows"),
            ([[0.1, 0.2], [0.3, 0.4]], "relu", "'sigmoid' or 'softmax', got 'relu'"),
        ],
    )
    def test_scores_that_mean_nothing_are_refused(self, scores: Any, activation: Any, named: str) -> None:
        with pytest.raises(DataError, match=named):
            compute_class_curves([0, 1], scores, activation=activation)


class TestInputs:
    def test_labels_and_predictions_in_any_form(self) -> None:
        labels, scores = [0, 1, 1, 0, 1], np.array([0.1, 0.9, 0.3, 0.4, 0.4], np.float32)
        expected = compute_pr_curve(labels, scores)
        for kind in (bool, np.int8, np.uint64, np.float16, np.float64):
            same(compute_pr_curve(np.array(labels).astype(kind), scores[:, None]), expected)
        same(compute_pr_curve(paddle.to_tensor(labels), paddle.to_tensor(scores)), expected)
        same(
            compute_pr_curve(np.array(labels)[:, None], scores.tolist()),
            compute_pr_curve(labels, scores.astype(float)),
        )
        same(compute_pr_curve(np.repeat(labels, 2)[::2], np.repeat(scores, 2)[::2]), expected)
        same(compute_pr_curve(labels, scores.astype(">f4")), expected)

    @pytest.mark.parametrize(
        ("labels", "named"),
        [
            ([1, 2, 1], "0 or 1, got 2"),
            ([-1, 1, -1], "got -1 in 2 of 3"),
            ([0, np.nan, 1], "got nan"),
            ([0, 0.5, 1], r"got 0\.5"),
            ([0, 1], "labels and predictions must be of equal length, got 2 and 3"),
            (np.zeros((3, 2)), r"labels must be of shape \[n\] or \[n, 1\], got \[3, 2\]"),
            (1, r"got \[\]"),
            ([0, 1, 1j], "real"),
            (["yes", "no", "no"], "numbers"),
            (None, "None"),
        ],
    )
    def test_labels_that_mean_nothing_are_refused(self, labels: Any, named: str) -> None:
        with pytest.raises(DataError, match=named):
            compute_pr_curve(labels, [0.1, 0.2, 0.3])

    @pytest.mark.parametrize(
        ("predictions", "named"),
        [
            ([0.1, np.nan, np.nan], "2 of 3 scores are NaN"),
            (np.zeros((3, 2)), r"predictions .* \[3, 2\]"),
            (np.zeros(3, complex), "real"),
            (["a", "b", "c"], "numbers"),
        ],
    )
    def test_predictions_that_mean_nothing_are_refused(self, predictions: Any, named: str) -> None:
        for curve in (compute_pr_curve, compute_roc_curve):
            with pytest.raises(DataError, match=named):
                curve([0, 1, 1], predictions)

    @pytest.mark.parametrize("count", [1, 0, -5, 2.5, "10", None, True])
    def test_fewer_than_two_thresholds_are_refused(self, count: Any) -> None:
        for call in (
            lambda: compute_pr_curve([0, 1], [0.1, 0.9], num_thresholds=count),
            lambda: compute_class_curves([0, 1], np.eye(2), num_thresholds=count),
        ):
            with pytest.raises(DataError, match="2 or more"):
                call()

    def test_an_unknown_activation_is_refused(self) -> None:
        with pytest.raises(DataError, match="None or 'sigmoid', got 'softmax'"):
            compute_pr_curve([0, 1], [0.1, 0.9], activation="softmax")  # type: ignore[arg-type]

    @pytest.mark.parametrize("activation", [None, "sigmoid", "softmax"])
    def test_the_callers_arrays_are_left_alone(self, activation: Any) -> None:
        """All are read-only, so that a write would raise, and hold no sorted values."""
        ids, scores, weights = RNG.integers(0, 2, 90), RNG.normal(size=(90, 2)), RNG.random(90)
        for array in (ids, scores, weights):
            array.setflags(write=False)
        before = scores.copy()
        compute_class_curves(ids, scores, weights=weights, activation=activation)
        compute_class_curves(ids, scores, activation=activation)
        compute_pr_curve(ids, scores[:, 0])
        np.testing.assert_array_equal(scores, before)

    def test_extreme_logits_do_not_warn(self) -> None:
        pr = compute_pr_curve([0, 1, 0, 1], [-1e308, 1e308, -np.inf, np.inf], activation="sigmoid")
        assert pr.ap == 1


class TestCost:
    @pytest.mark.parametrize("weighted", [False, True])
    def test_memory_is_linear_in_the_samples(self, weighted: bool) -> None:
        def peak(samples: int) -> int:
            labels: NDArray[Any] = RNG.random(samples) < 0.1
            scores, weights = RNG.random(samples), RNG.random(samples) if weighted else None
            tracemalloc.start()
            compute_pr_curve(labels, scores, num_thresholds=10, weights=weights)
            _, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most

        assert peak(400_000) < 100 * 400_000
