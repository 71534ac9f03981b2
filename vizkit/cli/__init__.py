"""Commands of the terminal: ``vizkit ls | show | tail | compare | diff | best | plot | export ...``.

Each command is one thin module: it queries the runs that `vizkit.load` returns, and prints the result.
"""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command of ``sys.argv``, and exit the process with its exit code."""
    from vizkit._language import reason_of
    from vizkit.cli._streams import PIPE_CLOSED, flushed, prepare_streams

    prepare_streams()
    try:
        code = _run()
    except BrokenPipeError:
        code = PIPE_CLOSED
    except OSError as error:  # the other commands say it themselves
        print("vizkit:", reason_of(error), file=sys.stderr)
        code = 2
    except KeyboardInterrupt:
        code = 130
    sys.exit(flushed(code))


def _run() -> int:
    if sys.argv[1:2] == ["serve"]:
        # Serving multiplies no matrices; the threads for that take time and memory.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from vizkit.cli.serve import run_server

        try:
            return run_server(sys.argv[2:])
        except SystemExit as end:  # argparse, after the help or wrong usage
            return end.code if isinstance(end.code, int) else 0
    try:
        import rich
        import typer
    except ImportError as error:
        return _missing(error)
    del rich, typer
    from vizkit.cli._app import run

    return run()


def _missing(error: ImportError) -> int:
    from vizkit._language import tr
    from vizkit.errors import MissingDependencyError

    need = tr("commands need {package}", package=error.name)
    print("vizkit:", MissingDependencyError.for_extra("cli", need), file=sys.stderr)
    return 2
