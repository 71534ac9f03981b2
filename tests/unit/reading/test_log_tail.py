"""One log is followed as it grows, is damaged, repaired or replaced."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import log_of
from tests.logs import NOW, assert_same, path_in, png_with, scalar
from tests.unit.reading.faulty_reads import count_reads, fail_behind_the_beginning, read_into
from vizkit import LogWriter
from vizkit._files import FileReader
from vizkit.format import encode
from vizkit.reading import LogRoot, RunReader, filesystem


def problem_kinds(run: RunReader) -> list[str]:
    return [problem.kind for problem in run.problems]


def test_a_record_being_written_is_a_problem_only_until_it_is_whole(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    first, second = scalar("a", 0.5), scalar("a", 0.25, 1)
    path.write_bytes(first + second[:-3])
    run = RunReader(tmp_path)
    (problem,) = run.problems
    assert problem[:4] == (str(path), "torn", len(first), len(first + second) - 3)
    assert str(path) in problem.message
    with path.open("ab") as file:
        file.write(second[-3:])
    assert run.refresh()
    assert run.problems == []
    assert run.scalars("a").values.tolist() == [0.5, 0.25]
    assert not run.refresh()


@pytest.mark.parametrize(
    "tail",
    [
        bytes(5000),
        b"\xff" * 99,
        (2**62).to_bytes(8, "little") + b"\x0a\x05",
        (16).to_bytes(8, "little") + b"\x0a",
    ],
    ids=["zeros", "ones", "absurd length", "torn"],
)
def test_a_broken_tail_costs_nothing_before_it(tmp_path: Path, tail: bytes) -> None:
    whole = b"".join(scalar("a", step / 2, step) for step in range(50))
    path_in(tmp_path).write_bytes(whole + tail)
    run = RunReader(tmp_path)
    assert len(run.scalars("a").steps) == 50
    assert [p[1:4] for p in run.problems] == [("torn", len(whole), len(whole + tail))]


def test_reading_goes_on_behind_damage(tmp_path: Path) -> None:
    frames = [scalar("a", step / 2, step) for step in range(50)]
    path_in(tmp_path).write_bytes(b"".join(frames[:20]) + frames[20][5:] + b"".join(frames[21:]))
    run = RunReader(tmp_path)
    assert run.scalars("a").steps.tolist() == [step for step in range(50) if step != 20]
    start = sum(map(len, frames[:20]))
    assert [p[1:4] for p in run.problems] == [("damaged", start, start + len(frames[20]) - 5)]


def test_what_looked_like_a_frame_within_a_torn_one_is_not_kept(tmp_path: Path) -> None:
    """A picture that holds a log, written in two pieces: the log within is no log."""
    inner = b"".join(scalar("inner", step / 2, step) for step in range(9))
    outer = encode.encode_image("outer", png_with(inner + b"!" * 40), 0, NOW)
    path = path_in(tmp_path)
    path.write_bytes(outer[:-40])
    run = RunReader(tmp_path)
    assert_same(run, [outer[:-40]])
    path.write_bytes(outer)
    run.refresh()
    assert_same(run, [outer])
    assert run.kinds == {"outer": "image"}


def test_only_what_was_appended_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = path_in(tmp_path)
    path.write_bytes(b"".join(scalar("a", step / 2, step) for step in range(5000)))
    run = RunReader(tmp_path)
    before = run.scalars("a")
    asked = count_reads(monkeypatch)
    assert not run.refresh()
    assert asked == []
    with path.open("ab") as file:
        file.write(scalar("a", 7.0, 5000) + scalar("b", 8.0, 1))
    assert run.refresh()
    assert sum(asked) < 2000
    assert run.scalars("a").values[-1] == 7.0
    assert run.scalars("b").values.tolist() == [8.0]
    # What was handed out stays as it was, and nobody can change what is kept.
    assert len(before.steps) == 5000
    with pytest.raises(ValueError, match="read-only"):
        run.scalars("a").values[0] = 1


def test_growing_by_little_does_not_copy_all(tmp_path: Path) -> None:
    path = path_in(tmp_path)
    path.write_bytes(scalar("a", 0.5, 0))
    run = RunReader(tmp_path)
    bases = set()
    with path.open("ab", buffering=0) as file:
        for step in range(1, 300):
            file.write(scalar("a", 0.5, step))
            run.refresh()
            bases.add(run.scalars("a").values.__array_interface__["data"][0])
    assert run.count("a") == 300
    assert len(bases) < 40


@pytest.mark.parametrize("how", ["cut", "replaced", "replaced, with the same end", "rewritten"])
def test_another_file_is_read_anew(tmp_path: Path, how: str) -> None:
    path = path_in(tmp_path)
    old = b"".join(scalar("old", step / 2, step) for step in range(20))
    path.write_bytes(old)
    run = RunReader(tmp_path)
    new = b"".join(scalar("new", step / 2, step) for step in range(5 if how == "cut" else 30))
    if "end" in how:
        new = new[: len(old) // 2] + old[len(old) // 2 :] + scalar("old", 1.0, 99)
    if "replaced" in how:
        other = tmp_path / "other"
        other.write_bytes(new)
        other.replace(path)
    else:
        path.write_bytes(new)  # the same file
    assert run.refresh()
    assert_same(run, [new])


def test_a_log_that_was_repaired_when_it_was_resumed_is_followed(tmp_path: Path) -> None:
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 1.0, 1)
    with log_of(tmp_path).open("ab") as file:
        file.write(scalar("a", 2.0, 2)[:-5])
    run = RunReader(tmp_path)
    assert problem_kinds(run) == ["torn"]
    with LogWriter(str(tmp_path)) as writer:
        writer.add_scalar("a", 3.0, 3)
    run.refresh()
    assert run.problems == []
    assert run.scalars("a").steps.tolist() == [1, 3]


def test_an_unreadable_log_costs_no_other_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("good", "bad"):
        path_in(tmp_path / name).write_bytes(scalar("a", 0.5))
    opened = filesystem._Local.open

    def refuse(self: Any, path: str) -> Any:
        if "bad" in path:
            raise PermissionError(13, "Permission denied")
        return opened(self, path)

    monkeypatch.setattr(filesystem._Local, "open", refuse)
    root = LogRoot(tmp_path)
    assert root.runs["good"].scalars("a").values.tolist() == [0.5]
    (problem,) = root.runs["bad"].problems
    assert problem.kind == "unreadable"
    assert "Permission denied" in problem.message
    monkeypatch.setattr(filesystem._Local, "open", opened)
    assert root.refresh().changed == ["bad"]
    assert root.runs["bad"].problems == []
    assert root.runs["bad"].scalars("a").values.tolist() == [0.5]

    monkeypatch.setattr(FileReader, "read_into", fail_behind_the_beginning)
    with path_in(tmp_path / "good").open("ab") as file:
        file.write(scalar("a", 0.25, 1))
    root.refresh()
    assert problem_kinds(root.runs["good"]) == ["unreadable"]
    monkeypatch.setattr(FileReader, "read_into", read_into)
    root.refresh()
    assert root.runs["good"].scalars("a").values.tolist() == [0.5, 0.25]


def test_reading_that_failed_halfway_begins_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path_in(tmp_path).write_bytes(b"".join(scalar("a", step / 2, step) for step in range(20_000)))

    monkeypatch.setattr(FileReader, "read_into", fail_behind_the_beginning)
    run = RunReader(tmp_path)
    assert problem_kinds(run) == ["unreadable"]
    monkeypatch.setattr(FileReader, "read_into", read_into)
    assert run.refresh()
    assert run.problems == []
    np.testing.assert_array_equal(run.scalars("a", superseded=True).steps, np.arange(20_000))
