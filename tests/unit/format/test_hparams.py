"""Hyper-parameters of every type, flat and plain."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import json
import math
import os
import subprocess
import sys
from collections import UserList, deque
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import paddle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.format.frames import TAGS, body, fast, proto_value
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.decode import decode_record
from vizkit.format.hparams import flat_hparams, metric_names
from vizkit.format.types import HParams

PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.integers(), max_size=3),
)  # fmt: skip


@fast
@given(st.dictionaries(TAGS, PLAIN, max_size=6))
def test_hparams_of_every_type_come_back_as_they_were(hparams: dict[str, object]) -> None:
    frame = encode.encode_hparams(HParams(hparams, ["acc"], "name"), 5)
    read = decode_record(body(frame)).data
    np.testing.assert_equal(read.hparams, hparams)
    assert {key: type(value) for key, value in read.hparams.items()} == {
        k: type(v) for k, v in hparams.items()
    }
    assert (read.metrics, read.name) == (["acc"], "name")
    for info in proto_value(frame).hparam.hparamInfos:  # no NaN where the page would choke on it
        assert info.WhichOneof("type") != "float_value" or math.isfinite(info.float_value)


class Optimizer(enum.IntEnum):
    ADAM = 3


@dataclasses.dataclass
class Config:
    rate: float = 0.1
    model: dict[str, object] = dataclasses.field(default_factory=lambda: {"depth": 18, "widths": (64, 128)})


@pytest.mark.parametrize(
    ("given_", "flat"),
    [
        ({"a": 1, "b": {"c": {"d": None}, "e": {}}}, {"a": 1, "b/c/d": None, "b/e": {}}),
        (argparse.Namespace(lr=0.1, model={"depth": 18}), {"lr": 0.1, "model/depth": 18}),
        (Config(), {"rate": 0.1, "model/depth": 18, "model/widths": [64, 128]}),
        ({"a": np.float32(0.5), "b": np.arange(3), "c": np.array([7])}, {"a": 0.5, "b": [0, 1, 2], "c": 7}),
        ({"a": Optimizer.ADAM, "b": np.float64(0.5), 3: True}, {"a": 3, "b": 0.5, "3": True}),
        ({"a": [{"b": (1, Optimizer.ADAM)}]}, {"a": [{"b": [1, 3]}]}),
        ({"a": Path("x/y"), "b": np.array(["x"], object)}, {"a": "x/y", "b": ["x"]}),
        ({"a": Config}, {"a": str(Config)}),
        ({"a": deque([1, {"b"}]), "b": SimpleNamespace(c=(2,))}, {"a": [1, ["b"]], "b/c": [2]}),
        ({"a": range(3), "b": UserList([UserList([1])])}, {"a": "range(0, 3)", "b": [[1]]}),
    ],
)
def test_settings_become_one_dict_of_plain_values(given_: object, flat: dict[str, object]) -> None:
    found = flat_hparams(given_)
    assert found == flat
    assert json.loads(json.dumps(found)) == flat
    assert {type(value) for value in found.values()} <= {type(None), bool, int, float, str, list, dict}


def test_a_long_text_of_an_object_is_cut() -> None:
    class Long:
        def __str__(self) -> str:
            return "x" * 5000

    assert flat_hparams({"a": Long(), "b": "y" * 5000}) == {"a": "x" * 997 + "...", "b": "y" * 5000}


@pytest.mark.parametrize("hparams", [None, [1], "lr=0.1", Config, 3])
def test_what_is_no_mapping_is_refused(hparams: object) -> None:
    with pytest.raises(DataError, match="hparams must be a dict"):
        flat_hparams(hparams)


def test_enumerations_of_numbers_and_texts_are_those() -> None:
    number = enum.IntEnum("number", {"three": 3})
    text = enum.Enum("text", {"small": "s"}, type=str)
    assert flat_hparams({"n": number.three, "t": text.small}) == {"n": 3, "t": "s"}


def test_of_names_that_become_one_none_is_lost() -> None:
    assert flat_hparams({"a": {"b": 1}, "a/b": 2, "c": 3}) == {"a/b": 1, "a/b-2": 2, "c": 3}
    assert flat_hparams({1: "x", "1-2": "y", "1": "z"}) == {"1": "x", "1-2": "y", "1-3": "z"}


@pytest.mark.parametrize(
    ("metrics", "names"), [(None, []), ("acc", ["acc"]), (("a", "b", "a"), ["a", "b"]), ({"a": 1}, ["a"])]
)
def test_metrics_are_a_list_of_tags(metrics: object, names: list[str]) -> None:
    assert metric_names(metrics) == names


@pytest.mark.parametrize("metrics", [3, [1], ["a", None]])
def test_what_is_no_list_of_tags_is_refused(metrics: object) -> None:
    with pytest.raises(DataError, match="metrics must be a list of tags"):
        metric_names(metrics)


def test_half_of_a_pair_within_a_list_loses_nothing() -> None:
    frame = encode.encode_hparams(HParams({"files": ["a\ud800"], "lr": 0.1}), 0)
    hparams = decode_record(frame[8:]).data
    assert isinstance(hparams, HParams) and hparams.hparams == {"files": ["a?"], "lr": 0.1}


def test_what_has_no_end_is_cut() -> None:
    endless: list[object] = [1]
    endless.append(endless)
    names: dict[str, object] = {"a": 1}
    names["b"] = names
    flat = flat_hparams({"list": endless, "names": names, "number": 10**5_000})
    assert json.loads(json.dumps(flat)) == flat
    assert (flat["list"], flat["names/a"], flat["names/b"]) == ([1, "..."], 1, "...")
    assert str(flat["number"]).startswith("0x")
    frame = encode.encode_hparams(HParams(flat), 0)
    hparams = decode_record(frame[8:]).data
    assert isinstance(hparams, HParams) and hparams.hparams == flat


@dataclasses.dataclass
class Node:
    parent: object = None
    parts: list[object] = dataclasses.field(default_factory=list)
    later: int = dataclasses.field(init=False)


def test_parts_that_know_their_whole_take_no_time() -> None:
    whole = Node()
    whole.parts = [Node(whole, [Node(whole)]) for _ in range(30)]
    (parts,) = [value for name, value in flat_hparams(whole).items() if name == "parts"]
    assert isinstance(parts, list) and len(parts) == 30
    assert parts[0]["parts"] == [{"parent": {"parent": None, "parts": "..."}, "parts": []}]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Decimal("0.1"), 0.1), (Decimal("1e-3"), 0.001), (Decimal("3.0"), 3), (Decimal("Infinity"), math.inf),
        (Decimal("0.1234567890123456789"), "0.1234567890123456789"), (Decimal("1e400"), "1E+400"),
        (Decimal("12345678901234567890"), "12345678901234567890"), (Decimal("sNaN"), "sNaN"),
        (Decimal("1e-400"), "1E-400"), (Fraction(1, 3), 1 / 3), (Fraction(6, 2), 3), (Fraction(1, 10), 0.1),
        (Fraction(1, 10**7 + 1), "1/10000001"), (Fraction(10**20 + 1, 10**20), f"{10**20 + 1}/{10**20}"),
    ],
)  # fmt: skip
def test_decimals_and_fractions_are_numbers_where_a_float_holds_them(value: object, plain: object) -> None:
    found = flat_hparams({"a": value, "b": [value]})
    assert repr(found) == repr({"a": plain, "b": [plain]})


def test_a_value_that_cannot_be_looked_at_does_not_cost_the_others() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    with paddle.LazyGuard():
        lazy = paddle.nn.Linear(2, 2).weight
    name = f"<{__name__}.{Odd.__qualname__}>"
    found = flat_hparams({"lr": 0.1, "odd": Odd(), "lazy": lazy, "complex": paddle.to_tensor([1 + 2j])})
    assert found["lr"] == 0.1 and found["odd"] == name and isinstance(found["lazy"], str)
    assert json.loads(json.dumps(found)) == found


_PRINT = """
import collections, functools, json, numpy, pathlib, types
from vizkit.format.hparams import flat_hparams
class Augment: pass
def scale(x): return x
print(json.dumps(flat_hparams({
    "set": {"flip", "crop", "blur", "jitter", "rotate"}, "frozen": frozenset({"b", "a", 3}),
    "object": Augment(),
    "lambda": lambda x: x, "function": scale, "builtin": len, "method": Augment().__init__,
    "partial": functools.partial(scale, 2), "path": pathlib.Path("a/b"), "paths": [pathlib.Path("a")],
    "list": [Augment(), {"x", "y", "z"}], "dict": [{"f": scale, "s": {"p", "q", "r"}}],
    "iterator": iter([1]), "spaces": types.SimpleNamespace(s={"p", "q", "r"}),
    "queue": collections.deque([{"p", "q", "r"}]), "keys": dict.fromkeys({"p", "q", "r"}).keys(),
    "of sets": functools.partial(scale, {"p", "q", "r"}, x={"s", "t", "u"}), "text": str(Augment()),
    "objects": numpy.array([Augment(), {"p", "q", "r"}], object),
    "names": {frozenset({"p", "q", "r"}): 1, Augment(): 2, scale: 3},
})))
"""


def test_equal_settings_of_two_processes_are_equal() -> None:
    texts = []
    for seed in ("1", "2", "3"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "MALLOC_ARENA_MAX": seed}
        run = subprocess.run([sys.executable, "-c", _PRINT], env=environment, capture_output=True, check=True)
        texts.append(run.stdout)
    assert texts[0] == texts[1] == texts[2]
    found = json.loads(texts[0])
    assert found["set"] == ["blur", "crop", "flip", "jitter", "rotate"]
    assert found["object"] == "<__main__.Augment>"
    assert found["function"] == "__main__.scale"
    assert found["path"] == "a/b"
    assert found["of sets"] == "functools.partial(__main__.scale, ['p', 'q', 'r'], x=['s', 't', 'u'])"
    assert found["text"] == found["objects"][0] == "<__main__.Augment>"


def test_other_settings_stay_other() -> None:
    found = [
        flat_hparams({"x": value})["x"]
        for value in ({1, 2}, {1, 3}, math.sin, math.cos, Path("a"), Path("b"))
    ]
    assert len({repr(value) for value in found}) == len(found)
