"""The verbs of `vizkit.Tracker` for media: images, texts, tables, sounds, histograms, embeddings.

Their options are those of `vizkit.LogWriter`'s method of the kind, which documents them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from vizkit._checks import describe
from vizkit._language import tr
from vizkit._protocols import ArrayLike, ImageLike, StepLike, TableLike, WalltimeLike
from vizkit.tracking.recording import Recording
from vizkit.tracking.wrong_calls import check_names, check_table, check_text
from vizkit.writing.image_writer import figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MediaVerbs"]


class MediaVerbs(Recording):
    """The verbs of a tracker that record media."""

    def log_image(
        self,
        tag: str,
        img: ImageLike,
        step: StepLike | None = None,
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
        """Record an image, with a mask, boxes and a caption; arguments as in `LogWriter.add_image`."""
        check_text("dataformats", dataformats)
        check_names("class_names", class_names)
        if caption is not None:
            check_text("caption", caption)
        add = partial(
            self._writer.add_image,
            img=img,
            walltime=walltime,
            dataformats=dataformats,
            mean=mean,
            std=std,
            value_range=value_range,
            mask=mask,
            boxes=boxes,
            labels=labels,
            scores=scores,
            class_names=class_names,
            caption=caption,
        )
        self._record("image", tag, step, add)

    def log_images(
        self,
        tag: str,
        imgs: ArrayLike | Sequence[ImageLike],
        step: StepLike | None = None,
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
        """Record several images as one, each with its label and prediction.

        Arguments as in `LogWriter.add_image_matrix`.
        """
        check_text("dataformats", dataformats)
        check_names("class_names", class_names)
        add = partial(
            self._writer.add_image_matrix,
            imgs=imgs,
            rows=rows,
            scale=scale,
            walltime=walltime,
            dataformats=dataformats,
            mean=mean,
            std=std,
            value_range=value_range,
            labels=labels,
            predictions=predictions,
            class_names=class_names,
        )
        self._record("image", tag, step, add)

    def log_figure(
        self, tag: str, figure: Figure, step: StepLike | None = None, walltime: WalltimeLike | None = None
    ) -> None:
        """Record a matplotlib figure as it looks now; it stays open and as it was.

        Axes stand for their figure, and ``matplotlib.pyplot`` for its current one.
        """
        if figure is not None and figure_of(figure) is None:
            raise TypeError(
                tr(
                    "figure must be a matplotlib figure, got {figure}; pass plt.gcf() or ax.figure",
                    figure=describe(figure),
                )
            )
        add = partial(self._writer.add_figure, figure=figure, walltime=walltime)
        self._record("image", tag, step, add)

    def log_text(
        self,
        tag: str,
        text_string: str,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a text."""
        add = partial(self._writer.add_text, text_string=text_string, walltime=walltime)
        self._record("text", tag, step, add)

    def log_table(
        self,
        tag: str,
        columns: TableLike,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
        *,
        about: Mapping[str, str] | None = None,
    ) -> None:
        """Record a table beside the log; arguments as in `LogWriter.add_table`.

        Raises:
            TypeError: ``columns`` is no table.
        """
        check_table(columns)
        add = partial(self._writer.add_table, columns=columns, walltime=walltime, about=about)
        self._record("text", tag, step, add)

    def log_audio(
        self,
        tag: str,
        audio_array: ArrayLike,
        step: StepLike | None = None,
        sample_rate: int = 8000,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record a sound; arguments as in `LogWriter.add_audio`."""
        add = partial(
            self._writer.add_audio, audio_array=audio_array, sample_rate=sample_rate, walltime=walltime
        )
        self._record("audio", tag, step, add)

    def log_histogram(
        self,
        tag: str,
        values: ArrayLike,
        step: StepLike | None = None,
        walltime: WalltimeLike | None = None,
        buckets: int | Sequence[float] = 30,
    ) -> None:
        """Record a histogram; arguments as in `LogWriter.add_histogram`."""
        add = partial(self._writer.add_histogram, values=values, walltime=walltime, buckets=buckets)
        self._record("histogram", tag, step, add)

    def log_embeddings(
        self,
        tag: str,
        mat: ArrayLike,
        metadata: Sequence[object] | None = None,
        metadata_header: Sequence[str] | None = None,
        walltime: WalltimeLike | None = None,
    ) -> None:
        """Record vectors with their labels; arguments as in `LogWriter.add_embeddings`."""
        check_names("metadata_header", metadata_header)
        self._record(
            "embeddings",
            tag,
            0,
            lambda tag, step: self._writer.add_embeddings(tag, mat, metadata, metadata_header, walltime),
        )
