"""`vizkit.autolog` in the place of wandb and swanlab, as Paddle and its suites use them."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag, series
from tests.integration.test_autolog import fit, prepared
from vizkit import Tracker, VizKitWarning, load
from vizkit.hooks._autolog.autolog import autolog


@pytest.fixture(autouse=True)
def _off(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Both are installed, and may not be imported."""
    for name in ("wandb", "swanlab"):
        package = tmp_path / "installed" / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise AssertionError('the real one')")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(tmp_path / "installed")
    yield
    autolog(disable=True)
    assert not {"wandb", "swanlab"} & set(sys.modules)


def imported(name: str) -> Any:
    assert importlib.util.find_spec(name) is not None
    return importlib.import_module(name)


def only_run(directory: Path) -> Any:
    (run,) = load(directory)
    return run


def test_code_of_wandb_is_recorded_here(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    assert vars(wandb)["run"] is None
    run = wandb.init(project="shapes", name="first try", config={"lr": 0.1, "api_key": "s3cret"})
    assert wandb.run is run and wandb.init() is run
    run.config.update({"depth": 3}, allow_val_change=True)
    wandb.config.width = 8
    assert run.config.depth == 3 and wandb.config["width"] == 8
    run.define_metric("eval/*", step_metric="epoch")
    for step in range(3):
        wandb.log({"train/loss": 1 / (step + 1), "nested": {"a": step}})
    run.log({"eval/acc": 0.5, "epoch": 7, "note": "good"}, step=20)
    run.log({"picture": wandb.Image(np.zeros((4, 5, 3), np.uint8), caption="black")})
    wandb.watch(None)
    run.log_artifact(wandb.Artifact("model", type="model").add_file("x"))
    wandb.finish()
    assert wandb.run is None
    wandb.log({"train/loss": 9.0})  # no run is open
    found = only_run(tmp_path / "log")
    assert found.name.startswith("first_try-") and found.status == "finished"
    assert found.hparams == {"lr": 0.1, "api_key": "***", "depth": 3, "width": 8}
    directory = tmp_path / "log" / found.name
    assert series(directory, "train/loss") == [(k, pytest.approx(1 / (k + 1))) for k in range(3)]
    assert series(directory, "nested/a")[2] == (2, 2.0)
    assert series(directory, "eval/acc") == [(7, 0.5)]
    assert [step for step, _ in series(directory, "note")] == [20]
    assert [record.step for record in by_tag(directory)["picture"]] == [21]


def test_a_run_of_wandb_may_be_a_block(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    with wandb.init(project="p", name="good") as run:
        run.log({"loss": 0.5})
        assert wandb.run is run
    assert wandb.run is None
    with pytest.raises(ValueError, match="no data"), wandb.init(name="bad") as run:
        run.log({"loss": 1.0})
        raise ValueError("no data")
    wandb.init(name="code").log({"loss": 2.0})
    wandb.finish(exit_code=1)
    status = {run.name.partition("-")[0]: run.status for run in load(tmp_path / "log")}
    assert status == {"good": "finished", "bad": "failed", "code": "failed"}


def test_settings_may_be_a_namespace(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    wandb.init(name="p", config=SimpleNamespace(lr=0.1, seed=3))
    wandb.config.update(Namespace(depth=2))
    wandb.init(config="settings.yaml")  # a file is not read
    assert wandb.config.lr == 0.1 and wandb.config["depth"] == 2
    wandb.log({"loss": 1.0})
    wandb.finish()
    assert only_run(tmp_path / "log").hparams == {"lr": 0.1, "seed": 3, "depth": 2}


def test_a_run_of_wandb_that_begins_anew_is_another_run(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    for number, reinit in enumerate((True, "finish_previous", "create_new")):
        run = wandb.init(name=f"trial{number}", config={"lr": number}, reinit=reinit)
        assert wandb.run is run
        wandb.log({"loss": float(number)})
    wandb.finish()
    found = {run.hparams["lr"]: run.columns("loss").values.tolist() for run in load(tmp_path / "log")}
    assert found == {0: [0.0], 1: [1.0], 2: [2.0]}


def test_lists_of_images_histograms_and_texts_are_recorded(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    white, wide = np.full((4, 4), 255, np.uint8), np.zeros((4, 9), np.uint8)
    wandb.init(name="media")
    with pytest.warns(VizKitWarning, match="got a path"):
        wandb.log(
            {"path": wandb.Image("a.png"), "loss": 0.5, "alone": wandb.Image(white, caption="all white")}
        )
    wandb.log({"same": [wandb.Image(white)] * 4, "other": [wandb.Image(white), wandb.Image(wide)]})
    wandb.log(
        {
            "values": wandb.Histogram([1.0, 2.0, 2.0]),
            "counted": wandb.Histogram(np_histogram=([1, 2], [0, 1, 2])),
        }
    )
    wandb.finish()
    run = only_run(tmp_path / "log")
    assert run.columns("loss").values.tolist() == [0.5]  # what cannot be recorded takes nothing with it
    assert run.tags["image"] == ["alone", "same", "other/0", "other/1"]
    assert run.images("same")[0].max() == 255 and run.texts("alone/caption")[0] == "all white"
    assert [run.histograms(tag)[0].counts.sum() for tag in ("values", "counted")] == [3, 3]


def test_code_of_swanlab_is_recorded_here(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    swanlab = imported("swanlab")
    assert swanlab.get_run() is None
    swanlab.init(project="p", experiment_name="e", logdir=str(tmp_path / "elsewhere"))
    swanlab.config["FRAMEWORK"] = "paddleformers"
    swanlab.config.update({"lr": 1.0})
    swanlab.log({"train/loss": 0.5, "train/global_step": 4}, step=4)
    assert swanlab.get_run() is not None
    autolog(disable=True)
    found = only_run(tmp_path / "log")
    assert found.hparams == {"FRAMEWORK": "paddleformers", "lr": 1.0} and found.status == "finished"
    assert found.scalars("train/loss")["step"].tolist() == [4]


def test_a_run_that_is_disabled_or_never_used_leaves_nothing(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    wandb = imported("wandb")
    wandb.init(mode="disabled", config={"a": 1})
    wandb.log({"x": 1.0})
    wandb.finish()
    wandb.init(name="unused")
    wandb.finish()
    assert not (tmp_path / "log").exists()


def test_a_module_that_was_imported_before_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ModuleType("wandb")
    real.__spec__ = importlib.util.spec_from_loader("wandb", None)
    real.run = None  # type: ignore[attr-defined]
    user = ModuleType("a_user_of_wandb")
    user.wandb = real  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", real)
    monkeypatch.setitem(sys.modules, "a_user_of_wandb", user)
    autolog(tmp_path / "log", quiet=True)
    user.wandb.init().log({"x": 1.0})
    autolog(disable=True)
    assert user.wandb is real and sys.modules["wandb"] is real
    assert only_run(tmp_path / "log").last("x").value == 1
    monkeypatch.delitem(sys.modules, "wandb")


def test_the_callback_of_paddle_becomes_vizkits(tmp_path: Path) -> None:
    bare = prepared()
    fit(bare, epochs=2)
    autolog(tmp_path / "log", quiet=True)
    model = prepared()
    fit(model, [paddle.callbacks.WandbCallback(project="digits", name="mine")], epochs=2)
    for one, other in zip(bare.parameters(), model.parameters(), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    autolog(disable=True)
    found = only_run(tmp_path / "log")
    assert found.name.startswith("mine-") and found.status == "finished"
    assert [step for step, _ in series(tmp_path / "log" / found.name, "train/loss")] == list(range(6))
    assert "eval/acc" in found.scalar_tags and found.hparams["batch size"] == 4
    assert "train/step" not in found.scalar_tags  # of Paddle's callback


class TrainerCallback:
    """As both suites have it."""

    on_train_begin: Any
    on_log: Any
    on_train_end: Any


def test_report_to_takes_vizkits_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known: dict[str, Any] = {"visualdl": object}
    integrations = ModuleType("paddlenlp.trainer.integrations")
    vars(integrations).update(TrainerCallback=TrainerCallback, INTEGRATION_TO_CALLBACK=known)
    monkeypatch.setitem(sys.modules, "paddlenlp.trainer.integrations", integrations)
    autolog(tmp_path / "log", quiet=True)
    callback = known["vizkit"]()
    assert isinstance(callback, TrainerCallback)
    args = SimpleNamespace(logging_dir=os.fspath(tmp_path / "runs"), to_dict=lambda: {"learning_rate": 0.1})
    for step in (1, 2):
        state = SimpleNamespace(global_step=step)
        if step == 1:
            callback.on_train_begin(args, state, None)
        callback.on_log(args, state, None, logs={"loss": 1.0 / step, "eval_acc": 0.5})
    callback.on_train_end(args, state, None)
    autolog(disable=True)
    assert list(known) == ["visualdl"]
    found = only_run(tmp_path / "runs")
    assert found.hparams == {"learning_rate": 0.1} and found.status == "finished"
    assert series(tmp_path / "runs", "train/loss") == [(1, 1.0), (2, 0.5)]


@pytest.mark.parametrize(("given", "found"), [(None, {"lr": 0.5, "depth": 2}), ({"lr": 0.1}, {"lr": 0.1})])
def test_a_run_without_settings_has_the_programs(given: Any, found: dict[str, Any], tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    cfg = {"lr": 0.5, "depth": 2}
    run = imported("wandb").init(config=given)
    for step in range(2):
        run.log({"loss": cfg["lr"] / (step + 1)})
    run.finish()
    assert only_run(tmp_path / "log").hparams == found


def test_a_tracker_of_the_users_goes_on(tmp_path: Path) -> None:
    autolog(tmp_path / "log", quiet=True)
    with Tracker(tmp_path / "own", quiet=True) as tracker:
        imported("wandb").init(name="other").log({"x": 2.0})
        tracker.log({"x": 1.0}, 0)
    autolog(disable=True)
    assert only_run(tmp_path / "own").last("x").value == 1
    assert only_run(tmp_path / "log").last("x").value == 2
