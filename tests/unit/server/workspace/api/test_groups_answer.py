"""Groups of runs in numbers are those of `Runs.group_by`, and their filters select them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import vizkit

from .client import Client

ODD = 'a `b` == "c" <i>\''


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("groups") / "log"
    for number in range(7):
        hparams: dict[str, object] = {"rate": 0.1 * (number % 2), ODD: f"x{number % 3}'\"", "status": "fast"}
        if number == 6:
            del hparams["rate"]
        with vizkit.LogWriter(root / f"run{number}") as writer:
            writer.add_hparams(hparams, ["eval/acc"])
            for step in range(3):
                writer.add_scalar("eval/acc", 0.5 + 0.01 * number + 0.1 * step, step)
                writer.add_scalar("odd", float(number), step)
            if number > 4:
                writer.add_scalar("rare/loss", math.nan if number == 5 else 1.0, 0)
    return root


@pytest.mark.parametrize("names", [["rate"], [ODD], ["rate", ODD]])
@pytest.mark.parametrize("tag", ["eval/acc", "rare/loss"])
def test_groups_have_the_numbers_of_python(names: list[str], tag: str, log: Path, client: Client) -> None:
    runs = vizkit.load(log)
    groups = runs.group_by(names)
    answer = client.json("groups", tag=tag, group=names)
    assert answer["mode"] == ("max" if tag == "eval/acc" else "min") and answer["more"] == 0
    table = groups.table(tag).to_dict("records")
    assert len(answer["groups"]) == len(table) == len(groups)
    for one, row, (label, group) in zip(answer["groups"], table, groups.items(), strict=True):
        assert one["values"] == (list(label) if isinstance(label, tuple) else [label])
        assert one["runs"] == group.names and one["n"] == row["n"]
        for name, part in (("mean", "mean"), ("low", "low"), ("high", "high"), ("std", "std")):
            assert one[name] == row[part] or (one[name] is None and math.isnan(row[part])), name
        for name, part in (("least", "min"), ("greatest", "max")):
            assert one[name] == row[part] or (one[name] is None and math.isnan(row[part])), name
        selected = client.json("runs", filter=one["filter"])["runs"]
        assert [run["name"] for run in selected] == group.names


def test_a_hyper_parameter_named_as_a_field_is_one(client: Client) -> None:
    (group,) = client.json("groups", tag="eval/acc", group="status")["groups"]
    assert group["values"] == ["fast"] and len(group["runs"]) == 7


def test_some_runs_and_a_direction_are_named(client: Client) -> None:
    answer = client.json("groups", tag="odd", group="rate", run=["run0", "run1", "run3"], mode="max")
    assert [(group["values"], group["greatest"]) for group in answer["groups"]] == [([0.0], 0), ([0.1], 3)]


def test_what_cannot_be_grouped_is_said(client: Client) -> None:
    answer = client.json("groups", tag="odd", group="rate")
    assert answer["groups"] == [] and "odd" in answer["reason"]
    assert client.json("groups", tag="eval/acc")["reason"]
    assert client.get("groups", tag="eval/acc", group="colour").status_code == 404
    assert client.get("groups", tag="nothing", group="rate").status_code == 404
