"""Columns that users pass, as columns of a table: checked and copied in the call, converted on the worker."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import PurePath
from typing import Any, cast
from uuid import UUID

import numpy as np

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike, ImageLike
from vizkit.errors import DataError, MissingDependencyError
from vizkit.format.input_packs import OVERLAYS, PNG, TEXT, digest_of
from vizkit.format.packed_layers import pack_layers
from vizkit.format.tables import MOST_TABLE_ROWS, TableColumn, Texts
from vizkit.media import images, png
from vizkit.media.image_layers import Layers
from vizkit.metrics.arrays import AnyArray, Pixels, to_array

__all__ = [
    "MOST_IMAGE_BYTES",
    "Contents",
    "Given",
    "Pictures",
    "checked_columns",
    "converted",
    "is_table",
    "size_of",
]

MOST_IMAGE_BYTES = 1 << 29
"""Bytes of all images of a table that is passed at once."""

_LONGEST_NAME = 200
_MISSING = ("NAType", "NaTType")  # of pandas
_TEXTS = (str, bytes, date, time, PurePath, UUID, Enum)  # what a column of texts is known by
_MOST_EXACT = 1 << 53  # whole numbers up to it are exact in a float64
_SHOWN = 12  # images of a table in the log
_LOOKED_AT = 1000  # rows that they are among
_LARGEST = 96  # pixels of their longer side


Contents = dict[int, tuple[int, bytes]]
"""What a pack holds: digest -> kind and bytes."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A column of images or texts that are stored once a run.

    Attributes:
        images: arrays (h, w), (h, w, c) or (c, h, w), or texts; None for none.
        mean: the mean that images were normalised with.
        std: the standard deviation that they were normalised with.
        layers: makes the layers over the image of a row, or None; None if no row has some.
    """

    images: Sequence[AnyArray | str | None]
    mean: float | Sequence[float] | None = None
    std: float | Sequence[float] | None = None
    layers: Callable[[int], Layers | None] | None = None

    def __len__(self) -> int:
        return len(self.images)

    def drawn(self, some: Sequence[AnyArray]) -> list[Pixels]:
        """Pixels of some images, all on one scale."""
        axes = {_axes_of(image) for image in some}
        if len(axes) == 1:
            return images.to_pixels_each(some, axes.pop(), mean=self.mean, std=self.std)
        return [images.to_pixels(one, _axes_of(one), mean=self.mean, std=self.std) for one in some]

    def thumbnails(self) -> list[Pixels]:
        """The first images, small; none of texts."""
        some = [one for one in self.images[:_LOOKED_AT] if isinstance(one, np.ndarray)][:_SHOWN]
        pixels = self.drawn(some) if some else []
        return [images.resize(each, min(1.0, _LARGEST / max(each.shape[:2]))) for each in pixels]

    def digests(self) -> AnyArray:
        """The digests of the images and texts, (n,) uint64, 0 for none."""
        heads: dict[tuple[object, ...], bytes] = {}
        found = np.zeros(len(self), np.uint64)
        for row, one in enumerate(self.images):
            if isinstance(one, str):
                found[row] = digest_of(one.encode("utf-8", "replace"))
            elif one is not None:
                kind = one.shape, one.dtype
                if kind not in heads:
                    about = (self.mean, self.std), (one.shape, one.dtype.str)
                    heads[kind] = "".join(map(repr, about)).encode()
                found[row] = digest_of(heads[kind], np.ascontiguousarray(one).data)
        return found

    def encoded(self, digests: AnyArray, wanted: Collection[int]) -> Contents:
        """The images and texts with some of the `digests`."""
        found: Contents = {}
        new: dict[int, AnyArray] = {}
        if not wanted:
            return found
        for digest, one in zip(digests.tolist(), self.images, strict=True):
            if digest in wanted and isinstance(one, str):
                found[digest] = TEXT, one.encode("utf-8", "replace")
            elif digest in wanted and one is not None:
                new[digest] = cast("AnyArray", one)
        pixels = self.drawn(list(new.values())) if new else []
        return found | {one: (PNG, png.encode_png(each)) for one, each in zip(new, pixels, strict=True)}

    def packed_layers(self) -> tuple[AnyArray | None, Contents]:
        """The digests of the rows' layers, None if no row has some, and the layers."""
        digests, found = np.zeros(len(self), np.uint64), {}
        for row, image in enumerate(self.images if self.layers else ()):
            layers = None if image is None or self.layers is None else self.layers(row)
            if layers is not None:
                data = pack_layers(layers)
                digests[row] = digest = digest_of(data)
                found[digest] = OVERLAYS, data
        return (digests if found else None), found


def _axes_of(image: AnyArray) -> str:
    """The axes of an image: channels last, unless only the first can be theirs."""
    if image.ndim == 2:
        return "HW"
    return "CHW" if image.shape[-1] not in (1, 3, 4) and image.shape[0] in (1, 3, 4) else "HWC"


Given = AnyArray | list[object] | Texts | Pictures
"""A column that shares no memory with its caller: numbers, a list of texts, texts or images."""


def is_table(value: object) -> bool:
    """True of what has the form of a table, as `checked_columns` takes it."""
    return isinstance(value, Mapping) or _is_frame(value) or _are_rows(value) or _is_arrow(value)


def _is_frame(value: object) -> bool:
    return hasattr(value, "items") and hasattr(value, "columns")


def _are_rows(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(row, Mapping) for row in value)


def _is_arrow(value: object) -> bool:
    return hasattr(value, "__arrow_c_stream__") or hasattr(value, "__arrow_c_array__")


def _named_columns(table: object) -> Iterable[tuple[object, object]]:
    if isinstance(table, Mapping) or _is_frame(table):
        return cast("Mapping[object, object]", table).items()
    if _are_rows(table):
        rows = cast("Sequence[Mapping[object, object]]", table)
        names = dict.fromkeys(name for row in rows for name in row)
        return [(name, [row.get(name) for row in rows]) for name in names]
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingDependencyError.for_extra("parquet", tr("Arrow tables need pyarrow")) from error
    arrow = pa.table(table)
    # As objects, whole numbers beside missing ones keep their digits.
    columns = [column.to_pandas(integer_object_nulls=True) for column in arrow.columns]
    return list(zip(arrow.column_names, columns, strict=True))


def checked_columns(columns: object) -> dict[str, Given]:
    """Check and copy columns.

    Args:
        columns: a mapping of names to columns of one length; a list of rows, each a dict, None for what one
            of them lacks; a frame of pandas; or an Arrow table, such as one of pyarrow or polars. A column is
            an array, tensor, or list of numbers, bools or texts, None for none; or of images: a list of them
            (None for none), or an array (n, h, w), (n, h, w, c) or (n, c, h, w).

    Raises:
        DataError: none of these.
        MissingDependencyError: an Arrow table, without pyarrow.
    """
    if not is_table(columns):
        raise DataError(
            "a table must be a dict of columns such as {{'label': [1, 0]}}, a list of dicts, a pandas frame "
            "or an Arrow table, got {given}",
            given=describe(columns),
        )
    found: dict[str, Given] = {}
    for name, values in _named_columns(columns):
        if not isinstance(name, (str, int)) or not str(name).strip() or len(str(name)) > _LONGEST_NAME:
            raise DataError(
                "a column's name must be a text of 1 to {most} characters, got {name}",
                most=_LONGEST_NAME,
                name=describe(name),
            )
        key = str(name).encode("utf-8", "replace").decode()
        if key in found:
            raise DataError("a table has one column of a name, got two named {name!r}", name=key)
        found[key] = _column(key, values)
    lengths = {name: len(column) for name, column in found.items()}
    if not found or len(set(lengths.values())) > 1 or max(lengths.values()) > MOST_TABLE_ROWS:
        raise DataError(
            "a table needs columns of one length, of at most {most:,} rows, got {lengths}",
            most=MOST_TABLE_ROWS,
            lengths=describe(lengths),
        )
    pictures = [image for one in found.values() if isinstance(one, Pictures) for image in one.images]
    taken = sum(image.nbytes for image in pictures if isinstance(image, np.ndarray))
    if taken > MOST_IMAGE_BYTES:
        raise DataError(
            "the images of a table take at most {most:,} bytes, got {taken:,}: pass smaller ones, or fewer",
            most=MOST_IMAGE_BYTES,
            taken=taken,
        )
    return found


def _column(name: str, values: object) -> Given:
    if isinstance(values, Texts):
        return values
    categories = getattr(getattr(values, "cat", None), "categories", None)
    if categories is not None:  # a series of pandas
        codes = np.array(cast("Any", values).cat.codes)
        return Texts(codes, [str(one) for one in categories], category=True)
    if hasattr(values, "to_numpy"):  # another series
        values = cast("Any", values).to_numpy()
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "OUSMm":
        if values.dtype.kind == "m":  # seconds
            values = values / np.timedelta64(1, "s")
        elif values.dtype.kind == "M":
            there = ~np.isnat(values)
            values = [
                text if known else None
                for text, known in zip(values.astype(str).tolist(), there, strict=True)
            ]
        else:
            values = values.tolist()
    if isinstance(values, (list, tuple, range)):
        return _of_list(name, list(values))
    if isinstance(values, (str, bytes)) or not (hasattr(values, "shape") or hasattr(values, "__array__")):
        raise _refused(name, values)
    return _of_array(name, to_array(cast("ArrayLike", values), copy=True))


def _of_list(name: str, values: list[object]) -> Given:
    values = [None if type(one).__name__ in _MISSING else _plain(one) for one in values]
    if any(isinstance(one, _TEXTS) for one in values):
        return [
            None if one is None or one != one else _text(one) for one in values
        ]  # pandas has NaN for none
    first = next((one for one in values if one is not None), None)
    if _loses_digits(values):
        return [None if one is None or one != one else str(one) for one in values]
    if first is None or _is_number(first):
        try:
            plain = [np.nan if one is None else _number(one) for one in values]
            unsigned = any(
                isinstance(one, int) and one >= 1 << 63 for one in plain
            )  # else NumPy takes floats
            array = np.array(plain, np.uint64 if unsigned else None) if plain else np.empty(0)
        except (TypeError, ValueError, OverflowError):
            raise _refused(name, values) from None
        if array.dtype.kind not in "biuf" or array.ndim != 1:
            raise _refused(name, values)
        return array
    if hasattr(first, "getbands") or np.ndim(cast("Any", first)) >= 2:
        return Pictures([None if one is None else _pixels(cast("ImageLike", one)) for one in values])
    raise _refused(name, values)


def _plain(value: object) -> object:
    """Dates of NumPy as texts, durations as seconds, all else as it is."""
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else str(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, np.timedelta64):
        return None if np.isnat(value) else float(value / np.timedelta64(1, "s"))
    return value


def _text(value: object) -> str:
    """The text of a cell in a column of texts."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Enum):
        value = value.value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


def _loses_digits(values: list[object]) -> bool:
    """True of whole numbers, such as ids, that no type holds exactly, or not beside a missing one."""
    large = [one for one in values if isinstance(one, int) and abs(one) > _MOST_EXACT]
    if not large:
        return False
    wide = max(large) >= 1 << 64 or min(large) < -(1 << 63) or (max(large) >= 1 << 63 and min(large) < 0)
    return wide or not all(isinstance(one, (int, np.integer)) for one in values)


def _of_array(name: str, array: AnyArray) -> Given:
    if array.dtype.kind == "c":
        raise _refused(name, array)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 1:
        return array
    if array.ndim in (3, 4):
        return Pictures(list(array))
    raise _refused(name, array)


def _is_number(value: object) -> bool:
    some = (int, float, np.number, np.bool_, Decimal, Fraction)
    return isinstance(value, some) or getattr(value, "shape", None) in ((), [])


def _number(value: object) -> object:
    if isinstance(value, (Decimal, Fraction)):
        return float(value)
    return value.item() if hasattr(value, "item") else value


def _pixels(image: ImageLike) -> AnyArray:
    if hasattr(image, "getbands"):
        return np.array(cast("Any", image).convert("RGBA" if "A" in cast("Any", image).mode else "RGB"))
    return to_array(image, copy=True)


def _refused(name: str, values: object) -> DataError:
    return DataError(
        "the column {name!r} must hold one number, text or image a row, got {values}",
        name=name,
        values=describe(values),
    )


def size_of(columns: Iterable[Given]) -> int:
    """Bytes that columns keep alive, about."""
    total = 0
    for column in columns:
        if isinstance(column, Pictures):
            total += sum(image.nbytes for image in column.images if isinstance(image, np.ndarray))
        else:
            total += column.nbytes if isinstance(column, np.ndarray) else 64 * len(column)
    return total


def converted(column: Given) -> TableColumn | Pictures:
    """A column as it is written; images stay images."""
    return Texts.of(column) if isinstance(column, list) else column
