"""The terminal: ``vizkit ls | show | tail | compare | diff | best | plot | export | check | serve``.

Each command is thin: it asks `vizkit.load`'s runs, and prints what they answer.
"""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command of ``sys.argv``, and ends the process with its exit code."""
    try:
        import rich
        import typer
    except ImportError as error:
        sys.exit(_missing(error))
    del rich, typer
    from vizkit.cli.app import run

    sys.exit(run())


def _missing(error: ImportError) -> int:
    print(f"vizkit: commands need {error.name}: pip install 'vizkit[cli]'", file=sys.stderr)
    return 2
