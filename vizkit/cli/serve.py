"""``vizkit serve``, on argparse: the imports of the other commands take longer than reading many logs."""

from __future__ import annotations

import argparse
import gc
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from vizkit._language import language, tr
from vizkit.errors import VizKitError
from vizkit.server.options import DEFAULT_SAMPLES

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

__all__ = ["parser", "run_server"]

_MMAP_THRESHOLD = -3  # its number in malloc.h
_THRESHOLDS = 700, 10, 1000  # all objects are rarely looked at: those of ten thousand runs take a second


class _Parser(argparse.ArgumentParser):
    """A parser whose own words are in the user's language."""

    def format_help(self) -> str:
        return _translated(super().format_help())

    def format_usage(self) -> str:
        return _translated(super().format_usage())

    def _print_message(self, message: str, file: SupportsWrite[str] | None = None) -> None:
        (file or sys.stderr).write(message)  # argparse's own hides that a disk is full

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        super().exit(status, _translated(message or ""))


def _translated(text: str) -> str:
    if language() == "en":
        return text
    from vizkit.cli._help import translated

    return translated(text)


def _formatter(prog: str) -> argparse.HelpFormatter:
    """As wide as the help of the other commands."""
    width = min(shutil.get_terminal_size().columns, 80)
    return argparse.RawDescriptionHelpFormatter(prog, width=width - 2)


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = _Parser(
        prog="vizkit serve",
        description=tr("Serve the workspace, and VisualDL's page, over the runs, until Ctrl-C."),
        epilog="  " + tr("Example: {command}", command="vizkit serve log --port 0"),
        formatter_class=_formatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("place", nargs="?", metavar="DIR", help=tr("The same as --logdir; also one log file."))
    add("--logdir", "-d", default="log", metavar="DIR", help=tr("The directory of runs.  [default: log]"))
    add("--host", default="127.0.0.1", help=tr("Host to listen on; others need a token."))
    add("--port", "-p", type=_port, default=8040, help=tr("0: any free port.  [default: 8040]"))
    add("--token", help=tr("Token that clients must send; by default made where it is needed."))
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help=tr("A further host name that is accepted."),
    )
    add(
        "--samples", type=int, default=DEFAULT_SAMPLES, help=tr("Points of one chart; its curves share them.")
    )
    add(
        "--hparam-metrics",
        choices=("last", "best"),
        default="last",
        help=tr("In the hyper-parameters' table."),
    )
    add("--model", metavar="FILE", help=tr("A model for the page of static graphs."))
    add("--language", choices=("en", "zh"), help=tr("Of the page; by default the browser's."))
    add("--edit", action="store_true", help=tr("Let the workspace label runs, write notes, save views."))
    add(
        "--public-path",
        default="",
        metavar="PATH",
        help=tr("Path that a proxy puts before the server's own."),
    )
    return made


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(tr("a port is a number from 0 to 65535, not {text!r}", text=text))


def _give_memory_back() -> None:
    """Have glibc map each large array by itself: else the process keeps what a growing log has freed."""
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, 1 << 20)


def run_server(args: Sequence[str]) -> int:
    """Serve until Ctrl-C, and return the exit code; ``args`` are those after ``vizkit serve``."""
    options = parser().parse_args(args)
    directory = options.place or options.logdir
    _give_memory_back()
    gc.disable()  # the objects of the start stay: collecting among them would delay it
    try:
        from vizkit.server.server import serve

        server = serve(
            directory,
            host=options.host,
            port=options.port,
            token=options.token,
            allow_hosts=options.allow_host,
            samples=options.samples,
            hparam_metrics=options.hparam_metrics,
            model=options.model,
            language=options.language,
            edit=options.edit,
            public_path=options.public_path,
        )
    except VizKitError as error:
        from vizkit.cli._output import say

        say(error.args[0])
        return 2
    finally:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()
    with server, suppress(KeyboardInterrupt):
        print(server.url, server.visualdl_url, sep="\n", flush=True)
        print("vizkit:", tr("serving {directory}; Ctrl-C ends it", directory=directory), file=sys.stderr)
        if server.unlisted:
            from vizkit.runs.foreign import unlisted_note
            from vizkit.runs.formatting import clean

            print("vizkit:", clean(unlisted_note(server.unlisted), None), file=sys.stderr)
        server.wait()
    return 0
