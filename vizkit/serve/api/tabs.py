"""What there is: tabs, kinds, runs and tags."""

from __future__ import annotations

from vizkit.serve.api import graphs, hparams, profiles
from vizkit.serve.api.endpoint import Endpoint, Request
from vizkit.serve.following import KINDS

__all__ = ["ENDPOINTS"]


def _kinds(request: Request) -> list[str]:
    view = request.log.view
    return [
        name
        for kind, name in KINDS.items()
        if view.tags(kind) and (kind != "hparams" or hparams.is_shown(request))
    ]


def _tabs(request: Request) -> list[str]:
    """The tabs that have something to show, in a fixed order; the first is where the page opens."""
    tabs = _kinds(request)
    if graphs.static_model(request.settings) is not None:
        tabs.append("static_graph")
    if graphs.graph_files(request.log):
        tabs.append("dynamic_graph")
    if profiles.trace_files(request.log):
        tabs.append("profiler")
    return tabs or ["scalar"]  # whose page says that there is nothing yet


def _tags(request: Request) -> dict[str, str]:
    runs = request.log.view.runs.values()
    return {
        f"{run.name}/{tag}": KINDS[kind] for run in runs for kind, some in run.tags.items() for tag in some
    }


def _problems(request: Request) -> list[dict[str, str]]:
    """What could not be read, or is not served; stock has no such endpoint."""
    return [{"run": run, "message": message} for run, message in request.log.problems()]


ENDPOINTS = {
    "problems": Endpoint(_problems, lasts=""),
    "component_tabs": Endpoint(_tabs, lasts=""),
    "components": Endpoint(_kinds, lasts="shape"),
    "runs": Endpoint(lambda request: list(request.log.view.runs), lasts="shape"),
    "tags": Endpoint(_tags, lasts="shape"),
}
