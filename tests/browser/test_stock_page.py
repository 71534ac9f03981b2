"""Stock VisualDL's own page, in a real browser, shows a log that VizKit wrote."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from .conftest import Visit
from .sample_log import (
    AUDIO_SECONDS,
    BOTTOM_COLOUR,
    CURVE_STEPS,
    GRAPH_RUN,
    HISTOGRAM_STEPS,
    IMAGE,
    LABELS,
    METRICS,
    RUNS,
    SAMPLE_RATE,
    TOP_COLOUR,
    SampleRun,
)
from .visualdl_page import Series, VisualDLPage

pytestmark = pytest.mark.browser

BY_NAME = {run.shown: run for run in RUNS}


def check_runs(page: VisualDLPage) -> dict[str, tuple[int, ...]]:
    """All runs are listed by name, each with a colour of its own; returns the colours."""
    listed = page.runs(len(RUNS))
    assert sorted(listed) == sorted(BY_NAME)
    assert len(set(listed.values())) == len(RUNS)
    return listed


def test_scalars_draw_every_value_of_every_run(visit: Visit) -> None:
    with visit("scalar") as page:
        colours = check_runs(page)
        expect(page.page.locator(".echarts")).to_have_count(2)  # the first group is unfolded
        for group in ("train", "训练"):
            page.page.get_by_role("heading", name=group, exact=True).click()
        charts = page.charts(len(RUNS[0].scalars), filled=2 * len(RUNS))  # as it is, and smoothed
        assert {chart["title"] for chart in charts} == set(RUNS[0].scalars)
        for chart in charts:
            for series in chart["series"]:
                values = BY_NAME[series["name"]].scalars[chart["title"]]
                _, steps, drawn = np.array(series["data"])[:, :3].T
                assert steps.tolist() == list(range(len(values)))
                # VisualDL's scalars are float32, and the page's own parser is a bit off in float64.
                assert drawn.astype(np.float32).tolist() == values.astype(np.float32).tolist()
        for canvas in page.page.locator(".echarts canvas").all():
            page.until_drawn(canvas, colours.values())


def test_images_are_decoded_with_their_size_and_colours(visit: Visit) -> None:
    with visit("sample/image") as page:
        check_runs(page)
        images = page.page.locator("article img")
        expect(images).to_have_count(len(RUNS))
        page.until(
            lambda: images.evaluate_all("images => images.every(i => i.naturalWidth)"), "images have loaded"
        )
        height, width = IMAGE.shape[:2]
        for image in images.all():
            assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [width, height]
            page.until_drawn(image, [TOP_COLOUR, BOTTOM_COLOUR], pixels=1000)


def test_texts_are_shown_character_by_character(visit: Visit) -> None:
    with visit("sample/text") as page:
        check_runs(page)
        headings = page.page.locator("h4")
        expect(headings).to_have_count(len(RUNS))
        for heading in headings.all()[1:]:  # the first is unfolded
            heading.click()
        expect(headings.locator(".run")).to_have_text(list(page.runs(len(RUNS))))
        expected = [BY_NAME[name].text(step) for name in page.runs(len(RUNS)) for step in range(2)]
        expect(page.page.locator("article .text")).to_have_text(expected)


def test_audio_plays_for_its_duration(visit: Visit) -> None:
    with visit("sample/audio") as page:
        check_runs(page)
        players = page.page.locator(".time")
        end = f"00:{AUDIO_SECONDS:02d}"
        expect(players).to_have_text([f"00:00/{end}"] * len(RUNS))
        expect(page.page.get_by_text(f"Sample Rate: {SAMPLE_RATE // 1000}kHz")).to_have_count(len(RUNS))
        page.page.locator(".control:not(.volume)").first.click()
        expect(players.first).to_have_text(f"{end}/{end}")


def test_histograms_draw_one_ridge_a_step(visit: Visit) -> None:
    with visit("histogram") as page:
        check_runs(page)
        charts = page.charts(len(RUNS), filled=1)
        assert {chart["title"] for chart in charts} == {f"weights/fc ({name})" for name in BY_NAME}
        for chart in charts:
            (ridges,) = chart["series"]
            assert len(ridges["data"]) == len(HISTOGRAM_STEPS)
            for step, ridge in zip(HISTOGRAM_STEPS, ridges["data"], strict=True):
                left, at, counts = np.reshape(ridge, (-1, 3)).T
                assert set(at) == {step}
                # The page interpolates the counts onto bins of its own; the mode stays.
                assert abs(left[counts.argmax()] - step) < 0.8
        for canvas in page.page.locator(".echarts canvas").all():
            page.until_inked(canvas, share=0.15)


def test_hyper_parameter_table_holds_the_true_values(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        table = page.page.get_by_role("table")
        rows = table.locator(".tbody").get_by_role("row")
        expect(rows).to_have_count(len(RUNS))
        header = [cell.inner_text() for cell in table.locator(".thead .th").all()]
        assert header == ["Trial ID", *RUNS[0].hparams, *METRICS]
        shown = {
            cells[0]: cells[1:] for cells in (row.get_by_role("cell").all_inner_texts() for row in rows.all())
        }
        assert sorted(shown) == sorted(run.path for run in RUNS)
        for run in RUNS:
            rate, batch_size, optimizer, *metrics = shown[run.path]
            assert float(rate) == run.learning_rate
            assert [batch_size, optimizer] == [str(run.batch_size), run.optimizer]
            # The last values, as exact as VisualDL's float32 can be.
            assert [float(metric) for metric in metrics] == [
                float(np.float32(run.scalars[tag][-1])) for tag in METRICS
            ]


def final(runs: list[SampleRun], tag: str) -> list[float]:
    return [float(run.scalars[tag][-1]) for run in runs]


def assert_drawn_upwards(values: list[float], heights: list[float]) -> None:
    """Larger values stand higher, in proportion; a screen's y grows downwards."""
    assert len(values) == len(heights)
    assert np.corrcoef(values, heights)[0, 1] == pytest.approx(-1, abs=1e-6)


def test_parallel_coordinates_draw_a_line_a_run(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        page.page.get_by_text("Parallel Coordinates View").click()
        names = page.page.locator("svg .indicator text")
        expect(names).to_have_text([*RUNS[0].hparams, *METRICS])
        lines = page.page.locator("svg path.line")
        expect(lines).to_have_count(len(RUNS))
        points = [
            np.reshape(re.findall(r"[\d.]+", line.get_attribute("d") or ""), (-1, 2)).astype(float)
            for line in lines.all()
        ]
        columns = np.stack(points)[:, :, 1].T
        # The order of the lines is that of the records: when the runs were configured.
        assert_drawn_upwards([run.learning_rate for run in RUNS], list(columns[0]))
        assert_drawn_upwards(final(list(RUNS), "eval/acc"), list(columns[3]))
        assert_drawn_upwards(final(list(RUNS), "eval/loss"), list(columns[4]))
        page.until_inked(page.page.locator("svg", has=page.page.locator("path.line")), share=0.01)


def test_scatter_plots_draw_a_dot_a_run(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        page.page.get_by_text("Scatter Plot Matrix View").click()
        plots = page.page.locator("svg:has(g.dots)")
        expect(plots).to_have_count(len(RUNS[0].hparams) * len(METRICS))
        expect(page.page.locator("g.dots circle")).to_have_count(len(RUNS) * plots.count())
        for index, plot in enumerate(plots.all()):
            tag = METRICS[index // len(RUNS[0].hparams)]
            dots = plot.locator("g.dots circle")
            heights = dots.evaluate_all("dots => dots.map(dot => dot.cy.baseVal.value)")
            assert_drawn_upwards(final(list(RUNS), tag), heights)


@pytest.mark.parametrize("kind", ["pr", "roc"])
def test_curves_pass_through_points_of_the_data(visit: Visit, kind: str) -> None:
    with visit(f"{kind}-curve") as page:
        colours = check_runs(page)
        (chart,) = page.charts(1, filled=len(RUNS))
        assert chart["title"] == f"eval/{kind}"
        assert sorted(series["name"] for series in chart["series"]) == sorted(BY_NAME)
        expect(page.page.get_by_text(f"Step {CURVE_STEPS[-1]}", exact=True)).to_have_count(len(RUNS))
        for series in chart["series"]:
            check_curve(kind, series)
        page.until_drawn(page.page.locator(".echarts canvas"), colours.values())


def check_curve(kind: str, series: Series) -> None:
    """Every drawn point is one that some threshold gives, and its rates follow from its counts."""
    labels, predictions = BY_NAME[series["name"]].scores(CURVE_STEPS[-1])
    positives, negatives = (labels == 1).sum(), (labels == 0).sum()
    taken = [predictions >= threshold for threshold in (*predictions, np.inf)]
    reachable = {((labels[t] == 1).sum(), (labels[t] == 0).sum()) for t in taken}
    rows = np.array(series["data"], dtype=float)
    assert len(rows) > 2
    y, x, tp, fp, tn, fn = rows.T[:6]
    assert set(zip(tp.tolist(), fp.tolist(), strict=True)) <= reachable
    assert set(tp + fn) == {positives}
    assert set(fp + tn) == {negatives}
    assert tp.max() == positives  # the curve is drawn to its end
    recall, fpr = tp / positives, fp / negatives
    some = tp + fp > 0
    if kind == "roc":
        np.testing.assert_allclose(np.array([y, x]), np.array([recall, fpr]), rtol=1e-6)
    else:
        np.testing.assert_allclose(x, recall, rtol=1e-6)
        np.testing.assert_allclose(y[some], (tp[some] / (tp + fp)[some]), rtol=1e-6)


def test_embeddings_are_projected_and_labelled(visit: Visit) -> None:
    with visit("high-dimensional") as page:
        options = page.page.locator("aside", has_text="Select Data").locator(".list").first.locator("[title]")
        expect(options).to_have_count(len(RUNS))
        by_option = {f"{run.path}/features": run for run in RUNS}
        names = options.all_text_contents()
        assert sorted(names) == sorted(by_option)
        shown = by_option[names[0]]
        rows, columns = shown.features.shape
        expect(page.page.get_by_text(f"Points: {rows}Types: {columns}")).to_be_visible()
        singular = np.linalg.svd(shown.features, compute_uv=False)  # the page's PCA does not centre
        share = singular**2 / (singular**2).sum()
        for index in range(3):
            expect(page.page.get_by_text(f"Component #{index + 1}: {share[index]:.2%}")).to_be_visible()
        page.until_inked(page.page.locator("article canvas").first, share=0.005)
        page.page.locator("aside input[type=text]").first.fill(LABELS[0])
        expect(page.page.get_by_text(f"{LABELS.count(LABELS[0])} matched.")).to_be_visible()


def test_model_graph_unfolds_into_its_layers(visit: Visit) -> None:
    with visit("graph/dynamic_graph") as page:
        expect(page.page.locator(".run-list")).to_have_text(GRAPH_RUN)
        graph = page.page.frame_locator("iframe")
        nodes = graph.locator(".node-item text")
        expect(nodes.filter(has_text="Sequential")).to_be_visible()
        expect(graph.locator(".edge-label").filter(has_text="28×28")).to_be_visible()
        graph.locator(".node-item-buttons").first.click()
        for layer in ("Conv2D", "ReLU", "Flatten", "Linear"):
            expect(nodes.filter(has_text=layer)).to_be_visible()


def test_chinese_page_shows_chinese_tags_and_runs(visit: Visit) -> None:
    with visit("scalar", locale="zh-CN") as page:
        expect(page.page.locator("nav .nav-text").first).to_have_text("标量数据")
        expect(page.page.get_by_text("选择数据流")).to_be_visible()
        colours = check_runs(page)
        assert "中文运行" in colours
        page.page.get_by_role("heading", name="训练", exact=True).click()
        *_, chart = page.charts(3, filled=2 * len(RUNS))
        assert chart["title"] == "训练/损失"
        page.until_drawn(page.page.locator(".echarts canvas").last, colours.values())


def test_a_request_to_another_host_is_blocked_and_counted(visit: Visit) -> None:
    def ask_elsewhere() -> None:
        with visit("images/logo-visualdl.svg") as page:
            assert page.faults() == []
            page.page.evaluate("fetch('http://visualdl.invalid/').catch(() => null)")

    with pytest.raises(AssertionError, match=r"request to another host: http://visualdl\.invalid/"):
        ask_elsewhere()
