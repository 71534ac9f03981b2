"""The application of all commands: names, errors, exit codes."""

from __future__ import annotations

import inspect
import io
import re
import sys
from collections.abc import Callable
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup

import vizkit
from vizkit._language import language, reason_of, tr
from vizkit.cli import (
    archive,
    best,
    check,
    compare,
    diff,
    export,
    ls,
    note,
    plot,
    rank,
    serve,
    show,
    sweep,
    tag,
    tail,
    view,
)
from vizkit.cli._help import UNWRAPPED, translated
from vizkit.cli._output import say
from vizkit.cli._streams import PIPE_CLOSED
from vizkit.errors import VizKitError

__all__ = ["COMMANDS", "app", "help_of", "run"]

_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]  # Typer exports its subclasses alone


class _Group(TyperGroup):
    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        return translated(super().get_help(ctx))


class _Command(TyperCommand):
    def get_help(self, ctx: typer.Context) -> str:  # type: ignore[override]
        return translated(super().get_help(ctx))


app = typer.Typer(
    name="vizkit",
    cls=_Group,
    help=tr("Look at runs that VizKit or VisualDL recorded."),
    epilog=tr("Exit codes: 0 an answer; 1 none, a negative one, problems; 2 wrong usage or names."),
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["--help", "-h"],
        "terminal_width": None if language() == "en" else UNWRAPPED,
    },
)


def _serve(context: typer.Context) -> None:
    """Serve the workspace, and VisualDL's page, over the runs, until Ctrl-C."""
    raise typer.Exit(serve.run_server(context.args))


def help_of(command: Callable[..., None]) -> str:
    """The help of a command: its docstring, with each paragraph on one line."""
    return re.sub(r"(?<!\n)\n(?!\n)", " ", inspect.cleandoc(command.__doc__ or ""))


COMMANDS: dict[str, Callable[..., None]] = {
    "ls": ls.ls,
    "show": show.show,
    "tail": tail.tail,
    "compare": compare.compare,
    "rank": rank.rank_settings,
    "diff": diff.diff,
    "best": best.best,
    "plot": plot.plot,
    "export": export.export,
    "tag": tag.tag,
    "note": note.note,
    "archive": archive.archive,
    "view": view.view,
    "check": check.check_logs,
    "sweep": sweep.sweep_script,
    "serve": _serve,
}
_AS_GIVEN = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
for _name, _function in COMMANDS.items():
    app.command(
        _name,
        cls=_Command,
        help=tr(help_of(_function)),
        context_settings=_AS_GIVEN if _name == "serve" else None,
    )(_function)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vizkit {vizkit.__version__}")
        raise typer.Exit


@app.callback()
def _vizkit(
    version: Annotated[
        bool, typer.Option("--version", help=tr("Print the version."), callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def run(args: list[str] | None = None) -> int:
    """Run a command, by default that of the process's arguments, and return its exit code."""
    try:
        code = app(args, prog_name="vizkit", standalone_mode=False)
    except _USAGE_ERROR as error:
        text = io.StringIO()
        error.show(text)  # type: ignore[attr-defined]
        print(translated(text.getvalue()), end="", file=sys.stderr)
        return 2
    except VizKitError as error:
        say(error.args[0])
        return 2
    except OSError as error:  # a file that cannot be written, a disk that is full
        names = [str(name) for name in (error.filename, error.filename2) if name]
        say(": ".join([*names[-1:], reason_of(error)]))
        return 2
    except SystemExit as end:
        if end.code == 1:  # so Click and Rich end where nobody reads stdout any more
            return PIPE_CLOSED
        return end.code if isinstance(end.code, int) else 2 if end.code else 0  # argparse, of `serve`
    except typer.Abort:
        return 130
    return code if isinstance(code, int) else 0
