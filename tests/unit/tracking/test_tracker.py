"""`vizkit.Tracker`: its verbs and its clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, records, series, stock
from vizkit import TagError, Tracker, VizKitWarning, load


def test_it_records_hparams_and_metrics_first(tmp_path: Path) -> None:
    Tracker(tmp_path / "run", hparams={"lr": 0.1}, metrics=["eval/acc"]).close()
    (record,) = records(tmp_path / "run")
    assert (record.data.hparams, record.data.metrics) == ({"lr": 0.1}, ["eval/acc"])
    assert [info.name for info in stock(tmp_path / "run", "hparams", "hparam")[0].hparam.metricInfos] == [
        "eval/acc"
    ]


def test_every_verb_reaches_the_log_in_visualdls_order_of_arguments(tracker: Tracker) -> None:
    import matplotlib.figure

    image = np.zeros((4, 4, 3), np.uint8)
    scores, labels = [0.1, 0.9, 0.4], [0, 1, 1]
    tracker.log({"log": 1}, 1)
    tracker.log_scalar("scalar", 1, 1)
    tracker.log_scalars("scalars", {"a": 1}, 1)
    tracker.log_image("image", image, 1)
    tracker.log_images("images", [image, image], 1)
    tracker.log_figure("figure", matplotlib.figure.Figure(figsize=(1, 1)), 1)
    tracker.log_text("text", "words", 1)
    tracker.log_audio("audio", np.zeros(10), 1)
    tracker.log_histogram("histogram", [1, 2, 3], 1)
    tracker.log_pr_curve("pr", labels, scores, 1)
    tracker.log_roc_curve("roc", labels, scores, 1)
    tracker.log_curves("eval", labels, scores, 1)
    tracker.log_confusion_matrix("confusion", labels, [0, 1, 0], 1)
    tracker.log_embeddings("embeddings", [[1, 2]], ["a"])
    tracker.log_hparams({"lr": 1}, ["scalar"])
    tracker.log_graph(paddle.nn.Linear(2, 2), [paddle.static.InputSpec([-1, 2])])
    tracker.close()
    kinds = {tag: found[0].kind for tag, found in by_tag(tracker.logdir).items()}
    assert kinds == {
        "log": "scalar", "scalar": "scalar", "scalars": "scalars", "image": "image", "images": "image",
        "figure": "image", "text": "text", "audio": "audio", "histogram": "histogram", "pr": "pr_curve",
        "roc": "roc_curve", "eval/pr": "pr_curve", "eval/roc": "roc_curve", "eval/ap": "scalar",
        "eval/auc": "scalar", "confusion": "image", "confusion/counts": "text", "embeddings": "embeddings",
        "hparam": "hparams",
    }  # fmt: skip
    assert not tracker.lost
    assert len(list(Path(tracker.logdir).glob("vdlgraph*"))) == 1
    for tag, kind in kinds.items():
        assert len(stock(tracker.logdir, kind, tag)) == 1, tag


@pytest.mark.filterwarnings("ignore:.*fonts")  # it may be drawn without a Chinese font
def test_the_confusion_matrix_is_kept_as_numbers_too(tracker: Tracker) -> None:
    tracker.log_confusion_matrix("cm", [0, 1, 1, 2], [0, 1, 2, 2], 3, class_names=["猫", "dog", "bird"])
    tracker.flush()
    text = series(tracker.logdir, "cm/counts")[0][1]
    assert text.splitlines() == [
        "true \\ predicted\t猫\tdog\tbird", "猫\t1\t0\t0", "dog\t0\t1\t1", "bird\t0\t0\t1",
    ]  # fmt: skip


# -- the clock -------------------------------------------------------------------------------------


def test_without_steps_the_clock_moves_when_a_tag_comes_again(tracker: Tracker) -> None:
    for i in range(3):
        tracker.log({"loss": i, "acc": i})
        tracker.log_text("note", str(i))
    tracker.log_scalar("late", 1)
    assert [step for step, _ in series(tracker.logdir, "loss")] == [0, 1, 2]
    assert [step for step, _ in series(tracker.logdir, "note")] == [0, 1, 2]
    assert series(tracker.logdir, "late") == [(2, 1.0)]


def test_explicit_steps_set_the_clock_forward_only(tracker: Tracker) -> None:
    tracker.log({"loss": 1}, step=100)
    tracker.log_scalar("epoch loss", 1, step=3)
    assert tracker.step == 100
    tracker.log_text("note", "here")
    tracker.log({"loss": 1})
    assert series(tracker.logdir, "note")[0][0] == 100
    assert [step for step, _ in series(tracker.logdir, "loss")] == [100, 101]


def test_a_metric_with_a_bad_tag_loses_no_settings(tmp_path: Path) -> None:
    with (
        pytest.warns(VizKitWarning, match="recorded as 'eval/acc'"),
        Tracker(
            tmp_path / "run", hparams={"lr": 0.1}, metrics=["/eval/acc", "top 5 %"], quiet=True
        ) as tracker,
    ):
        tracker.log({"/eval/acc": 0.5, "top 5 %": 0.9}, step=0)
        tracker.log_hparams({"seed": 1}, {"/late": 0.25, "/reward": "max"})
    run = load(tmp_path)[0]
    assert tracker.lost == {} and run.hparams == {"lr": 0.1, "seed": 1}
    assert run.metrics[:2] == ["eval/acc", "top 5 _"] and set(run.metrics) <= {*run.scalar_tags, "reward"}
    assert run.columns("late").values.tolist() == [0.25]
    with pytest.raises(TagError):
        Tracker(tmp_path / "strict", hparams={"lr": 0.1}, metrics=["/eval/acc"], strict=True, quiet=True)
