"""The verbs of `vizkit.LogWriter` for images and figures."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, ImageLike, StepLike, WalltimeLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.packed_layers import pack_layers
from vizkit.media import images, overlays, png
from vizkit.media.captions import captioned_grid, make_captions
from vizkit.media.image_grid import image_grid
from vizkit.media.image_layers import layers_of
from vizkit.metrics.arrays import AnyArray
from vizkit.writing.curve_writer import CurveWriter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["ImageWriter", "figure_of"]


class ImageWriter(CurveWriter):
    """The verbs of `vizkit.LogWriter` for images."""

    def add_image(
        self,
        tag: str,
        img: ImageLike,
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
        dataformats: str = "HWC",
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: tuple[float, float] | str | None = None,
        mask: ArrayLike | None = None,
        boxes: ArrayLike | None = None,
        labels: ArrayLike | None = None,
        scores: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> None:
        """Record an image, with a mask and boxes drawn over it; the caller's array is only read.

        The mask and the boxes are also recorded apart, as layers that the workspace switches; see
        `vizkit.runs.media.Images.layers`.

        Args:
            tag: such as ``train/input``.
            img: an array, tensor, PIL image or nested list of 1 (grey), 3 (RGB) or 4 (RGBA)
                channels; see `vizkit.media.images.to_pixels` for how numbers become pixels.
            step, walltime: as in `add_scalar`.
            dataformats: order of the axes: HW, HWC, CHW, or NHWC, NCHW for a grid of a batch.
            mean: the mean by which the image was normalised, one number or one per channel.
            std: the standard deviation, likewise.
            value_range: the values drawn as black and white, or ``"minmax"``.
            mask: (H, W) class numbers of the pixels; 0 is the background, 255 is ignored.
            boxes: (n, 4) left, top, right and bottom in pixels.
            labels: n class numbers or texts of the boxes.
            scores: n scores of the boxes, such as probabilities.
            class_names: names of the classes of mask and boxes, in the order of their numbers.
            caption: a text that is shown below it, recorded as ``<tag>/caption``.

        Raises:
            DataError: not an image of that format, or a mask or boxes that do not fit it; see
                `vizkit.media.overlays.check_annotations`.
        """

        # A view with ordered axes; the worker gets a copy.
        array = images.to_channels_last(img, dataformats)
        marks = None
        if any(given is not None for given in (mask, boxes, labels, scores)):
            if array.ndim != 3:
                raise DataError("a mask and boxes go with one image, not with {img}", img=describe(img))
            marks = overlays.check_annotations(
                array.shape[:2], mask=mask, boxes=boxes, labels=labels, scores=scores, class_names=class_names
            )

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            layout = "HWC" if array.ndim == 3 else "NHWC"
            pixels = images.to_pixels(arrays[0], layout, mean=mean, std=std, value_range=value_range)
            layers = b""
            if marks is not None:
                layers = pack_layers(layers_of(pixels, marks))
                pixels = overlays.draw_annotations(pixels, marks)
            image = encode.encode_image(tag, png.encode_png(pixels), step, now, layers)
            return image if words is None else image + encode.encode_text(f"{tag}/caption", words, step, now)

        tag = self._tags.tag_for(tag, "image")
        words = None if caption is None else str(caption)
        if words is not None:
            self._tags.check(f"{tag}/caption", "text")
        self._later("image", tag, step, walltime, [array], build)

    def add_image_matrix(
        self,
        tag: str,
        imgs: ArrayLike | Sequence[ImageLike],
        step: StepLike | None,
        rows: int = -1,
        scale: float = 1.0,
        walltime: WalltimeLike | None = None,
        dataformats: str = "HWC",
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: tuple[float, float] | str | None = None,
        labels: ArrayLike | None = None,
        predictions: ArrayLike | None = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Record several images as a grid, row by row; smaller ones are centred on black.

        Labels and predictions are written below the images. With both, correct images get a blue frame and
        a check mark, the others an orange frame and a cross.

        Args:
            tag: such as ``train/inputs``.
            imgs: a list of images, or an array with the images along the first axis.
            step, walltime: as in `add_scalar`.
            rows: number of rows, at most one an image; -1 makes the grid nearly square.
            scale: zoom of the grid.
            dataformats: order of the axes of one image.
            mean, std, value_range: as in `add_image`.
            labels: (n,) or (n, 1) class or other numbers of the n images, or n texts.
            predictions: likewise, or (n, c) scores: the class with the largest counts, and a probability is
                written beside it.
            class_names: names in the order of the class numbers; by default the numbers.

        Raises:
            DataError: not images of that format, or not n labels or predictions.
        """
        each_image = cast("Sequence[ImageLike]", imgs)
        count = len(each_image)
        if not count or scale <= 0:
            raise DataError(
                "cannot lay out {count} images at scale {scale}: it takes one or more, at a scale above 0",
                count=count,
                scale=scale,
            )
        rows = min(rows, count) if rows > 0 else -1
        views = [images.to_channels_last(img, dataformats) for img in each_image]
        captions = None
        if labels is not None or predictions is not None:
            captions = make_captions(count, labels, predictions, class_names)

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            layout = "HWC" if arrays[0].ndim == 3 else "NHWC"
            each = images.to_pixels_each(arrays, layout, mean=mean, std=std, value_range=value_range)
            pixels = image_grid(each, rows) if captions is None else captioned_grid(each, captions, rows)
            return encode.encode_image(tag, png.encode_png(images.resize(pixels, scale)), step, now)

        tag = self._tags.tag_for(tag, "image")
        self._later("image", tag, step, walltime, views, build)

    def add_figure(
        self, tag: str, figure: Figure, step: StepLike | None, walltime: WalltimeLike | None = None
    ) -> None:
        """Record a matplotlib figure, which stays open and unchanged.

        Args:
            tag: such as ``eval/errors``.
            figure: a figure, axes of one, or ``matplotlib.pyplot`` for its current one.
            step, walltime: as in `add_scalar`.

        Raises:
            DataError: not a matplotlib figure.
        """
        found = figure_of(figure)
        if found is None:
            raise DataError(
                "expected a matplotlib figure, got {figure}; pass plt.gcf() or ax.figure",
                figure=describe(figure),
            )
        tag = self._tags.tag_for(tag, "image")
        at, now = self._when(tag, step, walltime)
        file = io.BytesIO()
        found.savefig(file, format="png", dpi=found.dpi)
        self._write(tag, encode.encode_image(tag, file.getvalue(), at, now))


def figure_of(value: object) -> Figure | None:
    """The matplotlib figure that is meant by a figure, its axes, or ``pyplot``; None if there is none."""
    found = value
    if callable(current := getattr(value, "gcf", None)):
        found = current()
    elif not hasattr(value, "savefig"):
        found = getattr(value, "figure", None)
    return cast("Figure", found) if hasattr(found, "savefig") else None
