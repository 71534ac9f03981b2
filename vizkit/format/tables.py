"""Tables as columns in memory: numbers, texts, and references to images and texts that are stored once.

`vizkit.format.table_files` has their bytes, `vizkit.format.input_packs` those of the images and texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

import numpy as np

from vizkit._checks import describe
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray

__all__ = [
    "MOST_CELLS",
    "MOST_COLUMNS",
    "MOST_TABLE_ROWS",
    "References",
    "TableColumn",
    "TableColumns",
    "Texts",
    "directory_name",
    "file_stem",
    "is_range",
    "narrowed",
    "table_preview",
]

MOST_TABLE_ROWS = 20_000_000
MOST_COLUMNS = 500
MOST_CELLS = 200_000_000
"""Rows times columns of a table: larger ones are refused, by writers and readers."""

_LONGEST_NAME = 120  # characters of a directory's name
_PREVIEWED = 10  # rows
_LONGEST_CELL = 200  # characters of a cell in a preview


@dataclass(frozen=True, eq=False)
class Texts:
    """A column of texts, each kept once.

    Attributes:
        codes: (n,) whole numbers, the places of the rows' texts in ``values``; -1 for none.
        values: the texts.
        category: whether ``values`` are all that there can be, in an order of their own, as class names.
    """

    codes: AnyArray
    values: Sequence[str]
    category: bool = False

    @classmethod
    def of(cls, texts: Sequence[object]) -> Texts:
        """The column of these texts; None is no text, all else is converted with ``str``."""
        places: dict[str, int] = {}
        codes = [-1 if one is None else places.setdefault(str(one), len(places)) for one in texts]
        return cls(np.array(codes, np.int32), list(places))

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: AnyArray | slice) -> Texts:
        return Texts(self.codes[rows], self.values, self.category)

    def to_array(self) -> AnyArray:
        """The text of each row, or None: (n,) objects."""
        return np.array([*self.values, None], dtype=object)[self.codes]


@dataclass(frozen=True, eq=False)
class References:
    """A column of images or texts that lie in packs.

    Attributes:
        digests: (n,) uint64; 0 for none.
        layers: (n,) likewise, of the layers over the images; None if no row has some.
    """

    digests: AnyArray
    layers: AnyArray | None = None

    def __len__(self) -> int:
        return len(self.digests)

    def __getitem__(self, rows: AnyArray | slice) -> References:
        return References(self.digests[rows], None if self.layers is None else self.layers[rows])


TableColumn = AnyArray | Texts | References
"""A column: numbers or bools (n,), NaN for none; or texts; or references."""


@dataclass(frozen=True, eq=False)
class TableColumns(Mapping[str, TableColumn]):
    """A table: its columns by name, all of one length.

    Attributes:
        columns: the columns.
        about: what is known of the table, such as ``{"task": "classification", "ids": "index"}``.

    Raises:
        DataError: columns of unequal length, or more than a table may have.
    """

    columns: dict[str, TableColumn]
    about: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.columns.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(
                "the columns of a table must be equally long, got {lengths}", lengths=describe(lengths)
            )
        if (
            len(lengths) > MOST_COLUMNS
            or self.rows > MOST_TABLE_ROWS
            or self.rows * len(lengths) > MOST_CELLS
        ):
            raise DataError(
                "a table has at most {rows:,} rows, {columns} columns and {cells:,} cells, got {n:,} rows of "
                "{k} columns",
                rows=MOST_TABLE_ROWS,
                columns=MOST_COLUMNS,
                cells=MOST_CELLS,
                n=self.rows,
                k=len(lengths),
            )

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(next(iter(self.columns.values()), ()))

    @property
    def nbytes(self) -> int:
        """Bytes of the columns' arrays, without their texts."""
        return sum(_array(column).nbytes for column in self.columns.values())

    def __getitem__(self, name: str) -> TableColumn:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def take(self, rows: AnyArray | slice) -> TableColumns:
        """Some rows, chosen by places, bools or a slice."""
        return TableColumns({name: column[rows] for name, column in self.columns.items()}, self.about)


def _array(column: TableColumn) -> AnyArray:
    if isinstance(column, Texts):
        return column.codes
    return column.digests if isinstance(column, References) else column


def directory_name(tag: str) -> str:
    """The name of the directory with a tag's tables; it holds no separator, and is never ``..``."""
    name = quote(tag, safe=" ", errors="replace").replace(".", "%2E")
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.blake2b(tag.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{name[: _LONGEST_NAME - 17]}~{digest}"


def file_stem(step: int | float, walltime: int) -> str:
    """The name of a table's file, without its ending: that of the record with this step and walltime."""
    return f"{int(step) if step == int(step) else step!r}-{walltime}"


def narrowed(array: AnyArray) -> AnyArray:
    """Numbers in the smallest type that keeps them exactly."""
    if not array.size or array.dtype.kind not in "iuf":
        return array
    if array.dtype.kind == "f":
        if array.dtype.itemsize <= 4:
            return array
        with np.errstate(over="ignore"):
            small = array.astype(np.float32)
        return small if np.array_equal(small, array, equal_nan=True) else array.astype(np.float64, copy=False)
    low, high = int(array.min()), int(array.max())
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32):
        bounds = np.iinfo(kind)
        if bounds.min <= low and high <= bounds.max:
            return array.astype(kind, copy=False)
    return array


def is_range(array: AnyArray) -> bool:
    """True if whole numbers count up by one."""
    if array.dtype.kind not in "iu" or len(array) < 2 or int(array[-1]) - int(array[0]) != len(array) - 1:
        return False
    return bool((array[1:] == array[:-1] + array.dtype.type(1)).all())


def table_preview(table: TableColumns) -> str:
    """The first rows, as lines of tab-separated cells, and how many more there are."""
    shown = min(table.rows, _PREVIEWED)
    cells = [
        _cells(column[:shown]) for column in table.columns.values() if not isinstance(column, References)
    ]
    names = [name for name, column in table.columns.items() if not isinstance(column, References)]
    lines = ["\t".join(" ".join(str(name).split()) for name in names)]
    lines += ["\t".join(row) for row in zip(*cells, strict=True)]
    if table.rows > shown:
        lines.append(f"... {table.rows - shown:,} more rows")
    return "\n".join(lines).encode("utf-8", "replace").decode()


def _cells(column: TableColumn) -> list[str]:
    if isinstance(column, Texts):
        texts = ["" if text is None else " ".join(text.split()) for text in column.to_array().tolist()]
        return [text[:_LONGEST_CELL] for text in texts]
    values = column.digests.tolist() if isinstance(column, References) else column.tolist()
    return [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
