"""Records of an evaluation."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import records
from vizkit import DataError, LogWriter
from vizkit.format import encode
from vizkit.metrics.arrays import AnyArray
from vizkit.metrics.evaluation_scores import LIMIT, EvaluationScores
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


def record(directory: Path, labels: AnyArray, scores: AnyArray, limit: int = LIMIT) -> dict[str, object]:
    """The records of an evaluation: tag -> content."""
    gathered = EvaluationScores(limit=limit)
    gathered.add(labels, scores)
    with LogWriter(str(directory)) as writer:
        writer.add_evaluation("eval", gathered, 1, num_thresholds=5)
    return {record.tag: record.data for record in records(directory)}


def test_the_table_of_the_docstring_names_every_tag() -> None:
    """What a newcomer reads is what is recorded."""
    table = (evaluation.__doc__ or "").split("=" * 30)
    documented = set(re.findall(r"``(eval/[^`]*)``", "".join(table)))
    names = evaluation.ClassNames(2, ["cat", "dog"])
    written = set(evaluation.evaluation_tags("eval", names))
    expanded = {tag.replace("<class>", name) for tag in documented for name in ("cat", "dog")}
    assert expanded - {"eval/pr", "eval/roc"} == written  # those two are a single class's
    assert {"eval/pr", "eval/roc"} <= set(evaluation.evaluation_tags("eval", evaluation.ClassNames(1, None)))


@pytest.mark.parametrize(
    ("classes", "names"), [(3, ["a", "b"]), (3, ["a", "b", "b"]), (2, ["a", "micro"]), (1, ["a", "b", "c"])]
)
def test_names_that_do_not_fit_the_classes_are_refused(classes: int, names: list[str]) -> None:
    with pytest.raises(DataError, match=f"{classes} classes need {classes} different names"):
        evaluation.ClassNames(classes, names)


def test_a_single_class_has_two_sides() -> None:
    assert evaluation.ClassNames(1, None).shown == ["0", "1"]
    assert evaluation.ClassNames(1, ["ill"]).shown == ["not ill", "ill"]
    assert evaluation.ClassNames(1, ["well", "ill"]).shown == ["well", "ill"]


def test_many_labels_a_sample_have_a_table_without_confusions(tmp_path: Path) -> None:
    labels = RNG.integers(0, 2, (40, 21))
    found = record(tmp_path, labels, RNG.random((40, 21)))
    rows = [row.split("\t") for row in str(found["eval/classes"]).splitlines()]
    assert rows[0] == ["class", "samples", "AP", "AUC"]
    assert len(rows) == 22
    assert [float(row[2]) for row in rows[1:]] == sorted(float(row[2]) for row in rows[1:])
    assert {row[0]: int(row[1]) for row in rows[1:]} == {str(k): int(labels[:, k].sum()) for k in range(21)}
    assert "eval/confusion" not in found and "eval/pr/0" not in found


def test_logits_have_no_calibration(tmp_path: Path) -> None:
    found = record(tmp_path, np.array([0, 1, 1, 0]), np.array([[2.0, -1], [0, 3], [1, 2], [4, 1]]))
    assert "eval/pr/0" in found and "eval/ece" not in found and "eval/reliability" not in found


def test_of_a_vast_confusion_matrix_what_is_not_zero_is_written(tmp_path: Path) -> None:
    labels = np.arange(402) % 201
    scores = np.eye(201)[labels]
    found = record(tmp_path, labels, scores)
    assert "eval/confusion" in found
    _, *rows = str(found["eval/confusion/counts"]).splitlines()
    assert rows == [f"{number}\t{number}=2" for number in range(201)]
    (first, *rows) = str(found["eval/classes"]).splitlines()
    assert first.split("\t")[4:] == ["right", "mostly taken for"]
    assert {tuple(row.split("\t")[4:]) for row in rows} == {("1.0000", "")}


@pytest.mark.parametrize("classes", [1, 2])
def test_scores_beyond_the_limit_are_counted_in_bins_and_that_is_said(tmp_path: Path, classes: int) -> None:
    labels = RNG.integers(0, 2, 100)
    scores = RNG.random(100)
    found = record(tmp_path, labels, scores if classes == 1 else np.stack([1 - scores, scores], 1), limit=10)
    said = str(found["eval/binning"])
    assert said.startswith("The scores of 100 samples were counted in ")
    assert ("their means over the classes" in said) == (classes == 2)
