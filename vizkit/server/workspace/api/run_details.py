"""All that is known of one run beside its records: how it was made, how it ended, its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args

import numpy as np

from vizkit._language import tr
from vizkit.environment.session_file import Status
from vizkit.format.walltime import is_time
from vizkit.runs import Run
from vizkit.server.run_names import printable
from vizkit.server.workspace.api.answer_types import RunDetails, ScalarSummary, SessionRecord
from vizkit.server.workspace.api.directory_files import files_of
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.runs_answer import metric_summary, plain_value
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["RunQuery", "run_details"]

_MAX_TAGS = 2_000
_MAX_PROBLEMS = 500
_MAX_SESSIONS = 100
_MAX_FACTS = 5_000
_MAX_CHARACTERS = 20_000  # of a fact
_MAX_DIFF = 500_000  # characters
_MAX_MEANS = 1_000_000  # records that are looked at for means

_Fact = str | float | bool | list[str] | None


@dataclass(frozen=True)
class RunQuery:
    """One run: how it was made and ended, all its scalars in numbers, its files and problems."""

    run: Annotated[str, "name of a run"]


def run_details(state: WorkspaceState, query: RunQuery) -> RunDetails:
    """Answer with what is known of a run."""
    with state.runs() as runs:
        (run,) = named(runs, [query.run])
        environment = run.environment
        sessions = [*environment.get("sessions", []), environment] if environment else []
        ended = run.ended
        return {
            "name": run.name,
            "directory": printable(run.directory),
            "ended": None if ended is None else round(ended.timestamp() * 1000),
            "last_second": _last_second(run),
            "sessions": [_session(one) for one in sessions[-_MAX_SESSIONS:]],
            "environment": dict(_some(_facts(environment))),
            "diff": printable(str(_diff(environment))[:_MAX_DIFF]),
            "scalars": _summaries(run),
            "superseded": run.superseded,
            "problems": [printable(tr(one.message)) for one in run.problems[:_MAX_PROBLEMS]],
            **files_of(state, run),
        }


def _last_second(run: Run) -> float | None:
    last = [run.recorded(tag).walltimes[-1:] for tag in run.scalar_tags[:_MAX_TAGS]]
    seconds = run.seconds(np.concatenate(last)) if last else np.empty(0)
    seconds = seconds[np.isfinite(seconds)]
    return float(seconds.max()) if len(seconds) else None


def _summaries(run: Run) -> dict[str, ScalarSummary]:
    tags = run.scalar_tags[:_MAX_TAGS]
    few = sum(len(run.recorded(tag).values) for tag in tags) <= _MAX_MEANS
    return {
        tag: {**metric_summary(run, tag), "mean": number(run.summary(tag).mean) if few else None}
        for tag in tags
    }


def _session(session: Mapping[str, Any]) -> SessionRecord:
    error = session.get("error")
    if isinstance(error, Mapping):
        error = ": ".join(str(error[key]) for key in ("type", "message") if error.get(key))
    status = session.get("status")
    started, ended = (session.get(key) for key in ("started", "ended"))
    return {
        "status": status if status in get_args(Status) else "unknown",  # type: ignore[typeddict-item]
        "started": started if is_time(started) else None,
        "ended": ended if is_time(ended) else None,
        "error": printable(str(error or "")[:_MAX_CHARACTERS]),
    }


def _diff(environment: Mapping[str, Any]) -> object:
    git = environment.get("git")
    return git.get("diff", "") if isinstance(git, Mapping) else ""


def _facts(content: object, name: str = "") -> Iterator[tuple[str, _Fact]]:
    """The values of nested mappings and lists by names such as ``gpus/0/name``; lists of texts stay whole."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if (name, key) not in (("", "sessions"), ("git/", "diff")):
                yield from _facts(value, f"{name}{key}/")
    elif isinstance(content, list) and any(isinstance(one, (Mapping, list)) for one in content):
        for index, value in enumerate(content):
            yield from _facts(value, f"{name}{index}/")
    elif isinstance(content, list):
        yield name[:-1], [printable(str(one)[:_MAX_CHARACTERS]) for one in content[:_MAX_FACTS]]
    else:
        value = plain_value(content)
        yield name[:-1], printable(value[:_MAX_CHARACTERS]) if isinstance(value, str) else value


def _some(facts: Iterator[tuple[str, _Fact]]) -> Iterator[tuple[str, _Fact]]:
    for _, (name, value) in zip(range(_MAX_FACTS), facts, strict=False):
        yield printable(name[:_MAX_CHARACTERS]), value
