"""Curves from counts of scores in bins: within their errors of scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from vizkit.metrics.score_bins import ScoreBins


@settings(max_examples=30)
@given(
    st.integers(1, 4),
    st.integers(20, 120),
    st.integers(0, 10**6),
    st.sampled_from([0.01, 1, 8, 30]),
    st.integers(0, 5),
    st.booleans(),
)
def test_binned_areas_are_within_their_errors(
    classes: int, count: int, seed: int, spread: float, bits: int, ties: bool
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, (count, classes)).astype(bool)
    labels[0], labels[1] = True, False
    scores = 1 / (1 + np.exp(-rng.normal(0, spread, (count, classes)) - labels))
    if ties:
        scores = np.round(scores, 1)
    bins = ScoreBins(classes, bits)
    bins.add(scores[:10], labels[:10])
    bins.add(scores[10:], labels[10:])
    found = [*bins.curves(20), *bins.pooled().curves(20)]
    every = [*zip(labels.T, scores.T, strict=True), (labels.ravel(), scores.ravel())]
    for curves, (truth, values) in zip(found, every, strict=True):
        ap_error, auc_error = curves.errors
        ap, auc = average_precision_score(truth, values), roc_auc_score(truth, values)
        assert abs(curves.pr.ap - ap) <= ap_error + 1e-12
        assert abs(curves.roc.auc - auc) <= auc_error + 1e-12
        for k, threshold in enumerate(curves.pr.thresholds):
            above = values >= threshold  # exact at the points that are drawn
            assert curves.pr.tp[k] == (above & truth).sum()
            assert curves.roc.fp[k] == (above & ~truth).sum()
        assert curves.pr.tp + curves.pr.fn == pytest.approx(truth.sum())
        assert curves.roc.tpr == pytest.approx(curves.roc.tp / truth.sum())


def test_the_ends_of_the_unit_interval() -> None:
    scores = np.array([0.0, -0.0, 1e-300, 2.0**-49, 0.5, np.nextafter(0.5, 0), 1 - 2.0**-53, 1.0])[:, None]
    labels = np.array([0, 0, 0, 0, 1, 0, 1, 1], bool)[:, None]
    (found,) = (bins := ScoreBins(1)).curves(2)
    assert np.isnan(found.roc.auc) and np.isnan(found.pr.ap)
    bins.add(scores, labels)
    (found,) = bins.curves(127)
    assert found.pr.tp[0] == 3 and found.pr.fp[0] == 5
    assert (found.pr.ap, found.roc.auc) == (1.0, 1.0)
    middle = found.pr.thresholds == 0.5
    assert found.pr.tp[middle] == 3 and found.pr.fp[middle] == 0


def test_many_classes_have_coarser_bins_in_bounded_memory() -> None:
    few, many = ScoreBins(1), ScoreBins(1000)
    assert few.size > many.size
    assert few.nbytes <= many.nbytes <= 64 << 20
