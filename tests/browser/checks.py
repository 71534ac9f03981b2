"""What every page of VisualDL must show of the sample log, whoever wrote and whoever serves it.

``runs`` are the sample runs by the names that the page lists them by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
from playwright.sync_api import Locator, expect

from .sample_log import (
    AUDIO_SECONDS,
    BOTTOM_COLOUR,
    CURVE_STEPS,
    GRAPH_RUN,
    HISTOGRAM_STEPS,
    IMAGE,
    LABELS,
    METRICS,
    SAMPLE_RATE,
    TOP_COLOUR,
    SampleRun,
)
from .visualdl_page import Series, VisualDLPage

Runs = Mapping[str, SampleRun]


def check_runs(page: VisualDLPage, runs: Runs) -> dict[str, tuple[int, ...]]:
    """All runs are listed by name, each with a colour of its own; returns the colours."""
    listed = page.runs(len(runs))
    assert sorted(listed) == sorted(runs)
    assert len(set(listed.values())) == len(runs)
    return listed


def check_scalars(page: VisualDLPage, runs: Runs) -> None:
    """Every value of every run is drawn."""
    colours = check_runs(page, runs)
    groups = page.page.locator("h3")
    expect(groups).to_have_count(3)
    expect(page.page.locator(".echarts").first).to_be_visible()  # the first group is unfolded
    groups.evaluate_all("groups => groups.slice(1).forEach(group => group.click())")
    tags = set(next(iter(runs.values())).scalars)
    charts = page.charts(len(tags), filled=2 * len(runs))  # as it is, and smoothed
    assert {chart["title"] for chart in charts} == tags
    for chart in charts:
        for series in chart["series"]:
            values = runs[series["name"]].scalars[chart["title"]]
            _, steps, drawn = np.array(series["data"])[:, :3].T
            assert steps.tolist() == list(range(len(values)))
            # VisualDL's scalars are float32, and the page's own parser is a bit off in float64.
            assert drawn.astype(np.float32).tolist() == values.astype(np.float32).tolist()
    for canvas in page.page.locator(".echarts canvas").all():
        page.until_drawn(canvas, colours.values())


def check_images(page: VisualDLPage, runs: Runs) -> None:
    """Images are decoded, with their size and colours."""
    check_runs(page, runs)
    images = page.page.locator("article img")
    expect(images).to_have_count(len(runs))
    page.until(
        lambda: images.evaluate_all("images => images.every(i => i.naturalWidth)"), "images have loaded"
    )
    height, width = IMAGE.shape[:2]
    for image in images.all():
        assert image.evaluate("i => [i.naturalWidth, i.naturalHeight]") == [width, height]
        page.until_drawn(image, [TOP_COLOUR, BOTTOM_COLOUR], pixels=1000)


def check_texts(page: VisualDLPage, runs: Runs) -> None:
    """Texts are shown character by character."""
    names = list(check_runs(page, runs))
    headings = page.page.locator("h4")
    expect(headings).to_have_count(len(runs))
    for heading in headings.all()[1:]:  # the first is unfolded
        heading.click()
    expect(headings.locator(".run")).to_have_text(names)
    expected = [runs[name].text(step) for name in names for step in range(2)]
    expect(page.page.locator("article .text")).to_have_text(expected)


def check_audio(page: VisualDLPage, runs: Runs) -> None:
    """Audio has its sample rate, and plays for its duration."""
    check_runs(page, runs)
    players = page.page.locator(".time")
    end = f"00:{AUDIO_SECONDS:02d}"
    expect(players).to_have_text([f"00:00/{end}"] * len(runs))
    rate = f"{page.word('sample', 'sample-rate')}{page.word('common', 'colon')}{SAMPLE_RATE // 1000}kHz"
    expect(page.page.get_by_text(rate)).to_have_count(len(runs))
    page.page.locator(".control:not(.volume)").first.click()
    expect(players.first).to_have_text(f"{end}/{end}")


def check_histograms(page: VisualDLPage, runs: Runs) -> None:
    """A histogram is one ridge a step."""
    check_runs(page, runs)
    charts = page.charts(len(runs), filled=1)
    assert {chart["title"] for chart in charts} == {f"weights/fc ({name})" for name in runs}
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


def check_table(page: VisualDLPage, runs: Runs, *, exact: bool = False) -> list[str]:
    """The table holds the hyper-parameters and the true last values; returns the order of its runs.

    ``exact``: as float64; else as exact as VisualDL's float32 can be.
    """
    table = page.page.get_by_role("table")
    rows = table.locator(".tbody").get_by_role("row")
    expect(rows).to_have_count(len(runs))
    header = [cell.inner_text() for cell in table.locator(".thead .th").all()]
    assert header == ["Trial ID", *next(iter(runs.values())).hparams, *METRICS]
    cells = [row.get_by_role("cell").all_inner_texts() for row in rows.all()]
    shown = {name: values for name, *values in cells}
    assert sorted(shown) == sorted(runs)
    for name, run in runs.items():
        rate, batch_size, optimizer, *metrics = shown[name]
        assert float(rate) == run.learning_rate
        assert [batch_size, optimizer] == [str(run.batch_size), run.optimizer]
        last = np.array([run.scalars[tag][-1] for tag in METRICS])
        assert [float(metric) for metric in metrics] == (last if exact else last.astype(np.float32)).tolist()
    return list(shown)


def _final(runs: Iterable[SampleRun], tag: str) -> list[float]:
    return [float(run.scalars[tag][-1]) for run in runs]


def assert_drawn_upwards(values: list[float], heights: list[float]) -> None:
    """Larger values stand higher, in proportion; a screen's y grows downwards."""
    assert len(values) == len(heights)
    assert abs(np.corrcoef(values, heights)[0, 1] + 1) < 1e-6


def crossings(lines: Locator, axis: int) -> list[float]:
    """Where each line of the parallel coordinates crosses an axis."""
    points = [re.findall(r"[\d.]+", line.get_attribute("d") or "") for line in lines.all()]
    return [float(numbers[2 * axis + 1]) for numbers in points]


def check_parallel_coordinates(page: VisualDLPage, in_order: list[SampleRun]) -> None:
    """A line a run, in the order of the server's answer, through its values."""
    page.page.get_by_text(page.word("hyper-parameter", "views", "parallel-coordinates")).click()
    names = page.page.locator("svg .indicator text")
    expect(names).to_have_text([*in_order[0].hparams, *METRICS])
    lines = page.page.locator("svg path.line")
    expect(lines).to_have_count(len(in_order))
    assert_drawn_upwards([run.learning_rate for run in in_order], crossings(lines, 0))
    assert_drawn_upwards(_final(in_order, "eval/acc"), crossings(lines, 3))
    assert_drawn_upwards(_final(in_order, "eval/loss"), crossings(lines, 4))
    page.until_inked(page.page.locator("svg", has=page.page.locator("path.line")), share=0.01)


def check_scatter_plots(page: VisualDLPage, in_order: list[SampleRun]) -> None:
    """A plot for each hyper-parameter and metric, with a dot a run at its height."""
    page.page.get_by_text(page.word("hyper-parameter", "views", "scatter-plot-matrix")).click()
    plots = page.page.locator("svg:has(g.dots)")
    expect(plots).to_have_count(len(in_order[0].hparams) * len(METRICS))
    expect(page.page.locator("g.dots circle")).to_have_count(len(in_order) * plots.count())
    for index, plot in enumerate(plots.all()):
        tag = METRICS[index // len(in_order[0].hparams)]
        dots = plot.locator("g.dots circle")
        centres = dots.evaluate_all("dots => dots.map(dot => dot.cy.baseVal.value)")
        assert_drawn_upwards(_final(in_order, tag), centres)


def check_curves(page: VisualDLPage, runs: Runs, kind: str, *, stock_rates: bool = False) -> None:
    """Curves pass through points of the data.

    ``stock_rates``: VisualDL's writer divides an ROC curve's hits by the negatives.
    """
    colours = check_runs(page, runs)
    (chart,) = page.charts(1, filled=len(runs))
    assert chart["title"] == f"eval/{kind}"
    assert sorted(series["name"] for series in chart["series"]) == sorted(runs)
    expect(page.page.get_by_text(f"Step {CURVE_STEPS[-1]}", exact=True)).to_have_count(len(runs))
    for series in chart["series"]:
        _check_curve(kind, series, runs[series["name"]], stock_rates)
    page.until_drawn(page.page.locator(".echarts canvas"), colours.values())


def _check_curve(kind: str, series: Series, run: SampleRun, stock_rates: bool) -> None:
    """Every drawn point is one that some threshold gives, and its rates follow from its counts."""
    labels, predictions = run.scores(CURVE_STEPS[-1])
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
        rate = tp / negatives if stock_rates else recall
        np.testing.assert_allclose(np.array([y, x]), np.array([rate, fpr]), rtol=1e-6)
    else:
        np.testing.assert_allclose(x, recall, rtol=1e-6)
        np.testing.assert_allclose(y[some], (tp[some] / (tp + fp)[some]), rtol=1e-6)


def check_embeddings(page: VisualDLPage, sets: Runs) -> list[str]:
    """Vectors are projected and labelled; ``sets`` are the runs by their entries in the list of data.

    Returns the entries in their order.
    """
    choice = page.page.locator("aside", has_text=page.word("high-dimensional", "select-data"))
    options = choice.locator(".list").first.locator("[title]")
    expect(options).to_have_count(len(sets))
    names = options.all_text_contents()
    assert sorted(names) == sorted(sets)
    shown = sets[names[0]]
    rows, columns = shown.features.shape
    points, types = page.word("high-dimensional", "points"), page.word("high-dimensional", "data-dimension")
    colon = page.word("common", "colon")
    counts = page.page.get_by_text(f"{points}{colon}{rows}{types}{colon}{columns}")
    for _ in range(5):
        try:
            expect(counts).to_be_visible(timeout=20_000)
            break
        except AssertionError:  # on a busy machine the page at times never ends parsing, whoever serves it
            page.page.reload()
    expect(counts).to_be_visible()
    singular = np.linalg.svd(shown.features, compute_uv=False)  # the page's PCA does not centre
    share = singular**2 / (singular**2).sum()
    for index in range(3):
        component = page.word("high-dimensional", "component").replace("{{index}}", str(index + 1))
        expect(page.page.get_by_text(f"{component}{colon}{share[index]:.2%}")).to_be_visible()
    page.until_inked(page.page.locator("article canvas").first, share=0.005)
    page.page.locator("aside input[type=text]").first.fill(LABELS[0])
    matched = page.word("high-dimensional", "matched-result-count")
    matched = matched.replace("{{count}}", str(LABELS.count(LABELS[0])))
    expect(page.page.get_by_text(matched)).to_be_visible()
    return names


def check_graph(page: VisualDLPage) -> None:
    """The model's graph is one box, which unfolds into its layers."""
    expect(page.page.locator(".run-list")).to_have_text(GRAPH_RUN)
    graph = page.page.frame_locator("iframe")
    nodes = graph.locator(".node-item text")
    expect(nodes.filter(has_text="Sequential")).to_be_visible()
    expect(graph.locator(".edge-label").filter(has_text="28×28")).to_be_visible()
    graph.locator(".node-item-buttons").first.click()
    for layer in ("Conv2D", "ReLU", "Flatten", "Linear"):
        expect(nodes.filter(has_text=layer)).to_be_visible()
