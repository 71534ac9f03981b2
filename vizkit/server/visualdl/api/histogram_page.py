"""The page of histograms."""

from __future__ import annotations

from functools import partial

from vizkit.metrics.histograms import Histogram
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.record_lookup import find_entries, list_tags, shown_records

__all__ = ["ENDPOINTS"]

_MAX_HISTOGRAMS = 100  # of a tag, as in stock


def _list(request: APIRequest) -> list[tuple[int | None, float, list[list[float]]]]:
    entries = find_entries(request, "histogram")
    if entries is None:
        return []
    return [
        (walltime, step, _bins(content))
        for walltime, step, content in shown_records(entries, _MAX_HISTOGRAMS)
        if isinstance(content, Histogram)
    ]


def _bins(histogram: Histogram) -> list[list[float]]:
    """Rows of left edge, right edge and count."""
    edges, counts = histogram.edges.tolist(), histogram.counts.tolist()
    if len(edges) != len(counts) + 1:
        return []
    return [list(row) for row in zip(edges[:-1], edges[1:], counts, strict=True)]


ENDPOINTS = {
    "histogram/tags": Endpoint(partial(list_tags, kind="histogram"), depends_on="tags"),
    "histogram/list": Endpoint(_list, ("run", "tag"), "run"),
}
