"""The progress of a sweep on stderr: how many trials have ended, the best so far, and the time left."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

from vizkit._language import tr
from vizkit.runs.formatting import clean, duration_text
from vizkit.sweeps._study import SweepStudy
from vizkit.sweeps.result import result_of

__all__ = ["Progress"]


class Progress:
    """A line that is written anew in a terminal; elsewhere a line for each trial that ends.

    Args:
        study: the sweep.
        most: how many trials there will be; None: unknown.
        quiet: say nothing.
    """

    def __init__(self, study: SweepStudy, most: int | None, quiet: bool) -> None:
        self._study, self._most, self._quiet = study, most, quiet
        self._began = time.monotonic()
        self._before = self._ended()
        self._said = self._before
        self._width = 0

    def _ended(self) -> int:
        return sum(trial.state.is_finished() for trial in self._study.counted())

    def look(self) -> None:
        """Say what is new."""
        if self._quiet or (ended := self._ended()) == self._said:
            return
        self._said = ended
        self._say(self._line(ended))

    def end(self) -> None:
        """Leave the last line as it is."""
        if self._width:
            print(file=sys.stderr)

    def _line(self, ended: int) -> str:
        count = f"{ended}/{self._most}" if self._most else str(ended)
        parts = [tr("{count} trials", count=count)]
        result = result_of(self._study)
        if result.finished:
            parts.append(tr("best {trial}", trial=clean(result.words(result.best), 120)))
        done, took = ended - self._before, time.monotonic() - self._began
        if self._most and done > 0 and ended < self._most:
            left = timedelta(seconds=took / done * (self._most - ended))
            parts.append(tr("{time} left", time=duration_text(left)))
        return "vizkit sweep: " + " · ".join(parts)

    def _say(self, line: str) -> None:
        if sys.stderr.isatty():
            print("\r" + line.ljust(self._width), end="", file=sys.stderr, flush=True)
            self._width = len(line)
        else:
            print(line, file=sys.stderr, flush=True)
