"""The verb of `vizkit.LogWriter` for tables, which are written beside the log."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import numpy as np

from vizkit._files import FileReader, write_durably
from vizkit._protocols import StepLike
from vizkit.columns.frame_scan import read_bytes
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.input_packs import PACK_ENDING, PNG, digest_of, encode_pack, read_index
from vizkit.format.table_files import ENDING, encode_table
from vizkit.format.tables import (
    References,
    TableColumn,
    TableColumns,
    directory_name,
    file_stem,
    table_preview,
)
from vizkit.media import images, png
from vizkit.metrics.arrays import AnyArray, Pixels
from vizkit.writing.run_log import RunLog
from vizkit.writing.table_columns import Given, Pictures, checked_columns, converted, size_of

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
        at, now = self._when(tag, step, walltime)
        if at == self._last_tables.get(tag, (None, 0))[0]:
            now = max(now, self._last_tables[tag][1] + 1)  # a file's name has both
        self._last_tables[tag] = at, now
        if not self._write_to_disk:
            return
        told = dict(about or {})
        self.defer(tag, lambda: self._write_table(tag, given, told, at, now), size_of(given.values()))

    def _write_table(
        self, tag: str, given: Mapping[str, Given], about: dict[str, str], step: int | float, now: int
    ) -> None:
        shown: list[Pixels] = []
        contents: dict[int, tuple[int, bytes]] = {}
        columns: dict[str, TableColumn] = {}
        for name, values in given.items():
            column = converted(values)
            if isinstance(column, Pictures):
                columns[name] = self._referred(column.images, contents)
                shown = shown or _thumbnails(column.images)
            else:
                columns[name] = column
        table = TableColumns(columns, about)
        self._keep_table(tag, table, contents, step, now)
        frames = encode.encode_text(tag, table_preview(table), step, now)
        if shown:
            picture = png.encode_png(images.image_grid(shown, pad=2))
            frames += encode.encode_image(f"{tag}/images", picture, step, now)
        self._write(tag, frames)

    def _keep_table(
        self,
        tag: str,
        table: TableColumns,
        contents: Mapping[int, tuple[int, bytes]],
        step: int | float,
        now: int,
    ) -> None:
        """Write a table, after the images and texts that it refers to and that are new.

        Raises:
            OSError: they cannot be written.
        """
        self._look()  # the run may have been moved
        self.begin()
        directory = os.path.join(os.path.dirname(self._log.path), TABLES_DIRECTORY)
        if "://" in self._log.path:
            raise DataError("tables are not recorded into remote directories: record into a local one")
        with suppress(FileExistsError):
            os.mkdir(directory)
        known = self._known_inputs(os.path.join(directory, PACKS_DIRECTORY))
        new = {digest: content for digest, content in contents.items() if digest not in known}
        if new:
            os.makedirs(os.path.join(directory, PACKS_DIRECTORY), exist_ok=True)
            name = f"{now}-{min(new):016x}{PACK_ENDING}"
            write_durably(os.path.join(directory, PACKS_DIRECTORY, name), encode_pack(new))
            known.update(new)
        place = os.path.join(directory, directory_name(tag))
        os.makedirs(place, exist_ok=True)
        write_durably(os.path.join(place, file_stem(step, now) + ENDING), encode_table(table))

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

    def _referred(
        self, pictures: Sequence[AnyArray | None], contents: dict[int, tuple[int, bytes]]
    ) -> References:
        digests = np.zeros(len(pictures), np.uint64)
        for row, picture in enumerate(pictures):
            if picture is not None:
                pixels = images.to_pixels(picture, axes_of(picture))
                digest = digest_of(repr(pixels.shape).encode(), np.ascontiguousarray(pixels).tobytes())
                digests[row] = digest
                if digest not in contents:
                    contents[digest] = PNG, png.encode_png(pixels)
        return References(digests)


def axes_of(image: AnyArray) -> str:
    """The axes of an image: channels last, unless only the first can be theirs."""
    if image.ndim == 2:
        return "HW"
    return "CHW" if image.shape[-1] not in (1, 3, 4) and image.shape[0] in (1, 3, 4) else "HWC"


def _thumbnails(pictures: Sequence[AnyArray | None]) -> list[Pixels]:
    some = [picture for picture in pictures[: 4 * _SHOWN] if picture is not None][:_SHOWN]
    pixels = [images.to_pixels(picture, axes_of(picture)) for picture in some]
    return [images.resize(each, min(1.0, _LARGEST / max(each.shape[:2]))) for each in pixels]
