"""Reasons why runs are missing below a directory: logs of other tools, directories of other users."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from fnmatch import fnmatchcase

from vizkit._language import mark, tr, trn
from vizkit.format.file_names import LOG_WORD

__all__ = ["foreign_logs", "unlisted_note"]

_AN = re.compile("^a(?= (Aim|MLflow))")
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
    """Name the logs of other tools below a local directory, and what to do; empty if there are none.

    Of a file that is no log by its name, say that.
    """
    counts: Counter[str] = Counter()
    seen = 0
    directory, name = (root, "") if os.path.isdir(root) else os.path.split(root)
    for _, _, files in os.walk(directory) if not name else [("", [], [name])]:
        counts.update(kind for name in files for kind in _KINDS if fnmatchcase(name, kind))
        seen += len(files) + 1
        if seen > _MOST:
            break
    if not counts:
        if name and LOG_WORD not in name and os.path.isfile(root):
            return tr("logs have {word} in their names", word=LOG_WORD)
        return ""
    kind, count = next((kind, counts[kind]) for kind in _KINDS if counts[kind])
    what, advice = _KINDS[kind]
    return tr(
        "{several}, which VizKit does not read ({advice}); to see them here, log their numbers with "
        "vizkit.Tracker",
        several=_AN.sub("an", trn("a {what} lies there", "{n:,} {what}s lie there", count, what=tr(what))),
        advice=tr(advice, directory=directory),
    )


def unlisted_note(directories: Sequence[str]) -> str:
    """Say whose runs are missing because a directory may not be listed; empty if there is none."""
    if not directories:
        return ""
    return trn(
        "{names} may not be listed, its runs are left out: see to its permissions",
        "{n} directories may not be listed, their runs are left out: see to the permissions of {names}",
        len(directories),
        names=", ".join(directories[:3]) + (" ..." if len(directories) > 3 else ""),
    )
