"""A small training of each task with everything recorded and without, in processes that take turns."""

from __future__ import annotations

import gc
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks._common import Goal, Table, fresh
from benchmarks._turns import Baton, Processes, Turn, totals
from benchmarks.hooks import CLOCKS, MOST_SLOWER, clocks, seconds_of

__all__ = ["run"]

BARE, ALL = "nothing", "everything"
TRAININGS = 6
STEPS, EPOCHS = 120, 2  # of a training: what an evaluation leaves to a thread is done in the steps after it


def run(root: str) -> list[Table]:
    from vizkit.demo.tasks import EXAMPLES

    table = Table(
        "A training of each task, with everything recorded and without",
        (
            "ms a step",
            BARE,
            ALL,
            *(f"times, {name}" for name in CLOCKS.values()),
            "more CPU, training's thread",
            "others",
            "an evaluation",
        ),
        notes=[
            f"{TRAININGS} trainings of other seeds in each way, of {STEPS} steps in {EPOCHS} epochs: the "
            "examples of `vizkit.demo.tasks`. Everything: the callback with its defaults, `tracker.watch` "
            "with its optimizer, the machine. Means of all steps but the first; each way in a process of its "
            "own, in turns of one step. Ratios with 95 % intervals. More CPU: milliseconds a step on the "
            "training's own thread and on all others, the worker's among them. An evaluation: what recording "
            f"adds to one, of {STEPS // EPOCHS // 4} batches, in ms, the median."
        ],
    )
    for name in EXAMPLES:
        _compare(root, name, table)
    return [table]


def _compare(root: str, name: str, table: Table) -> None:
    turns: dict[str, list[list[Turn]]] = {BARE: [], ALL: []}
    with Processes(len(turns)) as processes:
        for number in range(TRAININGS):
            ways = (BARE, ALL) if number % 2 else (ALL, BARE)  # each in either process
            works = [partial(_train, name, number, way, fresh(root, way)) for way in ways]
            for way, taken, _ in zip(ways, *processes.run(works), strict=True):
                turns[way].append(taken)
    steps: dict[str, dict[str, NDArray[np.float64]]] = {
        clock: {way: seconds_of(runs, "step", clock) for way, runs in turns.items()} for clock in CLOCKS
    }
    found = {clock: totals(of[ALL], of[BARE]) for clock, of in steps.items()}
    cells = ["{:.3f} ({:.3f} to {:.3f})".format(*ratio) for ratio in found.values()]
    means = [f"{steps['wall'][way].mean() * 1e3:.1f}" for way in (BARE, ALL)]
    thread = {way: seconds_of(runs, "step", "thread").mean() * 1e3 for way, runs in turns.items()}
    others = {way: steps["cpu"][way].mean() * 1e3 - thread[way] for way in turns}
    more = [f"{each[ALL] - each[BARE]:+.2f}" for each in (thread, others)]
    evaluations = {way: np.median(seconds_of(runs, "evaluation", "wall")) for way, runs in turns.items()}
    table.rows.append((name, *means, *cells, *more, f"+{(evaluations[ALL] - evaluations[BARE]) * 1e3:.0f}"))
    measured = ", ".join(f"{CLOCKS[clock]} {ratio[0] - 1:+.1%}" for clock, ratio in found.items())
    table.goals.append(
        Goal(
            f"the example of {name}, everything on, a step",
            "<= 2 % slower",
            measured,
            found["wall"][0] <= MOST_SLOWER,
        )
    )


def _train(name: str, seed: int, way: str, logdir: str, baton: Baton) -> list[float]:
    """Trains an example, recorded into ``logdir`` or not, in turns."""
    import paddle

    from vizkit import Tracker
    from vizkit.demo import tasks

    paddle.set_device("cpu")
    one = tasks.example(name, tasks.example(name, 4).batch * STEPS // EPOCHS)
    epochs = EPOCHS
    model = tasks.prepare(one, seed)
    before, after = clocks(baton)
    gc.collect()
    baton.begin()
    if way == BARE:
        tasks.fit(one, model, [before, after], epochs=epochs)
    else:
        with Tracker(logdir, quiet=True) as tracker:
            recorded = tasks.callbacks_of(one, model, tracker)
            tasks.fit(one, model, [before, *recorded, after], epochs=epochs)
        if tracker.lost:
            raise RuntimeError(f"not everything was recorded: {tracker.lost}")
    baton.next("end")
    return []
