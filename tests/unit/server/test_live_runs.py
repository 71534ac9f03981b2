"""Whatever happens to a log while it is served harms nothing but itself."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import vizkit
from tests.helpers import api, get, log_of, until
from vizkit.reading.log_root import Changes
from vizkit.server.live_runs import LiveRuns

from .served import values, write


@pytest.fixture
def log(tmp_path: Path) -> Path:
    write(tmp_path / "log" / "run", 1.0, 2.0)
    write(tmp_path / "log" / "other", 5.0)
    return tmp_path / "log"


@pytest.fixture
def server(log: Path) -> Iterator[vizkit.Server]:
    with vizkit.serve(log) as server:
        yield server
        assert values(server, "other") == [5.0]  # whatever happened to the others


def test_new_records_kinds_and_runs_appear(server: vizkit.Server, log: Path) -> None:
    with vizkit.LogWriter(log / "new") as writer:
        writer.add_scalar("x", 7.0, 0)
        until(lambda: values(server, "new") == [7.0])
        writer.add_scalar("x", 8.0, 1)
        until(lambda: values(server, "new") == [7.0, 8.0])
        assert api(server, "component_tabs") == ["scalar"]
        writer.add_text("t", "hello", 0)
        until(lambda: api(server, "component_tabs") == ["scalar", "text"])
        assert api(server, "text/tags") == {"runs": ["new"], "tags": [["t"]]}


def test_a_torn_record_is_shown_when_it_is_whole(server: vizkit.Server, log: Path) -> None:
    write(log / "more", 1.0, 2.0, 3.0)
    whole = log_of(log / "more").read_bytes()
    path = log / "torn" / "vdlrecords.1.log"
    path.parent.mkdir()
    path.write_bytes(whole[:-5])
    until(lambda: values(server, "torn") == [1.0, 2.0])
    assert any("torn" in problem["run"] for problem in api(server, "problems"))
    with path.open("ab") as file:
        file.write(whole[-5:])
    until(lambda: values(server, "torn") == [1.0, 2.0, 3.0])
    assert api(server, "problems") == []


def test_a_deleted_run_goes_and_a_replaced_one_is_read_anew(server: vizkit.Server, log: Path) -> None:
    assert values(server) == [1.0, 2.0]
    shutil.rmtree(log / "run")
    until(lambda: api(server, "runs") == ["other"])
    assert values(server) == []
    write(log / "run", 9.0)
    until(lambda: values(server) == [9.0])


def test_a_truncated_log_shows_what_is_left(server: vizkit.Server, log: Path) -> None:
    write(log / "long", *map(float, range(50)))
    until(lambda: len(values(server, "long")) == 50)
    os.truncate(log_of(log / "long"), log_of(log / "long").stat().st_size // 2)
    until(lambda: 0 < len(values(server, "long")) < 50)


def test_garbage_costs_no_other_run(server: vizkit.Server, log: Path) -> None:
    (log / "junk").mkdir()
    (log / "junk" / "vdlrecords.1.log").write_bytes(os.urandom(5000))
    until(lambda: any(problem["run"] == "junk" for problem in api(server, "problems")))
    assert values(server) == [1.0, 2.0]


def test_an_unreadable_file_is_reported(
    server: vizkit.Server, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vizkit._files import FileReader
    from vizkit.reading import filesystem

    class Locked(FileReader):
        def __init__(self, path: str) -> None:
            if Path(path).parent.name == "locked":  # whoever runs tests as root may read what chmod forbids
                raise PermissionError(13, "Permission denied", path)
            super().__init__(path)

    monkeypatch.setattr(filesystem, "FileReader", Locked)
    shutil.copytree(log / "run", log / "locked")
    until(lambda: any("Permission denied" in problem["message"] for problem in api(server, "problems")))
    assert values(server) == [1.0, 2.0]
    monkeypatch.undo()
    until(lambda: values(server, "locked") == [1.0, 2.0])


def test_directories_that_may_not_be_listed_are_told(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def refusing(path: str) -> object:
        if Path(path).name == "closed":  # whoever runs tests as root may list what chmod forbids
            raise PermissionError(13, "Permission denied", path)
        return listed(path)

    (log / "team").mkdir()
    shutil.copytree(log / "run", log / "team" / "closed")
    monkeypatch.setattr("os.scandir", refusing)
    with vizkit.serve(log) as server:
        name = os.path.join("team", "closed")
        (told,) = api(server, "problems")
        assert told["run"] == name and "may not be listed, its runs are left out" in told["message"]
        answer = get(f"{server.url}api/runs").json()
        assert list(answer["refused"]) == [name] and len(answer["runs"]) == 2
        assert server.unlisted == [str(log / name)]
        monkeypatch.undo()
        until(lambda: values(server, "team/closed") == [1.0, 2.0])
        assert api(server, "problems") == [] and server.unlisted == []


def test_the_whole_directory_may_go_and_come(log: Path) -> None:
    with vizkit.serve(log) as server:
        shutil.rmtree(log)
        until(lambda: api(server, "runs") == [])
        assert values(server) == []
        write(log / "run", 4.0)
        until(lambda: values(server) == [4.0])


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_out_of_the_directory_are_refused(log: Path, tmp_path: Path) -> None:
    write(tmp_path / "secret", 42.0)
    (log / "link").symlink_to(tmp_path / "secret")
    (log / "file").mkdir()
    (log / "file" / "vdlrecords.1.log").symlink_to(log_of(tmp_path / "secret"))
    (log / "inside").mkdir()
    (log / "inside" / "vdlrecords.1.log").symlink_to(log_of(log / "run"))
    with vizkit.serve(log) as server:
        assert api(server, "runs") == ["inside", "other", "run"]
        refused = api(server, "problems")
        assert [problem["run"] for problem in refused] == ["file", "link"]
        assert all("leads out" in problem["message"] for problem in refused)
        assert values(server, "link") == values(server, "file") == []
        # A run that becomes a link while it is served goes too.
        shutil.rmtree(log / "run")
        (log / "run").symlink_to(tmp_path / "secret")
        until(lambda: api(server, "runs") == ["other"])


def test_a_thousand_small_runs(tmp_path: Path) -> None:
    write(tmp_path / "one", 1.0)
    content = log_of(tmp_path / "one").read_bytes()
    for number in range(1000):
        (tmp_path / f"log/run{number}").mkdir(parents=True)
        (tmp_path / f"log/run{number}/vdlrecords.1.log").write_bytes(content)
    with vizkit.serve(tmp_path / "log") as server:
        runs = api(server, "scalar/tags")["runs"]
        assert runs == [f"run{number}" for number in range(1000)]
        assert values(server, "run999") == [1.0]
        write(tmp_path / "log" / "run1000", 3.0)
        until(lambda: values(server, "run1000") == [3.0])


def test_a_list_of_runs_waits_for_the_rest_if_it_comes_in_a_moment(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        write(log / f"more{number}", 1.0)
    monkeypatch.setattr("vizkit.reading.log_root._LARGE", 1)
    monkeypatch.setattr("vizkit.server.live_runs._TURN", 0.0)
    runs = LiveRuns(log)
    assert runs.unread > 0
    runs.wait_for_rest()  # nobody reads them
    assert runs.unread > 0
    try:
        runs.start()
        with monkeypatch.context() as patch:
            patch.setattr("vizkit.server.live_runs._MOMENT", 0.0)
            runs.wait_for_rest()
        monkeypatch.setattr("vizkit.server.live_runs._MOMENT", 60.0)
        runs.wait_for_rest()
        assert runs.unread == 0 and len(runs.snapshot.runs) == 9
    finally:
        runs.stop()


def test_a_request_after_a_pause_waits_for_what_was_recorded_meanwhile(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vizkit.server.live_runs._IDLE_AFTER", 0.0)  # the thread sleeps at once
    monkeypatch.setattr("vizkit.server.live_runs._SHARE", 0)  # a pause is the same on a slow machine
    with vizkit.serve(log) as server:
        for number, path in enumerate(("/app/api/runs", "/vizkit/api/runs")):
            write(log / f"new{number}", 3.0)
            time.sleep(2.5)
            assert f"new{number}" in get(f"http://127.0.0.1:{server.port}{path}").text


def test_a_refresh_that_fails_costs_no_request(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = LiveRuns(log)

    def fail() -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(live._root, "refresh", fail)
    live.refresh()
    assert list(live.snapshot.runs) == ["other", "run"]
    live.stop()  # although it was never started


def test_a_remote_directory_is_served(log: Path) -> None:
    memory = pytest.importorskip("fsspec").filesystem("memory")
    memory.put(str(log), "/served", recursive=True)
    try:
        with vizkit.serve("memory://served") as server:
            assert values(server) == [1.0, 2.0]
            assert api(server, "component_tabs") == ["scalar"]
    finally:
        memory.rm("/served", recursive=True)


def test_all_who_come_after_a_pause_wait_for_one_refresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 1.0, 0)
    live = LiveRuns(tmp_path)  # without its thread, as while it sleeps
    with vizkit.LogWriter(tmp_path / "run") as writer:
        writer.add_scalar("loss", 0.5, 1)
    monkeypatch.setattr(live, "_pause", lambda: 1000.0)  # seconds: longer than the test takes
    refreshed: list[int] = []
    refresh = live._root.refresh

    def counted(seconds: float | None = None) -> Changes:
        refreshed.append(1)
        return refresh(seconds)

    monkeypatch.setattr(live._root, "refresh", counted)
    live.catch_up()
    assert refreshed == []  # it was read just now
    live._last_refresh -= 3000
    assert live.is_late
    threads = [threading.Thread(target=live.catch_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refreshed) == 1 and not live.is_late
    assert live.snapshot.runs["run"].logs.scalars("loss").values.tolist() == [1.0, 0.5]
