"""Arrays of binary answers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vizkit.curves.binary_body import Body


@pytest.mark.parametrize(
    "values",
    [
        [1.0, math.inf, math.inf],
        [0.0, math.inf, -math.inf],
        [math.inf] * 3,
        [0, 1e308, math.inf],
        [math.nan] * 3,
    ],
)
def test_infinite_values_are_at_no_even_distances_and_nothing_is_warned_of(values: list[float]) -> None:
    body = Body()
    with np.errstate(all="raise"):
        place = body.add(np.array(values))
    assert place["type"] != "ramp"
    assert body.add(np.arange(5.0))["type"] == "ramp"
