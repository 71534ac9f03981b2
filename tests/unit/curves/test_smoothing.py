"""Smoothing."""

from __future__ import annotations

import numpy as np
import pytest

from vizkit.curves.smoothing import smoothed


def test_smoothing_is_a_weighted_mean_of_what_came_before() -> None:
    values = np.array([4.0, 2.0, np.nan, 6.0, np.inf])
    got = smoothed(values, 0.5)
    assert got[:2].tolist() == [4.0, pytest.approx((2 * 2.0 + 4.0) / 3)]
    assert got[3] == pytest.approx((4 * 6.0 + 2 * 2.0 + 4.0) / 7)
    assert np.isnan(got[2]) and got[4] == np.inf
    assert smoothed(values, 0.0) is values
    assert smoothed(np.full(50, 7.0), 0.99) == pytest.approx(7.0)  # no pull towards 0
