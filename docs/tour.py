"""Make the pictures of the workspace, of the runs in ``log/sample``: ``python docs/tour.py``."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import sync_playwright

import vizkit
from tests.helpers import find_browser

ROOT = Path(__file__).parents[1]
VIEWS = {
    "workspace": "?smooth=ema&amount=0.6&tags=^(train|eval)/(loss|acc)$",
    "workspace-media": "?tab=media&tags=^(train/input|eval/(pr/.|roc/.))$&tile=180"
    "&only=run2&only=run5&only=run8",
    "workspace-compare": "?tab=compare",
}
_DRAWN = """() => [...document.querySelectorAll('figure.panel')].every(
    figure => figure.dataset.busy !== '1' && (figure.querySelector('.plot') ?? {chart: 1}).chart)"""


def main() -> None:
    """Write a picture of each view into ``docs/images/``."""
    os.chdir(ROOT)
    with vizkit.serve("log/sample", port=0) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        for name, query in VIEWS.items():
            page.goto(server.url.split("?")[0] + query)
            page.locator("aside .name").nth(8).wait_for()
            page.wait_for_function(_DRAWN)
            if name == "workspace":
                box = page.locator(".plot").nth(1).bounding_box()
                assert box is not None
                page.mouse.move(box["x"] + 0.45 * box["width"], box["y"] + 0.5 * box["height"])
            if name == "workspace-media":
                page.locator("tbody tr").nth(5).wait_for()  # of both curves
                page.locator("figure[aria-label='eval/pr'] canvas").hover(position={"x": 370, "y": 30})
            page.wait_for_timeout(1500)
            page.screenshot(path=ROOT / f"docs/images/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
