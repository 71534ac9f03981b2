"""What the server answers: as stock VisualDL on the same log, where stock is right."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import numpy as np
import pytest

import vizkit
from tests.browser.sample_log import RUNS, write_log
from tests.helpers import api, python
from vizkit.errors import DataError, LogNotFoundError, ServeError
from vizkit.reading import Scalars
from vizkit.server.visualdl.api.scalar_page import points

_STOCK = """
import base64, json, os, sys
os.chdir(sys.argv[1])
from visualdl.server.api import create_api_call
call = create_api_call("log", "", 20)
answers = []
for path, query in json.loads(sys.argv[2]):
    data = call(path, query)[0]
    answers.append(data if isinstance(data, str) else base64.b64encode(data).decode())
print("ANSWERS" + json.dumps(answers))
"""

ASKED: list[tuple[str, dict[str, str]]] = [
    ("components", {}),
    ("runs", {}),
    *(
        (f"{kind}/tags", {})
        for kind in ("scalar", "histogram", "image", "audio", "text", "pr-curve", "roc-curve")
    ),
    ("scalar/list", {"run": "run1", "tag": "train/loss"}),
    ("scalar/list", {"run": "run1", "tag": "eval%acc"}),
    ("scalar/list", {"run": "中文运行", "tag": "训练/损失"}),
    ("scalar/list", {"run": "odd", "tag": "x/nan"}),
    ("scalar/list", {"run": "odd/sc_group_a", "tag": "sc/group"}),
    ("scalar/data", {"run": "run1", "tag": "train/loss", "type": "csv"}),
    ("scalar/data", {"run": "run1", "tag": "train/loss", "type": "tsv"}),
    ("histogram/list", {"run": "run2", "tag": "weights/fc"}),
    ("image/list", {"run": "run2", "tag": "inputs/flag"}),
    ("image/image", {"run": "run2", "tag": "inputs/flag", "index": "0"}),
    ("audio/list", {"run": "run2", "tag": "tones/a4"}),
    ("audio/audio", {"run": "run2", "tag": "tones/a4", "index": "0"}),
    ("text/list", {"run": "run2", "tag": "notes/summary"}),
    ("text/text", {"run": "run2", "tag": "notes/summary", "index": "1"}),
    ("pr-curve/steps", {"run": "run2"}),
    ("pr-curve/list", {"run": "run2", "tag": "eval/pr"}),
    ("roc-curve/steps", {"run": "run2"}),
    ("roc-curve/list", {"run": "run2", "tag": "eval/roc"}),
    ("hparams/indicators", {}),
    ("hparams/list", {}),
    ("hparams/metric", {"run": "run10", "metric": "eval/acc"}),
    ("hparams/data", {"type": "csv"}),
    ("embedding/list", {}),
    ("embedding/tensor", {"name": "run1/features"}),
    ("embedding/metadata", {"name": "run1/features"}),
    ("graph/static_graph", {}),
]


def write(root: Path) -> None:
    runs = [run for run in RUNS if run.name != "run1"]
    write_log(root / "log", vizkit.LogWriter, runs)
    with vizkit.LogWriter(root / "log/run1") as writer:  # without its graph, which takes seconds
        run = RUNS[0]
        writer.add_hparams(run.hparams, ["eval/acc", "eval/loss"])
        for tag, values in run.scalars.items():
            for step, value in enumerate(values):
                writer.add_scalar(tag, float(value), step)
        writer.add_embeddings("features", run.features, metadata=[f"class {row % 3}" for row in range(60)])
    with vizkit.LogWriter(root / "log/odd") as writer:
        for step, value in enumerate((float("nan"), float("inf"), 2.0)):
            writer.add_scalar("x/nan", value, step)
            writer.add_scalars("sc/group", {"a": step, "b": 2 * step}, step)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("served")
    write(root)
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[vizkit.serve.Server]:
    with vizkit.serve(root / "log") as server:
        yield server


@pytest.fixture(scope="module")
def stock(root: Path) -> dict[tuple[str, str], str]:
    """Stock's answers; its names of runs begin with the log directory's, but for display names."""
    asked = []
    for path, query in ASKED:
        named = {**query, **{key: f"log/{query[key]}" for key in ("run", "name") if key in query}}
        named = {key: value.replace("log/中文运行", "中文运行") for key, value in named.items()}
        asked.append((path, named))
    done = python(_STOCK, root, json.dumps(asked), timeout=120)
    assert "ANSWERS" in done.stdout, done.stderr[-2000:]
    answers = json.loads(done.stdout.rpartition("ANSWERS")[2])
    return {(path, urlencode(query)): text for (path, query), text in zip(ASKED, answers, strict=True)}


def plain(data: Any) -> Any:
    """The same data with VizKit's names of runs, in one order."""
    if isinstance(data, dict):
        if set(data) == {"runs", "tags"}:
            return sorted(zip(map(plain, data["runs"]), map(plain, data["tags"]), strict=True))
        return {key: plain(value) for key, value in data.items()}
    if isinstance(data, list):
        if data and isinstance(data[0], dict) and "name" in data[0]:
            return sorted((plain(item) for item in data), key=lambda item: str(item["name"]))
        return [plain(item) for item in data]
    if isinstance(data, str):
        shown = data.replace("log/lenet/seed1/features", "中文运行/features")
        return shown.removeprefix("log/").replace("lenet/seed1", "中文运行")
    return pytest.approx(data, rel=1e-6) if isinstance(data, float) else data


def differences(path: str, ours: Any, theirs: Any) -> tuple[Any, Any]:
    """Both without what stock has wrong, each named here."""
    if path == "components":  # a name is no page; the members of groups are on the page of scalars
        return sorted(ours), sorted(set(theirs) - {"meta_data", "scalars"})
    if path == "runs":
        return sorted(ours), sorted(plain(theirs))
    if path == "hparams/indicators":  # the order of values and columns is the order of the runs
        for data in (ours, theirs):
            for item in data["hparams"]:
                item["values"] = sorted(item["values"])
    if path in ("pr-curve/list", "roc-curve/list"):  # stock guesses i/n where thresholds were recorded
        assert all(row[8] == pytest.approx(np.linspace(0, 1, 20)) for row in ours)
        return [row[:8] for row in ours], [row[:8] for row in theirs]
    return ours, theirs


@pytest.mark.parametrize(("path", "query"), ASKED, ids=[f"{p}-{'-'.join(q.values())}" for p, q in ASKED])
def test_answers_are_those_of_stock(
    server: vizkit.serve.Server, stock: dict[tuple[str, str], str], path: str, query: dict[str, str]
) -> None:
    answer = httpx.get(f"http://127.0.0.1:{server.port}/app/api/{path}", params=query)
    assert answer.status_code == 200
    theirs = stock[path, urlencode(query)]
    kind = answer.headers["content-type"]
    if kind.startswith("application/json"):
        envelope = json.loads(theirs)
        assert {**answer.json(), "data": None} == {**envelope, "data": None}
        ours, theirs = differences(path, answer.json()["data"], envelope["data"])
        assert ours == plain(theirs) or plain_sorted(ours) == plain(theirs)
    elif kind.startswith("text/"):
        delimiter = "\t" if "type" in query and query["type"] == "tsv" else ","
        ours_rows = list(csv.reader(io.StringIO(answer.text), delimiter=delimiter))
        their_rows = list(csv.reader(io.StringIO(theirs), delimiter=delimiter))
        assert sorted(map(cells, ours_rows), key=str) == sorted(map(cells, their_rows), key=str)
    else:
        import base64

        assert answer.content == base64.b64decode(theirs)


def plain_sorted(data: Any) -> Any:
    """Ours in the order that `plain` gives stock's."""
    if isinstance(data, dict) and set(data) == {"runs", "tags"}:
        return sorted(zip(data["runs"], data["tags"], strict=True))
    if isinstance(data, list) and data and isinstance(data[0], dict) and "name" in data[0]:
        return sorted(data, key=lambda item: str(item["name"]))
    if isinstance(data, dict):
        return {key: plain_sorted(value) for key, value in data.items()}
    return data


def cells(row: list[str]) -> list[Any]:
    return [
        round(float(cell), 6) if re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", cell) else plain(cell) for cell in row
    ]


def test_tabs_are_in_order_and_runs_natural(server: vizkit.serve.Server) -> None:
    tabs = "scalar histogram image text audio hyper_parameters pr_curve roc_curve embeddings"
    assert api(server, "component_tabs") == tabs.split()
    runs = api(server, "scalar/tags")["runs"]
    assert runs == ["中文运行", "odd", "odd/sc_group_a", "odd/sc_group_b", "run1", "run2", "run10"]
    for kind in ("image", "histogram", "pr-curve"):
        shown = api(server, f"{kind}/tags")["runs"]
        assert shown == [run for run in runs if run in shown]


def test_values_are_exact(server: vizkit.serve.Server) -> None:
    values = [row[2] for row in api(server, "scalar/list", run="run1", tag="train/loss")]
    assert values == RUNS[0].scalars["train/loss"].tolist()


def test_importance_works_where_stock_fails(server: vizkit.serve.Server) -> None:
    found = {item["name"]: item["value"] for item in api(server, "hparams/importance")}
    assert set(found) == {"learning rate", "batch size", "optimizer"}
    assert all(0 <= value <= 1 for value in found.values())
    assert max(found.values()) > 0.5


def test_what_is_not_there_is_empty_and_quick(server: vizkit.serve.Server) -> None:
    for path in ("scalar/list", "image/list", "histogram/list", "pr-curve/list", "text/list"):
        assert api(server, path, run="nobody", tag="nothing") == []
        assert api(server, path, run="run1", tag="nothing") == []
    assert api(server, "hparams/metric", run="nobody", metric="x") == []
    for path in ("image/image", "audio/audio", "text/text"):
        url = f"http://127.0.0.1:{server.port}/app/api/{path}"
        assert httpx.get(url, params={"run": "run1", "tag": "nothing", "index": 3}).status_code == 404
    answer = httpx.get(f"http://127.0.0.1:{server.port}/app/api/nope").json()
    assert answer == {"status": 1, "msg": "api not found", "data": None}
    assert "run" in httpx.get(f"http://127.0.0.1:{server.port}/app/api/scalar/list").json()["msg"]


def test_few_points_keep_the_first_last_extremes_and_gaps() -> None:
    values = np.random.default_rng(0).normal(size=100_000)
    values[54_321], values[12_345], values[77_777] = 1e6, -1e6, np.nan
    values[-2:] = np.nan
    columns = Scalars(np.arange(100_000), np.full(100_000, 1_700_000_000_000), values)
    rows = points(columns, 100)
    assert rows == points(columns, 100)
    assert 50 <= len(rows) <= 110
    steps = [row[1] for row in rows]
    assert steps == sorted(steps)
    assert steps[0] == 0 and steps[-1] == 99_999
    assert {54_321: 1e6, 12_345: -1e6, 77_777: "nan"}.items() <= {row[1]: row[2] for row in rows}.items()


def test_the_series_of_a_chart_share_its_points(tmp_path: Path) -> None:
    for run in range(10):
        with vizkit.LogWriter(tmp_path / f"run{run}") as writer:
            for step in range(2000):
                writer.add_scalar("shared", step % 7, step)
            if not run:
                for step in range(3000):
                    writer.add_scalar("alone", step % 7, step)
    with vizkit.serve(tmp_path, samples=1000) as server:
        assert 50 < len(api(server, "scalar/list", run="run3", tag="shared")) <= 110
        assert 500 < len(api(server, "scalar/list", run="run0", tag="alone")) <= 1010
        text = httpx.get(
            f"http://127.0.0.1:{server.port}/app/api/scalar/data",
            params={"run": "run0", "tag": "alone", "type": "csv"},
        ).text
        assert len(text.splitlines()) == 3001


def test_every_image_can_be_reached_by_position_and_time(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(25):
            writer.add_image("x", np.full((2, 2, 3), step, np.uint8), step, walltime=1_700_000_000_000 + step)
            writer.add_text("t", f"at {step}", step, walltime=1_700_000_000_000 + step)
    with vizkit.serve(tmp_path) as server:
        listed = api(server, "text/list", run="run", tag="t")
        assert [item["step"] for item in listed] == list(range(25))
        assert len(api(server, "image/list", run="run", tag="x")) == 25
        url = f"http://127.0.0.1:{server.port}/app/api/text/text"
        query = {"run": "run", "tag": "t", "index": 20, "ts": listed[20]["wallTime"]}
        assert httpx.get(url, params=query).text == "at 20"
        # The list was another one when the page got it: the time counts.
        assert httpx.get(url, params={**query, "index": 3}).text == "at 20"


@pytest.mark.parametrize(("metrics", "shown"), [("last", [0.7, 0.9]), ("best", [0.9, 0.2])])
def test_the_table_shows_last_or_best_values(tmp_path: Path, metrics: Any, shown: list[float]) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_hparams(
            {"flag": True, "rate": 0.1, "bad": float("nan"), "big": 2**70}, ["eval/acc", "eval/loss"]
        )
        for step, (acc, loss) in enumerate([(0.5, 0.2), (0.9, 0.4), (0.7, 0.9)]):
            writer.add_scalar("eval/acc", acc, step)
            writer.add_scalar("eval/loss", loss, step)
    with vizkit.serve(tmp_path, hparam_metrics=metrics) as server:
        (row,) = api(server, "hparams/list")
        assert list(row["metrics"].values()) == shown
        types = {
            item["name"]: (item["type"], item["values"])
            for item in api(server, "hparams/indicators")["hparams"]
        }
        assert types["rate"] == ("continuous", [0.1])
        assert types["bad"] == ("string", ["nan"])
        assert types["flag"] == ("string", ["True"])


def test_an_empty_directory_has_a_page(tmp_path: Path) -> None:
    with vizkit.serve(tmp_path) as server:
        assert api(server, "component_tabs") == ["scalar"]
        assert api(server, "components") == []
        assert api(server, "scalar/tags") == {"runs": [], "tags": []}
        assert api(server, "hparams/indicators") == {"hparams": [], "metrics": []}
        assert api(server, "hparams/importance") == []


def test_a_log_file_just_works(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("x", 1.5, 0)
    (file,) = (tmp_path / "run").glob("*vdlrecords*")
    with vizkit.serve(file) as server:
        assert api(server, "runs") == ["run"]
        assert api(server, "scalar/list", run="run", tag="x")[0][1:] == [0, 1.5]


def test_equal_display_names_are_told_apart(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with vizkit.LogWriter(tmp_path / name, display_name="same") as writer:
            writer.add_scalar("x", 1.0 if name == "a" else 2.0, 0)
    with vizkit.serve(tmp_path) as server:
        assert api(server, "runs") == ["same (a)", "same (b)"]
        assert api(server, "scalar/list", run="same (b)", tag="x")[0][2] == 2.0


def test_wrong_directories_ports_and_options_say_so(tmp_path: Path) -> None:
    with pytest.raises(LogNotFoundError, match="nowhere"):
        vizkit.serve(tmp_path / "nowhere")
    with vizkit.serve(tmp_path) as server, pytest.raises(ServeError, match=f"{server.port}.*--port 0"):
        vizkit.serve(tmp_path, port=server.port)
    for content in ("{}", "[1]", "no JSON", '{"base_code": {"magic": 1}}', '{"base_code": {"magic": "pir"}}'):
        (tmp_path / "model.json").write_text(content)
        with pytest.raises(DataError, match=r"model\.json' is not a model that Paddle 3 saved"):
            vizkit.serve(tmp_path, model=tmp_path / "model.json")
    (tmp_path / "model.txt").write_text("{}")
    with pytest.raises(DataError, match=r"\.pdmodel.*model\.txt"):
        vizkit.serve(tmp_path, model=tmp_path / "model.txt")
    with pytest.raises(LogNotFoundError, match="no model"):
        vizkit.serve(tmp_path, model=tmp_path / "model.onnx")
    with pytest.raises(DataError, match="samples"):
        vizkit.serve(tmp_path, samples=0)
    with pytest.raises(DataError, match="last"):
        vizkit.serve(tmp_path, hparam_metrics="worst")  # type: ignore[arg-type]


def test_the_handle_names_its_page_and_stops(tmp_path: Path) -> None:
    server = vizkit.serve(tmp_path)
    assert server.url in server._repr_html_() and "<iframe" in server._repr_html_()
    page = httpx.get(server.url)
    assert page.status_code == 200 and "<div id=root>" in page.text
    server.stop()
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    assert "stopped" in repr(server)


def test_answers_are_packed_and_not_sent_twice(server: vizkit.serve.Server) -> None:
    url = f"http://127.0.0.1:{server.port}/app/api/histogram/list"
    query = {"run": "run2", "tag": "weights/fc"}
    first = httpx.get(url, params=query)
    assert first.headers["content-encoding"] == "gzip"
    again = httpx.get(url, params=query, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content


def test_browsers_keep_a_series_for_a_moment_unless_it_grows(tmp_path: Path) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        for step in range(3):
            writer.add_scalar("rests", 0.5, step, walltime=1_700_000_000_000 + step)
            writer.add_scalar("grows", 0.5, step)
    with vizkit.serve(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}/app/api/scalar/list"
        kept = {
            tag: httpx.get(url, params={"run": "run", "tag": tag}).headers["cache-control"]
            for tag in ("rests", "grows", "other")
        }
    assert kept == {
        "rests": "private, max-age=3",
        "grows": "private, no-cache",
        "other": "private, no-cache",
    }


def test_files_of_the_page_are_kept_for_good(server: vizkit.serve.Server) -> None:
    origin = f"http://127.0.0.1:{server.port}"
    document = httpx.get(f"{origin}/app/index").text
    assert "{{" not in document
    path = document.partition("src=/app/visualdl-")[2].partition("/_dist_/")[0]
    file = httpx.get(f"{origin}/app/visualdl-{path}/_dist_/App.js")
    assert file.status_code == 200 and "immutable" in file.headers["cache-control"]
    settings = httpx.get(f"{origin}/app/__snowpack__/env.local.js")
    assert settings.headers["cache-control"] == "no-cache"
    assert 'TELEMETRY_ID=""' in settings.text and '"/app/api"' in settings.text


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9", "zh"),
        ("de", "en"),
        ("*", "en"),
        ("en;q=0.1,zh;q=0.8", "zh"),
        (";;q=x,,", "en"),
        ("", "en"),
    ],
)
def test_any_language_is_answered(server: vizkit.serve.Server, accepted: str, language: str) -> None:
    page = httpx.get(server.url, headers={"Accept-Language": accepted})
    assert page.status_code == 200
    assert page.cookies["vdl_lng"] == language
