"""Images and texts that rows of tables refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from vizkit.errors import DataError, UnknownNameError
from vizkit.format.input_packs import OVERLAYS, TEXT
from vizkit.format.tables import References, TableColumns
from vizkit.metrics.arrays import Ints
from vizkit.reading import RunTables
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.media_pages import image_type
from vizkit.server.workspace.api.contents_answer import FOR_GOOD
from vizkit.server.workspace.api.state import WorkspaceState, named
from vizkit.server.workspace.api.thumbnails import thumbnail

__all__ = ["InputQuery", "input_content", "inputs_of_rows", "read_input"]

_MOST_TEXT = 2000  # characters of a text in a row


@dataclass(frozen=True)
class InputQuery:
    """An image or a text that rows refer to."""

    run: Annotated[str, "name of a run"]
    digest: Annotated[str, "as in a row"]
    side: Annotated[int | None, "as of `content`", (16, 4096)] = None


def input_content(state: WorkspaceState, query: InputQuery) -> Answer:
    """Answer with an image or a text."""
    kind, data = read_input(state, query.run, query.digest)
    if kind == OVERLAYS:
        raise UnknownNameError("there is no such image or text (any more)")
    if kind == TEXT:
        return Answer.of(data, "text/plain; charset=utf-8", headers=FOR_GOOD)
    picture = data if query.side is None else thumbnail(data, query.side)
    return Answer.of(picture, image_type(picture), headers=FOR_GOOD)


def read_input(state: WorkspaceState, name: str, digest: str) -> tuple[int, bytes]:
    """The kind and the bytes of what a row of a run refers to.

    Raises:
        UnknownNameError: it is not there, or cannot be read.
    """
    with state.runs() as runs:
        (run,) = named(runs, [name])
    found = run.logs.tables.inputs().get(int(digest) if digest.isascii() and digest.isdigit() else 0)
    if found is None:
        raise UnknownNameError("there is no such image or text (any more)")
    try:
        (data,) = run.logs.tables.contents([found])
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error
    return found.place.kind, data


def inputs_of_rows(
    table: TableColumns, places: Ints, sources: dict[str, RunTables]
) -> tuple[dict[str, str], dict[str, str]]:
    """Of the inputs in some rows, the runs that have the images and layers, and the texts."""
    wanted: set[int] = set()
    for column in table.values():
        if isinstance(column, References):
            some = column[places]
            wanted.update(some.digests.tolist())
            wanted.update([] if some.layers is None else some.layers.tolist())
    images: dict[str, str] = {}
    texts: dict[str, str] = {}
    for run, tables in sources.items():
        known = tables.inputs() if wanted else {}
        there = [digest for digest in wanted if digest in known]
        images.update({str(digest): run for digest in there if not known[digest].is_text})
        words = [digest for digest in there if known[digest].is_text]
        try:
            contents = tables.contents(known[digest] for digest in words)
        except DataError:
            contents = []
        for digest, data in zip(words, contents, strict=False):
            texts[str(digest)] = data.decode("utf-8", "replace")[:_MOST_TEXT]
        wanted.difference_update(there)
    return images, texts
