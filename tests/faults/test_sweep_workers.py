"""Worker processes of a sweep: shared work, kills, Ctrl-C, what they cannot do."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

import vizkit
from tests.helpers import PATIENCE, ROOT, python, until
from vizkit.cli.sweep import sweep_script
from vizkit.environment.processes import process_identity
from vizkit.errors import DataError, VizKitError
from vizkit.sweeps import status

PROGRAM = """
import os, sys, time
import vizkit

def train(hparams, tracker):
    until = os.path.join(sys.argv[1], "go")
    tracker.log({"eval/acc": hparams["x"], "threads": float(os.environ["OMP_NUM_THREADS"])}, step=0)
    open(os.path.join(sys.argv[1], f"began{os.getpid()}-{hparams['x']}"), "w").close()
    while not os.path.exists(until):
        time.sleep(0.01)
    tracker.log({"eval/acc": hparams["x"] + 1}, step=1)

result = vizkit.sweep(
    train, {"x": list(range(6))}, logdir=sys.argv[1] + "/log", metric="eval/acc", workers=2, retries=9
)
import ast
import json
print(json.dumps(result.to_dict()))
"""


def begun(directory: Path) -> list[tuple[int, int]]:
    """Process and hyper-parameter of each training that has begun."""
    names = [path.name.removeprefix("began").split("-") for path in directory.glob("began*")]
    return [(int(pid), int(x)) for pid, x in names]


def start(directory: Path) -> subprocess.Popen[str]:
    program = directory / "program.py"
    program.write_text(PROGRAM.replace("sys.argv[1]", repr(str(directory))), "utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return subprocess.Popen(
        [sys.executable, str(program)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**environment, "PYTHONPATH": str(ROOT)},
    )


def test_killed_workers_are_replaced_and_no_trial_is_lost_or_counted_twice(tmp_path: Path) -> None:
    process = start(tmp_path)
    until(lambda: len(begun(tmp_path)) == 2, "both workers train")
    first = dict(begun(tmp_path))
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len({pid for pid, _ in begun(tmp_path)}) == 4, "others took over")
    (tmp_path / "go").touch()
    out, err = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, err
    result = json.loads(out.splitlines()[-1])
    assert [trial["state"] for trial in result["trials"]] == ["finished"] * 6
    assert sorted(trial["value"] for trial in result["trials"]) == [1, 2, 3, 4, 5, 6]
    assert "6/6 trials" in err
    runs = vizkit.load(tmp_path / "log")
    assert Counter(run.status for run in runs) == {"finished": 6, "killed": 2}
    share = max(1, len(os.sched_getaffinity(0)) // 2)
    assert {run.best("threads", mode="max").value for run in runs} == {share}


def test_ctrl_c_ends_the_workers_and_the_same_call_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path)
    until(lambda: len(begun(tmp_path)) == 2, "both workers train")
    workers = {pid for pid, _ in begun(tmp_path)}
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0 and "interrupted; the same call goes on" in err
    until(lambda: not any(process_identity(pid) for pid in workers), "the workers have ended")
    assert Counter(trial.state for trial in status(tmp_path / "log").trials) == {"waiting": 6}
    (tmp_path / "go").touch()
    out, err = start(tmp_path).communicate(timeout=PATIENCE)
    assert sorted(trial["value"] for trial in json.loads(out.splitlines()[-1])["trials"]) == [
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_a_worker_that_cannot_go_on_ends_the_sweep_with_its_reason(tmp_path: Path) -> None:
    def train(hparams: object, tracker: vizkit.Tracker) -> None:
        tracker.log({"train/acc": 1.0}, step=0)

    with pytest.raises(VizKitError, match="without a value of 'eval/acc'; it has recorded 'train/acc'"):
        vizkit.sweep(train, {"x": [1, 2]}, logdir=tmp_path, metric="eval/acc", workers=2, quiet=True)


def test_a_training_that_cannot_be_sent_is_refused_before_anything_starts(tmp_path: Path) -> None:
    held = open(os.devnull, "wb")  # noqa: SIM115

    def train(hparams: object, tracker: vizkit.Tracker) -> None:
        held.write(b"")

    with held, pytest.raises(DataError, match="cannot be sent to worker processes"):
        vizkit.sweep(train, {"x": [1, 2]}, logdir=tmp_path, metric="eval/acc", workers=2, quiet=True)
    assert not list(tmp_path.glob("trial*"))


def test_a_spawned_process_sends_the_scripts_functions(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        """
import multiprocessing, sys
import vizkit

def train(hparams, tracker):
    tracker.log({"eval/acc": hparams["x"]}, step=0)

def search(logdir):
    result = vizkit.sweep(train, {"x": [1, 2]}, logdir=logdir, metric="eval/acc", workers=2, quiet=True)
    assert result.best.value == 2

if __name__ == "__main__":
    process = multiprocessing.get_context("spawn").Process(target=search, args=(sys.argv[1],))
    process.start()
    process.join()
    sys.exit(process.exitcode)
""",
        "utf-8",
    )
    command = [sys.executable, str(tmp_path / "program.py"), str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_cannot_be_searched_in_a_worker_ends_the_sweep_with_its_reason(tmp_path: Path) -> None:
    def train(hparams: object, tracker: vizkit.Tracker) -> None:
        tracker.log({"eval/acc": 1.0}, step=0)

    with pytest.raises(
        VizKitError, match=r"(?s)a worker of the sweep ended at its start: .*ZeroDivisionError"
    ):
        vizkit.sweep(
            train,
            {"x": vizkit.sweeps.uniform(0, 1)},
            logdir=tmp_path,
            metric="eval/acc",
            trials=2,
            workers=2,
            constraint=lambda point: 1 / 0,  # type: ignore[arg-type, return-value]
            quiet=True,
        )
    assert not list(tmp_path.glob("trial*"))


def test_there_are_no_more_workers_than_trials(tmp_path: Path) -> None:
    def train(hparams: dict[str, float], tracker: vizkit.Tracker) -> None:
        tracker.log({"eval/acc": hparams["x"]}, step=0)

    result = vizkit.sweep(train, {"x": [1, 2]}, logdir=tmp_path, metric="eval/acc", workers=9, quiet=True)  # type: ignore[arg-type]
    assert len(result.finished) == 2
    assert len(list((tmp_path / ".sweep").glob("worker*.log"))) == 2


SCRIPT = """
import sys
import vizkit

hparams = vizkit.hparams({"rate": 0.5, "depth": 2})
tracker = vizkit.Tracker("elsewhere", hparams={"width": 3}, system=False)
tracker.log({"eval/acc": hparams["rate"] * float(sys.argv[1]) * hparams["depth"]}, step=0)
tracker.close()
with vizkit.Tracker("second", system=False) as other:
    other.log({"x": 1.0}, step=0)
"""


def test_a_command_records_into_its_trials_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(SCRIPT, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = [sys.executable, "train.py", "{rate}"]
    result = vizkit.sweep(command, {"rate": [0.25, 2.0]}, logdir="log", metric="eval/acc", quiet=True)
    assert {trial.hparams["rate"]: trial.value for trial in result.trials} == {0.25: 0.125, 2.0: 8.0}
    assert [run.hparams for run in result.runs] == [
        {"rate": 0.25, "seed": 0, "width": 3},
        {"rate": 2.0, "seed": 0, "width": 3},
    ]
    assert not (tmp_path / "elsewhere").exists()
    assert len(vizkit.load(tmp_path / "second")) == 1
    assert vizkit.sweeps.join("log", quiet=True).to_dict() == result.to_dict()
    assert vizkit.hparams({"rate": 0.5}) == {"rate": 0.5}


def test_a_program_that_is_not_there_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for program in ("no-such-program", "./no-such-program", str(tmp_path / "no-such-program")):
        with pytest.raises(DataError, match=r"there is no program '.*no-such-program'"):
            vizkit.sweep([program, "{x}"], {"x": [1]}, logdir=tmp_path / "log", metric="eval/acc", quiet=True)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"there is no script 'train\.py'"):
        sweep_script(["train.py"], grid=["x=1"], metric="eval/acc")
    with pytest.raises(DataError, match="--resources 'CPU': write it as CPU=2,GPU=1"):
        sweep_script(["train.py"], grid=["x=1"], metric="eval/acc", resources="CPU")
    assert not list(tmp_path.iterdir())


def test_a_program_runs_where_its_sweep_was_begun_whoever_joins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "train.py").write_text(SCRIPT, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.chdir(tmp_path)
    command = [sys.executable, "train.py", "{rate}"]
    vizkit.sweep(
        command, {"rate": [1, 2]}, logdir="log", metric="eval/acc", trials=1, sampler="grid", quiet=True
    )
    job = json.loads((tmp_path / "log/.sweep/job.json").read_text("utf-8"))
    (tmp_path / "log/.sweep/job.json").write_text(json.dumps({**job, "trials": 2}), "utf-8")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert len(vizkit.sweeps.join("../log", quiet=True).finished) == 2


def test_a_command_that_fails_is_a_failed_trial(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit(3)"]
    result = vizkit.sweep(command, {"rate": [1]}, logdir=tmp_path, metric="eval/acc", quiet=True)
    assert result.trials[0].state == "failed" and "ended with exit code 3" in result.trials[0].error


SLOW = """
import sys, time
import vizkit

level = float(sys.argv[1])
with vizkit.Tracker("run", system=False) as tracker:
    tracker.log({"eval/acc": level}, step=0)
    if level < 5:  # nothing but the sweep ends this one
        time.sleep(600)
"""


def test_a_program_is_ended_early_and_closes_its_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.py").write_text(SLOW, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = vizkit.sweep(
        [sys.executable, "train.py", "{level}"],
        {"level": [9, 8, 7, 6, 1]},
        logdir="log",
        metric="eval/acc",
        pruner="median",
        quiet=True,
    )
    assert [trial.state for trial in result.trials] == ["finished"] * 4 + ["pruned"]
    (run,) = (run for run in result.runs if run.hparams["level"] == 1)
    assert run.labels == ["pruned"] and run.status == "interrupted"


def test_workers_killed_at_random_lose_no_trial_and_no_log(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.faults.killed_sweeps import run; "
        "print(tuple(run(Path(sys.argv[1]), 10, workers=4, trials=24, pause=0.1)))"
    )
    done = python(script, tmp_path)  # it forks: from a process of its own
    assert done.returncode == 0, done.stderr
    kills, lost, twice, wrong, logs, unreadable = ast.literal_eval(done.stdout)
    assert kills > 0 and logs >= 24
    assert (lost, twice, wrong, unreadable) == (0, 0, 0, 0)


LONG = """
import os, time
from pathlib import Path
import vizkit

print("training")
with vizkit.Tracker("run", system=False) as tracker:
    tracker.log({"eval/acc": 1.0}, step=0)
    Path(f"began{os.getpid()}").touch()
    while not Path("go").exists():
        time.sleep(0.01)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has a signal for it")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_script_dies_with_the_process_that_started_it(tmp_path: Path, workers: int) -> None:
    (tmp_path / "train.py").write_text(LONG, "utf-8")
    command = [sys.executable, "-m", "vizkit", "sweep", "--grid", "x=1,2", "--metric", "eval/acc"]
    command += ["--json", "--workers", str(workers), "train.py"]

    def scripts() -> list[int]:
        return [int(path.name.removeprefix("began")) for path in tmp_path.glob("began*")]

    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True
    ) as process:
        until(lambda: len(scripts()) == workers, "scripts train")
        first = scripts()
        if workers == 1:
            process.kill()
        else:
            for pid in first:
                os.kill(psutil.Process(pid).ppid(), signal.SIGKILL)
        until(lambda: not any(process_identity(pid) for pid in first), "the scripts have died, too")
        (tmp_path / "go").touch()
        out, _ = process.communicate(timeout=PATIENCE)
    if workers == 2:
        assert process.returncode == 0 and json.loads(out)["best"]["value"] == 1.0
        runs = vizkit.load(tmp_path / "log")
        assert Counter(run.status for run in runs) == {"finished": 2, "killed": 2}


def test_a_worker_leaves_as_a_program_does(tmp_path: Path) -> None:
    """What a training leaves to the end of its process is done: threads, pools, `atexit`, prints."""

    def train(hparams: dict[str, float], tracker: vizkit.Tracker) -> None:
        import atexit
        import threading
        import time
        from concurrent.futures import ThreadPoolExecutor

        def later(name: str) -> None:
            time.sleep(0.3)
            (tmp_path / f"{name}{hparams['x']}").touch()

        tracker.log({"eval/acc": hparams["x"]}, step=0)
        threading.Thread(target=later, args=["thread"]).start()
        train.pool = ThreadPoolExecutor(1)  # type: ignore[attr-defined]  # not shut down
        train.pool.submit(later, "pool")  # type: ignore[attr-defined]
        atexit.register((tmp_path / f"exit{hparams['x']}").touch)
        print("trained", hparams["x"], end="")

    vizkit.sweep(train, {"x": [1, 2]}, logdir=tmp_path / "log", metric="eval/acc", workers=2, quiet=True)  # type: ignore[arg-type]
    assert {path.name for path in tmp_path.iterdir()} == {"log"} | {
        f"{name}{x}" for name in ("thread", "pool", "exit") for x in (1, 2)
    }
    said = "".join(path.read_text("utf-8") for path in (tmp_path / "log/.sweep").glob("worker*.log"))
    assert "trained 1" in said and "trained 2" in said
