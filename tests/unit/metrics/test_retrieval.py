"""Retrieval against a plain reference, and against scikit-learn's neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from vizkit.metrics import retrieval
from vizkit.metrics.retrieval import retrieve


def reference(vectors: Any, labels: Any, k: int) -> tuple[float, float]:
    """Recall and mean average precision at k."""
    recalls, averages = [], []
    for row, vector in enumerate(vectors):
        cosine = vectors @ vector / np.linalg.norm(vectors, axis=1) / np.linalg.norm(vector)
        order = [other for other in np.argsort(-cosine, kind="stable").tolist() if other != row]
        relevant = [labels[other] == labels[row] for other in order]
        if any(relevant):
            precisions = [np.mean(relevant[: i + 1]) for i in range(min(k, len(order))) if relevant[i]]
            recalls.append(any(relevant[:k]))
            averages.append(sum(precisions) / min(k, sum(relevant)))
    return float(np.mean(recalls)), float(np.mean(averages))


@pytest.mark.parametrize(
    ("count", "width", "classes"), [(2, 3, 1), (7, 2, 3), (60, 8, 5), (300, 16, 40), (40, 4, 39)]
)
def test_recall_and_precision(count: int, width: int, classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(count)
    labels = rng.integers(0, classes, count)
    vectors = rng.normal(size=(count, width)) + labels[:, None] / 4
    for chunk in (1 << 23, 100):
        monkeypatch.setattr(retrieval, "_CHUNK", chunk)
        found = retrieve(vectors, labels)
        assert found.mean_precision == pytest.approx(reference(vectors, labels, 10)[1])
        for k in (1, 5, 10):
            assert found.recall(k) == pytest.approx(reference(vectors, labels, k)[0])
    neighbours = NearestNeighbors(n_neighbors=2, metric="cosine").fit(vectors).kneighbors(vectors)
    assert (found.neighbours[:, 0] == neighbours[1][:, 1]).all()
    np.testing.assert_allclose(found.similarity, 1 - neighbours[0][:, 1], atol=1e-6)


def test_samples_alone_in_their_class_do_not_count() -> None:
    found = retrieve(np.eye(3), np.arange(3))
    assert np.isnan([found.recall(1), found.mean_precision]).all()
