"""`tracker.evaluation` of texts and tokens, read back from the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import by_tag, series
from vizkit import Tracker, VizKitWarning
from vizkit.errors import DataError

RNG = np.random.default_rng(2)
LABELS = RNG.integers(0, 5, (9, 7))
LOGITS = RNG.normal(0, 2, (9, 7, 5)) + 2 * np.eye(5)[LABELS]
LABELS[:, 5:] = -100
COUNTED = LABELS != -100
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def log_softmax(logits: Any) -> Any:
    return logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))


def softmax(logits: Any) -> Any:
    return np.exp(log_softmax(logits))


def value(run: Path, tag: str) -> Any:
    ((_, data),) = series(run, tag)
    return data


def perplexity(log_probabilities: Any) -> float:
    picked = np.take_along_axis(log_probabilities, np.where(COUNTED, LABELS, 0)[..., None], 2)[..., 0]
    return float(np.exp(-picked[COUNTED].mean()))


def evaluate(run: Path, labels: Any, outputs: Any, inputs: Any = None, batch: int = 4, **options: Any) -> Any:
    with Tracker(run, strict=True) as tracker, tracker.evaluation("eval", **options) as evaluation:
        for start in range(0, len(labels), batch):
            some = slice(start, start + batch)
            evaluation.add(labels[some], outputs[some], None if inputs is None else inputs[some])
    return evaluation


def test_generated_texts(tmp_path: Path) -> None:
    labels = ["hello world", "飞桨", "abc", "same"]
    outputs = ["hello word", "飞浆", "xyz", "same"]
    evaluation = evaluate(tmp_path, labels, outputs, ["a.png", "b.png", "c.png", "d.png"], worst=2)
    assert value(tmp_path, "eval/exact match") == 0.25
    assert value(tmp_path, "eval/cer") == (1 + 1 + 3) / (11 + 2 + 3 + 4)
    assert value(tmp_path, "eval/wer") == (1 + 1 + 1) / 5
    worst = [line.split("\t") for line in value(tmp_path, "eval/worst").splitlines()]
    assert worst[1:] == [["2", "abc", "xyz", "c.png"], ["1", "飞桨", "飞浆", "b.png"]]
    assert len(value(tmp_path, "eval/samples").splitlines()) == 5
    assert evaluation.rows()["edits"].tolist() == [1, 1, 3, 0]


@pytest.mark.parametrize(
    ("outputs", "activation"),
    [(LOGITS, "softmax"), (LOGITS, "auto"), (softmax(LOGITS), None), (softmax(LOGITS), "auto"),
     (log_softmax(LOGITS), "softmax")],
)  # fmt: skip
def test_tokens(tmp_path: Path, outputs: Any, activation: Any) -> None:
    options: Any = {"activation": activation, "class_names": TAGS, "ignore_index": -100}
    texts = [["word"] * 7] * 9
    shares = softmax(LOGITS).max(axis=2)
    evaluation = evaluate(tmp_path, LABELS, outputs, texts, task="labelling", **options)
    expected = perplexity(log_softmax(LOGITS))
    assert value(tmp_path, "eval/perplexity") == pytest.approx(expected, rel=1e-6)
    chosen = LOGITS.argmax(axis=2)
    assert value(tmp_path, "eval/token acc") == (chosen == LABELS)[COUNTED].mean()
    exact = ((chosen == LABELS) | ~COUNTED).all(axis=1).mean()
    assert value(tmp_path, "eval/exact match") == exact
    assert 0 < value(tmp_path, "eval/entity f1") < 1
    tags = by_tag(tmp_path)
    assert {"eval/pr/B-PER", "eval/confusion", "eval/samples"} <= set(tags)
    assert ("eval/scores" in tags) == (activation == "auto")
    table = [line.split("\t") for line in value(tmp_path, "eval/samples").splitlines()]
    assert table[0] == ["sample", "label", "prediction", "scores", "input"]
    assert table[1][3] == " ".join(f"{share:.2f}" for share in shares[0, :5])
    assert table[1][4] == "word word word word word word word"
    rows = evaluation.rows()
    assert ("score" in rows) == (activation != "auto")
    if activation != "auto":
        np.testing.assert_allclose(rows["score"], shares[:, :5].mean(axis=1), rtol=1e-5)
        assert rows["token scores"][0] == table[1][3]
    assert evaluation.rows()["tokens"].tolist() == [5] * 9


def test_a_large_vocabulary_has_no_curves(tmp_path: Path) -> None:
    scores = RNG.normal(0, 1, (2, 3, 500)).astype(np.float32)
    evaluate(tmp_path, scores.argmax(axis=2), scores, task="labelling", activation="softmax")
    assert value(tmp_path, "eval/token acc") == 1
    assert not any(tag.startswith("eval/pr/") for tag in by_tag(tmp_path))


@pytest.mark.parametrize(
    ("task", "labels", "outputs", "words"),
    [
        ("labelling", np.zeros((2, 3), int), np.zeros((2, 4, 5)), "of shape"),
        ("labelling", np.full((2, 3), 5), np.zeros((2, 3, 5)), "from 0 to 4"),
        ("generation", ["a"], ["a", "b"], "equal length"),
        ("generation", [1], ["a"], "list of texts"),
    ],
)
def test_what_does_not_fit_is_warned_about(
    tmp_path: Path, task: Any, labels: Any, outputs: Any, words: str
) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match=words):
        with tracker.evaluation("eval", task=task) as evaluation:
            evaluation.add(labels, outputs)
        tracker.flush()
    assert not by_tag(tmp_path)


def test_generated_texts_with_scores(tmp_path: Path) -> None:
    outputs = [("ab", 0.75), ("b", [0.5, 0.25])]
    evaluation = evaluate(tmp_path, [("ab", 1.0), ("bc", 1.0)], outputs, batch=1)
    assert value(tmp_path, "eval/cer") == 0.25
    assert [row.split("\t")[3] for row in value(tmp_path, "eval/samples").splitlines()] == [
        "scores", "0.75", "0.50 0.25"
    ]  # fmt: skip
    assert evaluation.rows()["score"].tolist() == [0.75, 0.375]
    assert evaluation.rows()["token scores"].tolist() == ["0.75", "0.50 0.25"]


def test_class_numbers_of_tokens(tmp_path: Path) -> None:
    names = ["O", "B-A", "I-A"]
    labels = [[0, 1, 2], [1, 2, -100], [0, 0, 1]]
    found = [[0, 1, 2], [1, 0, 2], [0, 0, -100]]  # what does not count may be anything
    options: Any = {"class_names": names, "ignore_index": -100}
    with pytest.raises(DataError, match="predicted classes of tokens must be from 0 to 2, got -100 to 2"):
        evaluate(tmp_path / "bad", np.array(labels), np.array(found), task="labelling", **options)
    found[2][2] = 0
    evaluate(tmp_path / "good", np.array(labels), np.array(found), batch=2, task="labelling", **options)
    run = tmp_path / "good"
    assert value(run, "eval/token acc") == pytest.approx(6 / 8)
    assert value(run, "eval/exact match") == pytest.approx(1 / 3)
    assert value(run, "eval/entity precision") == pytest.approx(1 / 2)  # of two entities found
    assert value(run, "eval/entity recall") == pytest.approx(1 / 3)
    assert not {"eval/perplexity", "eval/ap", "eval/scores"} & set(by_tag(run))


def test_class_numbers_of_sequences_of_unequal_length(tmp_path: Path) -> None:
    labels, found = [[0, 1, 2], [1]], [[0, 1, 1], [1]]
    evaluate(tmp_path, labels, found, task="labelling", classes=3)
    assert value(tmp_path, "eval/token acc") == 0.75


def test_class_numbers_of_tokens_without_their_number_or_after_scores(tmp_path: Path) -> None:
    numbers = np.zeros((2, 3), np.int64)
    with pytest.raises(DataError, match="say how many"):
        evaluate(tmp_path / "unknown", numbers, numbers, task="labelling")
    with Tracker(tmp_path / "both") as tracker, pytest.warns(VizKitWarning, match="scores in some batches"):
        evaluation = tracker.evaluation(task="labelling", classes=3)
        evaluation.add(numbers, np.zeros((2, 3, 3)))
        evaluation.add(numbers, numbers)


@pytest.mark.parametrize("task", [None, "generation"])
def test_of_several_right_texts_the_nearest_counts(tmp_path: Path, task: Any) -> None:
    references = [["a cat", "the cat"], ["dog"], ["x", "yy", "zz"]]
    evaluate(tmp_path, references, ["the cat", "dogs", "zy"], batch=2, task=task)
    assert value(tmp_path, "eval/exact match") == pytest.approx(1 / 3)
    assert value(tmp_path, "eval/cer") == pytest.approx(2 / 12)  # the cat, dog, yy: the first of two as near
    with pytest.raises(DataError, match="of equal length, got 3 and 1"):
        evaluate(tmp_path / "fewer", references, ["a"], task=task)


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_class_numbers_are_no_scores_of_a_classifier(tmp_path: Path, shape: Any) -> None:
    labels, found = np.array([0, 1, 2, 2, 1, 0]), np.array([0, 1, 1, 2, 0, 0]).reshape(shape)
    with pytest.raises(DataError, match="outputs are class numbers: give the scores"):
        evaluate(tmp_path, labels, found, batch=6)
    evaluate(tmp_path / "two", labels % 2, found.reshape(-1) % 2, batch=6)  # each is a score of its own
    # scikit-learn: average_precision_score([0, 1, 0, 0, 1, 0], [0, 1, 1, 0, 0, 0])
    assert value(tmp_path / "two", "eval/ap") == pytest.approx(5 / 12)
