"""The lines that a run says on stderr, or below a notebook's cell: where it is, and how it has ended."""

from __future__ import annotations

import os
import shlex
import sys
import time
from contextlib import suppress

import numpy as np

from vizkit._language import Message, mark, tr
from vizkit._protocols import JSONObject
from vizkit.format.file_names import LOG_WORD
from vizkit.metrics.arrays import first_best
from vizkit.metrics.direction import known_direction
from vizkit.reading import RunReader

__all__ = ["Announcement"]

_MOST_BYTES = 1 << 26  # of a log that is read for its best value
_MEASURED = ("eval/", "val/", "valid/", "test/")
_STATUS = {
    "finished": mark("finished"),
    "failed": mark("failed"),
    "interrupted": mark("interrupted"),
}


class Announcement:
    """The first and the last line of a run, on the same stream.

    Args:
        run: the run's directory, as the user has named it.
    """

    def __init__(self, run: str) -> None:
        self._run = run
        self._place = "" if "://" in run else os.path.abspath(run)
        notebook = type(sys.stderr).__module__.startswith("ipykernel")  # it paints stderr red
        self._stream = sys.stdout if notebook else sys.stderr
        self._began = time.monotonic()  # the clock may be set meanwhile
        logdir = (
            run.rstrip("/").rpartition("/")[0] if "://" in run else os.path.dirname(os.path.normpath(run))
        )
        self._say(tr("recording {run} · vizkit serve {logdir}", run=run, logdir=shlex.quote(logdir or ".")))

    def end(self, directory: str, session: JSONObject) -> None:
        """Say how the run has ended, how long it took, and its best value.

        Args:
            directory: where it lies by now.
            session: its session in ``environment.json``.
        """
        moved = self._place not in ("", directory)
        about: dict[str, object] = {
            "run": directory if moved else self._run,
            "status": tr(_STATUS[session["status"]]),
            "time": _duration(time.monotonic() - self._began),
        }
        found = None
        with suppress(Exception):  # it was deleted, or is damaged
            found = _result(directory)
        if found is None:
            self._say(tr("{run}: {status} after {time}", **about))
            return
        metric, mode, step, value = found
        about |= {"metric": metric, "step": step, "value": f"{value:.4g}"}
        if mode:
            self._say(tr("{run}: {status} after {time}, best {metric} {value} at step {step}", **about))
        else:
            self._say(tr("{run}: {status} after {time}, last {metric} {value} at step {step}", **about))

    def _say(self, line: Message | str) -> None:
        with suppress(Exception):  # there is no stream, or it is closed
            print(line, file=self._stream, flush=True)


def _result(directory: str) -> tuple[str, str, int | float, float] | None:
    """The metric of a run that counts most: its tag and better direction, step and value.

    The value is the best one, or the last if the direction is not known.
    """
    names = [os.path.join(directory, name) for name in os.listdir(directory) if LOG_WORD in name]
    if sum(map(os.path.getsize, names)) > _MOST_BYTES:
        return None
    logs = RunReader(directory)
    declared = logs.hparams.modes
    modes = {t: declared.get(t) or known_direction(t) for t, kind in logs.kinds.items() if kind == "scalar"}
    choice = [tag for tag in logs.hparams.metrics if tag in modes] or [tag for tag in modes if modes[tag]]
    # What was declared comes first; a validation's accuracy before its loss, both before the training's.
    for tag in sorted(
        choice, key=lambda t: (t not in declared, not t.startswith(_MEASURED), modes[t] != "max")
    ):
        steps, _, values = logs.scalars(tag)
        if np.isnan(values).all():
            continue
        row = first_best(values, way) if (way := modes[tag]) else len(values) - 1
        return tag, modes[tag], steps[row].item(), float(values[row])
    return None


def _duration(seconds: float) -> str:
    """``3.2 s``, ``12 min 05 s``, ``3 h 20 min``."""
    if seconds < 60:
        return tr("{seconds:.1f} s", seconds=seconds)
    minutes = int(seconds // 60)
    if minutes < 60:
        return tr("{minutes} min {seconds:02} s", minutes=minutes, seconds=int(seconds % 60))
    return tr("{hours} h {minutes:02} min", hours=minutes // 60, minutes=minutes % 60)
