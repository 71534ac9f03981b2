"""The public face of `vizkit.metrics`."""

from __future__ import annotations

import numpy as np
import pytest

import vizkit


def test_public_functions_are_reachable_after_import_vizkit() -> None:
    labels, scores = [0, 1, 1, 0], [0.1, 0.8, 0.6, 0.7]
    assert vizkit.metrics.compute_pr_curve(labels, scores).ap == pytest.approx(5 / 6)
    assert vizkit.metrics.compute_roc_curve(labels, scores).auc == 0.75
    assert vizkit.metrics.compute_confusion_matrix(labels, [0, 1, 0, 0]).tolist() == [[2, 0], [1, 1]]
    assert vizkit.metrics.compute_histogram([1.0, 2.0, 2.0], 2).counts.tolist() == [1, 2]
    assert vizkit.metrics.tensor_norms(np.array([3.0, 4.0])).norm == 5
    assert isinstance(vizkit.metrics.compute_reliability(labels, scores), vizkit.metrics.Reliability)


def test_dir_lists_the_exports() -> None:
    assert {"EvaluationScores", "Histogram", "PRCurve", "ROCCurve", "mean_areas"} <= set(dir(vizkit.metrics))
    assert "compute_pr_curve" in dir(vizkit.metrics)
