"""The demo: its grid, its data, and that a run records all that the tutorial shows."""

from __future__ import annotations

import io
import itertools
import pickle
import shutil
from pathlib import Path

import numpy as np
import paddle
import pytest
from rich.console import Console

import vizkit
from tests.helpers import ROOT, by_tag, stock
from tests.sample_runs import shrink
from vizkit.demo import results, training
from vizkit.demo.__main__ import main


def test_every_optimizer_meets_every_learning_rate_and_batch_size_once() -> None:
    grid = training.grid()
    assert len(grid) == 9
    for one, other in itertools.permutations(("learning_rate", "batch_size", "optimizer"), 2):
        assert len({(getattr(settings, one), getattr(settings, other)) for settings in grid}) == 9


def test_the_digits_are_real_and_shuffled() -> None:
    train, evaluation = training.digits()
    assert (len(train), len(evaluation)) == (4000, 1000)
    assert train.images.shape == (4000, 1, 28, 28)
    assert (train.images.min(), train.images.max()) == (0.0, 1.0)
    for part in (train, evaluation):
        assert set(np.unique(part.labels)) == set(range(10))
    assert len(set(train.labels[:50, 0].tolist())) > 5


def test_the_digits_are_a_data_set_of_paddle() -> None:
    data = training.Digits(np.zeros((4, 1, 28, 28), "float32"), np.zeros((4, 1), "int64"))
    assert isinstance(data, paddle.io.Dataset) and isinstance(data, training.Digits)
    assert len(pickle.loads(pickle.dumps(data))) == 4


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small runs, the second started over once."""
    root = tmp_path_factory.mktemp("log")
    train, evaluation = training.digits()
    data = (
        training.Digits(train.images[:640], train.labels[:640]),
        training.Digits(evaluation.images[:200], evaluation.labels[:200]),
    )
    steps = []
    for name, settings in (
        ("run1", training.grid()[7]),
        ("run2", training.grid()[0]),
        ("run2", training.grid()[0]),
    ):
        training.train(root / name, settings, data, epochs=2, on_step=lambda: steps.append(1))
    assert len(steps) == 2 * (10 + 20 + 20)
    return [root / "run1", root / "run2"]


def test_a_run_records_all_that_the_tutorial_shows(runs: list[Path]) -> None:
    found = by_tag(runs[0])
    for tag in ("train/loss", "train/acc", "train/learning rate"):
        assert [record.step for record in found[tag]] == list(range(20)), tag
    for tag in ("eval/loss", "eval/acc", "eval/ap", "eval/auc"):
        assert [record.step for record in found[tag]] == [9, 19], tag
    for digit in range(10):
        for tag, kind in (("pr", "pr_curve"), ("roc", "roc_curve"), ("ap", "scalar"), ("auc", "scalar")):
            assert [record.kind for record in found[f"eval/{tag}/{digit}"]] == [kind, kind]
            assert len(stock(runs[0], kind, f"eval/{tag}/{digit}")) == 2
    net = paddle.vision.models.LeNet()
    for name, _ in net.named_parameters():
        assert found[f"weights/{name.replace('.', '/')}"][0].kind == "histogram"
    assert [record.kind for record in found["train/input"]] == ["image"]
    (hparams,) = found["hparam"]
    assert hparams.data.hparams == {"learning rate": 0.001, "batch size": 64, "optimizer": "Adam"}
    assert hparams.data.metrics == ["train/loss", "train/acc", "eval/loss", "eval/acc"]
    assert list(runs[0].glob("vdlgraph*"))
    model = paddle.jit.load(str(runs[0] / "inference"))
    assert model(paddle.zeros([1, 1, 28, 28])).shape == [1, 10]


def test_runs_are_ranked_by_their_best_accuracy(runs: list[Path]) -> None:
    ranked = results.ranked(runs)
    best = [max(record.data for record in by_tag(run)["eval/acc"]) for run in runs]
    assert [result.best_acc for result in ranked] == sorted(best, reverse=True)
    assert {result.name for result in ranked} == {"run1", "run2"}
    out = io.StringIO()
    Console(file=out, width=80).print(results.table(ranked))
    first = next(line for line in out.getvalue().splitlines() if ranked[0].name in line)
    assert f"{ranked[0].best_acc:.4f}" in first


def test_a_run_is_shrunk_to_what_ships(runs: list[Path], tmp_path: Path) -> None:
    run = Path(shutil.copytree(runs[0], tmp_path / "run1"))
    before = by_tag(run)
    shrink(run)
    after = by_tag(run)
    assert set(after) == {tag for tag in before if not tag.startswith("system/")}
    for tag, found in after.items():
        if found[0].kind in ("image", "pr_curve", "roc_curve", "text"):
            assert [record.step for record in found] == [before[tag][-1].step], tag
        else:
            assert len(found) == len(before[tag]), tag
    assert len(stock(run, "scalar", "train/loss")) == 20
    assert sorted(path.name for path in run.iterdir() if "vdl" not in path.name) == ["environment.json"]
    assert vizkit.load(run)[0].status == "finished"
    assert not {"host", "command", "directory", "git"} & vizkit.load(run)[0].environment.keys()


def test_the_sample_runs_that_ship_are_whole_and_small() -> None:
    samples = sorted(path for path in (ROOT / "log" / "sample").iterdir() if path.is_dir())
    assert [run.name for run in samples] == [f"run{number}" for number in range(1, 10)]
    for run, settings in zip(samples, training.grid(), strict=True):
        found = by_tag(run)
        assert found["hparam"][0].data.hparams["learning rate"] == settings.learning_rate
        assert len(found["eval/acc"]) == 4
        assert len(stock(run, "scalar", "train/loss")) == len(found["train/loss"]) > 100
    assert sum(path.stat().st_size for path in (ROOT / "log" / "sample").rglob("*")) < 5_000_000


def test_the_demo_speaks_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    vizkit.language("zh")
    for arguments, code, words in (
        (["--help"], 0, ["用法：", "选项：", "在真实的手写数字上", "显示此帮助并退出。", "存放运行的目录"]),
        (["--runs", "10"], 2, ["用法：", "运行的编号为 1 到 9"]),
    ):
        monkeypatch.setattr("sys.argv", ["vizkit.demo", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = "".join(capsys.readouterr())
        assert ended.value.code == code and all(word in said for word in words), said
    assert str(training.grid()[0]) == "学习率 0.1，批大小 32，Adam"
