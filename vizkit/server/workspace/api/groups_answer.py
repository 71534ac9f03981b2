"""Groups of runs by hyper-parameters, with statistics of a metric's best values in each."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from vizkit.errors import DataError, QueryError, UnknownNameError
from vizkit.runs import Runs
from vizkit.runs.query_names import FIELDS
from vizkit.runs.scalar_tags import with_tag
from vizkit.runs.statistics import checked_mode
from vizkit.server.workspace.api.answer_types import GroupNumbers, GroupsAnswer
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.runs_answer import plain_value
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.verdicts import why_none

__all__ = ["GroupsQuery", "groups_answer"]

_MOST_GROUPS = 500

_Mode = Literal["auto", "max", "min"]


@dataclass(frozen=True)
class GroupsQuery:
    """Groups of runs with equal hyper-parameters, and statistics of a metric's best value of each run."""

    tag: Annotated[str, "a scalar tag"]
    group: Annotated[list[str], "names of hyper-parameters"] = field(default_factory=list)
    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)
    mode: Annotated[_Mode, "the better direction; `auto`: as the tag's name tells"] = "auto"


def groups_answer(state: WorkspaceState, query: GroupsQuery) -> GroupsAnswer:
    """Answer with groups in the order of their values."""
    with state.runs() as runs:
        some = Runs(named(runs, query.run))
        with_tag(some, query.tag)
        try:
            groups = some.group_by([_key(name) for name in query.group])
            rows = groups.rows(query.tag, query.mode)
            mode = checked_mode(some, query.tag, query.mode)
        except UnknownNameError:
            raise
        except (DataError, QueryError) as error:  # nobody knows which value is best
            return {
                "tag": query.tag,
                "mode": "",
                "reason": why_none(error, some, query.tag, query.mode),
                "groups": [],
                "more": 0,
            }
        found: list[GroupNumbers] = []
        for (key, group), row in list(zip(groups.items(), rows, strict=True))[:_MOST_GROUPS]:
            label = dict(zip(query.group, groups.label(key).values(), strict=True))
            found.append(
                {
                    "values": [plain_value(value) for value in label.values()],
                    "filter": _filter(label),
                    "runs": [run.name for run in group],
                    "n": row["n"],
                    "mean": _known(row["mean"]),
                    "low": _known(row["low"]),
                    "high": _known(row["high"]),
                    "std": _known(row["std"]),
                    "least": _known(row["min"]),
                    "greatest": _known(row["max"]),
                }
            )
    return {"tag": query.tag, "mode": mode, "reason": "", "groups": found, "more": len(groups) - len(found)}


def _key(name: str) -> str:
    """The expression that groups runs by a hyper-parameter, whatever its name."""
    return f"hparams.{_quoted(name)}" if name in FIELDS else name


def _quoted(name: str) -> str:
    """A name as it is written in an expression."""
    return "`" + name.replace("`", "``") + "`"


def _filter(label: Mapping[str, Hashable]) -> str:
    """An expression that selects the runs of a group; empty if there is none."""
    parts = []
    for name, value in label.items():
        is_plain = isinstance(value, (bool, int, str)) or (isinstance(value, float) and math.isfinite(value))
        if value is None:
            parts.append(f"hparams.{_quoted(name)} is None")
        elif is_plain:
            parts.append(f"hparams.{_quoted(name)} == {value!r}")
        else:
            return ""
    return " and ".join(parts)


def _known(value: float) -> float | str | None:
    return None if math.isnan(value) else number(value)
