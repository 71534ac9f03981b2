"""A run says where it is, and how it has ended; nobody else says anything."""

from __future__ import annotations

import gc
import os
import re
import threading
import time
import weakref
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import python, until
from vizkit import LogWriter, Tracker, load
from vizkit.environment import read_environment

END = r"{run}: finished after \d+\.\d s"


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


@pytest.mark.parametrize(
    ("run", "logdir"),
    [("log/run1", "log"), ("run1", "."), ("a b/run1/", "'a b'"), ("log/lenet/run1", "log/lenet")],
)
def test_a_run_says_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any, run: str, logdir: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with Tracker(run) as tracker:
        assert said(capsys) == [f"recording {tracker.logdir} · vizkit serve {logdir}"]
    (line,) = said(capsys)
    assert re.fullmatch(END.format(run=tracker.logdir), line)


def test_the_directory_that_was_taken_is_named(tmp_path: Path, capsys: Any) -> None:
    Tracker(tmp_path / "run").close()
    with pytest.warns(UserWarning, match="holds records already"):
        tracker = Tracker(tmp_path / "run")
    assert f"recording {tmp_path}/run-2 · " in said(capsys)[-1]
    tracker.close()


@pytest.mark.parametrize(
    ("metrics", "line"),
    [
        (None, "best eval/acc 0.9 at step 1"),
        (["train/loss"], "best train/loss 0.25 at step 2"),
        (["eval/loss", "eval/acc"], "best eval/acc 0.9 at step 1"),
        (["reward"], "last reward 7 at step 2"),
        (["missing"], "best eval/acc 0.9 at step 1"),
    ],
)
def test_the_end_names_the_value_that_counts(tmp_path: Path, capsys: Any, metrics: Any, line: str) -> None:
    with Tracker(tmp_path / "run", metrics=metrics) as tracker:
        for step, acc in enumerate([0.5, 0.9, 0.8]):
            loss = 1 / (step + 2)
            tracker.log({"train/loss": loss, "eval/loss": loss, "eval/acc": acc, "reward": step + 5}, step)
    assert said(capsys)[-1].endswith(f", {line}")


def test_a_value_that_is_nowhere_a_number_is_not_the_best(tmp_path: Path, capsys: Any) -> None:
    with Tracker(tmp_path / "run") as tracker:
        tracker.log({"eval/acc": float("nan"), "loss": 2.0})
    assert said(capsys)[-1].endswith("best loss 2 at step 0")


def test_the_end_says_how_it_was(tmp_path: Path, capsys: Any) -> None:
    for error, word in [(ValueError(), "failed"), (KeyboardInterrupt(), "interrupted"), (None, "finished")]:
        tracker = Tracker(tmp_path / word)
        tracker.close(error)
        tracker.close()
        first, last = said(capsys)
        assert first.startswith("recording ") and f": {word} after " in last


def test_a_clock_that_is_set_back_makes_no_negative_duration(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = Tracker(tmp_path / "run")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    tracker.close()
    assert re.fullmatch(END.format(run=tracker.logdir), said(capsys)[-1])
    (run,) = load(tmp_path)
    assert run.duration is not None and timedelta(0) <= run.duration < timedelta(minutes=10)


def test_a_quiet_run_a_writer_and_other_ranks_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with Tracker(tmp_path / "quiet", quiet=True) as tracker, LogWriter(tmp_path / "writer") as writer:
        tracker.log({"a": 1})
        writer.add_scalar("a", 1, 0)
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    monkeypatch.setenv("PADDLE_TRAINERS_NUM", "2")
    with Tracker(tmp_path / "rank") as tracker:
        tracker.log({"a": 1})
    assert said(capsys) == []


def test_a_stream_that_is_closed_or_missing_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull, "w", encoding="ascii") as stream:
        monkeypatch.setattr("sys.stderr", stream)
        tracker = Tracker(tmp_path / "run")
    tracker.close()
    monkeypatch.setattr("sys.stderr", None)
    Tracker(tmp_path / "none").close()
    assert all(ended(tmp_path / run) for run in ("run", "none"))


@pytest.mark.parametrize(("code", "word"), [("3", "failed"), ("", "finished")])
def test_a_script_that_closes_nothing_says_both(tmp_path: Path, code: str, word: str) -> None:
    script = "import sys, vizkit; tracker = vizkit.Tracker(sys.argv[1]); tracker.log({'loss': 1.0})"
    done = python(f"{script}; sys.exit({code})", tmp_path / "run")
    first, last = done.stderr.splitlines()
    assert first == f"recording {tmp_path}/run · vizkit serve {tmp_path}"
    assert f"/run: {word} after " in last and last.endswith(", best loss 1 at step 0")


# -- trackers that nobody holds any more -----------------------------------------------------------


def ended(run: Path) -> bool:
    return bool(read_environment(run)["status"] == "finished")


@pytest.fixture
def _no_collection() -> Any:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection")
def test_a_tracker_that_is_dropped_ends_at_once(tmp_path: Path, capsys: Any) -> None:
    tracker = Tracker(tmp_path / "run", system=True, hparams={"a": 1})
    tracker.log({"eval/acc": 0.5})
    tracker.log_histogram("h", np.arange(100_000), 0)
    tracker = Tracker(tmp_path / "other")  # as a cell that runs again
    until(lambda: ended(tmp_path / "run"))
    assert load(tmp_path)["run"].tags["histogram"] == ["h"]
    until(lambda: "best eval/acc 0.5 at step 0" in capsys.readouterr().err)
    assert read_environment(tmp_path / "other")["status"] == "running"
    tracker.close()


@pytest.mark.usefixtures("_no_collection")
def test_a_writer_that_is_in_use_keeps_its_run(tmp_path: Path) -> None:
    writer = Tracker(tmp_path / "run").writer
    writer.add_scalar("a", 1.0, 0)
    assert read_environment(tmp_path / "run")["status"] == "running"
    writer.close()
    del writer
    until(lambda: ended(tmp_path / "run"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks are of POSIX")
def test_a_forked_child_that_drops_its_tracker_leaves_the_run_to_its_parent(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run", system=False)
    tracker.log({"a": 1.0})
    child = os.fork()
    if not child:
        started: list[str] = []
        threading.Thread.start = lambda self: started.append(self.name)  # type: ignore[method-assign]
        del tracker
        gc.collect()
        os._exit("vizkit-forsaken" in started)
    assert os.waitpid(child, 0)[1] == 0
    assert read_environment(tmp_path / "run")["status"] == "running"
    tracker.close()


def test_hooks_keep_their_tracker(tmp_path: Path) -> None:
    import paddle

    net = paddle.nn.Linear(2, 1)
    optimizer = paddle.optimizer.SGD(0.1, parameters=net.parameters())
    tracker = Tracker(tmp_path / "run")
    kept = weakref.ref(tracker)
    tracker.watch(net, optimizer=optimizer, every=1)
    del tracker
    gc.collect()
    assert kept() is not None and read_environment(tmp_path / "run")["status"] == "running"
    net(paddle.rand([3, 2])).sum().backward()
    optimizer.step()
    kept().close()  # type: ignore[union-attr]
    assert "histogram" in load(tmp_path)[0].tags


def test_a_tracker_that_is_dropped_on_another_thread_ends(tmp_path: Path) -> None:
    holder = [Tracker(tmp_path / "run")]
    thread = threading.Thread(target=holder.clear)
    thread.start()
    thread.join()
    until(lambda: ended(tmp_path / "run"))
