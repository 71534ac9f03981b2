"""Reliability diagrams: asserted on the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from vizkit.media.palette import LINE
from vizkit.media.reliability_image import reliability_image
from vizkit.metrics.arrays import Pixels
from vizkit.metrics.calibration import BINS, Reliability, reliability_sums

ORANGE = (253, 200, 145)
BLUE = (66, 146, 198)


def share_of(image: Pixels, color: tuple[int, int, int]) -> float:
    return float((image == color).all(axis=2).mean())


def reliability(probabilities: ArrayLike, came_true: ArrayLike) -> Reliability:
    return Reliability.of(reliability_sums(np.asarray(probabilities), np.asarray(came_true, bool)))


def test_the_diagram_shows_gaps_and_where_they_lie() -> None:
    sure = reliability_image(reliability([0.95] * 10, [1] * 3 + [0] * 7))
    right = reliability_image(reliability([0.95] * 20, [1] * 19 + [0]))
    shy = reliability_image(reliability([0.3] * 10, [1] * 9 + [0]))
    assert sure.dtype == np.uint8
    assert sure.shape == right.shape == shy.shape
    gaps = [share_of(image, ORANGE) for image in (sure, right, shy)]
    assert gaps[1] == 0
    assert gaps[0] == pytest.approx(0.65 * gaps[2] / 0.6, rel=0.1)
    rows = [np.flatnonzero((image == BLUE).all(axis=2).any(axis=1)) for image in (sure, shy)]
    gap_rows = [np.flatnonzero((image == ORANGE).all(axis=2).any(axis=1)) for image in (sure, shy)]
    assert gap_rows[0].max() < rows[0].min() + 5  # on top of the bar
    assert gap_rows[1].max() > gap_rows[1].min() > 0


def test_a_diagram_of_nothing_and_of_one_bin() -> None:
    nothing = reliability_image(Reliability.of(np.zeros((3, BINS))))
    assert share_of(nothing, BLUE) == 0
    assert (nothing != 255).any()
    assert share_of(reliability_image(reliability([0.0], [False])), BLUE) > 0


def test_bars_end_at_the_accuracy_and_gaps_at_the_confidence() -> None:
    found = reliability([0.62] * 50, [1] * 40 + [0] * 10)
    image = reliability_image(found)
    rows = np.flatnonzero((image == (8, 81, 156)).all(axis=2).any(axis=1))  # the dark line
    axis = np.flatnonzero((image == LINE).all(axis=2).sum(axis=1) > 290)  # lines at 1, ..., 0 and below
    top, bottom = axis[0], axis[0] + 299
    assert (rows.mean() - top) / (bottom - top) == pytest.approx(1 - 0.8, abs=0.003)
    gap = np.flatnonzero((image == ORANGE).all(axis=2).any(axis=1))
    assert (gap.max() + 1 - top) / (bottom - top) == pytest.approx(1 - 0.62, abs=0.006)


def test_a_rare_bin_is_seen() -> None:
    image = reliability_image(reliability([0.95] * 10_000 + [0.05], [1] * 10_001))
    left = image[-100:, :80]
    assert share_of(left, BLUE) > 0
