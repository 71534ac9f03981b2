"""Recorded images side by side: one sample over the steps of a run, and over runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vizkit.curves.selection import as_runs
from vizkit.errors import DataError
from vizkit.metrics.downsampling import evenly
from vizkit.plots._plot import PALE, Plot, axes_for, finish, shortened
from vizkit.runs.lookup import unknown

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ImagesData", "ImagesPlot", "images", "images_data"]

_COLUMNS = 6
_ROWS = 12


@dataclass(frozen=True, eq=False)
class ImagesData:
    """Images in rows and columns.

    Attributes:
        tag: of the images.
        names: of the runs, one a row.
        columns: (c,) the steps up to which the images of a column are the latest.
        steps: (rows, c) the step of each image; NaN where a run recorded none since the column before.
        pixels: by row and column, uint8 of shape (height, width, channels), or None.
    """

    tag: str
    names: tuple[str, ...]
    columns: NDArray[np.float64]
    steps: NDArray[np.float64]
    pixels: tuple[tuple[NDArray[np.uint8] | None, ...], ...]


@dataclass(eq=False, repr=False)
class ImagesPlot(Plot[ImagesData]):
    """What `images` drew: the artists of the images by (row, column)."""

    cells: dict[tuple[int, int], Any]


def images(
    source: Any,
    tag: str,
    *,
    steps: Sequence[float] | None = None,
    ax: Axes | None = None,
) -> ImagesPlot:
    """Draws the images of a tag: a row a run, a column a step.

    Args:
        source: a run or several; of more than 12 the first ones are shown.
        tag: of images, such as ``train/input``.
        steps: for the columns; by default six, spread evenly over all that were recorded. Of each run its
            last image at or before a column's step, and after that of the column before, is shown, with its
            step below where that is another.
        ax: axes to draw into; a figure of its own by default.

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
                    f"{data.steps[row, column]:g}",
                    ha="center",
                    va="top",
                    fontsize="x-small",
                    color=PALE,
                )
    ax.set(
        xlim=(-room_x / 2, (columns - 0.5) * room_x),
        ylim=((rows - 0.5) * room_y, -room_y / 2),
        aspect="equal",
    )
    ax.set_xticks(np.arange(columns) * room_x, [f"step {columns_step:g}" for columns_step in data.columns])
    ax.xaxis.tick_top()
    ax.set_yticks(np.arange(rows) * room_y, [shortened(name, 28) for name in data.names])
    ax.tick_params(length=0, labelsize="small")
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel(data.tag, loc="left", fontsize="small", color=PALE)
    finish(ax)
    return ImagesPlot(data, ax, new, cells)


def images_data(
    source: Any, tag: str, *, steps: Sequence[float] | None = None, most: int = _COLUMNS
) -> ImagesData:
    """The data step of `images`; ``most`` is how many columns there are by default."""
    tags = {run: run.tags.get("image", []) for run in as_runs(source)}
    runs = [run for run in tags if tag in tags[run]][:_ROWS]
    if not runs:
        raise unknown("image tag", tag, [other for names in tags.values() for other in names])
    media = [run.images(tag) for run in runs]
    if steps is None:
        recorded = np.unique(np.concatenate([each.steps for each in media]).astype(np.float64))
        columns = evenly(recorded, most)
    else:
        columns = np.unique(np.asarray(steps, dtype=np.float64))
        if not len(columns):
            raise DataError("steps is empty; leave it out for six steps, spread evenly")
    shown = np.full((len(runs), len(columns)), np.nan)
    pixels: list[tuple[NDArray[np.uint8] | None, ...]] = []
    for row, each in enumerate(media):
        cells: list[NDArray[np.uint8] | None] = []
        lower = -np.inf
        for column, upper in enumerate(columns):
            found = np.flatnonzero((each.steps > lower) & (each.steps <= upper))
            cells.append(each[int(found[-1])] if len(found) else None)
            if len(found):
                shown[row, column] = each.steps[found[-1]]
            lower = upper
        pixels.append(tuple(cells))
    if np.isnan(shown).all():
        raise DataError(f"no image of tag {tag!r} at or before step {columns[-1]:g}")
    return ImagesData(tag, tuple(run.name for run in runs), columns, shown, tuple(pixels))


def _has_captions(data: ImagesData) -> bool:
    return bool((~np.isnan(data.steps) & (data.steps != data.columns)).any())
