"""Labels, notes and archived runs: what is written is read; bad files cost themselves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import vizkit
from tests.helpers import ROOT
from vizkit.errors import DataError
from vizkit.runs.remarks import Remarks
from vizkit.writing import log_file


@pytest.fixture
def log(tmp_path: Path) -> Path:
    for name in ("a", "b", "c"):
        with vizkit.LogWriter(tmp_path / name) as writer:
            writer.add_scalar("loss", 0.5, 0)
    return tmp_path


def test_remarks_are_read_by_every_loader_and_filtered_by(log: Path) -> None:
    runs = vizkit.load(log)
    one = runs["b"]
    assert (one.labels, one.note, one.archived) == ([], "", False)
    one.annotate(add=["good", "基线 ★"], note="line\n**two**")
    one.annotate(add="good", archived=True)
    again = vizkit.load(log)["b"]
    assert again.labels == ["good", "基线 ★"] and again.note == "line\n**two**" and again.archived
    assert runs.filter('"good" in labels').names == ["b"]
    assert runs.filter("not archived").names == ["a", "c"]
    assert runs.filter('note != ""').names == ["b"]
    again.annotate(remove=["good", "never"], note="", archived=False)
    assert one.labels == ["基线 ★"]  # the file changed: it is read again
    one.annotate(remove="基线 ★")
    assert json.loads((log / "b" / "remarks.json").read_text()) == {}


def test_each_training_of_a_directory_has_its_own_remarks(tmp_path: Path) -> None:
    for value in (1.0, 2.0, 3.0):
        log_file._begun.clear()  # as in a new process
        with vizkit.LogWriter(tmp_path / "run") as writer:
            for step in range(3):
                writer.add_scalar("loss", value, step)
        runs = vizkit.load(tmp_path)
        runs[-1].annotate(add=f"training of {value}")
    labels = {run.name: run.labels for run in vizkit.load(tmp_path)}
    assert labels == {
        "run@1": ["training of 1.0"],
        "run@2": ["training of 2.0"],
        "run": ["training of 3.0"],
    }


@pytest.mark.parametrize("label", ["", " ", "a\nb", "x" * 201, "\x1b[31m"])
def test_a_label_that_is_none_is_refused_and_changes_nothing(log: Path, label: str) -> None:
    run = vizkit.load(log)["a"]
    run.annotate(add="kept")
    with pytest.raises(DataError, match="a label is a line"):
        run.annotate(add=["other", label], note="lost?")
    assert run.labels == ["kept"] and run.note == ""


def test_limits() -> None:
    with pytest.raises(DataError, match="at most 1,000 labels"):
        Remarks().edited(add=map(str, range(1001)))
    with pytest.raises(DataError, match="100,001"):
        Remarks().edited(note="x" * 100_001)


@pytest.mark.parametrize(
    "content",
    [b"{", b"[]", b"\xff", b'{"1":' * 100_000, b" " * (1 << 21)],
    ids=["torn", "list", "bytes", "deep", "large"],
)
def test_a_file_that_cannot_be_read_is_that_runs_problem_and_is_kept(log: Path, content: bytes) -> None:
    path = log / "a" / "remarks.json"
    path.write_bytes(content)
    run = vizkit.load(log)["a"]
    assert run.labels == [] and not run.archived
    assert [problem.kind for problem in run.problems] == ["unreadable"]
    with pytest.raises(DataError, match="remarks"):
        run.annotate(add="good")
    assert path.read_bytes() == content


def test_values_of_other_kinds_count_as_not_given(log: Path) -> None:
    odd = {
        "1": {"labels": ["a", 1, None, "a"], "note": 7, "archived": "yes"},
        "2": "x",
        "3": {"labels": "abc"},
    }
    (log / "a" / "remarks.json").write_text(json.dumps(odd))
    run = vizkit.load(log)["a"]
    assert (run.labels, run.note, run.archived, run.problems) == (["a"], "", False, [])


def test_editors_at_once_lose_nothing(log: Path) -> None:
    code = """import sys, vizkit
run = vizkit.load(sys.argv[1])[0]
for n in range(20):
    run.annotate(add=f"{sys.argv[2]}-{n}")
"""
    editors = [
        subprocess.Popen([sys.executable, "-c", code, str(log / "a"), str(number)], cwd=ROOT)
        for number in range(3)
    ]
    assert [editor.wait(300) for editor in editors] == [0, 0, 0]
    assert sorted(vizkit.load(log)["a"].labels) == sorted(f"{e}-{n}" for e in range(3) for n in range(20))


def test_a_run_that_is_replaced_takes_its_remarks_along(log: Path) -> None:
    vizkit.load(log)["a"].annotate(add="old")
    with vizkit.Tracker(log / "a", if_exists="replace") as tracker:
        tracker.log({"loss": 1.0})
    assert vizkit.load(log)["a"].labels == []
