"""The adapters for Paddle's suites, against what the suites call and hand over."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import visualdl

from tests.helpers import by_tag, series
from vizkit import LogWriter, MissingDependencyError, Tracker, VizKitWarning, load
from vizkit.environment import read_environment
from vizkit.hooks import suites
from vizkit.reading.training_config import hparams_of


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[Tracker]:
    with Tracker(tmp_path / "run", system=False) as tracker:
        yield tracker


def installed(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    """Has ``name`` be an importable module."""
    module = ModuleType(name)
    vars(module).update(content)
    parts = name.split(".")
    for index in range(1, len(parts)):
        monkeypatch.setitem(sys.modules, ".".join(parts[:index]), ModuleType(parts[index - 1]))
    monkeypatch.setitem(sys.modules, name, module)


def scalars(directory: Path) -> dict[str, list[Any]]:
    return {tag: series(directory, tag) for tag in by_tag(directory) if tag != "hparam"}


# -- PaddleNLP and PaddleFormers ----------------------------------------------------------------------


class TrainerCallback:
    """Its events, as both suites have them."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...
    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...
    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...
    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...
    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None: ...


class Arguments:
    def __init__(self, **values: Any) -> None:
        self.values = {"learning_rate": 5e-5, "evaluation_strategy": "no", "wandb_api_key": None, **values}

    def to_dict(self) -> dict[str, Any]:
        return dict(self.values)


class Trainer:
    """Calls a callback as ``Trainer`` does, with all that it hands over."""

    def __init__(self, callback: Any, **arguments: Any) -> None:
        self.callback = callback
        self.arguments = Arguments(**arguments)
        self.state = SimpleNamespace(global_step=0, is_world_process_zero=True)

    def call(self, event: str, **more: Any) -> None:
        more |= {"model": None, "optimizer": None, "lr_scheduler": None, "tokenizer": None}
        getattr(self.callback, event)(self.arguments, self.state, SimpleNamespace(), **more)

    def train(self, fail: bool = False) -> None:
        self.call("on_train_begin")
        for step in (10, 20):
            self.state.global_step = step
            self.call("on_step_end")
            logs = {"loss": 1 / step, "learning_rate": 1e-5, "global_step": step, "loss_md5": "d41d8c"}
            self.call("on_log", logs={**logs, "progress_or_epoch": step / 20}, timer=None)
            if fail:
                raise RuntimeError("out of memory")
            self.evaluate()
        self.call("on_log", logs={"train_loss": 0.075, "train_runtime": 3.5})
        self.call("on_train_end", metrics_dumper=None)

    def evaluate(self) -> None:
        metrics = {"eval_loss": 0.5, "eval_accuracy": 0.75, "progress_or_epoch": 1.0}
        self.call("on_log", logs=metrics)
        self.call("on_evaluate", metrics=metrics)


@pytest.fixture(params=["paddlenlp", "paddleformers"])
def suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    installed(monkeypatch, f"{request.param}.trainer", TrainerCallback=TrainerCallback)
    return getattr(suites, request.param)


def test_a_trainers_logs_are_recorded_at_its_steps(suite: Any, tracker: Tracker, tmp_path: Path) -> None:
    callback = suite(tracker)
    assert isinstance(callback, TrainerCallback)
    Trainer(callback).train()
    found = scalars(tmp_path / "run")
    assert found["train/loss"] == [(10, pytest.approx(0.1)), (20, pytest.approx(0.05))]
    assert found["train/learning rate"] == [(10, pytest.approx(1e-5)), (20, pytest.approx(1e-5))]
    assert [step for step, _ in found["train/epoch"]] == [10, 10, 20, 20]
    assert found["eval/accuracy"] == [(10, 0.75), (20, 0.75)]
    assert found["eval/loss"] == [(10, 0.5), (20, 0.5)]
    assert found["train/train_loss"] == [(20, pytest.approx(0.075))]
    assert not {tag for tag in found if "step" in tag or "md5" in tag}
    assert not tracker.lost


def test_an_evaluation_after_the_training_is_recorded_too(
    suite: Any, tracker: Tracker, tmp_path: Path
) -> None:
    trainer = Trainer(suite(tracker))
    trainer.train()
    trainer.evaluate()
    assert len(scalars(tmp_path / "run")["eval/loss"]) == 3


def test_a_trainers_arguments_are_hparams_without_secrets(
    suite: Any, tracker: Tracker, tmp_path: Path
) -> None:
    trainer = Trainer(
        suite(tracker), evaluation_strategy="steps", metric_for_best_model="accuracy", wandb_api_key="abc123",
        proxy="http://me:secret@proxy:8080", pad_token_id=0, sharding=[]
    )  # fmt: skip
    trainer.train()
    trainer.train()
    (record,) = by_tag(tmp_path / "run")["hparam"]
    assert record.data.metrics == ["eval/accuracy"]
    assert record.data.hparams == {
        "learning_rate": 5e-5, "evaluation_strategy": "steps", "metric_for_best_model": "accuracy",
        "wandb_api_key": "***", "proxy": "http://***@proxy:8080", "pad_token_id": 0, "sharding": [],
    }  # fmt: skip


def test_a_trainer_that_evaluates_nothing_is_compared_by_its_loss(
    suite: Any, tracker: Tracker, tmp_path: Path
) -> None:
    Trainer(suite(tracker)).call("on_train_begin")
    assert by_tag(tmp_path / "run")["hparam"][0].data.metrics == ["train/loss"]


def test_a_training_that_fails_within_the_trackers_block_is_a_failed_run(suite: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="out of memory"), Tracker(tmp_path / "run") as tracker:
        Trainer(suite(tracker)).train(fail=True)
    environment = read_environment(tmp_path / "run")
    assert (environment["status"], environment["error"]["message"]) == ("failed", "out of memory")
    assert [step for step, _ in series(tmp_path / "run", "train/loss")] == [10]


def test_what_goes_wrong_is_warned_about_and_training_goes_on(suite: Any, tracker: Tracker) -> None:
    trainer = Trainer(suite(tracker))
    trainer.arguments = None  # type: ignore[assignment]
    with pytest.warns(VizKitWarning, match="hyper-parameters: not recorded"):
        trainer.call("on_train_begin")
    trainer.state = None  # type: ignore[assignment]
    with pytest.warns(VizKitWarning, match="logs: not recorded"):
        trainer.call("on_log", logs={"loss": 1})


@pytest.mark.parametrize("name", ["paddlenlp", "paddleformers"])
def test_a_missing_suite_is_named(name: str, tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, f"{name}.trainer", None)
    with pytest.raises(MissingDependencyError, match=f"pip install {name}"):
        getattr(suites, name)(tracker)


# -- PaddleDetection -----------------------------------------------------------------------------------


class Callback:
    """``ppdet.engine.callbacks.Callback``."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.log_ranks = model.cfg.get("log_ranks", "0")

    def on_step_begin(self, status: Any) -> None: ...
    def on_step_end(self, status: Any) -> None: ...
    def on_epoch_begin(self, status: Any) -> None: ...
    def on_epoch_end(self, status: Any) -> None: ...
    def on_train_begin(self, status: Any) -> None: ...
    def on_train_end(self, status: Any) -> None: ...


class Meter:
    """``ppdet.utils.stats.SmoothedValue``: its ``value`` is the last."""

    def __init__(self) -> None:
        self.deque: deque[float] = deque(maxlen=20)

    @property
    def value(self) -> float:
        return self.deque[-1]


class CosineDecay:
    def __init__(self, max_epochs: int) -> None:
        self.max_epochs = max_epochs


class Detector:
    """Calls its callbacks as ``ppdet.engine.Trainer`` does, with one shared ``status``."""

    def __init__(self, results: Any = None) -> None:
        self.cfg = {
            "epoch": 2, "architecture": "PicoDet", "log_iter": 20, "ResNet": {"depth": 50}, "head": object(),
            "LearningRate": {"base_lr": 0.1, "schedulers": [CosineDecay(3)]},
            "TrainReader": {"batch_size": 4},
        }  # fmt: skip
        self._metrics = [SimpleNamespace(get_results=lambda: results)]
        self._callbacks: list[Any] = []

    def register_callbacks(self, callbacks: list[Any]) -> None:
        assert all(isinstance(callback, Callback) for callback in callbacks)
        self._callbacks += callbacks

    def call(self, event: str, status: Any) -> None:
        for callback in self._callbacks:
            getattr(callback, event)(status)

    def train(self) -> None:
        stats = SimpleNamespace(meters=None)
        status = {"epoch_id": 0, "step_id": 0, "steps_per_epoch": 3, "training_staus": stats}
        self.call("on_train_begin", status)
        for epoch in range(2):
            status |= {"mode": "train", "epoch_id": epoch}
            self.call("on_epoch_begin", status)
            for step in range(3):
                status["step_id"] = step
                self.call("on_step_begin", status)
                status["learning_rate"] = 0.1
                stats.meters = stats.meters or {"loss": Meter(), "loss_bbox": Meter()}
                for meter in stats.meters.values():
                    meter.deque.append(10.0 * epoch + step)
                self.call("on_step_end", status)
            self.call("on_epoch_end", status)
            self.call("on_epoch_begin", status)
            status["mode"] = "eval"
            self.call("on_step_end", status)
            self.call("on_epoch_end", status)
        self.call("on_train_end", status)


def detected(monkeypatch: pytest.MonkeyPatch, tracker: Tracker, results: Any) -> None:
    installed(monkeypatch, "ppdet.engine.callbacks", Callback=Callback)
    detector = Detector(results)
    detector.register_callbacks([suites.paddledetection(tracker, detector)])
    detector.train()


def test_a_detectors_losses_are_exact_and_on_one_clock(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = [0.5, 0.75, 0.25, *[0.0] * 9]  # COCO's twelve numbers
    detected(monkeypatch, tracker, {"bbox": boxes, "mask": [0.5], "result": {"F1": 1}})
    found = scalars(tmp_path / "run")
    assert found["train/loss"] == [(0, 0), (1, 1), (2, 2), (3, 10), (4, 11), (5, 12)]
    assert found["train/loss_bbox"] == found["train/loss"]
    assert found["train/epoch"] == [(step, step // 3) for step in range(6)]
    assert found["train/learning rate"][0] == (0, pytest.approx(0.1))
    assert {tag: values for tag, values in found.items() if tag.startswith("eval/")} == {
        "eval/bbox-mAP": [(2, 0.5), (5, 0.5)],
        "eval/bbox-AP50": [(2, 0.75), (5, 0.75)],
        "eval/bbox-AP75": [(2, 0.25), (5, 0.25)],
        "eval/mask-mAP": [(2, 0.5), (5, 0.5)],
    }
    assert not tracker.lost


@pytest.mark.parametrize(
    ("results", "tags"),
    [
        ({"easy_ap": 0.5, "hard_ap": 0.25}, {"eval/easy_ap", "eval/hard_ap"}),
        ({"bbox": []}, set()),
        ("a summary of text", set()),
        (None, set()),
    ],
)
def test_other_results_of_detection(
    results: Any, tags: set[str], tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detected(monkeypatch, tracker, results)
    assert {tag for tag in by_tag(tmp_path / "run") if tag.startswith("eval/")} == tags


def test_a_detectors_config_is_its_hparams(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detected(monkeypatch, tracker, None)
    (record,) = by_tag(tmp_path / "run")["hparam"]
    assert record.data.hparams == {
        "epoch": 2, "architecture": "PicoDet", "log_iter": 20, "LearningRate/base_lr": 0.1,
        "LearningRate/schedulers": [{"CosineDecay": {"max_epochs": 3}}], "TrainReader/batch_size": 4,
    }  # fmt: skip


def test_missing_paddledetection_is_named(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ppdet", None)
    with pytest.raises(MissingDependencyError, match="PaddleDetection"):
        suites.paddledetection(tracker, Detector())


def test_boxes_on_cocos_data_are_evaluated_class_by_class(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotations = {
        "images": [{"id": 7, "file_name": "7.png"}, {"id": 9, "file_name": "lost.png"}],
        "categories": [{"id": 3, "name": "car"}, {"id": 5, "name": "tree"}],
        "annotations": [
            {"image_id": 7, "category_id": 3, "bbox": [10, 10, 40, 30], "area": 1200, "iscrowd": 0},
            {"image_id": 9, "category_id": 5, "bbox": [0, 0, 20, 20], "area": 400},
        ],
    }
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(annotations))
    found = [
        {"image_id": 7, "category_id": 3, "bbox": [10, 10, 40, 30], "score": 0.9},
        {"image_id": 7, "category_id": 5, "bbox": [60, 60, 9, 9], "score": 0.8},
    ]
    installed(monkeypatch, "ppdet.engine.callbacks", Callback=Callback)
    detector = Detector({"bbox": [0.5, *[0.0] * 11]})
    (tmp_path / "images").mkdir()
    cv2.imwrite(str(tmp_path / "images/7.png"), np.full((60, 80, 3), (255, 0, 0), np.uint8))  # blue
    detector.cfg["EvalDataset"] = SimpleNamespace(dataset_dir=str(tmp_path), image_dir="images")
    detector._metrics[0].__dict__.update(
        results={"bbox": found}, anno_file=str(file), clsid2catid={0: 3, 1: 5}
    )
    detector.register_callbacks([suites.paddledetection(tracker, detector)])
    detector.train()
    assert series(tmp_path / "run", "eval/ap/car") == [(2, pytest.approx(1)), (5, pytest.approx(1))]
    assert series(tmp_path / "run", "eval/ap/tree") == [(2, 0), (5, 0)]
    assert series(tmp_path / "run", "eval/map") == [(2, pytest.approx(0.5)), (5, pytest.approx(0.5))]
    tracker.flush()
    run = load(tmp_path / "run")[0]
    assert run.predictions(5)["id"].tolist() == [7, 9]
    shown = run.images("eval/samples")[-1].reshape(-1, 3)
    assert (shown == (0, 0, 255)).all(axis=1).sum() > 2 * 60 * 80 * 0.8, "one image, twice, in RGB"
    assert not tracker.lost


# -- PaddleSeg -------------------------------------------------------------------------------------------


def segmented(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``paddleseg.core.train`` as a module, whose ``train`` logs as PaddleSeg's does."""
    results = iter([(0.6, 0.9, np.array([0.9, 0.3]), np.array([0.95, 0.4]), 0.7), (0.1,), (0.8, 0.95)])
    installed(monkeypatch, "paddleseg.core.train", evaluate=lambda model: next(results))
    module: Any = sys.modules["paddleseg.core.train"]

    def train(*, averaged: bool = False) -> None:
        from visualdl import LogWriter

        log_writer = LogWriter("output")
        log_writer.add_scalar("Train/loss", 0.5, 10)
        log_writer.add_scalar("Train/lr", 0.01, 10)
        log_writer.add_scalar("Train/batch_cost", 2.0, 10)
        miou, acc, *_ = module.evaluate("model")
        if averaged:
            module.evaluate("averaged model")
        log_writer.add_scalar("Evaluate/mIoU", miou, 10)
        log_writer.add_scalar("Evaluate/Acc", acc, 10)
        log_writer.close()

    vars(module)["train"] = train
    return module


@pytest.mark.parametrize("averaged", [False, True])
def test_a_segmentation_has_its_classes(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, averaged: bool
) -> None:
    module, stock = segmented(monkeypatch), visualdl.LogWriter
    evaluate = module.evaluate
    with suites.paddleseg(tracker, class_names=["ground", "road"]):
        module.train(averaged=averaged)
    assert module.evaluate is evaluate and visualdl.LogWriter is stock
    found = scalars(tmp_path / "run")
    expected = {
        "train/loss": 0.5, "train/learning rate": 0.01, "train/batch_cost": 2.0, "eval/miou": 0.6,
        "eval/pixel acc": 0.9, "eval/kappa": 0.7, "eval/iou/ground": 0.9, "eval/iou/road": 0.3,
        "eval/precision/ground": 0.95, "eval/precision/road": 0.4,
    }  # fmt: skip
    table = found.pop("eval/classes")
    assert found == {tag: [(10, pytest.approx(value))] for tag, value in expected.items()}
    assert table[0][1].splitlines()[1] == "road\t0.3000\t0.4000"
    assert not tracker.lost


def test_missing_paddleseg_is_named(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paddleseg", None)
    with pytest.raises(MissingDependencyError, match="PaddleSeg"), suites.paddleseg(tracker):
        pass


# -- PaddleOCR -------------------------------------------------------------------------------------------


class RecMetric:
    """A metric as PaddleOCR's: called with what a decoder returned, it is empty after ``get_metric``."""

    main_indicator = "acc"

    def __init__(self) -> None:
        self.right: list[bool] = []

    def __call__(self, found: Any, *args: Any, **kwargs: Any) -> None:
        self.right += [one[0] == other[0] for one, other in zip(*found, strict=True)]

    def get_metric(self) -> dict[str, float]:
        right, self.right = self.right, []
        return {"acc": sum(right) / len(right)}


def read(metric: Any, writer: Any, texts: list[list[tuple[str, str]]]) -> None:
    """Trains and evaluates as ``program.train`` of PaddleOCR does."""
    for step in range(3):
        metric(([("x", 0.1)], [("y", 1.0)]), None)  # cal_metric_during_train
        train = {"loss": 1 / (step + 1), "lr": 0.1, **metric.get_metric()}
        writer.log_metrics(metrics=train, prefix="TRAIN", step=step)
    for batch in texts:
        metric(([(one, 0.5) for one, _ in batch], [(other, 1.0) for _, other in batch]), None)
    found = {**metric.get_metric(), "fps": 10.0}
    writer.log_metrics(metrics=found, prefix="EVAL", step=2)
    writer.log_metrics(metrics={"best_acc": found["acc"]}, prefix="EVAL", step=2)
    writer.log_model(is_best=True, prefix="best_accuracy", metadata=found)
    writer.close()


def test_read_texts_have_their_error_rates_and_samples(tracker: Tracker, tmp_path: Path) -> None:
    config = {"Global": {"epoch_num": 2}, "Optimizer": {"lr": {"learning_rate": 0.1}}}
    writer = suites.paddleocr(tracker, config, RecMetric())
    assert writer.metric.main_indicator == "acc"
    read(writer.metric, writer, [[("飞浆", "飞桨"), ("ab", "ab")], [("c", "c")]])
    found = scalars(tmp_path / "run")
    assert found["train/loss"][2] == (2, pytest.approx(1 / 3)) and len(found["train/learning rate"]) == 3
    assert found["eval/acc"] == [(2, pytest.approx(2 / 3))] and found["eval/best_acc"] == found["eval/acc"]
    assert found["eval/cer"] == [(2, pytest.approx(1 / 5))]
    assert found["eval/exact match"] == [(2, pytest.approx(2 / 3))]
    ((_, table),) = found["eval/samples"]
    assert [line.split("\t")[:4] for line in table.splitlines()][1] == ["0", "飞桨", "飞浆", "0.50"]
    (record,) = by_tag(tmp_path / "run")["hparam"]
    assert record.data.metrics == ["eval/acc"]
    assert record.data.hparams["Optimizer/lr/learning_rate"] == 0.1
    assert not tracker.lost


@pytest.mark.parametrize(("mode", "colour"), [("BGR", (0, 0, 255)), ("RGB", (255, 0, 0))])
def test_read_texts_have_their_images(
    mode: str, colour: tuple[int, ...], tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.hooks.suites._ocr._MOST_BYTES", 2 * 4 * 3 * 8 * 16)
    transforms = [{"DecodeImage": {"img_mode": mode}}, {"CTCLabelEncode": None}]
    writer = suites.paddleocr(tracker, {"Eval": {"dataset": {"transforms": transforms}}}, RecMetric())
    images = np.zeros((2, 3, 8, 16), np.float32)
    images[:, 0] = 1
    for batch in (images, images):  # the second is more than is kept
        writer.metric(([("ab", 0.9), ("c", 0.9)], [("ab", 1.0), ("d", 1.0)]), [batch, "labels"])
    writer.metric.get_metric()
    writer.log_metrics(metrics={"acc": 0.5}, prefix="EVAL", step=2)
    tracker.flush()
    table = load(tmp_path / "run")[0].predictions(2)
    assert table["prediction"].tolist() == ["ab", "c", "ab", "c"]
    assert [each is not None for each in table["input"]] == [True, True, False, False]
    assert (table["input"][0].array() == colour).all()
    assert not tracker.lost


def test_other_results_than_texts_have_their_metrics_alone(tracker: Tracker, tmp_path: Path) -> None:
    class DetMetric(RecMetric):
        def __call__(self, found: Any, *args: Any, **kwargs: Any) -> None:
            self.right.append(True)

    read((writer := suites.paddleocr(tracker, {}, DetMetric())).metric, writer, [[("a", "b")]])
    writer.metric([{"points": []}], None)
    writer.metric.get_metric()
    writer.log_metrics(metrics={"hmean": 0.5}, prefix="EVAL", step=3)
    found = scalars(tmp_path / "run")
    assert found["eval/hmean"] == [(3, 0.5)] and len(found["eval/cer"]) == 1
    assert not tracker.lost


# -- PaddleTS --------------------------------------------------------------------------------------------


def test_a_model_of_series_is_recorded_batch_by_batch(
    tracker: Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SeriesCallback:
        on_batch_end: Any
        on_epoch_end: Any
        on_train_end: Any

    installed(monkeypatch, "paddlets.models.common.callbacks", Callback=SeriesCallback)
    callback = suites.paddlets(tracker)
    assert isinstance(callback, SeriesCallback)
    for epoch in range(2):
        for batch in range(3):
            callback.on_batch_end(batch, {"batch_size": 4, "loss": np.float32(1 / (1 + batch))})
        callback.on_epoch_end(epoch, {"loss": 0.6, "lr": 0.1, "val_0_mae": 0.5 - epoch / 4})
    callback.on_train_end({})
    found = scalars(tmp_path / "run")
    assert found["train/loss"] == [(step, pytest.approx(1 / (1 + step % 3))) for step in range(6)]
    assert found["eval/val_0_mae"] == [(2, 0.5), (5, 0.25)]
    assert found["train/epoch"] == [(2, 0), (5, 1)]
    assert found["train/learning rate"] == [(2, pytest.approx(0.1)), (5, pytest.approx(0.1))]
    assert not tracker.lost


def test_missing_paddlets_is_named(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paddlets", None)
    with pytest.raises(MissingDependencyError, match="PaddleTS"):
        suites.paddlets(tracker)


# -- PaddleClas ------------------------------------------------------------------------------------------


class Engine:
    """Writes as ``ppcls.engine.engine.Engine`` does."""

    def __init__(self, schedulers: int = 1) -> None:
        self.config = {"Global": {"epochs": 2}, "Optimizer": {"lr": {"learning_rate": 0.1}}}
        self.lr_sch = [object()] * schedulers
        self.vdl_writer: Any = None
        self.global_step = 0

    def train(self) -> None:
        self.global_step = 0
        for epoch in (1, 2):
            for iteration in range(3):
                self.global_step += 1
                if iteration % 2 == 0:
                    for index, _ in enumerate(self.lr_sch):
                        name = f"lr({'Cosine' if index == 0 else 'Step'})"
                        self.vdl_writer.add_scalar(tag=name, step=self.global_step, value=0.1)
                    self.vdl_writer.add_scalar(tag="train_CELoss", step=self.global_step, value=0.5)
            self.vdl_writer.add_scalar(tag="eval_acc", step=epoch, value=0.75)
        self.vdl_writer.close()


def test_an_engine_is_recorded_on_one_clock(tracker: Tracker, tmp_path: Path) -> None:
    engine = Engine()
    engine.vdl_writer = suites.paddleclas(tracker, engine)
    engine.train()
    steps = [0, 2, 3, 5]
    assert scalars(tmp_path / "run") == {
        "train/learning rate": [(step, pytest.approx(0.1)) for step in steps],
        "train/CELoss": [(step, 0.5) for step in steps],
        "eval/acc": [(2, 0.75), (5, 0.75)],
    }
    (record,) = by_tag(tmp_path / "run")["hparam"]
    assert record.data.hparams == {"Global/epochs": 2, "Optimizer/lr/learning_rate": 0.1}
    assert record.data.metrics == ["eval/acc"]


def test_a_resumed_engine_goes_on_with_the_steps(tmp_path: Path) -> None:
    for _ in range(2):
        with Tracker(tmp_path / "run", if_exists="resume", system=False) as tracker:
            engine = Engine()
            engine.vdl_writer = suites.paddleclas(tracker, engine)
            engine.train()
    assert [step for step, _ in series(tmp_path / "run", "eval/acc")] == [2, 5, 8, 11]


def test_an_engine_with_several_schedulers_names_them(tracker: Tracker, tmp_path: Path) -> None:
    engine = Engine(schedulers=2)
    engine.vdl_writer = suites.paddleclas(tracker, engine)
    engine.train()
    assert {"train/learning rate/Cosine", "train/learning rate/Step"} <= set(by_tag(tmp_path / "run"))


def test_the_writer_that_an_engine_made_is_closed(tracker: Tracker, tmp_path: Path) -> None:
    engine = Engine()
    engine.vdl_writer = own = LogWriter(str(tmp_path / "output"))
    engine.vdl_writer = suites.paddleclas(tracker, engine)
    assert own is not engine.vdl_writer
    with pytest.raises(RuntimeError):
        own.add_scalar("loss", 1, 0)


# -- PaddleX ---------------------------------------------------------------------------------------------

DETECTION = """
epoch: 50
eval_size: &size [320, 320]
TrainDataset: !COCODetDataset
  dataset_dir: data
LearningRate:
  base_lr: 0.32
  schedulers:
  - !CosineDecay {max_epochs: 300}
EvalReader:
  size: *size
"""


@pytest.mark.parametrize(("logs", "config"), [("output", "config.yaml"), ("output/vdl", "config.yml")])
def test_the_output_of_paddlex_is_a_run_with_its_config_as_hparams(
    logs: str, config: str, tmp_path: Path
) -> None:
    from visualdl import LogWriter as StockLogWriter

    with StockLogWriter(str(tmp_path / logs)) as writer:
        writer.add_scalar("loss", 0.5, 0)
    (tmp_path / "output" / config).write_text(DETECTION, "utf-8")
    (run,) = load(tmp_path)
    assert run.scalars("loss")["value"].tolist() == [0.5]
    assert run.hparams == {
        "epoch": 50,
        "eval_size": [320, 320],
        "TrainDataset/dataset_dir": "data",
        "LearningRate/base_lr": 0.32,
        "LearningRate/schedulers": [{"max_epochs": 300}],
        "EvalReader/size": [320, 320],
    }
    assert not run.problems
    assert len(load(tmp_path).filter("`LearningRate/base_lr` < 1")) == 1


def test_recorded_hparams_come_before_a_config(tmp_path: Path) -> None:
    Tracker(tmp_path / "run", hparams={"lr": 1}, system=False).close()
    (tmp_path / "run" / "config.yaml").write_text("epoch: 50", "utf-8")
    assert load(tmp_path)["run"].hparams == {"lr": 1}


def test_without_a_config_there_are_no_hparams(tmp_path: Path) -> None:
    assert hparams_of(tmp_path) is None
    assert hparams_of("s3://bucket/run") is None


BOMB = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + former] * 10)}]\n"
    for former, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x: [", "expected the node content"),
        ("- 1", "must be a dict"),
        (BOMB, "10,000 values"),
        ("a: &a [*a]", "10,000 values"),
        ("a: " + "x" * 100_001, "100,000 bytes"),
    ],
)
def test_a_config_that_is_none_is_a_problem_of_the_run(text: str, message: str, tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", system=False) as tracker:
        tracker.log({"loss": 1})
    (tmp_path / "run" / "config.yaml").write_text(text, "utf-8")
    run = load(tmp_path)["run"]
    assert run.hparams == {}
    (problem,) = run.problems
    assert message in problem.message
    assert problem.path.endswith("config.yaml")


def test_a_config_runs_no_code(tmp_path: Path) -> None:
    target = tmp_path / "made"
    (tmp_path / "config.yaml").write_text(f"a: !!python/object/apply:os.mkdir ['{target}']", "utf-8")
    assert hparams_of(tmp_path) == {"a": [str(target)]}
    assert not target.exists()


def test_a_config_without_pyyaml_is_a_problem_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Tracker(tmp_path / "run", system=False) as tracker:
        tracker.log({"loss": 1})
    (tmp_path / "run" / "config.yaml").write_text("epoch: 1", "utf-8")
    monkeypatch.setitem(sys.modules, "yaml", None)
    (problem,) = load(tmp_path)["run"].problems
    assert "paddle-vizkit[paddlex]" in problem.message
