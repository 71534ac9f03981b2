"""Logs of other tools in a directory that holds none of VisualDL's, and what reads them."""

from __future__ import annotations

import os
from collections import Counter
from fnmatch import fnmatchcase

__all__ = ["foreign_logs"]

_MOST = 5_000  # files looked at
_KINDS = {
    "*tfevents*": ("TensorBoard log", "tensorboard --logdir {} shows them"),
    "*.wandb": ("W&B run", "wandb sync uploads them"),
    "*.swanlab": ("SwanLab run", "swanlab watch shows them"),
    "mlflow.db": ("MLflow store", "mlflow ui shows it"),
    "meta.yaml": ("MLflow experiment or run", "mlflow ui shows them"),
    "run_metadata.sqlite": ("Aim repository", "aim up shows it"),
    "*.csv": ("CSV file", "pandas.read_csv reads them"),
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
    several = f"{count:,} {what}s lie" if count > 1 else f"a {what} lies"
    return (
        f"{several} there, which VizKit does not read ({advice.format(directory)}); to see them here, log "
        "their numbers with vizkit.Tracker"
    )
