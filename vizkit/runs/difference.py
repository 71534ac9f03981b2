"""Differences between runs: hyper-parameters, and how the runs were made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vizkit._mappings import flat
from vizkit.runs.query import MISSING

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run

__all__ = ["difference_frame", "differences", "differing", "made_by"]

# These differ between any two processes, and do not matter for how a run was made.
_PASSING = {"started", "ended", "status", "error", "sessions", "pid", "process", "format"}


def made_by(environment: Mapping[str, Any]) -> dict[str, Any]:
    """The flat environment of a run, without entries that differ in every process (``pid`` ...)."""
    kept = {key: value for key, value in environment.items() if key not in _PASSING}
    found = flat(kept)
    if "git/diff_file" in found:  # it is named by its content
        found.pop("git/diff", None)
    return found


def differing(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The names whose values are not the same in all ``rows`` -> value in each, `MISSING` where absent.

    Numbers are compared as numbers (64 and 64.0 are the same); NaN equals NaN.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name, MISSING) for row in rows] for name in names}
    return {name: values for name, values in columns.items() if any(_other(values[0], v) for v in values[1:])}


def _other(a: object, b: object) -> bool:
    if isinstance(a, bool) is not isinstance(b, bool):
        return True
    return not (a is b or a == b or (a != a and b != b))


def differences(runs: Sequence[Run]) -> dict[str, dict[str, list[Any]]]:
    """Differing ``"hparams"`` and ``"environment"`` entries: name -> value in each run, or `MISSING`.

    Environments are compared between the runs that have one.
    """
    made = [made_by(run.environment) for run in runs]
    known = [index for index, row in enumerate(made) if row]
    environment: dict[str, list[Any]] = {}
    for name, values in differing([made[index] for index in known]).items():
        environment[name] = [MISSING] * len(made)
        for index, value in zip(known, values, strict=True):
            environment[name][index] = value
    return {"hparams": differing([run.hparams for run in runs]), "environment": environment}


def difference_frame(found: Mapping[str, Mapping[str, list[Any]]], runs: Sequence[str]) -> pd.DataFrame:
    """The result of `differences` as a frame with a column a run."""
    import pandas as pd

    rows = {(part, name): values for part, names in found.items() for name, values in names.items()}
    index = pd.MultiIndex.from_arrays(list(zip(*rows, strict=True)) or [[], []], names=["part", "name"])
    shown = [[None if value is MISSING else value for value in values] for values in rows.values()]
    columns = {run: [row[i] for row in shown] for i, run in enumerate(runs)}
    return pd.DataFrame(columns, index=index, dtype=object)
