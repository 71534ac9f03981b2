"""`tracker.curves`: an evaluation gathered batch by batch, read back from the log."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from PIL import Image
from sklearn.metrics import average_precision_score, jaccard_score, roc_auc_score

import vizkit
from tests.helpers import by_tag, series, stock
from vizkit import DataError, Tracker, VizKitWarning
from vizkit.metrics.calibration import Reliability

NAMES = ["cat", "dog", "鸟"]
RNG = np.random.default_rng(5)
LABELS = RNG.permutation(np.arange(90) % 3)
LOGITS = (RNG.normal(0, 1, (90, 3)) + np.eye(3)[LABELS]).astype(np.float32)
SCORES = np.exp(LOGITS.astype(np.float64))
SCORES /= SCORES.sum(axis=1, keepdims=True)


def add_all(curves: Any, labels: Any = LABELS, scores: Any = LOGITS) -> None:
    for start in range(0, len(labels), 16):
        curves.add(labels[start : start + 16], scores[start : start + 16])


def value(run: Path, tag: str) -> Any:
    ((_, data),) = series(run, tag)
    return data


def test_an_evaluation_of_classes(tmp_path: Path) -> None:
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.curves("eval", class_names=NAMES, activation="softmax") as curves,
    ):
        add_all(curves)
    one_hot = np.eye(3)[LABELS]
    for k, name in enumerate(NAMES):
        ap = average_precision_score(k == LABELS, SCORES[:, k])
        assert value(tmp_path, f"eval/ap/{name}") == pytest.approx(ap, abs=1e-12)
        assert value(tmp_path, f"eval/pr/{name}").ap == pytest.approx(ap, abs=1e-12)
        auc = roc_auc_score(k == LABELS, SCORES[:, k])
        assert value(tmp_path, f"eval/auc/{name}") == pytest.approx(auc, abs=1e-12)
    for tag, average in (("", "macro"), ("/micro", "micro")):
        ap = average_precision_score(one_hot, SCORES, average=average)
        auc = roc_auc_score(one_hot, SCORES, average=average)
        assert value(tmp_path, f"eval/ap{tag}") == pytest.approx(ap, abs=1e-12)
        assert value(tmp_path, f"eval/auc{tag}") == pytest.approx(auc, abs=1e-12)
    counts = [row.split("\t") for row in value(tmp_path, "eval/confusion/counts").splitlines()]
    assert [row[0] for row in counts] == ["true \\ predicted", *NAMES]
    right = (SCORES.argmax(axis=1) == LABELS).sum()
    assert sum(int(counts[k + 1][k + 1]) for k in range(3)) == right
    numbers = Reliability.from_text(value(tmp_path, "eval/reliability/bins"))
    assert numbers.counts.sum() == 90
    assert value(tmp_path, "eval/ece") == numbers.ece
    for tag in ("eval/confusion", "eval/reliability"):
        assert Image.open(io.BytesIO(value(tmp_path, tag))).size[0] > 200
    assert len(stock(tmp_path, "pr_curve", "eval/pr/micro")) == 1
    assert len(stock(tmp_path, "image", "eval/reliability")) == 1
    assert not {"eval/binning", "eval/classes"} & set(by_tag(tmp_path))


def test_a_single_class_names_its_sides(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        for tag, names in (("a", ["spam"]), ("b", ["good", "spam"]), ("c", None)):
            with tracker.curves(tag, class_names=names, activation="sigmoid") as curves:
                add_all(curves, LABELS == 1, LOGITS[:, 1])
    tags = by_tag(tmp_path)
    heads = [tags[f"{tag}/confusion/counts"][0].data.splitlines()[0] for tag in "abc"]
    assert [head.split("\t")[1:] for head in heads] == [["not spam", "spam"], ["good", "spam"], ["0", "1"]]
    assert {tag for tag in tags if tag.startswith("a/")} == {
        "a/pr", "a/roc", "a/ap", "a/auc", "a/ece",
        "a/confusion", "a/confusion/counts", "a/reliability", "a/reliability/bins",
    }  # fmt: skip


def test_past_the_limit_the_error_is_told(tmp_path: Path) -> None:
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.curves("eval", activation="softmax", limit=100) as curves,
    ):
        add_all(curves)
    text = value(tmp_path, "eval/binning")
    assert text.startswith("The scores of 90 samples were counted in 98,307 bins a class. AP is exact within")
    exact = average_precision_score(np.eye(3)[LABELS], SCORES)
    assert value(tmp_path, "eval/ap") == pytest.approx(exact, abs=1e-3)


def test_many_classes_have_a_table_in_place_of_curves(tmp_path: Path) -> None:
    labels = RNG.integers(0, 24, 600)
    scores = RNG.normal(0, 1, (600, 25)) + 4 * np.eye(25)[labels]
    scores[labels == 7, 7] = -9
    scores[labels == 7, 8] = 9
    with Tracker(tmp_path, strict=True) as tracker:
        with tracker.curves("eval", activation="softmax") as curves:
            curves.add(labels, scores)
        with tracker.curves("all", activation="softmax", most_classes=25) as curves:
            curves.add(labels, scores)
    tags = by_tag(tmp_path)
    assert {tag for tag in tags if "/pr/" in tag and tag.startswith("eval")} == {"eval/pr/micro"}
    assert {f"all/pr/{k}" for k in range(25)} < set(tags)
    assert "all/classes" not in tags
    rows = [row.split("\t") for row in value(tmp_path, "eval/classes").splitlines()]
    assert rows[0] == ["class", "samples", "AP", "AUC", "right", "mostly taken for"]
    count = str((labels == 7).sum())
    assert rows[1][:2] == ["7", count]
    assert rows[1][4:] == ["0.0000", f"8 ({count})"]
    assert rows[-1][:2] == ["24", "0"]  # which has no samples
    assert len(rows) == 26
    assert value(tmp_path, "eval/ap") == value(tmp_path, "all/ap")


def test_several_labels_a_sample(tmp_path: Path) -> None:
    labels = RNG.integers(0, 2, (60, 3))
    with (
        Tracker(tmp_path, strict=True) as tracker,
        tracker.curves("eval", activation="sigmoid") as curves,
    ):
        add_all(curves, paddle.to_tensor(labels), paddle.to_tensor(LOGITS[:60]))
    tags = by_tag(tmp_path)
    assert {"eval/pr/2", "eval/ap/micro", "eval/ece"} <= set(tags)
    assert "eval/confusion" not in tags


# ---- steps and epochs --------------------------------------------------------------------------------


def test_a_collector_serves_every_epoch(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        curves = tracker.curves("eval", activation="softmax")
        for epoch, labels in enumerate((LABELS, np.roll(LABELS, 1))):
            add_all(curves, labels)
            curves.record(step=10 * epoch)
        add_all(curves)
        curves.record()
        add_all(curves)
        curves.record()
    found = series(tmp_path, "eval/ap")
    assert [step for step, _ in found] == [0, 10, 11, 12]
    assert found[0][1] != found[1][1]
    assert found[0][1] == found[2][1] == found[3][1]


def test_a_record_without_a_step_is_at_the_trackers(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        for _ in range(4):
            tracker.log({"train/loss": 1.0})
        with tracker.curves(activation="softmax") as curves:
            add_all(curves)
    assert [step for step, _ in series(tmp_path, "eval/ap")] == [3]


def test_nothing_is_recorded_when_the_block_raises(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker:
        curves = tracker.curves(activation="softmax")
        with pytest.raises(ZeroDivisionError), curves:
            add_all(curves)
            raise ZeroDivisionError
        with curves:  # which begins anew
            curves.add(LABELS[:6], LOGITS[:6])
    assert value(tmp_path, "eval/pr/0").tp[0] == (LABELS[:6] == 0).sum()


def test_it_can_be_recorded_within_the_block(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker, tracker.curves(activation="softmax") as curves:
        add_all(curves)
        curves.record(7)
    assert [step for step, _ in series(tmp_path, "eval/ap")] == [7]


# ---- trouble -----------------------------------------------------------------------------------------


def test_nan_scores_cost_the_evaluation_and_one_warning(tmp_path: Path) -> None:
    bad = LOGITS.copy()
    bad[20, 1] = bad[21] = np.nan
    with Tracker(tmp_path) as tracker:
        curves = tracker.curves(activation="softmax")
        with pytest.warns(
            VizKitWarning, match="eval: not recorded: 4 of 48 scores are NaN, in 2 of 16"
        ) as told:
            for _ in range(2):
                add_all(curves, LABELS, bad)
                curves.record()
        assert len(told) == 1
        assert tracker.lost == {"eval": 2}
        add_all(curves)
        curves.record(5)
    assert [step for step, _ in series(tmp_path, "eval/ap")] == [5]


@pytest.mark.parametrize(
    ("options", "labels", "message"),
    [
        ({}, [0, 3], "from 0 to 2, got 3"),
        ({"class_names": ["a", "b"]}, [0, 1], "3 classes need 3 different names"),
        ({"class_names": ["a", "b", "micro"]}, [0, 1], "none of them 'micro'"),
        ({"class_names": ["a", "b%", "b_"]}, [0, 1], "different names"),
    ],
)
def test_a_strict_tracker_raises_at_the_batch(
    tmp_path: Path, options: Any, labels: Any, message: str
) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        curves = tracker.curves(**options)
        with pytest.raises(DataError, match=message):
            curves.add(labels, LOGITS[:2])


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"limit": 0},
        {"ignore_index": 0.5},
        {"class_names": "cat"},
        {"class_names": 3},
        {"class_names": ["a", "a"]},
    ],
)
def test_bad_options_are_told_at_once(tmp_path: Path, options: Any) -> None:
    with Tracker(tmp_path) as tracker, pytest.raises(DataError, match=next(iter(options))):
        tracker.curves(**options)


@pytest.mark.parametrize("labels", [None, [-1, -1]])
def test_a_block_without_samples_is_said(tmp_path: Path, labels: Any) -> None:
    options: Any = {"activation": "softmax", "ignore_index": -1}
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="no samples were added"):
        with tracker.evaluation("eval", **options) as evaluation:
            if labels is not None:  # else it is of a loader without batches
                evaluation.add(labels, np.zeros((2, 3)))
        tracker.flush()


def test_a_block_that_fails_says_its_own_error(tmp_path: Path) -> None:
    strict = Tracker(tmp_path, strict=True)
    with pytest.raises(ValueError, match="mine"), strict as tracker, tracker.evaluation("eval"):
        raise ValueError("mine")


def test_a_record_of_nothing(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="eval: no samples were added"):
        tracker.curves().record()
    with Tracker(tmp_path / "strict", strict=True) as tracker, pytest.raises(DataError, match="no samples"):
        tracker.curves().record()


def test_what_only_the_end_tells_is_warned_about(tmp_path: Path) -> None:
    with Tracker(tmp_path) as tracker, pytest.warns(VizKitWarning, match="eval.*one label a sample"):
        with tracker.curves(activation="softmax") as curves:
            curves.add(np.ones((4, 2)), np.ones((4, 2)))
        tracker.flush()


def test_other_ranks_gather_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    with Tracker(tmp_path) as tracker, tracker.curves() as curves:
        curves.add([9, 9, 9], "nonsense")
        curves.record()
    assert not list(tmp_path.iterdir())


def test_a_tag_that_visualdl_cannot_serve_gets_a_better_one(tmp_path: Path) -> None:
    with (
        Tracker(tmp_path) as tracker,
        pytest.warns(VizKitWarning, match="recorded as 'eval'"),
        tracker.curves("/eval", activation="softmax") as curves,
    ):
        add_all(curves)
    assert math.isfinite(value(tmp_path, "eval/ap"))


# ---- the callback of paddle.Model ----------------------------------------------------------------------


def evaluated(run: Path, labels: Any, classes: int, last: Any = None, **options: Any) -> set[str]:
    """The tags of an evaluation of a small network."""
    inputs = np.random.default_rng(0).normal(0, 1, (len(labels), 4)).astype(np.float32)
    data = paddle.io.TensorDataset([paddle.to_tensor(inputs), paddle.to_tensor(labels)])
    paddle.seed(3)
    net = paddle.nn.Sequential(paddle.nn.Linear(4, classes), *([last] if last else []))
    model = paddle.Model(net)
    model.prepare()
    with Tracker(run, strict=True, system=False) as tracker:
        model.evaluate(data, batch_size=8, verbose=0, callbacks=tracker.callback(graph=False, **options))
    return set(by_tag(run))


@pytest.mark.parametrize("last", [None, paddle.nn.Sigmoid()])
def test_the_callback_knows_a_single_class(tmp_path: Path, last: Any) -> None:
    labels = RNG.integers(0, 2, (30, 1)).astype(np.float32)
    assert {"eval/pr", "eval/roc", "eval/ece"} <= evaluated(
        tmp_path, labels, 1, last, class_names=["no", "yes"]
    )
    assert value(tmp_path, "eval/confusion/counts").splitlines()[0].endswith("no\tyes")


def test_the_callback_knows_several_labels_a_sample(tmp_path: Path) -> None:
    tags = evaluated(tmp_path, RNG.integers(0, 2, (30, 3)), 3)
    assert {"eval/pr/2", "eval/pr/micro", "eval/ece"} <= tags
    assert "eval/confusion" not in tags


def test_the_callback_records_many_classes_as_a_table(tmp_path: Path) -> None:
    tags = evaluated(tmp_path, RNG.integers(0, 150, 60), 150)
    assert {"eval/classes", "eval/pr/micro", "eval/ap", "eval/confusion"} <= tags
    assert "eval/pr/0" not in tags


def test_the_callback_takes_a_regression_for_what_it_is_and_says_so(tmp_path: Path) -> None:
    labels = np.linspace(0, 3, 30, dtype=np.float32)[:, None]
    tags = evaluated(tmp_path, labels, 1)
    assert {"eval/mae", "eval/rmse", "eval/r2"} <= tags
    assert not {"eval/pr", "eval/roc", "eval/ece"} & tags
    assert "taken for a regression" in value(tmp_path, "eval/task")


def test_a_regression_that_begins_as_a_classifier_is_left_out_and_told(tmp_path: Path) -> None:
    labels = np.linspace(0, 3, 30, dtype=np.float32)[:, None]
    labels[:8] = labels[:8] > 0
    with pytest.warns(VizKitWarning, match=r"left out; give callback a task="):
        tags = evaluated(tmp_path, labels, 1)
    assert not {tag for tag in tags if tag.startswith("eval/")}


_TEXTS = ["ab", "abc", "b"]
_BOXES = [{"boxes": [[0, 0, 4, 4]], "labels": [0]}]
_FOUND = [{"boxes": [[0, 0, 4, 5]], "labels": [0], "scores": [0.5]}]
BATCHES: dict[str, tuple[Any, Any, Any]] = {
    "classification": (LABELS, LOGITS, paddle.nn.CrossEntropyLoss()),
    "segmentation": (
        RNG.integers(0, 3, (3, 4, 5)),
        RNG.normal(size=(3, 3, 4, 5)),
        paddle.nn.CrossEntropyLoss(axis=1),
    ),
    "regression": (RNG.normal(size=9), RNG.normal(size=9), paddle.nn.MSELoss()),
    "labelling": (RNG.integers(0, 4, (3, 6)), RNG.normal(size=(3, 6, 4)), paddle.nn.CrossEntropyLoss()),
    "generation": (_TEXTS, ["ab", "ac", "b"], None),
    "generation of arrays": (np.array(_TEXTS, object), np.array(["ab", "ac", "b"]), None),
    "retrieval": (np.arange(8) // 2, RNG.normal(size=(8, 4)), None),
    "detection": (_BOXES, _FOUND, None),
}


@pytest.mark.parametrize("task", BATCHES)
@pytest.mark.parametrize("told", [True, False])
def test_batches_without_samples_change_nothing(tmp_path: Path, task: Any, told: bool) -> None:
    labels, outputs, loss = BATCHES[task]
    given: dict[str, Any] = {"task": task.split()[0]} if told or task == "retrieval" else {}
    for name, empty in (("with", True), ("without", False)):
        with (
            Tracker(tmp_path / name, strict=True, system=False) as tracker,
            tracker.evaluation("eval", loss=loss, **given) as evaluation,
        ):
            for some in (slice(0, 0), slice(None), slice(0, 0)):
                if empty or some.stop is None:
                    evaluation.add(labels[some], outputs[some])
    runs = vizkit.load(tmp_path)
    tags = runs["without"].scalar_tags
    assert tags and runs["with"].scalar_tags == tags
    for tag in tags:
        np.testing.assert_array_equal(runs["with"].columns(tag).values, runs["without"].columns(tag).values)


def test_samples_of_unequal_sizes_are_lists(tmp_path: Path) -> None:
    sizes = [(4, 6), (5, 3), (4, 6)]
    maps = [RNG.integers(0, 3, size) for size in sizes]
    scores = [RNG.normal(size=(3, *size)).astype(np.float32) for size in sizes]
    tokens = [RNG.integers(0, 3, n) for n in (2, 5, 1)]
    logits = [RNG.normal(size=(n, 3)).astype(np.float32) for n in (2, 5, 1)]
    with Tracker(tmp_path, strict=True, system=False) as tracker:
        with tracker.evaluation("maps", task="segmentation") as evaluation:
            evaluation.add(maps, [paddle.to_tensor(one) for one in scores], ids=["a", "b", "c"])
        with tracker.evaluation("tokens", task="labelling", activation="softmax") as evaluation:
            evaluation.add(tokens, logits, slices={"kind": ["x", "y", "z"]})
    true = np.concatenate([one.ravel() for one in maps])
    chosen = np.concatenate([one.argmax(axis=0).ravel() for one in scores])
    assert value(tmp_path, "maps/pixel acc") == (true == chosen).mean()
    assert value(tmp_path, "maps/miou") == pytest.approx(jaccard_score(true, chosen, average="macro"))
    right = np.concatenate([one == other.argmax(1) for one, other in zip(tokens, logits, strict=True)])
    assert value(tmp_path, "tokens/token acc") == right.mean()
    run = vizkit.load(tmp_path)[0]
    assert run.table("maps/predictions").id.tolist() == ["a", "b", "c"]
    assert run.table("tokens/predictions").kind.tolist() == ["x", "y", "z"]
