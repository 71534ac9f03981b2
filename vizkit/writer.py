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
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import visualdl

from vizkit.errors import ClosedError, DataError, TagError, VizKitError, VizKitWarning
from vizkit.measures import audio as audio_measures
from vizkit.measures import curves, histograms, images, png
from vizkit.measures.arrays import describe, to_array, to_float
from vizkit.records import encode, rundir
from vizkit.records.decode import decode_head
from vizkit.records.frames import read_frames
from vizkit.records.hparams import flat_hparams, metric_names
from vizkit.records.logfile import NullLog, open_log
from vizkit.records.tags import check_tag
from vizkit.records.types import Embeddings, HParams
from vizkit.records.worker import Worker

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["LogWriter"]

_RESERVED = {"meta_data_tag": "meta_data", "hparam": "hparams"}
_time = time.time


class _ScalarTag:
    """What is encoded once for a tag, and the step of its last record."""

    __slots__ = ("field", "step")

    def __init__(self, tag: str) -> None:
        self.field = encode.tag_field(tag)
        self.step: Any = -1


class LogWriter(visualdl.LogWriter):  # type: ignore[misc]
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
        self._logdir = os.fspath(logdir)
        self._max_queue = max_queue
        self._flush_secs = flush_secs
        self._filename_suffix = filename_suffix
        self._write_to_disk = write_to_disk
        self._display_name = display_name
        self.loggers: dict[str, Any] = {}
        self._on_error = on_error or self._warn
        self._warned: set[str] = set()
        self._closed = False
        self._path, continued = _log_path(self._logdir, file_name, filename_suffix)
        self._log = open_log(self._path, self._first_record) if write_to_disk else NullLog(self._path)
        self._worker = Worker(max_jobs=max(int(max_queue), 1))
        self._kinds = dict(_RESERVED)
        self._steps: dict[str, int] = {}
        self._hparams: HParams | None = None
        self._scalars: dict[str, _ScalarTag] = {}
        self._step: tuple[Any, tuple[bytes, bytes]] = (0, encode.step_field(0))
        self._walltime: tuple[int, bytes] = (0, b"")
        if continued and write_to_disk:
            self._read_heads()

    def _first_record(self) -> bytes:
        now = round(_time() * 1000)
        return encode.encode_meta_data("meta_data_tag", self._display_name, 0, now)

    def _read_heads(self) -> None:
        """Kinds and last steps of the tags that an existing log holds."""
        for data in read_frames(Path(self._path).read_bytes()):
            try:
                kind, tag, step = decode_head(data)
            except ValueError:
                continue
            self._kinds.setdefault(tag, kind)
            self._steps[tag] = step

    @property
    def logdir(self) -> str:
        """The run's directory."""
        return self._logdir

    @property
    def file_name(self) -> str:
        """Path of the log, which exists from the first record on."""
        return self._path

    @property
    def last_step(self) -> int:
        """The highest step of any scalar in a log that is continued, -1 in a new one."""
        steps = [step for tag, step in self._steps.items() if self._kinds.get(tag) == "scalar"]
        return max(steps, default=-1)

    def kind_of(self, tag: str) -> str | None:
        """The kind of data that ``tag`` holds, None for a new one."""
        return self._kinds.get(tag)

    def last_step_of(self, tag: str) -> int | float:
        """The step of the tag's last record, -1 for a new one."""
        state = self._scalars.get(tag)
        return state.step if state else self._steps.get(tag, -1)

    # -- what goes into the log at once -------------------------------------------------------

    def add_scalar(self, tag: str, value: Any, step: Any, walltime: int | None = None) -> None:
        """Adds one number.

        Args:
            tag: such as ``train/loss``.
            value: a number of Python, NumPy or Paddle, or an array of one; kept as float64.
            step: a whole number (``3``, ``3.0``); a fraction such as 0.5 epochs is kept exactly,
                VisualDL sees it rounded down. None: one after the tag's last step.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: ``value`` or ``step`` is not one number.
            TagError: VisualDL could not serve the tag, or it holds another kind of data.
            ClosedError: after `close`.
        """
        state = self._scalars.get(tag) or self._scalar_tag(tag)
        if type(value) is not float:
            value = to_float(value)
        if step is None:
            step = int(state.step) + 1
        known, fields = self._step
        if step != known:
            fields = encode.step_field(step)
            self._step = (step, fields)
        now = int(_time() * 1000) if walltime is None else walltime
        known, wall = self._walltime
        if now != known:
            wall = encode.walltime_field(int(now))
            self._walltime = (now, wall)
        state.step = step
        try:
            self._log.append(encode.encode_scalar(state.field, value, fields, wall))
        except OSError as error:
            self._on_error(tag, error)

    def add_metrics(self, metrics: Mapping[str, Any], step: Any, walltime: int | None = None) -> None:
        """Adds several scalars of one step with one write: cheaper than one `add_scalar` each.

        Args:
            metrics: tag -> number, as in `add_scalar`; nothing is written if one of them is bad.
            step: as in `add_scalar`, but not None.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: a value or ``step`` is not one number.
            TagError: VisualDL could not serve a tag.
            ClosedError: after `close`.
        """
        if not isinstance(metrics, Mapping):
            raise DataError(f"metrics must be a dict such as {{'train/loss': 0.5}}, got {describe(metrics)}")
        fields = encode.step_field(step)
        wall = encode.walltime_field(int(_time() * 1000 if walltime is None else walltime))
        scalars, encode_scalar = self._scalars, encode.encode_scalar
        frames = []
        for tag, value in metrics.items():
            state = scalars.get(tag) or self._scalar_tag(tag)
            number = value if type(value) is float else to_float(value)
            state.step = step
            frames.append(encode_scalar(state.field, number, fields, wall))
        if frames:
            self._write(next(iter(metrics)), b"".join(frames))

    def _scalar_tag(self, tag: str) -> _ScalarTag:
        self._check_tag(tag, "scalar")
        state = self._scalars[tag] = _ScalarTag(tag)
        state.step = self._steps.get(tag, -1)
        return state

    def _check_tag(self, tag: str, kind: str) -> None:
        known = self._kinds.get(tag) if isinstance(tag, str) else None
        if known == kind and tag not in _RESERVED:
            return
        if known and known != kind:
            raise TagError(
                f"tag {tag!r} holds {known} records already, and VisualDL's server would not start on a tag of "
                f"two kinds; use another tag for the {kind}, such as {tag + '/' + kind!r}"
            )
        self._kinds[check_tag(tag)] = kind

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
        frames = [encode.encode_sub_scalar(main_tag, name, value, step, now) for name, value in values.items()]
        self._write(main_tag, b"".join(frames))

    def add_text(
        self, tag: str, text_string: str, step: Any = None, walltime: int | None = None
    ) -> None:
        """Adds a text; what is not a text is recorded as ``str`` gives it."""
        self._check_tag(tag, "text")
        step, now = self._when(tag, step, walltime)
        text = text_string.decode("utf-8", "replace") if isinstance(text_string, bytes) else str(text_string)
        self._write(tag, encode.encode_text(tag, text, step, now))

    def add_meta(
        self, tag: str = "meta_data_tag", display_name: str = "", step: Any = 0, walltime: int | None = None
    ) -> None:
        """Names the run on VisualDL's page; the last name counts."""
        if tag != "meta_data_tag":
            self._check_tag(tag, "meta_data")
        step, now = self._when(tag, step, walltime)
        self._display_name = display_name
        self._write(tag, encode.encode_meta_data(tag, display_name, step, now))

    def add_hparams(
        self, hparams_dict: Mapping[str, Any], metrics_list: Sequence[str], walltime: int | None = None
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
        now = round(_time() * 1000) if walltime is None else int(walltime)
        before = self._hparams or HParams({})
        merged = HParams(
            {**before.hparams, **hparams},
            list(dict.fromkeys([*before.metrics, *metrics])),
            name=hashlib.md5(self._path.encode(), usedforsecurity=False).hexdigest(),
        )
        self._hparams = merged
        self._write("hparam", encode.encode_hparams(merged, now))

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
    ) -> None:
        """Adds an image; the caller's array is only read.

        Args:
            tag: such as ``train/input``.
            img: an array, tensor, PIL image or nested list of 1 (grey), 3 (RGB) or 4 (RGBA)
                channels; see `vizkit.measures.images.to_pixels` for how numbers become pixels.
            step: as in `add_scalar`.
            walltime: milliseconds since 1970; now by default.
            dataformats: order of the axes: HW, HWC, CHW, or NHWC, NCHW for a grid of a batch.
            mean: what was subtracted when the image was normalised, a number or one a channel.
            std: what it was divided by.
            value_range: the two values drawn as black and white, or ``"minmax"``.

        Raises:
            DataError: no image of that format.
        """
        array = to_array(img)
        images.check_image(array, dataformats)
        self._later(
            "image", tag, step, walltime, array,
            lambda pixels, step, now: encode.encode_image(
                tag,
                png.encode_png(images.to_pixels(pixels, dataformats, mean=mean, std=std, value_range=value_range)),
                step, now,
            ),
        )  # fmt: skip

    def add_image_matrix(
        self,
        tag: str,
        imgs: Any,
        step: Any,
        rows: int = -1,
        scale: float = 1.0,
        walltime: int | None = None,
        dataformats: str = "HWC",
    ) -> None:
        """Adds several images as one, row by row; smaller ones are centred on black.

        Args:
            tag: such as ``train/inputs``.
            imgs: a list of images, or an array of them along the first axis.
            step: as in `add_scalar`.
            rows: number of rows; -1 makes it nearly square.
            scale: zoom of the whole.
            walltime: milliseconds since 1970; now by default.
            dataformats: order of the axes of one image.

        Raises:
            DataError: no images of that format, or more rows than images.
        """
        arrays = [to_array(img, copy=True) for img in imgs]
        if not arrays or rows == 0 or rows > len(arrays) or scale <= 0:
            raise DataError(
                f"cannot lay out {len(arrays)} images in {rows} rows at scale {scale}: "
                "rows is -1 or 1 to the number of images, scale above 0"
            )
        for array in arrays:
            images.check_image(array, dataformats)

        def build(_: Any, step: Any, now: int) -> bytes:
            pixels = images.grid([images.to_pixels(array, dataformats) for array in arrays], rows)
            return encode.encode_image(tag, png.encode_png(png.resize_pixels(pixels, scale)), step, now)

        self._later("image", tag, step, walltime, None, build, size=sum(array.nbytes for array in arrays))

    def add_figure(self, tag: str, figure: Figure, step: Any, walltime: int | None = None) -> None:
        """Adds a matplotlib figure as it looks now; it stays open and as it was.

        Raises:
            DataError: not a matplotlib figure.
        """
        if not hasattr(figure, "savefig"):
            raise DataError(f"expected a matplotlib figure, got {describe(figure)}; pass plt.gcf() or ax.figure")
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
        self, tag: str, values: Any, step: Any, walltime: int | None = None, buckets: int | Sequence[float] = 10
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
        array = to_array(values)
        if array.dtype.kind == "c":
            raise DataError(f"a histogram needs real numbers, got {describe(values)}; pass np.abs(...)")
        self._later(
            "histogram", tag, step, walltime, array,
            lambda array, step, now: encode.encode_histogram(
                tag, histograms.histogram(array, buckets), step, now
            ),
        )  # fmt: skip

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any,
        num_thresholds: int = 10,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Adds a precision-recall curve.

        Args:
            tag: such as ``eval/pr/cat``.
            labels: (n,) 0 or 1.
            predictions: (n,) scores; those outside [0, 1] stretch the thresholds over their range.
            step: as in `add_scalar`.
            num_thresholds: how many evenly spaced thresholds are drawn.
            weights: (n,) weight of each sample, or one number.
            walltime: milliseconds since 1970; now by default.

        Raises:
            DataError: labels that are not binary, NaN scores, unequal lengths.
        """
        curve = curves.pr_curve(labels, predictions, num_thresholds=num_thresholds, weights=weights)
        self._check_tag(tag, "pr_curve")
        step, now = self._when(tag, step, walltime)
        self._write(tag, encode.encode_pr_curve(tag, curve, step, now))

    def add_roc_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any,
        num_thresholds: int = 10,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Adds a receiver operating characteristic; arguments as in `add_pr_curve`."""
        curve = curves.roc_curve(labels, predictions, num_thresholds=num_thresholds, weights=weights)
        self._check_tag(tag, "roc_curve")
        step, now = self._when(tag, step, walltime)
        self._write(tag, encode.encode_roc_curve(tag, curve, step, now))

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
        embeddings = _embeddings(
            hot_vectors if mat is None else mat,
            labels if metadata is None else metadata,
            labels_meta if metadata_header is None else metadata_header,
        )
        self._later(
            "embeddings", tag, 0, walltime, None,
            lambda _, step, now: encode.encode_embeddings(tag, embeddings, step, now),
            size=embeddings.vectors.nbytes,
        )  # fmt: skip

    def add_graph(self, model: Any, input_spec: Any = None, verbose: bool = False) -> None:
        """Adds the graph of a Paddle network, traced on a copy of it.

        Args:
            model: a ``paddle.nn.Layer`` or ``paddle.Model``.
            input_spec: its inputs, as ``paddle.static.InputSpec``, tensors or shapes.
            verbose: whether to print how many operators and layers it has.

        Raises:
            DataError: a network that Paddle cannot trace.
        """
        from vizkit.hooks.graph import trace_graph

        if self._closed:
            raise ClosedError(f"{self._path}: nothing can be recorded after close()")
        graph = trace_graph(model, input_spec)
        if verbose:
            leaves = [node["is_leaf_node"] for node in graph["nodes"]]
            print(f"Model graph: {sum(leaves)} operators in {len(leaves) - sum(leaves) - 1} layers")
        if not self._write_to_disk:
            return
        name = f"vdlgraph.{int(_time()):010d}.log{self._filename_suffix}"
        _write_file(self._logdir, name, json.dumps(graph))

    # -- the shared way into the log ----------------------------------------------------------

    def _when(self, tag: str, step: Any, walltime: int | None) -> tuple[Any, int]:
        """The step and walltime of a record of any kind but scalar."""
        if step is None:
            step = int(self.last_step_of(tag)) + 1
        encode.step_field(step)  # a bad step is the caller's error, not the worker's
        self._steps[tag] = int(step)
        return step, round(_time() * 1000) if walltime is None else int(walltime)

    def _write(self, tag: str, frames: bytes) -> None:
        try:
            self._log.append(frames)
        except OSError as error:
            self._on_error(tag, error)

    def _later(
        self,
        kind: str,
        tag: str,
        step: Any,
        walltime: int | None,
        array: NDArray[Any] | None,
        build: Callable[[Any, Any, int], bytes],
        size: int = 0,
    ) -> None:
        """Has the worker build a record from a copy of ``array``."""
        self._check_tag(tag, kind)
        if self._closed:
            raise ClosedError(f"{self._path}: nothing can be recorded after close()")
        step, now = self._when(tag, step, walltime)
        copy = None if array is None else np.array(array)

        def job() -> None:
            try:
                self._write(tag, build(copy, step, now))
            except Exception as error:
                self._on_error(tag, error)

        self._worker.submit(job, size if copy is None else copy.nbytes)

    def _warn(self, tag: str, error: Exception) -> None:
        if tag not in self._warned:
            self._warned.add(tag)
            warnings.warn(f"{tag}: not recorded: {error}", VizKitWarning, stacklevel=4)

    def flush(self) -> None:
        """Waits until everything that was added is in the log."""
        self._worker.drain()

    def close(self) -> None:
        """Finishes the log; nothing can be added afterwards. Calling it again does nothing."""
        self._worker.drain()
        self._closed = True
        self._log.close()

    def __enter__(self) -> LogWriter:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._logdir!r}{', closed' if self._closed else ''})"


def _unknown_arguments(unknown: Mapping[str, Any]) -> str:
    known = [name for name, p in inspect.signature(LogWriter.__init__).parameters.items() if p.default is not p.empty]
    hints = []
    for name in unknown:
        close = difflib.get_close_matches(name.replace("_", ""), known, 1) or difflib.get_close_matches(name, known, 1)
        hints.append(f"{name!r}" + (f" (did you mean {close[0]!r}?)" if close else ""))
    return f"LogWriter got unknown arguments {', '.join(hints)}; it takes {', '.join(known)}"


def _log_path(logdir: str, file_name: str, suffix: str) -> tuple[str, bool]:
    """The log's path, and whether it is there already."""
    join = (lambda a, b: a.rstrip("/") + "/" + b) if "://" in logdir else os.path.join
    if file_name and "vdlrecords" not in file_name:
        better = "vdlrecords." + file_name
        warnings.warn(
            f"VisualDL finds logs by 'vdlrecords' in their name: {better!r} is written, not {file_name!r}",
            VizKitWarning,
            stacklevel=3,
        )
        file_name = better
    if "://" in logdir:
        return join(logdir, file_name or rundir.new_log_name(suffix)), False
    existing = [name for name in rundir.log_files(logdir) if name.endswith(suffix)]
    if not file_name:
        file_name = existing[-1] if existing else rundir.new_log_name(suffix)
    return join(logdir, file_name), file_name in existing


def _write_file(directory: str, name: str, text: str) -> None:
    if "://" in directory:
        from visualdl.io import bfile

        file = bfile.BFile(directory.rstrip("/") + "/" + name, "w")
        file.write(text)
        file.close()
        return
    Path(directory).mkdir(parents=True, exist_ok=True)
    # In place at once: a server may be reading.
    part = Path(directory, f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(Path(directory, name))


def _embeddings(mat: Any, metadata: Any, header: Sequence[str] | None) -> Embeddings:
    if mat is None:
        raise DataError("add_embeddings needs mat, one vector a row")
    vectors = to_array(mat, copy=True)
    if vectors.ndim != 2 or 0 in vectors.shape or vectors.dtype.kind == "c":
        raise DataError(f"embeddings need a matrix of real numbers, one vector a row, got {describe(vectors)}")
    count = len(vectors)
    labels = np.arange(count) if metadata is None else metadata
    labels = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    columns = labels if labels and isinstance(labels[0], (list, tuple)) else [labels]
    for column in columns:
        if len(column) != count:
            raise DataError(f"{count} vectors have {len(column)} labels: give one label a vector, or none at all")
    names = [str(name) for name in header] if header is not None else []
    if len(columns) > 1 and not names:
        names = [f"label_{index}" for index in range(len(columns))]
    if names and len(names) != len(columns):
        raise DataError(f"metadata_header names {len(names)} columns, metadata has {len(columns)}")
    rows = [[str(column[index]) for column in columns] for index in range(count)]
    return Embeddings(vectors.astype(np.float32), rows, names)
