"""`LogWriter`: VisualDL's writer, drop-in and corrected.

Scalars, texts and hyper-parameters are in the log when a call returns. Images, sounds, histograms,
curves and embeddings are checked and copied on the caller's thread, then reduced and encoded on
one worker thread, which `LogWriter.flush` and `LogWriter.close` wait for.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import io
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import visualdl

from vizkit._checks import describe
from vizkit._protocols import HParamsLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.embeddings import checked_embeddings
from vizkit.format.file_names import GRAPH_WORD
from vizkit.format.hparams import flat_hparams, metric_names
from vizkit.format.tags import HPARAMS, META_DATA, check_tag
from vizkit.format.types import HParams
from vizkit.media import audio as audio_measures
from vizkit.media import images, overlays, panels, png
from vizkit.metrics import histograms
from vizkit.metrics.arrays import to_float
from vizkit.writing import run_directory
from vizkit.writing.curve_writer import CurveWriter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["LogWriter"]


class LogWriter(CurveWriter, visualdl.LogWriter):  # type: ignore[misc]
    """Writes one run's log; use it where ``visualdl.LogWriter`` was used.

    A directory that already holds a log is continued in the same file, so that stock VisualDL,
    which reads one file of a directory, shows all of it.

    Args:
        logdir: the run's directory; ``runs/<time><.comment>`` by default. A scheme such as
            ``bos://`` or ``hdfs://`` goes through VisualDL's own file layer.
        comment: suffix of the default ``logdir``.
        max_queue: how many costly records (images, curves ...) may wait for the worker thread.
        flush_secs: accepted for VisualDL's sake; nothing that could be flushed is held back.
        filename_suffix: suffix of the log's file name.
        write_to_disk: False records nothing at all.
        display_name: the run's name on VisualDL's page.
        file_name: the log's file name; it must contain ``vdlrecords``.
        on_error: called with tag and error when a record could not be written (a full disk, an
            array that the worker could not encode). By default the first of each tag is warned
            about; training goes on.

    Raises:
        TypeError: unknown keyword arguments.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str] | None = None,
        comment: str = "",
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        display_name: str = "",
        file_name: str = "",
        *,
        on_error: Callable[[str, Exception], None] | None = None,
        **unknown: Any,
    ) -> None:
        if unknown:
            raise TypeError(_unknown_arguments(unknown))
        if not logdir:
            now = datetime.now().strftime("%b%d_%H-%M-%S")
            logdir = os.path.join("runs", now + (f".{comment}" if comment else ""))
        super().__init__(
            os.fspath(logdir),
            display_name=display_name,
            file_name=file_name,
            suffix=filename_suffix,
            max_queue=max_queue,
            write_to_disk=write_to_disk,
            on_error=on_error,
        )
        self._flush_secs = flush_secs
        self.loggers: dict[str, Any] = {}

    # -- what goes into the log at once -------------------------------------------------------

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: Mapping[str, Any], step: Any, walltime: int | None = None
    ) -> None:
        """Adds a group of numbers that VisualDL draws in one chart.

        Args:
            main_tag: the chart's tag.
            tag_scalar_dict: name within the group -> number.
            step: as in `add_scalar`.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: not a dict, or a value is not one number.
        """
        if not isinstance(tag_scalar_dict, Mapping):
            raise DataError(f"tag_scalar_dict must be a dict of numbers, got {describe(tag_scalar_dict)}")
        values = {str(name): to_float(value) for name, value in tag_scalar_dict.items()}
        self._check_tag(main_tag, "scalars")
        step, now = self._when(main_tag, step, walltime)
        frames = [
            encode.encode_sub_scalar(main_tag, name, value, step, now) for name, value in values.items()
        ]
        self._write(main_tag, b"".join(frames))

    def add_text(self, tag: str, text_string: str, step: Any = None, walltime: int | None = None) -> None:
        """Adds a text; what is not a text is recorded as ``str`` gives it."""
        self._check_tag(tag, "text")
        step, now = self._when(tag, step, walltime)
        text = text_string.decode("utf-8", "replace") if isinstance(text_string, bytes) else str(text_string)
        self._write(tag, encode.encode_text(tag, text, step, now))

    def add_meta(
        self, tag: str = META_DATA, display_name: str = "", step: Any = 0, walltime: int | None = None
    ) -> None:
        """Names the run on VisualDL's page; the last name counts."""
        if tag != META_DATA:
            self._check_tag(tag, "meta_data")
        step, now = self._when(tag, step, walltime)
        self._display_name = display_name
        self._write(tag, encode.encode_meta_data(tag, display_name, step, now))

    def add_hparams(
        self, hparams_dict: HParamsLike, metrics_list: Sequence[str], walltime: int | None = None
    ) -> None:
        """Adds hyper-parameters and names the metrics that they are compared by.

        Stock VisualDL shows a log's first such record; VizKit's reader the last, in which what
        came before is kept, so give all that is known at the start.

        Args:
            hparams_dict: name -> bool, number, text, None, list, array, or a nested dict of these
                (joined with ``/``). What VisualDL has no type for it shows as text.
            metrics_list: tags that `add_scalar` records.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: not a dict, or not a list of tags.
        """
        hparams, metrics = flat_hparams(hparams_dict), metric_names(metrics_list)
        for metric in metrics:
            check_tag(metric)
        now = round(time.time() * 1000) if walltime is None else int(walltime)
        before = self._hparams
        merged = HParams(
            {**before.hparams, **hparams},
            list(dict.fromkeys([*before.metrics, *metrics])),
            name=hashlib.md5(self._log.path.encode(), usedforsecurity=False).hexdigest(),
        )
        self._hparams = merged
        self._write(HPARAMS, encode.encode_hparams(merged, now))

    # -- what the worker encodes --------------------------------------------------------------

    def add_image(
        self,
        tag: str,
        img: Any,
        step: Any,
        walltime: int | None = None,
        dataformats: str = "HWC",
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: tuple[float, float] | str | None = None,
        mask: Any = None,
        boxes: Any = None,
        labels: Any = None,
        scores: Any = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Adds an image, with what was found in it drawn over it; the caller's array is only read.

        Args:
            tag: such as ``train/input``.
            img: an array, tensor, PIL image or nested list of 1 (grey), 3 (RGB) or 4 (RGBA)
                channels; see `vizkit.media.images.to_pixels` for how numbers become pixels.
            step: as in `add_scalar`.
            walltime: milliseconds since 1970; now by default.
            dataformats: order of the axes: HW, HWC, CHW, or NHWC, NCHW for a grid of a batch.
            mean: what was subtracted when the image was normalised, a number or one a channel.
            std: what it was divided by.
            value_range: the two values drawn as black and white, or ``"minmax"``.
            mask: (H, W) class numbers of the pixels; 0 is the background, 255 does not count.
            boxes: (n, 4) left, top, right and bottom in pixels.
            labels: n class numbers or texts of the boxes.
            scores: n numbers of the boxes, such as their probabilities.
            class_names: what the classes of mask and boxes are called, by their number.

        Raises:
            DataError: no image of that format, or a mask or boxes that do not fit it; see
                `vizkit.media.overlays.checked_annotations`.
        """

        # A view with its axes in order; the worker gets a copy of it.
        array = images.laid_out(img, dataformats)
        marks = None
        if any(given is not None for given in (mask, boxes, labels, scores)):
            if array.ndim != 3:
                raise DataError(f"a mask and boxes go with one image, not with {describe(img)}")
            marks = overlays.checked_annotations(
                array.shape[:2], mask=mask, boxes=boxes, labels=labels, scores=scores, class_names=class_names
            )

        def build(arrays: Sequence[Any], step: Any, now: int) -> bytes:
            layout = "HWC" if array.ndim == 3 else "NHWC"
            pixels = images.to_pixels(arrays[0], layout, mean=mean, std=std, value_range=value_range)
            pixels = pixels if marks is None else overlays.annotated(pixels, marks)
            return encode.encode_image(tag, png.encode_png(pixels), step, now)

        self._later("image", tag, step, walltime, [array], build)

    def add_image_matrix(
        self,
        tag: str,
        imgs: Any,
        step: Any,
        rows: int = -1,
        scale: float = 1.0,
        walltime: int | None = None,
        dataformats: str = "HWC",
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: tuple[float, float] | str | None = None,
        labels: Any = None,
        predictions: Any = None,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Adds several images as one, row by row; smaller ones are centred on black.

        With labels or predictions, each stands below its image. Where both are known, those that are
        equal have a blue frame and a check mark, the others an orange one and a cross.

        Args:
            tag: such as ``train/inputs``.
            imgs: a list of images, or an array of them along the first axis.
            step: as in `add_scalar`.
            rows: number of rows; -1 makes it nearly square.
            scale: zoom of the whole.
            walltime: milliseconds since 1970; now by default.
            dataformats: order of the axes of one image.
            mean: as for `add_image`; so is ``std``.
            std: what the images were divided by.
            value_range: as for `add_image`.
            labels: of n images, (n,) or (n, 1) class or other numbers, or n texts.
            predictions: the same, or (n, c) scores, whose largest counts; probabilities are written.
            class_names: what classes are called; by default their numbers.

        Raises:
            DataError: no images of that format, more rows than images, labels or predictions that are
                not n.
        """
        count = len(imgs)
        if not count or rows == 0 or rows > count or scale <= 0:
            raise DataError(
                f"cannot lay out {count} images in {rows} rows at scale {scale}: "
                "rows is -1 or 1 to the number of images, scale above 0"
            )
        views = [images.laid_out(img, dataformats) for img in imgs]
        captions = None
        if labels is not None or predictions is not None:
            captions = panels.captions_of(count, labels, predictions, class_names)

        def build(arrays: Sequence[Any], step: Any, now: int) -> bytes:
            layout = "HWC" if arrays[0].ndim == 3 else "NHWC"
            each = images.to_pixels_each(arrays, layout, mean=mean, std=std, value_range=value_range)
            if captions is None:
                pixels = images.image_grid(each, rows)
            else:
                pixels = panels.captioned_grid(each, captions, rows)
            return encode.encode_image(tag, png.encode_png(images.resize(pixels, scale)), step, now)

        self._later("image", tag, step, walltime, views, build)

    def add_figure(self, tag: str, figure: Figure, step: Any, walltime: int | None = None) -> None:
        """Adds a matplotlib figure as it looks now; it stays open and as it was.

        Raises:
            DataError: not a matplotlib figure.
        """
        if not hasattr(figure, "savefig"):
            raise DataError(
                f"expected a matplotlib figure, got {describe(figure)}; pass plt.gcf() or ax.figure"
            )
        self._check_tag(tag, "image")
        step, now = self._when(tag, step, walltime)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=figure.dpi)
        self._write(tag, encode.encode_image(tag, file.getvalue(), step, now))

    def add_audio(
        self, tag: str, audio_array: Any, step: Any, sample_rate: int = 8000, walltime: int | None = None
    ) -> None:
        """Adds a sound.

        Args:
            tag: such as ``eval/speech``.
            audio_array: int16, other integers, or floats in [-1, 1]; (n,) mono or (n, channels).
            step: as in `add_scalar`.
            sample_rate: samples a second.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: no sound (NaN, wrong shape, empty).
        """
        wave = audio_measures.to_wave(audio_array, sample_rate)
        self._check_tag(tag, "audio")
        step, now = self._when(tag, step, walltime)
        self._write(tag, encode.encode_audio(tag, wave, step, now))

    def add_histogram(
        self,
        tag: str,
        values: Any,
        step: Any,
        walltime: int | None = None,
        buckets: int | Sequence[float] = 10,
    ) -> None:
        """Adds a histogram; NaN and infinite values are counted apart.

        Args:
            tag: such as ``weights/fc``.
            values: numbers of any shape.
            step: as in `add_scalar`.
            walltime: milliseconds since 1970; now by default.
            buckets: how many, or their edges.

        Raises:
            DataError: no real numbers.
        """

        if not (isinstance(buckets, int) and buckets > 0):
            histograms.compute_histogram([0.0], buckets)  # raises where they make no histogram

        def build(arrays: Sequence[Any], step: Any, now: int) -> bytes:
            return encode.encode_histogram(tag, histograms.compute_histogram(arrays[0], buckets), step, now)

        self._later("histogram", tag, step, walltime, [values], build)

    def add_embeddings(
        self,
        tag: str,
        mat: Any = None,
        metadata: Any = None,
        metadata_header: Sequence[str] | None = None,
        walltime: int | None = None,
        labels: Any = None,
        hot_vectors: Any = None,
        labels_meta: Sequence[str] | None = None,
    ) -> None:
        """Adds vectors for VisualDL's High Dimensional page.

        Args:
            tag: such as ``words``.
            mat: (n, d) one vector a row.
            metadata: n labels, or several columns of n labels each; row numbers by default.
            metadata_header: names of the columns.
            walltime: milliseconds since 1970; now by default.
            labels: VisualDL's old name of ``metadata``.
            hot_vectors: VisualDL's old name of ``mat``.
            labels_meta: VisualDL's old name of ``metadata_header``.

        Raises:
            DataError: not a matrix, or a column that has not one label a vector.
        """
        embeddings = checked_embeddings(
            hot_vectors if mat is None else mat,
            labels if metadata is None else metadata,
            labels_meta if metadata_header is None else metadata_header,
        )

        def build(arrays: Sequence[Any], step: Any, now: int) -> bytes:
            return encode.encode_embeddings(tag, replace(embeddings, vectors=arrays[0]), step, now)

        self._later("embeddings", tag, 0, walltime, [embeddings.vectors], build)

    def add_graph(self, model: Any, input_spec: Any = None, verbose: bool = False) -> None:
        """Adds the graph of a Paddle network, traced on a copy of it.

        Args:
            model: a ``paddle.nn.Layer`` or ``paddle.Model``.
            input_spec: its inputs, as ``paddle.static.InputSpec``, tensors or shapes.
            verbose: whether to print how many operators and layers it has.

        Raises:
            DataError: a network that Paddle cannot trace.
        """
        from vizkit.hooks._network.graph import trace_graph

        self._check_open()
        if not self._write_to_disk:
            return
        graph = trace_graph(model, input_spec)
        if verbose:
            leaves = [node["is_leaf_node"] for node in graph["nodes"]]
            print(f"Model graph: {sum(leaves)} operators in {len(leaves) - sum(leaves) - 1} layers")
        name = f"{GRAPH_WORD}.{int(time.time()):010d}.log{self._suffix}"
        run_directory.write_text(self._logdir, name, json.dumps(graph))


def _unknown_arguments(unknown: Mapping[str, Any]) -> str:
    known = [
        name
        for name, p in inspect.signature(LogWriter.__init__).parameters.items()
        if p.default is not p.empty
    ]
    hints = []
    for name in unknown:
        close = difflib.get_close_matches(name.replace("_", ""), known, 1) or difflib.get_close_matches(
            name, known, 1
        )
        hints.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"LogWriter got unknown arguments {', '.join(hints)}; it takes {', '.join(known)}"
