"""`tracker.evaluation` of embeddings, read back from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

import vizkit
from tests.helpers import by_tag, stock
from tests.unit.metrics.test_retrieval import reference
from vizkit import DataError, Tracker

RNG = np.random.default_rng(4)
NAMES = ["a", "b", "c", "d"]
LABELS = RNG.integers(0, 4, 50)
VECTORS = RNG.normal(size=(50, 6)) + 2 * np.eye(6)[LABELS]


def evaluate(run: Path, labels: Any, vectors: Any, **options: Any) -> vizkit.Run:
    with (
        Tracker(run, strict=True, system=False) as tracker,
        tracker.evaluation("eval", task="retrieval", **options) as evaluation,
    ):
        for start in range(0, len(labels), 16):
            evaluation.add(labels[start : start + 16], vectors[start : start + 16])
    return vizkit.load(run)[0]


def test_what_is_recorded(tmp_path: Path) -> None:
    run = evaluate(tmp_path, LABELS, VECTORS, class_names=NAMES)
    for k in (1, 5, 10):
        assert run.last(f"eval/recall@{k}").value == pytest.approx(reference(VECTORS, LABELS, k)[0])
    assert run.last("eval/map@10").value == pytest.approx(reference(VECTORS, LABELS, 10)[1])
    (embeddings,) = run.embeddings("eval/embeddings")
    np.testing.assert_allclose(embeddings.vectors, VECTORS, rtol=1e-6)
    assert embeddings.labels[3] == [NAMES[LABELS[3]], "3"] and embeddings.header == ["label", "id"]
    assert len(stock(tmp_path, "embeddings", "eval/embeddings")) == 1
    frame = run.predictions()
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    near = unit @ unit.T - 9 * np.eye(50)
    assert frame["nearest"].tolist() == near.argmax(axis=1).tolist()
    np.testing.assert_allclose(frame["score"], near.max(axis=1), rtol=1e-5)
    assert list(frame["prediction"]) == [NAMES[LABELS[k]] for k in near.argmax(axis=1)]
    expected = PCA(2).fit_transform(unit)
    np.testing.assert_allclose(np.abs(frame[["x", "y"]]), np.abs(expected), atol=1e-6)
    assert frame["correct"].mean() == pytest.approx(run.last("eval/recall@1").value)
    assert "eval/scores" not in by_tag(tmp_path)


def test_of_many_samples_a_choice_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.writing.tasks.retrieval_task._MOST", 20)
    run = evaluate(tmp_path, LABELS, VECTORS, predictions=8)
    assert "among 20 of 50 samples" in run.texts("eval/scores")[0]
    frame = run.predictions()
    assert len(frame) == 8 and (LABELS[frame["id"]] == frame["label"]).all()


@pytest.mark.parametrize(
    ("labels", "vectors"),
    [
        (LABELS, VECTORS[:, 0]),
        (LABELS.astype(float), VECTORS),
        (LABELS + 1, VECTORS),
        (LABELS, np.where(VECTORS > 1, np.nan, VECTORS)),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, labels: Any, vectors: Any) -> None:
    with pytest.raises(DataError):
        evaluate(tmp_path, labels, vectors, class_names=NAMES)
