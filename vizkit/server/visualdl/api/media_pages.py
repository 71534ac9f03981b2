"""The pages of images, audio and texts: every record can be reached, by position or by its time."""

from __future__ import annotations

from functools import partial

import numpy as np

from vizkit._language import tr
from vizkit.errors import DataError
from vizkit.format.walltime import milliseconds, time_list
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.endpoint import APIRequest, Endpoint
from vizkit.server.visualdl.api.record_lookup import find_entries, list_tags, shortages_raised

__all__ = ["ENDPOINTS", "image_type"]

_IMAGE_TYPES = {
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
    b"RIFF": "image/webp",
}  # by the first bytes


def _list(request: APIRequest, kind: str) -> list[dict[str, float | None]]:
    entries = find_entries(request, kind)
    if entries is None:
        return []
    walltimes = time_list(entries.walltimes)
    return [{"step": s, "wallTime": w} for s, w in zip(entries.steps.tolist(), walltimes, strict=True)]


def _content(request: APIRequest, kind: str) -> Answer:
    entries = find_entries(request, kind)
    index = _number(request.query.get("index"))
    walltime = _number(request.query.get("ts"))
    if entries is not None and walltime is not None:
        walltimes = milliseconds(entries.walltimes)
        if index is None or not 0 <= index < len(entries) or walltimes[index] != walltime:
            found = np.flatnonzero(walltimes == walltime)  # the list has changed since the page got it
            index = int(found[0]) if len(found) else index
    index = index or 0
    if entries is None or not 0 <= index < len(entries):
        return _missing(tr("there is no such record (any more)"))
    try:
        with shortages_raised():
            content = entries[index]
    except DataError as error:
        return _missing(str(error))
    if kind == "text":
        return Answer.of(content.encode("utf-8", "replace"), "text/plain; charset=utf-8")
    if kind == "audio":
        return Answer.of(content.data, "audio/wav")
    return Answer.of(content, image_type(content))


def image_type(content: bytes) -> str:
    """The media type of an image file, by its first bytes."""
    types = (media for magic, media in _IMAGE_TYPES.items() if content.startswith(magic))
    return next(types, "application/octet-stream")


def _missing(message: str) -> Answer:
    return Answer.of(message.encode(), "text/plain; charset=utf-8", status=404)


def _number(text: str | None) -> int | None:
    try:
        return int(float(text)) if text else None
    except (ValueError, OverflowError):
        return None


ENDPOINTS = {
    f"{kind}/{path}": endpoint
    for kind in ("image", "audio", "text")
    for path, endpoint in {
        "tags": Endpoint(partial(list_tags, kind=kind), depends_on="tags"),
        "list": Endpoint(partial(_list, kind=kind), ("run", "tag"), "run"),
        kind: Endpoint(partial(_content, kind=kind), ("run", "tag"), "run"),
    }.items()
}
