"""Runs read back from logs: `load` returns `Runs` to query, compare, plot and export."""

from __future__ import annotations

from vizkit.runs.comparison import Comparison
from vizkit.runs.groups import Groups
from vizkit.runs.importance import Importance, Interaction
from vizkit.runs.importances import Importances
from vizkit.runs.label_errors import LabelErrors
from vizkit.runs.media import Media
from vizkit.runs.run import Run
from vizkit.runs.runs import Runs, load
from vizkit.runs.sample_difference import SampleDifference
from vizkit.runs.saved_views import Views
from vizkit.runs.setting_ranks import RankedSetting, Ranking
from vizkit.runs.statistics import Point, Summary

__all__ = [
    "Comparison",
    "Groups",
    "Importance",
    "Importances",
    "Interaction",
    "LabelErrors",
    "Media",
    "Point",
    "RankedSetting",
    "Ranking",
    "Run",
    "Runs",
    "SampleDifference",
    "Summary",
    "Views",
    "load",
]
