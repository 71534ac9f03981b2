"""Hyper-parameters and metrics whose names VisualDL's table takes as paths of properties."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

import vizkit

from .conftest import Visit

pytestmark = pytest.mark.browser

HPARAMS = {"optimizer.lr": 0.25, "layers[0]": 64, "layers[1].units": 32, "a.b.c": "x", "plain": 1, "].[": 7}
METRICS = {"eval.f1": 0.5, "eval/acc": 0.75, "top[5]": 0.875}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("names")
    for run in ("run1", "run2"):
        with vizkit.LogWriter(root / "log" / run) as writer:
            writer.add_hparams(HPARAMS, list(METRICS))
            for tag, value in METRICS.items():
                writer.add_scalar(tag, value, 0)
    with vizkit.serve(root / "log") as server:
        yield f"http://127.0.0.1:{server.port}"


def test_names_with_dots_and_brackets_are_shown_as_recorded_with_their_values(visit: Visit) -> None:
    with visit("hyper-parameter") as page:
        table = page.page.get_by_role("table")
        rows = table.locator(".tbody").get_by_role("row")
        expect(rows).to_have_count(2)
        for name in (*HPARAMS, *METRICS):
            expect(table.get_by_text(name, exact=True).first).to_be_visible()
        for run, row in zip(("run1", "run2"), rows.all(), strict=True):
            cells = [str(value) for value in (*HPARAMS.values(), *METRICS.values())]
            assert row.get_by_role("cell").all_inner_texts() == [run, *cells]
