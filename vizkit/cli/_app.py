"""The application of all commands: names, errors, exit codes."""

from __future__ import annotations

from typing import Annotated

import typer

import vizkit
from vizkit.cli import archive, best, check, compare, diff, export, ls, note, plot, serve, show, tag, tail
from vizkit.cli._output import say
from vizkit.errors import VizKitError

__all__ = ["app", "run"]

app = typer.Typer(
    name="vizkit",
    help="Look at runs that VizKit or VisualDL recorded.",
    epilog="Exit codes: 0 an answer; 1 none, a negative one, problems; 2 wrong usage or names.",
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)
app.command()(ls.ls)
app.command()(show.show)
app.command()(tail.tail)
app.command()(compare.compare)
app.command()(diff.diff)
app.command()(best.best)
app.command()(plot.plot)
app.command()(export.export)
app.command()(tag.tag)
app.command()(note.note)
app.command()(archive.archive)
app.command("check")(check.check_logs)

_AS_GIVEN = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command("serve", context_settings=_AS_GIVEN)
def _serve(context: typer.Context) -> None:
    """Serve VisualDL's page over the runs, until Ctrl-C."""
    raise typer.Exit(serve.run_server(context.args))


def _version(wanted: bool) -> None:
    if wanted:
        print(f"vizkit {vizkit.__version__}")
        raise typer.Exit


@app.callback()
def _vizkit(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


def run(args: list[str] | None = None) -> int:
    """Run a command, by default that of the process's arguments, and return its exit code."""
    try:
        app(args, prog_name="vizkit")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 2
    except VizKitError as error:
        say(f"vizkit: {error}")
        return 2
    return 0
