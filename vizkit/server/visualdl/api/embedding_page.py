"""The page of embeddings: the last ones of each tag."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np

from vizkit.errors import DataError
from vizkit.format.types import Embeddings
from vizkit.server.answers import Answer
from vizkit.server.visualdl.api.endpoint import Endpoint, Request

__all__ = ["ENDPOINTS"]


def _named(request: Request) -> dict[str, tuple[str, str]]:
    """Name on the page -> run and tag."""
    tags = request.log.view.tags("embeddings")
    return {f"{run}/{tag}": (run, tag) for run, some in tags.items() for tag in some}


def _read(request: Request, name: str) -> Embeddings | None:
    run, tag = _named(request).get(name, ("", ""))
    shown = request.log.view.runs.get(run)
    if shown is None:
        return None
    try:
        with request.log.lock:
            entries = shown.logs.entries(tag)
        found = entries[-1]
    except (DataError, KeyError, IndexError):
        return None
    return found if isinstance(found, Embeddings) and found.vectors.ndim == 2 else None


def _list(request: Request) -> list[dict[str, Any]]:
    out = []
    for name in _named(request):
        found = _read(request, name)
        if found is not None:
            out.append({"name": name, "shape": list(found.vectors.shape), "path": name})
    return out


def _tensor(request: Request) -> Answer:
    found = _read(request, request.query["name"])
    data = found.vectors.astype("<f4", copy=False) if found is not None else np.empty(0, "<f4")
    return Answer.of(data.tobytes(), "application/octet-stream")


def _metadata(request: Request) -> Answer:
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
