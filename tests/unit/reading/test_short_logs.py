"""Short logs are opened again from one file, and never as they were before they changed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

import vizkit
from tests.logs import NOW, path_in, scalar
from vizkit.columns.column_builder import ColumnBuilder
from vizkit.columns.frame_scan import Readable
from vizkit.format import encode
from vizkit.format.types import HParams
from vizkit.reading import LogRoot, RunReader
from vizkit.reading.column_cache import ColumnCache
from vizkit.reading.filesystem import LogStat
from vizkit.reading.short_logs import _MAGIC

RUNS = 5
OLD = NOW // 1000  # seconds: files of that time


class Cache(ColumnCache):
    """A cache that counts the logs that it knew, and writes before it goes on."""

    known = 0

    def load(self, log: Readable, stat: LogStat) -> tuple[ColumnBuilder, int] | None:
        found = super().load(log, stat)
        self.known += found is not None
        return found

    def save_short(self) -> None:
        if thread := super().save_short():
            thread.join()


@pytest.fixture(autouse=True)
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.reading.short_logs._WORTH", RUNS - 1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    root = tmp_path / "log"
    for number in range(RUNS):
        hparams = {"lr": 0.1 * number, "name": "运行", "on": True}
        frames = [encode.encode_hparams(HParams(hparams, ["a"]), NOW)]
        frames += [scalar("a", number + step / 7, step) for step in range(10)]
        frames += [scalar("b", float("nan"), step) for step in range(0, 10, 3)]
        path = path_in(root / f"run{number}")
        path.write_bytes(b"".join(frames))
        os.utime(path, (OLD, OLD))
    return root


def opened(log: Path, directory: Path) -> tuple[LogRoot, int]:
    """The runs, and how many of them the cache knew; they are those that are read without one."""
    cache = Cache(directory, root=str(log))
    root = LogRoot(log, cache)
    plain = LogRoot(log)
    assert list(root.runs) == list(plain.runs)
    for name, run in root.runs.items():
        assert_same(run, plain.runs[name])
    return root, cache.known


def assert_same(run: RunReader, other: RunReader) -> None:
    assert (run.kinds, run.hparams, run.display_name, run.created, run.number) == (
        *(other.kinds, other.hparams, other.display_name, other.created, other.number),
    )
    assert [problem.message for problem in run.problems] == [problem.message for problem in other.problems]
    for tag, kind in run.kinds.items():
        for some, others in zip(
            *(one.scalars(tag) if kind == "scalar" else one.entries(tag)[:] for one in (run, other)),
            strict=True,
        ):
            assert repr(some) == repr(others)


def test_many_short_logs_are_opened_again(log: Path, tmp_path: Path) -> None:
    assert opened(log, tmp_path / "cache")[1] == 0
    root, known = opened(log, tmp_path / "cache")
    assert known == RUNS
    path = path_in(log / "run4")
    with path.open("ab") as file:
        file.write(scalar("a", 5.0, 10) + scalar("c", 6.0, 10))
    assert root.refresh().changed == ["run4"]  # they go on from there
    assert_same(root.runs["run4"], RunReader(log / "run4"))
    assert root.runs["run4"].last("c")[2] == 6.0


def test_what_a_tracker_records_is_the_same(log: Path, tmp_path: Path) -> None:
    with vizkit.Tracker(log / "more", hparams={"lr": 1e-3}, system=False) as tracker:
        tracker.log({"loss": 0.1}, step=0)
        tracker.log_text("note", "text", step=0)
    with vizkit.Tracker(log / "more", if_exists="resume", system=False) as tracker:
        tracker.log({"loss": 0.2}, step=1)
    for path in (log / "more").iterdir():
        os.utime(path, (OLD, OLD))
    opened(log, tmp_path / "cache")
    assert opened(log, tmp_path / "cache")[1] == RUNS + 1


@pytest.mark.parametrize("how", ["longer", "replaced", "rewritten", "touched", "gone"])
def test_a_log_that_changed_is_read_anew(how: str, log: Path, tmp_path: Path) -> None:
    opened(log, tmp_path / "cache")
    path = path_in(log / "run3")
    before = path.read_bytes()
    other = before.replace(scalar("a", 3 + 9 / 7, 9), scalar("a", 3 + 8 / 7, 9))
    assert len(other) == len(before) and other != before
    if how == "longer":
        with path.open("ab") as file:
            file.write(scalar("a", 1.0, 10))
        os.utime(path, (OLD, OLD))
    elif how == "replaced":  # another file of equal size and time
        (log / "new").write_bytes(other)
        os.utime(log / "new", (OLD, OLD))
        os.replace(log / "new", path)
    elif how == "rewritten":  # the same file, size and time
        with path.open("r+b") as file:
            file.write(other)
        os.utime(path, (OLD, OLD))
    elif how == "touched":
        os.utime(path, (OLD + 1, OLD + 1))
    else:
        shutil.rmtree(path.parent)
    assert opened(log, tmp_path / "cache")[1] == RUNS - 1


def test_a_log_that_was_just_written_is_not_kept(log: Path, tmp_path: Path) -> None:
    os.utime(path_in(log / "run3"))
    opened(log, tmp_path / "cache")
    assert opened(log, tmp_path / "cache")[1] == RUNS - 1


@pytest.mark.parametrize("what", ["short", "empty", "flipped", "text", "foreign", "folder", "link", "pipe"])
def test_a_file_that_is_not_whole_is_passed_over(what: str, log: Path, tmp_path: Path) -> None:
    opened(log, tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    data = bytearray(path.read_bytes())
    path.unlink()
    if what == "folder":
        path.mkdir()
    elif what == "link":
        (tmp_path / "elsewhere").write_bytes(data)
        path.symlink_to(tmp_path / "elsewhere")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        data[len(data) // 2] ^= what == "flipped"
        contents = {"short": bytes(data[:-9]), "empty": b"", "text": b"{}" * 999}
        path.write_bytes(contents.get(what, bytes(data)))
        path.chmod(0o622 if what == "foreign" else 0o600)
    assert opened(log, tmp_path / "cache")[1] == 0


@pytest.mark.parametrize("number", range(40))
def test_no_content_of_a_file_does_harm(number: int, log: Path, tmp_path: Path) -> None:
    """Each value of the heads in turn is replaced by one of another kind, under a right digest."""
    opened(log, tmp_path / "cache")
    (path,) = (tmp_path / "cache").iterdir()
    data = path.read_bytes()
    start = len(_MAGIC) + 24
    behind = start + int.from_bytes(data[start - 8 : start], "little")
    heads = json.loads(data[start:behind])
    odd = [None, -1, 2**70, "x", [], {"a": 1}, 1.5, [[1]]][number % 8]
    if number < 16:
        for head in heads:
            head[number % len(head)] = odd
        body = data[behind:]
    else:
        body, at = b"", behind
        for head in heads:
            length = int.from_bytes(data[at : at + 8], "little")
            inner = json.loads(data[at + 8 : at + 8 + length])
            if number < 24:
                inner["series"] = odd
            elif number < 32:
                inner["series"][0][number % 6] = odd
            else:
                inner[["name", "created", "lost", "sessions"][number % 4]] = odd
            text = json.dumps(inner).encode()
            one = len(text).to_bytes(8, "little") + text + data[at + 8 + length : at + head[-1]]
            at += head[-1]
            head[-1] = len(one)
            body += one
    text = json.dumps(heads).encode()
    digest = hashlib.blake2b(text + body, digest_size=16).digest()
    path.write_bytes(_MAGIC + digest + len(text).to_bytes(8, "little") + text + body)
    if number < 16:
        opened(log, tmp_path / "cache")
    else:  # what is there may be believed
        assert len(LogRoot(log, Cache(tmp_path / "cache", root=str(log))).runs) == RUNS


def test_a_directory_that_cannot_be_written_costs_nothing(log: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    for _ in range(2):
        assert opened(log, tmp_path / "cache")[1] == 0
    assert opened(log, Path("/proc/nowhere"))[1] == 0


def test_few_short_logs_are_not_worth_a_file(log: Path, tmp_path: Path) -> None:
    for number in range(2):
        shutil.rmtree(log / f"run{number}")
    opened(log, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()
