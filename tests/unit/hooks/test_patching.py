"""Attributes of other people's code, replaced and put back."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from vizkit._after_import import AfterImport
from vizkit.hooks._patching import Patches, overridden


class Theirs:
    def method(self) -> str:
        return "theirs"


class Stock: ...


class Ours: ...


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("theirs_alone")
    vars(module)["Writer"] = vars(module)["Alias"] = Stock
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


# ---- of objects ----------------------------------------------------------------------------------


def test_an_objects_method_is_overridden_and_put_back() -> None:
    theirs = Theirs()
    put_back = overridden(theirs, "method", lambda: "ours")
    assert theirs.method() == "ours"
    put_back()
    assert theirs.method() == "theirs" and not vars(theirs)


def test_an_objects_own_attribute_comes_back() -> None:
    holder = SimpleNamespace(a=1)
    put_back = overridden(holder, "a", 2)
    assert holder.a == 2
    put_back()
    assert holder.a == 1


def test_an_attribute_that_somebody_else_has_set_since_stays() -> None:
    holder = SimpleNamespace(a=1)
    put_back = overridden(holder, "a", 2)
    holder.a = 3
    put_back()
    assert holder.a == 3


# ---- of classes and modules ------------------------------------------------------------------------


def test_patches_are_taken_back_the_last_first() -> None:
    patches, before = Patches(), Theirs.method
    patches.replace(Theirs, "method", lambda self: "one")
    patches.replace(Theirs, "method", lambda self: "two")
    assert Theirs().method() == "two"
    assert patches.undo() == []
    assert Theirs.method is before
    assert patches.undo() == []


def test_patches_that_somebody_else_has_replaced_are_left_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Theirs, "method", Theirs.method)  # put back in the end
    patches = Patches()
    patches.replace(Theirs, "method", lambda self: "ours")
    monkeypatch.setattr(Theirs, "method", lambda self: "another's")
    assert patches.undo() == ["Theirs.method"]
    assert Theirs().method() == "another's"


def test_a_patch_that_somebody_else_has_taken_back_is_no_news() -> None:
    patches, before = Patches(), Theirs.method
    patches.replace(Theirs, "method", lambda self: "ours")
    Theirs.method = before  # type: ignore[method-assign]
    assert patches.undo() == []
    patches.replace(sys.modules[__name__], "Ours", Stock)
    ours = patches._made[0].before
    del globals()["Ours"]
    assert patches.undo() == []
    globals()["Ours"] = ours


def test_a_class_is_replaced_under_all_its_names(module: ModuleType) -> None:
    patches = Patches()
    patches.replace_everywhere(Stock, Ours, but=__name__.partition(".")[0])
    assert vars(module)["Writer"] is vars(module)["Alias"] is Ours
    assert globals()["Stock"] is Stock  # here it is left alone
    vars(module)["Late"] = Ours
    assert patches.undo() == []
    patches.undo_everywhere(Stock, Ours, but=__name__.partition(".")[0])
    assert {vars(module)[name] for name in ("Writer", "Alias", "Late")} == {Stock}


# ---- after an import -------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "imported_late.py").write_text("done = True\n")
    finders = list(sys.meta_path)
    yield tmp_path
    sys.modules.pop("imported_late", None)
    assert sys.meta_path == finders


def test_a_function_is_called_once_after_the_import(path: Path) -> None:
    found: list[bool] = []
    AfterImport("imported_late", lambda: found.append(vars(sys.modules["imported_late"])["done"]))
    importlib.import_module("imported_late")
    importlib.reload(sys.modules["imported_late"])
    assert found == [True]


def test_a_cancelled_one_is_not_called(path: Path) -> None:
    waiting = AfterImport("imported_late", lambda: pytest.fail("called"))
    waiting.cancel()
    waiting.cancel()
    importlib.import_module("imported_late")


def test_one_that_is_cancelled_amid_the_import_is_not_called(path: Path) -> None:
    waiting = AfterImport("imported_late", lambda: pytest.fail("called"))
    spec = importlib.util.find_spec("imported_late")
    waiting.cancel()
    assert spec and spec.loader
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_module_that_is_not_there_is_not_found(path: Path) -> None:
    waiting = AfterImport("not_there_at_all", lambda: pytest.fail("called"))
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("not_there_at_all")
    waiting.cancel()


@pytest.mark.parametrize("loader", [None, SimpleNamespace(), Ours()])
def test_loaders_that_cannot_be_followed_still_load(loader: object, path: Path) -> None:
    waiting = AfterImport("imported_late", lambda: pytest.fail("called"))

    class Finder:
        @staticmethod
        def find_spec(name: str, path: object, target: object = None) -> ModuleSpec:
            return ModuleSpec(name, loader)  # type: ignore[arg-type]

    sys.meta_path.insert(0, Finder)
    try:
        spec = waiting.find_spec("imported_late")
        assert spec is not None and spec.loader is loader
    finally:
        sys.meta_path.remove(Finder)
        waiting.cancel()
