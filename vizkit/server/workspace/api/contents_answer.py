"""The contents of records of other kinds than scalars."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated

import numpy as np
import orjson

from vizkit.errors import DataError, UnknownNameError
from vizkit.format.walltime import time_list
from vizkit.media.audio import Wave
from vizkit.metrics.downsampling import evenly
from vizkit.metrics.histograms import Histogram
from vizkit.metrics.pr_roc import PRCurve, ROCCurve
from vizkit.reading import Entries
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.media_pages import image_type
from vizkit.server.visualdl.api.record_lookup import shortages_raised
from vizkit.server.workspace.api.answer_types import (
    ClassCurve,
    FoundText,
    HistogramRecord,
    HistogramsAnswer,
    SearchAnswer,
)
from vizkit.server.workspace.api.packing import number
from vizkit.server.workspace.api.records_answer import has_records
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.thumbnails import thumbnail

__all__ = [
    "FOR_GOOD",
    "ContentQuery",
    "HistogramsQuery",
    "SearchQuery",
    "content",
    "found_record",
    "histograms",
    "search_texts",
]

FOR_GOOD = (("Cache-Control", "private, max-age=31536000, immutable"),)
"""Headers of what an address never means anything else than."""

_MOST_BINS = 256
_MOST_FOUND = 200
_MOST_READ = 32 << 20  # characters of texts that are searched
_AROUND = 60  # characters of an excerpt on each side


@dataclass(frozen=True)
class ContentQuery:
    """The content of a record that `records` named; its name never means another content."""

    run: Annotated[str, "name of a run"]
    tag: Annotated[str, "a tag of any kind but scalar"]
    place: Annotated[int, "as `records` has it", (0, 2**53)]
    name: Annotated[str, "as `records` has it"]
    side: Annotated[
        int | None, "pixels of an image's longer side: a larger one is made smaller", (16, 4096)
    ] = None


@dataclass(frozen=True)
class HistogramsQuery:
    """The histograms of a tag of a run over its steps."""

    run: Annotated[str, "name of a run"]
    tag: Annotated[str, "a tag of histograms"]
    most: Annotated[int, "histograms, at even distances", (1, 500)] = 100


@dataclass(frozen=True)
class SearchQuery:
    """The recorded texts that hold some words, in upper or lower case."""

    text: Annotated[str, "the words, as they follow each other"]
    run: Annotated[list[str], "names of runs; all if there is none"] = field(default_factory=list)


def content(state: WorkspaceState, query: ContentQuery) -> Answer:
    """Answer with a record: a PNG or WAV file, a text, or a histogram or curve as JSON."""
    entries, place = found_record(state, query.run, query.tag, query.place, query.name)
    try:
        with shortages_raised():
            found = entries[place]
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error
    if isinstance(found, str):
        return Answer.of(found.encode("utf-8", "replace"), "text/plain; charset=utf-8", headers=FOR_GOOD)
    if isinstance(found, bytes):
        picture = found if query.side is None else thumbnail(found, query.side)
        return Answer.of(picture, image_type(picture), headers=FOR_GOOD)
    if isinstance(found, Wave):
        return Answer.of(found.data, "audio/wav", headers=FOR_GOOD)
    (walltime,) = time_list(entries.walltimes[place : place + 1])
    if isinstance(found, Histogram):
        data: object = _histogram(entries.steps[place].item(), walltime, found)
    elif isinstance(found, (PRCurve, ROCCurve)):
        data = _curve(found)
    else:
        raise UnknownNameError("records of {kind} are shown by VisualDL's page", kind=entries.kind)
    return Answer.of(orjson.dumps(data), "application/json", headers=FOR_GOOD)


def histograms(state: WorkspaceState, query: HistogramsQuery) -> HistogramsAnswer:
    """Answer with histograms at even distances; neighbouring bins are joined where there are many."""
    entries = _entries(state, query.run, query.tag)
    if entries.kind != "histogram":
        raise UnknownNameError("{tag} holds no histograms", tag=repr(query.tag[:200]))
    shown = evenly(np.arange(len(entries)), query.most)
    found: list[HistogramRecord] = []
    for place, walltime in zip(shown.tolist(), time_list(entries.walltimes[shown]), strict=True):
        with suppress(DataError), shortages_raised():
            found.append(_histogram(entries.steps[place].item(), walltime, entries[place]))
    return {"run": query.run, "tag": query.tag, "total": len(entries), "records": found}


def search_texts(state: WorkspaceState, query: SearchQuery) -> SearchAnswer:
    """Answer with the texts that hold the words, the last steps first; stops once much was read."""
    wanted = query.text.casefold()
    if not wanted.strip():
        return {"found": [], "complete": True}
    with state.runs() as runs:
        texts = [
            (run.name, tag, run.logs.entries(tag))
            for run in named(runs, query.run)
            for tag in run.tags.get("text", [])
        ]
    found: list[FoundText] = []
    read = 0
    for name, tag, entries in texts:
        for place in range(len(entries) - 1, -1, -1):
            if read > _MOST_READ or len(found) >= _MOST_FOUND:
                return {"found": found, "complete": False}
            with suppress(DataError), shortages_raised():
                text = entries[place]
                read += len(text)
                at = text.casefold().find(wanted)
                if at >= 0:
                    excerpt = " ".join(text[max(at - _AROUND, 0) : at + len(wanted) + _AROUND].split())
                    found.append(
                        {"run": name, "tag": tag, "step": entries.steps[place].item(), "excerpt": excerpt}
                    )
    return {"found": found, "complete": True}


def found_record(
    state: WorkspaceState, run: str, tag: str, place: int, name: str
) -> tuple[Entries[object], int]:
    """A tag's records, and the place among them of the one of a name.

    Raises:
        UnknownNameError: there is no such record.
    """
    entries = _entries(state, run, tag)
    if not (place < len(entries) and entries.name(place) == name):  # others have come or gone before it
        place = next((at for at in range(len(entries)) if entries.name(at) == name), -1)
    if place < 0:
        raise UnknownNameError("there is no such record (any more)")
    return entries, place


def _entries(state: WorkspaceState, name: str, tag: str) -> Entries[object]:
    with state.runs() as runs:
        (run,) = named(runs, [name])
        if not has_records(run, tag):
            raise UnknownNameError(
                "{run} has no images, histograms or other records named {tag}",
                run=name[:200],
                tag=repr(tag[:200]),
            )
        return run.logs.entries(tag)


def _histogram(step: float, walltime: int | None, histogram: Histogram) -> HistogramRecord:
    edges, counts = histogram.edges, histogram.counts.astype(np.float64)
    if len(edges) != len(counts) + 1:  # as other writers may leave it
        edges, counts = np.empty(0), np.empty(0)
    if len(counts) > _MOST_BINS:
        starts = np.arange(0, len(counts), -(-len(counts) // _MOST_BINS))
        counts, edges = np.add.reduceat(counts, starts), np.append(edges[starts], edges[-1])
    return {
        "step": step,
        "walltime": walltime,
        "edges": edges.tolist(),
        "counts": counts.tolist(),
        "nan": histogram.nan,
        "above": histogram.posinf,
        "below": histogram.neginf,
    }


def _curve(curve: PRCurve | ROCCurve) -> ClassCurve:
    if isinstance(curve, PRCurve):
        x, y, area = curve.recall, curve.precision, curve.ap
    else:
        x, y, area = curve.fpr, curve.tpr, curve.auc
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "thresholds": curve.thresholds.tolist(),
        "tp": curve.tp.tolist(),
        "fp": curve.fp.tolist(),
        "tn": curve.tn.tolist(),
        "fn": curve.fn.tolist(),
        "area": number(area),
    }
