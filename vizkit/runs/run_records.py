"""The records of one run, read back by kind and tag: scalars, media, tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vizkit._language import tr
from vizkit.errors import UnknownNameError
from vizkit.format.tables import TableColumns
from vizkit.format.walltime import milliseconds
from vizkit.metrics.calibration import Reliability
from vizkit.metrics.confusion import ConfusionMatrix
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.reading import Entries, Recorded, RunReader, Scalars, TableFile
from vizkit.runs.dataframes import scalars_frame
from vizkit.runs.lookup import unknown
from vizkit.runs.media import Images, Media, Parsed
from vizkit.runs.scalar_tags import in_order
from vizkit.runs.statistics import Point, Summary, summarize
from vizkit.runs.table_frames import prediction_table, table_frame, with_correct

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.format.types import Embeddings
    from vizkit.media.audio import Wave

__all__ = ["RunRecords"]

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


class RunRecords:
    """The records of a run, without those that a resumed run superseded.

    Args:
        name: the name among other runs.
        logs: the reader of its logs.
    """

    name: str
    logs: RunReader

    def __init__(self, name: str, logs: RunReader) -> None:
        self.name = name
        self.logs = logs
        self._summaries: dict[str, Summary] = {}
        self._scalar_tags: list[str] | None = None
        self._places: dict[str, tuple[str, str | None]] = {}  # of these in the logs: tag, member of a group

    def forget(self) -> None:
        """Drop what was computed from the records: there are new ones."""
        self._summaries = {}
        self._scalar_tags = None

    # -- tags ------------------------------------------------------------------------------------

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


def _in_milliseconds(columns: Scalars) -> Scalars:
    return columns._replace(walltimes=milliseconds(columns.walltimes))
