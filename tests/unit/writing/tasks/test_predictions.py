"""Tables of predictions of every task, read back with `Run.predictions`, against references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import log_loss

import vizkit
from vizkit import DataError, Run, Tracker
from vizkit.writing.tasks.sample_rows import SampleRows, chosen_rows
from vizkit.writing.tasks.task import LabelledBatch, TaskOptions

RNG = np.random.default_rng(7)
NAMES = ["cat", "dog", "鸟", "fish"]
COUNT = 60
LABELS = RNG.integers(0, 4, COUNT)
LOGITS = (RNG.normal(0, 2, (COUNT, 4)) + 2 * np.eye(4)[LABELS]).astype(np.float32)
SHARES = np.exp(LOGITS.astype(np.float64))
SHARES /= SHARES.sum(axis=1, keepdims=True)
IMAGES = RNG.integers(0, 256, (COUNT, 3, 8, 8)).astype(np.uint8)


def evaluate(
    run: Path,
    labels: Any,
    outputs: Any,
    inputs: Any = None,
    ids: Any = None,
    tag: str = "eval",
    **options: Any,
) -> Run:
    with (
        Tracker(run, strict=True, system=False, if_exists="resume") as tracker,
        tracker.evaluation(tag, **options) as evaluation,
    ):
        for start in range(0, len(labels), 16):
            some = slice(start, start + 16)
            parts = [None if part is None else part[some] for part in (labels, outputs, inputs)]
            evaluation.add(*parts, ids=None if ids is None else ids[some])  # type: ignore[arg-type]
    return vizkit.load(run)[0]


def check_scores(frame: pd.DataFrame, shares: Any, labels: Any) -> None:
    order = np.argsort(-shares, axis=1, kind="stable")
    each = np.arange(len(labels))
    for k, (name, score) in enumerate((("prediction", "score"), ("top2", "score2"), ("top3", "score3"))):
        assert [NAMES.index(one) for one in frame[name]] == order[:, k].tolist()
        np.testing.assert_allclose(frame[score], shares[each, order[:, k]], rtol=2e-6)
    np.testing.assert_allclose(frame["label_score"], shares[each, labels], rtol=2e-6)
    loss = [log_loss([label], row[None], labels=range(4)) for label, row in zip(labels, shares, strict=True)]
    np.testing.assert_allclose(frame["loss"], loss, rtol=5e-6)
    assert (frame["correct"] == (order[:, 0] == labels)).all()


@pytest.mark.parametrize(
    "form", ["logits", "logits of a tensor", "float64", "probabilities", "unknown logits"]
)
def test_a_classifier(tmp_path: Path, form: str) -> None:
    loss = paddle.nn.CrossEntropyLoss(use_softmax=form != "probabilities")
    outputs: Any = SHARES.astype(np.float32) if form == "probabilities" else LOGITS
    if form == "logits of a tensor":
        outputs = paddle.to_tensor(LOGITS)
    elif form == "float64":
        outputs = LOGITS.astype(np.float64)
    options = {} if form == "unknown logits" else {"loss": loss}
    run = evaluate(tmp_path, LABELS, outputs, IMAGES, class_names=NAMES, **options)
    frame = run.predictions()
    assert frame["id"].tolist() == list(range(COUNT))
    assert list(frame["label"]) == [NAMES[k] for k in LABELS]
    assert list(frame["label"].cat.categories) == NAMES
    check_scores(frame, SHARES, LABELS)
    assert all(
        (one.array() == pixels.transpose(1, 2, 0)).all()
        for one, pixels in zip(frame["input"], IMAGES, strict=True)
    )
    assert run.prediction_columns().about == {"task": "classification", "ids": "place", "samples": "60"}
    assert run.tags["text"].count("eval/predictions") == 1 and "eval/predictions/images" in run.tags["image"]


@pytest.mark.parametrize("form", ["one-hot", "one-hot, some ignored", "names"])
def test_labels_of_other_forms_have_the_same_rows(tmp_path: Path, form: str) -> None:
    options: dict[str, Any] = {"task": "classification", "activation": "softmax", "class_names": NAMES}
    given: Any = np.eye(4)[LABELS] if form != "names" else [NAMES[label] for label in LABELS]
    counted = np.ones(COUNT, bool)
    if "ignored" in form:
        counted[::7] = False
        given[~counted] = -1
        options["ignore_index"] = -1
    frame = evaluate(tmp_path, given, LOGITS, **options).predictions()
    assert frame["id"].tolist() == np.flatnonzero(counted).tolist()
    check_scores(frame, SHARES[counted], LABELS[counted])


def test_scores_that_may_be_anything_have_no_loss(tmp_path: Path) -> None:
    few = SHARES[:4].astype(np.float16).astype(np.float32)
    frame = evaluate(tmp_path, LABELS[:4], few).predictions()
    assert "loss" not in frame and frame["score"].tolist() == few.max(axis=1).tolist()


def test_confident_scores_keep_their_loss(tmp_path: Path) -> None:
    logits = np.array([[60.0, 0, 1], [0, 45, 0], [-100, 0, 0]], np.float32)
    frame = evaluate(tmp_path, np.array([0, 1, 0]), logits, activation="softmax").predictions()
    np.testing.assert_allclose(
        frame["loss"], [np.exp(-60.0) + np.exp(-59.0), 2 * np.exp(-45.0), 100 + np.log(2)], rtol=1e-6
    )


def test_samples_that_do_not_count_have_no_row(tmp_path: Path) -> None:
    labels = np.where(np.arange(COUNT) % 5 == 0, -100, LABELS)
    run = evaluate(tmp_path, labels, LOGITS, loss=paddle.nn.CrossEntropyLoss(), class_names=NAMES)
    counted = labels != -100
    assert run.predictions()["id"].tolist() == np.flatnonzero(counted).tolist()
    check_scores(run.predictions(), SHARES[counted], labels[counted])


def test_rows_go_by_their_ids_in_any_order(tmp_path: Path) -> None:
    ids, order = np.array([f"s{k}" for k in range(COUNT)]), RNG.permutation(COUNT)
    options: Any = {"activation": "softmax", "class_names": NAMES, "predictions": 10}
    one = evaluate(tmp_path / "a", LABELS, LOGITS, IMAGES, ids, **options).predictions()
    other = evaluate(
        tmp_path / "b", LABELS[order], LOGITS[order], IMAGES[order], ids[order].tolist(), **options
    ).predictions()
    assert len(one) == 10 and sorted(one["id"]) == sorted(other["id"])
    assert one["label"].value_counts().between(2, 3).all()
    both = one.merge(other, on="id", validate="1:1")
    assert (both["loss_x"] == both["loss_y"]).all() and len(both) == 10
    rows = [ids.tolist().index(key) for key in one["id"]]
    check_scores(one, SHARES[rows], LABELS[rows])


def test_ids_of_a_series_and_slices_named_as_a_column(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", system=False) as tracker:
        with tracker.evaluation("eval", activation="softmax") as evaluation:
            evaluation.add(LABELS, LOGITS, ids=pd.Series([f"n{row}" for row in range(COUNT)]))
        assert evaluation.rows()["id"].tolist()[:2] == ["n0", "n1"]
        with pytest.warns(vizkit.errors.VizKitWarning, match="'score2' has the name of a column"):
            options: Any = {"activation": "softmax", "slices": {"score2": range(COUNT)}}
            with tracker.evaluation("other", **options) as evaluation:
                evaluation.add(LABELS, LOGITS)
            tracker.flush()
    run = vizkit.load(tmp_path)[0]
    assert list(run.tables) == ["eval/predictions"] and "other/ap" in run.scalar_tags  # the rest is there


def test_slices_of_batches_and_of_the_data_set(tmp_path: Path) -> None:
    light, size = ["day", "night", None] * 20, np.arange(COUNT) / 4
    with Tracker(tmp_path, strict=True, system=False) as tracker:
        options: Any = {"slices": {"size": size, "place": {3: "here", 5: "there"}}, "activation": "softmax"}
        with tracker.evaluation("eval", **options) as evaluation:
            for start in range(0, COUNT, 20):
                some = slice(start, start + 20)
                evaluation.add(LABELS[some], LOGITS[some], slices={"light": light[some], "n": [1, None] * 10})
        with tracker.evaluation("other", activation="softmax") as evaluation:
            evaluation.add(LABELS, LOGITS, slices={"a": range(COUNT)})
            with pytest.raises(DataError, match="the same slices"):
                evaluation.add(LABELS, LOGITS)
                evaluation.rows()
            with pytest.raises(DataError, match="one a sample"):
                evaluation.add(LABELS, LOGITS, slices={"a": [1]})
    run = vizkit.load(tmp_path)[0]
    frame = run.predictions(tag="eval")
    assert run.prediction_columns(tag="eval").about["slices"].split("\n") == ["size", "place", "light", "n"]
    assert [None if pd.isna(one) else one for one in frame["light"]] == light
    assert frame["size"].tolist() == size.tolist()
    np.testing.assert_equal(frame["n"].tolist(), [1, np.nan] * 30)
    assert frame["place"].dropna().to_dict() == {3: "here", 5: "there"}


@pytest.mark.parametrize(
    "option",
    [
        {"predictions": 0},
        {"predictions": "all"},
        {"slices": [1]},
        {"slices": {"id": [1]}},
        {"slices": {"label": [1]}},
    ],
)
def test_bad_options_are_refused(tmp_path: Path, option: Any) -> None:
    with Tracker(tmp_path, system=False) as tracker, pytest.raises(DataError, match=next(iter(option))):
        tracker.evaluation("eval", **option)


def test_no_table_is_made_where_none_is_asked_for(tmp_path: Path) -> None:
    run = evaluate(tmp_path, LABELS, LOGITS, activation="softmax", predictions=False)
    assert run.tables == {} and not (tmp_path / "vizkit.tables").exists()


def test_an_evaluation_whose_tag_of_the_table_is_taken_is_recorded_without_it(tmp_path: Path) -> None:
    with Tracker(tmp_path, system=False) as tracker:
        tracker.log({"eval/predictions": 3}, 0)
        with (
            pytest.warns(vizkit.errors.VizKitWarning, match="eval/predictions"),
            tracker.evaluation("eval", activation="softmax") as evaluation,
        ):
            evaluation.add(LABELS, LOGITS)
        assert tracker.lost == {"eval/predictions": 1}
    run = vizkit.load(tmp_path)[0]
    assert run.tables == {} and len(run.columns("eval/auc").steps) == 1


def test_texts_are_stored_once(tmp_path: Path) -> None:
    texts = [f"text {k % 7}" for k in range(COUNT)]
    for _ in range(2):
        run = evaluate(tmp_path, LABELS, LOGITS, texts, activation="softmax")
    assert run.predictions()["input"].tolist() == texts
    (pack,) = (tmp_path / "vizkit.tables/.inputs").iterdir()
    assert pack.stat().st_size == 24 + 7 * (17 + 6)


def test_a_single_class_and_several_labels(tmp_path: Path) -> None:
    shares = 1 / (1 + np.exp(-LOGITS.astype(np.float64)))
    labels = LABELS == 1
    loss = -np.log(np.where(labels, shares[:, 1], 1 - shares[:, 1]))
    evaluate(tmp_path, labels, LOGITS[:, 1], tag="one", activation="sigmoid", class_names=["good", "spam"])
    several = LOGITS + RNG.normal(size=LOGITS.shape) > 0
    run = evaluate(tmp_path, several, LOGITS, tag="many", activation="sigmoid", class_names=NAMES)
    one, many = run.predictions(tag="one"), run.predictions(tag="many")
    assert list(one["label"]) == [("good", "spam")[k] for k in labels.astype(int)]
    np.testing.assert_allclose(one["loss"], loss, rtol=1e-5)
    np.testing.assert_allclose(one["score"], np.maximum(shares[:, 1], 1 - shares[:, 1]), rtol=1e-5)
    assert (one["correct"] == ((shares[:, 1] >= 0.5) == labels)).all()
    assert many["label"][0] == ", ".join(
        name for name, is_one in zip(NAMES, several[0], strict=True) if is_one
    )
    assert many["wrong"].tolist() == ((shares >= 0.5) != several).sum(axis=1).tolist()
    entropy = -np.log(np.where(several, shares, 1 - shares)).mean(axis=1)
    np.testing.assert_allclose(many["loss"], entropy, rtol=1e-5)
    assert (many["correct"] == (many["wrong"] == 0)).all()


def test_the_other_tasks(tmp_path: Path) -> None:
    maps = RNG.integers(0, 3, (5, 16, 16))
    scores = RNG.normal(size=(5, 3, 16, 16)) + np.eye(3)[maps].transpose(0, 3, 1, 2)
    evaluate(tmp_path, maps, scores, IMAGES[:5].repeat(2, 2).repeat(2, 3), tag="maps", task="segmentation")
    values = RNG.normal(size=(9, 2))
    evaluate(tmp_path, values, values + 1, tag="values", task="regression", class_names=["w", "h"])
    evaluate(tmp_path, values[:, 0], values[:, 0] + 1, IMAGES[:9], tag="value", task="regression")
    evaluate(tmp_path, ["abc", "de"], ["abd", "de"], ["a.png", "b.png"], ["x", "y"], tag="texts")
    tokens = RNG.normal(size=(4, 5, 4))
    evaluate(tmp_path, LABELS[:20].reshape(4, 5), tokens, tag="tokens", task="labelling", class_names=NAMES)
    box = np.array([[1.0, 1, 7, 7]])
    found = [{"boxes": box, "labels": [0], "scores": [0.9]}, {"boxes": box, "labels": [1], "scores": [0.9]}]
    run = evaluate(tmp_path, [{"boxes": box, "labels": [0]}] * 2, found, IMAGES[:2], tag="boxes")
    frames = {
        tag: run.predictions(tag=tag) for tag in ("maps", "values", "value", "texts", "tokens", "boxes")
    }
    right = (scores.argmax(axis=1) == maps).mean(axis=(1, 2))
    np.testing.assert_allclose(frames["maps"]["accuracy"], right)
    assert frames["maps"]["input"][4].array().shape == (16, 16, 3)
    assert list(frames["values"]) == ["id", "error", "label/w", "label/h", "prediction/w", "prediction/h"]
    np.testing.assert_allclose(frames["values"]["prediction/h"], values[:, 1] + 1)
    assert list(frames["value"]) == ["id", "error", "label", "prediction", "input"]
    assert frames["texts"].set_index("id").loc["x"].to_dict() == {
        "label": "abc", "prediction": "abd", "edits": 1, "length": 3, "input": "a.png", "correct": False,
    }  # fmt: skip
    chosen = tokens.argmax(axis=2)
    assert frames["tokens"]["prediction"].tolist() == [" ".join(NAMES[k] for k in row) for row in chosen]
    assert frames["tokens"]["wrong"].tolist() == (chosen != LABELS[:20].reshape(4, 5)).sum(axis=1).tolist()
    assert frames["boxes"]["found"].tolist() == [1, 0] and frames["boxes"]["detected"].tolist() == [1, 1]
    assert run.prediction_columns(tag="boxes").about["task"] == "detection"


# -- which rows are kept ------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=200), st.integers(1, 40), st.booleans(), st.randoms())
def test_the_choice_is_the_same_all_at_once_and_batch_by_batch(
    labels: list[int], most: int, labelled: bool, random: Any
) -> None:
    ids, strata = np.arange(len(labels)), np.array(labels) if labelled else None
    at_once = ids[chosen_rows(ids, strata, most)]
    order = np.array(random.sample(range(len(labels)), len(labels)))
    rows = SampleRows(TaskOptions(predictions=most))
    for start in range(0, len(order), 7):
        some = order[start : start + 7]
        columns = {"id": some} | ({"label": np.array(labels)[some]} if labelled else {})
        rows.add(columns)
        rows._choose()  # as when its bound is reached
    assert sorted(rows.columns()["id"]) == sorted(at_once)
    assert len(at_once) == min(most, len(labels))
    if labelled:
        every, kept = np.bincount(labels, minlength=5), np.bincount(np.array(labels)[at_once], minlength=5)
        cut = kept[kept < every]  # labels that are not kept whole have equal shares
        assert not len(cut) or (cut.max() - cut.min() <= 1 and kept.max() <= cut.min() + 1)


def test_few_images_are_kept_the_wrong_ones_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.writing.tasks.sample_rows._MOST_IMAGES", 12)
    wrong = np.arange(COUNT) % 6 == 0
    kept = []
    for order in (np.arange(COUNT), RNG.permutation(COUNT)):
        rows = SampleRows(TaskOptions(predictions=100))
        for start in range(0, COUNT, 7):
            some = order[start : start + 7]
            rows.offer_images(LabelledBatch([], [], IMAGES[some]), some, wrong[some])
        kept.append(rows._images.kept)
        assert rows.nbytes == 12 * 3 * 64
    assert kept[0].keys() == kept[1].keys() and set(np.flatnonzero(wrong)) <= kept[0].keys()
    assert len(kept[0]) == 12 and all((one.image == IMAGES[key]).all() for key, one in kept[0].items())  # type: ignore[call-overload]
