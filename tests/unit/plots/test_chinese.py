"""Words in pictures are Chinese where a font has them, else English with one warning."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import vizkit
from vizkit import plots
from vizkit.errors import VizKitWarning
from vizkit.media import lettering
from vizkit.media.captions import make_captions
from vizkit.media.confusion_image import confusion_image
from vizkit.media.reliability_image import reliability_image
from vizkit.metrics.calibration import compute_reliability

CLEAR = lettering._draws_chinese.cache_clear
COUNTS = [[8, 2], [1, 9]]


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    CLEAR()
    vizkit.language("zh")
    yield
    CLEAR()


@pytest.fixture
def _with_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_draws_chinese", lambda: True)


@pytest.fixture
def _without_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lettering, "_system_fonts", tuple)


@pytest.mark.usefixtures("_with_font")
def test_labels_titles_and_captions_are_chinese() -> None:
    plot = plots.confusion_matrix(np.array(COUNTS))
    assert (plot.ax.get_xlabel(), plot.ax.get_ylabel()) == ("预测", "真实")
    assert plot.ax.get_title(loc="left") == "准确率 85.00%"
    ax = plots.reliability(np.array([0.9, 0.2, 0.7]), labels=[1, 0, 0]).ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("概率", "正例占比")
    captions = make_captions(1, labels=[0], predictions=[1], class_names=["猫", "狗"])
    assert captions[0].text == "标签 猫\n预测 狗"


@pytest.mark.usefixtures("_without_font")
def test_without_a_font_words_are_english_and_one_warning_says_so() -> None:
    with pytest.warns(VizKitWarning, match="没有中文字体") as told:
        plot = plots.confusion_matrix(np.array(COUNTS))
        again = plots.pr_curve(vizkit.metrics.compute_pr_curve([0, 1, 1], [0.1, 0.9, 0.4]))
    assert len([warning for warning in told if issubclass(warning.category, VizKitWarning)]) == 1
    assert (plot.ax.get_xlabel(), plot.ax.get_ylabel()) == ("predicted", "true")
    assert again.ax.get_xlabel() == "recall"
    assert make_captions(1, labels=[3])[0].text == "label 3"


def test_recorded_pictures_are_lettered_in_chinese_and_their_numbers_are_not_translated() -> None:
    if not lettering._draws_chinese():
        pytest.skip("no Chinese font (apt-get install fonts-wqy-microhei)")
    reliability = compute_reliability([1, 0, 1], np.array([0.9, 0.2, 0.4]))
    chinese = confusion_image(COUNTS), reliability_image(reliability)
    text = reliability.as_text()
    vizkit.language("en")
    english = confusion_image(COUNTS), reliability_image(reliability)
    for one, other in zip(chinese, english, strict=True):
        assert one.shape != other.shape or not np.array_equal(one, other)
    assert reliability.as_text() == text and "share of positives" in text
