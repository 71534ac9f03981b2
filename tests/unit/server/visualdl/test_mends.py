"""Scripts of VisualDL's page are mended as they are served, where they are as expected."""

from __future__ import annotations

from vizkit.server.visualdl.mends import mended
from vizkit.server.visualdl.page import VisualDLPage

TABLE = "_dist_/components/HyperParameterPage/TableView/Table.js"


def test_the_installed_version_is_mended() -> None:
    answer = VisualDLPage("/app")._read(TABLE)
    assert answer is not None
    assert b"accessor:row=>row[t][e],id:e" in answer.body
    assert b"accessor:`${t}.${e}`" not in answer.body


def test_other_files_and_versions_are_left_alone() -> None:
    broken = b"accessor:`${t}.${e}`,id:e"
    assert mended("_dist_/App.js", broken) == broken
    assert mended(TABLE, broken * 2) == broken * 2
    assert mended(TABLE, b"accessor:`${u}.${e}`,id:e") == b"accessor:`${u}.${e}`,id:e"
