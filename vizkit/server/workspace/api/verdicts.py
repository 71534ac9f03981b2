"""Statistics over runs: the importance of hyper-parameters, and whether some runs are better than others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

from vizkit._language import tr
from vizkit.errors import DataError, QueryError, UnknownNameError
from vizkit.runs import Run, Runs
from vizkit.runs.importance import compute_importance, hparams_and_best
from vizkit.runs.statistics import checked_mode
from vizkit.server.workspace.api.answer_types import ComparisonAnswer, ImportanceAnswer
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.queries import WrongParameter
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["ComparisonQuery", "ImportanceQuery", "comparison_answer", "importance_answer", "why_none"]

_MOST_RUNS = 10_000  # whose shuffles take three seconds
_MOST_ROWS = 500

_Mode = Literal["auto", "max", "min"]


@dataclass(frozen=True)
class ImportanceQuery:
    """The share of a metric's variance over runs that each hyper-parameter explains alone."""

    tag: Annotated[str, "a scalar tag"]
    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)
    filter: Annotated[str, "an expression of `vizkit.Runs.filter` that the runs fit"] = ""
    without: Annotated[list[str], "names of runs that are left out"] = field(default_factory=list)
    mode: Annotated[_Mode, "the better direction; `auto`: as the tag's name tells"] = "auto"


@dataclass(frozen=True)
class ComparisonQuery:
    """The comparison of the best values of two sets of runs: is B better than A?"""

    tag: Annotated[str, "a scalar tag"]
    a: Annotated[list[str], "names of the runs of A"]
    b: Annotated[list[str], "names of the runs of B"]
    mode: Annotated[_Mode, "the better direction; `auto`: as the tag's name tells"] = "auto"


def why_none(error: Exception, runs: Iterable[Run], tag: str, mode: str) -> str:
    """Why there is no answer; where nobody knows which value is best, what to do about it on the page."""
    try:
        checked_mode(runs, tag, mode)
    except DataError:
        return tr(
            "whether high or low values of {tag!r} are better is not known: choose it under “Better”", tag=tag
        )
    return str(error)


def importance_answer(state: WorkspaceState, query: ImportanceQuery) -> ImportanceAnswer:
    """Answer with the importance of each hyper-parameter, the greatest first."""
    with state.runs() as runs:
        some = named(runs, query.run)
        if query.filter:
            fitting = {run.name for run in runs.filter(query.filter)}
            some = [run for run in some if run.name in fitting]
        if query.without:
            out = set(query.without)
            some = [run for run in some if run.name not in out]
        if len(some) > _MOST_RUNS:
            raise WrongParameter(
                "run",
                "importance takes at most {most:,} runs, got {n:,}: choose some",
                most=_MOST_RUNS,
                n=len(some),
            )
        try:
            hparams, best = hparams_and_best(some, query.tag, query.mode)
            mode = checked_mode(some, query.tag, query.mode)
        except UnknownNameError:
            raise
        except (DataError, QueryError) as error:  # too few runs, or nobody knows which value is best
            return {
                "tag": query.tag,
                "mode": "",
                "n": 0,
                "reason": why_none(error, some, query.tag, query.mode),
                "hparams": [],
            }
    found = compute_importance(hparams, best)  # takes long: others may read logs meanwhile
    return {
        "tag": query.tag,
        "mode": mode,
        "n": len(best),
        "reason": "",
        "hparams": [
            {
                "name": item.name,
                "importance": number(item.importance),
                "p": number(item.p),
                "values": item.values,
                "together_with": list(item.with_),
            }
            for item in found[:_MOST_ROWS]
        ],
    }


def comparison_answer(state: WorkspaceState, query: ComparisonQuery) -> ComparisonAnswer:
    """Answer with the difference between two sets of runs, its interval, and a sentence that says it."""
    with state.runs() as runs:
        a, b = named(runs, query.a), named(runs, query.b)
        both = Runs(list(dict.fromkeys([*a, *b])))
        try:
            found = both.compare(a, b, query.tag, query.mode)
        except UnknownNameError:
            raise
        except (DataError, QueryError) as error:
            return {
                "tag": query.tag,
                "reason": why_none(error, both, query.tag, query.mode),
                "sentence": "",
                "numbers": None,
            }
    return {
        "tag": query.tag,
        "reason": "",
        "sentence": str(found),
        "numbers": {
            "mode": found.mode,  # type: ignore[typeddict-item]  # one of these
            "mean_a": found.mean_a,
            "mean_b": found.mean_b,
            "difference": found.difference,
            "low": number(found.low),
            "high": number(found.high),
            "n_a": found.n_a,
            "n_b": found.n_b,
            "left_out": found.left_out,
            "better": found.better,
        },
    }
