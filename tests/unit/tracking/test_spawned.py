"""A tracker at module level, in processes that are spawned and import the script again. Real processes."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import PATIENCE, ROOT, by_tag, series
from vizkit import Tracker, load
from vizkit.environment import read_environment

SCRIPT = """
import multiprocessing, os, sys, warnings
import vizkit

method, options = sys.argv[1], eval(sys.argv[2])
tracker = vizkit.Tracker("run", hparams={"lr": 0.1}, **options)
tracker.log_hparams({"batch size": 64})
tracker.log({"at import": 1}, 0)
assert tracker.enabled

def work(rank):
    if rank is not None:  # as paddle.distributed.spawn does
        os.environ.update(PADDLE_TRAINER_ID=str(rank), PADDLE_TRAINERS_NUM="2")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for step in range(3):
            tracker.log({"loss": 10 * (rank or 0) + step}, step)
            tracker.log_text("text", f"rank {rank}", step)
    print(f"{rank}: {tracker.enabled}, {[str(each.message) for each in caught]}", flush=True)

if __name__ == "__main__":
    context = multiprocessing.get_context(method)
    for rank in eval(sys.argv[3]):
        process = context.Process(target=work, args=(rank,))
        process.start()
        process.join()
        assert not process.exitcode
    tracker.log({"end": 1}, 3)
"""


def spawned(
    directory: Path, children: str, method: str = "spawn", code: str = SCRIPT, **options: object
) -> list[str]:
    """Run the script with the given ranks of its children, and return what these print."""
    (directory / "script.py").write_text(code, "utf-8")
    done = subprocess.run(
        [sys.executable, "script.py", method, repr({"system": False, **options}), children],
        capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def runs_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_dir())


@pytest.mark.parametrize(
    ("method", "if_exists"), [("spawn", "new"), ("spawn", "resume"), ("forkserver", "replace")]
)
def test_rank_0_goes_on_in_its_parents_run(method: str, if_exists: str, tmp_path: Path) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    earlier = ["run"] if if_exists == "new" else []
    for name in earlier:
        with Tracker(tmp_path / name, system=False) as tracker:
            tracker.log({"loss": -1.0}, 0)
    printed = spawned(tmp_path, "[1, 0]", method, if_exists=if_exists)
    assert printed == ["1: False, []", "0: True, []"]
    run = tmp_path / ("run-2" if earlier else "run")
    assert runs_in(tmp_path) == [*earlier, run.name]
    assert series(run, "loss") == [(0, 0), (1, 1), (2, 2)]
    assert [text for _, text in series(run, "text")] == ["rank 0"] * 3
    assert series(run, "at import") == [(0, 1)]
    assert series(run, "end") == [(3, 1)]
    assert by_tag(run)["hparam"][-1].data.hparams == {"lr": 0.1, "batch size": 64}
    made = read_environment(run)
    assert [session["status"] for session in [*made["sessions"], made]] == ["finished"] * 2
    loaded = load(tmp_path)[run.name]
    assert loaded.scalars("loss")["value"].tolist() == [0, 1, 2] and not loaded.problems


def test_every_rank_records_beside_its_parents_run(tmp_path: Path) -> None:
    assert spawned(tmp_path, "[1, 0]", ranks="all") == ["1: True, []", "0: True, []"]
    assert runs_in(tmp_path) == ["run", "run-rank1"]
    for rank, name in enumerate(["run", "run-rank1"]):
        assert series(tmp_path / name, "loss") == [(step, 10 * rank + step) for step in range(3)]
        assert series(tmp_path / name, "at import") == [(0, 1)]
        assert by_tag(tmp_path / name)["hparam"][-1].data.hparams == {"lr": 0.1, "batch size": 64}


@pytest.mark.parametrize("if_exists", ["new", "replace"])
def test_a_worker_leaves_the_run_to_its_parent(if_exists: str, tmp_path: Path) -> None:
    (line,) = spawned(tmp_path, "[None]", if_exists=if_exists)
    assert line.startswith("None: False, ['run belongs to the parent process")
    assert runs_in(tmp_path) == ["run"]
    assert set(by_tag(tmp_path / "run")) == {"hparam", "at import", "end"}
    assert not read_environment(tmp_path / "run")["sessions"]


def test_a_launched_ranks_worker_is_no_rank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "0")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    (line,) = spawned(tmp_path, "[None]")
    assert "belongs to the parent" in line
    assert set(by_tag(tmp_path / "run")) == {"hparam", "at import", "end"}


def test_a_run_that_the_parent_has_not_made_begins_with_all_records(tmp_path: Path) -> None:
    """As of a directory that is named by the time."""
    code = SCRIPT.replace('Tracker("run"', 'Tracker(f"run {os.getpid()}"')
    assert spawned(tmp_path, "[1, 0]", code=code) == ["1: False, []", "0: True, []"]
    runs = [tmp_path / name for name in runs_in(tmp_path)]
    (run,) = [run for run in runs if "loss" in by_tag(run)]
    assert len(runs) == 2
    assert series(run, "loss") == [(0, 0), (1, 1), (2, 2)]
    assert series(run, "at import") == [(0, 1)]
    assert by_tag(run)["hparam"][-1].data.hparams == {"lr": 0.1, "batch size": 64}


def test_trackers_of_one_name_go_with_their_order(tmp_path: Path) -> None:
    code = SCRIPT.replace("tracker =", 'other = vizkit.Tracker("run", **options)\ntracker =')
    spawned(tmp_path, "[0]", code=code)
    assert runs_in(tmp_path) == ["run", "run-2"]
    assert series(tmp_path / "run-2", "loss") == [(0, 0), (1, 1), (2, 2)]
    assert not by_tag(tmp_path / "run")


def test_a_run_that_cannot_begin_stops_no_training(tmp_path: Path) -> None:
    code = SCRIPT.replace('Tracker("run"', 'Tracker(f"{__name__}/run"')
    (tmp_path / "__mp_main__").write_text("no directory")
    (line,) = spawned(tmp_path, "[0]", code=code)
    assert "nothing can be recorded to __mp_main__/run" in line
