"""How a tracker keeps out of the training's way: losses, errors, processes, threads and the end of a run."""

from __future__ import annotations

import copy
import gc
import math
import os
import pickle
import sys
import threading
import time
import warnings
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest

import vizkit
from tests.helpers import by_tag, damage, log_of, records, series
from vizkit import DataError, LogWriter, TagError, Tracker, VizKitWarning
from vizkit.repair import check
from vizkit.server.live_runs import LiveRuns


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


# -- trouble ---------------------------------------------------------------------------------------


def test_what_cannot_be_recorded_is_counted_and_warned_about_once(tracker: Tracker) -> None:
    with pytest.warns(VizKitWarning) as caught:
        for i in range(3):
            tracker.log({"good": i, "bad": "x"}, i)
            tracker.log_image("picture", np.zeros((2, 2, 2)), i)
            tracker.log_histogram("text", "x", i)
    assert len(caught) == 3
    assert tracker.lost == {"bad": 3, "picture": 3, "text": 3}
    assert series(tracker.logdir, "good") == [(0, 0.0), (1, 1.0), (2, 2.0)]


@pytest.mark.parametrize("metrics", [None, {"a": object()}, {3: "x"}, {"a": None}, {"a": [1, 2]}])
def test_log_never_raises_for_a_value(tracker: Tracker, metrics: Any) -> None:
    with pytest.warns(VizKitWarning):
        tracker.log(metrics, 0)
    assert sum(tracker.lost.values()) == 1


def test_log_never_raises_after_a_tag_was_renamed(tracker: Tracker) -> None:
    with pytest.warns(VizKitWarning):
        tracker.log({"/a": 1})
        tracker.log(None)  # type: ignore[arg-type]
    assert tracker.lost == {"log": 1}


class Broken:
    """A value that fails in a way of its own."""

    def item(self) -> float:
        raise KeyError("no such device")


def test_a_value_that_fails_in_its_own_way_costs_itself_only(tracker: Tracker) -> None:
    with pytest.warns(VizKitWarning, match="bad: not recorded: KeyError"):
        tracker.log({"bad": Broken(), "good": 1}, 0)  # type: ignore[dict-item]
    assert tracker.lost == {"bad": 1}
    assert series(tracker.logdir, "good") == [(0, 1.0)]


@pytest.mark.parametrize("step", ["x", math.nan, 2**80])
def test_bad_steps_never_raise(tracker: Tracker, step: Any) -> None:
    with pytest.warns(VizKitWarning):
        tracker.log({"a": 1, "b": 2}, step)
        tracker.log_scalar("c", 1, step)
        tracker.log_text("d", "x", step)
    assert tracker.lost == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert tracker.step == 0


@pytest.mark.parametrize("step", [np.array([7]), [7], "7", np.float32(7), np.array([[7]])])
def test_a_step_of_any_form_sets_the_clock(tracker: Tracker, step: Any) -> None:
    tracker.log({"a": 1}, step)
    tracker.log_scalar("b", 1, step)
    tracker.log_text("c", "x", step)
    assert tracker.step == 7 and not tracker.lost
    assert [series(tracker.logdir, tag)[0][0] for tag in "abc"] == [7, 7, 7]


def test_warnings_point_to_the_users_line(tmp_path: Path) -> None:
    Tracker(tmp_path / "run").close()
    with pytest.warns(VizKitWarning) as told:
        tracker = Tracker(tmp_path / "run")
        tracker.log({"loss": "text"}, 0)
        tracker.log_text("/note", "text", 0)
        tracker.log_image("image", "text", 0)
        tracker.curves("eval").record(0)
        tracker.close()
    assert [Path(warning.filename).name for warning in told] == [Path(__file__).name] * 5


def test_strict_raises_at_the_call(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", strict=True) as tracker:
        with pytest.raises(DataError, match="'x'"):
            tracker.log({"bad": "x"})
        with pytest.raises(TagError, match="'/a'"):
            tracker.log_scalar("/a", 1, 0)
        with pytest.raises(DataError, match="has 2; choose"):
            tracker.log_image("i", np.zeros((20, 20, 2)))


def test_strict_raises_what_the_worker_found_at_flush(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run", strict=True)
    tracker.log_pr_curve("pr", np.zeros(60_000), np.full(60_000, math.nan))
    with pytest.raises(DataError, match="60000 of 60000 scores are NaN"):
        tracker.flush()
    tracker.close()


@pytest.mark.parametrize(
    ("tag", "better"), [("/loss", "loss"), ("a%b", "a_b"), ("", "untitled"), ("a\nb", "a_b")]
)
def test_a_bad_tag_is_recorded_under_a_better_one_with_one_warning(
    tracker: Tracker, tag: str, better: str
) -> None:
    with pytest.warns(VizKitWarning, match=f"recorded as {better!r}") as caught:
        for i in range(3):
            tracker.log({tag: i, "good": i}, i)
        tracker.log_scalar(tag, 3, 3)
    assert len(caught) == 1
    assert series(tracker.logdir, better) == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]
    assert len(series(tracker.logdir, "good")) == 3
    assert not tracker.lost


def test_a_tag_of_two_kinds_is_told_apart(tracker: Tracker) -> None:
    tracker.log({"a": 1}, 0)
    with pytest.warns(VizKitWarning, match="'a' holds scalar.*recorded as 'a/histogram'") as caught:
        for i in range(3):
            tracker.log_histogram("a", [1, 2], i)
    tracker.log({"a": 2}, 1)
    tracker.flush()
    assert len(caught) == 1
    assert len(series(tracker.logdir, "a/histogram")) == 3
    assert series(tracker.logdir, "a") == [(0, 1.0), (1, 2.0)]


def test_recording_after_close_never_raises(tmp_path: Path) -> None:
    tracker = Tracker(tmp_path / "run")
    tracker.close()
    tracker.close()
    with pytest.warns(VizKitWarning, match="close"):
        tracker.log({"a": 1})
    assert tracker.lost == {"a": 1}


def test_an_exception_passes_through_and_the_log_is_whole(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Tracker(tmp_path / "run") as tracker:
        tracker.log({"a": 1})
        tracker.log_image("i", np.zeros((100, 100, 3), np.uint8))
        raise KeyboardInterrupt
    assert {record.tag for record in records(tmp_path / "run")} == {"a", "i"}
    assert damage(log_of(tmp_path / "run")) == []


def test_a_failure_of_the_worker_does_not_hide_the_trainings_exception(tmp_path: Path) -> None:
    with (
        pytest.warns(VizKitWarning, match="60000 of 60000 scores are NaN"),
        pytest.raises(ZeroDivisionError),
        Tracker(tmp_path / "run", strict=True) as tracker,
    ):
        tracker.log_pr_curve("pr", np.zeros(60_000), np.full(60_000, math.nan))
        raise ZeroDivisionError


# -- processes and threads -------------------------------------------------------------------------


def test_other_ranks_record_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    with Tracker(tmp_path / "run", hparams={"a": 1}, strict=True) as tracker:
        assert not tracker.enabled
        tracker.log({"a": 1})
        tracker.log_image("i", "not even an image")
        tracker.writer.add_scalar("a", 1, 0)
    assert names(tmp_path) == []
    monkeypatch.setenv("PADDLE_TRAINER_ID", "0")
    assert Tracker(tmp_path / "run").enabled


def test_a_copy_in_another_process_records_nothing_and_a_deep_copy_is_the_same_run(tracker: Tracker) -> None:
    sent = pickle.loads(pickle.dumps(tracker))
    sent.log({"a": 1})
    assert not sent.enabled
    assert copy.deepcopy({"tracker": tracker})["tracker"] is tracker
    assert records(tracker.logdir) == []


def test_a_forked_child_keeps_out_of_the_log(tracker: Tracker) -> None:
    tracker.log({"a": 0}, 0)
    for i in range(20):
        tracker.log_image("i", np.full((50, 50), i, np.uint8), i, dataformats="HW")
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tracker.log({"a": 1}, 1)
                tracker.log_image("i", np.zeros((5, 5)), 99, dataformats="HW")
                tracker.flush()
                tracker.close()
            status = 0
        finally:
            os._exit(status)
    deadline = time.monotonic() + 200
    while (done := os.waitpid(child, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert done == (child, 0)
    tracker.log({"a": 2}, 2)
    tracker.close()
    assert series(tracker.logdir, "a") == [(0, 0.0), (2, 2.0)]
    assert [step for step, _ in series(tracker.logdir, "i")] == list(range(20))


class Noisy(paddle.io.Dataset):
    """A dataset that logs from a data loader's worker processes."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker

    def __getitem__(self, index: int) -> np.ndarray:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.tracker.log({"from a worker": index}, index)
        return np.zeros(2, np.float32)

    def __len__(self) -> int:
        return 8


def test_real_data_loader_workers_do_not_block_or_spoil_the_log(tracker: Tracker) -> None:
    tracker.log({"a": 0}, 0)
    loader = paddle.io.DataLoader(Noisy(tracker), batch_size=2, num_workers=2)
    for step, _ in enumerate(loader):
        tracker.log({"a": step + 1}, step + 1)
    tracker.close()
    assert series(tracker.logdir, "a") == [(i, float(i)) for i in range(5)]
    assert "from a worker" not in by_tag(tracker.logdir)


def test_threads_share_one_tracker(tracker: Tracker) -> None:
    def work(name: int) -> None:
        for i in range(200):
            tracker.log({f"{name}/a": i, f"{name}/b": i}, i)
            if i % 50 == 0:
                tracker.log_histogram(f"{name}/h", np.full(10, i), i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tracker.close()
    found = by_tag(tracker.logdir)
    for name in range(6):
        for tag in ("a", "b"):
            assert [(r.step, r.data) for r in found[f"{name}/{tag}"]] == [(i, float(i)) for i in range(200)]
        assert [record.step for record in found[f"{name}/h"]] == [0, 50, 100, 150]
    assert damage(log_of(tracker.logdir)) == []


# ---- the machine, sampled beside -------------------------------------------------------------------


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 200
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


@pytest.fixture
def sampled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vizkit.tracking.system_metrics._FIRST_SECONDS", 0.0)
    monkeypatch.setattr("vizkit.tracking.tracker._SAMPLE_SECONDS", 15.0)


MEMORY = "system/process memory GB"


def test_the_machine_is_sampled_beside_and_its_seconds_are_no_steps(
    tmp_path: Path, sampled_at_once: None
) -> None:
    with Tracker(tmp_path) as tracker:
        tracker.log({"train/loss": 0.5}, step=3)
        until(lambda: tracker.writer.last_step_of(MEMORY) == 0)
        assert tracker.step == 3
    with LogWriter(str(tmp_path)) as writer:
        writer.add_metrics({MEMORY: 0.1}, 500)
        writer.add_metrics({"pace/loss": 0.1}, 12.5)
    with Tracker(tmp_path, if_exists="resume") as tracker:
        assert tracker.step == 4
        until(lambda: tracker.writer.last_step_of(MEMORY) == 501)
    seen = series(tmp_path, MEMORY)
    assert [step for step, _ in seen] == [0, 500, 501]
    assert 0.001 < seen[0][1] < 1000


def test_sampling_ends_with_the_tracker(tmp_path: Path, sampled_at_once: None) -> None:
    tracker = Tracker(tmp_path, system=1)
    until(lambda: tracker.writer.last_step_of(MEMORY) == 0)
    tracker.fail(RuntimeError("mine"))
    assert tracker._sampler is None
    tracker.go_on()
    assert tracker._sampler is not None
    tracker.close()
    tracker.go_on()
    assert tracker._sampler is None
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "vizkit-system"])


def test_a_run_that_stands_still_is_not_sampled(
    tmp_path: Path, sampled_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.tracking.system_metrics._FIRST_SECONDS", 1000.0)
    with Tracker(tmp_path) as tracker:
        sampler = tracker._sampler
        assert sampler is not None
        for idle, step in ((1800, None), (0, None), (0, 1), (1800, 1), (1800, 2)):
            monkeypatch.setattr("vizkit.tracking.system_metrics._IDLE_SECONDS", idle)
            if step is not None:
                tracker.log({"loss": 0.5}, step)
            sampler._tick()
    assert len(series(tmp_path, MEMORY)) == 3


@pytest.mark.parametrize("system", [False, True])
def test_without_sampling_there_is_no_thread(
    tmp_path: Path, system: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PADDLE_TRAINER_ID", "1" if system else "0")
    with Tracker(tmp_path, system=system) as tracker:
        assert tracker._sampler is None


@pytest.mark.parametrize(("in_node", "sampled"), [("0", True), ("1", False)])
def test_of_several_ranks_the_first_of_a_machine_samples_it(
    tmp_path: Path, sampled_at_once: None, monkeypatch: pytest.MonkeyPatch, in_node: str, sampled: bool
) -> None:
    monkeypatch.setenv("PADDLE_RANK_IN_NODE", in_node)
    with Tracker(tmp_path) as tracker:
        assert (tracker._sampler is not None) == sampled


def test_a_tracker_that_is_dropped_lets_go_of_all(tmp_path: Path, sampled_at_once: None) -> None:
    tracker = Tracker(tmp_path, system=1)
    tracker.log_histogram("weights", np.arange(100_000))
    dropped = weakref.ref(tracker)
    del tracker
    until(lambda: (gc.collect(), dropped() is None)[1])
    until(lambda: not [thread for thread in threading.enumerate() if thread.name == "vizkit-system"])
    until(lambda: series(tmp_path, "weights"))


def test_a_machine_that_cannot_be_sampled_is_told(
    tmp_path: Path, sampled_at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.warns(VizKitWarning, match="system: not recorded: .*pip install psutil"):
        Tracker(tmp_path).close()


@pytest.mark.parametrize("system", [0, 0.5, -1, "15", None, float("nan"), float("inf")])
def test_a_bad_interval_is_told_before_the_run_begins(tmp_path: Path, system: Any) -> None:
    with pytest.raises(DataError, match="system must be True, False or a number of seconds"):
        Tracker(tmp_path / "run", system=system)
    assert not (tmp_path / "run").exists()


# -- what is clear -----------------------------------------------------------------------------------


@pytest.mark.parametrize("strict", [False, True])
def test_nested_metrics_and_lists_of_one_are_recorded(tmp_path: Path, strict: bool) -> None:
    nested: Any = {"train": {"loss": [1.0], "deep": {"acc": "0.5"}}, "lr": np.full((1, 1), 0.1), "none": {}}
    with Tracker(tmp_path / "run", strict=strict) as tracker:
        for _ in range(2):
            tracker.log(nested)
        tracker.log({"train": {"loss": 3}}, 7, reduce="mean")
    assert series(tracker.logdir, "train/loss") == [(0, 1.0), (1, 1.0), (7, 3.0)]
    assert series(tracker.logdir, "train/deep/acc") == [(0, 0.5), (1, 0.5)]
    assert series(tracker.logdir, "lr") == [(0, 0.1), (1, 0.1)]
    assert not tracker.lost


def test_of_nested_metrics_that_get_one_name_none_is_lost(tracker: Tracker) -> None:
    clash: Any = {"a/b": 1.0, "a": {"b": 2.0, "c": {"d": 3.0}, "c/d": 4.0}}
    for step in range(2):
        tracker.log(clash, step)
    tracker.flush()
    found = {tag: series(tracker.logdir, tag) for tag in ("a/b", "a/b-2", "a/c/d", "a/c/d-2")}
    assert [[value for _, value in each] for each in found.values()] == [[1, 1], [2, 2], [3, 3], [4, 4]]


def test_a_dict_of_metrics_within_itself_loses_no_others(tracker: Tracker) -> None:
    endless: Any = {"loss": 1.0, "again": {"acc": 0.5}}
    endless["again"] |= {"one": endless["again"], "two": endless["again"]}
    with pytest.warns(VizKitWarning, match=r"not recorded: .*'\.\.\.'"):
        tracker.log(endless, step=0)
    tracker.flush()
    assert series(tracker.logdir, "loss") == [(0, 1.0)] and series(tracker.logdir, "again/acc") == [(0, 0.5)]
    assert tracker.lost == {"again/one": 1, "again/two": 1}


def test_of_nested_metrics_only_the_bad_ones_are_lost(tracker: Tracker) -> None:
    with pytest.warns(VizKitWarning, match="train/bad: not recorded"):
        tracker.log({"train": {"loss": 1.0, "bad": object()}}, 0)  # type: ignore[dict-item]
    assert series(tracker.logdir, "train/loss") == [(0, 1.0)]
    assert tracker.lost == {"train/bad": 1}


def test_values_given_with_the_metrics_are_recorded(tmp_path: Path) -> None:
    with Tracker(tmp_path / "run", hparams={"lr": 1}, metrics={"acc": 0.9, "f1": [0.5]}) as tracker:
        tracker.log_hparams({}, {"auc": 0.7, "loss": None})  # type: ignore[dict-item]
    assert by_tag(tracker.logdir)["hparam"][-1].data.metrics == ["acc", "f1", "auc", "loss"]
    assert [series(tracker.logdir, tag) for tag in ("acc", "f1", "auc")] == [
        [(0, 0.9)],
        [(0, 0.5)],
        [(0, 0.7)],
    ]
    assert "loss" not in by_tag(tracker.logdir)


def test_a_bad_value_of_a_metric_leaves_the_hyper_parameters(tmp_path: Path) -> None:
    with pytest.warns(VizKitWarning, match="one real number, got 'x'"):
        tracker = Tracker(tmp_path, hparams={"lr": 1}, metrics={"f1": 0.5, "acc": "x"}, system=False)
    tracker.close()
    assert by_tag(tmp_path)["hparam"][-1].data.hparams == {"lr": 1}
    assert series(tmp_path, "f1") == [(0, 0.5)]


def test_a_tilde_is_the_home_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    Tracker("~/log/run", system=False).close()
    with pytest.warns(VizKitWarning, match="recording to .*home/log/run-2"):
        tracker = Tracker("~/log/run", system=False)
    tracker.log({"a": 1})
    tracker.close()
    with LogWriter("~/log/writer") as writer:
        writer.add_scalar("a", 1, 0)
    assert tracker.logdir == str(home / "log/run-2")
    assert [run.name for run in vizkit.load("~/log")] == ["run", "run-2", "writer"]
    assert LiveRuns("~/log").logdir == str(home / "log")
    assert {finding.run for finding in check("~/log")} <= {"run", "run-2", "writer"}
    assert names(here) == []
    assert names(home) == ["log"]
