"""The workspace's media view in a browser: what it shows of images, matrices, curves, texts and sounds."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

import vizkit
from vizkit.metrics import compute_confusion_matrix
from vizkit.metrics.arrays import Ints, Pixels

from .workspace_page import HOSTILE, Look, Served, Workspace, serving

pytestmark = pytest.mark.browser

CLASSES = ["cat", "dog", "owl"]
STEPS = range(0, 50, 10)
WIDTH, HEIGHT = 16, 12
SECONDS = 0.5


def picture(run: int, step: int) -> Pixels:
    """An image of which every pixel tells its place, its step and its run."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([columns * 10, rows * 10 + run * 100, np.full_like(rows, step)], axis=-1).astype(np.uint8)


def guesses(run: int, step: int) -> tuple[Ints, Ints]:
    random = np.random.default_rng([run, step])
    labels = random.integers(0, 3, 200)
    return labels, np.where(random.random(200) < 0.5 + step / 100, labels, random.integers(0, 3, 200))


def markdown(run: int, step: int) -> str:
    table = "| a | b |\n|--:|---|\n| 1 | 2 |"
    return f"## Step {step}\n\nloss is **{run}.5**\nsecond line with needle{step}\n\n{table}"


def write(root: Path) -> None:
    for run in range(2):
        with vizkit.Tracker(root / f"run{run}", system=False) as tracker:
            for step in STEPS:
                tracker.log({"loss": 1.0 / (step + 1)}, step=step)
                if run == 0 or step % 20 == 0:
                    tracker.log_image("input", picture(run, step), step=step)
                tracker.log_text("notes", markdown(run, step), step=step)
                tracker.log_text("classes", f"class\tsamples\ncat\t{step}", step=step)
                tracker.log_histogram("weights", np.arange(101.0) + step, step=step, buckets=10)
                labels, predictions = guesses(run, step)
                tracker.log_confusion_matrix(
                    "confusion", labels=labels, predictions=predictions, step=step, class_names=CLASSES
                )
            with tracker.curves("eval", class_names=CLASSES, activation="softmax") as curves:
                labels, predictions = guesses(run, 40)
                curves.add(labels, np.eye(3)[predictions] * 3 + np.linspace(0, 1, 600).reshape(200, 3))
            tone = np.r_[np.zeros(4000), 0.5 * np.sin(np.arange(4000) / 3)].astype(np.float32)
            tracker.log_audio("tone", tone, step=40, sample_rate=16000)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("media") / "log"
    write(root)
    with serving(root) as served:
        yield served


def figure(page: Workspace, tag: str) -> Locator:
    found = page.page.locator(f'figure[aria-label="{tag}"]')
    found.scroll_into_view_if_needed()
    return found


def loaded(page: Workspace, images: Locator, count: int) -> None:
    """Wait until so many images are drawn."""
    expect(images).to_have_count(count)
    script = "images => images.filter(image => image.complete && image.naturalWidth > 0).length"
    page.until(lambda: images.evaluate_all(script) == count, f"{count} images are loaded")


def screen(page: Workspace, element: Locator) -> Ints:
    """What the screen shows of an element: (height, width, 3)."""
    shown = Image.open(io.BytesIO(element.screenshot())).convert("RGB")
    return np.asarray(shown, dtype=np.int64)


def move_to(page: Workspace, element: Locator, x: float, y: float) -> None:
    """Move the pointer to a place, as shares of an element's width and height."""
    element.scroll_into_view_if_needed()
    box = element.bounding_box()
    assert box is not None
    page.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_all_steps_of_all_runs_are_a_grid(look: Look, two: Served) -> None:
    with look("?tab=media&tags=^input$", origin=two.origin) as page:
        panel = figure(page, "input")
        loaded(page, panel.locator("img"), 2)
        page.page.get_by_label("all steps").check()
        steps = panel.locator(".film-steps button")
        expect(steps).to_have_text([str(step) for step in STEPS])
        loaded(page, panel.locator("img"), 5 + 3)
        expect(panel.locator(".film-row").nth(1).locator(".none")).to_have_count(2)
        assert page.query()["grid"] == ["1"]
        for row, recorded in enumerate([list(STEPS), [0, 20, 40]]):
            images = panel.locator(".film-row").nth(row).locator("img").all()
            names = [image.get_attribute("alt") for image in images]
            assert names == [f"input, run{row}, Step {step}" for step in recorded]
        blue = screen(page, panel.locator(".film-row").first.locator("img").nth(3))[..., 2]
        assert abs(float(np.median(blue)) - 30) < 3
        steps.nth(2).click()
        assert page.query()["at"] == ["20"]
        expect(panel.locator("[aria-current=step]")).to_have_text("20")


def test_one_slider_and_keys_move_all_tags(look: Look, two: Served) -> None:
    with look("?tab=media", origin=two.origin) as page:
        panel = figure(page, "input")
        loaded(page, panel.locator("img"), 2)
        page.page.keyboard.press(",")
        page.until(lambda: page.query().get("at") == ["30"], "the key goes back")
        expect(panel.locator("img").first).to_have_attribute("alt", "input, run0, Step 30")
        expect(panel.locator(".caption").nth(1)).to_contain_text("Step 20")  # said: it is another
        page.page.keyboard.press("Home")
        page.until(lambda: page.query().get("at") == ["0"], "the first step")
        expect(figure(page, "notes").locator("h4").first).to_have_text("Step 0")
        page.page.keyboard.press(".")
        expect(figure(page, "notes").locator("h4").first).to_have_text("Step 10")
        page.page.get_by_label("Step of all panels").locator("nth=-1").fill("4")
        page.until(lambda: "at" not in page.query(), "the last step is followed")
        expect(figure(page, "notes").locator("h4").first).to_have_text("Step 40")


def test_images_are_compared_to_the_pixel(look: Look, two: Served) -> None:
    with look("?tab=media&at=20", origin=two.origin) as page:
        panel = figure(page, "input")
        loaded(page, panel.locator("img"), 2)
        panel.get_by_role("button", name="Compare").click()
        panes = page.page.locator(".viewer .pane")
        loaded(page, panes.locator("img"), 2)
        move_to(page, panes.first, 0.53, 0.54)  # 16 by 12 pixels
        status = page.page.locator(".viewer [role=status]")
        expect(status).to_contain_text("x 8, y 6")
        expect(status).to_contain_text("run0 80, 60, 20")
        expect(status).to_contain_text("run1 80, 160, 20")
        for _ in range(8):
            page.page.mouse.wheel(0, -200)
        widths = panes.locator("img").evaluate_all("images => images.map(image => image.clientWidth)")
        box = panes.first.bounding_box()
        assert box is not None
        assert min(widths) > 10 * box["width"] and max(widths) - min(widths) <= 1  # all together
        expect(status).to_contain_text("x 8, y 6")  # the place under the pointer stays
        shown = screen(page, panes.nth(1)).reshape(-1, 3)
        values, counts = np.unique(shown, axis=0, return_counts=True)
        commonest = values[counts.argmax()]
        assert np.abs(commonest.astype(int) - [80, 160, 20]).max() <= 2  # one pixel fills it
        left = panes.locator("img").first.evaluate("image => image.offsetLeft")
        page.page.mouse.down()
        move_to(page, panes.first, 0.25, 0.5)
        page.page.mouse.up()
        page.until(
            lambda: panes.locator("img").nth(1).evaluate("image => image.offsetLeft") < left - 50,
            "a drag moves the other image too",
        )
        page.page.keyboard.press("0")
        page.until(
            lambda: panes.locator("img").first.evaluate("image => image.clientWidth") <= box["width"] + 1,
            "a key resets",
        )
        page.page.keyboard.press("Escape")
        expect(page.page.locator(".viewer")).to_have_count(0)


def test_two_images_are_swiped_blinked_and_subtracted(look: Look, two: Served) -> None:
    with look("?tab=media&look=input&at=20", origin=two.origin) as page:
        loaded(page, page.page.locator(".pane img"), 2)
        page.page.get_by_role("button", name="Difference").click()
        note = page.page.locator("[data-differing]")
        expect(note).to_contain_text(f"{WIDTH * HEIGHT} of {WIDTH * HEIGHT} pixels differ, by 100 of 255")
        assert page.query()["versus"] == ["difference"]
        canvas = page.page.locator(".pane canvas")
        colour = np.median(screen(page, canvas).reshape(-1, 3), axis=0)
        assert np.abs(colour - [0, 100, 0]).max() <= 2
        page.page.get_by_label("Second run").select_option("run0")
        expect(note).to_contain_text("0 of 192 pixels differ")
        page.page.get_by_label("its step").select_option("30")  # the same run at another step
        expect(note).to_contain_text("192 of 192 pixels differ, by 10 of 255")
        assert page.query()["then"] == ["30"]
        page.page.reload()
        expect(note).to_contain_text("192 of 192 pixels differ, by 10 of 255")
        page.page.get_by_label("its step").select_option(label="that of the page")
        page.page.get_by_label("Second run").select_option("run1")
        page.page.get_by_role("button", name="Swipe").click()
        loaded(page, page.page.locator(".pane img"), 2)
        page.page.get_by_label("Boundary").fill("30")
        pixels = screen(page, page.page.locator(".pane"))
        middle = pixels[pixels.shape[0] // 2, :, 1].astype(int)  # green tells the run
        one, other = (
            middle[int(a * len(middle)) : int(b * len(middle))] for a, b in ((0.2, 0.29), (0.31, 0.8))
        )
        assert one.max() < 90 and other.min() > 130
        page.page.get_by_role("button", name="Blink").click()
        over = page.page.locator(".pane .over")
        expect(over).to_have_attribute("data-front", "1")
        expect(over).to_have_attribute("data-front", "0")


def test_captions_stand_below_their_images(look: Look, tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "log" / "run", system=False) as tracker:
        for step in range(2):
            caption = f"question **{step}**" if step == 0 else None
            tracker.log_image("answer", picture(0, step), step=step, caption=caption)
    with serving(tmp_path / "log") as served, look("?tab=media&at=0", origin=served.origin) as page:
        panel = figure(page, "answer")
        expect(panel.locator(".said")).to_have_text("question **0**")
        assert page.page.locator('figure[aria-label="answer/caption"]').count() == 0
        panel.locator(".lens").click()
        expect(page.page.locator(".viewer strong")).to_have_text("0")
        page.page.keyboard.press(".")
        expect(page.page.locator(".viewer img")).to_have_attribute("alt", "answer, run, Step 1")
        expect(page.page.locator(".viewer strong")).to_have_count(0)


def test_a_matrix_of_many_classes_is_drawn_with_its_mistakes(look: Look, tmp_path: Path) -> None:
    labels = np.arange(1200) % 400
    predictions = np.where(np.arange(1200) < 7, 399, labels)
    predictions[400 + 5] = 12
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_confusion_matrix("confusion", labels, predictions, 0)
    counts = compute_confusion_matrix(labels, predictions)
    with serving(tmp_path / "log") as served, look("?tab=media", origin=served.origin) as page:
        panel = figure(page, "confusion")
        expect(panel.locator(".matrix")).to_contain_text("1192 of 1200 right")
        rows = panel.locator(".mistakes tbody tr")
        expect(rows).to_have_count(8)
        expect(rows.nth(0)).to_have_text("0399133.3 %")
        canvas = panel.locator("canvas")
        page.until(lambda: screen(page, canvas).std() > 5, "the diagonal is drawn")
        move_to(page, canvas, 12.5 / 400, 5.5 / 400)
        expect(panel.locator(".matrix [role=status]")).to_contain_text(
            f"true 5, predicted 12: {counts[5, 12]}"
        )


def test_a_confusion_matrix_has_counts_rates_and_mistakes(look: Look, two: Served) -> None:
    with look("?tab=media&tags=^confusion$&at=10", origin=two.origin) as page:
        panel = figure(page, "confusion")
        expect(panel.locator(".cells")).to_have_count(2)
        for run in range(2):
            counts = compute_confusion_matrix(*guesses(run, 10), num_classes=3)
            section = panel.locator(".matrix").nth(run)
            cells = section.locator(".cells td")
            expect(cells).to_have_text([str(count) for count in counts.ravel().tolist()])
            expect(section).to_contain_text(f"{np.trace(counts)} of {counts.sum()} right")
            off = counts.copy()
            np.fill_diagonal(off, 0)
            found = [row.split("\t") for row in section.locator(".mistakes tbody tr").all_inner_texts()]
            assert [int(row[2]) for row in found] == sorted(off[off > 0].tolist(), reverse=True)
            for true, predicted, count, _ in found:
                assert off[CLASSES.index(true), CLASSES.index(predicted)] == int(count)
        section, counts = (
            panel.locator(".matrix").first,
            compute_confusion_matrix(*guesses(0, 10), num_classes=3),
        )
        move_to(page, section.locator(".cells td").nth(5), 0.5, 0.5)  # dog taken for owl
        status = section.locator("[role=status]")
        expect(status).to_contain_text(f"true dog, predicted owl: {counts[1, 2]}")
        section.locator(".cells").focus()
        page.page.keyboard.press("ArrowLeft")
        expect(status).to_contain_text(f"true dog, predicted dog: {counts[1, 1]}")
        panel.get_by_role("button", name="Share of the true class").click()
        shares = counts / counts.sum(axis=1, keepdims=True)
        expect(section.locator(".cells td").first).to_have_text(f"{100 * shares[0, 0]:.3g} %")
        panel.get_by_role("button", name="Share of the predicted class").click()
        shares = counts / counts.sum(axis=0, keepdims=True)
        expect(section.locator(".cells td").nth(3)).to_have_text(f"{100 * shares[1, 0]:.3g} %")
        assert page.query()["rates"] == ["predicted"]


def test_a_point_of_a_curve_has_its_threshold_and_counts(look: Look, two: Served) -> None:
    with look("?tab=media&tags=eval/(pr|roc)&only=run1", origin=two.origin) as page:
        run = vizkit.load(two.log)["run1"]
        for kind, tag in (("pr", "eval/pr"), ("roc", "eval/roc")):
            panel = figure(page, tag)
            expect(panel.locator("tbody tr")).to_have_count(4)  # three classes, and all as one
            panel.get_by_role("group", name="Classes").get_by_role("button", name="micro").click()
            expect(panel.locator("tbody tr")).to_have_count(3)
            areas = [float(row.split("\t")[2]) for row in panel.locator("tbody tr").all_inner_texts()]
            name = "ap" if kind == "pr" else "auc"
            expected = [run.last(f"eval/{name}/{each}").value for each in CLASSES]
            assert areas == pytest.approx(expected, abs=1e-5)
            canvas = panel.locator("canvas")
            canvas.focus()
            page.page.keyboard.press("ArrowRight")  # to the middle of the first curve
            curve = (run.pr_curves if kind == "pr" else run.roc_curves)(f"{tag}/cat")[-1]
            at = (len(curve.thresholds) - 1) // 2
            counts = [int(getattr(curve, part)[at]) for part in ("tp", "fp", "tn", "fn")]
            status = panel.locator("[role=status]")
            expect(status).to_contain_text("TP {} FP {} TN {} FN {}".format(*counts))
            expect(status).to_contain_text("run1 · cat · threshold")
            precision, recall = counts[0] / (counts[0] + counts[1]), counts[0] / (counts[0] + counts[3])
            said = status.inner_text()
            for word, value in (("Precision", precision), ("Recall", recall)):
                (found,) = re.findall(rf"{word} ([\d.]+)", said)
                assert float(found) == pytest.approx(value, rel=1e-4)
            # The pointer finds the same point: the curve passes there.
            x, y = (recall, precision) if kind == "pr" else (float(curve.fpr[at]), recall)
            box = canvas.bounding_box()
            assert box is not None
            left, top = 38 + x * (box["width"] - 48), 8 + (1 - y) * (box["height"] - 38)
            move_to(page, canvas, 0, 0)
            canvas.hover(position={"x": left, "y": top})
            said = status.inner_text()
            (tp,) = re.findall(r"TP (\d+)", said)
            (fp,) = re.findall(r"FP (\d+)", said)
            near = [abs(int(tp) - counts[0]), abs(int(fp) - counts[1])]
            assert max(near) <= 3, said
            panel.get_by_role("group", name="Classes").get_by_role("button", name="micro").click()


def test_calibration_has_its_bins_and_error(look: Look, two: Served) -> None:
    with look("?tab=media&tags=reliability", origin=two.origin) as page:
        panel = figure(page, "eval/reliability")
        expect(panel.locator("tbody tr")).to_have_count(2)
        for at, run in enumerate(vizkit.load(two.log)):
            (ece,) = re.findall(r"\t([\d.]+)", panel.locator("tbody tr").nth(at).inner_text())
            assert float(ece) == pytest.approx(run.last("eval/ece").value, rel=1e-3)
        page.until_inked(panel.locator("canvas"), 0.004)
        panel.locator("canvas").focus()
        page.page.keyboard.press("ArrowLeft")  # the last bin
        diagram = vizkit.metrics.Reliability.from_text(
            vizkit.load(two.log)["run0"].texts("eval/reliability/bins")[-1]
        )
        expect(panel.locator("tbody tr").first.locator("td").nth(2)).to_have_text(str(diagram.counts[-1]))


@pytest.mark.parametrize("heat", ["", "1"])
def test_histograms_over_steps_tell_their_percentiles(look: Look, two: Served, heat: str) -> None:
    with look(f"?tab=media&tags=^weights$&heat={heat}&at=20", origin=two.origin) as page:
        panel = figure(page, "weights")
        expect(panel.locator("canvas")).to_have_count(2)
        status = panel.locator("[role=status]").first
        expect(status).to_contain_text("Step 20 · 101 values")
        said = status.inner_text()
        (median,) = re.findall(r"median ([\d.]+)", said)
        assert float(median) == pytest.approx(70, abs=1)  # of 20 to 120
        expect(status).to_contain_text("least 20, greatest 120")
        page.until_inked(panel.locator("canvas").first, 0.05)
        if heat:
            move_to(page, panel.locator("canvas").first, 0.5, 0.3)  # the third of five steps
            expect(status).to_contain_text("Step 20 · 10 of 101 from")
        panel.locator("canvas").first.focus()
        page.page.keyboard.press("ArrowRight")
        page.until(lambda: page.query().get("at") == ["30"], "the key changes the step")


def test_texts_are_markdown_tables_or_as_written_and_are_searched(look: Look, two: Served) -> None:
    with look("?tab=media&tags=notes|classes", origin=two.origin) as page:
        panel = figure(page, "notes")
        text = panel.locator(".markdown").first
        expect(text.locator("h4")).to_have_text("Step 40")
        expect(text.locator("strong")).to_have_text("0.5")
        expect(text.locator("p br")).to_have_count(1)
        assert text.locator("td").all_inner_texts() == ["1", "2"]
        expect(figure(page, "classes").locator("table")).to_have_count(1)  # both runs wrote the same
        expect(figure(page, "classes").locator("td")).to_have_text(["cat", "40"])
        expect(figure(page, "classes").locator(".caption bdi")).to_have_text(["run0", "run1"])
        panel.get_by_role("button", name="as written").click()
        expect(panel.locator("pre").first).to_have_text(markdown(0, 40))
        page.page.get_by_label("Search in texts").fill("NEEDLE20")
        hits = page.page.locator(".found li")
        expect(hits).to_have_count(2)
        expect(hits.first.locator("mark")).to_have_text("needle20")
        hits.first.get_by_role("button").click()
        page.until(lambda: page.query().get("at") == ["20"], "the step of the text is shown")
        expect(panel.locator("pre").first).to_have_text(markdown(0, 20))


def test_a_sound_has_its_wave_and_is_played(look: Look, two: Served) -> None:
    with look("?tab=media&tags=^tone$", origin=two.origin) as page:
        panel = figure(page, "tone")
        canvas = panel.locator("canvas").first
        expect(panel.locator("small").first).to_contain_text("16000 Hz, mono")
        expect(panel.locator("small").first).to_contain_text("/ 0:00.5")
        page.until_inked(canvas, 0.05)
        pixels = screen(page, canvas)
        inked = (np.abs(pixels - pixels[2, 2]).max(axis=-1) > 30).sum(axis=0)
        half = len(inked) // 2
        assert np.median(inked[5 : half - 5]) <= 2 < np.median(inked[half + 5 : -5])  # silent, then loud
        box = canvas.bounding_box()
        assert box is not None
        canvas.click(position={"x": box["width"] / 2, "y": 20})
        expect(panel.locator(".sound output").first).to_have_text(re.compile("0:00.2|0:00.3"))
        expect(panel.get_by_role("button", name="Play").first).to_be_visible()


def test_what_is_recorded_now_appears_and_a_chosen_step_stays(look: Look, tmp_path: Path) -> None:
    tracker = vizkit.Tracker(tmp_path / "log" / "run", system=False)
    for step in range(2):
        tracker.log_image("input", picture(0, step), step=step)
    tracker.flush()
    with serving(tmp_path / "log") as served, look("?tab=media", origin=served.origin) as page:
        image = figure(page, "input").locator("img")
        expect(image).to_have_attribute("alt", "input, run, Step 1")
        tracker.log_image("input", picture(0, 7), step=7)
        expect(image).to_have_attribute("alt", "input, run, Step 7")  # the last is followed
        page.page.keyboard.press(",")
        expect(image).to_have_attribute("alt", "input, run, Step 1")
        tracker.log_image("input", picture(0, 9), step=9)
        tracker.log_text("notes", "new *kind*", step=9)
        expect(figure(page, "notes").locator("em")).to_have_text("kind")
        expect(figure(page, "input").locator("input[type=range]")).to_have_attribute("max", "3")
        expect(image).to_have_attribute("alt", "input, run, Step 1")
        tracker.close()


def test_only_what_is_in_view_is_asked_for(look: Look, tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        for tag in range(40):
            for step in range(3):
                writer.add_image(f"picture{tag:02}", np.full((8, 8, 3), tag, np.uint8), step)
    with serving(tmp_path / "log") as served:
        asked: list[str] = []
        with look("?tab=charts", origin=served.origin) as page:
            page.page.on("request", lambda request: asked.append(request.url))
            page.page.get_by_role("button", name="Media").click()
            loaded(page, figure(page, "picture00").locator("img"), 1)
            contents = [url for url in asked if "/content?" in url]
            assert 0 < len(contents) < 20  # of 120 images
            assert not any("picture39" in url for url in asked)
            loaded(page, figure(page, "picture39").locator("img"), 1)


def test_hostile_texts_names_and_addresses_do_nothing(look: Look, tmp_path: Path) -> None:
    text = (
        "<script>document.title=1</script>\n<img src=x onerror=document.title=1>\n\n"
        "[run](javascript:document.title=1) [data](data:text/html,<script>1</script>)\n"
        "![spy](http://example.com/spy.png) [site](https://example.com/a?b=1)\n\n"
        '<iframe src="//example.com"></iframe>\n\n<a href="javascript:document.title=1">a</a>\n'
    )
    with vizkit.LogWriter(tmp_path / "log" / "run") as writer:
        writer.add_text("notes", text, 0)
        writer.add_text(f"t/{HOSTILE[:60]}", text, 0)
        writer.add_image(f"i/{HOSTILE[:60]}", np.zeros((4, 4, 3), np.uint8), 0)
        writer.add_text("broken/counts", "true \\ predicted\t<b>a</b>\nx\tmany", 0)
        writer.add_image("broken", np.zeros((4, 4, 3), np.uint8), 0)
        names = ["<b>a</b>", "<img src=x onerror=document.title=1>"]
        writer.add_confusion_matrix(
            "confusion", np.array([0, 1, 1]), np.array([0, 0, 1]), 0, class_names=names
        )
    with serving(tmp_path / "log") as served, look("?tab=media", origin=served.origin) as page:
        asked: list[str] = []
        page.page.on("request", lambda request: asked.append(request.url))
        panel = figure(page, "notes")
        expect(panel.locator(".markdown")).to_contain_text("<script>document.title=1</script>")
        links = [link.get_attribute("href") for link in panel.locator(".markdown a").all()]
        assert links == ["http://example.com/spy.png", "https://example.com/a?b=1"]
        for link in panel.locator(".markdown a").all():
            assert link.get_attribute("rel") == "noopener noreferrer nofollow"
        assert panel.locator("img, script, iframe").count() == 0
        panel.locator(".markdown span", has_text="run").click()
        expect(figure(page, "confusion").locator(".cells th").nth(2)).to_have_text(names[1])
        expect(figure(page, "broken").locator("pre")).to_contain_text("<b>a</b>")
        page.page.get_by_label("Search in texts").fill("<script>")
        expect(page.page.locator(".found mark").first).to_have_text("<script>")
        assert page.page.title() == "Media · log · VizKit"
        assert not [url for url in asked if not url.startswith(served.origin)]
        assert not page.elsewhere


def test_logs_of_stock_visualdl_are_shown(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import visualdl

    monkeypatch.setattr(np, "float", float, raising=False)  # without it VisualDL's curves fail on this numpy
    labels = np.arange(60) % 2
    with visualdl.LogWriter(str(tmp_path / "log" / "run")) as writer:
        for step in range(3):
            writer.add_image("input", picture(0, step * 10), step)
            writer.add_text("notes", f"# Step {step}", step)
            writer.add_histogram("weights", np.arange(100.0), step, buckets=10)
            writer.add_pr_curve("pr", labels, (labels + np.arange(60) / 60) / 2, step, num_thresholds=10)
        writer.add_audio("tone", np.sin(np.arange(8000) / 9).astype(np.float32), 0, sample_rate=8000)
        writer.add_embeddings("vectors", np.eye(4), metadata=list("abcd"))
    with serving(tmp_path / "log") as served, look("?tab=media&at=1", origin=served.origin) as page:
        loaded(page, figure(page, "input").locator("img"), 1)
        assert abs(float(np.median(screen(page, figure(page, "input").locator("img"))[..., 2])) - 10) < 3
        expect(figure(page, "notes").locator("h3")).to_have_text("Step 1")
        expect(figure(page, "weights").locator("[role=status]")).to_contain_text("Step 1 · 100 values")
        expect(figure(page, "pr").locator("tbody tr")).to_contain_text("≈")  # VisualDL records no area
        expect(figure(page, "tone").locator("small").last).to_contain_text("8000 Hz")
        expect(page.page.locator(".elsewhere a")).to_have_text(["Embeddings"])
        page.page.locator(".elsewhere a").click()
        page.page.wait_for_url("**/app/high-dimensional*")
        page._faults.clear()  # of VisualDL's page


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_overflows_at_any_width(look: Look, two: Served, width: int) -> None:
    viewport = {"width": width, "height": 900}
    for query in ("?tab=media&heat=1&grid=1", "?tab=media&look=input"):
        with look(query, origin=two.origin, viewport=viewport, locale="zh-CN", color_scheme="dark") as page:
            expect(page.page.locator("img").first).to_be_visible()
            pixels = page.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert pixels == 0
