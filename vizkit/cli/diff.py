"""``vizkit diff``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.cells import cell_len

from vizkit._language import tr
from vizkit.cli._options import DIRECTORY, Json, Logdir, SomeRuns, Where, none_found, select_runs
from vizkit.cli._output import GAP, as_table, for_people, print_json, print_rows, say, stdout
from vizkit.cli._samples import diff_samples
from vizkit.errors import UnknownNameError
from vizkit.runs.formatting import setting_texts, shorten_all
from vizkit.runs.query import MISSING

__all__ = ["diff"]

_LONGEST_NAME = 28
_NARROWEST = 10  # characters of a run's column


def diff(
    runs: SomeRuns = None,
    logdir: Logdir = DIRECTORY,
    where: Where = None,
    as_json: Json = False,
    samples: Annotated[
        bool,
        typer.Option("--samples", help=tr("Compare the predictions of two runs, A and B, sample by sample.")),
    ] = False,
    tag: Annotated[
        str | None,
        typer.Option("--tag", metavar="TAG", help=tr("The evaluation of --samples; the only one.")),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--by", metavar="COLUMN", help=tr("The groups of --samples: label, or a slice.")),
    ] = None,
) -> None:
    """Show what differs between runs.

    Their hyper-parameters, and how they were made (packages, git, command ...). The exit code is 1 if
    nothing differs.

    Example: vizkit diff lenet/run1 lenet/run2
    """
    selected = select_runs(logdir, runs, where)
    if not len(selected):
        raise none_found(logdir, where)
    if samples:
        diff_samples(selected, select_runs(logdir), tag, by, as_json=as_json)
        return
    if tag is not None or by is not None:
        raise typer.BadParameter(tr("--tag and --by belong to --samples"))
    if len(selected) < 2:
        names = ", ".join(select_runs(logdir).names[:20])
        raise UnknownNameError(
            "diff needs two runs or more, and {n} is meant; there are: {names}", n=len(selected), names=names
        )
    differences = selected.differences()
    if as_json:
        parts = {part: _by_run(selected.names, values) for part, values in differences.items()}
        print_json({"runs": selected.names, **parts})
    else:
        rows = [
            (part, name, *values) for part, names in differences.items() for name, values in names.items()
        ]
        if for_people() and rows:
            _draw(
                [tr("part"), tr("name"), *selected.names],
                [(part, name, *setting_texts(values)) for part, name, *values in rows],
            )
        elif rows:
            print_rows(["part", "name", *selected.names], rows)
    if not any(differences.values()):
        say("nothing differs between {n} runs", n=len(selected))
        raise typer.Exit(1)


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table with texts, not numbers, cut to the width.

    Where runs have no room, those like another go first; where two have none, all stand below each other.
    """
    parts, long_names, *runs = zip(*rows, strict=True)
    names = shorten_all(long_names, _LONGEST_NAME)
    left = (
        stdout().width
        - max(map(cell_len, (*names, header[1])))
        - max(map(cell_len, (*parts, header[0])))
        - GAP
    )
    wide = [max(map(cell_len, column)) for column in zip(header[2:], *(row[2:] for row in rows), strict=True)]
    least = max([_NARROWEST, *(len(text) for column in runs for text in column if _is_number(text))])
    narrow = [GAP + min(each, least) for each in wide]
    first = {column: place for place, column in reversed(list(enumerate(runs)))}.values()
    shown: list[int] = []
    for place in sorted(range(len(runs)), key=lambda place: (place not in first, place)):
        if len(shown) < 2 or sum(narrow[other] for other in (*shown, place)) <= left:
            shown.append(place)
    if sum(narrow[place] for place in shown) > left:  # then below each other, and whole
        stdout().print(as_table(header, rows, stdout().width)[0])
        return
    shown.sort()
    left -= GAP * len(shown)
    longest = max(wide[place] for place in shown)
    while longest > least and sum(min(wide[place], longest) for place in shown) > left:
        longest -= 1
    cut = [shorten_all([row[2 + place] for place in shown], longest) for row in (header, *rows)]
    fixed = [tuple(header[:2]), *((row[0], name) for row, name in zip(rows, names, strict=True))]
    top, *content = [(*two, *more) for two, more in zip(fixed, cut, strict=True)]
    stdout().print(as_table(top, content, stdout().width)[0])
    if hidden := len(runs) - len(shown):
        same = sum(
            runs[place] in [runs[other] for other in shown] for place in set(range(len(runs))) - set(shown)
        )
        equal = tr(", {same} of them equal to one that is shown", same=same) if same else ""
        say(
            "no room for {hidden} of {n} runs{equal}; name two, or see all with --json",
            hidden=hidden,
            n=len(runs),
            equal=equal,
        )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _by_run(
    names: Sequence[str], differences: Mapping[str, Sequence[object]]
) -> dict[str, dict[str, object]]:
    """Values by name and run, without missing ones."""
    return {
        name: {run: value for run, value in zip(names, values, strict=True) if value is not MISSING}
        for name, values in differences.items()
    }
