"""Records of an evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.format import encode
from vizkit.metrics.pr_roc import compute_class_curves
from vizkit.writing import evaluation

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("weights", [None, RNG.random(30)])
def test_curves_of_many_classes_are_the_records_of_each(weights: np.ndarray | None) -> None:
    pairs = compute_class_curves(
        RNG.integers(0, 3, 30), RNG.random((30, 3)), num_thresholds=7, weights=weights
    )
    tags = [(f"pr/{k}", f"roc/{k}") for k in range(3)]
    each = [
        encode.encode_pr_curve(pr_tag, pr, 1, 5) + encode.encode_roc_curve(roc_tag, roc, 1, 5)
        for (pr_tag, roc_tag), (pr, roc) in zip(tags, pairs, strict=True)
    ]
    assert evaluation.encode_pairs(tags, pairs, 1, 5) == b"".join(each)
    assert evaluation.encode_pairs([], [], 1, 5) == b""
