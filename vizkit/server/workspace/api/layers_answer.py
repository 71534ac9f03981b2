"""The layers of an image: masks and boxes over its bare pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import orjson

from vizkit.errors import DataError, UnknownNameError
from vizkit.format.input_packs import OVERLAYS
from vizkit.format.packed_layers import PackedLayers
from vizkit.media.image_layers import DIFFERENCE, BoxLayer
from vizkit.media.palette import color
from vizkit.server.http import Answer
from vizkit.server.visualdl.api.record_lookup import shortages_raised
from vizkit.server.workspace.api.answer_types import LayerBox, LayersAnswer
from vizkit.server.workspace.api.contents_answer import FOR_GOOD, ContentQuery, content, found_record
from vizkit.server.workspace.api.inputs_answer import read_input
from vizkit.server.workspace.api.state import WorkspaceState
from vizkit.server.workspace.api.thumbnails import thumbnail

__all__ = [
    "InputLayerQuery",
    "InputLayersQuery",
    "LayerQuery",
    "LayersQuery",
    "input_layer",
    "input_layers",
    "layer",
    "layers",
]


@dataclass(frozen=True)
class LayersQuery:
    """The layers of an image that `records` named."""

    run: Annotated[str, "name of a run"]
    tag: Annotated[str, "a tag of images"]
    place: Annotated[int, "as `records` has it", (0, 2**53)]
    name: Annotated[str, "as `records` has it"]


@dataclass(frozen=True)
class LayerQuery(ContentQuery):
    """A layer of an image as a PNG file: one of its masks, or the bare image."""

    layer: Annotated[str, "the name of a mask, `difference`, or `image` for the bare image"] = "image"


@dataclass(frozen=True)
class InputLayersQuery:
    """The layers over the image of a row."""

    run: Annotated[str, "name of a run"]
    digest: Annotated[str, "as in a row, behind the image's"]


@dataclass(frozen=True)
class InputLayerQuery(InputLayersQuery):
    """A mask over the image of a row as a PNG file."""

    layer: Annotated[str, "the name of a mask, or `difference`"] = DIFFERENCE


def layers(state: WorkspaceState, query: LayersQuery) -> Answer:
    """Answer with the names of an image's layers, and its boxes; there are none where none were recorded."""
    return _listed(_packed(state, query))


def input_layers(state: WorkspaceState, query: InputLayersQuery) -> Answer:
    """Answer as `layers`, for the image of a row."""
    return _listed(_input_packed(state, query))


def _listed(packed: PackedLayers | None) -> Answer:
    found: LayersAnswer = {"size": [0, 0], "masks": [], "boxes": {}, "classes": [], "threshold": 0.0}
    if packed is not None:
        masks = [*packed.masks, *([DIFFERENCE] if packed.has_difference else [])]
        found = {
            "size": list(packed.size),
            "masks": masks,
            "boxes": {name: _boxes(boxes) for name, boxes in packed.boxes.items()},
            "classes": [
                {"number": number, "name": name, "color": color(number)} for number, name in packed.classes
            ],
            "threshold": packed.threshold,
        }
    return Answer.of(orjson.dumps(found), "application/json", headers=FOR_GOOD)


def layer(state: WorkspaceState, query: LayerQuery) -> Answer:
    """Answer with a mask, transparent where it has no class, or with the bare image.

    Without layers, the bare image is the picture that was recorded.
    """
    packed = _packed(state, query)
    if packed is None and query.layer == "image":
        return content(state, query)
    picture = _picture(packed, query.layer)
    if query.side is not None and query.layer == "image":
        picture = thumbnail(picture, query.side)
    return Answer.of(picture, "image/png" if picture[:1] == b"\x89" else "image/jpeg", headers=FOR_GOOD)


def input_layer(state: WorkspaceState, query: InputLayerQuery) -> Answer:
    """Answer with a mask over the image of a row."""
    return Answer.of(_picture(_input_packed(state, query), query.layer), "image/png", headers=FOR_GOOD)


def _picture(packed: PackedLayers | None, name: str) -> bytes:
    try:
        picture = None if packed is None else packed.picture(name)
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error
    if picture is None:
        raise UnknownNameError("the image has no layer {name}", name=repr(name[:200]))
    return picture


def _input_packed(state: WorkspaceState, query: InputLayersQuery | InputLayerQuery) -> PackedLayers:
    kind, data = read_input(state, query.run, query.digest)
    if kind != OVERLAYS:
        raise UnknownNameError("there is no such image or text (any more)")
    try:
        return PackedLayers.of(data)
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error


def _packed(state: WorkspaceState, query: LayersQuery | LayerQuery) -> PackedLayers | None:
    entries, place = found_record(state, query.run, query.tag, query.place, query.name)
    try:
        with shortages_raised():
            data = entries.layers(place)
        return PackedLayers.of(data) if data else None
    except DataError as error:
        raise UnknownNameError("the record cannot be read: {error}", error=error) from error


def _boxes(boxes: BoxLayer) -> list[LayerBox]:
    scores = [None] * len(boxes.texts) if boxes.scores is None else boxes.scores.tolist()
    return [
        {
            "place": place,
            "color": color(kind),
            "text": text,
            "score": None if score is None or np.isnan(score) else score,
        }
        for place, kind, text, score in zip(
            boxes.places.tolist(), boxes.classes.tolist(), boxes.texts, scores, strict=True
        )
    ]
