"""A run of one short log that the cache knows, whose columns are read when they are asked for."""

from __future__ import annotations

import os
from typing import Any

from vizkit.reading.column_cache import ColumnCache
from vizkit.reading.filesystem import LogStat, store_of
from vizkit.reading.log_tail import Problem
from vizkit.reading.run_reader import RunReader
from vizkit.reading.run_tables import KnownTables
from vizkit.reading.short_logs import Outline

__all__ = ["KnownRun", "known_run"]


class KnownRun(RunReader):
    """A reader that knows its tags and hyper-parameters; it opens its log for all else."""

    def __init__(
        self, directory: str | os.PathLike[str], stats: list[LogStat], cache: ColumnCache, outline: Outline
    ) -> None:
        self.directory = os.fspath(directory)
        self.kinds = dict(outline.kinds)
        self.is_last = True
        self._known_tables = KnownTables({}, {})
        self.earlier = []
        self.number = 1
        self._stats = stats
        self._hparams = outline.hparams
        self._outline: Outline | None = outline
        self._own_cache = cache

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of whatever type it is
        """Open the log for an attribute that is not there yet."""
        if name.startswith("__") or self.__dict__.get("_outline") is None:
            raise AttributeError(name)
        self._open(self._stats)
        return getattr(self, name)

    def _open(self, stats: list[LogStat]) -> None:
        self._outline = None
        super().__init__(self.directory, stats, self._own_cache)

    @property
    def created(self) -> int:
        """As of the base."""
        return self._outline.created if self._outline else super().created

    @property
    def display_name(self) -> str:
        """As of the base."""
        return self._outline.name if self._outline else super().display_name

    @property
    def problems(self) -> list[Problem]:
        """None before the log is opened: only logs without any are in the cache."""
        return [] if self._outline else super().problems

    def refresh(self, stats: list[LogStat] | None = None) -> bool:
        """As of the base."""
        if self._outline is None:
            return super().refresh(stats)
        if stats is None:
            stats = store_of(self.directory).logs(self.directory)
        if stats == self._stats:
            return False
        self._open(stats)
        return True


def known_run(directory: str, stats: list[LogStat], cache: ColumnCache | None) -> RunReader | None:
    """The run of a directory, if it has one log, which is in the cache and has not changed."""
    if cache is None or len(stats) != 1:
        return None
    outline = cache.outline(stats[0])
    return None if outline is None else KnownRun(directory, stats, cache, outline)
