"""Hyper-parameters of the config beside a log."""

from __future__ import annotations

from pathlib import Path

import pytest

import vizkit
from vizkit import DataError, LogWriter, MissingDependencyError
from vizkit.reading import training_config
from vizkit.reading.training_config import config_path, hparams_of

pytest.importorskip("yaml")


def test_the_config_is_beside_the_log_or_above_its_directory(tmp_path: Path) -> None:
    assert config_path(tmp_path) is None and hparams_of(tmp_path) is None
    assert config_path("s3://bucket/run") is None
    config = tmp_path / "config.yml"
    config.write_text("Optimizer:\n  lr: 0.1\nepochs: 5\n", "utf-8")
    assert config_path(tmp_path) == config == config_path(tmp_path / "vdl")
    assert config_path(tmp_path / "other") is None
    assert hparams_of(tmp_path / "visualdl") == {"Optimizer/lr": 0.1, "epochs": 5}


def test_classes_of_a_suite_are_read_as_plain_data(tmp_path: Path) -> None:
    text = "a: !Net {depth: 2}\nb: !List [1, 2]\nc: !Name resnet\nd: !!python/tuple [3]\n"
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    assert hparams_of(tmp_path) == {"a/depth": 2, "b": [1, 2], "c": "resnet", "d": [3]}


def test_a_config_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "config.yaml"
    levels = [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 7)]
    path.write_text("\n".join(["a0: &a0 [1, 2]", *levels]), "utf-8")
    with pytest.raises(DataError, match="holds more than 10,000 values"):
        hparams_of(tmp_path)
    path.write_text("a: &a [*a]", "utf-8")
    with pytest.raises(DataError, match="no training config"):
        hparams_of(tmp_path)
    monkeypatch.setattr(training_config, "_MOST_BYTES", 9)
    with pytest.raises(DataError, match="more than 9 bytes"):
        hparams_of(tmp_path)


def test_a_run_without_hyper_parameters_takes_those_of_the_config(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("loss", 1.0, 0)
    (tmp_path / "config.yaml").write_text("lr: 0.1", "utf-8")
    assert vizkit.load(tmp_path)[0].hparams == {"lr": 0.1}
    (tmp_path / "config.yaml").write_text("- no\n- mapping", "utf-8")
    run = vizkit.load(tmp_path)[0]
    assert run.hparams == {} and "no training config" in run.problems[0].message
    assert run.problems[0].path.endswith("config.yaml") and run.problems[0].kind == "unreadable"


def test_without_pyyaml_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.yaml").write_text("lr: 0.1", "utf-8")
    monkeypatch.setitem(__import__("sys").modules, "yaml", None)
    with pytest.raises(MissingDependencyError, match="needs PyYAML"):
        hparams_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("".join(f"a{n}: [1, {{b: 2}}]\n" for n in range(5_000)), "holds more than 10,000 values"),
        ("a: &a {x: 1}\n" + "".join(f"b{n}: *a\n" for n in range(501)), "more than 500 aliases"),
        ("a: &a {k: 1, l: 2}\nb: &b {<<: [*a, *a]}\n" + "c: &c {<<: [" + "*b, " * 400 + "]}\n"
         "d: {<<: [" + "*c, " * 40 + "]}", "merges more than 10,000 values"),
        ("a: " + ":".join(["59"] * 1_000) + ".5", "too large"),
    ],
)  # fmt: skip
def test_a_config_that_would_take_long_is_refused_early(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    with pytest.raises(DataError, match=message):
        hparams_of(tmp_path)
