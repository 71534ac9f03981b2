"""`vizkit.autolog`: code that knows nothing of VizKit, recorded right."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import threading
import types
import warnings
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
import visualdl
import visualdl.writer.writer

from tests.helpers import PATIENCE, ROOT, by_tag, log_of, python, series, stock, until
from vizkit import DataError, LogWriter, Tracker, VizKitWarning, load
from vizkit.environment import read_environment
from vizkit.hooks._autolog.autolog import autolog
from vizkit.hooks._fit.failures import watch_failures

watch_failures()  # which stays
PATCHED: dict[str, Any] = {
    "LogWriter": visualdl.LogWriter,  # held where autolog does not look
    "fit": vars(paddle.Model)["fit"],
    "evaluate": vars(paddle.Model)["evaluate"],
    "_updates": vars(paddle.callbacks.VisualDL)["_updates"],
}
TRAIN, EVAL, BATCH = 12, 6, 4  # an epoch is 3 steps; the last eval batch holds 2


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    autolog(disable=True)


class Points(paddle.io.Dataset):
    def __init__(self, count: int = TRAIN) -> None:
        rng = np.random.default_rng(count)
        self.points = rng.normal(0, 1, (count, 4)).astype("float32")
        self.labels = (self.points.sum(axis=1) > 0).astype("int64")[:, None]

    def __getitem__(self, index: int) -> Any:
        return self.points[index], self.labels[index]

    def __len__(self) -> int:
        return len(self.points)


def prepared(rate: Any = 0.01) -> paddle.Model:
    paddle.seed(3)
    model = paddle.Model(paddle.nn.Sequential(paddle.nn.Linear(4, 2), paddle.nn.Dropout(0.2)))
    optimizer = paddle.optimizer.Adam(rate, parameters=model.parameters())
    model.prepare(optimizer, paddle.nn.CrossEntropyLoss(), paddle.metric.Accuracy())
    return model


def fit(model: paddle.Model, callbacks: Any = None, **options: Any) -> None:
    """As a user's script calls it."""
    model.fit(
        Points(), Points(EVAL), batch_size=BATCH, shuffle=False, verbose=0, callbacks=callbacks, **options
    )


def script(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script ``train.py`` of a directory, in it."""
    return subprocess.run(
        [sys.executable, "train.py", *arguments],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
        cwd=directory, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def runs_in(directory: Path) -> list[Path]:
    return sorted(path.parent for path in directory.rglob("*vdlrecords*"))


def steps(run: Path, tag: str) -> list[int | float]:
    return [step for step, _ in series(run, tag)]


def hparams_of(run: Path) -> Any:
    return by_tag(run)["hparam"][-1].data


def patches_off() -> bool:
    return (
        all(vars(paddle.Model)[name] is PATCHED[name] for name in ("fit", "evaluate"))
        and vars(paddle.callbacks.VisualDL)["_updates"] is PATCHED["_updates"]
        and visualdl.LogWriter is PATCHED["LogWriter"]
        and visualdl.writer.writer.LogWriter is PATCHED["LogWriter"]
    )


# ---- Model.fit and Model.evaluate ------------------------------------------------------------------


def test_a_fit_is_recorded_without_being_changed(tmp_path: Path) -> None:
    autolog(tmp_path)
    fit(prepared(), epochs=2)
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == steps(run, "train/acc") == list(range(6))
    assert steps(run, "eval/loss") == [2, 5]
    assert "weights/0/weight" in by_tag(run)
    assert len(stock(run, "scalar", "train/loss")) == 6


def test_the_hyper_parameters_that_can_be_known_are_recorded(tmp_path: Path) -> None:
    autolog(tmp_path)
    fit(prepared(), epochs=2)
    (run,) = runs_in(tmp_path)
    assert hparams_of(run).hparams == {
        "network": "Sequential",
        "parameters": 10,
        "optimizer": "Adam",
        "learning rate": pytest.approx(0.01),
        "batch size": BATCH,
        "epochs": 2,
    }
    assert hparams_of(run).metrics == ["eval/loss", "eval/acc"]


def test_hyper_parameters_of_a_loader_and_a_scheduler(tmp_path: Path) -> None:
    autolog(tmp_path)
    schedule = paddle.optimizer.lr.StepDecay(0.5, step_size=1)
    prepared(schedule).fit(paddle.io.DataLoader(Points(), batch_size=6), verbose=0)
    (run,) = runs_in(tmp_path)
    known = hparams_of(run)
    assert known.hparams["batch size"] == 6
    assert (known.hparams["learning rate"], known.hparams["scheduler"]) == (0.5, "StepDecay")
    assert known.metrics == ["train/loss", "train/acc"]


def test_one_run_for_all_that_is_done_with_a_model(tmp_path: Path) -> None:
    autolog(tmp_path)
    model = prepared()
    fit(model)
    model.evaluate(Points(EVAL), verbose=0)
    fit(model, epochs=2)
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == list(range(9))
    assert steps(run, "eval/loss") == [2, 2, 5, 8]
    assert steps(run, "train/epoch") == list(range(9))
    assert [epoch for _, epoch in series(run, "train/epoch")] == [0] * 3 + [1] * 3 + [2] * 3
    assert len(by_tag(run)["hparam"]) == 2


def test_a_later_fit_leaves_the_hyper_parameters_of_the_first(tmp_path: Path) -> None:
    autolog(tmp_path)
    model = prepared()
    for epochs, batch in [(1, 4), (2, 6), (1, 4), (2, 6), (1, 3)]:
        model.fit(Points(), epochs=epochs, batch_size=batch, shuffle=False, verbose=0)
    model.evaluate(Points(EVAL), batch_size=2, verbose=0)
    (run,) = runs_in(tmp_path)
    known = hparams_of(run).hparams
    assert (known["epochs"], known["batch size"]) == (1, 4)
    assert {name: value for name, value in known.items() if name.startswith("fit ")} == {
        "fit 2/epochs": 2, "fit 2/batch size": 6, "fit 3/batch size": 3,
    }  # fmt: skip
    assert len(by_tag(run)["hparam"]) == 3
    assert len({epoch for _, epoch in series(run, "train/epoch")}) == 7


def test_epochs_go_on_in_a_resumed_run(tmp_path: Path) -> None:
    for _ in range(2):
        with Tracker(tmp_path, if_exists="resume", system=False) as tracker:
            fit(prepared(), tracker.callback(), epochs=2)
    assert [epoch for _, epoch in series(tmp_path, "train/epoch")] == [n // 3 for n in range(12)]


def test_every_model_has_a_run(tmp_path: Path) -> None:
    autolog(tmp_path)
    fit(prepared())
    fit(prepared())
    prepared().evaluate(Points(EVAL), verbose=0)
    assert [len(steps(run, "train/loss")) for run in runs_in(tmp_path)] == [3, 3, 0]


def test_a_run_goes_on_after_it_was_closed_among_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = sys.modules["vizkit.hooks._autolog.autolog"]
    monkeypatch.setattr("vizkit.hooks._autolog.open_runs._MOST_OPEN", 1)
    autolog(tmp_path)
    models = [prepared() for _ in range(3)]
    for _ in range(2):
        for model in models:
            fit(model)
    assert module._active is not None and len(module._active._runs._trackers) == 1
    assert [steps(run, "train/loss") for run in runs_in(tmp_path)] == [list(range(6))] * 3


def test_the_users_own_callback_is_not_added_to(tmp_path: Path) -> None:
    autolog(tmp_path / "auto")
    model = prepared()
    with Tracker(tmp_path / "own") as tracker:
        fit(model, tracker.callback())
        fit(model, [tracker.callback()])
    assert runs_in(tmp_path) == [tmp_path / "own"]
    assert steps(tmp_path / "own", "train/loss") == list(range(6))


def test_an_evaluation_within_a_training_goes_into_its_run(tmp_path: Path) -> None:
    class Often(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            self.model.evaluate(Points(EVAL), verbose=0)

    autolog(tmp_path / "log")
    model = prepared()
    fit(model, Often())
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == [0, 1, 2]
    assert steps(run, "eval/loss")[-1] == 2 and len(steps(run, "eval/loss")) == 4


def test_models_that_are_trained_in_threads(tmp_path: Path) -> None:
    autolog(tmp_path)
    models = [prepared() for _ in range(3)]
    threads = [threading.Thread(target=fit, args=(model,), kwargs={"epochs": 3}) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [steps(run, "train/loss") for run in runs_in(tmp_path)] == [list(range(9))] * 3


def test_the_users_list_of_callbacks_stays_as_it_is(tmp_path: Path) -> None:
    autolog(tmp_path)
    mine: list[Any] = [paddle.callbacks.Callback()]
    fit(prepared(), mine)
    assert len(mine) == 1 and len(runs_in(tmp_path)) == 1


# ---- paddle.callbacks.VisualDL ---------------------------------------------------------------------


def test_paddles_own_callback_is_recorded_right(tmp_path: Path) -> None:
    autolog(tmp_path / "log")
    model, run = prepared(), tmp_path / "vdl"
    fit(model, paddle.callbacks.VisualDL(str(run)), epochs=2)
    model.evaluate(Points(EVAL), callbacks=[paddle.callbacks.VisualDL(str(run))], verbose=0)
    fit(model, [paddle.callbacks.VisualDL(str(run))])
    assert runs_in(tmp_path) == [run]
    assert steps(run, "train/loss") == steps(run, "train/acc") == list(range(9))  # once each, one axis
    assert steps(run, "eval/loss") == [2, 5, 5, 8]
    assert [record.id for record in stock(run, "scalar", "train/loss")] == list(range(9))


def test_paddles_callback_beside_the_users_tracker(tmp_path: Path) -> None:
    autolog(tmp_path / "log")
    with Tracker(tmp_path / "run") as tracker:
        both = [paddle.callbacks.VisualDL(str(tmp_path / "run")), tracker.callback()]
        fit(prepared(), both)
        fit(prepared(), [paddle.callbacks.VisualDL(str(tmp_path / "vdl")), tracker.callback()])
    assert runs_in(tmp_path) == [tmp_path / "run", tmp_path / "vdl"]
    assert steps(tmp_path / "run", "train/loss") == list(range(6))
    assert steps(tmp_path / "vdl", "train/loss") == [0, 1, 2]


def test_what_a_subclass_records_besides_is_kept(tmp_path: Path) -> None:
    class WithNorms(paddle.callbacks.VisualDL):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            super().on_train_batch_end(step, logs)
            self.writer.add_scalar("norm", 1.5, self.train_step)

    autolog(tmp_path / "log")
    fit(prepared(), WithNorms(str(tmp_path / "vdl")))
    assert runs_in(tmp_path) == [tmp_path / "vdl"]
    assert steps(tmp_path / "vdl", "train/loss") == [0, 1, 2]
    assert steps(tmp_path / "vdl", "norm") == [1, 2, 3]


def test_a_subclass_with_records_of_its_own_is_left_alone(tmp_path: Path) -> None:
    class Own(paddle.callbacks.VisualDL):
        def _updates(self, logs: Any, mode: str) -> None:
            if not hasattr(self, "writer"):
                self.writer = visualdl.LogWriter(self.log_dir)
            self.writer.add_scalar(f"my {mode}", 1.0, self.train_step)

    autolog(tmp_path / "log")
    fit(prepared(), Own(str(tmp_path / "vdl")))
    assert runs_in(tmp_path) == [tmp_path / "vdl"]
    assert set(by_tag(tmp_path / "vdl")) == {"my train", "my eval"}


# ---- visualdl.LogWriter ----------------------------------------------------------------------------


def _imported_at_use(logdir: str) -> Any:
    from visualdl import LogWriter

    return LogWriter(logdir, "", 10, 120, ".mine")


def _by_attribute(logdir: str) -> Any:
    return visualdl.LogWriter(logdir=logdir, display_name="a run", filename_suffix=".mine")


def _from_the_inner_module(logdir: str) -> Any:
    from visualdl.writer.writer import LogWriter as Writer

    return Writer(logdir, filename_suffix=".mine")


def _imported_before(logdir: str) -> Any:
    return vars(a_suite)["make"](logdir)


a_suite = types.ModuleType("a_suite")
exec(
    "from visualdl import LogWriter as VDL\nimport json\n"
    "def make(logdir): return VDL(logdir=logdir, filename_suffix='.mine')",
    vars(a_suite),
)


@pytest.mark.parametrize("make", [_imported_at_use, _by_attribute, _from_the_inner_module, _imported_before])
def test_visualdls_writer_is_vizkits(
    make: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "a_suite", a_suite)
    autolog()
    with make(str(tmp_path)) as writer:
        assert isinstance(writer, LogWriter)
        assert isinstance(writer, visualdl.LogWriter) and isinstance(writer, PATCHED["LogWriter"])
        writer.add_scalar("loss", 16777217, 0)
        writer.add_scalar(tag="loss", value=np.float32(0.5), step=1)
    assert series(tmp_path, "loss") == [(0, 16777217.0), (1, 0.5)]
    assert log_of(tmp_path).name.endswith(".mine")
    autolog(disable=True)
    assert vars(a_suite)["VDL"] is PATCHED["LogWriter"]


def test_writers_pass_for_each_others_class(tmp_path: Path) -> None:
    before = PATCHED["LogWriter"](str(tmp_path / "stock"))
    before.close()
    autolog()

    class Mine(visualdl.LogWriter):
        pass

    assert isinstance(before, visualdl.LogWriter)
    assert issubclass(PATCHED["LogWriter"], visualdl.LogWriter) and issubclass(
        visualdl.LogWriter, PATCHED["LogWriter"]
    )
    assert isinstance(Mine(str(tmp_path / "mine")), LogWriter)
    assert not isinstance(before, Mine) and not isinstance("text", visualdl.LogWriter)
    autolog(disable=True)
    assert isinstance(Mine(str(tmp_path / "mine")), visualdl.LogWriter)


def _paddlex(directory: str) -> None:
    from visualdl import LogWriter

    log_writer = LogWriter(directory)
    for step in range(3):
        for name in ("loss", "acc1"):
            tag = f"Metrics/Training(Step): {name}"
            log_writer.add_scalar(tag, np.float64(0.5), step)
    log_writer.add_scalar("Metrics/Eval(Epoch): acc1", 0.75, 1)


def _paddleseg(directory: str) -> None:
    from visualdl import LogWriter

    log_writer = LogWriter(directory)
    for step in range(1, 4):
        log_writer.add_scalar("Train/loss", paddle.to_tensor(0.5), step)
        log_writer.add_scalar("Train/lr", 0.01, step)
    log_writer.add_scalar("Evaluate/mIoU", np.float32(0.25), 3)
    log_writer.close()


def _paddleclas(directory: str) -> None:
    class Engine:
        def __init__(self) -> None:
            from visualdl import LogWriter

            self.vdl_writer = LogWriter(logdir=directory)

    engine = Engine()
    for step in range(3):
        engine.vdl_writer.add_scalar(tag="train_loss", step=step, value=0.5)
    engine.vdl_writer.close()


def _paddledetection(directory: str) -> None:
    class VisualDLWriter:
        def __init__(self) -> None:
            try:
                from visualdl import LogWriter
            except Exception:
                raise
            self.vdl_writer = LogWriter(directory)
            self.vdl_loss_step = 0

    callback = VisualDLWriter()
    for _ in range(3):
        for name, value in {
            "loss_cls": "0.500000",
            "loss_iou": "0.250000",
        }.items():  # texts, as its meters give
            callback.vdl_writer.add_scalar(name, value, callback.vdl_loss_step)
        callback.vdl_loss_step += 1
    callback.vdl_writer.add_image("original/frame_0", np.zeros((4, 6, 3), "uint8"), 0)
    callback.vdl_writer.add_scalar("bbox-mAP", 0.5, 0)


def _paddlerec(directory: str) -> None:
    from visualdl import LogWriter

    log_visual = LogWriter(directory)
    for step in range(3):
        log_visual.add_scalar(tag="train/loss", step=step, value=np.array(0.5, "float32"))


def _parl(directory: str) -> None:
    from visualdl import LogWriter

    writer = LogWriter(logdir=directory)
    for step in range(3):
        writer.add_scalar("train/reward", 0.5, step)
        writer.flush()
        writer.close()


def _paddle3d(directory: str) -> None:
    from visualdl import LogWriter

    writer = LogWriter(logdir=directory, file_name=None)
    for step in range(3):
        writer.add_scalar(tag="Training/loss", value=paddle.to_tensor([0.5]).numpy(), step=step)
    name = writer.file_name
    assert writer._logdir == directory and name
    writer.close()


def _paddlemix(directory: str) -> None:
    from visualdl import LogWriter

    writer = LogWriter(directory)
    writer.add_hparams(hparams_dict={"lr": 0.1}, metrics_list=[])
    for step in range(3):
        writer.add_scalar("loss", 0.5, step=step)
        writer.add_image("grey", np.zeros((2, 4, 4, 1), "uint8"), step, dataformats="NHWC")
    writer.flush()


@pytest.mark.parametrize(
    ("suite", "tags"),
    [
        (_paddlerec, ["train/loss"]),
        (_parl, ["train/reward"]),
        (_paddle3d, ["Training/loss"]),
        (_paddlemix, ["loss"]),
        (_paddlex, ["Metrics/Training(Step): loss", "Metrics/Training(Step): acc1"]),
        (_paddleseg, ["Train/loss", "Train/lr"]),
        (_paddleclas, ["train_loss"]),
        (_paddledetection, ["loss_cls", "loss_iou"]),
    ],
)
def test_suites_write_with_vizkit(suite: Callable[[str], None], tags: list[str], tmp_path: Path) -> None:
    autolog()
    suite(str(tmp_path))
    for tag in tags:
        assert len(series(tmp_path, tag)) == 3
        assert len(stock(tmp_path, "scalar", tag)) == 3


def test_a_writer_never_stops_the_training(tmp_path: Path) -> None:
    autolog()
    writer = visualdl.LogWriter(str(tmp_path))
    with pytest.warns(VizKitWarning, match="recorded as 'top/1_'"):
        writer.add_scalar("/top/1%", 1.0, 0)
        writer.add_scalar("/top/1%", 2.0, 1)
    with pytest.warns(VizKitWarning, match="loss: not recorded") as warned:
        writer.add_scalar("loss", "no number", 0)
        writer.add_scalar("loss", "no number", 1)
    assert len(warned) == 1
    with pytest.warns(VizKitWarning, match="'loss/histogram'"):
        writer.add_histogram("loss", [1.0, 2.0], 0)
    with pytest.raises(TypeError, match="missing"):
        writer.add_scalar("loss")
    writer.close()
    writer.add_scalar("loss", 3.0, 2)  # VisualDL opens a log again
    writer.close()
    assert series(tmp_path, "top/1_") == [(0, 1.0), (1, 2.0)]
    assert series(tmp_path, "loss") == [(2, 3.0)]
    assert steps(tmp_path, "loss/histogram") == [0]


def test_a_warning_that_the_user_made_an_error_is_raised(tmp_path: Path) -> None:
    autolog()
    writer = visualdl.LogWriter(str(tmp_path))
    writer.add_scalar("loss", 1.0, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", VizKitWarning)
        with pytest.raises(VizKitWarning, match="no number"):
            writer.add_scalar("loss", "no number", 1)
        with pytest.raises(VizKitWarning, match="'other', which are left out"):
            visualdl.LogWriter(str(tmp_path), other=1)
    with pytest.warns(VizKitWarning, match="'loss/histogram'"):
        writer.add_histogram("loss", [1.0, 2.0], 0)
    with pytest.warns(VizKitWarning, match="'loss/text'"):
        writer.add_text("loss", "words", 0)
    writer.close()


def test_a_subclass_of_the_writer_is_told_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    autolog()

    class Mine(visualdl.LogWriter):
        pass

    assert isinstance(Mine(str(tmp_path)), visualdl.LogWriter)
    stock = PATCHED["LogWriter"](str(tmp_path / "stock"))
    assert isinstance(stock, visualdl.LogWriter) and not isinstance(stock, Mine)
    assert not issubclass(int, visualdl.LogWriter) and not issubclass(PATCHED["LogWriter"], Mine)
    stock.close()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    monkeypatch.setattr(LogWriter, "__init__", fail)
    with pytest.raises(RuntimeError, match="injected"):
        Mine(str(tmp_path))


def test_arguments_that_visualdl_swallows(tmp_path: Path) -> None:
    autolog()
    with pytest.warns(VizKitWarning, match="'log_dir' is taken for logdir"):
        writer = visualdl.LogWriter(log_dir=str(tmp_path / "run"))
    writer.add_scalar("loss", 1.0, 0)
    with pytest.warns(VizKitWarning, match="'other', which are left out"):
        visualdl.LogWriter(str(tmp_path / "run"), other=1)
    assert runs_in(tmp_path) == [tmp_path / "run"]


def test_visualdls_writer_is_used_where_vizkits_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("injected")

    autolog()
    monkeypatch.setattr(LogWriter, "__init__", fail)
    monkeypatch.setattr(type(visualdl.LogWriter), "_warned", False)
    with pytest.warns(VizKitWarning, match="VisualDL's own writer is used: RuntimeError: injected"):
        writer = visualdl.LogWriter(str(tmp_path))
    assert type(writer) is PATCHED["LogWriter"]
    writer.add_scalar("loss", 1.0, 0)
    writer.close()
    assert len(stock(tmp_path, "scalar", "loss")) == 1


SUITE = """
import argparse, json, os, sys, warnings
from dataclasses import dataclass
import vizkit; vizkit.autolog()
from visualdl import LogWriter

class Trainer:
    def __init__(self, options):
        self.cfg = {"Optimizer": {"lr": 0.1, "api_key": "hidden"}, "Loss": [{"name": "CE"}]}
        self.writer = LogWriter("out/vdl")

    def train(self):
        config = self.cfg["Optimizer"]  # a part of it, further in
        for step in range(2):
            pages = {"config": 1}
            self.writer.add_scalar("loss", 0.5, step)

def main(options):
    Trainer(options).train()
    if options.fail:
        raise RuntimeError("out of luck")

parser = argparse.ArgumentParser()
parser.add_argument("--batch-size", type=int)
parser.add_argument("--fail", action="store_true")
main(parser.parse_args())
"""


@pytest.mark.parametrize("fail", [False, True])
def test_a_suites_run_has_what_a_trackers_has(fail: bool, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SUITE, "utf-8")
    arguments = ["--batch-size", "4", *(["--fail"] if fail else [])]
    done = script(tmp_path, *arguments)
    assert bool(done.returncode) == fail, done.stderr
    run = load(tmp_path)["out/vdl"]
    assert run.status == ("failed" if fail else "finished")
    assert run.environment["argv"][1:] == arguments
    assert dict(run.hparams) == {
        "Optimizer/lr": 0.1, "Optimizer/api_key": "***", "Loss": [{"name": "CE"}],
        "batch_size": 4, "fail": fail,
    }  # fmt: skip
    assert steps(tmp_path / "out/vdl", "loss") == [0, 1]


class Settings:
    """As PaddleSeg's Config, an object around the content of a file."""

    def __init__(self) -> None:
        self.path, self.dic = "seg.yml", {"iters": 8}


class Warmup:
    """As PaddleDetection's, an object among the settings; what it has read is none of them."""

    def __init__(self, steps: int) -> None:
        self.steps, self.sizes, self._done = steps, (1, 2), 0
        self.read = [{"image": np.zeros(3)}]


@dataclass
class Given:
    lr: float = 0.5


def _namespace(path: Path) -> Any:
    return {"arguments": argparse.Namespace(lr=0.5, config=None)}


def _yaml_of_an_argument(path: Path) -> Any:
    (path / "c.yaml").write_text("Global: {epochs: 3}\nlr: 1", "utf-8")
    return {"anything": argparse.Namespace(lr=0.5, config=str(path / "c.yaml"))}


def _arguments_over_a_config(path: Path) -> Any:
    return {"args": argparse.Namespace(lr=None, seed=3), "cfg": {"lr": 0.1, "seed": 1}}


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: {"config": {"lr": 0.1, "a": {"b": 1}}}, {"lr": 0.1, "a/b": 1}),
        (lambda path: {"cfg": Given()}, {"lr": 0.5}),
        (lambda path: {"cfg": Settings()}, {"iters": 8}),
        (lambda path: {"config": {str(i): i for i in range(5000)}, "weights": {"w": 1}}, None),
        (lambda path: {"self": types.SimpleNamespace(cfg={"lr": 2})}, {"lr": 2}),
        (
            lambda path: {"cfg": {"rates": [Warmup(3), {"Flip": {}}], "data": Warmup(2), "unused": {}}},
            {
                "rates": [{"Warmup": {"steps": 3, "sizes": [1, 2]}}, {"Flip": {}}],
                "data/Warmup/steps": 2,
                "data/Warmup/sizes": [1, 2],
            },
        ),
        (_namespace, {"lr": 0.5, "config": None}),
        (_arguments_over_a_config, {"lr": 0.1, "seed": 3}),
    ],
)
def test_settings_that_are_at_hand(make: Callable[[Path], Any], found: Any, tmp_path: Path) -> None:
    autolog()
    variables = {
        **make(tmp_path),
        "LogWriter": visualdl.LogWriter,
        "run": str(tmp_path),
        "__name__": "__main__",
    }
    exec("writer = LogWriter(run); writer.add_scalar('loss', 0.5, 0); writer.close()", variables)
    hparams = by_tag(tmp_path).get("hparam")
    assert (hparams and hparams[-1].data.hparams) == found


def test_the_file_that_an_argument_names(tmp_path: Path) -> None:
    variables = _yaml_of_an_argument(tmp_path)
    autolog()
    variables |= {"LogWriter": visualdl.LogWriter, "run": str(tmp_path / "run"), "__name__": "__main__"}
    exec("writer = LogWriter(run); writer.add_scalar('loss', 0.5, 0)", variables)
    found = by_tag(tmp_path / "run")["hparam"][-1].data.hparams
    assert found == {"Global/epochs": 3, "lr": 0.5, "config": str(tmp_path / "c.yaml")}


def test_the_configuration_of_hydra_itself_is_left_out(tmp_path: Path) -> None:
    autolog()
    writer = visualdl.LogWriter(str(tmp_path))

    def main(cfg: Any) -> None:
        writer.add_scalar("loss", 0.5, 0)

    outside = {
        "main": main,
        "cfg": {"hydra": {"mode": "RUN"}, "lr": 0.1},
        "__name__": "hydra._internal.utils",
    }
    exec("main({'lr': 0.1})", outside)
    writer.close()
    assert hparams_of(tmp_path).hparams == {"lr": 0.1}


def test_a_suites_own_hyper_parameters_are_enough(tmp_path: Path) -> None:
    autolog()
    config = {"lr": 0.5}
    writer = visualdl.LogWriter(str(tmp_path))
    writer.add_hparams({"batch size": 4}, ["loss"])
    writer.add_scalar("loss", 0.5, 0)
    writer.close()
    assert [record.data.hparams for record in by_tag(tmp_path)["hparam"]] == [{"batch size": 4}]
    assert config


def test_no_variable_of_the_program_is_kept_alive(tmp_path: Path) -> None:
    class Batch:
        pass

    def train(writer: Any) -> Any:
        batch = Batch()
        kept = weakref.ref(batch)
        writer.add_scalar("loss", 0.5, 0)
        del batch
        return kept()

    autolog()
    assert train(visualdl.LogWriter(str(tmp_path))) is None


def test_a_writer_for_every_step_has_one_session(tmp_path: Path) -> None:
    autolog()
    for step in range(5):
        with visualdl.LogWriter(str(tmp_path)) as writer:
            writer.add_scalar("loss", 0.5, step)
    assert read_environment(tmp_path)["status"] == "running"
    autolog(disable=True)
    made = read_environment(tmp_path)
    assert made["status"] == "finished" and not made["sessions"]
    assert steps(tmp_path, "loss") == list(range(5))


def test_closing_a_writer_ends_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.hooks._autolog.suite_sessions._SHORT_SECONDS", 0.0)
    autolog()
    writer = visualdl.LogWriter(str(tmp_path))
    writer.add_scalar("loss", 0.5, 0)
    writer.close()
    assert read_environment(tmp_path)["status"] == "finished"
    writer.add_scalar("loss", 0.5, 1)  # VisualDL opens a log again
    assert read_environment(tmp_path)["status"] == "running"
    writer.close()
    assert [session["status"] for session in read_environment(tmp_path)["sessions"]] == ["finished"]


def test_an_error_that_leaves_a_writers_block_is_that_of_its_run(tmp_path: Path) -> None:
    autolog()
    with pytest.raises(ValueError, match="diverged"), visualdl.LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 0)
        raise ValueError("diverged")
    made = read_environment(tmp_path)
    assert (made["status"], made["error"]["message"]) == ("failed", "diverged")
    with visualdl.LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 1)
    autolog(disable=True)
    assert read_environment(tmp_path)["status"] == "finished"


@pytest.mark.parametrize("caught", [False, True])
def test_a_writer_that_is_closed_while_an_error_passes_ends_as_its_process(
    tmp_path: Path, caught: bool
) -> None:
    python(
        "import visualdl, vizkit, vizkit.hooks._autolog.suite_sessions as sessions\n"
        "vizkit.autolog(quiet=True); sessions._SHORT_SECONDS = 0\n"
        "def train():\n"
        f"    writer = visualdl.LogWriter({os.fspath(tmp_path / 'log')!r})\n"
        "    try:\n"
        "        writer.add_scalar('loss', 0.5, 0); {}['image']\n"
        "    finally:\n"
        "        writer.close()\n"
        f"try:\n    train()\nexcept {'KeyError' if caught else 'OSError'}:\n    pass\n"
    )
    assert read_environment(tmp_path / "log")["status"] == ("finished" if caught else "failed")


def test_a_tracker_around_a_suite(tmp_path: Path) -> None:
    autolog()
    config = {"from": "the suite"}
    with Tracker(tmp_path, if_exists="resume", hparams={"lr": 0.1}, system=False) as tracker:
        writer = visualdl.LogWriter(str(tmp_path))
        writer.add_scalar("loss", 0.5, 0)
        tracker.log({"mine": 1}, 0)
        writer.add_hparams({"batch size": 4}, [])
        writer.close()
    made = read_environment(tmp_path)
    assert made["status"] == "finished" and not made["sessions"]
    assert hparams_of(tmp_path).hparams == {"lr": 0.1, "batch size": 4}
    assert config and not any(tag.startswith("system/") for tag in by_tag(tmp_path))
    assert steps(tmp_path, "loss") == steps(tmp_path, "mine") == [0]


def test_the_machine_of_a_suite_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.tracking.system_metrics._FIRST_SECONDS", 0.0)
    autolog()
    with visualdl.LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 0.5, 0)
        until(lambda: writer.last_step_of("system/process memory GB") == 0)
    assert set(steps(tmp_path, "system/process memory GB")) == {0}  # a slow machine is sampled twice


# ---- on and off ------------------------------------------------------------------------------------


def test_disabling_takes_every_patch_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finders, threads = list(sys.meta_path), list(sys.path_hooks)
    late = types.ModuleType("imported_later")
    monkeypatch.setitem(sys.modules, "imported_later", late)
    autolog(tmp_path)
    assert not patches_off()
    exec("from visualdl import LogWriter", vars(late))
    fit(prepared())
    module = importlib.import_module("vizkit.hooks._autolog.autolog")
    assert module._active is not None
    (tracker,) = module._active._runs._trackers.values()
    autolog(disable=True)
    assert patches_off()
    assert vars(late)["LogWriter"] is PATCHED["LogWriter"]
    assert (sys.meta_path, sys.path_hooks) == (finders, threads)
    with pytest.warns(VizKitWarning, match="after close"):
        tracker.log({"late": 1.0})
    fit(prepared())
    assert len(runs_in(tmp_path)) == 1
    autolog(disable=True)


def test_calling_it_twice_changes_the_options_only(tmp_path: Path) -> None:
    autolog(tmp_path / "first", weights_every=None)
    once = (paddle.Model.fit, paddle.Model.evaluate, visualdl.LogWriter)
    autolog(tmp_path / "second", curves=False)
    assert (paddle.Model.fit, paddle.Model.evaluate, visualdl.LogWriter) == once
    fit(prepared())
    assert not (tmp_path / "first").exists()
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == [0, 1, 2]
    assert "weights/0/weight" in by_tag(run)
    assert not any("/pr/" in tag for tag in by_tag(run))
    autolog(disable=True)
    assert patches_off()


def test_other_peoples_patches_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paddle.Model, "fit", paddle.Model.fit)  # put back in the end
    autolog(tmp_path)
    ours = paddle.Model.fit
    calls: list[str] = []

    def theirs(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append("fit")
        return ours(self, *args, **kwargs)

    paddle.Model.fit = theirs
    autolog(tmp_path)  # again: theirs stays
    assert paddle.Model.fit is theirs
    with pytest.warns(VizKitWarning, match=r"Model\.fit has been replaced by other code since"):
        autolog(disable=True)
    assert paddle.Model.fit is theirs
    assert vars(paddle.Model)["evaluate"] is PATCHED["evaluate"]
    fit(prepared())
    assert calls == ["fit"] and not runs_in(tmp_path)  # what is left of autolog does nothing
    autolog(tmp_path)
    fit(prepared())
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == [0, 1, 2]  # and not twice
    autolog(disable=True)
    assert paddle.Model.fit is theirs


def test_bad_options_are_told_at_once() -> None:
    with pytest.raises(DataError, match="weights_every"):
        autolog(weights_every=-1)
    with pytest.raises(TypeError, match="weights_evry"):
        autolog(weights_evry=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="takes no options"):
        autolog(disable=True, curves=False)
    assert patches_off()


# ---- never in the way ------------------------------------------------------------------------------


def test_other_ranks_record_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    autolog(tmp_path / "log")
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    monkeypatch.setattr(paddle.distributed.ParallelEnv, "local_rank", 1)
    fit(prepared())
    fit(prepared(), paddle.callbacks.VisualDL(str(tmp_path / "vdl")))
    monkeypatch.setattr(visualdl.LogWriter, "_warned_of_rank", False)
    with pytest.warns(VizKitWarning, match="on rank 1"):
        writer = visualdl.LogWriter(str(tmp_path / "writer"))
    writer.add_scalar("loss", 1.0, 0)
    writer.close()
    writer.add_scalar("loss", 1.0, 1)
    assert not list(tmp_path.iterdir())


def weights_after(log: Path | None, callbacks: Any = None) -> list[bytes]:
    if log is not None:
        autolog(log)
    model = prepared()
    model.fit(Points(), Points(EVAL), batch_size=2, epochs=8, verbose=0, callbacks=callbacks)  # 48 steps
    autolog(disable=True)
    return [parameter.numpy().tobytes() for parameter in model.parameters()]


def test_weights_are_bit_identical(tmp_path: Path) -> None:
    plain = weights_after(None)
    assert weights_after(tmp_path / "log") == plain
    assert weights_after(tmp_path / "log", paddle.callbacks.VisualDL(str(tmp_path / "vdl"))) == plain


def test_a_failure_leaves_the_training_as_it_was(tmp_path: Path) -> None:
    plain = weights_after(None)
    (tmp_path / "file").write_text("not a directory")
    with pytest.warns(VizKitWarning, match="autolog: not recorded") as warned:
        assert weights_after(tmp_path / "file") == plain
    assert len([each for each in warned if each.category is VizKitWarning]) == 1


def test_hyper_parameters_that_cannot_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    autolog(tmp_path)
    model = prepared()
    monkeypatch.delattr(model._optimizer, "_learning_rate")
    monkeypatch.setattr(model._optimizer, "get_lr", lambda: 0.01)
    with pytest.warns(VizKitWarning, match="hyper-parameters: not recorded"):
        model.evaluate(Points(EVAL), verbose=0)
        model.evaluate(Points(EVAL), verbose=0)
    (run,) = runs_in(tmp_path)
    assert steps(run, "eval/acc") == [0]  # the same evaluation, made again


def test_exceptions_of_the_users_code_pass_through(tmp_path: Path) -> None:
    class MineError(Exception):
        pass

    raised = MineError("mine")

    class Failing(paddle.callbacks.Callback):
        def on_train_batch_end(self, step: int, logs: Any = None) -> None:
            raise raised

    autolog(tmp_path)
    model = prepared()
    with pytest.raises(MineError) as caught:
        fit(model, Failing())
    assert caught.value is raised
    with pytest.raises(TypeError, match="no_such_argument"):
        model.fit(Points(), no_such_argument=1)
    fit(model)
    (run,) = runs_in(tmp_path)
    assert steps(run, "train/loss") == [0, 1, 2]  # Paddle calls Failing first


# ---- whole scripts ---------------------------------------------------------------------------------

SCRIPT = """
import os
os.environ["FLAGS_of_mine"] = "1"
import numpy as np
import paddle
from visualdl import LogWriter

data = paddle.io.TensorDataset([paddle.rand([8, 4]), paddle.randint(0, 2, [8, 1])])
model = paddle.Model(paddle.nn.Linear(4, 2))
model.prepare(paddle.optimizer.SGD(0.1, parameters=model.parameters()), paddle.nn.CrossEntropyLoss())
model.fit(data, batch_size=4, epochs=2, verbose=0)
with LogWriter("own") as writer:
    writer.add_scalar("value", 0.1, 0)
"""


def test_an_unchanged_script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    done = python(
        "import os, runpy, sys, vizkit\n"
        "assert not {'paddle', 'visualdl'} & set(sys.modules)\n"
        "vizkit.autolog()\n"
        "assert 'paddle' not in sys.modules\n"
        "os.chdir(sys.argv.pop())\n"
        "runpy.run_path('train.py')",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    own, run = sorted(runs_in(tmp_path), key=lambda path: path.name != "own")
    assert series(own, "value") == [(0, 0.1)]
    assert run.name.startswith("train-")
    assert steps(run, "train/loss") == [0, 1, 2, 3]
    assert hparams_of(run).hparams["optimizer"] == "SGD"


def test_without_paddle(tmp_path: Path) -> None:
    done = python(
        "import sys; sys.modules['paddle'] = None\n"
        "import vizkit; vizkit.autolog(quiet=True)\n"
        "from visualdl import LogWriter\n"
        "writer = LogWriter(sys.argv[1]); writer.add_scalar('loss', 0.1, 0)\n"
        "assert isinstance(writer, vizkit.LogWriter)\n"
        "vizkit.autolog(disable=True)\n"
        "import visualdl; assert not issubclass(visualdl.LogWriter, vizkit.LogWriter)\n",
        tmp_path,
    )
    assert done.returncode == 0, done.stderr
    assert series(tmp_path, "loss") == [(0, 0.1)]
    assert not done.stderr


def test_paddle_is_patched_when_it_is_imported() -> None:
    done = python(
        "import importlib.util, sys, vizkit; vizkit.LogWriter\n"
        "finders = list(sys.meta_path)\n"
        "vizkit.autolog(); vizkit.autolog()\n"
        "assert len(sys.meta_path) == len(finders) + 11\n"  # Paddle, VisualDL, wandb, eight suites
        "vizkit.autolog(disable=True); assert sys.meta_path == finders\n"
        "vizkit.autolog()\n"
        "assert importlib.util.find_spec('paddle')\n"
        "import paddle\n"
        "assert 'exec_module' not in vars(paddle.__spec__.loader)\n"
        "assert not any(getattr(each, '_module', '') == 'paddle' for each in sys.meta_path)\n"
        "watched = paddle.Model.fit.__wrapped__\n"
        "vizkit.autolog(disable=True)\n"
        "assert paddle.Model.fit is watched\n"
    )
    assert done.returncode == 0, done.stderr
