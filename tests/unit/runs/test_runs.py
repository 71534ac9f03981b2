"""Runs read back: found by name, filtered, sorted, compared, exported."""

from __future__ import annotations

import io
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vizkit
from tests.helpers import ROOT, log_of, python
from vizkit import DataError, LogNotFoundError, LogWriter, QueryError, Runs, UnknownNameError

ACCURACIES = {
    "lenet/run1": [0.5, 0.9, 0.8],
    "lenet/run2": [0.6, 0.7, 0.75],
    "lenet/run10": [0.1, float("nan"), 0.2],
}
HPARAMS = {
    "lenet/run1": {"learning rate": 0.001, "batch size": 64, "optimizer": "Adam", "amp": True},
    "lenet/run2": {"learning rate": 0.01, "batch size": 64, "optimizer": "SGD", "amp": True},
    "lenet/run10": {"learning rate": 0.1, "batch size": 128, "optimizer": "SGD", "amp": True},
}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("log")
    for name, values in ACCURACIES.items():
        with LogWriter(str(root / name)) as writer:
            writer.add_hparams(HPARAMS[name], ["eval/acc", "train/loss"])
            for step, value in enumerate(values):
                writer.add_scalar("eval/acc", value, step * 10, walltime=1_000_000 + step * 2000)
                writer.add_scalar("train/loss", 1 - value, step * 10, walltime=1_000_000 + step * 2000)
    with LogWriter(str(root / "other" / "media")) as writer:
        writer.add_scalars("loss", {"train": 0.5, "eval": 0.6}, 1, walltime=5000)
        writer.add_scalars("loss", {"train": 0.4, "eval": 0.7}, 2, walltime=6000)
        for step in range(3):
            writer.add_image("grey", np.full((4, 5), 60 * step, dtype=np.uint8), step, dataformats="HW")
        writer.add_image("colour", np.arange(60, dtype=np.uint8).reshape(4, 5, 3), 7)
        writer.add_histogram("weights", np.arange(10.0), 3, buckets=5)
        writer.add_pr_curve("pr", np.array([0, 1, 1]), np.array([0.1, 0.8, 0.9]), 1, num_thresholds=5)
        writer.add_roc_curve("roc", np.array([0, 1, 1]), np.array([0.1, 0.8, 0.9]), 1, num_thresholds=5)
        writer.add_text("notes", "halved", 4)
        writer.add_audio("sound", np.zeros(80, dtype=np.int16), 5, sample_rate=8000)
        writer.add_embeddings("vectors", np.eye(3), ["a", "b", "c"])
    return root


@pytest.fixture
def runs(logdir: Path) -> Runs:
    return vizkit.load(logdir)


@pytest.fixture
def lenet(runs: Runs) -> Runs:
    return runs["lenet/*"]


# -- found ---------------------------------------------------------------------------------------


def test_runs_are_in_natural_order_and_found_by_what_fits_one_only(runs: Runs) -> None:
    assert runs.names == ["lenet/run1", "lenet/run2", "lenet/run10", "other/media"]
    assert [run.name for run in runs] == list(dict(runs)) == runs.names
    assert len(runs) == 4 and runs[0].name == "lenet/run1" and runs[-1].name == "other/media"
    assert runs["lenet/run1"].name == "lenet/run1"
    assert runs["run1"].name == "lenet/run1"  # the last part, though run10 begins so too
    assert runs["oth"].name == "other/media"
    assert runs["lenet/*"].names == runs[:3].names == runs.names[:3]
    assert runs["*/run?"].names == ["lenet/run1", "lenet/run2"]
    assert "lenet/run1" in runs and "run1" not in runs and runs[0] in runs
    assert runs.get("nothing") is None and runs.get("media") is runs[-1]
    with pytest.raises(UnknownNameError, match=r"'lenet' fits 3 runs, 'lenet/run1', .*'\*'"):
        runs["lenet"]
    with pytest.raises(UnknownNameError, match="there is no run 'lenet/run3'; closest: 'lenet/run"):
        runs["lenet/run3"]
    with pytest.raises(KeyError, match="no run that fits 'x"):
        runs["x*"]
    with pytest.raises(IndexError):
        runs[4]


def test_a_run_a_file_and_an_empty_directory_are_loaded(logdir: Path, tmp_path: Path) -> None:
    one = vizkit.load(logdir / "lenet" / "run1")
    assert one.names == ["run1"] and one["run1"].hparams == HPARAMS["lenet/run1"]
    assert vizkit.load(log_of(logdir / "lenet" / "run1"))[0].last("eval/acc").value == 0.8
    nothing = vizkit.load(tmp_path)
    assert len(nothing) == 0 and repr(nothing) == f"no runs in {tmp_path}"
    assert nothing.table().empty and nothing.filter("x > 1").names == []
    with pytest.raises(LogNotFoundError, match=r"'nowhere' is not there .*name the directory"):
        vizkit.load("nowhere")
    with pytest.raises(FileNotFoundError):
        vizkit.load("nowhere")


# -- one run -------------------------------------------------------------------------------------


def test_scalars_are_frames_and_columns(runs: Runs) -> None:
    run = runs["run1"]
    frame = run.scalars("eval/acc")
    assert list(frame.columns) == ["step", "time", "value"]
    assert frame["step"].tolist() == [0, 10, 20] and frame["value"].tolist() == ACCURACIES["lenet/run1"]
    assert frame["time"][1] == pd.Timestamp("1970-01-01 00:16:42", tz="UTC")
    every = run.scalars()
    assert list(every.columns) == ["tag", "step", "time", "value"] and len(every) == 6
    assert every["tag"].unique().tolist() == ["eval/acc", "train/loss"] == run.scalar_tags
    assert run.columns("eval/acc").values.dtype == np.float64
    assert run.last("eval/acc") == (20, 0.8, 1_004_000)
    assert run.best("eval/acc") == (10, 0.9, 1_002_000)
    assert run.best("train/loss").step == 10
    assert run.best("eval/acc", mode="min").value == 0.5
    assert run.summary("eval/acc").n == 3
    assert runs["run10"].summary("eval/acc").nan == 1
    with pytest.raises(DataError, match="mode must be"):
        run.best("eval/acc", mode="up")


def test_unknown_and_misused_tags_name_the_closest_ones(runs: Runs) -> None:
    run = runs["run1"]
    with pytest.raises(UnknownNameError, match="'lenet/run1', 'eval/accuracy'; closest: 'eval/acc'"):
        run.scalars("eval/accuracy")
    for ask in (run.columns, run.images, run.texts, run.group, run.best):
        with pytest.raises(KeyError):
            ask("")
    with pytest.raises(UnknownNameError, match=r"holds scalar, not image: use .scalars\('eval/acc'\)"):
        run.images("eval/acc")
    with pytest.raises(UnknownNameError, match=r"holds histogram, not scalar: use .histograms"):
        runs["media"].scalars("weights")
    with pytest.raises(UnknownNameError, match="no scalar tag 'acc'; closest: 'eval/acc'"):
        runs.scalars("acc")


def test_a_groups_members_are_scalars_too(runs: Runs) -> None:
    run = runs["media"]
    assert run.scalar_tags == ["loss/train", "loss/eval"]
    assert run.group("loss")["eval"].values.tolist() == [0.6, 0.7]
    assert run.scalars("loss/train")["value"].tolist() == [0.5, 0.4]
    assert run.best("loss/eval").value == 0.6
    assert len(run.scalars()) == 4


def test_media_are_decoded_when_asked_for(runs: Runs) -> None:
    run = runs["media"]
    grey = run.images("grey")
    assert len(grey) == 3 and grey.steps.tolist() == [0, 1, 2] and len(grey.walltimes) == 3
    assert grey[1].shape == (4, 5, 1) and grey[1].dtype == np.uint8 and (grey[1] == 60).all()
    assert [int(image[0, 0, 0]) for image in grey] == [0, 60, 120] and len(grey[1:]) == 2
    assert np.array_equal(run.images("colour")[0], np.arange(60).reshape(4, 5, 3))
    assert grey.png(0).startswith(b"\x89PNG") and repr(grey) == "<3 x image 'grey', steps 0 to 2>"
    assert run.histograms("weights")[0].counts.tolist() == [2] * 5
    assert run.pr_curves("pr")[0].ap == 1 and run.roc_curves("roc")[-1].auc == 1
    assert run.texts("notes")[0] == "halved" and run.texts("notes").steps.tolist() == [4]
    assert run.audio("sound")[0].sample_rate == 8000
    assert run.embeddings("vectors")[0].labels == [["a"], ["b"], ["c"]]
    assert run.tags["image"] == ["grey", "colour"]
    with pytest.raises(IndexError):
        grey[3]


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("L", (2, 3, 1)),
        ("RGB", (2, 3, 3)),
        ("RGBA", (2, 3, 4)),
        ("1", (2, 3, 1)),
        ("P", (2, 3, 3)),
        ("LA", (2, 3, 4)),
    ],
)
def test_any_image_file_becomes_height_width_channels(mode: str, shape: tuple[int, ...]) -> None:
    from PIL import Image

    from vizkit.runs.media import decode_image

    file = io.BytesIO()
    Image.new(mode, (3, 2)).save(file, "PNG")
    pixels = decode_image(file.getvalue())
    assert pixels.shape == shape and pixels.dtype == np.uint8


def test_a_broken_image_says_which(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_image("x", np.zeros((40, 50), np.uint8), 1, dataformats="HW")
    data = log_of(tmp_path).read_bytes()
    log_of(tmp_path).write_bytes(data.replace(b"IDAT", b"IDUT"))
    with pytest.raises(DataError, match="image 0 of 'x' cannot be decoded"):
        vizkit.load(tmp_path)[0].images("x")[0]


def test_how_a_run_was_made_and_how_it_ended(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "good", hparams={"lr": 0.1}) as tracker:
        tracker.log({"loss": 1.0})
        assert vizkit.load(tmp_path)["good"].status == "running"
    with pytest.raises(ZeroDivisionError), vizkit.Tracker(tmp_path / "bad") as tracker:
        tracker.log({"loss": 1.0})
        tracker.log({"loss": 1 / 0})
    with LogWriter(str(tmp_path / "stock")) as writer:
        writer.add_scalar("loss", 1.0, 0, walltime=1000)
        writer.add_text("note", "x", 1, walltime=61_000)
    runs = vizkit.load(tmp_path)
    assert [(run.name, run.status) for run in runs] == [
        ("bad", "failed"), ("good", "finished"), ("stock", "unknown"),
    ]  # fmt: skip
    assert runs["bad"].environment["error"]["type"] == "ZeroDivisionError"
    good, stock = runs["good"], runs["stock"]
    assert good.environment["pid"] == os.getpid() and good.started <= good.ended and not good.problems
    assert good.duration == good.ended - good.started
    assert (
        stock.started.timestamp() == 1
        and stock.ended.timestamp() == 61
        and stock.duration.total_seconds() == 60
    )
    assert stock.environment == {}
    assert stock.seconds(np.array([1000, 3500])).tolist() == [0, 2.5]


def test_a_killed_run_and_a_damaged_environment(tmp_path: Path) -> None:
    code = """
import os, sys, vizkit
tracker = vizkit.Tracker(sys.argv[1]); tracker.log({"loss": 1.0}); os._exit(9)
"""
    python(code, tmp_path / "run")
    run = vizkit.load(tmp_path)[0]
    assert run.status == "killed" and run.duration is not None
    (tmp_path / "run" / "environment.json").write_text("{not json")
    assert run.status == "unknown" and "is no JSON" in run.problems[0].message


def test_pauses_before_a_resume_do_not_count(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for second in (10, 15, 100, 107):
            writer.add_scalar("loss", 1.0, second, walltime=second * 1000)
        writer.add_scalar("system/cpu percent", 1.0, 20, walltime=35_000)  # beside the training
    killed = {"started": 10_000, "status": "running", "pid": 1}
    second = {"started": 100_000, "ended": 108_000, "status": "finished"}
    (tmp_path / "environment.json").write_text(json.dumps({**second, "sessions": [killed]}))
    run = vizkit.load(tmp_path)[0]
    assert run.duration.total_seconds() == 5 + 8 and run.started.timestamp() == 10
    assert run.status == "finished" and run.ended.timestamp() == 108


def test_refresh_reads_what_came(tmp_path: Path) -> None:
    writer = LogWriter(str(tmp_path / "a"))
    writer.add_scalar("acc", 0.5, 0)
    runs = vizkit.load(tmp_path)
    chosen = runs.filter("acc > 0.4")
    first = runs[0]
    assert not any(runs.refresh()) and not first.refresh()
    writer.add_scalar("acc", 0.7, 1)
    with LogWriter(str(tmp_path / "b")) as other:
        other.add_scalar("acc", 0.1, 0)
    changes = runs.refresh()
    assert changes.added == ["b"] and changes.changed == ["a"] and changes.removed == []
    assert runs[0] is first and first.last("acc").value == 0.7 and chosen[0].last("acc").value == 0.7
    writer.add_scalar("loss", 3.0, 2)
    assert chosen.refresh().changed == ["a"] and first.scalar_tags == ["acc", "loss"] and len(chosen) == 1
    writer.close()
    log_of(tmp_path / "b").unlink()
    assert runs.refresh().removed == ["b"] and runs.names == ["a"]


def test_superseded_records_are_shown_when_asked_for(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step, value in [(0, 1.0), (1, 2.0), (2, 3.0), (1, 20.0), (2, 30.0)]:
            writer.add_scalar("loss", value, step)
    run = vizkit.load(tmp_path)[0]
    assert run.scalars("loss")["value"].tolist() == [1, 20, 30]
    assert run.scalars("loss", superseded=True)["value"].tolist() == [1, 2, 3, 20, 30]


# -- several -------------------------------------------------------------------------------------


def test_the_table_has_a_row_a_run(runs: Runs, lenet: Runs) -> None:
    table = lenet.table()
    assert table.index.tolist() == lenet.names and table.index.name == "run"
    assert list(table.columns) == [
        "status", "started", "duration", "learning rate", "batch size", "optimizer", "amp",
        "eval/acc.last", "eval/acc.best", "eval/acc.best_step",
        "train/loss.last", "train/loss.best", "train/loss.best_step",
    ]  # fmt: skip
    row = table.loc["lenet/run1"]
    assert row["batch size"] == 64 and row["eval/acc.last"] == 0.8 and row["eval/acc.best"] == 0.9
    assert row["eval/acc.best_step"] == 10 and row["duration"] == pd.Timedelta(seconds=4)
    assert lenet.table(mode="min").loc["lenet/run1", "eval/acc.best"] == 0.5
    assert lenet.table(mode={"eval/acc": "min"}).loc["lenet/run1", "train/loss.best"] == pytest.approx(0.1)
    assert lenet.table(["train/loss"]).shape == (3, 10)
    whole = runs.table()
    assert whole["batch size"].dtype == "Int64" and whole["amp"].dtype == "boolean"
    assert whole["batch size"].isna().tolist() == [False, False, False, True]
    with pytest.raises(UnknownNameError, match="'nothing'"):
        runs.table(["nothing"])


def test_a_hyper_parameter_may_be_named_as_a_column(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_hparams({"status": 1, "name": "x", "list": [1, 2]}, [])
        writer.add_scalar("how far", 1.0, 0)
    runs = vizkit.load(tmp_path)
    row = runs.table().iloc[0]
    assert row["hparams.status"] == 1 and row["status"] == "unknown" and row["list"] == [1, 2]
    assert "how far.best" not in row  # nobody knows what is better
    assert runs.filter("hparams.name == 'x'").names == runs.names and not len(runs.filter("name == 'x'"))
    assert runs.group_by("list")[(1, 2)].names == runs.names


def test_scalars_of_all_runs_are_one_long_frame(runs: Runs) -> None:
    frame = runs.scalars("eval/acc")
    assert list(frame.columns) == ["run", "step", "time", "value"] and len(frame) == 9
    assert frame.groupby("run", observed=True)["value"].max().to_dict() == {
        "lenet/run1": 0.9, "lenet/run2": 0.75, "lenet/run10": 0.2,
    }  # fmt: skip
    every = runs.scalars()
    assert list(every.columns) == ["run", "tag", "step", "time", "value"] and len(every) == 2 * 9 + 4


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("`batch size` == 64 and `learning rate` < 0.01 and `eval/acc`.max > 0.85", [1]),
        ("`eval/acc` > 0.7", [1, 2]),
        ("`eval/acc`.last <= 0.75", [2, 10]),
        ("`eval/acc`.min < 0.55 < `eval/acc`.max", [1]),
        ("optimizer in ['SGD', 'Momentum']", [2, 10]),
        ("optimizer not in ('SGD',)", [1]),
        ("not optimizer == 'SGD'", [1]),
        ("'run1' in name", [1, 10]),
        ("`batch size` / 2 + 1 >= 33 and `batch size` % 128 == 0", [10]),
        ("`eval/acc`.mean > 0.7 or `learning rate` == 1e-2", [1, 2]),
        ("status == 'unknown' and amp", [1, 2, 10]),
        ("amp == False", []),
        ("`eval/acc`.best_step == 10", [1]),
        ("`eval/acc`.n == 3 and duration >= 4", [1, 2, 10]),
        ("-`learning rate` ** 2 < -1e-3", [10]),
        ("hparams.`learning rate` in {0.1, 0.001}", [1, 10]),
        ("optimizer == \"`x` in 'y'\"", []),
        ("1 / 0 > 3", []),
        ("10 ** 1000 > 1", [1, 2, 10]),
    ],
)
def test_filter(lenet: Runs, expression: str, expected: list[int]) -> None:
    assert lenet.filter(expression).names == [f"lenet/run{number}" for number in expected]


def test_what_a_run_lacks_is_neither_true_nor_false(runs: Runs) -> None:
    assert "other/media" not in runs.filter("`batch size` == 64").names
    assert "other/media" not in runs.filter("not `batch size` == 64").names
    assert runs.filter("`batch size` == 64 or `loss/train` < 1").names == [
        "lenet/run1",
        "lenet/run2",
        "other/media",
    ]
    assert runs.filter("`batch size` is None").names == ["other/media"]
    assert len(runs.filter("`batch size` is not None")) == 3
    assert runs.filter(lambda run: run.name.endswith("2")).names == ["lenet/run2"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("`batchsize` == 64", "no hyper-parameter, tag or field 'batchsize'; closest: 'batch size'"),
        ("eval/acc > 0.9", "slashes stand in backquotes"),
        ("`eval/acc`.median > 1", "no statistic of 'eval/acc', 'median'"),
        ("accuracy > 1", "'accuracy'"),
    ],
)
def test_unknown_names_in_a_filter(lenet: Runs, expression: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        lenet.filter(expression)


def test_what_cannot_be_compared_in_any_run_is_said(lenet: Runs) -> None:
    with pytest.raises(QueryError, match="'Adam' and 3 cannot be compared"):
        lenet.filter("optimizer < 3")
    with pytest.raises(QueryError, match="not all numbers"):
        lenet.filter("optimizer * 3 == 'x'")


def test_sort_puts_what_is_missing_last(runs: Runs) -> None:
    assert (
        runs.sort("learning rate").names[0] == "lenet/run1"
        and runs.sort("learning rate").names[-1] == "other/media"
    )
    assert runs.sort("learning rate", reverse=True).names == [
        "lenet/run10",
        "lenet/run2",
        "lenet/run1",
        "other/media",
    ]
    assert runs.sort("eval/acc", reverse=True).names[0] == "lenet/run1"
    assert runs.sort("`eval/acc`.min").names[0] == "lenet/run10"
    assert runs.sort("name", reverse=True).names[0] == "other/media"
    assert runs.sort("name").names == runs.names  # run2 before run10
    assert runs.sort(lambda run: -len(run.name)).names[0] == "lenet/run10"
    with pytest.raises(UnknownNameError, match="closest: 'learning rate'"):
        runs.sort("learning rat")


def test_best(lenet: Runs, runs: Runs) -> None:
    assert lenet.best("eval/acc", mode="max").hparams["optimizer"] == "Adam"
    assert lenet.best("eval/acc").name == "lenet/run1" == lenet.best("train/loss").name
    assert runs.best("eval/acc", mode="min").name == "lenet/run10"
    with pytest.raises(UnknownNameError, match="closest"):
        lenet.best("acc")
    with pytest.raises(DataError, match="mode must be"):
        runs.best("eval/acc", mode="highest")


def test_diff_shows_only_what_differs(lenet: Runs) -> None:
    frame = lenet.diff()
    assert frame.index.tolist() == [
        ("hparams", "learning rate"),
        ("hparams", "batch size"),
        ("hparams", "optimizer"),
    ]
    assert frame.loc[("hparams", "optimizer")].tolist() == ["Adam", "SGD", "SGD"]
    assert lenet[:1].diff().empty


def test_diff_of_environments(tmp_path: Path) -> None:
    for name, version, pid in [("a", "1.0", 1), ("b", "2.0", 2)]:
        with LogWriter(str(tmp_path / name)) as writer:
            writer.add_scalar("loss", 1.0, 0)
        content = {
            "pid": pid,
            "started": pid,
            "status": "finished",
            "seed": 7,
            "packages": {"numpy": version, "six": "1"},
        }
        (tmp_path / name / "environment.json").write_text(json.dumps(content))
    with LogWriter(str(tmp_path / "stock")) as writer:
        writer.add_scalar("loss", 1.0, 0)
    frame = vizkit.load(tmp_path).diff()
    assert frame.index.tolist() == [("environment", "packages/numpy")]
    assert frame.iloc[0].tolist() == ["1.0", "2.0", None]


# -- exported ------------------------------------------------------------------------------------


def test_csv(runs: Runs, tmp_path: Path) -> None:
    runs["run10"].to_csv(tmp_path / "run.csv")
    frame = pd.read_csv(tmp_path / "run.csv")
    assert list(frame.columns) == ["tag", "step", "time", "value"]
    acc = frame[frame["tag"] == "eval/acc"]["value"].to_numpy()
    assert np.array_equal(acc, ACCURACIES["lenet/run10"], equal_nan=True)
    text = runs.to_csv()
    assert (
        text.startswith("run,tag,step,time,value\nlenet/run1,eval/acc,0,1970-01-01 00:16:40")
        and "NaN" in text
    )


def test_json_is_strict_and_loses_nothing(runs: Runs, tmp_path: Path) -> None:
    def refuse(text: str) -> None:
        raise AssertionError(text)

    runs.to_json(tmp_path / "runs.json")
    content = json.loads((tmp_path / "runs.json").read_text("utf-8"), parse_constant=refuse)
    assert [run["name"] for run in content] == runs.names
    assert content[2]["scalars"]["eval/acc"]["values"] == [0.1, "NaN", 0.2]
    assert content[0]["hparams"] == HPARAMS["lenet/run1"] and content[0]["duration"] == 4
    assert json.loads(runs[0].to_json()) == content[0]


def test_parquet(runs: Runs, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    runs.to_parquet(tmp_path / "runs.parquet")
    frame = pd.read_parquet(tmp_path / "runs.parquet")
    texts = {"run": object, "tag": object}
    pd.testing.assert_frame_equal(frame.astype(texts), runs.scalars().astype(texts))
    runs[0].to_parquet(tmp_path / "run.parquet")
    assert len(pd.read_parquet(tmp_path / "run.parquet")) == 6


def test_parquet_without_pyarrow_says_what_to_install(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(vizkit.MissingDependencyError, match=r"pip install 'paddle-vizkit\[parquet\]'"):
        runs.to_parquet(tmp_path / "x")


def test_import_is_light_and_reading_needs_neither_paddle_nor_visualdl() -> None:
    code = f"""
import sys, vizkit
assert not any(name in sys.modules for name in ("pandas", "numpy.ma", "matplotlib", "IPython"))
runs = vizkit.load({str(ROOT / "log")!r})
runs._repr_html_(); repr(runs); runs.filter("`batch size` == 64").best("eval/acc").last("eval/acc")
assert not any(name in sys.modules for name in ("pandas", "paddle", "visualdl", "matplotlib", "IPython"))
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_runs_are_drawn_by_plots(lenet: Runs) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    drawn = lenet.filter("`batch size` == 64 and `learning rate` < 0.01").plot("eval/acc", x="time")
    assert list(drawn.lines) == ["lenet/run1"]
    assert list(lenet[0].plot("eval/acc").lines) == ["lenet/run1"]
    pyplot.close("all")


def test_what_is_sampled_beside_the_training_comes_last_and_does_not_count(tmp_path: Path) -> None:
    start = 1_600_000_000_000
    for name, tags in (("a", ("system/cpu", "loss")), ("b", ("pace/step", "acc", "loss"))):
        with LogWriter(str(tmp_path / name)) as writer:
            for tag in tags:
                late = 60_000 if "/" in tag else 0
                for step in range(3):
                    writer.add_scalar(tag, step, step, walltime=start + 1000 * step + late)
    runs = vizkit.load(tmp_path)
    assert runs["a"].scalar_tags == ["loss", "system/cpu"]
    assert runs.scalar_tags == ["loss", "acc", "system/cpu", "pace/step"]
    assert runs.metrics == ["loss", "acc"]
    assert not any("/" in column for column in runs.table().columns)
    assert [run.duration for run in runs] == [timedelta(seconds=2)] * 2
    with pytest.raises(UnknownNameError, match=r"there are: 'loss', 'acc', 'system/cpu', 'pace/step'$"):
        runs.scalars("zzz")


def test_a_wrong_name_is_not_taken_for_an_expression(lenet: Runs) -> None:
    with pytest.raises(UnknownNameError, match="'learning-rate'; closest: 'learning rate'"):
        lenet.group_by("learning-rate")
    with pytest.raises(UnknownNameError, match=r"no run that fits '\*adam\*'"):
        lenet.compare("*adam*", "lenet/run1", "eval/acc")
    assert lenet.sort("`eval/acc`*-1").names == lenet.sort("eval/acc", reverse=True).names


def test_times_in_seconds_are_told_apart(tmp_path: Path) -> None:
    """Of old logs, and of ``walltime=time.time()``."""
    with LogWriter(str(tmp_path / "run")) as writer:
        for step in range(3):
            writer.add_scalar("loss", 1.0, step, walltime=1_600_000_000 + step)
            writer.add_text("note", "x", step, walltime=1_600_000_000 + step)
    (run,) = vizkit.load(tmp_path)
    assert run.started == datetime(2020, 9, 13, 12, 26, 40, tzinfo=timezone.utc)
    assert run.duration == timedelta(seconds=2)
    assert run.columns("loss").walltimes[2] == run.texts("note").walltimes[2] == 1_600_000_002_000
    assert run.seconds(run.columns("loss").walltimes).tolist() == [0, 1, 2]
