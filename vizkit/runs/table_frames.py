"""Tables as frames of pandas, with their images and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from vizkit._language import tr
from vizkit.errors import UnknownNameError
from vizkit.format.packed_layers import PackedLayers
from vizkit.format.tables import References, TableColumn, TableColumns, Texts
from vizkit.media.image_layers import Layers, drawn_layer
from vizkit.media.images import to_rgb
from vizkit.metrics.arrays import AnyArray, Pixels
from vizkit.reading import Input, RunTables
from vizkit.runs.lookup import unknown
from vizkit.runs.media import decode_image

if TYPE_CHECKING:
    import pandas as pd

    from vizkit.runs.run import Run

__all__ = [
    "PREDICTIONS",
    "TableImage",
    "exported_frame",
    "prediction_table",
    "table_frame",
    "with_correct",
]

PREDICTIONS = "/predictions"
"""The end of the name of an evaluation's table."""


class TableImage:
    """An image of a table; it is read when it is asked for."""

    def __init__(self, tables: RunTables, found: Input, layers: Input | None = None) -> None:
        self._tables = tables
        self._found = found
        self._layers = layers

    def png(self) -> bytes:
        """The PNG file.

        Raises:
            DataError: it cannot be read any more.
        """
        return self._tables.contents([self._found])[0]

    def array(self) -> Pixels:
        """The pixels, uint8 of shape (height, width, channels).

        Raises:
            DataError: it cannot be read any more.
            OSError: it is no image, or has too many pixels.
        """
        return decode_image(self.png())

    def layers(self) -> Layers | None:
        """The image with masks and boxes of label and prediction; None if it has none.

        They are of the size ``layers().size``, which is not the image's where the network's maps are smaller.

        Raises:
            DataError: they are broken, or cannot be read any more.
            OSError: as of `array`.
        """
        if self._layers is None:
            return None
        packed = PackedLayers.of(self._tables.contents([self._layers])[0])
        return replace(packed.unpacked(), image=self.array(), size=packed.size)

    def drawn(self, layer: str = "prediction") -> Pixels:
        """The pixels with a layer drawn over them, as of `vizkit.media.image_layers.drawn_layer`.

        Raises:
            DataError, OSError: as of `layers`.
        """
        layers = self.layers()
        return to_rgb(self.array()) if layers is None else drawn_layer(layers, layer)

    def _repr_png_(self) -> bytes:
        return self.png()

    def __repr__(self) -> str:
        return f"<image of {self._found.place.end - self._found.place.start:,} bytes>"


def table_frame(table: TableColumns, tables: RunTables) -> pd.DataFrame:
    """A table as a frame; see `Run.table`."""
    import pandas as pd

    found: dict[str, object] = {}
    inputs: dict[int, Input] | None = None
    for name, column in table.items():
        if isinstance(column, Texts) and column.category:
            categories = pd.Index(list(column.values), dtype=object)
            found[name] = pd.Categorical.from_codes(column.codes, categories=categories)
        elif isinstance(column, Texts):
            found[name] = column.to_array()
        elif isinstance(column, References):
            inputs = tables.inputs() if inputs is None else inputs
            found[name] = _referred(column, inputs, tables)
        else:  # a frame is computed with: small types would overflow
            found[name] = (
                column.astype(np.int64) if column.dtype.kind in "iu" and column.dtype != np.uint64 else column
            )
    return pd.DataFrame(found)


def exported_frame(runs: Sequence[Run], name: str, step: int | float | None) -> pd.DataFrame:
    """The tables of a name of several runs, one below the other, without images; ``run`` comes first.

    Raises:
        UnknownNameError: no run has it.
        DataError: the file of one is damaged.
    """
    import pandas as pd

    having = [run for run in runs if name in run.logs.tables.names()]
    if not having:
        names = dict.fromkeys(tag for run in runs for tag in run.logs.tables.names())
        raise unknown(tr("run with the table"), name, [*names])
    frames = []
    for run in having:
        frame = (
            run.predictions(step, name.removesuffix(PREDICTIONS))
            if name.endswith(PREDICTIONS)
            else run.table(name, step)
        )
        images = [column for column in frame if any(isinstance(one, TableImage) for one in frame[column])]
        frame = frame.drop(columns=images)
        if "run" not in frame:
            frame.insert(0, "run", run.name)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _referred(column: References, inputs: dict[int, Input], tables: RunTables) -> AnyArray:
    digests, places = np.unique(column.digests, return_inverse=True)
    there = [inputs.get(digest) for digest in digests.tolist()]
    texts = [one for one in there if one is not None and one.is_text]
    read = dict(zip(texts, tables.contents(texts), strict=True))
    objects: AnyArray = np.empty(len(digests), object)
    for place, one in enumerate(there):
        if one is not None and one.is_image:
            objects[place] = TableImage(tables, one)
        elif one is not None and one.is_text:
            objects[place] = read[one].decode("utf-8", "replace")
    chosen: AnyArray = objects[places]
    over = np.zeros(0, np.uint64) if column.layers is None else column.layers
    for row in np.flatnonzero(over).tolist():
        image, layers = there[places[row]], inputs.get(int(over[row]))
        if image is not None and image.is_image and layers is not None and layers.is_layers:
            chosen[row] = TableImage(tables, image, layers)
    return chosen


def prediction_table(names: Sequence[str], tag: str | None, run: str) -> str:
    """The name of the table of an evaluation; without a tag, of the only one.

    Raises:
        UnknownNameError: there is none, or there are several.
    """
    tags = [name.removesuffix(PREDICTIONS) for name in names if name.endswith(PREDICTIONS)]
    if tag is not None and tag not in tags:
        raise unknown(tr("evaluation of {name!r} with a table of predictions,", name=run), tag, tags)
    if tag is None and len(tags) != 1:
        if not tags:
            raise UnknownNameError(
                "{name!r} has no table of predictions: record its evaluations with predictions=True", name=run
            )
        raise UnknownNameError(
            "{name!r} has tables of several evaluations: name one as tag, of {tags}",
            name=run,
            tags=", ".join(tags),
        )
    return (tags[0] if tag is None else tag) + PREDICTIONS


def with_correct(table: TableColumns) -> TableColumns:
    """A table with the column ``correct`` where labels and predictions are classes or texts."""
    label, prediction = table.get("label"), table.get("prediction")
    right = _equal(label, prediction)
    if right is None or "correct" in table:
        return table
    return TableColumns({**table.columns, "correct": right}, table.about)


def _equal(one: TableColumn | None, other: TableColumn | None) -> AnyArray | None:
    if isinstance(one, Texts) and isinstance(other, Texts):
        places = {text: place for place, text in enumerate(one.values)}
        codes = np.array([*(places.get(text, -2) for text in other.values), -3])
        return np.asarray(one.codes == codes[other.codes])
    if not isinstance(one, np.ndarray) or not isinstance(other, np.ndarray):
        return None
    whole = one.dtype.kind in "iub" and other.dtype.kind in "iub"
    return np.asarray(one == other) if whole else None
