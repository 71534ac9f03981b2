"""``python -m benchmarks.before REV``: this tree and an earlier commit, side by side in one run.

Each tree has a process of its own that is asked in turn, A B A B ...; the ratio is the median over the
pairs. Only the public face is used, so that any commit can be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._common import Table, machine, markdown, median, ratio, three

if TYPE_CHECKING:
    import vizkit

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
PAIRS = 9


def main() -> None:
    """Prints the machine and a row for each work."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before", description=__doc__)
    parser.add_argument("revision", help="the commit to compare with, such as HEAD~1")
    parser.add_argument("works", nargs="*", metavar="work", help=f"all by default: {', '.join(WORKS)}")
    parser.add_argument("--pairs", type=int, default=PAIRS, help="repetitions of each work (%(default)s)")
    parser.add_argument(
        "--cpu", action="store_true", help="CPU time of the process, for a machine that others use, too"
    )
    given = parser.parse_args()
    chosen = given.works or list(WORKS)
    if unknown := set(chosen) - set(WORKS):
        parser.error(f"no such work: {', '.join(unknown)}; there are {', '.join(WORKS)}")
    table = Table(f"Beside {given.revision}", ("", "before, us", "now, us", "least", "now / before"))
    with ExitStack() as stack:
        root = stack.enter_context(tempfile.TemporaryDirectory(prefix="vizkit-bench-before-"))
        before = os.path.join(root, "tree")
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--detach", before, given.revision], check=True, capture_output=True)
        stack.callback(subprocess.run, [*git, "remove", "--force", before], check=True)
        trees = [stack.enter_context(_Tree(tree, root, cpu=given.cpu)) for tree in (before, str(ROOT))]
        for work in chosen:
            print(f"{work} ...", file=sys.stderr, flush=True)
            pairs = [[tree.ask(work) for tree in trees] for _ in range(given.pairs + 1)][1:]
            old, new = ([pair[index] for pair in pairs] for index in (0, 1))
            middle, least, slower = three(new, old)
            table.rows.append((WORKS[work][0], f"{median(old) * 1e6:,.2f}", middle, least, slower))
            assert ratio(new, old) > 0
    table.notes.append(
        f"{given.pairs} pairs in turn after one that is not counted, each tree in a process of its own."
    )
    print(machine(["numpy", "paddlepaddle"], " ".join(["python -m benchmarks.before", *sys.argv[1:]])), "\n")
    print(markdown(table))


class _Tree:
    """A process that has VizKit of one tree."""

    def __init__(self, tree: str, root: str, *, cpu: bool) -> None:
        clock = "process_time" if cpu else "perf_counter"
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", tree, root, clock],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tree,
            env={**os.environ, "PYTHONPATH": tree},
        )

    def ask(self, work: str) -> float:
        """Seconds that a work takes there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(work) + "\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline()))

    def __enter__(self) -> _Tree:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._process.communicate()


# -- in the tree's process ------------------------------------------------------------------------


_clock = time.perf_counter


def _serve(tree: str, root: str, clock: str) -> None:
    global _clock
    _clock = getattr(time, clock)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # libraries' chatter
    import vizkit

    assert str(vizkit.__file__).startswith(tree), vizkit.__file__
    for line in sys.stdin:
        seconds = WORKS[json.loads(line)][1](tempfile.mkdtemp(dir=root))
        answers.write(json.dumps(seconds) + "\n")
        answers.flush()


def _timed(work: Callable[[], object], times: int = 1) -> float:
    start = _clock()
    work()
    return (_clock() - start) / times


def _tracker(directory: str) -> vizkit.Tracker:
    import vizkit

    return vizkit.Tracker(os.path.join(directory, "run"), system=False)


def _scalars(directory: str) -> float:
    with _tracker(directory) as tracker:

        def work() -> None:
            for step in range(20_000):
                tracker.log_scalar("train/loss", 0.1 * step, step)

        return _timed(work, 20_000)


def _add_scalar(directory: str) -> float:
    import vizkit

    with vizkit.LogWriter(os.path.join(directory, "run")) as writer:

        def work() -> None:
            for step in range(20_000):
                writer.add_scalar("train/loss", 0.1 * step, step)

        return _timed(work, 20_000)


def _metrics(directory: str) -> float:
    tags = [f"train/metric{index}" for index in range(10)]
    with _tracker(directory) as tracker:

        def work() -> None:
            for step in range(2_000):
                tracker.log(dict.fromkeys(tags, 0.1 * step), step)

        return _timed(work, 20_000)


def _tensor(directory: str) -> float:
    import paddle

    value = paddle.to_tensor(0.5)
    with _tracker(directory) as tracker:

        def work() -> None:
            for step in range(5_000):
                tracker.log_scalar("train/loss", value, step)

        return _timed(work, 5_000)


def _histogram(directory: str) -> float:
    import numpy as np

    values = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
    with _tracker(directory) as tracker:

        def work() -> None:
            for step in range(5):
                tracker.log_histogram("weights", values, step)
            tracker.flush()

        return _timed(work, 5)


def _image(directory: str) -> float:
    import numpy as np

    image = np.random.default_rng(0).random((224, 224, 3), np.float32)
    with _tracker(directory) as tracker:

        def work() -> None:
            for step in range(20):
                tracker.log_image("input", image, step)
            tracker.flush()

        return _timed(work, 20)


def _curves(directory: str) -> float:
    import numpy as np

    random = np.random.default_rng(0)
    labels, scores = random.integers(0, 10, 10_000), random.random((10_000, 10), np.float32)
    with _tracker(directory) as tracker:

        def work() -> None:
            tracker.log_curves("eval", labels, scores, 1)
            tracker.flush()

        return _timed(work)


def _open(directory: str) -> float:
    return _timed(lambda: _tracker(directory).close())


def _resume(directory: str) -> float:
    import vizkit

    path = os.path.join(directory, "run")
    with vizkit.LogWriter(path) as writer:
        for step in range(100_000):
            writer.add_scalar("train/loss", 0.1 * step, step)
    return _timed(lambda: vizkit.LogWriter(path).add_scalar("train/loss", 1.0, 100_000))


def _write_runs(directory: str, runs: int, steps: int) -> None:
    import vizkit

    tags = [f"train/metric{index}" for index in range(10)]
    for run in range(runs):
        with vizkit.LogWriter(os.path.join(directory, f"run{run}")) as writer:
            for step in range(steps):
                for index, tag in enumerate(tags):
                    writer.add_scalar(tag, 1 / (1 + step + index), step)


def _load_one(directory: str) -> float:
    import vizkit

    _write_runs(directory, 1, 50_000)
    return _timed(lambda: vizkit.load(directory)["run0"].scalars("train/metric0"))


def _load_many(directory: str) -> float:
    import vizkit

    _write_runs(directory, 50, 400)
    return _timed(lambda: [run.scalars("train/metric3") for run in vizkit.load(directory)])


def _refresh(directory: str) -> float:
    import vizkit

    _write_runs(directory, 200, 10)
    runs = vizkit.load(directory)
    return _timed(runs.refresh)


def _table(directory: str) -> float:
    import vizkit

    _write_runs(directory, 50, 100)
    runs = vizkit.load(directory)
    return _timed(lambda: (str(runs), runs._repr_html_()))


def _first_answer(directory: str) -> float:
    import urllib.request

    _write_runs(directory, 20, 200)
    command = [sys.executable, "-m", "vizkit", "serve", directory, "--port", "0"]
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        address = ""
        for line in server.stdout:
            words = [word for word in line.split() if word.startswith("http://")]
            if words:
                address = words[0].split("/app")[0].split("/vizkit")[0].rstrip("/")
                break
        url = f"{address}/app/api/scalar/list?run=run0&tag=train/metric0"
        with urllib.request.urlopen(url) as answer:
            assert len(json.load(answer)["data"]) == 200
        seconds = time.perf_counter() - start
        server.terminate()
    return seconds


def _import(directory: str) -> float:
    return _timed(lambda: subprocess.run([sys.executable, "-c", "import vizkit"], check=True, cwd="."))


def _ls(directory: str) -> float:
    _write_runs(directory, 20, 200)
    command = [sys.executable, "-m", "vizkit", "ls", directory]
    return _timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL))


_fitted: dict[str, Any] = {}


def _fit(directory: str) -> float:
    """A step of ``fit`` with the callback; the network is so small that the hooks are most of it."""
    import numpy as np
    import paddle

    if not _fitted:
        data = [(np.ones(4, np.float32) * i, np.array([i % 2])) for i in range(256)]
        model = paddle.Model(paddle.nn.Linear(4, 2))
        model.prepare(
            paddle.optimizer.SGD(0.01, parameters=model.parameters()),
            paddle.nn.CrossEntropyLoss(),
            paddle.metric.Accuracy(),
        )
        _fitted.update(data=data, model=model)
    with _tracker(directory) as tracker:
        callback = tracker.callback(graph=False)
        start = _clock()
        _fitted["model"].fit(_fitted["data"], batch_size=1, epochs=2, verbose=0, callbacks=callback)
        return (_clock() - start) / 512


WORKS: dict[str, tuple[str, Callable[[str], float]]] = {
    "add_scalar": ("one scalar, `LogWriter.add_scalar`", _add_scalar),
    "log_scalar": ("one scalar, `Tracker.log_scalar`", _scalars),
    "log": ("`log` of ten metrics, a metric", _metrics),
    "tensor": ("a scalar from a tensor", _tensor),
    "histogram": ("histogram of 1,000,000", _histogram),
    "image": ("image 224x224x3", _image),
    "curves": ("PR and ROC of 10,000 x 10", _curves),
    "fit": ("a step of `fit` with the callback, tiny network", _fit),
    "open": ("open and close a tracker", _open),
    "resume": ("open a log of 100,000 scalars to append", _resume),
    "load_one": ("`load` and one tag, 500,000 scalars", _load_one),
    "load_many": ("`load` and a tag of each, 50 runs of 4,000 scalars", _load_many),
    "refresh": ("refresh of 200 runs", _refresh),
    "table": ("table of 50 runs, text and HTML", _table),
    "import": ("`python -c 'import vizkit'`", _import),
    "ls": ("`vizkit ls` of 20 runs", _ls),
    "first_answer": ("`vizkit serve`, first answer, 20 runs", _first_answer),
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        _serve(*sys.argv[2:])
    else:
        main()
