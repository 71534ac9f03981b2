"""The verb of `vizkit.LogWriter` for tables, which are written beside the log."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from vizkit._files import FileReader, write_durably
from vizkit._protocols import StepLike
from vizkit.columns.frame_scan import read_bytes
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.input_packs import PACK_ENDING, encode_pack, read_index
from vizkit.format.table_files import ENDING, encode_table
from vizkit.format.tables import (
    TableColumn,
    TableColumns,
    directory_name,
    file_stem,
    table_preview,
)
from vizkit.media import images, png
from vizkit.metrics.arrays import Pixels
from vizkit.writing.run_log import RunLog
from vizkit.writing.table_columns import Given, Pictures, checked_columns, converted, size_of, stored

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
        self._inputs: dict[str, set[int]] = {}  # of each directory of packs: the digests in it

    def add_table(
        self,
        tag: str,
        columns: Mapping[str, object],
        step: StepLike | None = None,
        walltime: float | datetime | None = None,
        *,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Record a table beside the log, with its first rows as a text in the log, and images as a grid.

        Args:
            tag: such as ``eval/predictions``; images are shown under ``<tag>/images``.
            columns: name -> column, or a frame of pandas. A column is an array, tensor or list of numbers,
                bools or texts, None for none; or of images: a list of them, or an array (n, h, w),
                (n, h, w, c) or (n, c, h, w). Images are stored once a run.
            step, walltime: as in `add_scalar`.
            about: texts that tell what the table is.

        Raises:
            DataError: no such columns, of unequal lengths, or too many of them.
        """
        given = checked_columns(columns)
        tag = self._tag_for(tag, "text")
        pictured = any(isinstance(column, Pictures) for column in given.values())
        if pictured:
            self._check_tag(f"{tag}/images", "image")
        self._check_open()
        at, now = self._table_at(tag, step, walltime)
        if not self._write_to_disk:
            return
        told = dict(about or {})
        self.defer(tag, lambda: self._write_table(tag, given, told, at, now), size_of(given.values()))

    def _table_at(
        self, tag: str, step: StepLike | None, walltime: float | datetime | None
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
        shown: list[Pixels] = []
        contents: dict[int, tuple[int, bytes]] = {}
        columns: dict[str, TableColumn] = {}
        for name, values in given.items():
            column = converted(values)
            if isinstance(column, Pictures):
                known = self._known_inputs(os.path.join(directory, PACKS_DIRECTORY))
                columns[name] = stored(column, known, contents)
                shown = shown or column.thumbnails()
            else:
                columns[name] = column
        table = TableColumns(columns, about)
        name = os.path.join(directory_name(tag), file_stem(step, now) + ENDING)
        self._keep_table(directory, name, encode_table(table), contents)
        frames = encode.encode_text(tag, table_preview(table), step, now)
        if shown:
            picture = png.encode_png(images.image_grid(shown, pad=2))
            frames += encode.encode_image(f"{tag}/images", picture, step, now)
        self._write(tag, frames)

    def _tables_directory(self) -> str:
        """The directory of the run's tables as the run lies now.

        Raises:
            DataError: it is a remote one.
        """
        if "://" in self._log.path:
            raise DataError("tables are not recorded into remote directories: record into a local one")
        self._look()  # the run may have been moved
        self.begin()  # a run is found by its log
        return os.path.join(os.path.dirname(self._log.place), TABLES_DIRECTORY)

    def _keep_table(
        self, directory: str, name: str, data: bytes, new: Mapping[int, tuple[int, bytes]]
    ) -> None:
        """Write a table, after the images and texts that it refers to and that are new.

        Raises:
            OSError: they cannot be written.
        """
        with suppress(FileExistsError):
            os.mkdir(directory)
        if new:
            packs = os.path.join(directory, PACKS_DIRECTORY)
            os.makedirs(packs, exist_ok=True)
            pack = f"{time.time_ns()}-{min(new):016x}{PACK_ENDING}"
            data_of_pack = encode_pack(new)
            with self._log.busy():
                write_durably(os.path.join(packs, pack), data_of_pack)
            self._known_inputs(packs).update(new)
        place = os.path.join(directory, os.path.dirname(name))
        os.makedirs(place, exist_ok=True)
        with self._log.busy():
            write_durably(os.path.join(directory, name), data)

    def _known_inputs(self, directory: str) -> set[int]:
        """The digests of all contents of the run's packs."""
        known = self._inputs.get(directory)
        if known is None:
            known = self._inputs[directory] = set()
            with suppress(OSError):
                for name in os.listdir(directory):
                    with suppress(OSError, DataError), FileReader(os.path.join(directory, name)) as pack:
                        size = os.path.getsize(os.path.join(directory, name))
                        known.update(read_index(lambda a, b, pack=pack: read_bytes(pack, a, b), size))  # type: ignore[misc]
        return known
