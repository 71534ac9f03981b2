"""How the directory of a run is chosen, resumed and replaced, through `vizkit.Tracker`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import by_tag, log_of, series, stock
from vizkit import RunExistsError, Tracker, VizKitWarning


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
