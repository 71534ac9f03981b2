"""The tabs of VisualDL's page, and its lists of kinds, runs and tags."""

from __future__ import annotations

from vizkit.server.visualdl.api import graph_pages, hparam_page, profiler_page
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint

__all__ = ["ENDPOINTS"]

_PAGES = {
    "scalar": "scalar",
    "histogram": "histogram",
    "image": "image",
    "text": "text",
    "audio": "audio",
    "hparams": "hyper_parameters",
    "pr_curve": "pr_curve",
    "roc_curve": "roc_curve",
    "embeddings": "embeddings",
}  # kind of record -> VisualDL's name of its page, in the order of the tabs


def _kinds(request: APIRequest) -> list[str]:
    snapshot = request.runs.snapshot
    return [
        page
        for kind, page in _PAGES.items()
        if snapshot.tags(kind) and (kind != "hparams" or hparam_page.has_content(request))
    ]


def _tabs(request: APIRequest) -> list[str]:
    """The tabs that have something to show, in a fixed order; the first is where the page opens."""
    tabs = _kinds(request)
    if graph_pages.static_model(request.options) is not None:
        tabs.append("static_graph")
    if graph_pages.graph_files(request.runs):
        tabs.append("dynamic_graph")
    if profiler_page.trace_files(request.runs):
        tabs.append("profiler")
    return tabs or ["scalar"]  # its page says that there is nothing yet


def _tags(request: APIRequest) -> dict[str, str]:
    return {
        f"{run.name}/{tag}": _PAGES[kind]
        for run in request.runs.snapshot.runs.values()
        for kind, tags in run.tags.items()
        if kind in _PAGES
        for tag in tags
    }


def _problems(request: APIRequest) -> list[dict[str, str]]:
    """Everything that could not be read, or is not served; stock has no such endpoint."""
    return [{"run": run, "message": message} for run, message in request.runs.problems()]


ENDPOINTS = {
    "problems": Endpoint(_problems, depends_on=""),
    "component_tabs": Endpoint(_tabs, depends_on=""),
    "components": Endpoint(_kinds, depends_on="tags"),
    "runs": Endpoint(lambda request: list(request.runs.snapshot.runs), depends_on="tags"),
    "tags": Endpoint(_tags, depends_on="tags"),
}
