"""`input_output`: an input image beside the output of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.media.images import to_pixels
from vizkit.media.lettering import picture_text
from vizkit.metrics.arrays import Floats, Pixels, to_array
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish
from vizkit.runs.formatting import shorten_all, shortened

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.image import AxesImage

__all__ = ["ExampleData", "InputOutputPlot", "input_output"]

_GOOD, _BAD = ("#1a7f37", "#3fb950"), ("#cf222e", "#ff7b72")  # on light and on dark paper


@dataclass(frozen=True, eq=False)
class ExampleData:
    """One input and its output.

    Attributes:
        pixels: the input, uint8 of shape (h, w), (h, w, 3) RGB or (h, w, 4).
        names: the names of the most likely classes, the first one first; empty if the output is no scores.
        shares: (len(names),) their scores.
        output: pixels of an output that is an image, else None.
        words: the output as a text, and the label, if there is one that differs.
        good: True if the prediction equals the label; None if there is no label to compare with.
    """

    pixels: Pixels
    names: tuple[str, ...]
    shares: Floats
    output: Pixels | None
    words: str
    good: bool | None


@dataclass(eq=False, repr=False)
class InputOutputPlot(Plot[ExampleData]):
    """The artists of `input_output`: the input; the bars of the scores, the output's image, or None."""

    input: AxesImage
    output: BarContainer | AxesImage | None


def input_output(
    image: ArrayLike,
    prediction: ArrayLike | str,
    *,
    label: ArrayLike | str | None = None,
    class_names: Sequence[str] | None = None,
    bgr: bool = False,
    dataformats: str = "HWC",
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    top: int = 5,
    ax: Axes | None = None,
) -> InputOutputPlot:
    """Draw an image beside the prediction of a network.

    Args:
        image: an array or tensor, as `Tracker.log_image` takes it.
        prediction: (c,) or (1, c) scores, of which the highest are drawn as bars; an image or mask of
            two or more rows; or a class number, a number or a text.
        label: the true class, as a number or a name; it turns the prediction green or red.
        class_names: the names of the classes, in the order of their numbers.
        bgr: the channels are blue, green, red, as ``cv2.imread`` returns them; those of an output image too.
        dataformats: the axes of ``image``, if there are three, such as ``"CHW"``.
        mean, std: the values that the image was normalised with.
        top: number of classes to show.
        ax: axes to draw into; a new figure by default.

    Raises:
        DataError: not an image, or an output of another shape.
    """
    grey = len(getattr(image, "shape", ())) == 2
    pixels = _rgb(to_pixels(image, "HW" if grey else dataformats, mean=mean, std=std), bgr)
    data = _data(pixels, prediction, label, class_names, bgr, dataformats, top)
    two = bool(data.names) or data.output is not None
    ratio = data.pixels.shape[0] / data.pixels.shape[1]
    ax, new = axes_for(ax, 6.4 if two else 3.4, min(max(2.9 * ratio + 0.4, 1.8), 4.6))
    ax.set_axis_off()
    left = ax.inset_axes((0, 0, 0.44, 1) if two else (0, 0, 1, 1))
    shown_in = _show(left, data.pixels)
    looks = looks_on(ax)
    color = looks.ink if data.good is None else (_GOOD if data.good else _BAD)[looks.dark]
    mark = "" if data.good is None else " ✓" if data.good else " ✗"
    left.set_title(shortened(data.words, 48) + mark, fontsize="medium", color=color)
    shown_out: BarContainer | AxesImage | None = None
    if data.output is not None:
        shown_out = _show(ax.inset_axes((0.56, 0, 0.44, 1)), data.output)
    elif data.names:
        right = ax.inset_axes((0.66, 0.08, 0.34, 0.84))
        shown_out = bars = right.barh(
            range(len(data.names)),
            data.shares,
            color=[color if data.good is not None else looks.color(0)]
            + [looks.faint] * (len(data.names) - 1),
        )
        names = shorten_all(data.names, 20)
        right.set_yticks(range(len(names)), names, fontsize="small")
        probable = bool((data.shares >= 0).all() and data.shares.sum() <= 1.001)
        shares = [f"{share:.1%}" if probable else f"{share:.3g}" for share in data.shares]
        right.bar_label(bars, shares, padding=3, fontsize="small", color=looks.ink)
        right.invert_yaxis()
        if probable:
            right.set_xlim(0, 1)
        right.set_xticks([])
        right.tick_params(length=0)
        right.spines[:].set_visible(False)
    finish(ax)
    return InputOutputPlot(data, ax, new, shown_in, shown_out)


def _data(
    pixels: Pixels,
    prediction: ArrayLike | str,
    label: ArrayLike | str | None,
    class_names: Sequence[str] | None,
    bgr: bool,
    dataformats: str,
    top: int,
) -> ExampleData:
    names: list[str] = []
    shares = np.zeros(0)
    output = None
    words = prediction if isinstance(prediction, str) else ""
    if not isinstance(prediction, str):
        array = to_array(prediction)
        if array.ndim == 2 and array.shape[0] == 1:
            array = array[0]
        if array.ndim == 1 and array.size > 1:
            order = np.argsort(-array, kind="stable")[: max(top, 1)]
            names = [_named(k, class_names) for k in order]
            shares = array[order].astype(np.float64)
            words = names[0]
        elif array.size == 1:
            words = _named(array.item(), class_names)
        elif array.ndim in (2, 3):
            output = _rgb(to_pixels(array, "HW" if array.ndim == 2 else dataformats), bgr)
        else:
            raise DataError(
                "a prediction is scores, an image, a number or a text, got {prediction}",
                prediction=describe(prediction),
            )
    good = None
    if label is not None:
        truth = (
            label if isinstance(label, str) else _named(to_array(label).reshape(-1)[0].item(), class_names)
        )
        good = None if output is not None else words == truth
        words = (
            truth
            if output is not None
            else words
            if good
            else picture_text("{guess}, not {truth}", guess=words, truth=truth)
        )
    return ExampleData(pixels, tuple(names), shares, output, words, good)


def _named(value: float, class_names: Sequence[str] | None) -> str:
    number = float(value)
    if class_names is not None and number.is_integer() and 0 <= number < len(class_names):
        return str(class_names[int(number)])
    return f"{number:.6g}"


def _rgb(pixels: Pixels, bgr: bool) -> Pixels:
    if not bgr or pixels.ndim == 2:
        return pixels
    return pixels[:, :, [2, 1, 0, *range(3, pixels.shape[2])]]


def _show(ax: Axes, pixels: Pixels) -> AxesImage:
    ax.set_axis_off()
    return ax.imshow(pixels, cmap="gray", vmin=0, vmax=255)
