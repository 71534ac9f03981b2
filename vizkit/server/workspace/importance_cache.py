"""A cache of the importance of hyper-parameters, which takes long, that keeps no runs in memory."""

from __future__ import annotations

import weakref
from collections import OrderedDict

from vizkit.runs import Run
from vizkit.server.workspace.views import ImportanceRows, hparam_importance

__all__ = ["ImportanceCache"]

_CAPACITY = 8


class ImportanceCache:
    """`hparam_importance` of the last few selections of runs; a run that changes is another object."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, tuple[weakref.ref[Run], ...]], ImportanceRows] = OrderedDict()

    def __call__(self, runs: tuple[Run, ...], tag: str) -> ImportanceRows:
        """The importance of each hyper-parameter for a metric."""
        key = tag, tuple(map(weakref.ref, runs))
        if key not in self._known:
            self._known[key] = hparam_importance(runs, tag)
        self._known.move_to_end(key)
        while len(self._known) > _CAPACITY:
            self._known.popitem(last=False)
        return self._known[key]
