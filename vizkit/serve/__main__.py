"""``python -m vizkit.serve --logdir log``: serves until Ctrl-C."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from vizkit.errors import VizKitError
from vizkit.serve.server import serve

__all__ = ["main"]


def main(args: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m vizkit.serve", description=__doc__)
    parser.add_argument("--logdir", default="log", help="directory of runs, or a log file (default: log)")
    parser.add_argument("--host", default="127.0.0.1", help="what to listen on (default: this machine alone)")
    parser.add_argument("--port", type=int, default=8040, help="0: any free port (default: 8040)")
    parser.add_argument("--token", help="what clients must show; made for a host that others can reach")
    parser.add_argument("--allow-host", action="append", default=[], help="a name it is asked for by")
    parser.add_argument("--samples", type=int, default=10_000, help="points of a chart (default: 10000)")
    parser.add_argument("--hparam-metrics", choices=("last", "best"), default="last")
    parser.add_argument("--model", help="a model file for the page of static graphs")
    parser.add_argument("--language", choices=("en", "zh"), help="of the page (default: the browser's)")
    options = parser.parse_args(args)
    gc.disable()  # what the start makes stays: to look through it again and again would delay it
    try:
        server = serve(
            options.logdir,
            port=options.port,
            host=options.host,
            token=options.token,
            samples=options.samples,
            hparam_metrics=options.hparam_metrics,
            model=options.model,
            allow_hosts=options.allow_host,
            language=options.language,
        )
    except VizKitError as error:
        print(f"vizkit serve: {error}", file=sys.stderr)
        return 2
    finally:
        gc.freeze()
        gc.enable()
    with server, suppress(KeyboardInterrupt):
        print(f"{options.logdir} is served at {server.url} (Ctrl-C ends it)", flush=True)
        server.wait()
    return 0


if __name__ == "__main__":
    # Nothing here multiplies matrices; threads that wait for that delay the start, and take memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(main())
