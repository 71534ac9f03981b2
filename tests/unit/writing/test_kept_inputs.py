"""Images that several runs need: stored once by links, and each run whole without the others."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from tests.faults.killed_repairs import die_at
from vizkit import LogWriter, Tracker, repair
from vizkit.format.input_packs import PackIndex, read_arrays
from vizkit.writing import kept_inputs

IMAGES = np.random.default_rng(0).integers(0, 256, (12, 16, 16, 3)).astype(np.uint8)
CALLS = ("mkdir", "open", "write", "fsync", "replace", "unlink", "link")


def write(run: Path, rows: Sequence[int] = range(8), step: int = 0) -> Path:
    with LogWriter(run, resume=run.exists()) as writer:
        writer.add_table("eval/predictions", {"id": list(rows), "input": list(IMAGES[list(rows)])}, step)
    return run


def check(run: Path, rows: Sequence[int] = range(8)) -> None:
    (one,) = vizkit.load(run)
    frame = one.predictions()
    assert frame["id"].tolist() == list(rows) and not one.problems
    for row, image in zip(rows, frame["input"], strict=True):
        np.testing.assert_array_equal(image.array(), IMAGES[row])


def packs(run: Path) -> list[Path]:
    return sorted((run / "vizkit.tables" / ".inputs").iterdir())


def stored(*runs: Path) -> int:
    """Bytes of packs on the disk."""
    states = {
        (state.st_dev, state.st_ino): state.st_size for run in runs for state in map(os.stat, packs(run))
    }
    return sum(states.values())


def test_runs_of_a_directory_store_their_images_once_and_need_no_other(tmp_path: Path) -> None:
    first, second, third = (write(tmp_path / "log" / name) for name in ("a", "b", "c"))
    assert stored(first, second, third) == stored(first) > 8 * 16 * 16 * 3
    shutil.copytree(second, tmp_path / "elsewhere" / "copy")
    shutil.rmtree(first)
    second.rename(tmp_path / "moved")
    shutil.rmtree(third / "vizkit.tables")
    check(tmp_path / "moved")
    check(tmp_path / "elsewhere" / "copy")
    assert vizkit.load(third)[0].tables == {}


def test_only_what_is_new_is_written_beside_a_linked_pack(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b", range(4, 12))
    check(first)
    check(second, range(4, 12))
    assert len(packs(second)) == 2 and os.path.samefile(packs(first)[0], packs(second)[0])
    assert stored(first, second) < 1.1 * stored(second)
    write(second, range(2, 12), 1)
    assert len(packs(second)) == 2  # the linked pack has them
    check(second, range(2, 12))


def test_a_pack_of_little_use_is_not_linked(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a", range(12)), write(tmp_path / "b", [3])
    assert len(packs(second)) == 1 and not os.path.samefile(packs(first)[0], packs(second)[0])
    check(second, [3])


def test_a_pack_of_many_runs_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abcdef":
        write(tmp_path / name)
    read: list[int] = []

    def noted(get: Callable[[int, int], bytes], size: int) -> PackIndex:
        read.append(size)
        return read_arrays(get, size)

    monkeypatch.setattr(kept_inputs, "read_arrays", noted)
    check(write(tmp_path / "g", range(4, 12)), range(4, 12))
    assert len(read) == 1


def test_where_links_cannot_be_images_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(*args: object, **options: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    write(tmp_path / "a")
    monkeypatch.setattr("os.link", refuses)
    check(write(tmp_path / "b"))


def test_what_is_no_pack_of_this_user_is_not_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (pack,) = packs(write(tmp_path / "a"))
    data = pack.read_bytes()
    for name, damage in (("torn", data[:-1]), ("empty", b""), ("other", b"x" * 100)):
        directory = tmp_path / name / "vizkit.tables" / ".inputs"
        directory.mkdir(parents=True)
        (directory / "1.pack").write_bytes(damage)
    shutil.move(pack, tmp_path / "away.pack")
    pack.symlink_to(tmp_path / "away.pack")
    run = write(tmp_path / "b")
    assert [path.is_symlink() or path.stat().st_nlink for path in packs(run)] == [1]
    check(run)
    if hasattr(os, "geteuid"):
        monkeypatch.setattr("os.geteuid", lambda: 4711)
        assert packs(write(tmp_path / "c"))[0].stat().st_nlink == 1


def test_runs_that_write_at_once_are_whole(tmp_path: Path) -> None:
    runs = [tmp_path / str(number) for number in range(8)]
    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in runs:
        check(run)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_table_is_whole_or_absent_wherever_a_run_is_killed_that_links(tmp_path: Path) -> None:
    write(tmp_path / "log" / "a")
    number, killed = 0, True
    while killed:
        run = tmp_path / "log" / f"b{number}"
        child = os.fork()
        if not child:
            try:
                die_at(number, CALLS)
                write(run, range(2, 12))
            finally:
                os._exit(0)
        killed = os.waitpid(child, 0)[1] != 0
        if run.exists() and vizkit.load(run) and vizkit.load(run)[0].tables:
            check(run, range(2, 12))
        shutil.rmtree(run, ignore_errors=True)  # or the next one looks for its images there, too
        number += 1
    assert number > 10
    check(tmp_path / "log" / "a")


def test_a_missing_input_is_said(tmp_path: Path) -> None:
    run = write(tmp_path / "a")
    packs(run)[0].unlink()
    (one,) = vizkit.load(run)
    assert one.predictions()["input"].isna().all()
    (problem,) = one.problems
    assert "8 images or texts of the table 'eval/predictions' at step 0 are gone" in str(problem.message)
    assert [finding.kind for finding in repair.check(run)] == ["table gone"]


def test_tables_in_remote_directories(tmp_path: Path, memory: str) -> None:
    tracker: Any
    with Tracker(memory + "remote/run", strict=True, system=False) as tracker:
        for step in (0, 1):
            with tracker.evaluation("eval", activation="softmax") as evaluation:
                evaluation.add([0, 1, 1], np.eye(3)[[0, 1, 2]], IMAGES[:3].transpose(0, 3, 1, 2))
            tracker.log_table("own", {"value": [step], "image": [IMAGES[5]]}, step=step)
    run = tmp_path / "remote" / "run"
    (one,) = vizkit.load(run)
    assert one.tables == {"eval/predictions": [0, 1], "own": [0, 1]} and not one.problems
    assert one.predictions()["correct"].tolist() == [True, True, False]
    np.testing.assert_array_equal(one.predictions()["input"][2].array(), IMAGES[2])
    np.testing.assert_array_equal(one.table("own")["image"][0].array(), IMAGES[5])
    assert len(packs(run)) == 2  # of four tables: each image is there once


@pytest.mark.skipif(os.name == "nt", reason="of paths that begin with a slash")
def test_a_directory_may_be_named_by_a_url(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    with Tracker(f"file://{tmp_path}/log/run", system=False) as tracker:
        tracker.log_table("own", {"value": [1], "image": [IMAGES[5]]}, step=0)
        tracker.log_table("own", {"value": [2], "image": [IMAGES[5]]}, step=1)
    for root in (tmp_path / "log", f"file://{tmp_path}/log"):
        (one,) = vizkit.load(root)
        assert one.name == "run" and one.table("own")["value"].tolist() == [2] and not one.problems
        np.testing.assert_array_equal(one.table("own", 0)["image"][0].array(), IMAGES[5])
