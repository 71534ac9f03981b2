"""Tables of predictions: what they take of the training's thread, in all, and on disk; and in memory."""

from __future__ import annotations

import os
import time
from statistics import median

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks._common import Goal, Table, ms
from vizkit import Tracker, load

__all__ = ["run"]

QUICK = os.environ.get("VIZKIT_BENCH_QUICK") == "1"
ROWS = 20_000 if QUICK else 1_000_000
CLASSES, BATCH, ROUNDS = 10, 10_000, 3
MOST_MS, MOST_SECONDS, MOST_BYTES = 50.0, 2.0, 30.0


def run(root: str) -> list[Table]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS)
    scores = rng.normal(size=(ROWS, CLASSES)).astype(np.float32)
    scores[np.arange(ROWS), labels] += 3
    table = Table(
        f"A table of {ROWS:,} predictions of {CLASSES} classes, batches of {BATCH:,}",
        ("", "without, ms", "with, ms", "the table, ms"),
        notes=[
            "Processor time of the training's thread, and time until all is on the disk; medians of "
            f"{ROUNDS}, turn by turn.",
        ],
    )
    _evaluated(f"{root}/warm", labels[:1000], scores[:1000], True)
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for number in range(ROUNDS):
        for predictions in (False, True):
            directory = f"{root}/{number}-{predictions}"
            found[predictions].append(_evaluated(directory, labels, scores, predictions))
    own, whole = (
        [median([pair[k] for pair in found[predictions]]) for predictions in (False, True)] for k in (0, 1)
    )
    for name, (without, with_) in (("the training's thread", own), ("in all", whole)):
        table.rows.append((name, ms(without), ms(with_), ms(with_ - without)))
    logged = _logged(f"{root}/logged", labels, scores)
    table.rows.append(("`log_table` of the same columns, the training's thread", "", ms(logged[0]), ""))
    table.rows.append(("`log_table` of the same columns, in all", "", ms(logged[1]), ""))
    size = _size(f"{root}/0-True")
    table.rows.append(("bytes a row", "", f"{size:.1f}", ""))
    start = time.perf_counter()
    columns = load(root)["0-True"].prediction_columns()
    table.rows.append(("read back, without pandas", "", ms(time.perf_counter() - start), ""))
    assert columns.rows == ROWS
    table.goals += [
        Goal(
            f"{ROWS:,} predictions, the training's thread",
            f"<= {MOST_MS:g} ms",
            f"{ms(own[1] - own[0])} ms",
            (own[1] - own[0]) * 1000 <= MOST_MS,
        ),
        Goal(
            f"{ROWS:,} predictions, in all",
            f"<= {MOST_SECONDS:g} s",
            f"{whole[1] - whole[0]:.2f} s",
            whole[1] - whole[0] <= MOST_SECONDS,
        ),
        Goal("on disk", f"<= {MOST_BYTES:g} bytes a row", f"{size:.1f}", size <= MOST_BYTES),
    ]
    return [table, _memory(f"{root}/many", rng)]


def _evaluated(
    directory: str, labels: NDArray[np.int64], scores: NDArray[np.float32], predictions: bool
) -> tuple[float, float]:
    """The time of the training's thread, and until all is on the disk."""
    with Tracker(directory, system=False, quiet=True) as tracker:
        began, own = time.perf_counter(), time.thread_time()
        with tracker.evaluation("eval", activation="softmax", predictions=predictions) as evaluation:
            for start in range(0, len(labels), BATCH):
                evaluation.add(labels[start : start + BATCH], scores[start : start + BATCH])
        own = time.thread_time() - own
        tracker.flush()
        whole = time.perf_counter() - began
    return own, whole


def _logged(directory: str, labels: NDArray[np.int64], scores: NDArray[np.float32]) -> tuple[float, float]:
    columns = {"id": np.arange(len(labels)), "label": labels, "prediction": scores.argmax(axis=1)}
    columns |= {name: scores[:, k] for k, name in enumerate(("score", "score2", "score3", "loss"))}
    with Tracker(directory, system=False, quiet=True) as tracker:
        began, own = time.perf_counter(), time.thread_time()
        tracker.log_table("samples", columns, 0)
        own = time.thread_time() - own
        tracker.flush()
        return own, time.perf_counter() - began


def _size(directory: str) -> float:
    """Bytes of a table for each row."""
    place = os.path.join(directory, "vizkit.tables", "eval%2Fpredictions")
    return sum(os.path.getsize(os.path.join(place, name)) for name in os.listdir(place)) / ROWS


def _memory(directory: str, rng: np.random.Generator) -> Table:
    """What an evaluation of ever more samples takes, of which 10,000 rows are kept."""
    table = Table("Memory of an evaluation with 10,000 rows kept", ("samples", "more memory since, MB"))
    labels = rng.integers(0, CLASSES, BATCH)
    scores = rng.normal(size=(BATCH, CLASSES)).astype(np.float32)
    with (
        Tracker(directory, system=False, quiet=True) as tracker,
        tracker.evaluation("eval", activation="softmax", limit=100_000) as evaluation,
    ):
        before = 0
        for number in range(1, 1 + (20 if QUICK else 400)):
            evaluation.add(labels, scores)
            if number in (10, 100, 400):
                tracker.flush()
                now = psutil.Process().memory_info().rss >> 20
                table.rows.append((f"{number * BATCH:,}", str(now - before if before else 0)))
                before = before or now
    return table
