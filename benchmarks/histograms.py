"""Histograms of a million weights: right counts, in the whole, and on the caller's thread."""

from __future__ import annotations

import time
from functools import partial

import numpy as np

from benchmarks._apart import apart
from benchmarks._common import Goal, Table, fresh, interleaved, median, ms, ratio, three, timed
from benchmarks._libraries import LIBRARIES

__all__ = ["run"]

SIZE = 1_000_000
CALLS = 10
REPEATS = 7
PACED_CALLS = 60
NUMPY = "`numpy.histogram` alone"


def run(root: str) -> list[Table]:
    """Both tables; fails if a count differs from ``numpy.histogram``."""
    values = np.random.default_rng(0).normal(0, 0.05, SIZE).astype(np.float32)
    _check_counts(root, values)
    return [_whole(root, values), _on_the_caller(root, values)]


def _check_counts(root: str, values: np.ndarray) -> None:
    """What VizKit wrote, read by stock VisualDL, is what NumPy counts."""
    from visualdl import LogReader

    recorder = LIBRARIES["vizkit LogWriter"](fresh(root, "counts"))
    assert recorder.histogram is not None
    recorder.histogram("weights", values, 0)
    recorder.close()
    (record,) = LogReader(file_path=str(recorder.files)).get_data("histogram", "weights")
    counts, edges = np.histogram(values, bins=10)
    np.testing.assert_array_equal(record.histogram.hist, counts)
    np.testing.assert_array_equal(record.histogram.bin_edges, edges)


def _whole(root: str, values: np.ndarray) -> Table:
    names = [name for name in LIBRARIES if name != "swanlab"]
    with apart(root, [*names, NUMPY]) as there:
        cases = {name: partial(there, name, _recorded, root, name, values) for name in names}
        cases[NUMPY] = partial(there, NUMPY, _counted, values)
        taken = interleaved(cases, REPEATS)
    ours = taken["vizkit LogWriter"]
    stock = ratio(taken["visualdl LogWriter"], ours)
    rows = [(name, *three(times, ours, ms)) for name, times in taken.items()]
    note = (
        f"{CALLS} calls in a tight loop with close included, each library's own number of buckets (the "
        "LogWriters 10, Tracker 30, trackio 64, tensorboardX about 1,500); "
        f"{REPEATS} interleaved repetitions, each library in a process of its own. Counts and edges, read "
        "back by stock VisualDL, equal `numpy.histogram`'s (asserted)."
    )
    goal = Goal("histogram of 1,000,000 float32, whole", ">= 3x faster", f"{stock:.1f}x", stock >= 3)
    columns = ("", "ms a histogram, median", "min", "times vizkit")
    return Table(f"Histogram of {SIZE:,} float32, whole", columns, rows, [note], [goal])


def _recorded(root: str, name: str, values: np.ndarray) -> float:
    recorder = LIBRARIES[name](fresh(root, "whole"))
    assert recorder.histogram is not None
    recorder.ready()
    start = time.perf_counter()
    for step in range(CALLS):
        recorder.histogram("weights", values, step)
    recorder.close()
    return (time.perf_counter() - start) / CALLS


def _counted(values: np.ndarray) -> float:
    return timed(lambda: np.histogram(values, bins=10))


def _on_the_caller(root: str, values: np.ndarray) -> Table:
    """Snapshot and call in turn, the worker idle before each as it is between training steps."""
    recorder = LIBRARIES["vizkit LogWriter"](fresh(root, "paced"))
    stock = LIBRARIES["visualdl LogWriter"](fresh(root, "paced-stock"))
    assert recorder.histogram is not None
    assert recorder.flush is not None
    assert stock.histogram is not None
    held = values.copy()
    copies, calls, stocks = [], [], []
    for step in range(PACED_CALLS + 5):
        start = time.perf_counter()
        held = values.copy()  # frees the one before, as the worker does
        copied = time.perf_counter()
        recorder.histogram("weights", values, step)
        called = time.perf_counter()
        recorder.flush()
        if step % 6 == 5:
            stocks.append(timed(partial(stock.histogram, "weights", values, step)))
        if step >= 5:
            copies.append(copied - start)
            calls.append(called - copied)
    recorder.close()
    stock.close()
    assert len(held) == SIZE
    beyond = [call - copy for call, copy in zip(calls, copies, strict=True)]
    rows = [
        (name, *(f"{seconds * 1e3:.3f}" for seconds in np.quantile(times, (0.5, 0.1, 0.9))))
        for name, times in (
            ("`array.copy()`, the snapshot", copies),
            ("vizkit `add_histogram`", calls),
            ("beyond the snapshot", beyond),
            ("visualdl `add_histogram`", stocks),
        )
    ]
    extra = median(beyond) * 1e3
    return Table(
        "The same on the calling thread, at a training pace",
        ("", "ms a call, median", "10 %", "90 %"),
        rows,
        [f"{PACED_CALLS} calls, each with the worker idle, each beside a copy of the same array."],
        [Goal("histogram, caller's thread beyond the snapshot", "<= 1 ms", f"{extra:.3f} ms", extra <= 1)],
    )
