"""The own cost of a trial: from the end of one training to the begin of the next, in the same process.

VizKit's trial is a run with hyper-parameters, environment and log; Optuna's alone keeps a value in memory or
in its journal; Ray Tune's, with one actor that is used again, is a directory with JSON and CSV.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections import defaultdict

from benchmarks._common import Goal, Table, fresh, median, ms

__all__ = ["run"]

TRIALS = 20 if os.environ.get("VIZKIT_BENCH_QUICK") else 60
REPEATS = 1 if os.environ.get("VIZKIT_BENCH_QUICK") else 3
SECONDS = 0.1  # of a training: VizKit asks git beside it
GOAL = 0.05

_COMMON = f"""
import os, sys, time
root, TRIALS, SECONDS = sys.argv[1], {TRIALS}, {SECONDS}

def note():
    with open(os.path.join(root, f"times{{os.getpid()}}"), "a") as file:
        file.write(f"{{time.perf_counter()}}\\n")
"""
_VIZKIT = """
import vizkit
from vizkit.sweeps import log

def train(hparams, tracker):
    note()
    time.sleep(SECONDS)
    note()
    tracker.log({"eval/acc": hparams["learning rate"]}, step=0)

space = {"learning rate": log(1e-4, 1e-1), "batch size": [32, 64, 128]}
vizkit.sweep(
    train,
    space,
    logdir=root + "/log",
    metric="eval/acc",
    trials=TRIALS,
    sampler="SAMPLER",
    workers=WORKERS,
    quiet=True,
)
"""
_OPTUNA = """
import optuna
optuna.logging.set_verbosity(optuna.logging.WARNING)

def train(trial):
    note()
    rate = trial.suggest_float("learning rate", 1e-4, 1e-1, log=True)
    trial.suggest_categorical("batch size", [32, 64, 128])
    time.sleep(SECONDS)
    note()
    return rate

journal = optuna.storages.journal.JournalFileBackend(root + "/journal")
storage = STORAGE
optuna.create_study(storage=storage, sampler=optuna.samplers.RandomSampler()).optimize(train, n_trials=TRIALS)
"""
_RAY = """
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AIR_NEW_OUTPUT="0")
import ray
from ray import tune

def train(config):
    note()
    time.sleep(SECONDS)
    note()
    return {"acc": config["learning rate"]}

ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
space = {"learning rate": tune.loguniform(1e-4, 1e-1), "batch size": tune.choice([32, 64, 128])}
tune.Tuner(
    train,
    param_space=space,
    tune_config=tune.TuneConfig(num_samples=TRIALS, max_concurrent_trials=1, reuse_actors=True),
    run_config=tune.RunConfig(storage_path=root + "/ray", verbose=0),
).fit()
"""
CASES = {
    "VizKit, in this process": _VIZKIT.replace("SAMPLER", "random").replace("WORKERS", "1"),
    "VizKit, in this process, TPE": _VIZKIT.replace("SAMPLER", "tpe").replace("WORKERS", "1"),
    "VizKit, two worker processes": _VIZKIT.replace("SAMPLER", "random").replace("WORKERS", "2"),
    "Optuna alone, in memory": _OPTUNA.replace("STORAGE", "None"),
    "Optuna alone, in its journal": _OPTUNA.replace("STORAGE", "optuna.storages.JournalStorage(journal)"),
}
TUNE = "Ray Tune, one actor that is used again"


def run(root: str) -> list[Table]:
    """One row a library."""
    cases = {**CASES, TUNE: _RAY} if importlib.util.find_spec("ray") else CASES
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(REPEATS):
        for name, code in cases.items():
            found[name].append(median(_gaps(fresh(root, "cost"), code)))
    ours = max(median(found[name]) for name in CASES if name.startswith("VizKit"))
    goals = [
        Goal("own cost of a trial, with a warm worker", "< 50 ms", f"{ms(ours)} ms at most", ours < GOAL)
    ]
    if TUNE in found:
        theirs = median(found[TUNE])
        goals.append(
            Goal(
                "own cost of a trial, beside Ray Tune",
                "less",
                f"{ms(ours)} of {ms(theirs)} ms",
                ours < theirs,
            )
        )
    rows = [(name, ms(median(taken)), ms(min(taken))) for name, taken in found.items()]
    note = (
        f"Medians over {TRIALS} trials, of {REPEATS} processes each, in turn: from the end of one training, "
        f"which sleeps for {SECONDS} s, to the begin of the next in the same process; its value is handed "
        "over in between. Random search, but for one row."
    )
    return [Table("The own cost of a trial", ("", "ms, median", "least"), rows, [note], goals)]


def _gaps(root: str, code: str) -> list[float]:
    """Seconds between trainings, of the processes that had two or more."""
    done = subprocess.run(
        [sys.executable, "-c", _COMMON + code, root], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    gaps = []
    for name in os.listdir(root):
        if name.startswith("times"):
            with open(os.path.join(root, name)) as file:
                times = [float(line) for line in file]
            gaps += [begin - end for end, begin in zip(times[1::2], times[2::2], strict=False)]
    return gaps
