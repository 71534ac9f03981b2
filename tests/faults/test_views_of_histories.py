"""Random histories of runs: every view shows the records that the model of sessions has, and no other."""

from __future__ import annotations

import csv
import io
import json
import math
import random
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import vizkit
from tests import session_model
from tests.helpers import PATIENCE
from tests.logs import NOW, path_in
from vizkit.cli._app import run as command
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.types import Record, SessionMark

Row = tuple[int | float, float]
Expected = dict[str, list[Row]]
"""Tag, or ``group/member`` -> steps and values that count."""

TAGS = ("train/loss", "eval/acc", "system/cpu", "标签", "group/a", "group/b")


def steps(r: random.Random, first: int, count: int) -> list[int | float]:
    """Ascending, descending, late, equal, starting over, negative or fractional."""
    up: list[int | float] = [first + place for place in range(count)]
    ways: dict[str, Sequence[int | float]] = {
        "up": up,
        "down": up[::-1],
        "late": [max(0, step - r.choice([0, 0, 0, 0, 1, 6])) for step in up],
        "equal": [first + place // 3 for place in range(count)],
        "over": [first + place % max(count // 3, 1) for place in range(count)],
        "negative": [step - 8 for step in up],
        "fractions": [step + r.choice([0, 0.25, 0.5]) for step in up],
        "random": [r.randrange(12) for _ in up],
    }
    return [*ways[r.choice([*ways, "up", "up"])]]


def session(r: random.Random, walltime: int) -> list[tuple[Record, bytes]]:
    """The records of a session and their frames; the streams of its tags are mixed."""
    first = r.choice([0, 0, 1, 3, 20])
    streams = [
        [(tag, step) for step in steps(r, first, r.choice([1, 2, 5, 12, 40]))]
        for tag in r.sample(TAGS, r.randint(1, 4))
    ]
    clock = r.choice([1, 0, -1])
    found: list[tuple[Record, bytes]] = []
    while streams:
        stream = r.choice(streams)
        tag, step = stream.pop(0)
        streams = [one for one in streams if one]
        now = walltime + clock * 1000 * len(found)
        value = r.choice([r.random(), 0.5, 0.5, -0.0, 1e300, math.nan, math.inf, -math.inf])
        group, _, member = tag.partition("/")
        if group == "group":
            frame = encode.encode_sub_scalar(group, member, value, step, now)
        else:
            field, wall = encode.step_field(step), encode.walltime_field(now)
            frame = encode.encode_scalar(encode.tag_field(tag), value, field, wall)
        found.append((decode_record(frame[8:]), frame))
    return found


def write(r: random.Random, directory: Path) -> list[session_model.OneSession]:
    """A run of sessions of VizKit and of stock VisualDL, whose every session is a file."""
    sessions: list[session_model.OneSession] = []
    number, joins = 0, False
    for _ in range(r.choice([1, 2, 2, 3, 5])):
        mark = r.choice([SessionMark.NONE, SessionMark.BEGINS, SessionMark.RESUMES])
        walltime = NOW + 100_000 * (len(sessions) + 1)
        records = session(r, walltime)
        number += not (joins and mark != SessionMark.NONE)
        joins = mark != SessionMark.NONE
        head = encode.encode_meta_data("meta_data_tag", "", 0, walltime, mark)
        with path_in(directory, number).open("ab") as log:
            log.write(head + b"".join(frame for _, frame in records))
        sessions.append((mark, [record for record, _ in records]))
    return sessions


def name_and_value(record: Record) -> tuple[str, float]:
    if record.kind == "scalars":
        return f"{record.tag}/{record.data.tag}", record.data.value
    return record.tag, record.data


def expected(sessions: list[list[Record]]) -> Expected:
    names = dict.fromkeys(name_and_value(record)[0] for some in sessions for record in some)
    found = {}
    for name in names:
        kept = session_model.counting(
            [[record for record in some if name_and_value(record)[0] == name] for some in sessions]
        )
        found[name] = [(record.step, name_and_value(record)[1]) for record in kept]
    return found


def same(found: Sequence[Sequence[float]], rows: Sequence[Row]) -> bool:
    """Equal numbers, NaN included, in this order."""
    return [tuple(map(repr, map(float, row))) for row in found] == [
        tuple(map(repr, map(float, row))) for row in rows
    ]


def in_brief(rows: list[Row]) -> dict[str, Any]:
    known = [row for row in rows if not math.isnan(row[1])]
    low, high = (best(known, key=lambda row: row[1]) if known else (None, None) for best in (min, max))
    return {
        "n": len(rows),
        "nan": len(rows) - len(known),
        "last": said(rows[-1][1]),
        "last_step": rows[-1][0],
        "least": said(low[1]),
        "least_step": low[0],
        "greatest": said(high[1]),
        "greatest_step": high[0],
    }


def said(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def points(body: bytes) -> list[tuple[float, float]]:
    """The points of the only curve of an answer."""
    (length,) = struct.unpack_from("<I", body)
    (curve,) = json.loads(body[4 : 4 + length])["curves"]
    assert curve["kind"] == "points"
    columns = []
    for name in ("x", "y"):
        array = curve["arrays"][name]
        if array["type"] == "ramp":
            columns.append(array["start"] + array["step"] * np.arange(array["count"]))
        else:
            start = 4 + length + array["offset"]
            columns.append(np.frombuffer(body, array["type"], array["count"], start))
    return [*zip(*(column.tolist() for column in columns), strict=True)]


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Expected]]:
    root = tmp_path_factory.mktemp("histories")
    runs: dict[str, Expected] = {}
    for seed in range(40):
        sessions = write(random.Random(seed), root / f"r{seed:02}")
        every = session_model.trainings(sessions, [None] * len(sessions))
        for number, some in enumerate(every, 1):
            runs[f"r{seed:02}" + f"@{number}" * (number < len(every))] = expected(some)
    return root, runs


def test_python_and_exports_show_what_counts(histories: tuple[Path, dict[str, Expected]]) -> None:
    root, wanted = histories
    runs = vizkit.load(root)
    assert set(runs.names) == set(wanted)
    frame = runs.scalars()
    table = {(row["run"], row["tag"]): list[tuple[float, float]]() for row in frame.to_dict("records")}
    for row in csv.DictReader(io.StringIO(runs.to_csv())):
        table[row["run"], row["tag"]].append((float(row["step"]), float(row["value"])))
    every = {one["name"]: one["scalars"] for one in json.loads(runs.to_json())}
    for run in runs:
        assert set(run.scalar_tags) == set(wanted[run.name]) == set(every[run.name])
        for tag, rows in wanted[run.name].items():
            columns, own = run.columns(tag), run.scalars(tag)
            assert same([*zip(columns.steps, columns.values, strict=True)], rows)
            assert same([*zip(own["step"], own["value"], strict=True)], rows)
            assert same(table[run.name, tag], rows)
            exported = every[run.name][tag]
            assert same([*zip(exported["steps"], exported["values"], strict=True)], rows)
            told, brief = run.summary(tag), in_brief(rows)
            assert (told.n, told.nan, told.last.step) == (brief["n"], brief["nan"], brief["last_step"])
            for point, way in ((told.min, "least"), (told.max, "greatest")):
                assert (point and said(point.value)) == brief[way]
                assert (point and point.step) == brief[f"{way}_step"]


def test_the_terminal_tells_what_counts(
    histories: tuple[Path, dict[str, Expected]], capsys: pytest.CaptureFixture[str]
) -> None:
    root, wanted = histories
    assert command(["ls", str(root), "--json"]) == 0
    for one in json.loads(capsys.readouterr().out):
        for tag, metric in one["metrics"].items():
            brief = in_brief(wanted[one["name"]][tag])
            assert (metric["n"], metric["nan"]) == (brief["n"], brief["nan"])
            assert metric["last_step"] == brief["last_step"]
            way = {"train/loss": "least", "eval/acc": "greatest"}.get(tag)
            assert metric["best_step"] == (brief[f"{way}_step"] if way else None)


def test_both_pages_show_what_counts(histories: tuple[Path, dict[str, Expected]]) -> None:
    root, wanted = histories
    with (
        vizkit.serve(root, samples=1_000_000) as server,
        httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=PATIENCE) as client,
    ):
        for name in [*wanted][::4]:
            run = client.get("/vizkit/api/run", params={"run": name}).json()
            assert set(run["scalars"]) == set(wanted[name])
            for tag, rows in wanted[name].items():
                brief = in_brief(rows)
                assert {key: run["scalars"][tag][key] for key in brief} == brief
                window = client.get("/vizkit/api/curves", params={"run": name, "tag": tag, "width": 8192})
                assert same(points(window.content), rows)
                if not tag.startswith("group/"):
                    asked = {"run": name, "tag": tag}
                    listed = client.get("/app/api/scalar/list", params=asked).json()["data"]
                    assert same([row[1:] for row in listed], rows)
