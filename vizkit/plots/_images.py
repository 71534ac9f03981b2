"""`images`: recorded images side by side, over the steps of a run and over runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit._language import tr
from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.errors import DataError
from vizkit.metrics.arrays import Floats, Pixels
from vizkit.metrics.downsampling import evenly
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import exact_text, shorten_all
from vizkit.runs.lookup import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

__all__ = ["ImagesData", "ImagesPlot", "images", "images_data"]

_COLUMNS = 6
_ROWS = 12


@dataclass(frozen=True, eq=False)
class ImagesData:
    """Images in rows and columns.

    Attributes:
        tag: the tag of the images.
        names: the names of the runs, one a row.
        columns: (c,) the steps of the columns; each shows the latest images up to its step.
        steps: (rows, c) the step of each image; NaN where a run recorded none since the column before.
        pixels: by row and column, uint8 of shape (height, width, channels), or None.
    """

    tag: str
    names: tuple[str, ...]
    columns: Floats
    steps: Floats
    pixels: tuple[tuple[Pixels | None, ...], ...]


@dataclass(eq=False, repr=False)
class ImagesPlot(Plot[ImagesData]):
    """The artists of `images`: the images by (row, column)."""

    cells: dict[tuple[int, int], AxesImage]


def images(
    source: RunSource, tag: str, *, steps: Sequence[float] | None = None, ax: Axes | None = None
) -> ImagesPlot:
    """Draw the images of a tag: a row a run, a column a step.

    Args:
        source: a run or several; the first 12 are shown.
        tag: the tag of images, such as ``train/input``.
        steps: the steps of the columns; by default six, evenly spaced over the recorded ones. Each column
            shows the last image of a run at or before its step and after the column before; a step that
            differs is written below the image.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has images of that tag.
    """
    data = images_data(source, tag, steps=steps)
    rows, columns = data.steps.shape
    shapes = [cell.shape[:2] for row in data.pixels for cell in row if cell is not None]
    tall, wide = max(h for h, _ in shapes), max(w for _, w in shapes)
    ratio = min(max(tall / wide, 0.25), 4.0)
    cell = min(1.5, 9.0 / columns)
    ax, new = axes_for(ax, max(columns * cell + 1.2, 3.0), max(rows * cell * ratio + 0.7, 1.6))
    room_x, room_y = wide * 1.06, tall * 1.06 + (0.14 * wide if _has_captions(data) else 0.0)
    cells = {}
    for row in range(rows):
        for column in range(columns):
            pixels = data.pixels[row][column]
            if pixels is None:
                continue
            height, width = pixels.shape[:2]
            zoom = min(tall / height, wide / width)
            left, top = column * room_x - width * zoom / 2, row * room_y - height * zoom / 2
            extent = (left, left + width * zoom, top + height * zoom, top)
            cells[row, column] = ax.imshow(pixels, cmap="gray", vmin=0, vmax=255, extent=extent)
            if data.steps[row, column] != data.columns[column]:
                ax.text(
                    column * room_x,
                    top + height * zoom + 0.02 * wide,
                    exact_text(float(data.steps[row, column])),
                    ha="center",
                    va="top",
                    fontsize="x-small",
                    color=looks_on(ax).pale,
                )
    xlim, ylim = (-room_x / 2, (columns - 0.5) * room_x), ((rows - 0.5) * room_y, -room_y / 2)
    ax.set(xlim=xlim, ylim=ylim, aspect="equal")
    ax.set_xticks(np.arange(columns) * room_x, [f"step {exact_text(step)}" for step in data.columns])
    ax.xaxis.tick_top()
    ax.set_yticks(np.arange(rows) * room_y, shorten_all(data.names, 28))
    ax.tick_params(length=0, labelsize="small")
    ax.spines[:].set_visible(False)
    ax.set_xlabel(data.tag, loc="left", fontsize="small", color=looks_on(ax).pale)
    finish(ax)
    return ImagesPlot(data, ax, new, cells)


def images_data(
    source: RunSource, tag: str, *, steps: Sequence[float] | None = None, most: int = _COLUMNS
) -> ImagesData:
    """Compute the data of `images`; ``most`` is the default number of columns."""
    tags = {run: run.tags.get("image", []) for run in as_runs(source)}
    runs = [run for run in tags if tag in tags[run]][:_ROWS]
    if not runs:
        raise unknown(tr("image tag"), tag, [other for names in tags.values() for other in names])
    media = [run.images(tag) for run in runs]
    if steps is None:
        recorded = np.unique(np.concatenate([each.steps for each in media]).astype(np.float64))
        columns = evenly(recorded, most)
    else:
        columns = np.unique(np.asarray(steps, dtype=np.float64))
        if not len(columns):
            raise DataError("steps is empty; leave it out for six steps, spread evenly")
    shown = np.full((len(runs), len(columns)), np.nan)
    pixels: list[tuple[Pixels | None, ...]] = []
    for row, each in enumerate(media):
        places: dict[int, int] = {}  # column -> its image
        lower = -np.inf
        for column, upper in enumerate(columns):
            found = np.flatnonzero((each.steps > lower) & (each.steps <= upper))
            if len(found):
                places[column] = int(found[-1])
            lower = upper
        readable = each.readable(places.values())
        cells = [readable.get(places.get(column, -1)) for column in range(len(columns))]
        for column, place in places.items():
            if place in readable:
                shown[row, column] = each.steps[place]
        pixels.append(tuple(cells))
    if np.isnan(shown).all():
        raise DataError(
            "no image of tag {tag!r} at or before step {columns}", tag=tag, columns=exact_text(columns[-1])
        )
    return ImagesData(tag, tuple(run.name for run in runs), columns, shown, tuple(pixels))


def _has_captions(data: ImagesData) -> bool:
    return bool((~np.isnan(data.steps) & (data.steps != data.columns)).any())
