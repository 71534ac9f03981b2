"""Tables read back: which count, and files that are gone, damaged or not what they seem."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from tests.logs import NOW
from vizkit import DataError, LogWriter
from vizkit.errors import UnknownNameError
from vizkit.format.table_files import encode_table
from vizkit.format.tables import TableColumns, directory_name
from vizkit.reading import LogRoot, RunReader
from vizkit.writing import log_file

TABLES = "vizkit.tables"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    with LogWriter(tmp_path / "log/run") as writer:
        for step in range(3):
            image = [np.full((4, 4, 3), 10 + step, np.uint8)]
            writer.add_table("eval/a", {"value": [step], "image": image}, step, walltime=NOW + step)
        writer.add_table("b", {"value": [9]}, 0.5)
    return tmp_path / "log/run"


def file_of(run: Path, tag: str, step: float) -> Path:
    (path,) = (run / TABLES / directory_name(tag)).glob(f"{step:g}-*")
    return path


def test_tables_are_found_by_name_and_step(run: Path) -> None:
    loaded = vizkit.load(run.parent)
    assert loaded.names == ["run"]  # the directories within are no runs
    one = loaded[0]
    assert one.tables == {"eval/a": [0, 1, 2], "b": [0.5]}
    assert one.table("eval/a")["value"].tolist() == [2] and one.table("eval/a", 1)["value"].tolist() == [1]
    assert one.table("b", 0.5)["value"].tolist() == [9] and one.problems == []
    with pytest.raises(UnknownNameError, match="'eval/a'"):
        one.table("eval/b")
    with pytest.raises(UnknownNameError, match=r"0\.5"):
        one.table("b", 3)
    with pytest.raises(UnknownNameError, match="no table of predictions"):
        one.predictions()


def test_a_resumed_run_replaces_its_tables_as_it_does_its_records(run: Path) -> None:
    log_file._begun.clear()  # as in another process
    with LogWriter(run, resume=True) as writer:
        writer.add_table("eval/a", {"value": [10]}, 1)
    one = vizkit.load(run.parent)[0]
    assert one.tables["eval/a"] == [0, 1] and one.table("eval/a")["value"].tolist() == [10]
    assert [file.step for file in one.logs.tables.files("eval/a", superseded=True)] == [0, 1, 2, 1]
    assert list(one.logs.tables.unnamed()) == []


def test_a_replaced_run_has_none_of_the_former_tables(run: Path) -> None:
    (run / TABLES / "notes.txt").write_text("mine")
    with vizkit.Tracker(run, system=False, if_exists="replace") as tracker:
        tracker.log_table("c", {"value": [1]}, 0)
    assert vizkit.load(run.parent)[0].tables == {"c": [0]}
    left = {path.name for path in (run / TABLES).rglob("*") if path.is_file()}
    assert len(left) == 2 and "notes.txt" in left


def test_the_trainings_of_a_directory_have_their_own(tmp_path: Path) -> None:
    for value in range(2):
        log_file._begun.clear()  # as in another process
        with LogWriter(tmp_path / "run") as writer:
            for step in range(3):
                writer.add_scalar("loss", 1.0, step)
            writer.add_table("a", {"value": [value]}, 2)
    runs = vizkit.load(tmp_path)
    assert [run.table("a")["value"].tolist() for run in runs] == [[0], [1]]
    assert list(runs[1].logs.tables.unnamed()) == []


def test_a_damaged_table_is_its_own_problem_alone(run: Path) -> None:
    path = file_of(run, "eval/a", 1)
    path.write_bytes(path.read_bytes()[:-60])
    file_of(run, "eval/a", 2).unlink()
    one = vizkit.load(run.parent)[0]
    with pytest.raises(DataError, match="damaged"):
        one.table("eval/a", 1)
    with pytest.raises(DataError, match="gone"):
        one.table("eval/a", 2)
    assert one.table("eval/a", 0)["value"].tolist() == [0] and one.tables["eval/a"] == [0, 1]
    assert [(problem.kind, Path(problem.path).name[:2]) for problem in one.problems] == [
        ("table", "1-"), ("table gone", "ev"),
    ]  # fmt: skip


def test_a_damaged_pack_takes_its_images_alone(run: Path) -> None:
    packs = sorted((run / TABLES / ".inputs").iterdir())
    packs[0].write_bytes(b"no pack")
    packs[2].write_bytes(packs[2].read_bytes()[:-1] + b"x")
    one = vizkit.load(run.parent)[0]
    assert one.table("eval/a", 0)["image"][0] is None
    assert (one.table("eval/a", 1)["image"][0].array() == 11).all()
    assert [problem.path for problem in one.problems] == [str(packs[0]), str(packs[0].parent)]
    assert "1 images or texts of the table 'eval/a' at step 0 are gone" in str(one.problems[1].message)


def test_links_out_of_the_run_are_not_followed(run: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(run / TABLES, away)
    path = file_of(run, "eval/a", 2)
    path.unlink()
    path.symlink_to(away / "elsewhere.npz")
    assert vizkit.load(run.parent)[0].tables["eval/a"] == [0, 1]
    shutil.rmtree(run / TABLES / directory_name("eval/a"))
    (run / TABLES / directory_name("eval/a")).symlink_to(away / directory_name("eval/a"))
    shutil.rmtree(run / TABLES / ".inputs")
    (run / TABLES / ".inputs").symlink_to(away / ".inputs")
    one = vizkit.load(run.parent)[0]
    assert one.tables == {"b": [0.5]} and one.logs.tables.inputs() == {}
    shutil.rmtree(run / TABLES)
    (run / TABLES).symlink_to(away)
    assert vizkit.load(run.parent)[0].tables == {}


def test_a_table_without_a_record_is_passed_over(run: Path) -> None:
    stray = file_of(run, "b", 0.5).with_name("3-17.npz")
    stray.write_bytes(encode_table(TableColumns({"value": np.arange(3)})))
    (run / TABLES / directory_name("eval/a") / ".1-2.npz.99.part").write_bytes(b"half")
    one = vizkit.load(run.parent)[0]
    assert one.tables == {"eval/a": [0, 1, 2], "b": [0.5]}
    assert sorted(Path(path).name for path in one.logs.tables.unnamed()) == [".1-2.npz.99.part", "3-17.npz"]


def test_a_text_is_no_table(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run") as writer:
        writer.add_text("eval/a", "words", 0)
        writer.add_table("b", {"value": [1]}, 0)
    assert vizkit.load(tmp_path)[0].tables == {"b": [0]}


@pytest.fixture
def memory() -> Iterator[Any]:
    files = pytest.importorskip("fsspec").filesystem("memory")
    yield files
    files.rm("/vizkit-tables", recursive=True)


def test_tables_of_remote_logs_are_read(run: Path, memory: Any) -> None:
    memory.put(str(run.parent), "/vizkit-tables", recursive=True)
    assert list(LogRoot("memory://vizkit-tables").runs) == ["run"]
    one = vizkit.load("memory://vizkit-tables")[0]
    assert one.tables == {"eval/a": [0, 1, 2], "b": [0.5]}
    frame = one.table("eval/a")
    assert frame["value"].tolist() == [2] and (frame["image"][0].array() == 12).all()


def test_a_reader_follows_a_growing_run(run: Path) -> None:
    reader = RunReader(run)
    with LogWriter(run, resume=True) as writer:
        writer.add_table("eval/a", {"value": [3], "image": [np.full((4, 4), 7, np.uint8)]}, 3)
    before = len(reader.tables.inputs())
    assert reader.refresh() and [file.step for file in reader.tables.files("eval/a")] == [0, 1, 2, 3]
    assert len(reader.tables.inputs()) == before == 4
