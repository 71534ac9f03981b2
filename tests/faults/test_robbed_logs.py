"""Logs that others delete, move, replace or cut while they are recorded: nothing is lost uncounted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers import ROOT, damage, log_of, python, records, series, stock, until
from vizkit import LogWriter, Tracker, VizKitWarning
from vizkit.environment import read_environment
from vizkit.format.decode import decode_record
from vizkit.format.frames import read_frames


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Tracker]:
    with Tracker(tmp_path / "log" / "run") as tracker:
        for step in range(100):
            tracker.log({"loss": step / 3}, step)
        yield tracker


def record(tracker: Tracker, first: int, last: int) -> None:
    for step in range(first, last):
        tracker.log({"loss": step / 3}, step)


def scalars_of(log: Path) -> Counter[str]:
    """Tag -> number of scalars in a log."""
    found = (decode_record(data) for data in read_frames(log.read_bytes()))
    return Counter(record.tag for record in found if record.kind == "scalar")


def steps(directory: Path | str) -> list[int | float]:
    return [step for step, _ in series(directory, "loss")]


def delete_file(directory: Path) -> None:
    log_of(directory).unlink()


def delete_directory(directory: Path) -> None:
    shutil.rmtree(directory)


def delete_all(directory: Path) -> None:
    shutil.rmtree(directory.parent)


def put_a_copy_back(directory: Path) -> None:
    """As ``rsync`` does: a copy made before, in the place of the file."""
    log = log_of(directory)
    data = log.read_bytes()
    (directory / "part").write_bytes(data[: len(data) // 2])
    (directory / "part").replace(log)


def make_an_empty_one(directory: Path) -> None:
    log = log_of(directory)
    log.unlink()
    log.touch()


@pytest.mark.parametrize(
    "rob", [delete_file, delete_directory, delete_all, put_a_copy_back, make_an_empty_one]
)
def test_a_log_that_is_deleted_is_written_again_with_all_its_records(
    run: Tracker, rob: Callable[[Path], None]
) -> None:
    directory = Path(run.logdir)
    rob(directory)
    record(run, 100, 150)
    with pytest.warns(VizKitWarning, match="while it was recorded: its records were written again"):
        run.close()
    assert steps(directory) == list(range(150))
    assert not run.lost
    assert not damage(log_of(directory))
    assert len(stock(directory, "scalar", "loss")) == 150
    assert read_environment(directory)["status"] == "finished"
    assert {path.name for path in directory.iterdir()} == {log_of(directory).name, "environment.json"} | {
        path.name for path in directory.glob("environment.*.diff")
    }


@pytest.mark.parametrize("rob", [delete_file, delete_directory])
def test_it_is_noticed_while_recording_and_again(run: Tracker, rob: Callable[[Path], None]) -> None:
    directory, step = Path(run.logdir), 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            rob(directory)

            def noticed() -> bool:
                nonlocal step
                record(run, step, step + 1)
                step += 1
                return bool(list(directory.glob("*vdlrecords*")))

            until(noticed)
        run.close()
    assert steps(directory) == list(range(step))
    assert not run.lost


def test_images_go_on_too(run: Tracker) -> None:
    delete_directory(Path(run.logdir))
    for step in range(5):
        run.log_histogram("weights", list(range(50_000)), step)
    with pytest.warns(VizKitWarning, match="written again"):
        run.close()
    assert [step for step, _ in series(run.logdir, "weights")] == list(range(5))


def test_a_run_that_is_deleted_after_its_last_record_stays_deleted(run: Tracker) -> None:
    run.flush()
    log = log_of(run.logdir)
    before = os.stat(log).st_mtime_ns

    def later() -> bool:  # the clock of the file system has moved on since the last record
        (log.parent / "probe").write_text("")
        return (log.parent / "probe").stat().st_mtime_ns > before

    until(later)
    delete_directory(Path(run.logdir))
    run.close()
    assert not Path(run.logdir).exists()
    assert not run.lost


@pytest.mark.parametrize("whole", [True, False], ids=["the directory", "the file"])
def test_a_log_that_is_moved_is_followed(run: Tracker, tmp_path: Path, whole: bool) -> None:
    old = Path(run.logdir)
    log = log_of(old)
    new = old.with_name("renamed") if whole else old
    target = new if whole else old / "vdlrecords.2.log"
    (old if whole else log).rename(target)
    record(run, 100, 150)
    with pytest.warns(VizKitWarning, match=f"was moved while it was recorded: it goes on as .*{target.name}"):
        run.close()
    assert run.logdir == str(new)
    assert steps(new) == list(range(150))
    assert not run.lost
    assert read_environment(new)["status"] == "finished"
    assert [path.name for path in (tmp_path / "log").iterdir()] == [new.name]


def test_a_script_that_changes_its_directory_has_moved_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Tracker("log/run") as tracker:
            record(tracker, 0, 10)
            (tmp_path / "elsewhere").mkdir()
            monkeypatch.chdir(tmp_path / "elsewhere")
            print("said elsewhere")
            record(tracker, 10, 20)
    assert steps(tmp_path / "log" / "run") == list(range(20))
    assert "said elsewhere" in (tmp_path / "log" / "run" / "vizkit.console.log").read_text()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert read_environment(tmp_path / "log" / "run")["status"] == "finished"


def test_another_training_that_replaces_a_run_gets_a_log_of_its_own(run: Tracker) -> None:
    code = """
import sys, vizkit
with vizkit.Tracker(sys.argv[1], if_exists="replace", system=False) as tracker:
    for step in range(20):
        tracker.log({"other": step}, step)
"""
    done = python(code, run.logdir)
    assert done.returncode == 0, done.stderr
    record(run, 100, 150)
    with pytest.warns(VizKitWarning, match="written again"):
        run.close()
    logs = sorted(Path(run.logdir).glob("*vdlrecords*"))
    assert len(logs) == 2
    assert sorted(map(scalars_of, logs), key=str) == [{"loss": 150}, {"other": 20}]


def test_many_that_replace_one_run_at_once_lose_nothing_uncounted(tmp_path: Path) -> None:
    code = """
import sys, vizkit, warnings
warnings.simplefilter("ignore")
with vizkit.Tracker(sys.argv[1], if_exists="replace", system=False) as tracker:
    print("begun", flush=True)
    sys.stdin.readline()
    for step in range(50):
        tracker.log({"loss" + sys.argv[2]: step}, step)
print(sum(tracker.lost.values()))
"""
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    each = [
        subprocess.Popen(
            [*command, str(number)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        for number in range(8)
    ]
    for process in each:
        assert process.stdout and process.stdout.readline() == "begun\n"
    lost = [int(process.communicate("go\n", timeout=120)[0]) for process in each]
    kept = [0] * 8
    for log in (tmp_path / "run").glob("*vdlrecords*"):
        assert not damage(log)
        for tag, count in scalars_of(log).items():
            kept[int(tag.removeprefix("loss"))] += count
    assert [a + b for a, b in zip(kept, lost, strict=True)] == [50] * 8


def test_a_log_that_is_cut_goes_on_with_a_beginning_of_its_own(run: Tracker) -> None:
    log = log_of(run.logdir)
    run.writer.look()
    os.truncate(log, 333)  # within a record
    with pytest.warns(VizKitWarning, match="bytes were cut off .* by another program"):
        run.writer.look()
    record(run, 100, 150)
    run.close()
    assert not damage(log)
    assert [record.step for record in records(run.logdir) if record.tag == "loss"][-50:] == list(
        range(100, 150)
    )
    assert run.lost == {"log": 1}


@pytest.mark.parametrize("looked", [True, False])
def test_a_log_that_is_cut_and_has_grown_again_before_anybody_looks(run: Tracker, looked: bool) -> None:
    """It is as long as it was, and longer."""
    log = log_of(run.logdir)
    if looked:
        run.writer.look()
    size = log.stat().st_size
    os.truncate(log, size - 1000)
    record(run, 100, 200)
    assert log.stat().st_size > size
    with pytest.warns(VizKitWarning, match=r"1,000 bytes were cut off .* by another program"):
        run.close()
    assert not damage(log)
    kept = steps(log.parent)
    assert set(range(100, 200)) <= set(kept) and 50 < len(kept) < 200
    assert run.lost == {"log": 1}
    assert len(stock(log.parent, "scalar", "loss")) == len(kept)


def test_a_log_that_another_program_overwrites_is_noticed(run: Tracker) -> None:
    log = log_of(run.logdir)
    run.writer.look()
    size = log.stat().st_size
    with log.open("r+b") as file:
        file.seek(size - 100)
        file.write(bytes(100))
    with pytest.warns(VizKitWarning, match="was cut or overwritten by another program"):
        run.writer.look()
    record(run, 100, 150)
    run.close()
    assert not damage(log) and steps(log.parent)[-50:] == list(range(100, 150))


def test_what_other_writers_append_is_no_cut(run: Tracker) -> None:
    with LogWriter(run.logdir) as other:
        for step in range(100):
            run.log({"loss": step / 3}, 100 + step)
            other.add_scalar("other", step, step)
            run.writer.look()
    run.close()
    assert not run.lost and steps(run.logdir) == list(range(200))


def test_what_cannot_be_written_again_is_counted(run: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    delete_directory(Path(run.logdir))
    record(run, 100, 150)
    with monkeypatch.context() as patch, pytest.warns(VizKitWarning, match="cannot be written again"):
        patch.setattr("vizkit.writing.restoring.os.write", full)
        run.writer.look()
    assert run.lost == {"log": 1}
    record(run, 150, 160)  # and there is room again
    with pytest.warns(VizKitWarning, match="written again"):
        run.close()
    assert steps(run.logdir) == list(range(160))


# -- runs that nobody closes ---------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["Tracker", "LogWriter"])
@pytest.mark.parametrize(
    "rob", ["shutil.rmtree(run)", "shutil.rmtree(run); os.mkdir(run)", "os.rename(run, run + '-2')"]
)
def test_a_script_that_closes_nothing_notices_at_its_end(tmp_path: Path, rob: str, first: str) -> None:
    code = (
        f"import os, shutil, sys, vizkit, warnings; vizkit.{first}\n"
        "warnings.simplefilter('ignore')\n"
        "run = sys.argv[1]; tracker = vizkit.Tracker(run, quiet=True); tracker.log({'loss': 0.0}, 0)\n"
        f"{rob}\n"
        "for step in range(1, 20): tracker.log({'loss': step / 3}, step)\n"
        "sys.exit(3)\n"
    )
    done = python(code, tmp_path / "run")
    assert (done.returncode, done.stderr) == (3, "")
    (directory,) = tmp_path.iterdir()
    assert directory.name == ("run-2" if "rename" in rob else "run")
    assert steps(directory) == list(range(20))
    assert read_environment(directory)["status"] == "failed"


def test_a_dropped_tracker_of_a_run_that_was_moved_is_finished_there(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run")
    record(tracker, 0, 10)
    (tmp_path / "run").rename(tmp_path / "moved")
    del tracker
    until(lambda: read_environment(tmp_path / "moved")["status"] == "finished")
    assert not (tmp_path / "run").exists()
