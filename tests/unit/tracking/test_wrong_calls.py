"""Wrong calls of `Tracker`'s verbs raise a `TypeError`, strict or not; bad values never raise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import paddle
import pytest

from vizkit import Tracker, VizKitError, VizKitWarning

IMAGE = np.zeros((4, 4, 3), np.uint8)
LABELS, SCORES = [0, 1, 1], [0.1, 0.9, 0.4]
NET = paddle.nn.Linear(2, 2)
SPEC = [paddle.static.InputSpec([-1, 2])]

GOOD: dict[str, tuple[Any, ...]] = {
    "log": ({"a": 1},),
    "log_scalar": ("a", 1),
    "log_scalars": ("a", {"b": 1}),
    "log_hparams": ({"lr": 1},),
    "log_image": ("a", IMAGE),
    "log_images": ("a", [IMAGE]),
    "log_figure": ("a", SimpleNamespace(savefig=print)),
    "log_text": ("a", "words"),
    "log_table": ("a", {"b": [1, 2]}),
    "log_audio": ("a", np.zeros(10)),
    "log_histogram": ("a", [1, 2]),
    "log_pr_curve": ("a", LABELS, SCORES),
    "log_roc_curve": ("a", LABELS, SCORES),
    "log_curves": ("a", LABELS, SCORES),
    "log_confusion_matrix": ("a", LABELS, LABELS),
    "curves": ("a",),
    "evaluation": ("a",),
    "log_embeddings": ("a", [[1, 2]]),
    "log_graph": (NET, SPEC),
    "log_model": (NET, SPEC),
    "explain": (NET, np.zeros((1, 3, 8, 8), np.float32)),
    "callback": (),
    "watch": (NET,),
    "flush": (),
    "fail": (ValueError(),),
    "go_on": (),
    "close": (),
}
"""The good arguments of every verb."""

NO_TEXT = [5, None, ["a"], b"a"]
NO_DICT = ["train/loss", 0.5, [1, 2], {1}, b"a"]
NO_NETWORK = [3, None, "net", [NET], np.zeros(3)]
NO_NAMES = ["cat", 3, b"cat", 0.5]


def wrong_calls() -> Iterator[Any]:
    for verb, arguments in GOOD.items():
        if isinstance(arguments[0] if arguments else None, str):
            for tag in NO_TEXT:
                yield verb, (tag, *arguments[1:]), {}, "tag must be a text"
    for value in NO_DICT:
        yield "log", (value,), {}, "metrics must be a dict"
        yield "log", (value, 3), {}, "metrics must be a dict"
        yield "log", (value,), {"reduce": "mean"}, "metrics must be a dict"
        yield "log_scalars", ("a", value), {}, "tag_scalar_dict must be a dict"
        yield "log_hparams", (value,), {}, "hparams must be a dict"
        yield "log_table", ("a", value), {}, "columns must be a dict of"
    for value in (3, 0.5, b"a"):
        yield "log_hparams", ({"lr": 1}, value), {}, "metrics must be a list of names"
    for verb in ("log_graph", "log_model", "explain"):
        for value in NO_NETWORK:
            yield verb, (value, *GOOD[verb][1:]), {}, "must be a paddle.nn.Layer or paddle.Model"
    for value in (5, None, ["NCHW"]):
        for verb in ("log_image", "log_images", "explain"):
            yield verb, GOOD[verb], {"dataformats": value}, "dataformats must be a text"
        yield "log_model", GOOD["log_model"], {"name": value}, "name must be a text"
        yield "explain", GOOD["explain"], {"method": value}, "method must be a name or an interpreter"
    yield "explain", GOOD["explain"], {"tag": 5}, "tag must be a text"
    yield "log_curves", GOOD["log_curves"], {"activation": 3}, "activation must be a text"
    for value in NO_NAMES:
        for verb in ("log_image", "log_images", "log_curves", "log_confusion_matrix", "explain"):
            yield verb, GOOD[verb], {"class_names": value}, "class_names must be a list of names"
        yield "log_embeddings", GOOD["log_embeddings"], {"metadata_header": value}, "metadata_header must be"
    for value in (3, "figure", IMAGE):
        yield "log_figure", ("a", value), {}, "figure must be a matplotlib figure"


@pytest.fixture(params=["strict", "not strict", "another rank"])
def tracker(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tracker]:
    if request.param == "another rank":
        monkeypatch.setenv("PADDLE_TRAINER_ID", "1")
    with Tracker(tmp_path / "run", strict=request.param == "strict") as tracker:
        yield tracker


def test_every_verb_is_tried() -> None:
    public = {name for name, value in vars_of_all(Tracker).items() if callable(value)}
    assert public == set(GOOD)


def vars_of_all(cls: type) -> dict[str, object]:
    found = {name: value for base in cls.__mro__ for name, value in vars(base).items()}
    return {name: value for name, value in found.items() if not name.startswith("_")}


@pytest.mark.parametrize("verb", GOOD)
def test_a_misspelt_option_raises(tracker: Tracker, verb: str) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'nme'"):
        getattr(tracker, verb)(*GOOD[verb], nme="x")
    assert not tracker.lost


def test_a_missing_argument_raises(tracker: Tracker) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'value'"):
        tracker.log_scalar("a")  # type: ignore[call-arg]


def test_a_wrong_kind_of_argument_raises(tracker: Tracker) -> None:
    for verb, arguments, options, message in wrong_calls():
        with pytest.raises(TypeError, match=message):
            getattr(tracker, verb)(*arguments, **options)
            pytest.fail(f"{verb} took {arguments}, {options}")
    assert not tracker.lost


@pytest.mark.parametrize(
    ("options", "message"),
    [({"hparams": 3}, "hparams must be"), ({"metrics": 3}, "metrics must be"), ({"nme": "x"}, "'nme'")],
)
def test_a_wrong_call_opens_no_run(tmp_path: Path, options: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Tracker(tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


BAD_VALUES: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("log", (None,), {}),
    ("log", ({"a": "x"},), {}),
    ("log", ({"a": None},), {}),
    ("log", ({"a": [1, 2]},), {}),
    ("log", ({"a": 1}, "x"), {}),
    ("log_scalar", ("a", None), {}),
    ("log_scalar", ("a", "x", 3), {}),
    ("log_scalar", ("a", 1, "x"), {}),
    ("log_scalar", ("a", 1, 1, "x"), {}),
    ("log_scalars", ("a", None), {}),
    ("log_scalars", ("a", {"b": "x"}), {}),
    ("log_hparams", (None,), {}),
    ("log_hparams", ({"a": 1}, [3]), {}),
    ("log_image", ("a", None), {}),
    ("log_image", ("a", np.zeros((2, 2, 2))), {}),
    ("log_image", ("a", IMAGE), {"dataformats": "XYZ"}),
    ("log_image", ("a", IMAGE), {"mask": "x"}),
    ("log_images", ("a", None), {}),
    ("log_images", ("a", []), {}),
    ("log_images", ("a", [IMAGE]), {"rows": "x"}),
    ("log_images", ("a", [IMAGE]), {"labels": [1, 2]}),
    ("log_figure", ("a", None), {}),
    ("log_audio", ("a", None), {}),
    ("log_audio", ("a", [np.nan]), {}),
    ("log_audio", ("a", [0.5]), {"sample_rate": "x"}),
    ("log_histogram", ("a", "x"), {}),
    ("log_histogram", ("a", [1]), {"buckets": "x"}),
    ("log_pr_curve", ("a", [0, 2], [0.5, 0.5]), {}),
    ("log_roc_curve", ("a", [0, 1], [np.nan, 0.5]), {}),
    ("log_curves", ("a", [0, 1], None), {}),
    ("log_curves", ("a", LABELS, SCORES), {"activation": "relu"}),
    ("log_confusion_matrix", ("a", [0, 1], [0]), {}),
    ("log_embeddings", ("a", [1, 2]), {}),
    ("log_embeddings", ("a", [[1, 2]]), {"metadata": ["a", "b"]}),
    ("log_graph", (NET, "x"), {}),
    ("log_model", (NET, "x"), {}),
    ("log_model", (NET, SPEC), {"name": "vdlrecords"}),
    ("explain", (NET, np.zeros(3)), {}),
    ("explain", (NET, np.zeros((1, 3, 8, 8), np.float32)), {"method": "lime"}),
    ("explain", (paddle.nn.Conv2D(3, 2, 8), np.zeros((1, 3, 8, 8), np.float32)), {"layer": "none"}),
]


@pytest.mark.parametrize(("verb", "arguments", "options"), BAD_VALUES)
def test_a_bad_value_is_lost_with_a_warning(
    tmp_path: Path, verb: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with pytest.warns(VizKitWarning, match="not recorded"), Tracker(tmp_path / "run") as tracker:
        assert getattr(tracker, verb)(*arguments, **options) is None
        tracker.flush()
    assert sum(tracker.lost.values()) == 1


@pytest.mark.parametrize(("verb", "arguments", "options"), BAD_VALUES)
def test_a_bad_value_raises_if_strict(
    tmp_path: Path, verb: str, arguments: tuple[Any, ...], options: dict[str, Any]
) -> None:
    with (
        Tracker(tmp_path / "run", strict=True) as tracker,
        pytest.raises((VizKitError, TypeError, ValueError)),
    ):
        getattr(tracker, verb)(*arguments, **options)
        tracker.flush()
