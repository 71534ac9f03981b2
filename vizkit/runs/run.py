"""One run: its records, how it was made and how it ended."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from vizkit._files import read_bounded
from vizkit._language import tr
from vizkit.errors import DataError, MissingDependencyError, UnknownNameError
from vizkit.format.file_names import CONSOLE_FILE
from vizkit.format.tables import TableColumns
from vizkit.format.walltime import milliseconds
from vizkit.metrics.arrays import Floats, Ints
from vizkit.metrics.calibration import Reliability
from vizkit.metrics.confusion import ConfusionMatrix
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.reading import Entries, Problem, Recorded, RunReader, Scalars, TableFile
from vizkit.reading.training_config import config_path, hparams_of
from vizkit.runs._plotting import Plottable
from vizkit.runs.dataframes import scalars_frame
from vizkit.runs.display import as_html, as_text, run_table
from vizkit.runs.environment_file import EnvironmentFile
from vizkit.runs.export import Exported, as_data
from vizkit.runs.lookup import unknown
from vizkit.runs.media import Images, Media, Parsed
from vizkit.runs.remarks import Remarks, RemarksFile
from vizkit.runs.run_times import RunTimes
from vizkit.runs.scalar_tags import in_order
from vizkit.runs.statistics import Point, Summary, summarize
from vizkit.runs.table_frames import prediction_table, table_frame, with_correct

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.format.types import Embeddings
    from vizkit.media.audio import Wave

__all__ = ["ENDED", "Run"]

ENDED = {"finished", "failed", "interrupted", "killed"}
"""`Run.status` of a run that has ended."""

_MOST_CONSOLE = 1 << 25  # bytes, twice what a tracker copies
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


class _Printer(Protocol):
    """The pretty printer of IPython."""

    def text(self, text: str) -> None: ...


class Run(Exported, Plottable):
    """A run directory, read as far as it is written.

    The members of an ``add_scalars`` group are scalars too, named ``group/member``. Records that a
    resumed run superseded are left out.

    Args:
        name: the name among other runs.
        logs: the reader of its logs.

    Attributes:
        name: the path below the directory that was loaded.
        position: the place in the palette, which decides the run's colour; `vizkit.runs.palette_places`.
        logs: the reader, with the columns and entries as arrays.
    """

    name: str
    position: int
    logs: RunReader

    def __init__(self, name: str, logs: RunReader) -> None:
        self.name = name
        self.position = 0
        self.logs = logs
        self._times = RunTimes(logs)
        self._environment = EnvironmentFile(logs.directory)
        self._remarks = RemarksFile(logs.directory)
        self._config: tuple[dict[str, Any], list[Problem]] | None = None
        self._summaries: dict[str, Summary] = {}
        self._scalar_tags: list[str] | None = None
        self._places: dict[str, tuple[str, str | None]] = {}  # of these in the logs: tag, member of a group

    # -- hyper-parameters and tags ---------------------------------------------------------------

    @property
    def directory(self) -> str:
        """The directory of the logs."""
        return self.logs.directory

    @property
    def display_name(self) -> str:
        """The name recorded for VisualDL's page, or else `name`."""
        return self.logs.display_name or self.name

    @property
    def hparams(self) -> dict[str, Any]:
        """The recorded hyper-parameters, or else those of the training config beside the logs."""
        return dict(self.logs.hparams.hparams or self._read_config()[0])

    @property
    def metrics(self) -> list[str]:
        """The tags to compare the run by, as recorded with its hyper-parameters."""
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
        """The scalar tags, and the members of groups as ``group/member``.

        First recorded first; those of the machine and of the pace come last.
        """
        if self._scalar_tags is None:
            self._places = {}
            for tag, kind in self.logs.kinds.items():
                if kind == "scalar":
                    self._places[tag] = tag, None
                elif kind == "scalars":
                    for member in self.logs.members(tag):
                        self._places.setdefault(f"{tag}/{member}", (tag, member))
            self._scalar_tags = in_order(self._places)
        return self._scalar_tags

    @property
    def superseded(self) -> dict[str, int]:
        """Tag -> the number of its records that a resumed session superseded; tags with none are left out."""
        return self.logs.superseded

    @property
    def problems(self) -> list[Problem]:
        """The parts of the run that could not be read."""
        self._environment.content()
        config = [] if self.logs.hparams.hparams else self._read_config()[1]
        environment = self._environment.problems if self.logs.is_last else []
        self._remarks.content()
        tables = self.logs.tables.problems
        return [*self.logs.problems, *tables, *environment, *config, *self._remarks.problems]

    def _read_config(self) -> tuple[dict[str, Any], list[Problem]]:
        if self._config is None:
            try:
                self._config = hparams_of(self.directory) or {}, []
            except (DataError, MissingDependencyError) as error:
                path = str(config_path(self.directory))
                self._config = {}, [Problem(path, "unreadable", 0, 0, str(error))]
        return self._config

    # -- scalars ---------------------------------------------------------------------------------

    def columns(self, tag: str, *, superseded: bool = False) -> Scalars:
        """The steps, walltimes (milliseconds since 1970) and values of a scalar tag as arrays.

        A walltime that cannot be a time is `vizkit.format.walltime.NO_TIME`.

        Args:
            tag: the tag, or ``group/member``.
            superseded: include records that a resumed run replaced.

        Raises:
            UnknownNameError: no scalars of that tag; the closest ones are named.
        """
        return _in_milliseconds(self.logs.scalars(*self._scalar(tag), superseded=superseded))

    def count(self, tag: str) -> int:
        """The number of records of a scalar tag, superseded ones included.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        group, member = self._scalar(tag)
        return self.logs.count(group, member or "")

    def recorded(self, tag: str) -> Recorded:
        """The columns of a scalar tag for readers that need parts of them, walltimes as recorded.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        group, member = self._scalar(tag)
        return self.logs.recorded(group, member or "")

    def _scalar(self, tag: str) -> tuple[str, str | None]:
        """The tag of a scalar in the logs, and its name within its group."""
        if self.logs.kinds.get(tag) == "scalar":
            return tag, None
        if self.scalar_tags and tag in self._places:
            return self._places[tag]
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
            tag: one tag; by default all of them, one below the other.
            superseded: include records that a resumed run replaced.

        Returns:
            Columns ``step``, ``time`` (UTC) and ``value``; ``tag`` comes first if all tags are returned.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        if tag is not None:
            return scalars_frame({(): self.columns(tag, superseded=superseded)}, ())
        every = {(name,): self.columns(name, superseded=superseded) for name in self.scalar_tags}
        return scalars_frame(every, ("tag",))

    def summary(self, tag: str) -> Summary:
        """First, last, smallest, largest and mean value of a scalar tag.

        Raises:
            UnknownNameError: no scalars of that tag.
        """
        if tag not in self._summaries:
            columns = self.columns(tag)
            if not len(columns.values):
                raise UnknownNameError("tag {tag!r} of {name!r} is empty", tag=tag, name=self.name)
            declared = self.logs.hparams.modes.get(tag, "")
            self._summaries[tag] = summarize(columns)._replace(mode=declared)
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
            UnknownNameError: no scalars of that tag, or all values are NaN.
            DataError: another mode, or a tag that does not tell which value is best.
        """
        best = self.summary(tag).best(tag, mode)
        if best is None:
            raise UnknownNameError(
                "all {n} values of {tag!r} of {name!r} are NaN",
                n=self.summary(tag).n,
                tag=tag,
                name=self.name,
            )
        return best

    # -- records of other kinds ------------------------------------------------------------------

    def images(self, tag: str) -> Images:
        """Images as uint8 arrays (height, width, channels). Errors as in `columns`."""
        return Images(tag, self._entries("image", tag))

    def histograms(self, tag: str) -> Media[Histogram]:
        """Histograms. Errors as in `columns`."""
        return Media(tag, self._entries("histogram", tag))

    def pr_curves(self, tag: str) -> Media[PRCurve]:
        """Precision-recall curves. Errors as in `columns`."""
        return Media(tag, self._entries("pr_curve", tag))

    def roc_curves(self, tag: str) -> Media[ROCCurve]:
        """ROC curves. Errors as in `columns`."""
        return Media(tag, self._entries("roc_curve", tag))

    def confusion_matrices(self, tag: str = "eval/confusion") -> Media[ConfusionMatrix]:
        """Confusion matrices with the names of their classes.

        Raises:
            UnknownNameError: there is none of that tag, or one of so many classes that only its image is
                recorded.
        """
        return Parsed(tag, self._entries("text", f"{tag}/counts"), ConfusionMatrix.from_text)

    def reliabilities(self, tag: str = "eval/reliability") -> Media[Reliability]:
        """Reliability diagrams: how often predictions of a confidence are right. Errors as in `columns`."""
        return Parsed(tag, self._entries("text", f"{tag}/bins"), Reliability.from_text)

    def texts(self, tag: str) -> Media[str]:
        """Texts. Errors as in `columns`."""
        return Media(tag, self._entries("text", tag))

    def audio(self, tag: str) -> Media[Wave]:
        """Sounds, each with its WAV file. Errors as in `columns`."""
        return Media(tag, self._entries("audio", tag))

    def embeddings(self, tag: str) -> Media[Embeddings]:
        """Vectors with their labels. Errors as in `columns`."""
        return Media(tag, self._entries("embeddings", tag))

    def _entries(self, kind: str, tag: str) -> Entries[Any]:
        if self.logs.kinds.get(tag) != kind:
            raise self._unknown(kind, tag)
        entries = self.logs.entries(tag)
        return replace(entries, walltimes=milliseconds(entries.walltimes))

    def _unknown(self, kind: str, tag: str) -> UnknownNameError:
        other = self.logs.kinds.get(tag)
        if other in _METHODS:
            return UnknownNameError(
                "tag {tag!r} of {name!r} holds {other}, not {kind}: use .{methods}({tag!r})",
                tag=tag,
                name=self.name,
                other=other,
                kind=kind,
                methods=_METHODS[other],
            )
        names = self.scalar_tags if kind == "scalar" else self.tags.get(kind, [])
        return unknown(tr("{kind} tag of {name!r},", kind=kind, name=self.name), tag, names)

    # -- tables ----------------------------------------------------------------------------------

    @property
    def tables(self) -> dict[str, list[int | float]]:
        """Name of a table -> the steps at which there is one."""
        every = {tag: self.logs.tables.files(tag) for tag in self.logs.tables.names()}
        return {tag: [file.step for file in files if file.path] for tag, files in every.items()}

    def table(self, name: str, step: int | float | None = None) -> pd.DataFrame:
        """A table as a frame.

        Args:
            name: its name, such as ``eval/predictions``.
            step: its step; by default the last.

        Returns:
            Numbers, texts and categories as they were recorded; images as objects with ``png()`` and
            ``array()``, which are read when they are asked for.

        Raises:
            UnknownNameError: there is no such table, or none at that step.
            DataError: its file is damaged; it is among the `problems` from then on.
        """
        return table_frame(self.table_columns(name, step), self.logs.tables)

    def table_columns(self, name: str, step: int | float | None = None) -> TableColumns:
        """A table as arrays; for large ones, and for what frames are too slow for. Errors as of `table`."""
        return self.logs.tables.read(self._table_file(name, step))

    def predictions(self, step: int | float | None = None, tag: str | None = None) -> pd.DataFrame:
        """The samples of an evaluation: a row each, with label, prediction, and what the task tells of it.

        Args:
            step: the step of the evaluation; by default the last.
            tag: its tag, such as ``eval``; it may be left out if there is one alone.

        Returns:
            As `table`, and ``correct`` where labels and predictions are classes or texts.

        Raises:
            UnknownNameError: there is no such evaluation, or several and no tag.
            DataError: as of `table`.
        """
        return table_frame(self.prediction_columns(step, tag), self.logs.tables)

    def prediction_columns(self, step: int | float | None = None, tag: str | None = None) -> TableColumns:
        """The content of `predictions` as arrays. Errors as there."""
        name = prediction_table(self.logs.tables.names(), tag, self.name)
        return with_correct(self.table_columns(name, step))

    def _table_file(self, name: str, step: int | float | None) -> TableFile:
        names = self.logs.tables.names()
        if name not in names:
            raise unknown(tr("table of {name!r},", name=self.name), name, names)
        files = self.logs.tables.files(name)
        found = [file for file in files if step is None or file.step == step]
        if not found:
            steps = [str(file.step) for file in files]
            raise unknown(tr("table {table!r} at step", table=name), str(step), steps)
        return found[-1]

    # -- how it was made and how it ended --------------------------------------------------------

    @property
    def environment(self) -> dict[str, Any]:
        """The environment, as `vizkit.environment.read_environment` returns it; empty if not recorded."""
        return self._times.of_training(self._environment.content())

    @property
    def console(self) -> str:
        """The console output of the run's processes, as `vizkit.Tracker` copies it; empty if there was none.

        Raises:
            DataError: the file is larger than a tracker makes it, or not a regular file.
        """
        try:
            data = read_bounded(os.path.join(self.logs.directory, CONSOLE_FILE), _MOST_CONSOLE)
        except OSError:
            return ""
        return data.decode("utf-8", "replace")

    @property
    def status(self) -> str:
        """``running``, ``finished``, ``failed``, ``interrupted``, ``killed``; ``unknown`` for stock logs."""
        return str(self.environment.get("status", "unknown"))

    @property
    def started(self) -> datetime | None:
        """The time of the start, or else of the first record; None without either. In UTC."""
        return self._times.started(self.environment)

    @property
    def ended(self) -> datetime | None:
        """The time of the end, or else of the last record; None while it runs. In UTC."""
        return self._times.ended(self.environment)

    @property
    def duration(self) -> timedelta | None:
        """The duration, up to the last record while it runs; pauses before a resume do not count."""
        return self._times.duration(self.environment)

    def seconds(self, walltimes: Ints) -> Floats:
        """Walltimes (milliseconds since 1970) as seconds since `started`; NaN where there is no time.

        Tags whose times lie more than a week apart from all others, as where callers pass walltimes of their
        own, count from the first of these. No time is negative.
        """
        return self._times.seconds(self.environment, walltimes)

    # -- what people say of it -------------------------------------------------------------------

    @property
    def remarks(self) -> Remarks:
        """All that people said of the run at once: `labels`, `note` and `archived`."""
        return self._remarks.of(self.logs.number)

    @property
    def labels(self) -> list[str]:
        """The labels that people gave the run, with `annotate` or ``vizkit tag``."""
        return list(self.remarks.labels)

    @property
    def note(self) -> str:
        """The note that people wrote on the run, as Markdown; empty if there is none."""
        return self._remarks.of(self.logs.number).note

    @property
    def archived(self) -> bool:
        """True if the run was put away: lists leave it out, and say so."""
        return self._remarks.of(self.logs.number).archived

    def annotate(
        self,
        *,
        add: str | Iterable[str] = (),
        remove: str | Iterable[str] = (),
        note: str | None = None,
        archived: bool | None = None,
        replaces: str | None = None,
    ) -> None:
        """Label the run, write a note on it, or put it away; kept in ``remarks.json`` beside its logs.

        Any number of processes may do so at once.

        Args:
            add: labels to add, each a line of up to 200 characters.
            remove: labels to take off; those that the run does not have are passed over.
            note: text that replaces the note, as Markdown; empty: none.
            archived: put the run away, or take it back.
            replaces: the note that is to be replaced; nothing is changed if there is another one by now.

        Raises:
            ConflictError: there is another note than ``replaces``.
            DataError: a label or the note is too long, or the file that is there cannot be read.
            OSError: the file cannot be written.
        """
        self._remarks.edit(
            self.logs.number, lambda known: known.edited(add, remove, note, archived, replaces)
        )

    @property
    def revision(self) -> tuple[int, int]:
        """Counts of changes of the files beside the logs: the environment, and people's remarks."""
        self._environment.content()
        self._remarks.content()
        return self._environment.revision, self._remarks.revision

    # -- following, exporting, printing ----------------------------------------------------------

    def refresh(self) -> bool:
        """Read what was appended since; return True if anything was."""
        changed = self.logs.refresh()
        if changed:
            self.forget()
        return changed

    def forget(self) -> None:
        """Drop what was computed from the records: there are new ones."""
        self._summaries = {}
        self._scalar_tags = None
        self._times.forget()

    def _as_data(self) -> object:
        return as_data(self)

    def __repr__(self) -> str:
        return f"<Run {self.name!r}: {self.status}, {len(self.logs.kinds)} tags>"

    def __str__(self) -> str:
        return as_text(run_table(self))

    def _repr_pretty_(self, printer: _Printer, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        return as_html(run_table(self))


def _in_milliseconds(columns: Scalars) -> Scalars:
    return columns._replace(walltimes=milliseconds(columns.walltimes))
