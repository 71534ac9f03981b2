"""Tabs, runs and tags."""

from __future__ import annotations

from pathlib import Path

import vizkit
from tests.helpers import api, until


def test_tabs_are_in_order_and_runs_natural(server: vizkit.Server) -> None:
    tabs = "scalar histogram image text audio hyper_parameters pr_curve roc_curve embeddings"
    assert api(server, "component_tabs") == tabs.split()
    runs = api(server, "scalar/tags")["runs"]
    assert runs == ["中文运行", "odd", "odd/sc_group_a", "odd/sc_group_b", "run1", "run2", "run10"]
    for kind in ("image", "histogram", "pr-curve"):
        shown = api(server, f"{kind}/tags")["runs"]
        assert shown == [run for run in runs if run in shown]


def test_an_empty_directory_has_a_page(tmp_path: Path) -> None:
    with vizkit.serve(tmp_path) as server:
        assert api(server, "component_tabs") == ["scalar"]
        assert api(server, "components") == []
        assert api(server, "scalar/tags") == {"runs": [], "tags": []}
        assert api(server, "hparams/indicators") == {"hparams": [], "metrics": []}
        assert api(server, "hparams/importance") == []


def test_the_tab_of_hyper_parameters_comes_with_the_first_metric(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams({"lr": 0.1}, ["eval/acc"])
        writer.add_scalar("train/loss", 1.0, 0)
        with vizkit.serve(tmp_path) as server:
            assert api(server, "component_tabs") == api(server, "components") == ["scalar"]
            writer.add_scalar("eval/acc", 0.5, 0)
            until(lambda: api(server, "component_tabs") == ["scalar", "hyper_parameters"])
            assert api(server, "components") == ["scalar", "hyper_parameters"]
