"""Scripts of VisualDL's page are mended as they are served, where they are as expected."""

from __future__ import annotations

from pathlib import Path

from vizkit.server.visualdl.mends import _MENDS, mended
from vizkit.server.visualdl.page import VisualDLPage
from vizkit.server.visualdl.stock import find_package

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


def test_every_mend_fits_the_installed_version_and_is_made_whole_or_not_at_all() -> None:
    for mend in _MENDS:
        content = (Path(find_package(), "server/dist") / mend.path).read_bytes()
        whole = mended(mend.path, content)
        for broken, right in mend.changes.items():
            assert content.count(broken.encode()) == 1, mend.name
            assert right.encode() in whole, mend.name
        for broken in mend.changes:
            part = mended(mend.path, content.replace(broken.encode(), b"another version"))
            assert not any(right.encode() in part for right in mend.changes.values()), mend.name


def test_names_are_encoded_where_an_address_is_made_of_them() -> None:
    raw = b"f(`/graph/graph?run=${d}&nodeid=${e.nodeId}&expand=${!0}`)"
    encoded = (
        b"f(`/graph/graph?run=${encodeURIComponent(d)}&nodeid=${encodeURIComponent(e.nodeId)}&expand=${!0}`)"
    )
    assert mended("_dist_/components/GraphPage/GraphDynamic.js", raw) == encoded
    assert mended("_dist_/components/Table.js", raw) == raw
