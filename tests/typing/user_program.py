"""A user's program, which type checkers read and nobody runs.

It must pass as it is: each line that is marked as an error has to be one, since checkers complain of marks
that are not needed, and each ``assert_type`` has to name the very type that a reader's editor shows.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import paddle
from numpy.typing import NDArray
from typing_extensions import assert_type

import vizkit
from vizkit.hooks import EarlyStop, HalveOnPlateau, Pace, TrackerCallback, ValidateEvery, Watch
from vizkit.runs import Point, Summary
from vizkit.tracking.tracker import Tracker


@dataclass
class Settings:
    rate: float = 1e-3


def recording(net: paddle.nn.Layer, model: paddle.Model, optimizer: paddle.optimizer.Optimizer) -> None:
    with vizkit.Tracker("log/run", hparams={"rate": 1e-3}, metrics=["eval/acc"], seed=3) as tracker:
        assert_type(tracker, Tracker)
        loss = paddle.to_tensor(0.5)
        tracker.log({"train/loss": loss, "train/acc": np.float32(0.5), "epoch": 1}, step=3)
        tracker.log({"train/loss": 0.5}, reduce="mean")
        tracker.log({"train": {"loss": "0.5", "acc": {"top1": [0.5]}}})
        tracker.log_scalar("train/loss", loss, np.int64(3))
        tracker.log_scalar("train/acc", np.array([0.5]), 0.5)
        tracker.log_scalars("train", {"a": 1, "b": loss})
        tracker.log_image("image", np.zeros((3, 8, 8)), dataformats="CHW", mean=[0.5], std=0.5)
        tracker.log_image("image", loss, value_range=(-1, 1), boxes=[[1, 2, 3, 4]], labels=["cat"])
        tracker.log_images("images", [np.zeros((8, 8, 3))], predictions=loss, class_names=("a", "b"))
        tracker.log_histogram("weights", loss, buckets=[0, 1, 2])
        tracker.log_pr_curve("pr", [0, 1], [0.5, 0.75])
        tracker.log_curves("eval", loss, loss, activation="softmax")
        tracker.log_text("note", "words", walltime=np.datetime64("2026-01-01"))
        tracker.log_table("rows", [{"name": "a", "size": 3}, {"name": "b"}], walltime="2026-01-01T12:00:00Z")
        tracker.log_embeddings("words", loss, ["a", "b"])
        tracker.log_hparams(argparse.Namespace(rate=1e-3))
        tracker.log_hparams(Settings(), ["eval/acc"])
        with tracker.curves("eval", activation="softmax") as curves:
            curves.add([0, 1], loss)
        with tracker.evaluation("eval", task="segmentation", loss=paddle.nn.CrossEntropyLoss()) as found:
            found.add(loss, loss, inputs=loss, ids=["a", "b"])
        tracker.evaluation().add([{"boxes": loss, "labels": [0]}], [{"boxes": loss, "labels": [0]}])
        tracker.evaluation(task="poetry")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert_type(tracker.watch(net, optimizer=optimizer, activations="*relu*"), Watch)
        assert_type(tracker.callback(weights_every=None, class_names=["a"]), TrackerCallback)
        assert_type(tracker.log_model(net, [paddle.static.InputSpec([None, 4])], name="net"), "str | None")
        heat = tracker.explain(model, loss, "smoothgrad", target=[0], samples=8)
        assert_type(heat, "NDArray[np.float32] | None")
        assert_type(tracker.step, int)
        assert_type(tracker.logdir, str)
        assert_type(tracker.lost["train/loss"], int)
        tracker.log_graph(net)
        model.fit(callbacks=[tracker.callback(), EarlyStop("eval/acc", 5), HalveOnPlateau("eval/loss")])
        model.fit(callbacks=[ValidateEvery(200, batches=10, tracker=tracker), Pace(10)])
        assert_type(EarlyStop("eval/acc", 5, network=net).update(loss, 3), bool)
        assert_type(vizkit.hooks.watch(tracker, net), Watch)
        assert_type(vizkit.hooks.callback(tracker), TrackerCallback)
        assert_type(vizkit.hooks.log_model(tracker, net), str)
        assert_type(vizkit.hooks.explain(tracker, net, loss), NDArray[np.float32])
        assert_type(vizkit.hooks.summary(net), str)

    tracker.log({"train/loss": 0.5}, stpe=3)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tracker.log("train/loss", 0.5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tracker.log({"train/loss": object()})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
    tracker.log_hparams(3)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tracker.log_image("a", loss, dataformat="HW")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tracker.log_model(net, nme="net")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tracker.log_model(net, name=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tracker.callback(weights_evry=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tracker.callback(weights_every="never")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tracker.watch(net, evry=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    tracker.watch("net")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    tracker.explain(net, loss, smaples=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    vizkit.Tracker("log", if_exist="new")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    vizkit.Tracker("log", if_exists="ask")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def code_that_is_left_as_it_is() -> None:
    vizkit.autolog("log", weights_every=100, curves=False)
    vizkit.autolog(disable=True)
    vizkit.autolog(weights_evry=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def writing() -> None:
    with vizkit.LogWriter("log/run") as writer:
        assert_type(writer, vizkit.LogWriter)
        writer.add_scalar(tag="train/loss", value=0.5, step=0)
        writer.add_scalar("train/loss", 0.5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def reading() -> None:
    runs = vizkit.load("log")
    assert_type(runs, vizkit.Runs)
    assert_type(runs.filter("rate < 0.01"), vizkit.Runs)
    assert_type(runs.best("eval/acc", mode="max"), vizkit.Run)
    assert_type(runs[0], vizkit.Run)
    assert_type(runs[0].summary("eval/acc"), Summary)
    assert_type(runs[0].best("eval/acc"), Point)
    assert_type(runs[0].hparams["rate"] is None, bool)
    vizkit.plots.curves(runs, "eval/acc", x="time", smooth=0.5)
    vizkit.plots.curves(runs, "eval/acc", smoth=0.5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    vizkit.plots.confusion_matrix(runs[0])


def around() -> None:
    server = vizkit.serve("log", port=0, language="zh")
    assert_type(server, vizkit.Server)
    vizkit.serve("log", prt=0)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    assert_type(server.url, str)
    assert_type(list(vizkit.repair.check("log")), "list[vizkit.repair.Finding]")
    vizkit.environment.read_environment(Path("log/run"))
    vizkit.data.subset([(0.5, 1)], fraction=0.5)
    raise vizkit.DataError("a value that cannot be recorded")
