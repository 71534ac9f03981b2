"""``python -m benchmarks.faults``: records that are lost when a training ends badly or its disk is full.

Every trial has a process of its own, which records a scalar each millisecond and marks in a mapped file the
calls that have returned. Afterwards the records in the library's files are counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import mmap
import os
import random
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

from benchmarks._common import Table, machine, markdown, median
from benchmarks._libraries import LIBRARIES, Recorder, offline

__all__ = ["main"]

TAG = "train/loss"
CALLS = 500
LONGEST = 1.0  # seconds from the first record to the kill
PATIENCE = 120.0
PACKAGES = ["visualdl", "tensorboardX", "wandb", "trackio", "swanlab", "mlflow-skinny", "aim", "numpy"]
FAULTS = {
    "killed": "SIGKILL at a random moment",
    "_exit": "`os._exit`",
    "exception": "uncaught exception",
    "exit": "end of the script without close",
    "full": "disk full for 200 of 500 calls",
}


def main() -> None:
    """Prints the machine and a table of all libraries."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__)
    parser.add_argument("libraries", nargs="*", metavar="library", help=f"by default: {', '.join(PEERS)}")
    parser.add_argument("--trials", type=int, default=5, help="kills of each library (%(default)s)")
    given = parser.parse_args()
    there = [name for name in PACKAGES if importlib.util.find_spec(name.removesuffix("-skinny"))]
    head = machine(there, " ".join(["python -m benchmarks.faults", *sys.argv[1:]]))
    table = Table(
        "Records lost of those whose call had returned",
        ("", *FAULTS.values(), "calls that raised", "a call, us"),
    )
    for name in given.libraries or PEERS:
        print(f"{name} ...", file=sys.stderr, flush=True)
        row, raised, cost = [name], "", 0.0
        for fault in FAULTS:
            trials = [_trial(name, fault) for _ in range(given.trials if fault == "killed" else 1)]
            lost = sum(max(trial["returned"] - trial["found"], 0) for trial in trials)
            row.append(f"{lost:,} of {sum(trial['returned'] for trial in trials):,}")
            if fault == "full":
                raised = "hangs" if trials[0]["hangs"] else f"{trials[0]['raised']}"
            if fault == "exit":
                cost = trials[0]["seconds"]
        table.rows.append((*row, raised, f"{cost * 1e6:,.1f}"))
    table.notes.append(
        f"{given.trials} kills within {LONGEST} s of the first record, one trial of each other fault. The "
        "records in the files are counted two seconds later, for libraries with a process of their own. "
        f"A call is the median of {CALLS}, a millisecond apart, on the training's thread."
    )
    print(head, "\n")
    print(markdown(table))


def _trial(name: str, fault: str) -> dict[str, float]:
    """One process that records and ends; what its calls returned, and what is found."""
    print(f"  {fault}", file=sys.stderr, flush=True)
    with ExitStack() as stack:
        root = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="vizkit-faults-", ignore_cleanup_errors=True)
        )
        if fault == "full":  # a disk of its own
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", root], check=True)
            stack.callback(subprocess.run, ["umount", "-l", root], check=True)
        marks = Path(stack.enter_context(tempfile.TemporaryDirectory()), "marks")
        marks.write_bytes(bytes(1 << 20))
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.faults"]
        with subprocess.Popen(
            [*command, "--record", name, fault, root, str(marks)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as process:
            end = time.monotonic() + PATIENCE
            if fault == "killed":
                while not _returned(marks):
                    if process.poll() is not None or time.monotonic() > end:
                        raise RuntimeError(f"{name} did not begin")
                    time.sleep(0.01)
                time.sleep(random.uniform(0.1, LONGEST))
                process.send_signal(signal.SIGKILL)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        hangs = process.returncode == -signal.SIGKILL and fault != "killed"
        time.sleep(2)
        done = subprocess.run(
            [*command, "--count", name, root],
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
        )
        note = Path(f"{marks}.json")
        extra = json.loads(note.read_text()) if note.exists() else {}
        return {"returned": _returned(marks), "found": int(done.stdout.split()[-1]), "hangs": hangs, **extra}


def _returned(marks: Path) -> int:
    return marks.read_bytes().count(1)


# -- in the process that records ------------------------------------------------------------------------


def _record(name: str, fault: str, root: str, marks: str) -> None:
    _quiet(root)
    recorder = PEERS[name](_directory(root))
    with open(marks, "r+b") as file:
        returned = mmap.mmap(file.fileno(), 0)
    raised, seconds = 0, []
    for step in range(1 << 20 if fault == "killed" else CALLS):
        if fault == "full" and step in (100, 300):
            _fill(root) if step == 100 else os.unlink(os.path.join(root, "filler"))
        begin = time.perf_counter()
        try:
            if recorder.scalar is not None:
                recorder.scalar(TAG, step / 7, step)
            else:
                assert recorder.log is not None
                recorder.log({TAG: step / 7}, step)
            returned[step] = 1
        except Exception:
            raised += 1
        seconds.append(time.perf_counter() - begin)
        time.sleep(0.001)
    Path(f"{marks}.json").write_text(json.dumps({"raised": raised, "seconds": median(seconds)}))
    if fault == "_exit":
        os._exit(0)
    if fault == "exception":
        raise RuntimeError
    if fault == "full":
        with suppress(Exception):
            recorder.close()


def _fill(root: str) -> None:
    """Leave no byte on the disk."""
    with open(os.path.join(root, "filler"), "wb", buffering=0) as filler:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while filler.write(bytes(size)):
                    pass


def _directory(root: str) -> str:
    path = os.path.join(root, "run")
    os.makedirs(path, exist_ok=True)
    return path


def _quiet(root: str) -> None:
    offline(root)
    os.environ.update(
        WANDB_MODE="offline", WANDB_SILENT="true", MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true"
    )


def _wandb(directory: str) -> Recorder:
    import wandb

    settings = wandb.Settings(x_disable_stats=True, x_disable_meta=True, silent=True, console="off")
    run = wandb.init(mode="offline", project="benchmarks", dir=directory, settings=settings)
    return Recorder(close=run.finish, log=lambda metrics, step: run.log(metrics, step=step))


def _mlflow(directory: str) -> Recorder:
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{directory}/mlflow.db")
    mlflow.start_run()
    return Recorder(
        close=mlflow.end_run, scalar=lambda tag, value, step: mlflow.log_metric(tag, value, step=step)
    )


def _aim(directory: str) -> Recorder:
    import aim

    run = aim.Run(
        repo=directory, system_tracking_interval=None, log_system_params=False, capture_terminal_logs=False
    )
    return Recorder(close=run.close, scalar=lambda tag, value, step: run.track(value, name=tag, step=step))


PEERS: dict[str, Callable[[str], Recorder]] = {
    **LIBRARIES,
    "wandb offline": _wandb,
    "mlflow": _mlflow,
    "aim": _aim,
}


# -- in the process that counts -------------------------------------------------------------------------


def _count(name: str, root: str) -> None:
    _quiet(root)
    print(_COUNTS[name](Path(root)))


def _frames(root: Path, pattern: str, check: int) -> int:
    """Records in a log of VisualDL, or of TensorBoard with its checksums."""
    found = 0
    for path in root.rglob(pattern):
        data, at = path.read_bytes(), 0
        while at + 8 <= len(data):
            (size,) = struct.unpack_from("<Q", data, at)
            end = at + 8 + check + size + check
            found += end <= len(data) and TAG.encode() in data[at:end]
            at = end
    return found


def _blocks(path: Path) -> Iterator[bytes]:
    """The records of a log in LevelDB's format, behind 7 bytes."""
    data, at, part = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        if (1 << 15) - at % (1 << 15) < 7:
            at += -at % (1 << 15)
            continue
        size, kind = struct.unpack_from("<HB", data, at + 4)
        content = data[at + 7 : at + 7 + size]
        if not kind or len(content) < size:
            return
        at += 7 + size
        part = content if kind in (1, 2) else part + content
        if kind in (1, 4):
            yield part


def _in_wandb(root: Path) -> int:
    from wandb.proto import wandb_internal_pb2

    records = [b for path in root.rglob("*.wandb") for b in _blocks(path)]
    return sum(
        wandb_internal_pb2.Record.FromString(record).WhichOneof("record_type") == "history"
        for record in records
    )


def _in_swanlab(root: Path) -> int:
    records = [b for path in root.rglob("*.swanlab") for b in _blocks(path)]
    return max(sum(TAG.encode() in record for record in records) - 1, 0)  # the first names the chart


def _rows(root: Path, pattern: str, where: str = "") -> int:
    found = 0
    for path in root.rglob(pattern):
        with suppress(sqlite3.Error), sqlite3.connect(path) as database:
            found += database.execute(f"select count(*) from metrics {where}").fetchone()[0]
    return found


def _in_aim(root: Path) -> int:
    from aim import Repo, Run
    from aim.storage.context import Context

    repo = Repo(_directory(str(root)))
    found = 0
    for name in repo.list_all_runs():
        run = Run(name, repo=repo, system_tracking_interval=None)  # a reader alone sees no open run
        metric = run.get_metric(TAG, Context({}))
        found += len(metric.values.sparse_numpy()[0]) if metric else 0
    return found


_COUNTS: dict[str, Callable[[Path], int]] = {
    "vizkit LogWriter": lambda root: _frames(root, "*vdlrecords*", 0),
    "vizkit Tracker": lambda root: _frames(root, "*vdlrecords*", 0),
    "visualdl LogWriter": lambda root: _frames(root, "*vdlrecords*", 0),
    "tensorboardX SummaryWriter": lambda root: _frames(root, "events.*", 4),
    "trackio": lambda root: _rows(root, "trackio/*.db"),
    "swanlab": _in_swanlab,
    "wandb offline": _in_wandb,
    "mlflow": lambda root: _rows(root, "run/mlflow.db", f"where key = '{TAG}'"),
    "aim": _in_aim,
}


if __name__ == "__main__":
    if sys.argv[1:2] == ["--record"]:
        _record(*sys.argv[2:])
    elif sys.argv[1:2] == ["--count"]:
        _count(*sys.argv[2:])
    else:
        main()
