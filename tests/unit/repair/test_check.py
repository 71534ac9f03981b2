"""What is wrong with logs, and mending it: stock VisualDL reads all whole records afterwards."""

from __future__ import annotations

import gzip
import os
import shutil
import stat
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import vizkit
from tests.helpers import python, stock
from vizkit.errors import DataError, LogNotFoundError
from vizkit.format.decode import decode_record
from vizkit.format.encode import encode_scalar, encode_text, step_field, tag_field, walltime_field
from vizkit.format.frames import read_frames
from vizkit.repair._check import check
from vizkit.repair._renames import retagged
from vizkit.repair._repair import repair


def written(directory: Path, name: str, steps: range, tag: str = "loss", display_name: str = "") -> Path:
    """A log of stock VisualDL."""
    from visualdl import LogWriter

    with LogWriter(str(directory), file_name=name, display_name=display_name) as writer:
        for step in steps:
            writer.add_scalar(tag, step / 2, step, walltime=1_600_000_000_000 + step)
    return directory / name


def aged(root: Path) -> None:
    """As if nothing had been written for long."""
    for path in root.rglob("*"):
        if path.is_file():
            os.utime(path, (1.6e9, 1.6e9))


NOTES_ON_STEPS = ("superseded", "starting over", "trainings")


def kinds(root: Path) -> list[str]:
    """What is found, but for what is only worth knowing of the steps of these small logs."""
    return [finding.kind for finding in check(root) if finding.kind not in NOTES_ON_STEPS]


def mended(root: Path) -> None:
    """Mends what is there; nothing is found afterwards, and all that was there is kept."""
    before = sorted(path.read_bytes() for path in root.rglob("*vdlrecords*"))
    aged(root)
    done = repair(root)
    assert done and not any(one.left for one in done)
    assert kinds(root) == [] and repair(root) == []
    kept = [Path(path) for one in done for path in one.kept]
    assert kept and all("vdlrecords" not in path.name for path in kept)
    now = [path.read_bytes() for path in (*kept, *root.rglob("*vdlrecords*"))]
    assert all(content in now for content in before)


def steps(directory: Path, tag: str = "loss", kind: str = "scalar") -> list[int]:
    """Of the records that stock VisualDL reads."""
    return [record.id for record in stock(directory, kind, tag)]


def test_a_good_log_has_no_problems(tmp_path: Path) -> None:
    written(tmp_path / "stock", "vdlrecords.1.log", range(5))
    with vizkit.Tracker(tmp_path / "own", hparams={"a": 1}) as tracker:
        tracker.log({"loss": 1.0})
        assert kinds(tmp_path) == []
    assert kinds(tmp_path) == [] and repair(tmp_path) == []


def test_older_logs_are_merged_into_the_last(tmp_path: Path) -> None:
    for number, some in enumerate((range(5), range(5, 9), range(7, 12))):
        written(tmp_path / "run", f"vdlrecords.{number}.log", some)
    before = vizkit.load(tmp_path)[0].columns("loss", superseded=True)
    assert kinds(tmp_path) == ["hidden", "hidden"]
    mended(tmp_path)
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
    mended(tmp_path)
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
    mended(tmp_path)
    assert steps(tmp_path / "run") == whole


def test_a_frame_that_is_no_record_is_taken_out(tmp_path: Path) -> None:
    log = written(tmp_path / "run", "vdlrecords.1.log", range(5))
    nothing = b"\x0a\x05\x12\x03abc"  # a value with a tag alone: stock's server would not start
    with log.open("ab") as file:
        file.write(len(nothing).to_bytes(8, "little") + nothing)
    assert kinds(tmp_path) == ["undecodable"]
    mended(tmp_path)
    assert steps(tmp_path / "run") == list(range(5))


def test_empty_files_are_moved_aside(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(5))
    (tmp_path / "run" / "vdlrecords.0.log").touch()
    (tmp_path / "run" / "vdlrecords.9.log").touch()
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "vdlrecords.1.log").touch()
    assert kinds(tmp_path) == ["empty", "empty", "hiding"]
    mended(tmp_path)
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
    mended(tmp_path)
    assert steps(tmp_path / "run") == list(range(5))
    assert (tmp_path / "run" / "kept.1.log.gz.bak").exists()


def test_mixed_kinds_and_bad_tags_are_renamed(tmp_path: Path) -> None:
    from visualdl import LogWriter

    with LogWriter(str(tmp_path / "run"), file_name="vdlrecords.1.log") as writer:
        writer.add_scalar("loss", 0.5, 1)
        writer.add_histogram("loss", np.arange(10.0), 1)
        writer.add_text("loss_histogram", "taken", 1)
        writer.add_scalar("loss", 0.25, 2)
        writer.add_scalar("/slash", 1.0, 3)
    frames = [
        encode_scalar(tag_field(tag), 0.1, step_field(7), walltime_field(0)) for tag in ("a%b", "hparam")
    ]
    with (tmp_path / "run" / "vdlrecords.1.log").open("ab") as file:
        file.writelines(frames)
    assert sorted(kinds(tmp_path)) == ["mixed", "mixed", "tag", "tag"]
    mended(tmp_path)
    assert steps(tmp_path / "run") == [1, 2]
    assert len(stock(tmp_path / "run", "histogram", "loss_histogram_")) == 1
    assert [steps(tmp_path / "run", tag) for tag in ("slash", "a_b", "hparam_scalar")] == [[3], [7], [7]]
    run = vizkit.load(tmp_path)[0]
    assert run.columns("a_b").values.tolist() == [0.1]  # the exact value too


def test_hyper_parameters_that_empty_the_page_become_text_and_metrics_are_renamed(tmp_path: Path) -> None:
    from visualdl import LogWriter

    with LogWriter(str(tmp_path / "run")) as writer:
        writer.add_hparams({"lr": float("nan"), "clip": float("inf"), "n": 3}, ["/acc", "loss"])
        for step in range(3):
            writer.add_scalar("/acc", step / 4, step)
            writer.add_scalar("loss", step / 2, step)
    before = vizkit.load(tmp_path)[0].hparams
    assert sorted(kinds(tmp_path)) == ["hparams", "hparams", "tag"]
    mended(tmp_path)
    (run,) = vizkit.load(tmp_path)
    assert str(run.hparams) == str(before) == "{'lr': nan, 'clip': inf, 'n': 3}"
    assert run.metrics == ["acc", "loss"] == run.scalar_tags
    (settings,) = stock(tmp_path / "run", "hparams", "hparam")
    assert [info.name for info in settings.hparam.metricInfos] == ["acc", "loss"]
    assert [info.string_value for info in settings.hparam.hparamInfos][:2] == ["nan", "inf"]


def test_a_tag_of_two_kinds_in_two_logs_does_not_clash_when_they_are_one(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(3))
    (tmp_path / "run" / "vdlrecords.2.log").write_bytes(encode_text("loss", "words", 4, 0))
    mended(tmp_path)
    assert steps(tmp_path / "run") == [0, 1, 2] and steps(tmp_path / "run", "loss_text", "text") == [4]


def test_a_tag_that_is_no_utf8(tmp_path: Path) -> None:
    record = encode_scalar(b"\x12\x03a\xffb", 0.5, step_field(1), walltime_field(0))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "vdlrecords.1.log").write_bytes(record)
    assert kinds(tmp_path) == ["tag"]
    mended(tmp_path)
    assert steps(tmp_path / "run", "a_b") == [1]


def test_runs_of_one_display_name(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        written(tmp_path / name, "vdlrecords.1.log", range(2), display_name="" if name == "a" else "a")
    found = check(tmp_path)
    assert [(f.run, f.kind, f.repairable) for f in found] == [
        ("b", "display name", False),
        ("c", "display name", False),
    ]
    assert "a, b, c" in found[0].what and repair(tmp_path) == []


def test_a_run_that_was_killed_is_told_and_is_no_problem(tmp_path: Path) -> None:
    code = """
import os, signal, sys, time, vizkit
tracker = vizkit.Tracker(sys.argv[1])
tracker.log({"loss": 1.0}, step=0)
while not os.path.exists(sys.argv[1] + "/environment.json"):
    time.sleep(0.01)
os.kill(os.getpid(), signal.SIGKILL)
"""
    python(code, tmp_path / "run")
    assert [(f.kind, f.is_problem) for f in check(tmp_path)] == [("killed", False)]


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
        assert repair(tmp_path) == []  # nothing that can be mended now
        (tmp_path / "own" / "vdlrecords.0.log").touch()
        (left,) = repair(tmp_path)
        assert (left.run, left.done) == ("own", []) and left.left
        assert (own.read_bytes(), log.read_bytes()) == before
    mended(tmp_path)
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
    mended(tmp_path)


def test_a_writer_that_comes_later_goes_on_in_the_mended_log(tmp_path: Path) -> None:
    for number in (1, 2):
        written(tmp_path / "run", f"vdlrecords.{number}.log", range(number))
    mended(tmp_path)
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
    mended(tmp_path)
    assert np.array_equal(vizkit.load(tmp_path)[0].columns("loss").values, run.columns("loss").values)
    assert len(list(read_frames(log.read_bytes()))) == len(run.columns("loss").values) == 60_000 - 12


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_what_cannot_be_read() -> None:
    # Root may read everything: it looks as another user, in a directory that is open to that one.
    look = """
        import os, sys
        from vizkit.repair._check import check
        check(sys.argv[1])  # all that it imports, which another user may not be able to read
        if os.geteuid() == 0:
            os.setuid(65534)
        print(sorted((finding.run, finding.kind) for finding in check(sys.argv[1])))
    """
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        log = written(Path(root) / "run", "vdlrecords.1.log", range(3))
        closed = Path(root) / "closed"
        closed.mkdir(mode=0)
        log.chmod(0)
        try:
            found = python(textwrap.dedent(look), root)
        finally:
            closed.chmod(0o700)
    assert found.stdout.strip() == "[('closed', 'unreadable'), ('run', 'unreadable')]", found.stderr


def test_a_broken_environment_is_told(tmp_path: Path) -> None:
    written(tmp_path / "run", "vdlrecords.1.log", range(3))
    (tmp_path / "run" / "environment.json").write_text("{")
    (finding,) = check(tmp_path)
    assert finding.kind == "environment" and not finding.repairable


def test_where_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert check(tmp_path) == [] and repair(tmp_path) == []
    with pytest.raises(LogNotFoundError):
        check(tmp_path / "nowhere")
    with pytest.raises(DataError, match="remote"):
        repair("memory://log")


def test_another_tag_and_all_else_as_it_was() -> None:
    frame = encode_scalar(tag_field("a"), 1 / 3, step_field(-5), walltime_field(17))
    before, after = decode_record(frame[8:]), decode_record(retagged(frame[8:], "损失"))
    assert after.tag == "损失"
    assert (after.step, after.walltime, after.data) == (before.step, before.walltime, before.data)
    assert len(retagged(frame[8:], "a")) == len(frame) - 8
