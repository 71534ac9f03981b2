"""What a process prints is in its run's directory, line by line, and on the console as before."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import vizkit
from tests.helpers import python
from vizkit.format.file_names import CONSOLE_FILE
from vizkit.tracking import console


def copied(run: Path) -> list[str]:
    return (run / CONSOLE_FILE).read_text("utf-8").splitlines()


def test_lines_of_both_streams_are_copied_and_still_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print("before")
    with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
        print("loss", 0.5, "飞桨")
        sys.stderr.write("a warning\nbegun")
        assert copied(tmp_path / "run") == ["loss 0.5 飞桨", "a warning"]  # before it is closed
        tracker.log({"loss": 1.0}, step=0)
    print("after")
    assert copied(tmp_path / "run") == ["loss 0.5 飞桨", "a warning", "begun"]
    assert vizkit.load(tmp_path)["run"].console == "loss 0.5 飞桨\na warning\nbegun\n"
    assert capsys.readouterr() == ("before\nloss 0.5 飞桨\nafter\n", "a warning\nbegun")
    assert "write" not in vars(sys.stdout)


def test_of_a_line_that_is_drawn_again_the_last_state_is_copied(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "run", quiet=True):
        for done in range(1000):
            sys.stderr.write(f"\r\x1b[32m{done / 10:5.1f} %\x1b[0m")
        sys.stderr.write("\r100.0 %\n")
        sys.stdout.write("step 1/2\b\b\b\b\b\b\b\b\rstep 2/2\r\nnext\n")
    assert copied(tmp_path / "run") == ["100.0 %", "step 2/2", "next"]


def test_handlers_of_logging_that_were_there_before_are_copied(tmp_path: Path) -> None:
    handler = logging.StreamHandler(sys.stdout)
    logger = logging.Logger("a suite's")
    logger.addHandler(handler)
    with vizkit.Tracker(tmp_path / "run", quiet=True):
        logger.warning("epoch %d", 3)
    assert copied(tmp_path / "run") == ["epoch 3"]


def test_without_output_there_is_no_file_and_console_false_copies_nothing(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "silent", quiet=True):
        pass
    with vizkit.Tracker(tmp_path / "run", console=False, quiet=True):
        print("not copied")
    assert not list(tmp_path.glob(f"*/{CONSOLE_FILE}"))


def test_each_open_run_has_its_copy_and_lines_of_threads_stay_whole(tmp_path: Path) -> None:
    with vizkit.Tracker(tmp_path / "a", quiet=True), vizkit.Tracker(tmp_path / "b", quiet=True):
        lines = [f"{name * 50} end" for name in "xyz"]

        def say(line: str) -> None:
            for _ in range(100):
                print(line[:60], line[60:], sep="", flush=True)

        threads = [threading.Thread(target=say, args=(line,)) for line in lines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for run in "ab":
        assert sorted(copied(tmp_path / run)) == sorted(lines * 100)


def test_a_resumed_run_goes_on_and_a_replaced_one_begins_anew(tmp_path: Path) -> None:
    for word, how in (("first", "new"), ("second", "resume"), ("third", "replace")):
        with vizkit.Tracker(tmp_path / "run", if_exists=how, quiet=True) as tracker:  # type: ignore[arg-type]
            tracker.log({"loss": 1.0})
            print(word)
        wanted = {"first": ["first"], "second": ["first", "second"], "third": ["third"]}[word]
        assert copied(tmp_path / "run") == wanted


def test_a_file_that_is_full_ends_with_a_word(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "_MOST", 100)
    with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
        for number in range(50):
            print(f"line {number}")
        assert not tracker.lost
    assert copied(tmp_path / "run")[-2:] == ["line 12", "[vizkit: more than 16 MB, the rest is not copied]"]


def test_what_cannot_be_written_is_counted_once_and_printed_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run" / CONSOLE_FILE).mkdir(parents=True)
    with pytest.warns(vizkit.VizKitWarning, match=CONSOLE_FILE):
        with vizkit.Tracker(tmp_path / "run", quiet=True) as tracker:
            print("one")
            print("two")
        assert tracker.lost == {CONSOLE_FILE: 1}
    assert capsys.readouterr().out == "one\ntwo\n"


def test_a_stream_that_others_wrapped_meanwhile_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with vizkit.Tracker(tmp_path / "run", quiet=True):
        inner = sys.stdout.write
        sys.stdout.write = lambda text: inner(text.upper())  # type: ignore[method-assign]
        print("mine")
    print("still")
    assert capsys.readouterr().out == "MINE\nSTILL\n"
    assert copied(tmp_path / "run") == ["MINE"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_lines_survive_a_kill_and_children_add_theirs(tmp_path: Path) -> None:
    code = """
import os, signal, sys, vizkit
tracker = vizkit.Tracker(sys.argv[1], quiet=True)
print("parent")
if not os.fork():
    print("child")
    os._exit(0)
os.wait()
print("begun", end="")
os.kill(os.getpid(), signal.SIGKILL)
"""
    run = tmp_path / "run"
    done = python(code, run)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert copied(run) == ["parent", "child"]


def test_a_tracker_that_is_dropped_copies_no_more(tmp_path: Path) -> None:
    code = """
import gc, sys, vizkit
tracker = vizkit.Tracker(sys.argv[1] + "/a", quiet=True)
print("of a")
tracker = vizkit.Tracker(sys.argv[1] + "/b", quiet=True)
gc.collect()
print("of b")
"""
    assert python(code, tmp_path).returncode == 0
    assert copied(tmp_path / "a") == ["of a"]
    assert copied(tmp_path / "b") == ["of b"]


def test_lines_follow_a_run_that_is_moved_before_its_first_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.warns(vizkit.VizKitWarning, match="was moved"), vizkit.Tracker(tmp_path / "run") as tracker:
        tracker.log({"loss": 1.0}, step=0)
        (tmp_path / "run").rename(tmp_path / "moved")
        print("first")
        print("second")
    assert copied(tmp_path / "moved") == ["first", "second"] and tracker.lost == {}
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"{tmp_path / 'moved'}: finished")


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_nothing_is_copied_through_a_link_or_into_a_pipe(tmp_path: Path, kind: str) -> None:
    """A directory that somebody else has made: nothing outside of it is touched, and nothing waits."""
    (tmp_path / "run").mkdir()
    other = tmp_path / "other"
    other.write_text("precious\n")
    place = tmp_path / "run" / CONSOLE_FILE
    if kind == "link":
        place.symlink_to(other)
    else:
        os.mkfifo(place)
    with (
        pytest.warns(vizkit.VizKitWarning, match=f"{CONSOLE_FILE}: not recorded"),
        vizkit.Tracker(tmp_path / "run", if_exists="resume", console=True, system=False) as tracker,
    ):
        print("a line")
        print("another")
    assert other.read_text() == "precious\n"
    assert tracker.lost == {CONSOLE_FILE: 1}
