"""``%load_ext vizkit``, ``%vizkit log`` and runs that are followed in place."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vizkit
from tests.helpers import PATIENCE
from vizkit.charts.embedding import Options
from vizkit.notebook import Live, _source, _status, _view

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

IPython = pytest.importorskip("IPython")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for index in range(3):
        with vizkit.Tracker(f"log/run{index}", hparams={"batch size": 32 * index}) as tracker:
            tracker.log({"eval/acc": index / 4})
    return tmp_path / "log"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    for name in ("ps1", "ps2", "ps3"):  # by these, a process is known to be interactive
        monkeypatch.setattr(sys, name, "", raising=False)
    shell = InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    yield shell
    shell.restore_sys_module_state()


def test_the_magic_shows_runs(log: Path, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("load_ext", "vizkit")
    assert shell.run_line_magic("vizkit", "").names == ["run0", "run1", "run2"]
    assert shell.run_line_magic("vizkit", "log").names == ["run0", "run1", "run2"]
    assert shell.run_line_magic("vizkit", "log `batch size` >= 32 and `eval/acc` < 0.4").names == ["run1"]
    assert shell.run_line_magic("vizkit", "'log/run2'").names == ["run2"]
    with pytest.raises(IPython.core.error.UsageError, match="'nowhere' is not there"):
        shell.run_line_magic("vizkit", "nowhere")


def test_the_magic_serves(log: Path, shell: InteractiveShell) -> None:
    shell.run_line_magic("load_ext", "vizkit")
    server = shell.run_line_magic("vizkit", "serve log")
    assert "<iframe" in shell.display_formatter.format(server)[0]["text/html"]
    assert shell.run_line_magic("vizkit", "serve log") is server  # the cell was run again
    server.stop()
    with pytest.raises(IPython.core.error.UsageError, match="'nowhere' is not there"):
        shell.run_line_magic("vizkit", "serve nowhere")


def test_a_notebook_shows_html_and_text(log: Path, shell: InteractiveShell) -> None:
    runs = vizkit.load(log)
    shown, _ = shell.display_formatter.format(runs)
    assert shown["text/html"].startswith("<div>") and shown["text/plain"].startswith("3 runs in ")
    shown, _ = shell.display_formatter.format(runs[0])
    assert "<table>" in shown["text/html"] and shown["text/plain"].startswith("run run0: finished")


def test_the_magic_follows(log: Path, shell: InteractiveShell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("load_ext", "vizkit")
    assert shell.run_line_magic("vizkit", "live log eval/acc") is None
    for thread in threading.enumerate():
        if thread.name == "vizkit-live":
            thread.join(PATIENCE)
    shown = capsys.readouterr().out
    assert shown.startswith("waiting for log") and "3 runs in" in shown


@pytest.mark.parametrize("made", [False, True], ids=["no directory", "empty directory"])
def test_a_training_is_followed_until_it_ends(tmp_path: Path, made: bool) -> None:
    seen: list[Any] = []
    came = threading.Condition()

    def show(runs: vizkit.Runs, ended: bool) -> None:
        (run,) = runs
        with came:
            seen.append((len(run.columns("loss").values) if run.scalar_tags else 0, run.status, ended))
            came.notify_all()

    def wait_for(points: int) -> bool:
        with came:
            return came.wait_for(lambda: bool(seen) and seen[-1][0] == points, timeout=PATIENCE)

    path = tmp_path / "run"
    if made:
        path.mkdir()
    live = Live(str(path), 0.01, lambda: vizkit.load(path), show)  # before there is a log
    assert "following" in repr(live) and not live.wait(0.1)
    with vizkit.Tracker(path) as tracker:
        tracker.log({"loss": 1.0})
        assert wait_for(1)
        tracker.log({"loss": 0.5})
        assert wait_for(2)
    assert live.wait(PATIENCE) and seen[-1] == (2, "finished", True) and "ended" in repr(live)


def test_following_can_be_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with vizkit.LogWriter(str(tmp_path)) as writer:  # no one knows when a stock log ends
        writer.add_scalar("loss", 1.0, 0)
    live = vizkit.live(vizkit.load(tmp_path)[0], every=0.01)
    assert live.directory == str(tmp_path) and not live.wait(0.05)
    live.stop()
    assert live.wait(0)


def test_what_is_followed_is_read_apart(log: Path) -> None:
    runs = vizkit.load(log)
    where, read = _source(runs)
    assert where == str(log) and read().names == runs.names and read()[0] is not runs[0]
    where, read = _source(runs[1:])
    assert where == ", ".join(run.directory for run in runs[1:]) and read().names == ["run1", "run2"]
    assert [run.position for run in read()] == [run.position for run in runs[1:]]
    where, read = _source(runs[2])
    assert where == runs[2].directory and read().names == ["run2"]
    with vizkit.Tracker(log / "more") as tracker:
        assert _source(tracker)[0] == tracker.logdir
    assert _source(log)[1]().names == ["more", "run0", "run1", "run2"]


def test_a_view_has_a_chart_for_each_metric(log: Path) -> None:
    runs = vizkit.load(log)
    options = Options(points=100, quick=True)
    charts = _view(runs, None, options, "abc", ended=False)
    assert charts.html is not None and 'id="vizkit-abc"' in charts.html and "3 runs in" in repr(charts)
    assert "eval/acc: 3 curves" in charts.html
    assert _view(runs, "loss", options, "abc", ended=False).html is None  # not recorded yet
    with vizkit.Tracker(log / "more") as tracker:
        empty = _view(vizkit.load(tracker.logdir), None, options, "abc", ended=False)
    assert empty.html is None and "run more" in repr(empty) and "<div>" in empty._repr_html_()


def test_a_status_counts_runs(log: Path) -> None:
    assert _status(vizkit.load(log)) == "3 finished"
    assert _status(vizkit.load(log)[:1]).startswith("run0, finished, ")
