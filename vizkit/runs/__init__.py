"""Runs read back: `load` gives `Runs`, which are asked, compared, drawn and exported."""

from __future__ import annotations

from vizkit.runs.comparison import Comparison
from vizkit.runs.groups import Groups
from vizkit.runs.loading import load
from vizkit.runs.media import Media
from vizkit.runs.run import Run
from vizkit.runs.runs import Runs
from vizkit.runs.summary import Point, Summary

__all__ = ["Comparison", "Groups", "Media", "Point", "Run", "Runs", "Summary", "load"]
