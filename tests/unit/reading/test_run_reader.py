"""The tags of a run over all its logs."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from tests.logs import NOW, path_in, scalar
from tests.unit.reading.faulty_reads import count_reads
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.reading import RunReader
from vizkit.reading.run_reader import without_gc


def test_several_logs_are_one_run_in_order_and_later_steps_supersede(tmp_path: Path) -> None:
    path_in(tmp_path, 1).write_bytes(b"".join(scalar("a", step, step) for step in range(10)))
    path_in(tmp_path, 2).write_bytes(b"".join(scalar("a", 100 + step, step) for step in range(6, 12)))
    run = RunReader(tmp_path)
    assert [Path(path).name for path in run.files] == ["vdlrecords.1.log", "vdlrecords.2.log"]
    assert run.scalars("a").values.tolist() == [0, 1, 2, 3, 4, 5, 106, 107, 108, 109, 110, 111]
    assert run.scalars("a", superseded=True).steps.tolist() == [*range(10), *range(6, 12)]
    assert run.last("a") == (11, NOW, 111.0)
    with path_in(tmp_path, 1).open("ab") as file:
        file.write(scalar("a", 0.5, 10))
    run.refresh()
    assert run.scalars("a", superseded=True).steps.tolist() == [*range(11), *range(6, 12)]


def test_records_of_one_step_do_not_supersede_each_other(tmp_path: Path) -> None:
    path_in(tmp_path).write_bytes(b"".join(scalar("a", value, 0) for value in range(5)))
    assert RunReader(tmp_path).scalars("a").values.tolist() == [0, 1, 2, 3, 4]


def test_a_tag_of_two_kinds_keeps_the_first_and_reports_the_other(tmp_path: Path) -> None:
    start = scalar("a", 0.5)
    other = encode.encode_text("a", "no number", 1, NOW)
    path_in(tmp_path).write_bytes(start + other + scalar("a", 0.25, 2) + other)
    run = RunReader(tmp_path)
    assert run.kinds == {"a": "scalar"}
    assert run.scalars("a").values.tolist() == [0.5, 0.25]
    (problem,) = run.problems
    assert (problem.kind, problem.start) == ("mixed", len(start))
    assert "2 text records" in problem.message
    with pytest.raises(KeyError):
        run.entries("a")


def test_unknown_tags_and_other_kinds_are_key_errors(tmp_path: Path) -> None:
    path_in(tmp_path).write_bytes(scalar("a", 0.5) + encode.encode_text("t", "x", 0, NOW))
    run = RunReader(tmp_path)
    for call in (run.scalars, run.group, run.entries, run.count, run.last):
        with pytest.raises(KeyError):
            call("none")
    with pytest.raises(KeyError):
        run.scalars("t")
    with pytest.raises(KeyError):
        run.entries("a")


def test_media_are_read_when_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    end = b"\0\0\0\0IEND\xaeB`\x82"
    images = [bytes([number]) * 3_000_000 + end for number in range(4)]
    frames = [encode.encode_image("i", data, step, NOW) for step, data in enumerate(images)]
    path_in(tmp_path).write_bytes(b"".join(frames) + scalar("a", 0.5))
    read = count_reads(monkeypatch)
    run = RunReader(tmp_path)
    assert sum(read) < sum(map(len, images)) / 2
    entries = run.entries("i")
    assert (len(entries), entries.kind, entries.steps.tolist()) == (4, "image", [0, 1, 2, 3])
    assert entries[2] == images[2]
    assert entries[-1] == images[3]
    assert entries[1:3] == images[1:3]
    assert list(entries) == images
    with pytest.raises(IndexError):
        entries[4]
    assert run.scalars("a").values.tolist() == [0.5]


def test_a_broken_or_vanished_content_is_named(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    broken = encode._frame(8, "histogram", 1, NOW, b"\x0a\x05abcde")  # five bytes are no doubles
    path.write_bytes(broken + encode.encode_text("t", "x", 1, NOW) + scalar("a", 0.5))
    run = RunReader(tmp_path)
    with pytest.raises(DataError, match=r"'histogram'.*cannot be decoded"):
        run.entries("histogram")[0]
    texts = run.entries("t")
    path.write_bytes(b"".join(encode.encode_text("other", "y" * 40, 1, NOW) for _ in range(9)))
    with pytest.raises(DataError, match=r"vdlrecords\.1\.log.*'t'"):
        texts[0]
    path.unlink()
    with pytest.raises(DataError, match=r"vdlrecords\.1\.log.*'t'"):
        texts[0]


def test_the_garbage_collector_is_on_again_once_nobody_holds_it() -> None:
    assert gc.isenabled()
    one, other = without_gc(), without_gc()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert not gc.isenabled()  # the other still makes objects
    other.__exit__(None, None, None)
    assert gc.isenabled()


def test_a_run_is_freed_with_its_last_reference(tmp_path: Path) -> None:
    """It held itself by its tables: the columns of every run that was looked at stayed for some minutes."""
    for session in range(2):  # of two trainings
        frames = b"".join(scalar("a", session, step, NOW + session) for step in range(3))
        path_in(tmp_path, session).write_bytes(frames)
    gc.disable()
    try:
        run = RunReader(tmp_path)
        assert [training.scalars("a").values.tolist() for training in (*run.earlier, run)] == [
            [0] * 3,
            [1] * 3,
        ]
        assert (run.tables.names(), run.problems, run.superseded) == ([], [], {})
        gone = [weakref.ref(one) for one in (run, run.earlier[0])]
        del run
        assert [one() for one in gone] == [None, None]
    finally:
        gc.enable()
