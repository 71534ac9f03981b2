"""Two tables of a million predictions, compared sample by sample, and searched for label errors."""

from __future__ import annotations

import os

import numpy as np

from benchmarks._common import Goal, Table, interleaved, median, timed
from vizkit import Tracker, load

__all__ = ["ROWS", "TABLE", "record_pair", "run"]

TABLE = "eval/predictions"

ROWS = 20_000 if os.environ.get("VIZKIT_BENCH_QUICK") else 1_000_000
CLASSES, ERRORS, REPEATS, MOST_SECONDS = 10, (0.10, 0.09), 5, 1.0


def run(root: str) -> list[Table]:
    kinds = {"the same order": "same", "B in another order": "shuffled", "ids that are texts": "texts"}
    for kind in kinds.values():
        record_pair(f"{root}/{kind}", kind)
    cases = {
        name: lambda kind=kind: timed(lambda: _compared(f"{root}/{kind}")) for name, kind in kinds.items()
    }
    cases["label errors of both"] = lambda: timed(lambda: load(f"{root}/same").label_errors())
    taken = interleaved(cases, REPEATS)
    table = Table(
        f"Two tables of {ROWS:,} predictions of {CLASSES} classes",
        ("work", "s, median", "least"),
        notes=["`load`, `diff_samples` and its text: read, joined, tested, by class; or `label_errors`."],
    )
    for name, seconds in taken.items():
        table.rows.append((name, f"{median(seconds):.2f}", f"{min(seconds):.2f}"))
    seconds = median(taken["the same order"])
    table.goals.append(
        Goal(
            "`diff_samples` of two tables of 1,000,000 rows",
            "< 1 s",
            f"{seconds:.2f} s",
            seconds < MOST_SECONDS,
        )
    )
    return [table]


def _compared(directory: str) -> None:
    str(load(directory).diff_samples("a", "b"))


def record_pair(directory: str, kind: str) -> None:
    """Record the runs a and b, whose predictions are of the same samples."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, CLASSES, ROWS)
    for name, errors in zip("ab", ERRORS, strict=True):
        order = rng.permutation(ROWS) if name == "b" and kind == "shuffled" else np.arange(ROWS)
        wrong = rng.random(ROWS) < errors
        predictions = np.where(wrong, rng.integers(0, CLASSES, ROWS), labels)
        score = rng.uniform(0.4, 1, ROWS).astype(np.float32)
        columns: dict[str, object] = {
            "id": [f"{place:08}.png" for place in order] if kind == "texts" else order,
            "label": labels[order],
            "prediction": predictions[order],
            "score": score[order],
            "label_score": np.where(predictions == labels, score, 1 - score)[order],
            "top2": ((predictions + 1) % CLASSES)[order],
            "score2": ((1 - score) / 2)[order],
        }
        with Tracker(f"{directory}/{name}", system=False, quiet=True) as tracker:
            tracker.log_table(TABLE, columns)
