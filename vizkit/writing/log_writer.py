"""`LogWriter`: VisualDL's writer, corrected.

Scalars, texts, audio, figures and hyper-parameters are in the log when a call returns. Images, histograms,
curves and embeddings are checked and copied in the call, then reduced and encoded on a worker thread, which
`LogWriter.flush` and `LogWriter.close` wait for.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from vizkit import _visualdl
from vizkit._checks import describe, text_of
from vizkit._language import tr
from vizkit._protocols import ArrayLike, HParamsLike, LayerLike, ScalarLike, StepLike, WalltimeLike
from vizkit.errors import DataError, TagError
from vizkit.format import encode
from vizkit.format.embeddings import checked_embeddings
from vizkit.format.file_names import GRAPH_WORD
from vizkit.format.hparams import flat_hparams, metric_names
from vizkit.format.tags import HPARAMS, META_DATA, check_tag
from vizkit.format.types import MODES, Better, HParams
from vizkit.format.walltime import plain_walltime
from vizkit.media import audio
from vizkit.metrics import histograms
from vizkit.metrics.arrays import AnyArray, to_float
from vizkit.writing import run_directory
from vizkit.writing.image_writer import ImageWriter
from vizkit.writing.worker import MAX_JOBS

__all__ = ["LogWriter"]


class LogWriter(ImageWriter):
    """The writer of one run's log, in place of ``visualdl.LogWriter``, whose instance it is, too.

    A directory that already holds a log is continued in the same file, so that stock VisualDL,
    which reads one file of a directory, shows all records.

    Args:
        logdir: the run's directory; ``runs/<time><.comment>`` by default. A scheme such as
            ``bos://`` or ``hdfs://`` goes through VisualDL's own file layer.
        comment: suffix of the default ``logdir``.
        max_queue: how many costly records (images, curves ...) may wait for the worker thread.
        flush_secs: accepted for compatibility; records are never held back.
        filename_suffix: suffix of the log's file name.
        write_to_disk: False records nothing.
        display_name: the run's name on VisualDL's page.
        file_name: the log's file name; it must contain ``vdlrecords``.
        resume: True to continue the training in the log, whatever its steps. By default, steps that begin
            again start a new training, which is shown as a run of its own.
        strict: True raises a `TagError` for a tag that VisualDL could not serve, or that holds another kind
            of records. By default they get the nearest tag that it can, with one warning. True also raises
            a `DataError` for curves and embeddings that make no sense (scores that are NaN, too few labels):
            since VisualDL takes them, they are left out by default, with one warning.
        on_error: called with tag and error if a record could not be written (a full disk, an array that
            could not be encoded). By default the first of each tag is warned about, and training goes
            on.

    Raises:
        TypeError: an unknown keyword argument.
    """

    def __init__(
        self,
        logdir: str | os.PathLike[str] | None = None,
        comment: str = "",
        max_queue: int = MAX_JOBS,
        flush_secs: float = 120,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        display_name: str = "",
        file_name: str = "",
        *,
        resume: bool = False,
        strict: bool = False,
        on_error: Callable[[str, Exception], None] | None = None,
        **unknown: object,
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
            resume=resume,
            strict=strict,
            on_error=on_error,
        )
        self._flush_secs = flush_secs
        self.loggers: dict[str, object] = {}

    # -- records that are written at once -----------------------------------------------------

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, ScalarLike],
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a group of numbers that VisualDL draws in one chart.

        Args:
            main_tag: the chart's tag.
            tag_scalar_dict: name within the group -> number.
            step, walltime: as in `add_scalar`.

        Raises:
            DataError: ``tag_scalar_dict`` is not a dict, or a value is not one number.
        """
        if not isinstance(tag_scalar_dict, Mapping):
            raise DataError(
                "tag_scalar_dict must be a dict of numbers, got {tag_scalar_dict}",
                tag_scalar_dict=describe(tag_scalar_dict),
            )
        values = {text_of(name): to_float(value) for name, value in tag_scalar_dict.items()}
        main_tag = self._tags.tag_for(main_tag, "scalars")
        at, now = self._when(main_tag, step, walltime)
        frames = [encode.encode_sub_scalar(main_tag, name, value, at, now) for name, value in values.items()]
        self._write(main_tag, b"".join(frames))

    def add_text(
        self,
        tag: str,
        text_string: object,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a text; None is an empty one, any other object is converted with ``str``."""
        tag = self._tags.tag_for(tag, "text")
        at, now = self._when(tag, step, walltime)
        text = "" if text_string is None else text_of(text_string)
        self._write(tag, encode.encode_text(tag, text, at, now))

    def add_meta(
        self,
        tag: str = META_DATA,
        display_name: str = "",
        step: StepLike | None = 0,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Name the run on VisualDL's page; the last name counts."""
        if tag != META_DATA:
            tag = self._tags.tag_for(tag, "meta_data")
        at, now = self._when(tag, step, walltime)
        display_name = text_of(display_name or "")
        self._head.display_name = display_name
        self._write(tag, encode.encode_meta_data(tag, display_name, at, now))

    def add_hparams(
        self,
        hparams_dict: HParamsLike,
        metrics_list: Sequence[str] | Mapping[str, ScalarLike | str],
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record hyper-parameters, and name the metrics for comparing them.

        Each record includes all earlier hyper-parameters. Stock VisualDL shows a log's first record of
        hyper-parameters, VizKit the last; so pass as many as possible at the start.

        Args:
            hparams_dict: name -> bool, number, text, None, list, array, or a nested dict of these, whose
                names are joined with ``/``; or a namespace or dataclass. VisualDL shows values of
                other types than its own as text.
            metrics_list: tags of scalars, or a dict of them with values, which are recorded as scalars, or
                with ``"min"`` or ``"max"``: the better direction, where the tag does not tell it.
            walltime: milliseconds or seconds since 1970, a ``datetime``, or an ISO 8601 text; now by default.

        Raises:
            DataError: ``hparams_dict`` is not a dict, or ``metrics_list`` not a list of tags.
        """
        hparams, metrics = flat_hparams(hparams_dict), metric_names(metrics_list)
        values: dict[str, ScalarLike] = {}
        modes: dict[str, Better] = {}
        if isinstance(metrics_list, Mapping):
            for tag, value in metrics_list.items():
                if isinstance(value, str) and value in MODES:
                    modes[tag] = MODES[value]
                elif value is not None:
                    values[tag] = value
        metrics = [self._metric_tag(metric) for metric in metrics]
        now = round(time.time() * 1000) if walltime is None else plain_walltime(walltime)
        before = self._hparams
        merged = HParams(
            {**before.hparams, **hparams},
            list(dict.fromkeys([*before.metrics, *metrics])),
            name=hashlib.md5(os.fsencode(self._log.path), usedforsecurity=False).hexdigest(),
            modes={**before.modes, **{self._metric_tag(tag): mode for tag, mode in modes.items()}},
        )
        self._hparams = merged
        self._write(HPARAMS, encode.encode_hparams(merged, now))
        for metric, value in values.items():
            self.add_scalar(metric, value, None, walltime)

    def _metric_tag(self, metric: str) -> str:
        """The tag under which a metric's scalars are recorded."""
        try:
            return check_tag(metric)
        except TagError as error:
            if self._tags.strict:
                raise
            return self._tags.rename(metric, "scalar", error)

    # -- records that the worker encodes ------------------------------------------------------

    def add_audio(
        self,
        tag: str,
        audio_array: ArrayLike,
        step: StepLike | None,
        sample_rate: int = 8000,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record audio.

        Args:
            tag: such as ``eval/speech``.
            audio_array: int16, other integers, or floats in [-1, 1]; (n,) mono or (n, channels).
            step, walltime: as in `add_scalar`.
            sample_rate: samples per second.

        Raises:
            DataError: not audio (NaN, a wrong shape, empty).
        """
        wave = audio.to_wave(audio_array, sample_rate)
        tag = self._tags.tag_for(tag, "audio")
        at, now = self._when(tag, step, walltime)
        self._write(tag, encode.encode_audio(tag, wave, at, now))

    def add_histogram(
        self,
        tag: str,
        values: ArrayLike,
        step: StepLike | None,
        walltime: WalltimeLike | None = None,
        buckets: int | Sequence[float] = 10,
    ) -> None:
        """Record a histogram; NaN and infinite values are counted separately.

        Args:
            tag: such as ``weights/fc``.
            values: numbers of any shape.
            step, walltime: as in `add_scalar`.
            buckets: number of buckets, or their edges.

        Raises:
            DataError: ``values`` are not real numbers.
        """
        if not (isinstance(buckets, int) and buckets > 0):
            histograms.compute_histogram([0.0], buckets)  # raises if they are invalid

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            return encode.encode_histogram(tag, histograms.compute_histogram(arrays[0], buckets), step, now)

        tag = self._tags.tag_for(tag, "histogram")
        self._later("histogram", tag, step, walltime, [values], build)

    def add_embeddings(
        self,
        tag: str,
        mat: ArrayLike | None = None,
        metadata: Iterable[object] | None = None,
        metadata_header: Sequence[str] | None = None,
        walltime: WalltimeLike | None = None,
        labels: Iterable[object] | None = None,
        hot_vectors: ArrayLike | None = None,
        labels_meta: Sequence[str] | None = None,
    ) -> None:
        """Record vectors for VisualDL's High Dimensional page.

        Args:
            tag: such as ``words``.
            mat: (n, d) one vector per row.
            metadata: n labels, or several columns of n labels each, or n rows of several labels; row
                numbers by default.
            metadata_header: names of the columns.
            walltime: milliseconds or seconds since 1970, a ``datetime``, or an ISO 8601 text; now by default.
            labels: VisualDL's old name of ``metadata``.
            hot_vectors: VisualDL's old name of ``mat``.
            labels_meta: VisualDL's old name of ``metadata_header``.

        Raises:
            DataError: of a strict writer, ``mat`` is not a matrix, or a column does not have one label per
                vector.
        """
        try:
            embeddings = checked_embeddings(
                hot_vectors if mat is None else mat,
                labels if metadata is None else metadata,
                labels_meta if metadata_header is None else metadata_header,
            )
        except DataError as error:
            self._leave_out(str(tag), error)
            return

        def build(arrays: Sequence[AnyArray], step: int | float, now: int) -> bytes:
            return encode.encode_embeddings(tag, replace(embeddings, vectors=arrays[0]), step, now)

        tag = self._tags.tag_for(tag, "embeddings")
        self._later("embeddings", tag, 0, walltime, [embeddings.vectors], build)

    def add_graph(
        self, model: LayerLike, input_spec: object = None, verbose: bool = False, is_pir: bool = False
    ) -> None:
        """Record the graph of a Paddle network, traced on a copy of it.

        Args:
            model: a ``paddle.nn.Layer``, ``paddle.Model`` or ``paddle.static.Program``.
            input_spec: its inputs, as ``paddle.static.InputSpec``, tensors or shapes.
            verbose: whether to print the numbers of operators and layers.
            is_pir: accepted as by later versions of VisualDL; how a network is traced is known from Paddle.

        Raises:
            DataError: Paddle cannot trace the network.
        """
        self._check_open()
        if not self._write_to_disk:
            return
        from vizkit.hooks._network.graph import trace_graph

        graph = trace_graph(model, input_spec)
        if verbose:
            leaves = [node["is_leaf_node"] for node in graph["nodes"]]
            print(f"Model graph: {sum(leaves)} operators in {len(leaves) - sum(leaves) - 1} layers")
        name = f"{GRAPH_WORD}.{int(time.time()):010d}.log{self._suffix}"
        run_directory.write_text(self._logdir, name, json.dumps(graph))
        self.begin()  # a run is found by its log


def _become_visualdls() -> None:
    """Make `LogWriter` a subclass of VisualDL's, for code that asks for one."""
    import visualdl

    LogWriter.__bases__ = (*LogWriter.__bases__, visualdl.LogWriter)


_visualdl.tolerate_home()
_visualdl.after_import(_become_visualdls)


def _unknown_arguments(unknown: Iterable[str]) -> str:
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
        hints.append(f"{name!r}" + (tr(" (did you mean {name!r}?)", name=close[0]) if close else ""))
    return tr(
        "LogWriter got unknown arguments {names}; it takes {known}",
        names=", ".join(hints),
        known=", ".join(known),
    )
