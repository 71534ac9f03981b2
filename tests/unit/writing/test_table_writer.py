"""Tables beside the log: what they may hold, what stock VisualDL shows, and writers that are killed."""

from __future__ import annotations

import datetime
import io
import os
import threading
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pandas as pd
import pytest
from PIL import Image

import vizkit
from tests.faults.killed_repairs import die_at
from tests.helpers import PATIENCE, stock, until
from vizkit import DataError, LogWriter, Tracker, VizKitWarning
from vizkit.reading import RunReader
from vizkit.writing.table_columns import Pictures, checked_columns

CALLS = ("mkdir", "open", "write", "fsync", "replace", "unlink")

IMAGES = [np.full((4, 5, 3), 20 * k, np.uint8) for k in range(6)]


def recorded(directory: Path, tag: str = "samples", step: float | None = None) -> pd.DataFrame:
    return vizkit.load(directory)[0].table(tag, step)


def test_a_column_may_be_anything_flat(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        columns = {
            "array": np.arange(3) - 1,
            "tensor": paddle.to_tensor([0.5, 1.5, 2.5]),
            "column": np.array([[1], [2], [3]]),
            "list": [1, None, 3],
            "bools": [True, False, True],
            "texts": ["a", None, "飞桨"],
            "series": pd.Series([1, 2, 3]),
            "category": pd.Categorical(["x", "y", "x"], categories=["y", "x", "z"]),
            "times": np.array(["2026-01-01", "2026-01-02", "2026-01-03"], "datetime64[D]"),
            "image": [IMAGES[1], None, Image.fromarray(IMAGES[2])],
            "grey": np.linspace(0, 1, 3 * 20).reshape(3, 4, 5),
        }
        columns["category"] = pd.Series(columns["category"])
        writer.add_table("samples", columns, 0)
    found = recorded(tmp_path)
    assert list(found) == list(columns)
    assert found["array"].tolist() == [-1, 0, 1] and found["array"].dtype == np.int64
    assert found["tensor"].tolist() == [0.5, 1.5, 2.5] and found["column"].tolist() == [1, 2, 3]
    np.testing.assert_equal(found["list"].tolist(), [1, np.nan, 3])
    assert found["bools"].dtype == bool and found["bools"].tolist() == [True, False, True]
    assert [None if pd.isna(one) else one for one in found["texts"]] == ["a", None, "飞桨"]
    assert list(found["category"].cat.categories) == ["y", "x", "z"]
    assert list(found["category"]) == ["x", "y", "x"]
    assert found["times"][1] == "2026-01-02"
    assert (found["image"][0].array() == IMAGES[1]).all() and (found["image"][2].array() == IMAGES[2]).all()
    assert found["image"][1] is None
    assert found["grey"][0].array().shape == (4, 5, 1)
    assert Image.open(io.BytesIO(found["image"][0]._repr_png_())).size == (5, 4)


def test_values_that_are_missing_mixed_or_of_other_kinds(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        columns = {
            "mixed": [1, "x", None],
            "flags": pd.array([True, None, False], dtype="boolean"),
            "whole": pd.array([1, None, 3], dtype="Int64"),
            "words": pd.array(["a", None, "b"], dtype="string"),
            "dates": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "waits": pd.to_timedelta([1, None, 90], "s"),
            "exact": [Decimal("1.5"), Fraction(1, 4), None],
            "\ud800": ["\udfff", "b", None],
        }
        writer.add_table("samples", columns, 0)
    found = recorded(tmp_path)
    texts: dict[str, list[Any]] = {
        name: [None if pd.isna(one) else one for one in found[name]] for name in found
    }
    assert texts["mixed"] == ["1", "x", None] and texts["words"] == ["a", None, "b"]
    assert texts["dates"][1] is None and texts["dates"][2].startswith("2026-01-03")
    assert texts["?"] == ["?", "b", None]  # no text: half of a pair
    for name, expected in (
        ("flags", [1, np.nan, 0]),
        ("whole", [1, np.nan, 3]),
        ("waits", [1, np.nan, 90]),
        ("exact", [1.5, 0.25, np.nan]),
    ):
        np.testing.assert_equal(found[name].tolist(), expected)


def test_texts_and_large_numbers_are_what_they_were(tmp_path: Path) -> None:
    large = 1 << 60
    columns: dict[str, Any] = {
        "frame": pd.Series(["a", np.nan, "b"]),
        "late": [np.nan, "b", None],
        "days": [datetime.date(2026, 1, 2), None, datetime.datetime(2026, 1, 3, 4, 5)],
        "files": [Path("a.png"), None, Path("b.png")],
        "bytes": [b"a", "\u9e1f".encode(), None],
        "ids": [large + 1, None, large + 2],
        "hashes": [1 << 70, 3, 5],
        "exact": [large + 1, large + 2, -3],
        "unsigned": [(1 << 63) + 5, 1, 2],
        "dates": [np.datetime64("2026-01-02"), np.datetime64("NaT"), None],
        "waits": [datetime.timedelta(minutes=1), np.timedelta64(2500, "ms"), np.timedelta64("NaT")],
    }
    with LogWriter(tmp_path / "run") as writer:
        writer.add_table("samples", columns, 0)
    found = recorded(tmp_path)
    shown = {name: [None if pd.isna(one) else one for one in found[name]] for name in found}
    assert shown == {
        "frame": ["a", None, "b"],
        "late": [None, "b", None],
        "days": ["2026-01-02", None, "2026-01-03T04:05:00"],
        "files": ["a.png", None, "b.png"],
        "bytes": ["a", "\u9e1f", None],
        "ids": [str(large + 1), None, str(large + 2)],
        "hashes": [str(1 << 70), "3", "5"],
        "exact": [large + 1, large + 2, -3],
        "unsigned": [(1 << 63) + 5, 1, 2],
        "dates": ["2026-01-02", None, None],
        "waits": [60, 2.5, None],
    }


def test_a_frame_is_a_table(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "score": [0.5, np.nan]})
    with Tracker(tmp_path / "run", system=False, strict=True) as tracker:
        tracker.log_table("frame", frame, 3)
    found = recorded(tmp_path, "frame", 3)
    assert found["name"].tolist() == ["a", "b"]
    np.testing.assert_equal(found["score"].tolist(), [0.5, np.nan])


def test_rows_are_a_table(tmp_path: Path) -> None:
    large = 1 << 60
    rows: list[dict[str, object]] = [
        {"id": large + 1, "label": "a"},
        {"id": None, "right": True, "label": None},
        {"label": np.nan},
    ]
    with Tracker(tmp_path / "run", system=False, strict=True) as tracker:
        tracker.log_table("rows", rows, 3)
    found = recorded(tmp_path, "rows", 3)
    assert list(found) == ["id", "label", "right"]
    assert found["id"].dropna().tolist() == [str(large + 1)]  # exact
    assert found["label"].dropna().tolist() == ["a"] and pd.isna(found["label"][1:]).all()
    np.testing.assert_equal(found["right"].tolist(), [np.nan, 1, np.nan])


@pytest.mark.parametrize("batch", [False, True])
def test_an_arrow_table_is_a_table(tmp_path: Path, batch: bool) -> None:
    import pyarrow as pa

    large = 1 << 60
    columns = {
        "id": pa.array([large + 1, large + 2]),
        "seen": pa.array([large + 1, None]),
        "label": pa.array(["\u9e1f", None]),
        "class": pa.array(["cat", None]).dictionary_encode(),
        "right": pa.array([True, None]),
        "score": pa.array([0.5, None], pa.float32()),
        "day": pa.array([datetime.date(2026, 1, 2), None]),
    }
    made = pa.RecordBatch.from_pydict(columns) if batch else pa.table(columns)
    table = made if batch else pa.concat_tables([made.slice(0, 1), made.slice(1)])  # in two chunks
    with Tracker(tmp_path / "run", system=False, strict=True) as tracker:
        tracker.log_table("arrow", table, 3)
    found = recorded(tmp_path, "arrow", 3)
    shown = {name: [None if pd.isna(one) else one for one in found[name]] for name in found}
    assert shown == {
        "id": [large + 1, large + 2],
        "seen": [str(large + 1), None],
        "label": ["\u9e1f", None],
        "class": ["cat", None],
        "right": [1, None],
        "score": [0.5, None],
        "day": ["2026-01-02", None],
    }


@pytest.mark.parametrize(
    "columns",
    [
        [1, 2],
        [],
        [{}],
        [{"a": 1}, 2],
        {},
        {"a": [1, 2], "b": [1]},
        {"a": 3},
        {"a": "text"},
        {"a": [[1, 2], [3, 4]]},
        {"a": [{"b": 1}]},
        {"a": np.zeros((2, 2))},
        {"a": np.zeros(3, complex)},
        {"": [1]},
        {1: [1], "1": [2]},
    ],
)
def test_what_is_no_table_is_refused_and_nothing_is_written(tmp_path: Path, columns: Any) -> None:
    with LogWriter(tmp_path / "run") as writer, pytest.raises(DataError):
        writer.add_table("samples", columns, 0)
    with Tracker(tmp_path / "tracked", system=False) as tracker:
        if isinstance(columns, dict):
            with pytest.warns(vizkit.errors.VizKitWarning):
                tracker.log_table("samples", columns, 0)
            assert tracker.lost == {"samples": 1}
    assert vizkit.load(tmp_path)["tracked"].tables == {}


def test_columns_are_copied_in_the_call() -> None:
    array, image = np.arange(3), np.zeros((4, 4, 3))
    found = checked_columns({"a": array, "image": [image] * 3})
    array[:], image[:] = 7, 7
    pictures = found["image"]
    assert isinstance(found["a"], np.ndarray) and found["a"].tolist() == [0, 1, 2]
    assert isinstance(pictures, Pictures) and not np.asarray(pictures.images).any()


def test_images_are_stored_once_a_run(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        writer.add_table("a", {"image": IMAGES}, 0)
        writer.add_table("a", {"image": IMAGES[::-1]}, 1)
        writer.add_table("b", {"image": [*IMAGES, IMAGES[0]]}, 1)
    with LogWriter(tmp_path / "run", resume=True) as writer:
        writer.add_table("a", {"image": [*IMAGES, IMAGES[0] + 1]}, 2)
    packs = sorted((tmp_path / "run/vizkit.tables/.inputs").iterdir())
    tables = RunReader(tmp_path / "run").tables
    assert len(packs) == 2 and len(tables.inputs()) == len(IMAGES) + 1
    assert (recorded(tmp_path, "a", 1)["image"][0].array() == IMAGES[5]).all()


def test_stock_visualdl_shows_the_first_rows_and_images(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        table = {"id": range(1234), "text": ["a\tb\n"] * 1234, "image": [*IMAGES, *[None] * 1228]}
        writer.add_table("samples", table, 7)
    (text,) = stock(tmp_path / "run", "text", "samples")
    lines = text.text.encoded_text_string.split("\n")
    assert lines[:2] == ["id\ttext", "0\ta b"] and len(lines) == 12
    assert lines[-1] == "... 1,224 more rows"
    (grid,) = stock(tmp_path / "run", "image", "samples/images")
    assert Image.open(io.BytesIO(grid.image.encoded_image_string)).size == (12, 16)


def test_tables_of_one_step_do_not_replace_each_other(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        for value in range(3):
            writer.add_table("a", {"value": [value]}, 5, walltime=1_700_000_000_000)
    run = vizkit.load(tmp_path)[0]
    assert run.tables == {"a": [5, 5, 5]}
    tables = [run.logs.tables.read(file)["value"] for file in run.logs.tables.files("a")]
    assert [np.asarray(values).tolist() for values in tables] == [[0], [1], [2]]


def test_a_run_that_was_moved_takes_its_tables_along(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        writer.add_table("a", {"value": [1], "image": IMAGES[:1]}, 0)
        writer.flush()
        (tmp_path / "run").rename(tmp_path / "moved")
        with pytest.warns(vizkit.errors.VizKitWarning, match="was moved"):
            writer.add_table("a", {"value": [2], "image": IMAGES[:1]}, 1)
            writer.flush()
    run = vizkit.load(tmp_path)["moved"]
    assert run.tables == {"a": [0, 1]} and not (tmp_path / "run").exists()
    assert run.table("a", 1)["image"][0].array().shape == (4, 5, 3)


def test_a_script_that_changes_its_directory_writes_to_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with LogWriter("run") as writer:
        writer.add_scalar("loss", 1.0, 0)
        monkeypatch.chdir("elsewhere")
        writer.add_table("a", {"value": [1], "image": IMAGES[:1]}, 0)
    assert vizkit.load(tmp_path)["run"].tables == {"a": [0]} and not list((tmp_path / "elsewhere").iterdir())


def test_a_directory_that_cannot_be_written_is_told_of_and_nothing_is_raised(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", system=False) as tracker:
        tracker.log({"loss": 1.0}, 0)
        (tmp_path / "run/vizkit.tables").write_text("a file is in the way")
        with pytest.warns(vizkit.errors.VizKitWarning):
            tracker.log_table("a", {"value": [1]}, 0)
            tracker.flush()
    assert tracker.lost == {"a": 1}
    run = vizkit.load(tmp_path)[0]
    assert run.tables == {} and [problem.kind for problem in run.problems] == ["lost"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_table_is_whole_or_absent_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    number, killed = 0, True
    while killed:
        directory = tmp_path / str(number) / "run"
        child = os.fork()
        if not child:
            try:
                die_at(number, CALLS)
                with LogWriter(directory) as writer:
                    for step in range(2):
                        writer.add_table(
                            "a",
                            {"value": np.arange(9) + step, "image": [IMAGES[step], *IMAGES, *IMAGES[:2]]},
                            step,
                        )
            finally:
                os._exit(0)
        killed = os.waitpid(child, 0)[1] != 0
        if directory.exists():
            for run in vizkit.load(directory.parent):
                for at in run.tables.get("a", []):
                    assert run.table("a", at)["value"].tolist() == list(range(int(at), int(at) + 9))
                    assert all(image.array().shape == (4, 5, 3) for image in run.table("a", at)["image"])
                tables = run.logs.tables
                assert all(file.path for tag in tables.names() for file in tables.files(tag))
        number += 1
    assert number > 12 and vizkit.load(directory.parent)[0].tables == {"a": [0, 1]}


def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    comes_back = threading.Event()

    def hangs(path: object, data: object) -> None:
        comes_back.wait()

    monkeypatch.setattr("vizkit.writing.run_directory.write_durably", hangs)
    monkeypatch.setattr("vizkit.writing.record_log.HANG_SECONDS", 0.01)
    writer = LogWriter(tmp_path / "run")
    with pytest.warns(vizkit.errors.VizKitWarning, match="come back|waiting"):
        writer.add_table("a", {"value": [1]}, 0)
        writer.flush()
    comes_back.set()
    until(lambda: writer._worker.idle)
    monkeypatch.setattr("vizkit.writing.record_log.HANG_SECONDS", PATIENCE)
    writer.close()


@pytest.mark.parametrize("link", ["", "/tab", "/.inputs"])
def test_no_table_is_written_through_a_link(tmp_path: Path, link: str) -> None:
    """It would lie outside of the run, where it is not read."""
    place = Path(f"{tmp_path}/run/vizkit.tables{link}")
    place.parent.mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    place.symlink_to(tmp_path / "elsewhere")
    with (
        pytest.warns(VizKitWarning, match=f"tab: not recorded: .*{place.name} is a link"),
        Tracker(tmp_path / "run", if_exists="resume", system=False) as tracker,
    ):
        tracker.log_table("tab", {"image": IMAGES[:1]}, 0)
    assert not [*(tmp_path / "elsewhere").iterdir()]
    assert tracker.lost == {"tab": 1}
