"""A suite's names and settings as tags and hyper-parameters, for all adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vizkit._protocols import ScalarLike
from vizkit.environment.masking import mask_settings
from vizkit.format.hparams import flat_hparams
from vizkit.hooks._guard import Guard

if TYPE_CHECKING:
    from vizkit.tracking.tracker import Tracker

__all__ = ["Recorder", "suite_tag"]

_NAMES = {"learning_rate": "learning rate", "progress_or_epoch": "epoch"}


def suite_tag(name: str) -> str:
    """Return the tag for a number that a suite calls ``name``: ``eval_loss`` becomes ``eval/loss``.

    Names without the prefix ``eval_`` or ``test_`` belong to the training. Learning rate and epoch are
    called as in all of VizKit's runs.
    """
    for mode in ("eval", "test"):
        if name.startswith(mode + "_"):
            return f"{mode}/{name[len(mode) + 1 :]}"
    return "train/" + _NAMES.get(name, name)


class Recorder:
    """The recorder of an adapter; an error stops no training unless ``tracker.strict``."""

    def __init__(self, tracker: Tracker) -> None:
        self.guard = Guard(tracker)
        self._tracker = tracker
        self._settled = False

    def scalars(self, numbers: Mapping[str, ScalarLike | str], step: int) -> None:
        """Record a step's numbers by the suite's names; texts among them are left out."""
        self._tracker.log(
            {suite_tag(name): value for name, value in numbers.items() if not isinstance(value, str)}, step
        )

    def settings(self, hparams: Mapping[str, object], metrics: Sequence[str]) -> None:
        """Record hyper-parameters without secrets, once; metrics by the suite's names."""
        if not self._settled:
            self._settled = True
            settings = mask_settings(flat_hparams(hparams))
            self._tracker.log_hparams(settings, [suite_tag(name) for name in metrics])

    def flush(self) -> None:
        """Wait until all is in the log."""
        with self.guard("the log"):
            self._tracker.flush()
