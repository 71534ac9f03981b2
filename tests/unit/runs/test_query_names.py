"""Names in filters and sort keys."""

from __future__ import annotations

import pytest

from tests.helpers import ROOT
from vizkit import QueryError, Runs, UnknownNameError
from vizkit.runs.query import MISSING
from vizkit.runs.query_names import FIELDS, key_values, sort_order
from vizkit.runs.statistics import STATISTICS


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("`batch size` == 64 and `learning rate` < 0.01 and `eval/acc`.max > 0.85", [1]),
        ("`eval/acc` > 0.7", [1, 2]),
        ("`eval/acc`.last <= 0.75", [2, 10]),
        ("eval/acc > 0.7 and `batch size`/2 > 1", [1, 2]),  # no backquotes; a division
        ("eval/acc.max-0.1 > 0.75", [1]),
        ("optimizer == 'eval/acc' or eval/acc/2 > 0.35", [1, 2]),
        ("`eval/acc`.min < 0.55 < `eval/acc`.max", [1]),
        ("optimizer in ['SGD', 'Momentum']", [2, 10]),
        ("optimizer not in ('SGD',)", [1]),
        ("not optimizer == 'SGD'", [1]),
        ("'run1' in name", [1, 10]),
        ("`batch size` / 2 + 1 >= 33 and `batch size` % 128 == 0", [10]),
        ("`eval/acc`.mean > 0.7 or `learning rate` == 1e-2", [1, 2]),
        ("status == 'unknown' and amp", [1, 2, 10]),
        ("amp == False", []),
        ("`eval/acc`.best_step == 10", [1]),
        ("`eval/acc`.n == 3 and duration >= 4", [1, 2, 10]),
        ("-`learning rate` ** 2 < -1e-3", [10]),
        ("hparams.`learning rate` in {0.1, 0.001}", [1, 10]),
        ("optimizer == \"`x` in 'y'\"", []),
        ("1 / 0 > 3", []),
        ("10 ** 1000 > 1", [1, 2, 10]),
    ],
)
def test_filter(lenet: Runs, expression: str, expected: list[int]) -> None:
    assert lenet.filter(expression).names == [f"lenet/run{number}" for number in expected]


def test_what_a_run_lacks_is_neither_true_nor_false(runs: Runs) -> None:
    assert "other/media" not in runs.filter("`batch size` == 64").names
    assert "other/media" not in runs.filter("not `batch size` == 64").names
    assert runs.filter("`batch size` == 64 or `loss/train` < 1").names == [
        "lenet/run1",
        "lenet/run2",
        "other/media",
    ]
    assert runs.filter("`batch size` is None").names == ["other/media"]
    assert len(runs.filter("`batch size` is not None")) == 3
    assert runs.filter(lambda run: run.name.endswith("2")).names == ["lenet/run2"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("`batchsize` == 64", "no hyper-parameter, tag or field 'batchsize'; closest: 'batch size'"),
        ("eval/recall > 0.9", "slashes stand in backquotes"),
        ("`eval/acc`.median > 1", "no statistic of 'eval/acc', 'median'"),
        ("accuracy > 1", "'accuracy'"),
    ],
)
def test_unknown_names_in_a_filter(lenet: Runs, expression: str, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        lenet.filter(expression)


def test_what_cannot_be_compared_in_any_run_is_said(lenet: Runs) -> None:
    with pytest.raises(QueryError, match="'Adam' and 3 cannot be compared"):
        lenet.filter("optimizer < 3")
    with pytest.raises(QueryError, match="not all numbers"):
        lenet.filter("optimizer * 3 == 'x'")


def test_sort_puts_what_is_missing_last(runs: Runs) -> None:
    assert (
        runs.sort("learning rate").names[0] == "lenet/run1"
        and runs.sort("learning rate").names[-1] == "other/media"
    )
    assert runs.sort("learning rate", reverse=True).names == [
        "lenet/run10",
        "lenet/run2",
        "lenet/run1",
        "other/media",
    ]
    assert runs.sort("eval/acc", reverse=True).names[0] == "lenet/run1"
    assert runs.sort("`eval/acc`.min").names[0] == "lenet/run10"
    assert runs.sort("name", reverse=True).names[0] == "other/media"
    assert runs.sort("name").names == runs.names  # run2 before run10
    assert runs.sort(lambda run: -len(run.name)).names[0] == "lenet/run10"
    with pytest.raises(UnknownNameError, match="closest: 'learning rate'"):
        runs.sort("learning rat")


def test_a_wrong_name_is_not_taken_for_an_expression(lenet: Runs) -> None:
    with pytest.raises(UnknownNameError, match="'learning-rate'; closest: 'learning rate'"):
        lenet.group_by("learning-rate")
    with pytest.raises(UnknownNameError, match=r"no run that fits '\*adam\*'"):
        lenet.compare("*adam*", "lenet/run1", "eval/acc")
    assert lenet.sort("`eval/acc`*-1").names == lenet.sort("eval/acc", reverse=True).names


def test_values_of_any_types_are_sorted() -> None:
    values = ["run10", "run2", 3, 1.5, True, None, float("nan"), (2,), (1,), [2], MISSING]
    order = [values[index] for index in sort_order(values)]
    assert order[:7] == [True, 1.5, 3, "run2", "run10", (1,), (2,)] and order[7] == [2]
    assert [values[index] for index in sort_order(values, reverse=True)][:3] == [[2], (2,), (1,)]
    assert sort_order([("b",), (2,)]) == [1, 0]  # these do not compare: by their texts


def test_keys_of_no_runs_have_no_values() -> None:
    assert key_values([], "anything") == [] and len(Runs().sort("x")) == 0
    assert Runs().filter("x > 1").names == []


def test_a_wrong_expression_to_sort_by_is_not_taken_for_a_name(lenet: Runs) -> None:
    with pytest.raises(QueryError, match="is no expression"):
        lenet.sort("`eval/acc` +")
    with pytest.raises(QueryError, match="is no expression"):
        lenet.sort("1 2 ==")


def test_every_statistic_can_follow_a_tag_and_is_documented(lenet: Runs) -> None:
    guide = (ROOT / "docs" / "guides" / "reading.md").read_text("utf-8")
    documented = Runs.filter.__doc__ or ""
    for name in STATISTICS:
        assert len(lenet.filter(f"`eval/acc`.{name} is not None")) == 3
        assert f"``.{name}``" in documented and f".{name}" in guide
    for name in FIELDS:
        assert f"``{name}``" in documented
        lenet.filter(f"{name} is not None")
