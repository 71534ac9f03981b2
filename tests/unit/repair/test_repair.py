"""Repaired logs: stock VisualDL reads all whole records afterwards."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

import vizkit
from tests.helpers import log_of
from tests.logs import NOW, path_in, scalar
from tests.unit.repair.logs import aged, kinds, repaired, steps, written
from vizkit.format import wire
from vizkit.format.encode import (
    encode_image,
    encode_meta_data,
    encode_scalar,
    step_field,
    tag_field,
    walltime_field,
)
from vizkit.format.frames import read_frames
from vizkit.repair._check import check
from vizkit.repair._repair import repair


def test_older_logs_are_merged_into_the_last(tmp_path: Path) -> None:
    for number, some in enumerate((range(5), range(5, 9), range(7, 12))):
        written(tmp_path / "run", f"vdlrecords.{number}.log", some)
    before = vizkit.load(tmp_path)[0].columns("loss", superseded=True)
    assert kinds(tmp_path) == ["hidden", "hidden"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == [*range(5), *range(5, 9), *range(7, 12)]
    after = vizkit.load(tmp_path)[0].columns("loss", superseded=True)
    assert all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("cut", [1, 9, 20])
def test_a_torn_tail_is_cut_off(tmp_path: Path, cut: int) -> None:
    log = written(tmp_path / "run", "vdlrecords.1.log", range(20))
    os.truncate(log, log.stat().st_size - cut)
    assert kinds(tmp_path) in (["torn"], ["being written"])
    aged(tmp_path)
    assert kinds(tmp_path) == ["torn"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == list(range(19))


def test_gaps_are_closed_in_every_log_and_whole_records_stay(tmp_path: Path) -> None:
    for number in (1, 2):
        log = written(tmp_path / "run", f"vdlrecords.{number}.log", range(10 * number, 10 * number + 10))
        data = bytearray(log.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
        log.write_bytes(data + b"\x0a\x03")
    aged(tmp_path)
    assert sorted(kinds(tmp_path)) == ["damaged", "damaged", "hidden", "torn", "torn"]
    whole = vizkit.load(tmp_path)[0].columns("loss", superseded=True).steps.tolist()
    assert len(whole) >= 14
    repaired(tmp_path)
    assert steps(tmp_path / "run") == whole


def test_a_frame_that_is_no_record_is_taken_out(tmp_path: Path) -> None:
    log = written(tmp_path / "run", "vdlrecords.1.log", range(5))
    nothing = b"\x0a\x05\x12\x03abc"  # a value with a tag alone: stock's server would not start
    with log.open("ab") as file:
        file.write(len(nothing).to_bytes(8, "little") + nothing)
    assert kinds(tmp_path) == ["undecodable"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == list(range(5))


def test_each_training_of_a_directory_is_repaired(tmp_path: Path) -> None:
    """They are not merged, and what is said to be done is done."""
    logs = [path_in(tmp_path / "run", number) for number in (1, 2)]
    for number, log in enumerate(logs):
        log.write_bytes(
            b"\xff" * 9
            + encode_meta_data("meta_data_tag", "", 0, NOW)
            + b"".join(scalar("loss", step / 2, step, NOW + 1000 * number + step) for step in range(10))
        )
    assert [run.name for run in vizkit.load(tmp_path)] == ["run@1", "run"]
    assert kinds(tmp_path) == ["damaged", "damaged"]
    repaired(tmp_path)
    for log in logs:
        assert len([*read_frames(log.read_bytes())]) == 11 and log.read_bytes()[:9] != b"\xff" * 9


def test_a_gap_that_opens_where_another_is_closed_is_closed_too(tmp_path: Path) -> None:
    """Bytes within a damaged image claim a frame; its end becomes that of another one."""
    after = [scalar("loss", step / 3, step) for step in range(40)]
    claimed = 92 + sum(map(len, after[:5]))
    png = b"\x89PNG" + claimed.to_bytes(8, "little") + b"\x0a" + wire.varint(claimed - 3)
    image = encode_image("image", png + b"\xff" * (100 - 8 - 3), 3, NOW)
    start = encode_meta_data("meta_data_tag", "", 0, NOW) + scalar("loss", 5, 0)
    log = path_in(tmp_path / "run")
    log.write_bytes(start + image + b"\xff" * 13 + b"".join(after))
    assert "image" in vizkit.load(tmp_path)[0].logs.kinds
    assert kinds(tmp_path) == ["damaged"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == [0, *range(40)]


def test_a_record_whose_content_is_broken_is_taken_out(tmp_path: Path) -> None:
    """Its frame is whole, and reading decodes it only when it is asked for: stock VisualDL does not start."""
    whole = [np.array([1.0, 2.0]), np.array([3.0, 5.0])]
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        for step, values in enumerate([whole[0], np.array([7.0, 9.0]), whole[1]]):
            writer.add_histogram("h", values, step, buckets=2)
            writer.add_scalar("loss", step / 3, step)
    log = log_of(tmp_path / "run")
    data = log.read_bytes()
    edges = np.array([7.0, 8.0, 9.0]).tobytes()
    assert data.count(b"\x12\x18" + edges) == 1
    log.write_bytes(data.replace(b"\x12\x18" + edges, b"\x12\x19" + edges))
    with pytest.raises(DecodeError):
        steps(tmp_path / "run")
    aged(tmp_path)
    assert kinds(tmp_path) == ["undecodable"]
    run = vizkit.load(tmp_path)[0]
    assert not run.problems
    repaired(tmp_path)
    assert steps(tmp_path / "run") == [0, 1, 2]
    assert steps(tmp_path / "run", "h", "histogram") == [0, 2]


def test_texts_that_are_not_utf_8_are_written_as_they_are_read(tmp_path: Path) -> None:
    with vizkit.LogWriter(str(tmp_path / "run"), display_name="name") as writer:
        writer.add_text("note", "the text", 3)
        writer.add_scalars("group", {"member": 0.5}, 3)
        writer.add_hparams({"lr": "rate"}, ["loss"])
    log = log_of(tmp_path / "run")
    data = log.read_bytes()
    for word in (b"name", b"text", b"member", b"rate"):
        assert data.count(word) == 1 + (word == b"name") * 0, word
        data = data.replace(word, b"\xff" + word[1:])
    log.write_bytes(data)
    with pytest.raises(DecodeError):
        steps(tmp_path / "run", "note", "text")
    aged(tmp_path)
    assert kinds(tmp_path) == ["text"] * 4

    def shown() -> list[object]:
        run = vizkit.load(tmp_path)[0]
        return [run.display_name, *run.texts("note"), run.logs.members("group"), run.hparams]

    before = shown()
    assert before == ["\ufffdame", "the \ufffdext", ["\ufffdember"], {"lr": "\ufffdate"}]
    repaired(tmp_path)
    assert shown() == before
    assert steps(tmp_path / "run", "note", "text") == steps(tmp_path / "run", "group", "scalars") == [3]


def test_empty_files_are_moved_aside(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(5))
    (tmp_path / "run" / "vdlrecords.0.log").touch()
    (tmp_path / "run" / "vdlrecords.9.log").touch()
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "vdlrecords.1.log").touch()
    assert kinds(tmp_path) == ["empty", "empty", "hiding"]
    repaired(tmp_path)
    assert steps(tmp_path / "run") == list(range(5))


def test_backups_and_copies_are_moved_aside(tmp_path: Path) -> None:
    log = written(tmp_path / "run", "vdlrecords.1.log", range(5))
    Path(f"{log}.gz").write_bytes(gzip.compress(log.read_bytes()))
    shutil.copy(log, f"{log}.old")
    written(tmp_path / "other", "vdlrecords.1.log", range(1))
    shutil.copy(log, tmp_path / "other" / "vdlrecords.2.log")  # of another run: no copy
    found = [finding for finding in check(tmp_path) if finding.is_problem]
    assert [(f.run, f.kind) for f in found] == [("other", "hidden"), ("run", "no log"), ("run", "copy")]
    assert "packed" in found[1].what
    repaired(tmp_path)
    assert steps(tmp_path / "run") == list(range(5))
    assert (tmp_path / "run" / "kept.1.log.gz.bak").exists()


def test_what_is_being_written_is_left_alone(tmp_path: Path) -> None:
    log = written(tmp_path / "stock", "vdlrecords.1.log", range(5))
    os.truncate(log, log.stat().st_size - 3)
    with vizkit.Tracker(tmp_path / "own") as tracker:
        tracker.log({"loss": 1.0})
        (own,) = (tmp_path / "own").glob("vdlrecords*")
        with own.open("ab") as file:
            file.write(b"\x40")
        before = own.read_bytes(), log.read_bytes()
        assert kinds(tmp_path) == ["being written", "being written"]
        assert repair(tmp_path) == []  # nothing that can be repaired now
        (tmp_path / "own" / "vdlrecords.0.log").touch()
        (left,) = repair(tmp_path)
        assert (left.run, left.done) == ("own", []) and left.left
        assert (own.read_bytes(), log.read_bytes()) == before
    repaired(tmp_path)
    assert steps(tmp_path / "stock") == list(range(4)) and steps(tmp_path / "own") == [0]


def test_a_writer_that_began_at_this_moment_is_seen_by_its_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": 1.0})
        (tmp_path / "run" / "vdlrecords.0.log").touch()
        monkeypatch.setattr("vizkit.repair._repair.being_written", lambda run: "")
        (left,) = repair(tmp_path)
        assert left.done == [] and "open" in left.left


def test_a_stock_log_that_was_changed_a_moment_ago_is_left_alone(tmp_path: Path) -> None:
    logs = [written(tmp_path / "run", f"vdlrecords.{number}.log", range(3)) for number in (1, 2)]
    (left,) = repair(tmp_path)
    assert left.done == [] and "try again" in left.left and all(log.exists() for log in logs)
    repaired(tmp_path)


def test_a_writer_that_comes_later_goes_on_in_the_repaired_log(tmp_path: Path) -> None:
    for number in (1, 2):
        written(tmp_path / "run", f"vdlrecords.{number}.log", range(number))
    repaired(tmp_path)
    with vizkit.Tracker(tmp_path / "run", if_exists="resume") as tracker:
        tracker.log({"loss": 1.0}, step=9)
    assert steps(tmp_path / "run") == [0, 0, 1, 9]


def test_a_failure_on_the_way_leaves_the_log_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logs = [written(tmp_path / "run", f"vdlrecords.{n}.log", range(50)) for n in (1, 2)]
    before = [log.read_bytes() for log in logs]
    aged(tmp_path)
    real: Callable[[int], None] = os.fsync

    def full(fd: int) -> None:
        real(fd)
        if stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    (one,) = repair(tmp_path)
    assert "No space left" in one.left and one.done == []
    assert [log.read_bytes() for log in logs] == before


def test_a_large_log_with_many_gaps(tmp_path: Path) -> None:
    log = written(tmp_path / "run", "vdlrecords.1.log", range(1))
    tag = tag_field("loss")
    frames = [encode_scalar(tag, i / 7, step_field(i), walltime_field(i)) for i in range(60_000)]
    for index in range(0, len(frames), 5_000):
        frames[index] = b"\xee" * 11
    log.write_bytes(b"".join(frames))
    run = vizkit.load(tmp_path)[0]
    repaired(tmp_path)
    assert np.array_equal(vizkit.load(tmp_path)[0].columns("loss").values, run.columns("loss").values)
    assert len(list(read_frames(log.read_bytes()))) == len(run.columns("loss").values) == 60_000 - 12
