"""``%load_ext vizkit``, ``%vizkit log`` and runs that are followed in place."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import vizkit
from vizkit.notebook import Live

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


@pytest.mark.parametrize("made", [False, True], ids=["no directory", "empty directory"])
def test_a_training_is_followed_until_it_ends(tmp_path: Path, made: bool) -> None:
    seen: list[Any] = []
    came = threading.Condition()

    def show(what: vizkit.Run | vizkit.Runs) -> None:
        assert isinstance(what, vizkit.Run)
        with came:
            seen.append((len(what.columns("loss").values) if what.scalar_tags else 0, what.status))
            came.notify_all()

    def wait_for(points: int) -> bool:
        with came:
            return came.wait_for(lambda: bool(seen) and seen[-1][0] == points, timeout=120)

    if made:
        (tmp_path / "run").mkdir()
    live = Live(str(tmp_path / "run"), 0.01, show)  # before there is a log
    assert "following" in repr(live) and not live.wait(0.1)
    with vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": 1.0})
        assert wait_for(1)
        tracker.log({"loss": 0.5})
        assert wait_for(2)
    assert live.wait(120) and seen[-1] == (2, "finished") and "ended" in repr(live)


def test_following_can_be_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with vizkit.LogWriter(str(tmp_path)) as writer:  # no one knows when a stock log ends
        writer.add_scalar("loss", 1.0, 0)
    live = vizkit.live(vizkit.load(tmp_path)[0], every=0.01)
    assert live.directory == str(tmp_path) and not live.wait(0.05)
    live.stop()
    assert live.wait(0)
