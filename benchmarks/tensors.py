"""A scalar that is still a Paddle tensor, as a loss is."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks._common import Goal, Table, fresh, interleaved, median, ratio, three, us
from benchmarks._libraries import LIBRARIES

__all__ = ["run"]

CALLS = 5_000
REPEATS = 15


def run(root: str) -> list[Table]:
    """What the tensor costs beyond reading it."""
    import paddle

    paddle.set_device("cpu")
    tensors = list(paddle.rand([CALLS]).unbind())
    floats = [tensor.item() for tensor in tensors]

    def logged(values: list[object]) -> float:
        tracker = LIBRARIES["vizkit Tracker"](fresh(root, "tracker"))
        tracker.ready()
        log = tracker.scalar
        assert log is not None

        def calls() -> None:
            for step, value in enumerate(values):
                log("train/loss", value, step)  # type: ignore[arg-type]

        return _each(calls, tracker.close)

    def read() -> None:
        for tensor in tensors:
            tensor.item()

    def read_and_logged() -> float:
        tracker = LIBRARIES["vizkit Tracker"](fresh(root, "tracker"))
        tracker.ready()
        log = tracker.scalar
        assert log is not None

        def calls() -> None:
            for step, tensor in enumerate(tensors):
                log("train/loss", tensor.item(), step)

        return _each(calls, tracker.close)

    def stock() -> float:
        writer = LIBRARIES["visualdl LogWriter"](fresh(root, "stock"))
        add = writer.scalar
        assert add is not None

        def calls() -> None:
            for step, tensor in enumerate(tensors):
                add("train/loss", tensor, step)

        return _each(calls, writer.close)

    given, split = "`log_scalar(tag, tensor, step)`", "`log_scalar(tag, tensor.item(), step)`"
    cases: dict[str, Callable[[], float]] = {
        given: partial(logged, tensors),
        split: read_and_logged,
        "`tensor.item()` alone": lambda: _each(read),
        "`log_scalar(tag, float, step)` alone": partial(logged, floats),
        "visualdl `add_scalar(tag, tensor, step)`": stock,
    }
    taken = interleaved(cases, REPEATS)
    rows = [(name, *three(times, taken[split])) for name, times in taken.items()]
    times_both = ratio(taken[given], taken[split])
    goal = Goal(
        "a scalar from a Paddle tensor",
        "no slower than `tensor.item()` plus a scalar",
        f"{us(median(taken[given]))} us against {us(median(taken[split]))} us, {times_both:.3f}x",
        times_both <= 1.02,  # what repetitions of the same thing differ by
    )
    return [
        Table(
            f"A scalar from a Paddle tensor, {CALLS:,} calls",
            ("", "us a call, median", "min", "times item() and log_scalar"),
            rows,
            [f"Tensors of shape [] on the CPU; {REPEATS} interleaved repetitions, close included."],
            [goal],
        )
    ]


def _each(*works: Callable[[], object]) -> float:
    start = time.perf_counter()
    for work in works:
        work()
    return (time.perf_counter() - start) / CALLS
