"""The first images of a training batch, recorded as ``train/input``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from vizkit._checks import whole_number
from vizkit._language import tr
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.sample_images import Display, looks_like_images, record_samples, samples_of
from vizkit.hooks._spacing import Spacing
from vizkit.metrics.activation import Activation, ScoreEvidence
from vizkit.metrics.arrays import to_array
from vizkit.writing.tasks.known_batch import class_labels

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["InputImages"]


class InputImages:
    """The first images of a batch, with label and prediction, recorded every so many steps.

    Raises:
        DataError: a bad ``count`` or ``every``.
    """

    def __init__(
        self, tracker: Tracker, count: int, every: int | Literal["auto"] | None, display: Display
    ) -> None:
        self._tracker = tracker
        self._spacing = Spacing(every, "images_every")
        self._count = whole_number("images", count, unit=tr("images"))
        self._display = display

    def due(self, step: int) -> bool:
        """True if the images of the batch at ``step`` are to be recorded."""
        return self._spacing.due(step)

    def record(self, batch: Batch, step: int, activation: Activation | None) -> None:
        """Record the images of a batch, if its inputs are images.

        Args:
            activation: what the loss says of the scores; with "auto", all scores of the batch are looked at.
        """
        if not looks_like_images(batch):
            return
        with self._spacing.timed():
            samples = samples_of(batch, range(min(self._count, len(batch.inputs[0]))))
            if activation == "auto" and class_labels(batch.first_label, batch.output) is not None:
                evidence = ScoreEvidence()
                evidence.add(to_array(batch.output))
                activation = evidence.activation

            def job() -> None:
                record_samples(self._tracker, "train/input", samples, step, self._display, activation)

            self._spacing.defer(
                self._tracker, "input images", job, step, sum(one.image.nbytes for one in samples)
            )
