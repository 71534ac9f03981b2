"""Scalar tags of runs in a few numbers: those that the list of runs does not tell of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vizkit.server.workspace.api.answer_types import MetricSummary, SummariesAnswer
from vizkit.server.workspace.api.queries import WrongParameter
from vizkit.server.workspace.api.runs_answer import metric_summary
from vizkit.server.workspace.api.state import RELEASED_AFTER, WorkspaceState

__all__ = ["SummariesQuery", "summaries_answer"]

_MOST = 20_000  # summaries in an answer


@dataclass(frozen=True)
class SummariesQuery:
    """Scalar tags of some runs in a few numbers, also those that the runs do not name as their metrics."""

    tag: Annotated[list[str], "scalar tags"]
    run: Annotated[list[str], "names of runs; those that are gone are left out"]


def summaries_answer(state: WorkspaceState, query: SummariesQuery) -> SummariesAnswer:
    """Answer with what each run has of the tags."""
    tags, names = list(dict.fromkeys(query.tag)), dict.fromkeys(query.run)
    if len(tags) * len(names) > _MOST:
        raise WrongParameter(
            "run", "at most {most} numbers of tags and runs can be asked for at once", most=_MOST
        )
    found: dict[str, dict[str, MetricSummary]] = {}
    with state.runs() as runs:
        some = [run for run in runs if run.name in names]
        for count, run in enumerate(some, 1):
            there = set(run.scalar_tags)
            found[run.name] = {tag: metric_summary(run, tag) for tag in tags if tag in there}
            if count % RELEASED_AFTER == 0:
                state.live.release()
    return {"runs": found}
