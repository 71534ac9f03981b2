"""The workspace on a slow network, without one, and while runs are deleted and replaced beneath it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

import vizkit

from .workspace_page import Look, Workspace, serving

pytestmark = pytest.mark.browser


def write(directory: Path, *values: float, first: int = 0) -> None:
    with vizkit.LogWriter(directory) as writer:
        for step, value in enumerate(values, start=first):
            writer.add_scalar("loss", value, step)


def drawn(page: Workspace) -> dict[str, list[float]]:
    return {name: line["y"] for name, line in page.lines("loss").items()}


def throttled(page: Workspace, *, latency: int, bytes_a_second: int) -> None:
    session = page.page.context.new_cdp_session(page.page)
    session.send("Network.enable")
    speed = {"downloadThroughput": bytes_a_second, "uploadThroughput": bytes_a_second}
    session.send("Network.emulateNetworkConditions", {"offline": False, "latency": latency, **speed})


def test_what_came_while_offline_is_drawn_after_it(look: Look, tmp_path: Path) -> None:
    write(tmp_path / "log/run", 3.0, 2.0)
    with serving(tmp_path / "log") as served, look("?from=0&to=5", origin=served.origin) as page:
        assert drawn(page) == {"run": [3.0, 2.0]}
        page.page.context.set_offline(True)
        write(tmp_path / "log/run", 1.0, first=2)
        write(tmp_path / "log/other", 7.0)
        expect(page.page.get_by_text("connection lost")).to_be_visible()
        page.page.locator("figcaption").get_by_role("button", name="Reset zoom").click()
        page.page.context.set_offline(False)
        page.until(lambda: drawn(page) == {"other": [7.0], "run": [3.0, 2.0, 1.0]}, "all is drawn")
        expect(page.page.get_by_text("connection lost")).to_have_count(0)
        assert "from" not in page.query()
        page._faults.clear()  # of requests while there was no network


def test_a_chart_whose_answer_was_lost_asks_again(look: Look, tmp_path: Path) -> None:
    write(tmp_path / "log/run", *map(float, range(9)))
    with serving(tmp_path / "log") as served, look("?full=loss", origin=served.origin) as page:
        assert len(drawn(page)["run"]) == 9
        lost: list[str] = []

        def lose(route: object) -> None:
            lost.append(route.request.url)  # type: ignore[attr-defined]
            route.abort()  # type: ignore[attr-defined]

        page.page.route("**/api/curves?*", lose, times=1)
        page.page.locator(".plot").first.focus()
        page.page.keyboard.press("+")
        page.until(lambda: len(lost) == 1, "an answer is lost")
        page.until(lambda: len(drawn(page)["run"]) < 9, "the window is drawn")
        page._faults.clear()  # of the lost answer


def test_a_slow_network_shows_the_last_question(look: Look, tmp_path: Path) -> None:
    write(tmp_path / "log/run", *map(float, range(3000)))
    with serving(tmp_path / "log") as served, look("?tab=table", origin=served.origin) as page:
        throttled(page, latency=150, bytes_a_second=200_000)
        page.page.get_by_role("button", name="Charts", exact=True).click()
        assert len(drawn(page)["run"]) >= 3000 / 4
        page.page.locator(".plot").first.focus()
        for _ in range(4):
            page.page.keyboard.press("+")
        low, high = (float(page.query()[end][0]) for end in ("from", "to"))
        page.until(lambda: page.shown("loss")["x"] == [low, high], "the last window is shown")
        inside = [value for value in range(3000) if low <= value <= high]
        page.until(
            lambda: drawn(page)["run"][1:-1] == inside or drawn(page)["run"] == inside, "it has its points"
        )


def test_a_deleted_run_goes_and_a_replaced_one_is_drawn_anew(look: Look, tmp_path: Path) -> None:
    for name, value in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        write(tmp_path / "log" / name, value, value)
    query = "?baseline=a&pinned=b&only=a&only=b&only=c"
    with serving(tmp_path / "log") as served, look(query, origin=served.origin) as page:
        assert drawn(page) == {"b": [2.0] * 2, "a": [1.0] * 2, "c": [3.0] * 2}
        shutil.rmtree(tmp_path / "log/b")
        page.until(lambda: drawn(page) == {"a": [1.0] * 2, "c": [3.0] * 2}, "b is gone")
        page.until_listed(["a", "c"])
        shutil.rmtree(tmp_path / "log/c")
        write(tmp_path / "log/c", 5.0, 6.0, 7.0)
        page.until(lambda: drawn(page) == {"a": [1.0] * 2, "c": [5.0, 6.0, 7.0]}, "c is another one")
        shutil.rmtree(tmp_path / "log/a")
        shutil.rmtree(tmp_path / "log/c")
        page.until_listed([])
        write(tmp_path / "log/b", 4.0)
        page.until(lambda: drawn(page) == {"b": [4.0]}, "b is back")
        page._faults.clear()  # of questions about runs that had just gone


def test_a_server_that_comes_back_with_other_runs_is_followed(look: Look, tmp_path: Path) -> None:
    write(tmp_path / "log/old", 1.0)
    with serving(tmp_path / "log") as served:
        context = look("?baseline=old", origin=served.origin)
        page = context.__enter__()
        assert drawn(page) == {"old": [1.0]}
        port = int(served.origin.rpartition(":")[2])
    shutil.rmtree(tmp_path / "log/old")
    write(tmp_path / "log/new", 2.0, 3.0)
    with vizkit.serve(str(tmp_path / "log"), port=port):
        page.until(lambda: drawn(page) == {"new": [2.0, 3.0]}, "the new run is drawn")
        page.until_listed(["new"])
        page._faults.clear()  # of requests while there was no server
        context.__exit__(None, None, None)
