"""Label errors of several runs: those of a loop over the mean scores."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vizkit.errors import QueryError
from vizkit.format.tables import TableColumn, TableColumns, Texts
from vizkit.reading import RunTables
from vizkit.runs.label_errors import find_label_errors
from vizkit.runs.prediction_table import PredictionTable


def table(
    labels: np.ndarray, scores: np.ndarray, top: int, run: str = "a", names: Sequence[str] | None = None
) -> PredictionTable:
    """The table of an evaluation, with the best ``top`` classes of each sample."""
    n = len(labels)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]

    def classes(numbers: np.ndarray) -> TableColumn:
        return numbers if names is None else Texts(numbers, names, category=True)

    columns: dict[str, TableColumn] = {"id": np.arange(n), "label": classes(labels)}
    for place, chosen in enumerate(order.T):
        name, score = (f"top{place + 1}", f"score{place + 1}") if place else ("prediction", "score")
        columns |= {name: classes(chosen), score: scores[np.arange(n), chosen].astype(np.float32)}
    columns["label_score"] = scores[np.arange(n), labels].astype(np.float32)
    columns["light"] = Texts.of(["day", "night"] * n)[:n]
    about = {"task": "classification", "slices": "light"}
    return PredictionTable(run, "eval/predictions", 7, TableColumns(columns, about), cast("RunTables", None))


def by_definition(labels: np.ndarray, scores: np.ndarray) -> list[tuple[int, int]]:
    """(sample, class that it may be), the smallest margin first; Northcutt et al. (2021), 3.1 and 3.2."""
    every = range(scores.shape[1])
    thresholds = {j: scores[labels == j, j].mean() - 1e-6 for j in every if j in labels}
    joint = np.zeros((len(every), len(every)))
    for row, label in zip(scores, labels, strict=True):
        over = [j for j in thresholds if row[j] >= thresholds[j]]
        if over:
            joint[label, max(over, key=lambda j: row[j])] += 1
    best: dict[int, tuple[float, int]] = {}
    for i in every:
        for j in every:
            expected = round(joint[i, j] * (labels == i).sum() / max(joint[i].sum(), 1))
            there = [
                (row[i] - row[j], x) for x, row in enumerate(scores) if labels[x] == i and row[j] > row[i]
            ]
            for margin, x in sorted(there)[:expected]:
                best[x] = min(best.get(x, (margin, j)), (margin, j))
    return [(x, j) for x, (_, j) in sorted(best.items(), key=lambda item: item[1][0])]


@settings(max_examples=60)
@given(st.integers(1, 80), st.integers(2, 7), st.integers(1, 3), st.integers(0, 10**6))
def test_label_errors_are_those_of_a_loop(n: int, classes: int, runs: int, seed: int) -> None:
    """Of two classes, the table has the score of one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    scores = rng.dirichlet([0.5] * classes, (runs, n))
    scores = (scores + 0.3 * rng.integers(0, 2) * np.eye(classes)[labels]) / 1.3
    scores[..., 0] += 1 - scores.sum(axis=2)
    top = classes if classes > 2 else 1
    found = find_label_errors([table(labels, each, top, f"r{i}") for i, each in enumerate(scores)])
    expected = by_definition(labels, scores.mean(axis=0))
    assert [*zip(found.samples["id"], found.samples["suggested"], strict=True)] == expected
    assert len(found) == len(expected) and found.n == n
    wrong = (scores.argmax(axis=2) != labels).sum(axis=0)
    assert list(found.samples["wrong_in"]) == [wrong[i] for i, _ in expected]
    mean = scores.mean(axis=0)
    np.testing.assert_allclose(
        found.samples["margin"], [mean[i, labels[i]] - mean[i, j] for i, j in expected], atol=1e-6
    )
    json.dumps(found.to_dict())


def flipped(n: int = 400, share: int = 20) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True classes, labels of which every 20th is wrong, and the scores of a network that is mostly sure."""
    rng = np.random.default_rng(4)
    true = rng.integers(0, 5, n)
    labels = np.where(np.arange(n) % share == 0, (true + 1 + rng.integers(0, 4, n)) % 5, true)
    sure = np.where(np.arange(n) % 4 == 1, 0.5, 0.96)[:, None]
    return true, labels, sure * np.eye(5)[true] + (1 - sure) * rng.dirichlet([1] * 5, n)


@pytest.mark.parametrize("top", [2, 3, 5])
def test_flipped_labels_are_found_and_named(top: int) -> None:
    true, labels, scores = flipped()
    names = ["zero", "one", "two", "three", "four"]
    found = find_label_errors([table(labels, scores, top, names=names)])
    samples = found.samples
    assert sorted(samples["id"]) == [*range(0, 400, 20)] and found.top == top
    assert [names[k] for k in true[samples["id"]]] == list(samples["suggested"])
    assert list(samples["margin"]) == sorted(samples["margin"]) and samples["light"].eq("day").all()
    (label, suggested), most = next(iter(found.by_class["n"].items()))
    assert most == ((samples["label"] == label) & (samples["suggested"] == suggested)).sum() > 0
    assert "20 of 400 labels may be wrong, by the scores of 1 run\n" in repr(found)
    assert "… 8 more" in repr(found) and "<td>" in found._repr_html_()


def test_only_samples_that_all_runs_have_with_the_same_label_and_a_score_count() -> None:
    _, labels, scores = flipped()
    first, second = table(labels, scores, 3, "a"), table(labels, scores, 3, "b")
    keep = np.random.default_rng(0).permutation(400)[:300]
    columns = {name: column[keep] for name, column in second.columns.items()}
    columns["label"] = np.where(columns["id"] == keep[5], 4 - labels[keep], labels[keep])
    columns["label_score"] = np.where(columns["id"] == keep[9], np.nan, second.numbers("label_score")[keep])
    found = find_label_errors([first, second._replace(columns=TableColumns(columns))])
    kept = sorted({*keep.tolist()} - {int(keep[9])} - ({int(keep[5])} if labels[keep[5]] != 2 else set()))
    assert found.n == len(kept) and found.left_out == 400 - len(kept) and found.runs == ("a", "b")
    assert {*found.samples["id"]} <= {*kept}
    assert "not looked at: 10" in repr(found)


def test_what_has_no_scores_is_refused() -> None:
    _, labels, scores = flipped(20)
    without = table(labels, scores, 3)
    columns = {name: column for name, column in without.columns.items() if name != "label_score"}
    with pytest.raises(QueryError, match="has no column 'label_score'"):
        find_label_errors([without._replace(columns=TableColumns(columns))])
    with pytest.raises(QueryError, match="are no probabilities: record it with activation="):
        find_label_errors([table(labels, 5 * scores, 3)])
    of_values = TableColumns({**without.columns, "label": scores[:, 0]})
    with pytest.raises(QueryError, match="'label' of 'eval/predictions' of 'a' holds no classes"):
        find_label_errors([without._replace(columns=of_values)])
    moved = TableColumns({**without.columns, "id": np.arange(100, 120)})
    with pytest.raises(QueryError, match="no sample is in the tables of all 2 runs"):
        find_label_errors([without, without._replace(columns=moved)])
