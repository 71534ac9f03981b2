"""The tables of a run, read from the files beside its log.

A table is found by the record that tells of it: `vizkit.reading.sessions` has the rule which records count.
A file without a record is passed over; one that is damaged is a problem of that table alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from vizkit._language import reason_of, tr
from vizkit.columns.frame_scan import read_bytes
from vizkit.errors import DataError
from vizkit.format.file_names import PACKS_DIRECTORY, TABLES_DIRECTORY
from vizkit.format.input_packs import OVERLAYS, PACK_ENDING, PNG, TEXT, PackPlace, read_index
from vizkit.format.table_files import ENDING, MOST_BYTES, decode_table
from vizkit.format.tables import References, TableColumns, directory_name, file_stem
from vizkit.reading.filesystem import Store, store_of
from vizkit.reading.log_tail import Problem

if TYPE_CHECKING:
    from vizkit.reading.run_reader import RunReader

__all__ = ["Input", "KnownTables", "RunTables", "TableFile"]

_GAP, _STRETCH = 1 << 16, 1 << 24  # bytes between contents that are read at once, and of all of them
_MOST_INDEX = 256 << 20  # bytes of the heads of packs that are read


class TableFile(NamedTuple):
    """A recorded table.

    Attributes:
        tag: its name.
        step: the step of its record.
        walltime: the time of its record, as recorded.
        path: its file; empty if that is gone.
    """

    tag: str
    step: int | float
    walltime: int
    path: str


class Input(NamedTuple):
    """An image, a text, or the layers of an image that a table refers to, in a pack.

    Attributes:
        path: the pack.
        place: where it lies.
    """

    path: str
    place: PackPlace

    @property
    def is_image(self) -> bool:
        """True for an image, a PNG file."""
        return self.place.kind == PNG

    @property
    def is_text(self) -> bool:
        """True for a text in UTF-8."""
        return self.place.kind == TEXT

    @property
    def is_layers(self) -> bool:
        """True for layers, as `vizkit.format.packed_layers` packs them."""
        return self.place.kind == OVERLAYS


class KnownTables(NamedTuple):
    """Findings about the tables of a run.

    Attributes:
        problems: those of each file.
        packs: path -> where the contents lie in it.
    """

    problems: dict[str, Problem]
    packs: dict[str, dict[int, PackPlace]]


class RunTables:
    """The tables of a run.

    Args:
        logs: the reader of the run's logs; it is followed.
        known: of the same run; what is found out is added.
    """

    def __init__(self, logs: RunReader, known: KnownTables) -> None:
        self._logs = logs
        self._problems, self._packs = known

    @property
    def _store(self) -> Store:
        return store_of(self._logs.directory)

    def _path(self, *names: str) -> str:
        return "/".join([self._logs.directory.rstrip("/"), TABLES_DIRECTORY, *names])

    # -- which there are ------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The names of the tables, first recorded first."""
        there = self._entries()
        texts = [tag for tag, kind in self._logs.kinds.items() if kind == "text"] if there else []
        return [tag for tag in texts if there.get(directory_name(tag), 0) is None]

    def _entries(self) -> dict[str, int | None]:
        """The names in the directory of tables, which is no link."""
        is_there = self._store.entries(self._logs.directory).get(TABLES_DIRECTORY, 0) is None
        return self._store.entries(self._path()) if is_there else {}

    def files(self, tag: str, *, superseded: bool = False) -> list[TableFile]:
        """The tables of a name, in the order of their steps; those whose file is gone, too.

        Raises:
            KeyError: there is no such tag.
        """
        entries = self._logs.entries(tag, superseded=superseded)
        there = self._store.entries(self._path(directory_name(tag)))
        found = []
        for step, walltime in zip(entries.steps.tolist(), entries.walltimes.tolist(), strict=True):
            name = file_stem(step, walltime) + ENDING
            path = "" if there.get(name) is None else self._path(directory_name(tag), name)
            found.append(TableFile(tag, step, walltime, path))
        return found

    def unnamed(self) -> Iterator[str]:
        """The paths of tables that no record tells of, and of what interrupted writes have left.

        Those of the directory's other trainings are not among them.
        """
        known = set()
        for training in (*self._logs.earlier, self._logs):
            tables = training.tables
            for tag in tables.names():
                known |= {file.path for file in tables.files(tag, superseded=True)}
        for name, size in self._entries().items():
            if size is None and name != PACKS_DIRECTORY:
                for inner in self._store.entries(self._path(name)):
                    if self._path(name, inner) not in known:
                        yield self._path(name, inner)
        yield from (path for path in self._pack_paths(".part"))

    # -- their content --------------------------------------------------------------------------------

    def read(self, file: TableFile) -> TableColumns:
        """Read a table.

        Raises:
            DataError: its file is gone, damaged, or holds more than a table may have; it is among the
                `problems` from then on.
        """
        try:
            if not file.path:
                raise DataError(
                    "the file of the table {tag!r} at step {step} is gone", tag=file.tag, step=file.step
                )
            table = decode_table(self._content(file.path))
        except (DataError, OSError, MemoryError) as error:
            path = file.path or self._path(directory_name(file.tag))
            kind = "table" if file.path else "table gone"
            reason = self._note(file.path or f"{path}@{file.step}", path, error, kind)
            raise DataError("{path}: {error}", path=path, error=reason) from error
        self._problems.pop(file.path, None)
        self._note_missing(file, table)
        return table

    def _note_missing(self, file: TableFile, table: TableColumns) -> None:
        """Keep a problem if images, texts or layers of a table are gone."""
        wanted: set[int] = set()
        for column in table.values():
            if isinstance(column, References):
                for digests in (column.digests, column.layers):
                    wanted.update([] if digests is None else digests[digests != 0].tolist())
        missing = len(wanted - self.inputs().keys()) if wanted else 0
        key = f"{file.path}: inputs"
        self._problems.pop(key, None)
        if missing:
            error = DataError(
                "{n} images or texts of the table {tag!r} at step {step} are gone",
                n=missing,
                tag=file.tag,
                step=file.step,
            )
            self._note(key, self._path(PACKS_DIRECTORY), error, "table gone")

    def _content(self, path: str) -> bytes:
        directory, _, name = path.rpartition("/")
        size = self._store.entries(directory).get(name) or 0
        if size > MOST_BYTES:
            raise DataError("it has more than {most:,} bytes", most=MOST_BYTES)
        with self._store.open(path) as file:
            return read_bytes(file, 0, size)

    def check(self) -> None:
        """Read every table and every pack, for the `problems` with them."""
        for training in (*self._logs.earlier, self._logs):
            tables = training.tables
            for tag in tables.names():
                for file in tables.files(tag, superseded=True):
                    with suppress(DataError):
                        tables.read(file)
            self._problems |= tables._problems
        self._packs.clear()
        self.inputs()

    @property
    def problems(self) -> list[Problem]:
        """The tables and packs that could not be read so far."""
        return list(self._problems.values())

    # -- images and texts that they refer to ----------------------------------------------------------

    def inputs(self) -> dict[int, Input]:
        """All images, texts and layers of the run by their digests."""
        found: dict[int, Input] = {}
        total = 0
        for path, size in self._pack_paths(PACK_ENDING).items():
            if path not in self._packs and total < _MOST_INDEX:
                self._packs[path] = self._index(path, size)
            index = self._packs.get(path, {})
            total += 17 * len(index)
            found.update((digest, Input(path, place)) for digest, place in index.items())
        return found

    def _index(self, path: str, size: int) -> dict[int, PackPlace]:
        try:
            with self._store.open(path) as file:
                found = read_index(lambda start, end: read_bytes(file, start, min(end, size)), size)
        except (DataError, OSError, MemoryError) as error:
            self._note(path, path, error)
            return {}
        self._problems.pop(path, None)
        return found

    def _note(self, key: str, path: str, error: Exception, kind: str = "table") -> str:
        """Keep a problem, and return its reason."""
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        message = tr("{path}: {what}", path=path, what=reason)
        self._problems[key] = Problem(path, kind, 0, 0, message)
        return reason

    def contents(self, wanted: Iterable[Input]) -> list[bytes]:
        """The bytes of images and texts; those that lie together are read together.

        Raises:
            DataError: some cannot be read any more.
        """
        every = list(wanted)
        data: dict[Input, bytes] = {}
        for start, stretch in _stretches(sorted(set(every))):
            path, end = stretch[0].path, stretch[-1].place.end
            try:
                with self._store.open(path) as file:
                    block = read_bytes(file, start, end)
            except OSError as error:
                raise DataError("{path}: {error}", path=path, error=reason_of(error)) from error
            if len(block) != end - start:
                raise DataError("{path}: {error}", path=path, error=tr("it is shorter than it was"))
            data.update((one, block[one.place.start - start : one.place.end - start]) for one in stretch)
        return [data[one] for one in every]

    def _pack_paths(self, ending: str) -> dict[str, int]:
        is_there = self._entries().get(PACKS_DIRECTORY, 0) is None
        every = self._store.entries(self._path(PACKS_DIRECTORY)) if is_there else {}
        return {
            self._path(PACKS_DIRECTORY, name): size
            for name, size in sorted(every.items())
            if size is not None and name.endswith(ending)
        }


def _stretches(wanted: list[Input]) -> Iterator[tuple[int, list[Input]]]:
    """Contents that lie near each other in a pack, with the first byte of the first; all in order."""
    found: list[Input] = []
    for one in wanted:
        if found and (
            one.path != found[0].path
            or one.place.start - found[-1].place.end > _GAP
            or one.place.end - found[0].place.start > _STRETCH
        ):
            yield found[0].place.start, found
            found = []
        found.append(one)
    if found:
        yield found[0].place.start, found
