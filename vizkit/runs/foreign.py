"""Logs of other tools in a directory that holds none of VisualDL's, and what reads them."""

from __future__ import annotations

import os
from collections import Counter
from fnmatch import fnmatchcase

from vizkit._language import mark, tr, trn

__all__ = ["foreign_logs"]

_MOST = 5_000  # files looked at
_KINDS = {
    "*tfevents*": (mark("TensorBoard log"), mark("tensorboard --logdir {directory} shows them")),
    "*.wandb": (mark("W&B run"), mark("wandb sync uploads them")),
    "*.swanlab": (mark("SwanLab run"), mark("swanlab watch shows them")),
    "mlflow.db": (mark("MLflow store"), mark("mlflow ui shows it")),
    "meta.yaml": (mark("MLflow experiment or run"), mark("mlflow ui shows them")),
    "run_metadata.sqlite": (mark("Aim repository"), mark("aim up shows it")),
    "*.csv": (mark("CSV file"), mark("pandas.read_csv reads them")),
}


def foreign_logs(root: str) -> str:
    """Name the logs of other tools below a local directory, and what to do; empty if there are none."""
    counts: Counter[str] = Counter()
    seen = 0
    directory, name = (root, "") if os.path.isdir(root) else os.path.split(root)
    for _, _, files in os.walk(directory) if not name else [("", [], [name])]:
        counts.update(kind for name in files for kind in _KINDS if fnmatchcase(name, kind))
        seen += len(files) + 1
        if seen > _MOST:
            break
    if not counts:
        return ""
    kind, count = next((kind, counts[kind]) for kind in _KINDS if counts[kind])
    what, advice = _KINDS[kind]
    return tr(
        "{several}, which VizKit does not read ({advice}); to see them here, log their numbers with "
        "vizkit.Tracker",
        several=trn("a {what} lies there", "{n:,} {what}s lie there", count, what=tr(what)),
        advice=tr(advice, directory=directory),
    )
