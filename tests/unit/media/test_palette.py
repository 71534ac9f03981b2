"""The colours of runs."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

from vizkit.media.palette import COLORS, color, lap, places


def test_colours_differ_for_the_colour_blind_too() -> None:
    def linear(text: str) -> NDArray[np.float64]:
        srgb = np.array([int(text[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        out: NDArray[np.float64] = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        return out

    def oklab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
        lms = [[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]]
        lab = [[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]]
        out: NDArray[np.float64] = np.array(lab) @ np.cbrt(np.array(lms) @ np.clip(rgb, 0, 1))
        return out

    sights = {  # Machado, Oliveira and Fernandes (2009), severity 1
        "normal": np.eye(3),
        "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    for name, matrix in sights.items():
        seen = [oklab(np.asarray(matrix) @ linear(each)) for each in COLORS]
        nearest = min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
        assert nearest > 0.09, name  # matplotlib's own ten: 0.007
    assert len({color(place) for place in range(30)}) == 30 and color(30) == color(0)
    assert lap(9) == 0 and lap(10) == 1


def test_a_new_name_moves_none_and_hues_come_again_only_when_all_are_taken() -> None:
    names = (*(f"lenet/run{number}" for number in range(60)), "a\ud800b", "训练")
    found = places(names)
    assert len(set(found)) == len(names)
    assert sorted(found)[:60] == list(range(60))
    for count in (1, 2, 10, 11, 35):
        assert places(names[:count]) == found[:count]
    alone = [places((name,))[0] for name in names]
    assert len(set(alone)) > 5  # by its name, not by its order
    assert places(("run", "run")) != places(("run",)) * 2
