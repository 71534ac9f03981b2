"""Disks that are full, over quota or gone: what is lost is counted, and nothing foreign is raised."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.helpers import by_tag, damage, log_of, python, series
from vizkit import LogWriter, RunStartError, Tracker, VizKitError, VizKitWarning


def test_a_run_that_cannot_be_begun_says_where_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for strict in (False, True):
        with pytest.raises(RunStartError, match=r"nothing can be recorded to .*file/run.*another directory"):
            Tracker(tmp_path / "file" / "run", strict=strict)
    with pytest.raises(VizKitError, match="nothing can be recorded to"):
        Tracker(tmp_path / ("x" * 300))


def test_a_disk_that_is_full_at_the_first_record_leaves_no_part_of_a_beginning(tmp_path: Path) -> None:
    code = """
import resource, signal, sys
import vizkit
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
writer = vizkit.LogWriter(sys.argv[1], display_name="a run")
for room in range(1, 40):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    writer.add_scalar("loss", 0.5, room)
resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
writer.add_scalar("loss", 0.5, 100)
"""
    done = python(code, tmp_path)
    assert done.returncode == 0, done.stderr
    assert not damage(log_of(tmp_path))
    assert series(tmp_path, "loss")[-1] == (100, 0.5)


def test_a_full_disk_counts_every_metric_of_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Tracker(tmp_path / "run") as tracker:
        with monkeypatch.context() as patch, pytest.warns(VizKitWarning, match="No space") as warned:
            patch.setattr("vizkit.writing.log_file._os_write", full)
            tracker.log({"a": 1, "b": 2, "c": 3}, 0)
            tracker.log({"a": 1, "b": 2}, 1)
            tracker.log_text("text", "x", 1)
            tracker.flush()
        assert len(warned) == 1  # not one a tag
        tracker.log({"a": 1}, 2)
    assert tracker.lost == {"a": 2, "b": 2, "c": 1, "text": 1}


@pytest.mark.parametrize("code", [errno.EDQUOT, errno.ESTALE, errno.EIO])
def test_an_error_of_close_is_counted_and_no_number_is_closed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    tracker = Tracker(tmp_path / "run")
    tracker.log({"loss": 0.5}, 0)
    closed: list[int] = []
    close = os.close

    def failing(fd: int) -> None:
        is_log = log_of(tmp_path / "run").samefile(f"/proc/self/fd/{fd}")
        close(fd)
        if is_log:
            closed.append(fd)
            raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch, pytest.warns(VizKitWarning, match="log: not recorded"):
        patch.setattr("vizkit.writing.log_file.os.close", failing)
        tracker.close()
        tracker.close()
    assert len(closed) == 1
    assert tracker.lost == {"log": 1}


def test_a_directory_whose_name_is_not_utf_8_keeps_the_hyper_parameters(tmp_path: Path) -> None:
    directory = os.fsdecode(os.fsencode(tmp_path) + "/实验".encode("gbk"))
    with Tracker(directory, hparams={"lr": 0.1}, metrics=["loss"]) as tracker:
        tracker.log({"loss": 0.5}, 0)
    assert not tracker.lost
    assert by_tag(directory)["hparam"][0].data.hparams == {"lr": 0.1}
    with LogWriter(directory) as writer:
        writer.add_hparams({"lr": 0.2}, [])
    assert by_tag(directory)["hparam"][-1].data.hparams == {"lr": 0.2}
