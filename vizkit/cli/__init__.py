"""Commands of the terminal: ``vizkit ls | show | tail | compare | diff | best | plot | export ...``.

Each command is one thin module: it queries the runs that `vizkit.load` returns, and prints the result.
"""

from __future__ import annotations

import contextlib
import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the command of ``sys.argv``, and exit the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that is not UTF-8
    if sys.argv[1:2] == ["serve"]:
        # Serving multiplies no matrices; the threads for that take time and memory.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from vizkit.cli.serve import run_server

        sys.exit(run_server(sys.argv[2:]))
    try:
        import rich
        import typer
    except ImportError as error:
        sys.exit(_missing(error))
    del rich, typer
    from vizkit.cli._app import run

    sys.exit(run())


def _missing(error: ImportError) -> int:
    from vizkit._language import tr
    from vizkit.errors import MissingDependencyError

    need = tr("commands need {package}", package=error.name)
    print("vizkit:", MissingDependencyError.for_extra("cli", need), file=sys.stderr)
    return 2
