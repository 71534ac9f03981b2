"""`importance`: the importance of hyper-parameters as bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vizkit.curves.plot_arguments import RunSource, as_runs
from vizkit.media.lettering import picture_text
from vizkit.plots._looks import looks_on
from vizkit.plots._plot import Plot, axes_for, finish, write_beside
from vizkit.runs import Runs
from vizkit.runs.formatting import shorten_all
from vizkit.runs.importance import Importance
from vizkit.runs.importances import Evaluator, Importances

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.text import Annotation

__all__ = ["ImportancePlot", "draw_importances", "importance"]

_SURE = 0.05


@dataclass(eq=False, repr=False)
class ImportancePlot(Plot[Importances]):
    """The artists of `importance`: the bars, and the texts at their ends."""

    bars: BarContainer
    texts: list[Annotation]


def importance(
    source: RunSource,
    metric: str,
    *,
    mode: str = "auto",
    evaluator: Evaluator = "main-effects",
    interactions: bool = False,
    ax: Axes | None = None,
) -> ImportancePlot:
    """Draw the result of `Runs.importance`, a bar a hyper-parameter; pale bars may be chance (p above 0.05).

    Args:
        source: four runs or more.
        metric: a scalar tag.
        mode: ``"max"``, ``"min"`` or ``"auto"``, as in `Run.best`.
        evaluator: as in `Runs.importance`.
        interactions: draw also what each two explain together, if it is hardly chance.
        ax: axes to draw into; a new figure by default.

    Raises:
        UnknownNameError: no run has the metric.
        QueryError: fewer than four runs with a finite value.
    """
    found = Runs(as_runs(source)).importance(metric, mode, evaluator=evaluator, interactions=interactions)
    return draw_importances(found, ax)


def draw_importances(found: Importances, ax: Axes | None) -> ImportancePlot:
    """Draw importances."""
    both = [item for item in found.interactions if item.p <= _SURE]
    names = [*(item.name for item in found.hparams), *(" × ".join(item.names) for item in both)]
    every = [
        *((item.importance, item.p) for item in found.hparams),
        *((item.importance, item.p) for item in both),
    ]
    texts = [*map(_words, found.hparams), *(_share_and_p(item.importance, item.p) for item in both)]
    n = len(names)
    ax, new = axes_for(ax, 6.4, max(0.42 * n + 1.1, 1.8))
    looks = looks_on(ax)
    sure = [not p > _SURE and not np.isnan(share) for share, p in every]
    shares = np.nan_to_num([share for share, _ in every])
    colors = [looks.color(0) if told else looks.faint for told in sure]
    bars = ax.barh(range(n), shares, color=colors, height=0.62)
    beside = [
        write_beside(ax, texts[k], (shares[k], k), color=looks.ink if sure[k] else looks.pale)
        for k in range(n)
    ]
    ax.set_yticks(range(n), shorten_all(names, 28))
    ax.invert_yaxis()
    ax.set_xlim(0, 1.0)
    ax.xaxis.set_major_formatter("{x:.0%}")
    if found.evaluator == "main-effects" and not both:
        label = picture_text(
            "share of the variance of {metric} that it explains alone, {n} runs",
            metric=found.metric,
            n=found.n,
        )
    else:
        label = picture_text(
            "share of the variance of {metric} that it explains, {n} runs", metric=found.metric, n=found.n
        )
    ax.set_xlabel(label, fontsize="small")
    ax.tick_params(axis="y", length=0)
    finish(ax)
    return ImportancePlot(found, ax, new, bars, beside)


def _words(item: Importance) -> str:
    if np.isnan(item.importance):
        return picture_text("cannot be told: a value of its own in each run")
    together = picture_text(", with {names}", names=", ".join(item.with_)) if item.with_ else ""
    return _share_and_p(item.importance, item.p, together)


def _share_and_p(share: float, p: float, together: str = "") -> str:
    if np.isnan(p):
        return f"{share:.0%}"
    return f"{share:.0%}  (p < 0.001{together})" if p < 0.001 else f"{share:.0%}  (p = {p:.2g}{together})"
