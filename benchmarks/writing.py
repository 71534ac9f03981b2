"""``python -m benchmarks.writing``: all that is promised about writing, measured side by side.

Every topic runs in a process of its own, one after the other, so that one library's threads,
patches and garbage do not slow another topic.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks._common import Table, goals_table, machine, markdown
from benchmarks._libraries import offline

TOPICS = ["scalars", "tensors", "histograms", "images", "curves", "training", "killed"]


def main() -> None:
    """Prints the machine, one or more tables a topic, and the goals."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.writing", description=__doc__)
    parser.add_argument("topics", nargs="*", choices=[[], *TOPICS], default=[], help="all of them by default")
    chosen = parser.parse_args().topics or TOPICS
    print(machine(" ".join(["python -m benchmarks.writing", *sys.argv[1:]])), "\n", flush=True)
    goals = []
    for topic in chosen:
        start = time.perf_counter()
        print(f"{topic} ...", end=" ", file=sys.stderr, flush=True)
        tables = _in_its_own_process(topic)
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        for table in tables:
            print(markdown(table), flush=True)
            goals += table.goals
    print(markdown(goals_table(goals)))


def _in_its_own_process(topic: str) -> list[Table]:
    with (
        tempfile.TemporaryDirectory(prefix=f"vizkit-bench-{topic}-", ignore_cleanup_errors=True) as root,
        ProcessPoolExecutor(1, get_context("spawn"), _begin, (root,)) as pool,
    ):
        return pool.submit(_run, topic, root).result()


def _begin(root: str) -> None:
    """In the child: libraries' chatter goes to a file, their data under ``root``."""
    log = os.open(os.path.join(root, "output.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    offline(root)


def _run(topic: str, root: str) -> list[Table]:
    try:
        return importlib.import_module(f"benchmarks.{topic}").run(root)
    except BaseException as error:
        with open(os.path.join(root, "output.txt"), errors="replace") as output:
            error.add_note(f"last output of {topic}:\n{output.read()[-2000:]}")
        raise


if __name__ == "__main__":
    main()
