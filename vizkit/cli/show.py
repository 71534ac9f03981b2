"""``vizkit show``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from vizkit._language import mark, tr
from vizkit._mappings import flat
from vizkit.cli._options import DIRECTORY, Json, Logdir, OneRun, select_run
from vizkit.cli._output import as_table, for_people, print_json, print_rows, stdout
from vizkit.runs import Run
from vizkit.runs.details import overview
from vizkit.runs.display import Cell
from vizkit.runs.formatting import clean, duration_text, exact_text, status_text, value_texts

__all__ = ["show"]

# Of the environment, long values and those that are shown elsewhere.
_LEFT_OUT = {"packages", "variables", "sessions", "started", "ended", "status", "error"}


def show(run: OneRun = None, logdir: Logdir = DIRECTORY, as_json: Json = False) -> None:
    """Show all that is known of a run.

    Its hyper-parameters, scalars, other tags, environment, status and problems.

    Example: vizkit show lenet/run3
    """
    one = select_run(logdir, run)
    if as_json:
        print_json(overview(one))
    elif for_people():
        stdout().print(_sections(one))
    else:
        print_rows([], list(flat(overview(one)).items()))


def _sections(run: Run) -> RenderableType:
    width = stdout().width
    facts = [
        (tr("status"), status_text(run.status)),
        (tr("started"), _started(run)),
        (tr("duration"), duration_text(run.duration)),
        (tr("directory"), run.directory),
    ]
    if run.display_name != run.name:
        facts.append((tr("display name"), run.display_name))
    about = overview(run)
    if error := about["environment"].get("error"):
        facts.insert(
            1, (tr("failed with"), ": ".join(filter(None, (error.get("type"), error.get("message")))))
        )
    notes = ((tr("labels"), ", ".join(run.labels)), (tr("note"), run.note))
    facts += [(name, text) for name, text in notes if text]
    if run.archived:
        facts.append((tr("archived"), tr("yes")))
    parts: list[RenderableType] = [Text(clean(run.name, None), "bold"), as_table([], facts, width)[0]]

    def add(title: str, header: list[str], rows: Sequence[Sequence[str | Cell]]) -> None:
        if rows:
            parts.extend([Text(), Text(tr(title), "bold"), as_table(header, rows, width)[0]])

    add(mark("hyper-parameters"), [], [(name, exact_text(value)) for name, value in about["hparams"].items()])
    metrics = [(tag, *_metric_cells(run, tag, metric)) for tag, metric in about["metrics"].items()]
    header = ["", tr("last"), tr("step"), tr("best"), tr("at step"), tr("records")]
    add(mark("scalars"), header, metrics)
    add(
        mark("tags"),
        [],
        [(kind, ", ".join(tags)) for kind, tags in about["tags"].items() if kind != "scalar"],
    )
    environment = {name: value for name, value in about["environment"].items() if name not in _LEFT_OUT}
    rows = [(name, exact_text(value)) for name, value in flat(environment).items() if name != "git/diff"]
    add(mark("environment"), [], rows)
    add(mark("problems"), [], [(problem,) for problem in about["problems"]])
    return Group(*parts)


def _started(run: Run) -> str:
    return "" if run.started is None else run.started.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _metric_cells(run: Run, tag: str, metric: Mapping[str, Any]) -> tuple[str | Cell, ...]:
    """Last value with a sparkline, its step, best value, its step, number of records."""
    nan = f" ({metric['nan']} NaN)" if metric["nan"] else ""
    last, best = value_texts([metric["last"], metric["best"]])
    steps = [exact_text(metric[step]) for step in ("last_step", "best_step")]
    where = ("", "") if metric["best"] is None else (best, steps[1])
    return Cell(last, run.columns(tag)), steps[0], *where, f"{metric['n']:,}{nan}"
