"""Comparisons of two sets of runs; intervals equal SciPy's."""

from __future__ import annotations

import json
import math

import pytest

from vizkit import QueryError, Runs, UnknownNameError

stats = pytest.importorskip("scipy.stats")


def test_compare(seeds: Runs) -> None:
    found = seeds.compare("optimizer == 'SGD'", "adam-*", "acc", paired=False)
    values = [0.68, 0.7, 0.73], [0.83, 0.85, 0.88]
    expected = stats.ttest_ind(values[1], values[0], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert (
        found.difference == pytest.approx(0.15) and (found.n_a, found.n_b) == (3, 3) and found.better is True
    )
    assert seeds.compare("adam-*", "sgd-*", "acc").better is False
    assert seeds.compare("adam-*", "sgd-*", "acc", mode="min").better is True
    assert "95 % interval" in str(found) and "B is better" in str(found)
    assert seeds.compare(seeds["sgd-*"], seeds["sgd-*"], "acc").better is None


def test_one_run_a_side_has_no_interval(seeds: Runs) -> None:
    found = seeds.compare("sgd-0", seeds["adam-0"], "acc")
    assert found.better is None and math.isnan(found.low) and found.n_a == 1
    assert "no interval can be given" in str(found)
    told = json.loads(json.dumps(found.to_dict()))
    assert told["low"] is None and told["better"] is None and told["n_a"] == 1


def test_a_comparison_is_a_table_and_a_picture_too(seeds: Runs) -> None:
    found = seeds.compare("sgd-*", "adam-*", "acc")
    assert f"<p>{found.sentence}</p>" in found._repr_html_() and "<td>0.703333</td>" in found._repr_html_()
    assert found.plot().data.intervals == ((found.difference, found.low, found.high),)


def test_what_cannot_be_compared(seeds: Runs) -> None:
    with pytest.raises(UnknownNameError, match="'sgd-9'"):
        seeds.compare("sgd-9", "adam-0", "acc")
    with pytest.raises(QueryError, match="none of the 0 runs of B"):
        seeds.compare("sgd-0", "seed > 9", "acc")
    with pytest.raises(UnknownNameError, match="'loss'"):
        seeds.compare("sgd-0", "sgd-1", "loss")
