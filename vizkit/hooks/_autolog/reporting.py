"""``report_to="vizkit"`` of the trainers of PaddleNLP and PaddleFormers, while autolog is on."""

from __future__ import annotations

import os
import sys
from functools import partial

from vizkit._after_import import AfterImport
from vizkit.hooks._autolog.open_runs import OpenRuns
from vizkit.tracking.tracker import Tracker

__all__ = ["Reporting"]

_NAME = "vizkit"
_SUITES = ("paddlenlp", "paddleformers")


class Reporting:
    """The name ``"vizkit"`` among those that ``report_to`` takes.

    Args:
        runs: the open runs of autolog.
    """

    def __init__(self, runs: OpenRuns) -> None:
        self._runs = runs
        self._waiting: list[AfterImport] = []
        self._known: list[dict[str, object]] = []

    def install(self) -> None:
        """Add it, in suites that are imported later too."""
        if self._waiting or self._known:
            return
        for suite in _SUITES:
            module = f"{suite}.trainer.integrations"
            if module in sys.modules:
                self._add(suite)
            else:
                self._waiting.append(AfterImport(module, partial(self._add, suite)))

    def remove(self) -> None:
        """Take it back."""
        for waiting in self._waiting:
            waiting.cancel()
        for known in self._known:
            known.pop(_NAME, None)
        self._waiting, self._known = [], []

    def _tracker_of(self, directory: str) -> Tracker:
        return self._runs.tracker(os.path.abspath(directory))

    def _add(self, suite: str) -> None:
        from vizkit.hooks.suites._trainer import reporting_class

        module = sys.modules[f"{suite}.trainer.integrations"]
        known = getattr(module, "INTEGRATION_TO_CALLBACK", None)
        if isinstance(known, dict) and _NAME not in known:
            known[_NAME] = reporting_class(module.TrainerCallback, self._tracker_of)
            self._known.append(known)
