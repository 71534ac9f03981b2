"""Logs of stock VisualDL are read with its own values, and VizKit's logs by both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers import stock as stock_values
from vizkit import LogWriter
from vizkit.reading import RunReader


@pytest.fixture(scope="module")
def stock_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that stock VisualDL wrote, with all its kinds."""
    import visualdl

    root = tmp_path_factory.mktemp("stock")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "float", float, raising=False)  # which NumPy 1.24 dropped, and VisualDL uses
        with visualdl.LogWriter(str(root / "run"), display_name="名字") as writer:
            rng = np.random.default_rng(0)
            for step in range(300):
                writer.add_scalar("loss", float(rng.random()), step)
                writer.add_scalar("acc", step / 3, step, walltime=1000 + step)
            writer.add_scalar("odd", float("nan"), 2**40)
            for step in range(20):
                writer.add_scalars("group", {"sin": step / 3, "cos": 0.0}, step)
            writer.add_hparams({"lr": 0.1, "batch": 64, "name": "Adam"}, ["loss"])
            for step in range(3):
                writer.add_image("image", rng.integers(0, 255, (8, 9, 3)).astype(np.uint8), step)
                writer.add_histogram("histogram", rng.standard_normal(100), step)
                labels, scores = rng.integers(0, 2, 50), rng.random(50)
                writer.add_pr_curve("pr", labels, scores, step, num_thresholds=7)
                writer.add_roc_curve("roc", labels, scores, step, num_thresholds=7)
                writer.add_text("text", f"文字 {step}", step)
            writer.add_embeddings("embeddings", rng.random((4, 3)), ["a", "b", "c", "d"])
            writer.add_audio("audio", rng.uniform(-1, 1, (800, 1)), 0, 8000)
    return root


@pytest.mark.parametrize("tag", ["loss", "acc", "odd"])
def test_stock_scalars_are_stocks_own_values(stock_log: Path, tag: str) -> None:
    columns = RunReader(stock_log / "run").scalars(tag)
    expected = stock_values(stock_log / "run", "scalar", tag)
    assert len(expected) > 0
    np.testing.assert_array_equal(columns.steps, [value.id for value in expected])
    np.testing.assert_array_equal(columns.walltimes, [value.timestamp for value in expected])
    np.testing.assert_array_equal(columns.values, [value.value for value in expected])


def test_stock_media_are_stocks_own_values(stock_log: Path) -> None:
    run = RunReader(stock_log / "run")
    assert run.problems == []
    assert run.display_name == "名字"
    assert (run.hparams.hparams, run.hparams.metrics) == ({"lr": 0.1, "batch": 64, "name": "Adam"}, ["loss"])
    compare = {
        "image": lambda ours, stock: ours == stock.image.encoded_image_string,
        "text": lambda ours, stock: ours == stock.text.encoded_text_string,
        "audio": lambda ours, stock: ours.data == stock.audio.encoded_audio_string,
        "histogram": lambda ours, stock: (
            ours.counts.tolist() == list(stock.histogram.hist)
            and ours.edges.tolist() == list(stock.histogram.bin_edges)
        ),
        "pr": lambda ours, stock: (
            ours.tp.tolist() == list(stock.pr_curve.TP)
            and ours.precision.tolist() == list(stock.pr_curve.precision)
            and ours.recall.tolist() == list(stock.pr_curve.recall)
        ),
        "roc": lambda ours, stock: (
            ours.fn.tolist() == list(stock.roc_curve.FN) and ours.tpr.tolist() == list(stock.roc_curve.tpr)
        ),
        "embeddings": lambda ours, stock: (
            ours.vectors.tolist() == [list(e.vectors) for e in stock.embeddings.embeddings]
            and ours.labels == [list(e.label) for e in stock.embeddings.embeddings]
        ),
    }
    kinds = {tag: kind for tag, kind in run.kinds.items() if "scalar" not in kind}
    assert set(kinds) == set(compare)
    for tag, kind in kinds.items():
        entries = run.entries(tag)
        expected = stock_values(stock_log / "run", kind, tag)
        assert len(entries) == len(expected) > 0
        assert entries.steps.tolist() == [value.id for value in expected]
        assert entries.walltimes.tolist() == [value.timestamp for value in expected]
        assert all(compare[tag](ours, stock) for ours, stock in zip(entries, expected, strict=True))


def test_stock_groups_are_stocks_own_values(stock_log: Path) -> None:
    group = RunReader(stock_log / "run").group("group")
    values = stock_values(stock_log / "run", "scalars", "group")
    stock = [(v.tag_value.tag, v.id, v.timestamp, v.tag_value.value) for v in values]
    ours = [
        (member, *row)
        for member, columns in group.items()
        for row in zip(*(column.tolist() for column in columns), strict=True)
    ]
    assert sorted(ours) == sorted(stock)
    assert set(group) == {"sin", "cos"}


def test_a_log_of_ours_is_read_as_stock_reads_it_and_exactly(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        for step in range(500):
            writer.add_scalar("loss", step / 3, step)
            writer.add_scalars("group", {"a": step / 3, "b": 0.0}, step)
    run = RunReader(tmp_path)
    assert run.scalars("loss").values.tolist() == [step / 3 for step in range(500)]
    stock = stock_values(tmp_path, "scalar", "loss")
    assert run.scalars("loss").values.astype(np.float32).tolist() == [value.value for value in stock]
    assert run.scalars("loss").walltimes.tolist() == [value.timestamp for value in stock]
    assert run.group("group")["a"].values.tolist() == [step / 3 for step in range(500)]
    assert run.group("group")["b"].values.tolist() == [0.0] * 500
