"""The verbs of `vizkit.Tracker` that record more than numbers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, Literal

from vizkit.metrics.evaluation_scores import LIMIT, Activation, EvaluationScores
from vizkit.writing.curve_collector import CurveCollector, checked_names
from vizkit.writing.evaluation import MAX_CURVE_CLASSES
from vizkit.writing.log_writer import LogWriter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Verbs"]


class Verbs:
    """What `vizkit.Tracker` records of images, texts, sounds, distributions, curves and embeddings.

    Each verb names its kind, tag and step to `_record`, and what to call with the tag and step that
    come of it.
    """

    strict: bool
    _enabled: bool
    _writer: LogWriter

    @abstractmethod
    def _record(self, kind: str, tag: str, step: Any, add: Callable[[str, Any], None]) -> None:
        """Adds a record by ``add(tag, step)``, in whose place others may be taken."""

    @abstractmethod
    def _lose(self, tag: Any, error: Exception) -> None:
        """Counts what could not be recorded."""

    # -- what is seen and heard -----------------------------------------------------------------

    def log_image(
        self,
        tag: str,
        img: Any,
        step: Any = None,
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
        """Records an image, with a mask and boxes over it; arguments as in `LogWriter.add_image`."""
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_image(
                tag,
                img,
                step,
                walltime,
                dataformats,
                mean=mean,
                std=std,
                value_range=value_range,
                mask=mask,
                boxes=boxes,
                labels=labels,
                scores=scores,
                class_names=class_names,
            ),
        )

    def log_images(
        self,
        tag: str,
        imgs: Any,
        step: Any = None,
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
        """Records several images as one, each with its label and prediction.

        Arguments as in `LogWriter.add_image_matrix`.
        """
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_image_matrix(
                tag,
                imgs,
                step,
                rows,
                scale,
                walltime,
                dataformats,
                mean=mean,
                std=std,
                value_range=value_range,
                labels=labels,
                predictions=predictions,
                class_names=class_names,
            ),
        )

    def log_figure(self, tag: str, figure: Figure, step: Any = None, walltime: int | None = None) -> None:
        """Records a matplotlib figure as it looks now; it stays open and as it was."""
        self._record(
            "image", tag, step, lambda tag, step: self._writer.add_figure(tag, figure, step, walltime)
        )

    def log_text(self, tag: str, text_string: str, step: Any = None, walltime: int | None = None) -> None:
        """Records a text."""
        self._record(
            "text", tag, step, lambda tag, step: self._writer.add_text(tag, text_string, step, walltime)
        )

    def log_audio(
        self,
        tag: str,
        audio_array: Any,
        step: Any = None,
        sample_rate: int = 8000,
        walltime: int | None = None,
    ) -> None:
        """Records a sound; arguments as in `LogWriter.add_audio`."""
        self._record(
            "audio",
            tag,
            step,
            lambda tag, step: self._writer.add_audio(tag, audio_array, step, sample_rate, walltime),
        )

    # -- distributions and curves -----------------------------------------------------------------

    def log_histogram(
        self,
        tag: str,
        values: Any,
        step: Any = None,
        walltime: int | None = None,
        buckets: int | Sequence[float] = 30,
    ) -> None:
        """Records a histogram; arguments as in `LogWriter.add_histogram`."""
        self._record(
            "histogram",
            tag,
            step,
            lambda tag, step: self._writer.add_histogram(tag, values, step, walltime, buckets),
        )

    def log_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Records a precision-recall curve; arguments as in `LogWriter.add_pr_curve`."""
        self._record(
            "pr_curve",
            tag,
            step,
            lambda tag, step: self._writer.add_pr_curve(
                tag, labels, predictions, step, num_thresholds, weights, walltime
            ),
        )

    def log_roc_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
    ) -> None:
        """Records a receiver operating characteristic; arguments as in `LogWriter.add_pr_curve`."""
        self._record(
            "roc_curve",
            tag,
            step,
            lambda tag, step: self._writer.add_roc_curve(
                tag, labels, predictions, step, num_thresholds, weights, walltime
            ),
        )

    def log_curves(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: int | None = None,
        *,
        class_names: Sequence[str] | None = None,
        activation: Literal["sigmoid", "softmax"] | None = None,
    ) -> None:
        """Records PR and ROC curves, AP and AUC of every class; see `LogWriter.add_class_curves`."""
        self._record(
            "curves",
            tag,
            step,
            lambda tag, step: self._writer.add_class_curves(
                tag,
                labels,
                predictions,
                step,
                num_thresholds,
                weights,
                walltime,
                class_names=class_names,
                activation=activation,
            ),
        )

    def log_confusion_matrix(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        step: Any = None,
        *,
        class_names: Sequence[str] | None = None,
    ) -> None:
        """Records a confusion matrix as an image, and its numbers as the text ``<tag>/counts``.

        Args:
            tag: such as ``eval/confusion``.
            labels: (n,) true class numbers.
            predictions: (n,) predicted class numbers, or (n, c) scores.
            step: the step; by default the clock's.
            class_names: names in the order of their numbers; numbers by default.
        """
        self._record(
            "image",
            tag,
            step,
            lambda tag, step: self._writer.add_confusion_matrix(
                tag, labels, predictions, step, class_names=class_names
            ),
        )

    def curves(
        self,
        tag: str = "eval",
        *,
        class_names: Sequence[str] | None = None,
        activation: Activation | None = None,
        ignore_index: int | None = None,
        limit: int = LIMIT,
        most_classes: int = MAX_CURVE_CLASSES,
    ) -> CurveCollector:
        """Gathers labels and scores of an evaluation batch by batch, and records its curves at the end.

        ::

            with tracker.curves("eval", activation="softmax") as curves:
                for x, y in loader:
                    curves.add(y, net(x))

        `CurveCollector` lists what is recorded.

        Args:
            tag: what all tags begin with.
            class_names: what the classes are called; by default their numbers.
            activation: what makes probabilities of the scores, taken in float64: "softmax", "sigmoid",
                None, or "auto" to tell logits from probabilities by looking; see `EvaluationScores`.
            ignore_index: the label of samples that do not count, as of Paddle's losses.
            limit: how many scores (samples times classes) are held, 4 bytes each as float32. What goes
                past it is counted in at most 64 MiB of bins: curves are exact at their points then, AP
                and AUC within an error that is recorded.
            most_classes: up to how many classes each has curves of its own.

        Raises:
            DataError: arguments that are none of these. What is wrong with a batch is warned about
                once a tag, and the evaluation is lost; a strict tracker raises.
        """

        def record(scores: EvaluationScores, step: Any, without: Collection[str]) -> None:
            self._record(
                "curves",
                tag,
                step,
                lambda tag, step: self._writer.add_evaluation(
                    tag, scores, step, class_names=names, most_classes=most_classes, without=without
                ),
            )

        def refuse(error: Exception) -> None:
            if self.strict:
                raise error
            self._lose(tag, error)

        names = checked_names(class_names)
        return CurveCollector(
            lambda: EvaluationScores(activation=activation, limit=limit, ignore_index=ignore_index),
            record=record,
            refuse=refuse,
            enabled=self._enabled,
            class_names=names,
        )

    def log_embeddings(
        self,
        tag: str,
        mat: Any,
        metadata: Any = None,
        metadata_header: Sequence[str] | None = None,
        walltime: int | None = None,
    ) -> None:
        """Records vectors with their labels; arguments as in `LogWriter.add_embeddings`."""
        self._record(
            "embeddings",
            tag,
            0,
            lambda tag, step: self._writer.add_embeddings(tag, mat, metadata, metadata_header, walltime),
        )
