"""Embeddings."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from visualdl.proto.record_pb2 import Record as Proto

from tests.unit.format.frames import body
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.embeddings import checked_embeddings
from vizkit.format.types import Embeddings


def test_embeddings_are_protobufs_own_bytes() -> None:
    embeddings = Embeddings(np.array([[1, 2], [3, 4]], np.float32), [["a", "x"], ["b", "y"]], ["one", "two"])
    rows = [
        Proto.Embedding(label=["a", "x"], vectors=[1, 2]),
        Proto.Embedding(label=["b", "y"], vectors=[3, 4]),
    ]
    stock = Proto.Embeddings(embeddings=rows, label_meta=["one", "two"])
    frame = encode.encode_embeddings("a", embeddings, 0, 5)
    assert (
        body(frame) == Proto(values=[Proto.Value(tag="a", timestamp=5, embeddings=stock)]).SerializeToString()
    )
    read = decode_record(body(frame)).data
    np.testing.assert_array_equal(read.vectors, embeddings.vectors)
    assert (read.labels, read.header) == (embeddings.labels, embeddings.header)


@pytest.mark.parametrize(
    ("metadata", "header", "labels", "names"),
    [
        (None, None, [["0"], ["1"]], []),
        (["a", "b"], None, [["a"], ["b"]], []),
        (np.array([7, 8]), None, [["7"], ["8"]], []),
        ([["a", "b"], [1, 2]], None, [["a", "1"], ["b", "2"]], ["label_0", "label_1"]),
        ([("a", "b"), (1, 2)], ["x", "y"], [["a", "1"], ["b", "2"]], ["x", "y"]),
        (iter("ab"), ["x"], [["a"], ["b"]], ["x"]),
    ],
)
def test_labels_become_rows_of_texts(
    metadata: Iterable[object] | None, header: list[str] | None, labels: list[list[str]], names: list[str]
) -> None:
    found = checked_embeddings([[1, 2], [3, 4]], metadata, header)
    assert found.vectors.dtype == np.float32
    assert (found.vectors.tolist(), found.labels, found.header) == ([[1, 2], [3, 4]], labels, names)


@pytest.mark.parametrize(
    ("mat", "metadata", "header", "match"),
    [
        (None, None, None, "need mat"),
        ([1, 2], None, None, "a matrix of real numbers"),
        (np.zeros((0, 2)), None, None, "a matrix of real numbers"),
        (np.zeros((2, 2), complex), None, None, "a matrix of real numbers"),
        ([[1], [2]], ["a"], None, "2 vectors have 1 labels"),
        ([[1], [2]], [["a", "b"], ["c"]], None, "2 vectors have 1 labels"),
        ([[1], [2]], ["a", "b"], ["x", "y"], "names 2 columns, metadata has 1"),
    ],
)
def test_embeddings_that_do_not_fit_their_labels_are_refused(
    mat: ArrayLike | None, metadata: Iterable[object] | None, header: list[str] | None, match: str
) -> None:
    with pytest.raises(DataError, match=match):
        checked_embeddings(mat, metadata, header)
