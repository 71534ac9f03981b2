"""Images of an evaluation: samples that are followed over time, and the worst mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vizkit.errors import DataError
from vizkit.hooks._fit.batch import Batch
from vizkit.hooks._fit.followed_samples import FollowedSamples
from vizkit.hooks._fit.samples import Display, axes_of_image, checked_count, record_samples
from vizkit.hooks._fit.worst_mistakes import WorstMistakes
from vizkit.hooks._network.undisturbed import random_states_kept
from vizkit.hooks._paddle import paddle

if TYPE_CHECKING:
    from vizkit.hooks._guard import Guard
    from vizkit.tracking.tracker import Tracker

__all__ = ["EvalImages"]

_FOLLOWED = "followed samples"
_WORST = "worst mistakes"


class EvalImages:
    """Gathers images over an evaluation and records them at its end.

    Args:
        tracker: what records.
        guard: keeps trouble away from the training.
        samples: indices of the samples to follow, into the evaluation's data; None for none.
        worst: how many of the worst mistakes to record; None for none.
        display: how images are shown.

    Raises:
        DataError: bad ``samples`` or ``worst``.
    """

    def __init__(self, tracker: Tracker, guard: Guard, samples: Any, worst: Any, display: Display) -> None:
        self._tracker = tracker
        self._guard = guard
        self._followed = None if samples is None else FollowedSamples(samples)
        self._count = None if worst is None else checked_count(worst, "worst")
        self._display = display
        self._checked: Any = None
        self._mistakes: WorstMistakes | None = None

    def check(self, model: Any, loader: Any) -> None:
        """Checks before a training or evaluation that what is asked for can be had of its data.

        Of the data one sample is loaded, with all random states kept.

        Raises:
            DataError: samples out of range or in no fixed order, data without labels or images.
        """
        if self._followed is None and self._count is None:
            return
        if loader is not None and loader is self._checked:
            return
        option = "samples" if self._followed is not None else "worst"
        if loader is None:
            raise DataError(f"{option}= shows samples of an evaluation: give eval_data to fit")
        if self._followed is not None:
            self._followed.check(loader)
        _check_fields(model, loader, option)
        self._checked = loader

    def begin(self, loader: Any) -> None:
        """An evaluation begins; without its data nothing is gathered."""
        if loader is None:
            return
        self._mistakes = None if self._count is None else WorstMistakes(self._count)
        if self._followed is not None:
            with self._guard(_FOLLOWED):
                self._followed.begin(loader)

    def wants(self, number: int) -> bool:
        """Whether batch ``number`` of the evaluation is to be looked at."""
        return self._mistakes is not None or (self._followed is not None and self._followed.wants(number))

    def add(self, number: int, batch: Batch) -> None:
        """Looks at a batch."""
        if self._followed is not None and self._followed.wants(number):
            with self._guard(_FOLLOWED):
                self._followed.add(number, batch)
        if self._mistakes is not None:
            mistakes, self._mistakes = self._mistakes, None
            with self._guard(_WORST):
                mistakes.add(batch)
                self._mistakes = mistakes  # else there is nothing more to hope for

    def record(self, step: Any) -> None:
        """The evaluation has ended."""
        if self._followed is not None:
            with self._guard(_FOLLOWED):
                record_samples(self._tracker, "eval/samples", self._followed.found(), step, self._display)
                if self._followed.missing:
                    raise DataError(f"samples {self._followed.missing} were not evaluated in this process")
        mistakes, self._mistakes = self._mistakes, None
        if mistakes is not None:
            with self._guard(_WORST):
                record_samples(self._tracker, "eval/worst mistakes", mistakes.worst(), step, self._display)


def _check_fields(model: Any, loader: Any, option: str) -> None:
    """Checks one sample: whether it has labels, and an image."""
    dataset: Any = getattr(loader, "dataset", None)
    if not hasattr(dataset, "__getitem__") or not len(dataset):
        return
    with random_states_kept():
        sample = dataset[0]
    fields = paddle.utils.flatten(sample)
    count = len(getattr(model, "_inputs", None) or ()) or 1
    if len(fields) <= count:
        raise DataError(
            f"{option}= shows labels, but the evaluation's data has none: its samples are of {len(fields)} "
            f"part{'s' * (len(fields) > 1)}, all of which the network takes"
        )
    shape = getattr(fields[0], "shape", None)
    if shape is not None and axes_of_image(list(shape)) is None:
        raise DataError(
            f"{option}= shows images, of 1, 3 or 4 channels; the evaluation's data is of shape {list(shape)}"
        )
