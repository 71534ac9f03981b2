"""The verb of `vizkit.LogWriter` for tables, which are written beside the log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from vizkit._protocols import StepLike, TableLike, WalltimeLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.table_files import ENDING, encode_table
from vizkit.format.tables import (
    References,
    TableColumn,
    TableColumns,
    directory_name,
    file_stem,
    table_preview,
)
from vizkit.media import png
from vizkit.media.image_grid import image_grid
from vizkit.metrics.arrays import Pixels
from vizkit.writing.kept_inputs import KeptInputs
from vizkit.writing.run_directory import write_new
from vizkit.writing.run_log import RunLog
from vizkit.writing.table_columns import Contents, Given, Pictures, checked_columns, converted, size_of

__all__ = ["TableWriter"]

_SHOWN = 12  # images of a table in the log
_LARGEST = 96  # pixels of their longer side


class TableWriter(RunLog):
    """The verb of `vizkit.LogWriter` for tables.

    A table is written, whole, before the record that tells of it: a record without its table can only come
    from its deletion, and a table without its record from a process that was killed in between.
    """

    def __init__(self, logdir: str, **options: Any) -> None:  # noqa: ANN401  (those of `RunLog`)
        super().__init__(logdir, **options)
        self._last_tables: dict[str, tuple[int | float, int]] = {}  # of each tag: step and walltime
        self._inputs = KeptInputs()

    def add_table(
        self,
        tag: str,
        columns: TableLike,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
        *,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Record a table beside the log, with its first rows as a text in the log, and images as a grid.

        Args:
            tag: such as ``eval/predictions``; images are shown under ``<tag>/images``.
            columns: name -> column; a list of rows, each a dict; a frame of pandas; or an Arrow table, such
                as one of pyarrow or polars. A column is an array, tensor or list of numbers, bools or texts,
                None for none; or of images: a list of them, or an array (n, h, w), (n, h, w, c) or
                (n, c, h, w). Images are stored once a run.
            step, walltime: as in `add_scalar`.
            about: texts that tell what the table is.

        Raises:
            DataError: no such columns, of unequal lengths, or too many of them.
            MissingDependencyError: an Arrow table, without pyarrow.
        """
        given = checked_columns(columns)
        tag = self._tags.tag_for(tag, "text")
        pictured = any(isinstance(column, Pictures) for column in given.values())
        if pictured:
            self._tags.check(f"{tag}/images", "image")
        self._check_open()
        at, now = self._table_at(tag, step, walltime)
        if not self._write_to_disk:
            return
        told = dict(about or {})
        self.defer(tag, lambda: self._write_table(tag, given, told, at, now), size_of(given.values()))

    def _table_at(
        self, tag: str, step: StepLike | None, walltime: WalltimeLike | None
    ) -> tuple[int | float, int]:
        """The step and walltime of a table, which no other of its tag has: they name its file."""
        at, now = self._when(tag, step, walltime)
        if at == self._last_tables.get(tag, (None, 0))[0]:
            now = max(now, self._last_tables[tag][1] + 1)
        self._last_tables[tag] = at, now
        return at, now

    def _write_table(
        self, tag: str, given: Mapping[str, Given], about: dict[str, str], step: int | float, now: int
    ) -> None:
        directory = self._tables_directory()
        packs, own = f"{directory}/{PACKS_DIRECTORY}", f"{directory}/{directory_name(tag)}"
        if link := next(filter(os.path.islink, (directory, packs, own)), None):
            raise DataError(
                "{path} is a link, and tables are read in the run's own directory alone", path=link
            )
        shown: list[Pixels] = []
        inputs: Contents = {}
        layers: Contents = {}
        columns: dict[str, TableColumn] = {}
        for name, values in given.items():
            column = converted(values)
            if isinstance(column, Pictures):
                digests = column.digests()
                with self._log.busy():
                    missing = self._inputs.lacking(packs, {*digests.tolist()} - {0} - inputs.keys())
                inputs |= column.encoded(digests, missing)
                over, packed = column.packed_layers()
                layers |= packed
                columns[name] = References(digests, over)
                shown = shown or column.thumbnails()
            else:
                columns[name] = column
        table = TableColumns(columns, about)
        data = encode_table(table)
        with self._log.busy():
            # Layers lie apart: other runs need the same inputs, but not these.
            for new in (inputs, {one: layers[one] for one in layers.keys() - self._inputs.known(packs)}):
                if new:
                    self._inputs.write(packs, new)
            write_new(f"{own}/{file_stem(step, now)}{ENDING}", data)
        frames = encode.encode_text(tag, table_preview(table), step, now)
        if shown:
            picture = png.encode_png(image_grid(shown, pad=2))
            frames += encode.encode_image(f"{tag}/images", picture, step, now)
        self._write(tag, frames)

    def _tables_directory(self) -> str:
        """The directory of the run's tables as the run lies now."""
        self.look()  # the run may have been moved
        self.begin()  # a run is found by its log
        place = self._log.place
        return f"{place.rpartition('/')[0] if '://' in place else os.path.dirname(place)}/{TABLES_DIRECTORY}"
