"""One run: what it recorded, how it was made and how it ended."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.environment import FILE_NAME, read_environment
from vizkit.errors import DataError, MissingDependencyError, UnknownNameError
from vizkit.format.tags import SECONDS
from vizkit.format.walltime import milliseconds
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.reading import Problem, RunReader, Scalars
from vizkit.runs import dataframes, export, tables, training_config
from vizkit.runs.lookup import in_order, unknown
from vizkit.runs.media import Images, Media
from vizkit.runs.summary import Point, Summary, summarize

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.format.types import Embeddings
    from vizkit.media.audio import Wave

__all__ = ["ENDED", "Run"]

ENDED = {"finished", "failed", "interrupted", "killed"}
"""`Run.status` of a run that goes on no longer."""

_METHODS = {
    "scalar": "scalars",
    "scalars": "group",
    "image": "images",
    "audio": "audio",
    "embeddings": "embeddings",
    "histogram": "histograms",
    "pr_curve": "pr_curves",
    "roc_curve": "roc_curves",
    "text": "texts",
}


class Run(export.Exported):
    """A run directory, read as far as it is written.

    The members of an ``add_scalars`` group are scalars too, named ``group/member``. Records that a
    resumed run superseded are left out.

    Args:
        name: what it is called among others.
        logs: its logs.

    Attributes:
        name: its path below the directory that was loaded.
        position: its place, in natural order, among all that were loaded: it decides the run's colour.
        logs: the reader's columns and entries, for what stands on arrays.
    """

    def __init__(self, name: str, logs: RunReader) -> None:
        self.name = name
        self.position = 0
        self.logs = logs
        self._summaries: dict[str, Summary] = {}
        self._scalar_tags: list[str] | None = None
        self._recorded: tuple[int, int] | None = None
        self._environment: tuple[Any, dict[str, Any], list[Problem]] | None = None
        self._config: tuple[dict[str, Any], list[Problem]] | None = None

    # -- what it is ------------------------------------------------------------------------------

    @property
    def directory(self) -> str:
        """Where its logs are."""
        return self.logs.directory

    @property
    def display_name(self) -> str:
        """The name it gave itself for VisualDL's page, or else `name`."""
        return self.logs.display_name or self.name

    @property
    def hparams(self) -> dict[str, Any]:
        """Its hyper-parameters: the recorded ones, or else of the training config beside its logs."""
        return dict(self.logs.hparams.hparams or self._read_config()[0])

    @property
    def metrics(self) -> list[str]:
        """The tags that it is compared by, as it named them with its hyper-parameters."""
        return list(self.logs.hparams.metrics)

    @property
    def tags(self) -> dict[str, list[str]]:
        """Kind of record (``"scalar"``, ``"image"``, ``"histogram"`` ...) -> tags, first recorded first."""
        found: dict[str, list[str]] = {}
        for tag, kind in self.logs.kinds.items():
            found.setdefault(kind, []).append(tag)
        return found

    @property
    def scalar_tags(self) -> list[str]:
        """All that `scalars` gives: scalar tags, and groups' members as ``group/member``.

        First recorded first; those of the machine and of the pace come last.
        """
        if self._scalar_tags is None:
            tags = []
            for tag, kind in self.logs.kinds.items():
                if kind == "scalar":
                    tags.append(tag)
                elif kind == "scalars":
                    tags += [f"{tag}/{member}" for member in self.logs.group(tag)]
            self._scalar_tags = in_order(tags)
        return self._scalar_tags

    @property
    def problems(self) -> list[Problem]:
        """What of it could not be read."""
        self._read_environment()
        config = [] if self.logs.hparams.hparams else self._read_config()[1]
        return [*self.logs.problems, *(self._environment[2] if self._environment else []), *config]

    # -- scalars ---------------------------------------------------------------------------------

    def columns(self, tag: str, *, superseded: bool = False) -> Scalars:
        """The steps, walltimes (milliseconds since 1970) and values of a scalar tag as arrays.

        Args:
            tag: the tag, or ``group/member``.
            superseded: whether records that a resumed run replaced are there too.

        Raises:
            UnknownNameError: no scalars of that tag; the closest ones are named.
        """
        kind = self.logs.kinds.get(tag)
        if kind == "scalar":
            return _in_milliseconds(self.logs.scalars(tag, superseded=superseded))
        if kind is None and tag in self.scalar_tags:
            for group, group_kind in self.logs.kinds.items():
                if group_kind == "scalars" and tag.startswith(group + "/"):
                    members = self.logs.group(group, superseded=superseded)
                    if tag[len(group) + 1 :] in members:
                        return _in_milliseconds(members[tag[len(group) + 1 :]])
        raise self._unknown("scalar", tag)

    def group(self, tag: str, *, superseded: bool = False) -> dict[str, Scalars]:
        """The members of an ``add_scalars`` group: name within the group -> columns.

        Raises:
            UnknownNameError: no group of that tag.
        """
        if self.logs.kinds.get(tag) != "scalars":
            raise self._unknown("scalars", tag)
        members = self.logs.group(tag, superseded=superseded)
        return {name: _in_milliseconds(columns) for name, columns in members.items()}

    def scalars(self, tag: str | None = None, *, superseded: bool = False) -> pd.DataFrame:
        """Scalars as a frame.

        Args:
            tag: one tag; all of them by default, one below the other.
            superseded: whether records that a resumed run replaced are there too.

        Returns:
            Columns ``step``, ``time`` (UTC) and ``value``; before them ``tag`` when all are asked for.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        if tag is not None:
            return dataframes.scalars_frame({(): self.columns(tag, superseded=superseded)}, ())
        every = {(name,): self.columns(name, superseded=superseded) for name in self.scalar_tags}
        return dataframes.scalars_frame(every, ("tag",))

    def summary(self, tag: str) -> Summary:
        """First, last, smallest, largest and mean value of a scalar tag.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        if tag not in self._summaries:
            columns = self.columns(tag)
            if not len(columns.values):
                raise UnknownNameError(f"tag {tag!r} of {self.name!r} is empty")
            self._summaries[tag] = summarize(columns)
        return self._summaries[tag]

    def last(self, tag: str) -> Point:
        """The last record of a scalar tag: step, value, walltime.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        return self.summary(tag).last

    def best(self, tag: str, mode: str = "auto") -> Point:
        """The best record of a scalar tag, the earliest of equal ones: step, value, walltime.

        Args:
            tag: the tag.
            mode: ``"max"``, ``"min"`` or ``"auto"``: by the words of the tag (loss and error: min).

        Raises:
            UnknownNameError: no scalars of that tag, or nothing but NaN.
            DataError: another mode, or a tag that does not tell.
        """
        best = self.summary(tag).best(tag, mode)
        if best is None:
            raise UnknownNameError(f"all {self.summary(tag).n} values of {tag!r} of {self.name!r} are NaN")
        return best

    # -- all else that was recorded --------------------------------------------------------------

    def images(self, tag: str) -> Images:
        """Images as uint8 arrays (height, width, channels). Errors as in `columns`."""
        return Images(*self._entries("image", tag))

    def histograms(self, tag: str) -> Media[Histogram]:
        """Histograms. Errors as in `columns`."""
        return Media(*self._entries("histogram", tag))

    def pr_curves(self, tag: str) -> Media[PRCurve]:
        """Precision-recall curves. Errors as in `columns`."""
        return Media(*self._entries("pr_curve", tag))

    def roc_curves(self, tag: str) -> Media[ROCCurve]:
        """ROC curves. Errors as in `columns`."""
        return Media(*self._entries("roc_curve", tag))

    def texts(self, tag: str) -> Media[str]:
        """Texts. Errors as in `columns`."""
        return Media(*self._entries("text", tag))

    def audio(self, tag: str) -> Media[Wave]:
        """Sounds, each with its WAV file. Errors as in `columns`."""
        return Media(*self._entries("audio", tag))

    def embeddings(self, tag: str) -> Media[Embeddings]:
        """Vectors with their labels. Errors as in `columns`."""
        return Media(*self._entries("embeddings", tag))

    def _entries(self, kind: str, tag: str) -> tuple[str, Any]:
        if self.logs.kinds.get(tag) != kind:
            raise self._unknown(kind, tag)
        entries = self.logs.entries(tag)
        return tag, replace(entries, walltimes=milliseconds(entries.walltimes))

    def _unknown(self, kind: str, tag: str) -> UnknownNameError:
        other = self.logs.kinds.get(tag)
        if other in _METHODS:
            return UnknownNameError(
                f"tag {tag!r} of {self.name!r} holds {other}, not {kind}: use .{_METHODS[other]}({tag!r})"
            )
        names = self.scalar_tags if kind == "scalar" else self.tags.get(kind, [])
        return unknown(f"{kind} tag of {self.name!r},", tag, names)

    # -- how it was made and how it ended --------------------------------------------------------

    @property
    def environment(self) -> dict[str, Any]:
        """How it was made, as `vizkit.environment.read_environment` tells; empty if nothing is known."""
        return self._read_environment()

    def _read_config(self) -> tuple[dict[str, Any], list[Problem]]:
        if self._config is None:
            try:
                self._config = training_config.hparams_of(self.directory) or {}, []
            except (DataError, MissingDependencyError) as error:
                path = str(training_config.config_path(self.directory))
                self._config = {}, [Problem(path, "unreadable", 0, 0, str(error))]
        return self._config

    def _read_environment(self) -> dict[str, Any]:
        path = os.path.join(self.directory, FILE_NAME)
        try:
            stat = os.stat(path)
        except (OSError, ValueError):
            self._environment = None
            return {}
        state = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        known = self._environment
        # A process that ran when we last looked may be gone, and no file tells.
        if known is None or known[0] != state or known[1].get("status") == "running":
            try:
                self._environment = known = (state, read_environment(self.directory), [])
            except (DataError, OSError) as error:
                problem = Problem(path, "unreadable", 0, stat.st_size, str(error))
                self._environment = known = (state, {}, [problem])
        return known[1]

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``failed``, ``interrupted``, ``killed``; ``unknown`` of stock logs."""
        return str(self.environment.get("status", "unknown"))

    @property
    def started(self) -> datetime | None:
        """When it was started, or else its first record; None without either. In UTC."""
        sessions = self._sessions()
        known = sessions[0].get("started") if sessions else None
        if not isinstance(known, int):
            known = span[0] if (span := self._span()) else None
        return _utc(known)

    @property
    def ended(self) -> datetime | None:
        """When it ended, or else its last record; None while it runs. In UTC."""
        environment = self.environment
        if environment.get("status") == "running":
            return None
        known = environment.get("ended")
        if not isinstance(known, int):
            known = span[1] if (span := self._span()) else None
        return _utc(known)

    @property
    def duration(self) -> timedelta | None:
        """How long it took, up to its last record while it runs; pauses before a resume do not count."""
        sessions = [s for s in self._sessions() if isinstance(s.get("started"), int)]
        if not sessions:
            return timedelta(milliseconds=span[1] - span[0]) if (span := self._span()) else None
        starts = [session["started"] for session in sessions]
        total = 0
        for session, following in zip(sessions, [*starts[1:], None], strict=True):
            end = session.get("ended")
            if not isinstance(end, int):
                end = self._last_record_before(following)
            total += max(end - session["started"], 0) if end is not None else 0
        return timedelta(milliseconds=total)

    def seconds(self, walltimes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Walltimes (milliseconds since 1970) as seconds since `started`."""
        started = self.started
        zero = 0 if started is None else round(started.timestamp() * 1000)
        return (np.asarray(walltimes) - zero) / 1000

    def _sessions(self) -> list[dict[str, Any]]:
        environment = self.environment
        return [*environment.get("sessions", []), environment] if environment else []

    def _walltimes(self) -> list[Any]:
        """The walltimes of every tag but those sampled beside the training, which may outlast it."""
        found: list[Any] = []
        for tag, kind in self.logs.kinds.items():
            if tag.startswith(SECONDS):
                continue
            if kind == "scalar":
                found.append(self.logs.scalars(tag, superseded=True).walltimes)
            elif kind == "scalars":
                found += [columns.walltimes for columns in self.logs.group(tag, superseded=True).values()]
            else:
                found.append(self.logs.entries(tag, superseded=True).walltimes)
        return [milliseconds(walltimes) for walltimes in found if len(walltimes)]

    def _span(self) -> tuple[int, int] | None:
        """Walltimes of the first and the last record."""
        if self._recorded is None and (every := self._walltimes()):
            self._recorded = int(min(w.min() for w in every)), int(max(w.max() for w in every))
        return self._recorded

    def _last_record_before(self, limit: int | None) -> int | None:
        if limit is None:
            return span[1] if (span := self._span()) else None
        earlier = [int(before.max()) for w in self._walltimes() if len(before := w[w < limit])]
        return max(earlier, default=None)

    # -- following, drawing, exporting -----------------------------------------------------------

    def refresh(self) -> bool:
        """Reads what was appended since; returns whether anything was."""
        changed = self.logs.refresh()
        if changed:
            self._forget()
        return changed

    def _forget(self) -> None:
        self._summaries = {}
        self._scalar_tags = None
        self._recorded = None

    def plot(self, tag: str, **options: Any) -> Any:
        """Draws a scalar tag; options and result as in `vizkit.plots.curves`."""
        from vizkit.plots import curves

        return curves([self], tag, **options)

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Hyper-parameters, status and all scalars as JSON, into a file or returned as text.

        JSON has no NaN: it becomes ``"NaN"``, and infinities ``"Infinity"`` and ``"-Infinity"``.
        """
        return export.to_json(export.as_data(self), path)

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {self.status}, {len(self.logs.kinds)} tags>"

    def __str__(self) -> str:
        return tables.as_text(tables.run_view(self))

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return tables.as_html(tables.run_view(self))


def _in_milliseconds(columns: Scalars) -> Scalars:
    return columns._replace(walltimes=milliseconds(columns.walltimes))


def _utc(walltime: int | None) -> datetime | None:
    if walltime is None:
        return None
    try:
        return datetime.fromtimestamp(walltime / 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None
