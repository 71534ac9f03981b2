"""The command line of a set of topics, each run in a process of its own, one after the other.

So one library's threads, patches and garbage do not slow another topic.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks._common import Table, goals_table, keep_terminal, machine, markdown
from benchmarks._libraries import offline

__all__ = ["main"]


def main(name: str, about: str | None, topics: Sequence[str], packages: Sequence[str]) -> None:
    """Prints the machine, the goals, and one or more tables a topic; tells on stderr where it is.

    Args:
        name: the module that is run.
        about: its help.
        topics: modules of this package with a function ``run(root) -> list[Table]``.
        packages: whose versions are told.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}", description=about)
    parser.add_argument("topics", nargs="*", metavar="topic", help=f"all by default: {', '.join(topics)}")
    parser.add_argument("--quick", action="store_true", help="small logs, to see that all of it works")
    given = parser.parse_args()
    chosen = given.topics or topics
    if given.quick:
        os.environ["VIZKIT_BENCH_QUICK"] = "1"
    if unknown := set(chosen) - set(topics):
        parser.error(f"no such topic: {', '.join(unknown)}; there are {', '.join(topics)}")
    head = machine(packages, " ".join([f"python -m {name}", *sys.argv[1:]]))
    tables: list[Table] = []
    failed = False
    for topic in chosen:
        start = time.perf_counter()
        print(f"{topic} ...", end=" ", file=sys.stderr, flush=True)
        try:
            tables += _in_its_own_process(topic)
        except Exception:  # the other topics' minutes are not to be lost
            failed = True
            traceback.print_exc()
        print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    print(head, "\n")
    print(markdown(goals_table([goal for table in tables for goal in table.goals])))
    for table in tables:
        print(markdown(table))
    if failed:
        sys.exit(1)


def _in_its_own_process(topic: str) -> list[Table]:
    with (
        tempfile.TemporaryDirectory(prefix=f"vizkit-bench-{topic}-", ignore_cleanup_errors=True) as root,
        ProcessPoolExecutor(1, get_context("spawn"), _begin, (root,)) as pool,
    ):
        return pool.submit(_run, topic, root).result()


def _begin(root: str) -> None:
    """In the child: libraries' chatter goes to a file, their data under ``root``."""
    log = os.open(os.path.join(root, "output.txt"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    keep_terminal()
    os.dup2(log, 1)
    os.dup2(log, 2)
    offline(root)


def _run(topic: str, root: str) -> list[Table]:
    try:
        return importlib.import_module(f"benchmarks.{topic}").run(root)
    except Exception as error:
        with open(os.path.join(root, "output.txt"), errors="replace") as output:
            raise RuntimeError(f"{topic} failed; its last output:\n{output.read()[-2000:]}") from error
