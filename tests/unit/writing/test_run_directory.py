"""How the directory of a run is chosen, resumed and replaced, and which file in it is the log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import by_tag, log_of, series, stock
from vizkit import RunExistsError, Tracker, VizKitWarning
from vizkit._locks import hold_directory
from vizkit.writing import run_directory


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_a_taken_directory_gets_the_next_sibling_and_says_so(tmp_path: Path) -> None:
    Tracker(tmp_path / "run").close()
    for expected in ("run-2", "run-3"):
        with pytest.warns(VizKitWarning, match=f"recording to .*{expected}"):
            tracker = Tracker(tmp_path / "run")
        tracker.log({"a": 1})
        tracker.close()
        assert Path(tracker.logdir).name == expected
    assert names(tmp_path) == ["run", "run-2", "run-3"]


def test_an_empty_directory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("x: 1")
    assert Tracker(tmp_path / "run").logdir == str(tmp_path / "run")


def test_resume_appends_and_the_clock_goes_on(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", hparams={"lr": 1}) as first:
        for i in range(3):
            first.log({"loss": i})
    with log_of(tmp_path / "run").open("ab") as torn:  # killed amid a record
        torn.write(b"\x20\0\0\0\0\0\0\0\x0a")
    with Tracker(tmp_path / "run", if_exists="resume", hparams={"epochs": 2}) as second:
        assert second.step == 3
        second.log({"loss": 3})
    assert series(tmp_path / "run", "loss") == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]
    assert series(tmp_path / "run", "hparam")[-1][1].hparams == {"lr": 1, "epochs": 2}
    assert len(stock(tmp_path / "run", "scalar", "loss")) == 4


def test_replace_starts_over_and_keeps_other_files(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run") as first:
        first.log({"old": 1})
    (tmp_path / "run" / "vdlgraph.1.log").write_text("{}")
    (tmp_path / "run" / "weights.pdparams").write_text("kept")
    with Tracker(tmp_path / "run", if_exists="replace") as second:
        second.log({"new": 1})
    assert list(by_tag(tmp_path / "run")) == ["new"]
    assert (tmp_path / "run" / "weights.pdparams").read_text() == "kept"
    assert not (tmp_path / "run" / "vdlgraph.1.log").exists()


def test_fail_raises_and_a_typo_names_the_choices(tmp_path: Path) -> None:
    Tracker(tmp_path / "run", if_exists="fail").close()
    with pytest.raises(RunExistsError, match="holds records already"):
        Tracker(tmp_path / "run", if_exists="fail")
    with pytest.raises(ValueError, match=r"'resume'.*'overwrite'"):
        Tracker(tmp_path / "run", if_exists="overwrite")  # type: ignore[arg-type]
    assert names(tmp_path) == ["run"]


def test_64_trackers_at_the_same_instant_get_64_directories(tmp_path: Path) -> None:
    """Half in one process, half in others, all asking for the same run."""
    code = """
import sys, threading, warnings
warnings.simplefilter("ignore")
from vizkit import Tracker
from vizkit.writing import run_directory
run_directory._WAIT_SECONDS = 300.0  # however slow the machine is
def start(i):
    tracker = Tracker(sys.argv[1])
    tracker.log({"id": int(sys.argv[2]) * 100 + i})
    tracker.close()
print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=start, args=(i,)) for i in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "run"), str(i)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for i in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=250)
        assert process.returncode == 0
    ids = [series(directory, "id")[0][1] for directory in tmp_path.iterdir()]
    assert sorted(ids) == sorted(i * 100 + j for i in range(4) for j in range(16))
    assert names(tmp_path) == sorted(["run", *(f"run-{i}" for i in range(2, 65))])


def test_the_log_that_stock_reads_is_continued(tmp_path: Path) -> None:
    assert run_directory.log_files(tmp_path / "none") == []
    for name in ("vdlrecords.2.log", "vdlrecords.10.log", "vdlrecords.1.log-b", "other.txt"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "vdlrecords.9.log").touch()  # stock tolerates an empty one, and reads nothing from it
    assert run_directory.log_files(tmp_path) == [
        "vdlrecords.1.log-b",
        "vdlrecords.10.log",
        "vdlrecords.2.log",
    ]
    assert run_directory.log_path(str(tmp_path)) == (str(tmp_path / "vdlrecords.2.log"), True)
    assert run_directory.log_path(str(tmp_path), suffix="-b") == (str(tmp_path / "vdlrecords.1.log-b"), True)
    path, there = run_directory.log_path("s3://bucket/run/")
    assert path.startswith("s3://bucket/run/vdlrecords.") and not there


def test_a_name_that_visualdl_would_not_find_is_changed(tmp_path: Path) -> None:
    with pytest.warns(VizKitWarning, match=r"'vdlrecords\.a\.log' is written, not 'a\.log'"):
        path, there = run_directory.log_path(str(tmp_path), "a.log")
    assert (path, there) == (str(tmp_path / "vdlrecords.a.log"), False)


def test_only_the_files_of_a_run_are_removed(tmp_path: Path) -> None:
    own = ["vdlrecords.1.log", "vdlgraph.1.log", "environment.json"]
    for name in [*own, "model.pdparams", "notes.txt"]:
        (tmp_path / name).touch()
    (tmp_path / "vdlrecords").mkdir()
    run_directory.remove_logs(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.pdparams", "notes.txt", "vdlrecords"]


def test_the_ranks_of_a_run_lie_beside_it(tmp_path: Path) -> None:
    for name in ("run", "run-rank1", "run-rank12", "run-rankx", "other-rank1"):
        (tmp_path / name).mkdir()
    found = run_directory.rank_directories(tmp_path / "run")
    assert [path.name for path in found] == ["run-rank1", "run-rank12"]


def test_a_directory_that_another_process_holds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_directory, "_WAIT_SECONDS", 0.01)
    with run_directory.claimed(tmp_path / "run") as free:
        assert free
        with (
            pytest.raises(RunExistsError, match="locked by another process"),
            run_directory.claimed(tmp_path / "run"),
        ):
            pass
    (tmp_path / "run" / "vdlrecords.1.log").write_bytes(b"x")
    with run_directory.claimed(tmp_path / "run") as free:
        assert not free


def test_without_locks_the_maker_of_a_directory_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit._locks.fcntl", None)
    with hold_directory(tmp_path, 1) as locked:
        assert locked is None
    for expected in (True, False):
        with run_directory.claimed(tmp_path / "run") as free:
            assert free is expected
