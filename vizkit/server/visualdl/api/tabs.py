"""What there is: tabs, kinds, runs and tags."""

from __future__ import annotations

from vizkit.server.live_runs import KINDS
from vizkit.server.visualdl.api import graph_pages, hparam_page, profiler_page
from vizkit.server.visualdl.api.endpoint import Endpoint, Request

__all__ = ["ENDPOINTS"]


def _kinds(request: Request) -> list[str]:
    view = request.log.view
    return [
        name
        for kind, name in KINDS.items()
        if view.tags(kind) and (kind != "hparams" or hparam_page.is_shown(request))
    ]


def _tabs(request: Request) -> list[str]:
    """The tabs that have something to show, in a fixed order; the first is where the page opens."""
    tabs = _kinds(request)
    if graph_pages.static_model(request.settings) is not None:
        tabs.append("static_graph")
    if graph_pages.graph_files(request.log):
        tabs.append("dynamic_graph")
    if profiler_page.trace_files(request.log):
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
