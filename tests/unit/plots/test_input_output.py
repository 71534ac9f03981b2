"""An input beside its output: data and drawing."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.container import BarContainer

from tests.unit.plots.conftest import SCORES
from vizkit import plots
from vizkit.errors import DataError


def test_an_output_is_green_or_red() -> None:
    image = np.zeros((4, 6, 3))
    image[..., 2] = 1.0
    right = plots.input_output(image, [0.1, 0.9], label=1, bgr=True)
    assert np.asarray(right.input.get_array())[0, 0].tolist() == [255, 0, 0]
    assert right.input.axes.get_title() == "1 ✓" and right.input.axes.title.get_color() == "#1a7f37"
    assert isinstance(right.output, BarContainer)
    assert [bar.get_width() for bar in right.output] == [0.9, 0.1]
    wrong = plots.input_output(image, [0.1, 0.9], label=0)
    assert wrong.input.axes.get_title() == "1, not 0 ✗"


def test_an_input_and_its_scores() -> None:
    image = np.zeros((4, 5, 3), np.uint8)
    image[..., 0] = 255
    data = plots.input_output(
        image, SCORES[3], label=2, class_names=["cat", "dog", "eel"], bgr=True, top=2
    ).data
    assert data.pixels[0, 0].tolist() == [0, 0, 255]
    assert image[0, 0].tolist() == [255, 0, 0]  # the caller's is as it was
    assert data.names == ("cat", "dog") and data.shares.tolist() == [0.4, 0.3]
    assert data.good is False and data.words == "cat, not eel"
    assert (
        plots.input_output(image, SCORES[:1], label="cat", class_names=["cat", "dog", "eel"]).data.good
        is True
    )


def test_an_input_and_another_output() -> None:
    image = np.random.default_rng(0).random((3, 4, 4))
    mask = plots.input_output(image, image[0] > 0.5, dataformats="CHW").data
    assert mask.output is not None and set(np.unique(mask.output)) == {0, 255} and mask.good is None
    assert mask.pixels.shape == (4, 4, 3)
    assert plots.input_output(image, 3, dataformats="CHW").data.words == "3"
    assert plots.input_output(image, "a ship", label="a ship", dataformats="CHW").data.good is True
    with pytest.raises(DataError, match="a prediction is"):
        plots.input_output(image, np.zeros((2, 2, 2, 2)), dataformats="CHW")
