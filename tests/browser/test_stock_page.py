"""Stock VisualDL's own page, in a real browser, shows a log that VizKit wrote."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from . import checks
from .conftest import Visit
from .sample_log import RUNS

pytestmark = pytest.mark.browser

BY_NAME = {run.shown: run for run in RUNS}


def test_scalars_draw_every_value_of_every_run(visit: Visit) -> None:
    with visit("scalar") as page:
        checks.check_scalars(page, BY_NAME)


def test_images_are_decoded_with_their_size_and_colours(visit: Visit) -> None:
    with visit("sample/image") as page:
        checks.check_images(page, BY_NAME)


def test_texts_are_shown_character_by_character(visit: Visit) -> None:
    with visit("sample/text") as page:
        checks.check_texts(page, BY_NAME)


def test_audio_plays_for_its_duration(visit: Visit) -> None:
    with visit("sample/audio") as page:
        checks.check_audio(page, BY_NAME)


def test_histograms_draw_one_ridge_a_step(visit: Visit) -> None:
    with visit("histogram") as page:
        checks.check_histograms(page, BY_NAME)


def test_hyper_parameter_table_holds_the_true_values(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        checks.check_table(page, {run.path: run for run in RUNS})


# The order of lines and dots is that of the records: when the runs were configured.
def test_parallel_coordinates_draw_a_line_a_run(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        checks.check_parallel_coordinates(page, list(RUNS))


def test_scatter_plots_draw_a_dot_a_run(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        checks.check_scatter_plots(page, list(RUNS))


@pytest.mark.parametrize("kind", ["pr", "roc"])
def test_curves_pass_through_points_of_the_data(visit: Visit, kind: str) -> None:
    with visit(f"{kind}-curve") as page:
        checks.check_curves(page, BY_NAME, kind)


def test_embeddings_are_projected_and_labelled(visit: Visit) -> None:
    with visit("high-dimensional") as page:
        checks.check_embeddings(page, {f"{run.path}/features": run for run in RUNS})


def test_model_graph_unfolds_into_its_layers(visit: Visit) -> None:
    with visit("graph/dynamic_graph") as page:
        checks.check_graph(page)


def test_chinese_page_shows_chinese_tags_and_runs(visit: Visit) -> None:
    with visit("scalar", locale="zh-CN") as page:
        expect(page.page.locator("nav .nav-text").first).to_have_text("标量数据")
        expect(page.page.get_by_text("选择数据流")).to_be_visible()
        colours = checks.check_runs(page, BY_NAME)
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
