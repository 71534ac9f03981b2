"""What is lost stands in the log, and is said at the end."""

from __future__ import annotations

import errno
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import log_of, records
from vizkit import DataError, LogWriter, Tracker, VizKitWarning, language, load
from vizkit.format.decode import decode_record
from vizkit.format.encode import encode_meta_data
from vizkit.format.frames import read_frames
from vizkit.hooks._autolog import drop_in
from vizkit.repair import check
from vizkit.tracking.tracker import tracker_without_log
from vizkit.writing.losses import end_all

pytestmark = pytest.mark.filterwarnings("ignore::vizkit.errors.VizKitWarning")


REASON = DataError("no number")


def told(directory: Path) -> list[str]:
    """The problems of a run, read from its files alone, without their paths."""
    (run,) = load(directory)
    assert {problem.kind for problem in run.problems} <= {"lost"}
    return [problem.message.partition(": ")[2] for problem in run.problems]


def lose(writer: Any, tag: str, times: int = 1) -> None:
    for _ in range(times):
        writer.losses.count(tag, REASON)


def test_the_systems_errors_are_said_in_chinese_and_recorded_in_english(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    language("zh")
    with LogWriter(str(tmp_path / "run")) as writer:
        writer.add_scalar("x", 1.0, 0)
        writer.losses.count("x", OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/log"))
    assert "1 x x ([Errno 28] 设备上没有剩余空间: '/full/log')" in capsys.readouterr().err
    data = log_of(tmp_path / "run").read_bytes()
    assert b"[Errno 28] No space left on device: '/full/log'" in data and "剩余".encode() not in data


@pytest.mark.parametrize("make", [LogWriter, drop_in.LogWriter, Tracker])
def test_what_is_lost_is_in_the_log_and_is_said_once(
    tmp_path: Path, make: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make(tmp_path / "run")
    lose(run, "train/loss")
    assert told(tmp_path) == ["1 of train/loss was not recorded: no number"]
    lose(run, "train/loss", 2)
    lose(run, "weights")
    run.close()
    run.close()
    assert sorted(told(tmp_path)) == [
        "1 of weights was not recorded: no number",
        "3 of train/loss were not recorded: no number",
    ]
    assert run.lost == {"train/loss": 3, "weights": 1}
    assert capsys.readouterr().err.splitlines()[-1 - (make is Tracker)] == (
        f"{tmp_path}/run: not recorded: 3 x train/loss (no number), 1 x weights (no number)"
    )
    assert {finding.kind for finding in check(tmp_path) if "recorded" in finding.what} == {"lost"}
    assert not [finding for finding in check(tmp_path) if finding.is_problem]


@pytest.mark.parametrize(("run", "line"), [("", "vizkit: not recorded: 2 x fit (no number)\n"), ("run", "")])
def test_autolog_says_what_it_lost_and_other_ranks_nothing(
    run: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tracker = tracker_without_log(run, enabled=True)
    lose(tracker, "fit", 2)
    end_all()
    end_all()
    assert capsys.readouterr().err == line


def test_a_run_that_lost_nothing_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("a", 1.0, 0)
    assert told(tmp_path) == [] and capsys.readouterr().err == ""


def test_sessions_add_up_and_a_log_opened_again_does_not(tmp_path: Path) -> None:
    writer = drop_in.LogWriter(tmp_path / "run")
    lose(writer, "a", 2)
    writer.close()
    writer.add_scalar("b", 1.0, 0)  # opens it again
    lose(writer, "a")
    writer.close()
    assert told(tmp_path) == ["3 of a were not recorded: no number"]
    code = encode_meta_data("meta_data_tag", "", 0, 1, session=1, lost={"a": (4, "later")})  # type: ignore[arg-type]
    with log_of(tmp_path / "run").open("ab") as log:
        log.write(code)
    assert told(tmp_path) == ["7 of a were not recorded: later"]


def test_what_comes_after_the_end_is_in_the_log_too(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run")
    tracker.log({"a": 1.0})
    tracker.close()
    tracker.log({"a": 2.0})
    (message,) = told(tmp_path)
    assert message.startswith("1 of a was not recorded: ") and "after close()" in message


def test_a_deleted_run_is_not_made_again_to_tell(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run")
    tracker.close()
    log_of(tmp_path / "run").unlink()
    tracker.log({"a": 2.0})
    assert tracker.lost == {"a": 1} and not list((tmp_path / "run").glob("*vdlrecords*"))


def test_a_full_disk_is_told_when_there_is_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = LogWriter(tmp_path / "run")
    writer.add_scalar("a", 1.0, 0)
    with monkeypatch.context() as patched:
        patched.setattr("vizkit.writing.log_file._os_write", full)
        writer.add_scalar("a", 2.0, 1)
        writer.add_scalar("a", 3.0, 2)
    assert told(tmp_path) == []
    writer.add_histogram("h", np.arange(9), 0)
    writer.flush()
    assert told(tmp_path) == ["2 of a were not recorded: [Errno 28] No space left on device"]
    assert [record.tag for record in records(tmp_path / "run")][:1] == ["a"]


def full(fd: int, data: bytes) -> int:
    raise OSError(28, "No space left on device")


def test_it_is_counted_and_noted_where_warnings_are_errors(tmp_path: Path) -> None:
    writer = LogWriter(tmp_path / "run")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(VizKitWarning):
            lose(writer, "a")
    assert writer.lost == {"a": 1} and len(told(tmp_path)) == 1


def test_the_log_is_in_english_in_every_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit._language._chosen", "zh")
    monkeypatch.setattr("vizkit._language._catalogue", lambda code: {"a step must be finite": "X"})
    writer = LogWriter(tmp_path / "run")
    writer.losses.count("a", DataError("a step must be finite"))
    (frame, *_) = [
        record
        for record in map(decode_record, read_frames(log_of(tmp_path / "run").read_bytes()))
        if record.lost
    ]
    assert frame.lost == {"a": (1, "a step must be finite")}


@pytest.mark.parametrize(
    "content",
    ["[]", "3", "nonsense", '{"a": 3}', '{"a": [0, "x"]}', '{"a": ["9", "x"]}', '{"a": [1e999, ""]}'],
)
def test_notes_that_no_writer_writes_are_left_out(tmp_path: Path, content: str, monkeypatch: Any) -> None:
    with LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("a", 1.0, 0)
    monkeypatch.setattr("json.dumps", lambda *args, **kwargs: content)
    frame = encode_meta_data("meta_data_tag", "", 0, 1, lost={"a": (1, "")})
    monkeypatch.undo()
    with log_of(tmp_path / "run").open("ab") as log:
        log.write(frame)
    assert told(tmp_path) == []
