"""Reliability diagrams: the data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import vizkit
from tests.unit.plots.conftest import LABELS, SCORES
from vizkit.errors import DataError
from vizkit.metrics.calibration import Reliability
from vizkit.plots import reliability


def test_reliability_of_classes_and_of_one_probability(tmp_path: Path) -> None:
    data = reliability(SCORES, labels=LABELS).data
    assert data.counts.sum() == 6
    right = SCORES.argmax(axis=1) == LABELS
    assert (data.counts * np.nan_to_num(data.accuracy)).sum() == pytest.approx(right.sum())
    single = reliability(np.array([0.1, 0.1, 0.9]), labels=np.array([0, 1, 1])).data
    assert single.accuracy[1] == 0.5 and single.accuracy[13] == 1.0
    assert single.ece == pytest.approx((2 * 0.4 + 0.1) / 3)
    with vizkit.LogWriter(str(tmp_path / "run")) as writer:
        writer.add_text("eval/reliability/bins", data.as_text(), 3)
    read = reliability(vizkit.load(tmp_path)[0]).data
    assert isinstance(read, Reliability) and read.ece == data.ece


@pytest.mark.parametrize(
    ("scores", "labels", "match"),
    [(SCORES, None, "labels"), (SCORES * 9, LABELS, "softmax"), (SCORES, [1], "1 labels need")],
)
def test_what_is_no_probability_is_refused(scores: Any, labels: Any, match: str) -> None:
    with pytest.raises(DataError, match=match):
        reliability(scores, labels=labels)


def test_a_diagram_is_drawn_as_it_is() -> None:
    data = reliability([0.2, 0.7, 0.71], labels=[0, 1, 0]).data
    plot = reliability(data)
    assert plot.data is data
    assert [bar.get_alpha() for bar in plot.bars] == [0.3] * int((data.counts > 0).sum())  # of few
    assert [bar.get_height() for bar in plot.counts] == data.counts.tolist()
