"""Hostile and odd runs: each one's fault is its own, all other runs are read, listed, checked and served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.hostile_logs import HOSTILE, SECRET, WALLTIMES, write_hostile_logs
from tests.helpers import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes, devices and limits are of POSIX")

GOOD = {"0 good", "m good", "z good"}
REFUSED = {
    *(name for name in HOSTILE if name.startswith("config of laughs")),
    *("config is outside", "config is zeros", "config is a pipe", "config of 1 MB"),
    *("config nested", "config of merged laughs", "config within itself", "config of great floats"),
    *("environment nested", "environment nested 300", "environment of 60 MB", "environment is a pipe"),
    *("environment is zeros", "environment is outside", "diff is outside", "diff of 5 GB"),
}
LIMIT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))

def most_mb():
    if sys.platform == "linux":  # the other figure begins with the parent's
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) >> 10 for line in status if line.startswith("VmHWM"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> (20 if sys.platform == "darwin" else 10)
"""
READ = """
import json, warnings
warnings.simplefilter("error")
import vizkit
from vizkit.errors import VizKitError
from vizkit.runs.details import overview

runs = vizkit.load(sys.argv[1])
shown = [str(runs), runs._repr_html_(), runs.to_json(), repr(runs.diff()), repr(runs.table())]
runs.scalars()
refused = []
for run in runs:
    shown += [str(run), run._repr_html_(), run.to_json(), json.dumps(overview(run), default=repr)]
    run.scalars()
    for tag in run.tags.get("image", []):
        try:
            run.images(tag)[0]
        except VizKitError:
            refused.append(tag)
for key in ("text", "name", "started", "duration", "odd"):
    runs.sort(key)
problems = {run.name: [problem.message for problem in run.problems] for run in runs}
durations = {run.name: None if run.duration is None else run.duration.total_seconds() for run in runs}
losses = {run.name: run.last("loss").value for run in runs}
secret = any(sys.argv[2] in text for text in shown)
print(json.dumps([problems, durations, losses, secret, refused, most_mb()]))
"""
SERVE = """
import json, os, threading
import httpx
import vizkit

ENDPOINTS = {
    "scalar/list": "loss", "scalar/data": "odd", "text/list": "note", "text/text": "note",
    "image/list": "bomb/0", "image/image": "bomb/0", "histogram/list": "loss", "pr-curve/steps": "",
    "graph/graph": "",
}
WHOLE = [
    "problems", "components", "component_tabs", "runs", "tags", "scalar/tags", "text/tags", "graph_runs",
    "hparams/indicators", "hparams/list", "hparams/data", "hparams/importance",
]
failed, shown, found = [], [], {}
with vizkit.serve(sys.argv[1]) as server:
    client = httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=100)

    def ask(path, /, **query):
        answer = client.get(path, params=query)
        shown.append(answer.text)
        if answer.status_code >= 500 or "the server's log says why" in answer.text:
            failed.append((path, query, answer.text[:200]))
        return answer

    for path in WHOLE:
        found[path] = ask(f"/app/api/{path}").text
    names = json.loads(found["runs"])["data"]
    for name in names:
        for path, tag in ENDPOINTS.items():
            ask(f"/app/api/{path}", run=name, tag=tag, index=0, ts="null", step=1)
    ask("/vizkit/")
    paths = [run["name"] for run in ask("/vizkit/api/runs").json()["runs"]]
    ask("/vizkit/api/runs", filter="`loss` > 0")
    ask("/vizkit/api/curves", tag="loss", x="time")
    ask("/vizkit/api/importance", tag="loss")
    ask("/vizkit/api/groups", tag="loss", group="lr")
    ask("/vizkit/api/differences", run=paths[:20])
    for path in paths:
        for file in ask("/vizkit/api/run", run=path).json()["files"]:
            ask("/vizkit/api/file", run=path, path=file["path"], tail=1000)
        ask("/vizkit/api/file", run=path, path="../secret")
        ask("/vizkit/api/texts", a=path, b=paths[0])
        for tag in ENDPOINTS.values():
            ask("/vizkit/api/records", run=path, tag=tag)
    losses = {
        name: ask("/app/api/scalar/list", run=name, tag="loss").json()["data"] for name in names
    }
secret = any(sys.argv[2] in text for text in shown)
print(json.dumps([names, failed, losses, secret, most_mb()]))
"""
CLI = """
import runpy
sys.argv[0] = "vizkit"
runpy.run_module("vizkit", run_name="__main__")
"""


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hostile_logs(tmp_path_factory.mktemp("hostile"))


def child(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    """Run code in a process of little memory and time."""
    return subprocess.run(
        [sys.executable, "-c", LIMIT + code, *map(str, args)],
        capture_output=True,
        text=True,
        timeout=1000,
        check=False,
        cwd=ROOT,
    )


def answers(code: str, *args: object) -> Any:
    done = child(code, *args)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_all_runs_are_read_and_shown(log: Path) -> None:
    problems, durations, losses, secret, refused, memory = answers(READ, log, SECRET)
    assert set(problems) == {*HOSTILE, *GOOD}
    assert not any(problems[name] for name in GOOD)
    assert {name for name in REFUSED if not problems[name]} == set()
    assert not secret
    assert {"bomb/0", "bomb/1", "bomb/2", "no image", "kind5/0"} <= set(refused)
    expected = {f"walltime {name}": 0.5 for name in WALLTIMES}
    assert losses == {name: expected.get(name, 0.2) for name in problems}
    assert {durations[f"walltime {name}"] for name in WALLTIMES} == {4.0}
    assert memory < 1_000


def test_times_are_right_or_none(log: Path) -> None:
    code = """
import json, vizkit
runs = vizkit.load(sys.argv[1])
print(json.dumps({
    run.name: [
        run.scalars("loss")["time"].isna().sum().item(), run.last("loss").walltime,
        json.loads(run.to_json())["scalars"]["loss"]["walltimes"][-1],
    ]
    for run in runs if run.name.startswith("walltime ")
}))
"""
    found = answers(code, log)
    for name in WALLTIMES:
        missing, walltime, exported = found[f"walltime {name}"]
        assert walltime == exported
        finer = name in ("nanoseconds", "microseconds")
        assert (missing, walltime is None) == (0 if finer else 1, not finer)


@pytest.mark.parametrize("command", ["ls", "ls --json", "check", "check --json"])
def test_commands_list_all_runs(log: Path, command: str) -> None:
    done = child(CLI, *command.split(), log)
    assert done.returncode == (1 if "check" in command else 0), done.stderr[-3000:]
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stdout
    if "ls" in command:
        assert all(name in done.stdout for name in GOOD)
    if command == "check":
        assert all(name in done.stdout for name in ("walltimes", "environment is a pipe", "config is a pipe"))
        assert "\x1b[2J" not in done.stdout


def test_all_runs_are_served(log: Path) -> None:
    names, failed, losses, secret, memory = answers(SERVE, log, SECRET)
    assert failed == []
    assert not secret
    assert set(names) >= GOOD
    assert [len(losses[name]) for name in GOOD] == [5, 5, 5]
    times = {row[0] for name in names for row in losses[name]}
    assert all(time is None or 0 < time < 2e12 for time in times) and None in times
    assert memory < 1_500


def test_a_long_filter_over_large_texts_takes_little(log: Path) -> None:
    condition = " or ".join(["text + 1 == 2", "text < 3", "text == 'a'", "'b' in text"] * 65)
    assert 3_000 < len(condition) < 4_000
    code = """
import json, vizkit
from vizkit.errors import QueryError
runs = vizkit.load(sys.argv[1])["text *"]
str(runs)
before, found = most_mb(), []
for condition in sys.argv[2:]:
    try:
        found.append(len(runs.filter(condition)))
    except QueryError as error:
        found.append(str(error)[-200:])
print(json.dumps([len(runs), found, most_mb() - before]))
"""
    count, found, more = answers(code, log, condition, "text == `text`")
    assert count == 10
    assert "a1a1" in found[0] and "..." in found[0]
    assert found[1] == 10
    assert more < 100
