"""Interactive charts that carry their numbers along: for notebooks and reports, without a server."""

from vizkit.charts._chart import Chart, chart

__all__ = ["Chart", "chart"]
