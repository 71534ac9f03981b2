"""Greedy CTC decoding, against a loop over the steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vizkit import DataError
from vizkit.metrics.ctc import CTC, decode_ctc, token_labels


def by_hand(scores: Any, blank: int, length: int) -> tuple[list[int], list[float]]:
    ids, shares, last = [], [], blank
    for row in scores[:length]:
        best = int(row.argmax())
        if best not in (last, blank):
            ids.append(best)
            shares.append(float(row[best]))
        last = best
    return ids, shares


@given(count=st.integers(1, 5), steps=st.integers(1, 12), classes=st.integers(2, 4), seed=st.integers(0, 999))
def test_decoding(count: int, steps: int, classes: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(count, steps, classes))
    shares = np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)
    blank, lengths = int(rng.integers(classes)), rng.integers(0, steps + 1, count)
    first = decode_ctc(logits.transpose(1, 0, 2), CTC(blank, time_axis=0), lengths=lengths)
    last = decode_ctc(shares, CTC(blank, time_axis=1), softmax=False, lengths=lengths)
    for row in range(count):
        ids, expected = by_hand(shares[row], blank, lengths[row])
        for found in (first[row], last[row]):
            assert found.ids.tolist() == ids
            np.testing.assert_allclose(found.scores, expected)


def test_tokens_of_labels() -> None:
    labels = [[3, 3, 1, 0], [2, -1, -1, -1]]
    assert [row.tolist() for row in token_labels(labels, CTC())] == [[3, 3, 1], [2]]
    assert [row.tolist() for row in token_labels(labels, CTC(), [2, 0])] == [[3, 3], []]


@pytest.mark.parametrize(("scores", "ctc"), [(np.zeros((2, 3)), CTC()), (np.zeros((2, 3, 4)), CTC(blank=4))])
def test_bad_scores(scores: Any, ctc: CTC) -> None:
    with pytest.raises(DataError, match="three axes"):
        decode_ctc(scores, ctc)
    with pytest.raises(DataError, match="a length is needed"):
        decode_ctc(np.zeros((2, 3, 4)), CTC(), lengths=[1])
