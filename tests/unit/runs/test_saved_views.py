"""Saved views: two editors lose nothing, and the file is bounded and read with care."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vizkit.errors import ConflictError, DataError, LogNotFoundError, UnknownNameError
from vizkit.runs import Runs
from vizkit.runs.saved_views import SavedViews, Views


def test_views_are_saved_renamed_and_deleted(tmp_path: Path) -> None:
    views = SavedViews(str(tmp_path))
    assert views.content() == {}
    views.edit("losses", "tags=loss", None)
    views.edit("路 <b>", "tab=compare&metric=eval%2Facc", None)
    assert SavedViews(str(tmp_path)).content() == {
        "losses": "tags=loss",
        "路 <b>": "tab=compare&metric=eval%2Facc",
    }
    views.edit("losses", "tags=loss&x=time", "tags=loss")
    views.edit("renamed", "tags=loss&x=time", None, "losses")
    views.edit("路 <b>", None, "tab=compare&metric=eval%2Facc")
    assert views.content() == {"renamed": "tags=loss&x=time"}
    assert sorted(os.listdir(tmp_path)) == ["views.json"]


def test_the_second_editor_of_a_view_is_told(tmp_path: Path) -> None:
    one, other = SavedViews(str(tmp_path)), SavedViews(str(tmp_path))
    one.edit("a", "x=time", None)
    for query in ("x=epoch", None):
        with pytest.raises(ConflictError) as refused:
            other.edit("a", query, None)
        assert refused.value.current == "x=time" and other.content() == {"a": "x=time"}
    one.edit("a", None, "x=time")
    with pytest.raises(ConflictError) as refused:
        other.edit("a", "x=epoch", "x=time")
    assert refused.value.current is None


def test_editors_at_once_lose_nothing(tmp_path: Path) -> None:
    def save(number: int) -> None:
        SavedViews(str(tmp_path)).edit(f"view{number}", f"from={number}", None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(save, range(40)))
    assert SavedViews(str(tmp_path)).content() == {f"view{n}": f"from={n}" for n in range(40)}


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a" * 101, "\x1b[31m", "a\u202eb"])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name of a view"):
        SavedViews(str(tmp_path)).edit(name, "x=time", None)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("query", ["a b", "x=<script>", "#top", "x=时间", "x=1\n", "a" * 20_001, 'x="'])
def test_a_query_that_is_none_is_refused(query: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="query of an address"):
        SavedViews(str(tmp_path)).edit("a", query, None)


def test_there_are_at_most_200(tmp_path: Path) -> None:
    kept = {f"view{n}": "x=time" for n in range(200)}
    (tmp_path / "views.json").write_text(json.dumps({"views": kept}))
    views = SavedViews(str(tmp_path))
    with pytest.raises(DataError, match="at most 200"):
        views.edit("more", "x=time", None)
    views.edit("other", "x=time", None, "view7")
    assert len(views.content()) == 200


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ('{"views": {"a": "x=time", "b": 7, "": "x=time", "c": "javascript:alert(1) "}}', {"a": "x=time"}),
        ('{"views": ["a"]}', {}),
        ("[]", {}),
    ],
)
def test_what_makes_no_sense_counts_as_not_given(content: str, found: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "views.json").write_text(content)
    views = SavedViews(str(tmp_path))
    assert views.content() == found and views.problems == []


@pytest.mark.parametrize("kind", ["damaged", "deep", "huge", "link", "pipe", "folder"])
def test_a_file_that_cannot_be_read_is_said_and_stays(kind: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"views": {"a": "x=time"}}')
    log = tmp_path / "log"
    log.mkdir()
    path = log / "views.json"
    if kind == "link":
        path.symlink_to(outside)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text(
            {"damaged": '{"views": {', "deep": '{"views": ' + "[" * 5000, "huge": " " * (9 << 20)}[kind]
        )
    views = SavedViews(str(log))
    assert views.content() == {}
    (problem,) = views.problems
    assert str(path) in problem.message
    with pytest.raises(DataError):
        views.edit("a", "x=epoch", None)
    assert outside.read_text() == '{"views": {"a": "x=time"}}' and os.listdir(log) == ["views.json"]


def test_views_of_one_log_file_and_of_a_remote_directory(tmp_path: Path) -> None:
    log = tmp_path / "vdlrecords.1.log"
    log.touch()
    SavedViews(str(log)).edit("a", "x=time", None)
    assert SavedViews(str(tmp_path)).content() == {"a": "x=time"}
    remote = SavedViews("s3://bucket/log")
    assert remote.content() == {}
    with pytest.raises(DataError, match="remote"):
        remote.edit("a", "x=time", None)


@pytest.mark.parametrize(
    ("address", "query"),
    [
        ("tags=loss&x=time", "tags=loss&x=time"),
        ("?tags=loss", "tags=loss"),
        ("tags=^a?b#c", "tags=%5Ea%3Fb%23c"),
        ("http://127.0.0.1:8040/vizkit/?token=secret&lang=zh&tags=loss#top", "tags=loss"),
        ("https://host/proxy/8040/vizkit/", ""),
        ("filter=lr < 0.1&only=a/b&only=c*~", "filter=lr+%3C+0.1&only=a%2Fb&only=c*%7E"),
        ("filter=lr+%3C+0.1&find=%E6%97%B6", "filter=lr+%3C+0.1&find=%E6%97%B6"),
        ("find=时&from=1e-3", "find=%E6%97%B6&from=1e-3"),
    ],
)
def test_views_are_saved_from_python_as_the_page_saves_them(address: str, query: str, tmp_path: Path) -> None:
    views = Runs(where=str(tmp_path)).views
    views["a"] = address
    assert dict(Views(tmp_path)) == SavedViews(str(tmp_path)).content() == {"a": query}
    views["a"] = "x=epoch"
    assert views["a"] == "x=epoch" and list(views) == ["a"] and len(views) == 1
    del views["a"]
    assert "a" not in views and json.loads((tmp_path / "views.json").read_text()) == {"views": {}}


def test_what_cannot_be_a_view_is_said(tmp_path: Path) -> None:
    views = Views(tmp_path)
    views["losses"] = "tags=loss"
    with pytest.raises(UnknownNameError, match="losses"):
        views["loses"]
    with pytest.raises(UnknownNameError):
        del views["other"]
    with pytest.raises(DataError, match="name of a view"):
        views[""] = "x=time"
    (tmp_path / "views.json").write_text("{")
    for use in (lambda: dict(views), lambda: views.__setitem__("a", "x=time")):
        with pytest.raises(DataError, match="not JSON"):
            use()
    with pytest.raises(LogNotFoundError, match="nowhere"):
        Views(tmp_path / "nowhere")
    with pytest.raises(LogNotFoundError):
        dict(Runs().views)
