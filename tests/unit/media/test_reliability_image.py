"""Reliability diagrams: asserted on the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

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
