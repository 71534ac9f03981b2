"""Trainings of suites that log to nothing, under `autolog`, against packages laid out as the suites' are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import series
from vizkit import Run, Tracker, autolog, load
from vizkit.hooks import suites

# What each ``train`` does with the logger that it has; PaddleClas's and PaddleDetection's are methods.
PACKAGES = {
    "ppocr/__init__.py": "",
    "tools/__init__.py": "",
    "tools/program.py": """
import ppocr

class RecMetric:
    main_indicator = "acc"
    right = ()
    def __call__(self, found, *_):
        self.right = [one[0] == other[0] for one, other in zip(*found)]
    def get_metric(self):
        return {"acc": sum(self.right) / len(self.right)}

def train(config, eval_class, fails=False, log_writer=None):
    if log_writer is not None:
        log_writer.log_metrics(metrics={"loss": 0.5, "lr": 0.1}, prefix="TRAIN", step=1)
    eval_class(([("ab", 0.9), ("c", 0.9)], [("ab", 1.0), ("cd", 1.0)]))
    found = eval_class.get_metric()
    if log_writer is not None:
        log_writer.log_metrics(metrics=found, prefix="EVAL", step=1)
    if fails:
        raise KeyError("image")
    if log_writer is not None:
        log_writer.close()
    return found
""",
    "ppdet/__init__.py": "",
    "ppdet/engine/__init__.py": "",
    "ppdet/engine/callbacks.py": """
class Callback:
    def __init__(self, model):
        self.model = model
    def on_train_begin(self, status): ...
    def on_step_end(self, status): ...
class LogPrinter(Callback): ...
class VisualDLWriter(Callback): ...
class ComposeCallback:
    def __init__(self, callbacks):
        self._callbacks = list(callbacks)
    def on_train_begin(self, status):
        for callback in self._callbacks:
            callback.on_train_begin(status)
    def on_step_end(self, status):
        for callback in self._callbacks:
            callback.on_step_end(status)
""",
    "ppdet/engine/trainer.py": """
from types import SimpleNamespace
from ppdet.engine.callbacks import ComposeCallback, LogPrinter, VisualDLWriter

class Trainer:
    def __init__(self, cfg, use_vdl=False):
        self.cfg, self._metrics = cfg, []
        self._callbacks = [LogPrinter(self)] + [VisualDLWriter(self)] * use_vdl
        self._compose_callback = ComposeCallback(self._callbacks)
    def register_callbacks(self, callbacks):
        self._callbacks.extend(callbacks)
        self._compose_callback = ComposeCallback(self._callbacks)
    def train(self, validate=False):
        meters = {"loss": SimpleNamespace(value=0.5)}
        status = {"mode": "train", "epoch_id": 0, "step_id": 1, "steps_per_epoch": 4, "learning_rate": 0.1,
                  "training_staus": SimpleNamespace(meters=meters)}
        self._compose_callback.on_train_begin(status)
        self._compose_callback.on_step_end(status)
        return len(self._callbacks)
""",
    "ppcls/__init__.py": "",
    "ppcls/engine/__init__.py": "",
    "ppcls/engine/engine.py": """
class Engine:
    def __init__(self, config):
        self.config, self.vdl_writer, self.lr_sch, self.global_step = config, None, [None], 2
    def train(self):
        if self.vdl_writer is not None:
            self.vdl_writer.add_scalar(tag="train_loss", step=2, value=0.5)
            self.vdl_writer.close()
""",
    "paddleseg/__init__.py": "",
    "paddleseg/core/__init__.py": "from .train import train",
    "paddleseg/core/train.py": """
def evaluate(model):
    return 0.75, 0.9, [0.5, 1.0], [0.5, 1.0], 0.7

def train(model, save_dir="output", iters=10, use_vdl=False):
    found = evaluate(model)
    if use_vdl:
        from visualdl import LogWriter
        writer = LogWriter(save_dir)
        writer.add_scalar("Train/loss", 0.5, 1)
        writer.add_scalar("Evaluate/mIoU", found[0], 1)
        writer.close()
""",
    "ppsci/__init__.py": "",
    "ppsci/solver/__init__.py": "from .solver import Solver",
    "ppsci/solver/solver.py": """
class Solver:
    def __init__(self):
        self.vdl_writer = self.wandb_writer = self.tbd_writer = None
        self.global_step = 0
    def train(self):
        cfg = {"TRAIN": {"epochs": 2}}
        for epoch in (1, 2):
            self.global_step += 10
            if self.vdl_writer is not None:
                self.vdl_writer.add_scalar("train/lr", 0.1, self.global_step)
                self.vdl_writer.add_scalar("eval/MSE/u", 0.25, epoch)
""",
    "paddlets/__init__.py": "",
    "paddlets/models/__init__.py": "",
    "paddlets/models/common/__init__.py": "",
    "paddlets/models/common/callbacks/__init__.py": "from .callbacks import *",
    "paddlets/models/common/callbacks/callbacks.py": """
class Callback:
    def set_trainer(self, model): ...
    def on_train_begin(self, logs=None): ...

class Model:
    def __init__(self, max_epochs, optimizer_params, callbacks=None):
        self._max_epochs, self._optimizer_params, self._callbacks = max_epochs, optimizer_params, callbacks
        self._network = object()

class CallbackContainer:
    def __init__(self, callbacks):
        self._callbacks = callbacks
    def append(self, callback):
        self._callbacks.append(callback)
    def set_trainer(self, model):
        self._trainer = model
    def on_train_begin(self, logs=None):
        for callback in self._callbacks:
            callback.on_train_begin(logs or {})
""",
}


@pytest.fixture(params=[True, False], ids=["before its import", "after its import"])
def suite(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports a module of a suite, with autolog turned on before or after that."""
    names = {Path(name).parts[0] for name in PACKAGES}
    before = set(sys.modules)
    for name, text in PACKAGES.items():
        (file := tmp_path / "installed" / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    monkeypatch.syspath_prepend(tmp_path / "installed")
    for name in names:
        monkeypatch.delitem(sys.modules, name, raising=False)

    def imported(name: str) -> Any:
        if request.param:
            autolog(tmp_path / "log", quiet=True)
        module = importlib.import_module(name)
        autolog(tmp_path / "log", quiet=True)
        return module

    yield imported
    autolog(disable=True)
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in names:
            del sys.modules[name]


def only_run(tmp_path: Path) -> Run:
    autolog(disable=True)
    (run,) = load(tmp_path / "log")
    assert run.status == "finished" and not run.problems
    return run


def test_paddleocr_is_recorded_with_its_texts(suite: Callable[[str], Any], tmp_path: Path) -> None:
    program = suite("tools.program")
    assert program.train({"Global": {"epoch_num": 2}}, program.RecMetric()) == {"acc": 0.5}
    run = only_run(tmp_path)
    assert (run.hparams, run.metrics) == ({"Global/epoch_num": 2}, ["eval/acc"])
    assert run.last("train/loss").value == run.last("eval/acc").value == 0.5
    assert run.last("eval/cer").value == pytest.approx(1 / 4)
    program.train({}, program.RecMetric())  # autolog is off
    assert len(load(tmp_path / "log")) == 1


def test_paddledetection_is_recorded_without_its_option(suite: Callable[[str], Any], tmp_path: Path) -> None:
    trainer = suite("ppdet.engine.trainer").Trainer({"epoch": 2})
    assert trainer.train(validate=True) == 2
    assert trainer.train() == 2, "it has a logger now"
    run = only_run(tmp_path)
    assert run.hparams == {"epoch": 2}
    assert run.columns("train/loss").values.tolist() == [0.5, 0.5]


def test_paddleclas_is_recorded_without_its_option(suite: Callable[[str], Any], tmp_path: Path) -> None:
    suite("ppcls.engine.engine").Engine({"Global": {"epochs": 2}}).train()
    run = only_run(tmp_path)
    assert run.hparams == {"Global/epochs": 2}
    assert run.columns("train/loss").values.tolist() == [0.5]


def test_paddleseg_is_recorded_without_its_option(suite: Callable[[str], Any], tmp_path: Path) -> None:
    suite("paddleseg.core").train("model", str(tmp_path / "output"), iters=4)
    run = only_run(tmp_path)
    assert run.hparams["iters"] == 4 and run.metrics == ["eval/miou"]
    assert [run.last(f"eval/{name}").value for name in ("miou", "iou/0", "kappa")] == [0.75, 0.5, 0.7]
    assert not (tmp_path / "output").exists()


def test_paddlescience_is_recorded_without_its_option(suite: Callable[[str], Any], tmp_path: Path) -> None:
    cfg = {"TRAIN": {"epochs": 2}}
    suite("ppsci.solver").Solver().train()
    run = only_run(tmp_path)
    assert run.hparams == {"TRAIN/epochs": cfg["TRAIN"]["epochs"]}
    assert run.columns("train/learning rate").steps.tolist() == [10, 20]
    assert run.columns("eval/MSE/u").steps.tolist() == [10, 20]


def test_paddlets_is_recorded_without_a_callback(suite: Callable[[str], Any], tmp_path: Path) -> None:
    callbacks = suite("paddlets.models.common.callbacks")
    container = callbacks.CallbackContainer([callbacks.Callback()])
    container.set_trainer(callbacks.Model(max_epochs=2, optimizer_params={"learning_rate": 0.1}))
    container.on_train_begin({"start_time": 0})
    container.on_train_begin()
    assert len(container._callbacks) == 2
    container._callbacks[-1].on_batch_end(0, {"loss": 0.5})
    run = only_run(tmp_path)
    assert run.hparams == {"max_epochs": 2, "optimizer_params/learning_rate": 0.1}
    assert run.last("train/loss").value == 0.5


def test_a_training_with_a_logger_is_left_alone(suite: Callable[[str], Any], tmp_path: Path) -> None:
    program = suite("tools.program")
    with Tracker(tmp_path / "own", quiet=True) as tracker:
        writer = suites.paddleocr(tracker, {}, program.RecMetric())
        program.train({}, writer.metric, log_writer=writer)
    suite("ppdet.engine.trainer").Trainer({}, use_vdl=True).train()
    suite("paddleseg.core").train("model", str(tmp_path / "output"), use_vdl=True)
    autolog(disable=True)
    assert not (tmp_path / "log").exists()
    assert load(tmp_path / "output")[0].scalar_tags[:2] == ["Train/loss", "Evaluate/mIoU"]


def test_a_trainings_own_errors_are_raised(suite: Callable[[str], Any], tmp_path: Path) -> None:
    program = suite("tools.program")
    with pytest.raises(KeyError, match="image"):
        program.train({}, program.RecMetric(), fails=True)
    with pytest.raises(TypeError, match="missing 2 required"):
        program.train()
    assert series(tmp_path / next((tmp_path / "log").iterdir()), "train/loss") == [(1, 0.5)]
