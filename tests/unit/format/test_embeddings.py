"""Embeddings."""

from __future__ import annotations

import numpy as np
from visualdl.proto.record_pb2 import Record as Proto

from tests.unit.format.frames import body
from vizkit.format import encode
from vizkit.format.decode import decode_record
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
