"""The page of embeddings: the last ones of each tag."""

from __future__ import annotations

import csv
import io

import numpy as np

from vizkit.errors import DataError
from vizkit.format.types import Embeddings
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.record_lookup import shortages_raised

__all__ = ["ENDPOINTS"]


def _run_and_tag(request: APIRequest) -> dict[str, tuple[str, str]]:
    """Run and tag by the name on the page."""
    tags = request.runs.snapshot.tags("embeddings")
    return {f"{run}/{tag}": (run, tag) for run, some in tags.items() for tag in some}


def _read(request: APIRequest, name: str) -> Embeddings | None:
    run, tag = _run_and_tag(request).get(name, ("", ""))
    state = request.runs.snapshot.runs.get(run)
    if state is None:
        return None
    try:
        with request.runs.lock:
            entries = state.logs.entries(tag)
        with shortages_raised():
            found = entries[-1]
    except (DataError, KeyError, IndexError):
        return None
    return found if isinstance(found, Embeddings) and found.vectors.ndim == 2 else None


def _list(request: APIRequest) -> list[dict[str, object]]:
    found = {name: _read(request, name) for name in _run_and_tag(request)}
    return [
        {"name": name, "shape": list(one.vectors.shape), "path": name} for name, one in found.items() if one
    ]


def _tensor(request: APIRequest) -> Answer:
    found = _read(request, request.query["name"])
    data = found.vectors.astype("<f4", copy=False) if found is not None else np.empty(0, "<f4")
    return Answer.of(data.tobytes(), "application/octet-stream")


def _metadata(request: APIRequest) -> Answer:
    found = _read(request, request.query["name"])
    with io.StringIO(newline="") as text:
        if found is not None:
            writer = csv.writer(text, delimiter="\t")
            writer.writerows([found.header, *found.labels] if found.header else found.labels)
        return Answer.of(text.getvalue().encode("utf-8", "replace"), "text/tab-separated-values")


ENDPOINTS = {
    "embedding/list": Endpoint(_list),
    "embedding/tensor": Endpoint(_tensor, ("name",)),
    "embedding/metadata": Endpoint(_metadata, ("name",)),
}
