"""``vizkit serve``, on argparse: the imports of the other commands take longer than reading many logs."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from contextlib import suppress

from vizkit.errors import VizKitError
from vizkit.server.options import DEFAULT_SAMPLES

__all__ = ["parser", "run_server"]


def parser() -> argparse.ArgumentParser:
    """The command's options."""
    made = argparse.ArgumentParser(
        prog="vizkit serve",
        description="Serve VisualDL's page over the runs, until Ctrl-C.",
        epilog="  Example: vizkit serve log --port 0",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = made.add_argument
    add("place", nargs="?", metavar="DIR", help="The same as --logdir; also one log file.")
    add("--logdir", "-d", default="log", metavar="DIR", help="The directory of runs.  [default: log]")
    add("--host", default="127.0.0.1", help="Host to listen on; others need a token.")
    add("--port", "-p", type=_port, default=8040, help="0: any free port.  [default: 8040]")
    add("--token", help="Token that clients must send; by default made where it is needed.")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="A further host name that is accepted.",
    )
    add("--samples", type=int, default=DEFAULT_SAMPLES, help="Points of one chart; its curves share them.")
    add("--hparam-metrics", choices=("last", "best"), default="last", help="In the hyper-parameters' table.")
    add("--model", metavar="FILE", help="A model for the page of static graphs.")
    add("--language", choices=("en", "zh"), help="Of the page; by default the browser's.")
    return made


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")


def run_server(args: Sequence[str]) -> int:
    """Serve until Ctrl-C, and return the exit code; ``args`` are those after ``vizkit serve``."""
    options = parser().parse_args(args)
    directory = options.place or options.logdir
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
        )
    except VizKitError as error:
        from vizkit.cli._output import say

        say(f"vizkit: {error}")
        return 2
    finally:
        gc.freeze()
        gc.enable()
    with server, suppress(KeyboardInterrupt):
        print(server.url, flush=True)
        print(f"vizkit: serving {directory}; Ctrl-C ends it", file=sys.stderr)
        server.wait()
    return 0
