"""One run: how it was made and how it ended, and what people say of it; its records are those of its base."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from vizkit._files import read_bounded
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format.file_names import CONSOLE_FILE
from vizkit.metrics.arrays import Floats, Ints
from vizkit.reading import Problem, RunReader
from vizkit.reading.training_config import config_path, hparams_of
from vizkit.runs._plotting import Plottable
from vizkit.runs.display import as_html, as_text, run_table
from vizkit.runs.environment_file import EnvironmentFile
from vizkit.runs.export import Exported, as_data
from vizkit.runs.remarks import Remarks, RemarksFile
from vizkit.runs.run_records import RunRecords
from vizkit.runs.run_times import RunTimes

__all__ = ["ENDED", "Run"]

ENDED = {"finished", "failed", "interrupted", "killed"}
"""`Run.status` of a run that has ended."""

_MOST_CONSOLE = 1 << 25  # bytes, twice what a tracker copies


class _Printer(Protocol):
    """The pretty printer of IPython."""

    def text(self, text: str) -> None: ...


class Run(RunRecords, Exported, Plottable):
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

    position: int

    def __init__(self, name: str, logs: RunReader) -> None:
        super().__init__(name, logs)
        self.position = 0
        self._times = RunTimes(logs)
        self._environment = EnvironmentFile(logs.directory)
        self._remarks = RemarksFile(logs.directory)
        self._config: tuple[dict[str, Any], list[Problem]] | None = None

    # -- names and hyper-parameters ---------------------------------------------------------------

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
        super().forget()
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
