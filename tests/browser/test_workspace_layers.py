"""The layers of images in a browser: masks and boxes that are switched, at every size and in comparisons."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

import vizkit
from vizkit.media.palette import class_color

from .test_accessibility import violations
from .test_workspace_media import figure, loaded, screen
from .workspace_page import HOSTILE, Look, Served, serving

pytestmark = pytest.mark.browser

NAMES = ["ground", HOSTILE.replace("🌡", "度"), "dog"]
GREY = 100


def write(root: Path) -> None:
    image = np.full((3, 64, 64), GREY / 255, np.float32)
    label = np.zeros((1, 64, 64), np.int64)
    label[0, 16:48, 16:48] = 1
    for run in range(2):
        prediction = np.roll(label, 8 * (run + 1), axis=2)
        scores = (np.arange(3)[None, :, None, None] == prediction[:, None]).astype(np.float32)
        with vizkit.Tracker(root / f"run{run}", system=False) as tracker:
            for step in range(2):
                evaluation = tracker.evaluation(
                    "eval", task="segmentation", activation=None, class_names=NAMES
                )
                evaluation.add(label, scores, image[None])
                evaluation.record(step)
                boxes = [[4, 4, 30, 30], [30, 30, 60, 60]]
                tracker.log_image(
                    "boxes", np.full((64, 64), GREY, np.uint8), step=step, dataformats="HW",
                    boxes=boxes, labels=[NAMES[1], "owl"], scores=[0.9, 0.2],
                )  # fmt: skip
                tracker.log_image("plain", np.zeros((8, 8), np.uint8), step=step, dataformats="HW")


@pytest.fixture(scope="module")
def layered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("layers") / "log"
    write(root)
    with serving(root) as served:
        yield served


def mixed(number: int, opacity: float) -> list[float]:
    return [(1 - opacity) * GREY + opacity * channel for channel in class_color(number)]


def test_layers_are_switched_and_lie_where_the_image_does(look: Look, layered: Served) -> None:
    with look("?tab=media&tags=samples&tile=256", origin=layered.origin) as page:
        panel = figure(page, "eval/samples")
        loaded(page, panel.locator("img"), 2)  # as they were recorded: several panels beside each other
        assert panel.locator(".over-image").count() == 0
        page.page.keyboard.press("l")
        assert page.query()["layers"] == ["any"]
        loaded(page, panel.locator("img"), 4)
        masks = panel.locator("img.over-image")
        assert [one.get_attribute("data-layer") for one in masks.all()] == ["prediction"] * 2
        switches = page.page.get_by_role("group", name="Layers of images")
        expect(switches.get_by_role("button")).to_have_text(["label", "prediction", "where they differ"])
        switches.get_by_label("Opacity").fill("100")
        layers = vizkit.load(layered.log)["run0"].images("eval/samples").layers(0)
        assert layers is not None
        tall, wide = layers.image.shape[:2]  # the sheet has a caption below the sample of 256 pixels
        scale = 256 / max(tall, wide)
        left, top = round((256 - wide * scale) / 2), round((256 - tall * scale) / 2)
        row = screen(page, panel.locator(".lens").first)[top + round(128 * scale)]
        for place, number in ((20, None), (28, 1), (52, 1), (60, None)):  # of 64 pixels; moved by 8
            found = row[left + round(4 * place * scale)]
            expected = [GREY] * 3 if number is None else class_color(number)
            assert np.abs(found - expected).max() < 6, (place, found)
        page.page.keyboard.press("2")  # without the prediction
        loaded(page, panel.locator("img"), 2)
        assert page.query()["layers"] == ["image"]
        page.page.keyboard.press("3")
        loaded(page, panel.locator("img"), 4)
        differs = [screen(page, one)[top + round(128 * scale)] for one in panel.locator(".lens").all()]
        yellow = [int((np.abs(row - (255, 240, 0)).max(axis=1) < 8).sum()) for row in differs]
        assert yellow == pytest.approx([64 * scale, 128 * scale], abs=4)  # twice 8, twice 16 of 64
        expect(panel.locator(".legend").first).to_contain_text(HOSTILE[:40])
        page.page.keyboard.press("L")
        loaded(page, panel.locator("img"), 2)
        assert "layers" not in page.query()


def test_boxes_follow_the_least_score(look: Look, layered: Served) -> None:
    with look("?tab=media&tags=^boxes$&tile=256&layers=any", origin=layered.origin) as page:
        panel = figure(page, "boxes")
        expect(panel.locator("rect")).to_have_count(4)
        expect(panel.locator(".box-text").first).to_have_text("owl 0.20")
        switches = page.page.get_by_role("group", name="Layers of images")
        switches.get_by_label("Score from").fill("0.5")
        expect(panel.locator("rect")).to_have_count(2)
        assert page.query()["least"] == ["0.5"]
        box, lens = panel.locator("rect").first.bounding_box(), panel.locator(".lens").first.bounding_box()
        assert box and lens
        for found, expected in ((box["x"] - lens["x"], 16), (box["width"], 104), (box["y"] - lens["y"], 16)):
            assert abs(found - expected) < 3  # 4 to 30 of 64 pixels


def test_the_viewer_shows_layers_to_the_pixel(look: Look, layered: Served) -> None:
    query = "?tab=media&look=eval/samples&layers=image&layers=label"
    with look(query, origin=layered.origin, locale="zh-CN") as page:
        panes = page.page.locator(".viewer .pane")
        loaded(page, panes.locator("img"), 4)
        switches = page.page.get_by_role("group", name="图像的图层")
        expect(switches.get_by_role("button")).to_have_text(["标签", "预测", "二者不同之处"])
        first, mask = panes.first.locator("img").nth(0), panes.first.locator("img.over-image")
        for _ in range(4):
            page.page.keyboard.press("+")
        assert first.bounding_box() == mask.bounding_box()
        found = screen(page, panes.first)
        middle = found[found.shape[0] // 2, found.shape[1] // 2]
        assert np.abs(middle - mixed(1, 0.45)).max() < 6
        page.page.get_by_role("button", name="滑动").click()
        loaded(page, page.page.locator(".viewer .pane img"), 4)
        page.page.get_by_role("button", name="差异").click()
        expect(page.page.locator("[data-differing]")).to_be_visible()  # of the pictures as they were recorded
        assert page.page.locator(".over-image").count() == 0


def test_plain_images_stay_and_axe_finds_nothing(look: Look, layered: Served) -> None:
    with look("?tab=media&layers=any&grid=1", origin=layered.origin) as page:
        loaded(page, figure(page, "plain").locator("img"), 4)
        expect(figure(page, "boxes").locator("rect").first).to_be_attached()
        assert violations(page.page) == []
    query = "?tab=media&layers=any&tags=boxes|samples|plain"
    with look(query, origin=layered.origin, viewport={"width": 390, "height": 844}) as page:
        loaded(page, figure(page, "plain").locator("img"), 2)
        wide = page.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
