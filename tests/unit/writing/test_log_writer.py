"""`vizkit.LogWriter` beside stock VisualDL's: what stock gets wrong, and what stock reads back."""

from __future__ import annotations

import argparse
import collections
import inspect
import io
import itertools
import json
import math
import sys
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
import visualdl
from PIL import Image
from sklearn.metrics import average_precision_score, roc_auc_score

from tests.helpers import by_tag, damage, log_of, python, records, series, stock
from vizkit import ClosedError, DataError, LogWriter, TagError, VizKitWarning
from vizkit.format.types import SubScalar
from vizkit.metrics.arrays import to_array
from vizkit.reading import RunReader

RNG = np.random.default_rng(0)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[LogWriter]:
    with LogWriter(tmp_path) as writer:
        yield writer


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)))


def written(writer: LogWriter, tag: str) -> Any:
    """The content of a tag's last record, and that stock VisualDL reads as many records of it."""
    writer.flush()
    found = by_tag(writer.logdir)[tag]
    assert len(stock(writer.logdir, found[-1].kind, tag)) == len(found)
    return found[-1].data


# -- the face --------------------------------------------------------------------------------------


def test_it_is_visualdls_writer_with_its_methods_and_arguments() -> None:
    assert issubclass(LogWriter, visualdl.LogWriter)
    for name, theirs in inspect.getmembers(visualdl.LogWriter, inspect.isfunction):
        ours = getattr(LogWriter, name)
        if name.startswith("_") and name != "__init__":
            continue
        assert ours is not theirs, f"{name} is VisualDL's own"
        expected = [p for p in inspect.signature(theirs).parameters.values() if p.kind is not p.VAR_KEYWORD]
        given = list(inspect.signature(ours).parameters.values())[: len(expected)]
        assert [p.name for p in given] == [p.name for p in expected], name
        for own, other in zip(given, expected, strict=True):  # whatever call stock takes is taken
            assert own.default == other.default or other.default is other.empty, (name, own)


def test_a_misspelt_argument_is_refused_with_the_right_name(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"log_dir.*did you mean 'logdir'"):
        LogWriter(log_dir=tmp_path)
    assert not Path("runs").exists()


def test_paths_default_directories_and_file_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with LogWriter(comment="try") as writer:
        writer.add_scalar("a", 1, 0)
    assert Path(writer.logdir).parent == Path("runs")
    assert writer.logdir.endswith(".try")
    with LogWriter(tmp_path / "run", filename_suffix=".mine") as writer:
        writer.add_scalar("a", 1, 0)
    assert Path(writer.file_name) == log_of(tmp_path / "run")
    assert writer.file_name.endswith(".log.mine")
    with LogWriter(tmp_path / "named", file_name="vdlrecords.me.log") as writer:
        writer.add_scalar("a", 1, 0)
    assert log_of(tmp_path / "named").name == "vdlrecords.me.log"
    with pytest.warns(VizKitWarning, match="vdlrecords"):
        LogWriter(tmp_path / "named2", file_name="me.log").add_scalar("a", 1, 0)
    assert log_of(tmp_path / "named2").name == "vdlrecords.me.log"


def test_a_directorys_log_is_continued_so_that_stock_sees_all_of_it(tmp_path: Path) -> None:
    with visualdl.LogWriter(str(tmp_path)) as first:
        first.add_scalar("a", 1.0, 0)
    for step in (1, 2):
        with LogWriter(tmp_path) as writer:
            assert writer.last_step == step - 1
            writer.add_scalar("a", step + 1.0, None)
    assert series(tmp_path, "a") == [(0, 1.0), (1, 2.0), (2, 3.0)]
    assert [item.value for item in stock(tmp_path, "scalar", "a")] == [1.0, 2.0, 3.0]


def test_two_writers_made_before_the_first_record_share_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would begin a file of its own, of which stock VisualDL shows one."""
    clock = itertools.count(1)
    monkeypatch.setattr("vizkit.writing.run_directory.time.time", lambda: next(clock))
    first, second = LogWriter(tmp_path), LogWriter(tmp_path)
    assert first.file_name != second.file_name
    second.add_scalar("a", 1, 0)
    first.add_scalar("b", 2, 0)
    assert first.file_name == second.file_name == str(log_of(tmp_path))
    assert set(by_tag(tmp_path)) == {"a", "b"}


def test_nothing_is_created_before_the_first_record(tmp_path: Path) -> None:
    LogWriter(tmp_path / "run").close()
    assert not (tmp_path / "run").exists()


def test_write_to_disk_false_records_nothing(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run", write_to_disk=False) as writer:
        writer.add_scalar("a", 1, 0)
        writer.add_image("b", np.zeros((2, 2)), 0, dataformats="HW")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "name"),
    [({"display_name": None}, ""), ({"display_name": b"first"}, "first"), ({"display_name": Path("a")}, "a"),
     ({"max_queue": None}, ""), ({"max_queue": math.inf}, ""), ({"max_queue": 0}, "")],
)  # fmt: skip
def test_odd_arguments_that_visualdls_writer_takes_do_not_raise(
    tmp_path: Path, options: dict[str, Any], name: str
) -> None:
    with LogWriter(tmp_path, **options) as writer:
        writer.add_scalar("a", 1, 0)
        writer.add_histogram("h", [1.0], 0)
        writer.flush()
        assert written(writer, "a") == 1
    assert RunReader(tmp_path).display_name == name


def test_the_display_name_reaches_stock(tmp_path: Path) -> None:
    with LogWriter(tmp_path, display_name="第一次") as writer:
        writer.add_scalar("a", 1, 0)
    reader = visualdl.LogReader(file_path=str(log_of(tmp_path)))
    assert list(reader.name2tags) == ["第一次"]


def test_nothing_is_added_after_close(writer: LogWriter) -> None:
    writer.add_scalar("a", 1, 0)
    writer.close()
    writer.close()
    writer.flush()
    before = log_of(writer.logdir).read_bytes()
    image = np.zeros((2, 2, 3), np.uint8)
    calls: list[Callable[[], None]] = [
        lambda: writer.add_scalar("a", 1, 1),
        lambda: writer.add_metrics({"a": 1}, 1),
        lambda: writer.add_text("t", "x", 1),
        lambda: writer.add_image("i", image, 1),
        lambda: writer.add_histogram("h", [1, 2], 1),
        lambda: writer.add_hparams({"a": 1}, []),
    ]
    for add in calls:
        with pytest.raises(ClosedError, match="close"):
            add()
    assert log_of(writer.logdir).read_bytes() == before
    assert len(list(Path(writer.logdir).iterdir())) == 1


# -- scalars ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [0.1, 3, True, np.float32(0.1), np.float64(0.1), np.float16(0.5), np.int64(7), np.bool_(True),
     np.array(0.1), np.array([0.1]), np.array([[2]]), paddle.to_tensor(0.25), paddle.to_tensor([0.25]),
     paddle.to_tensor(3), paddle.to_tensor([1.5], dtype="bfloat16"), 16777217, 1e39, -1e300, math.inf,
     math.nan],
    ids=repr,
)  # fmt: skip
def test_numbers_of_every_kind_are_kept_exactly(writer: LogWriter, value: Any) -> None:
    writer.add_scalar("a", value, 1)
    exact = float(value.item() if hasattr(value, "item") else value)
    np.testing.assert_equal(written(writer, "a"), exact)
    with np.errstate(over="ignore"):
        np.testing.assert_equal(stock(writer.logdir, "scalar", "a")[0].value, float(np.float32(exact)))


@pytest.mark.parametrize("value", ["1.5 s", None, [1, 2], np.zeros(2), np.zeros(0), 1 + 2j, {}, 10**400])
def test_what_is_no_number_is_refused_by_name(writer: LogWriter, value: Any) -> None:
    with pytest.raises(DataError, match=r"number|fit"):
        writer.add_scalar("a", value, 1)
    assert not list(Path(writer.logdir).iterdir())


@pytest.mark.parametrize("value", ["0.500000", b"0.5", "5e-1\n", [0.5], np.full((1, 1, 1), 0.5), ["0.5"]])
def test_a_number_in_a_text_or_a_list_is_recorded_by_every_verb_of_scalars(
    writer: LogWriter, value: Any
) -> None:
    writer.add_scalar("alone", value, 0)
    writer.add_metrics({"together": value}, 0)
    writer.add_scalars("group", {"member": value}, 0)
    assert written(writer, "alone") == written(writer, "together") == 0.5
    assert written(writer, "group").value == 0.5


def test_no_text_is_an_empty_one_as_in_stock(writer: LogWriter) -> None:
    writer.add_text("a", None, 0)
    writer.add_text("a", 1.5, 1)
    assert [record.data for record in by_tag(writer.logdir)["a"]] == ["", "1.5"]
    assert [value.text.encoded_text_string for value in stock(writer.logdir, "text", "a")] == ["", "1.5"]


def test_steps_count_on_by_tag_when_none_is_given(writer: LogWriter) -> None:
    writer.add_scalar("a", 1, 5)
    writer.add_scalar("a", 1, None)
    writer.add_scalar("b", 1, None)
    writer.add_text("t", "x")
    writer.add_text("t", "y")
    assert [(r.tag, r.step) for r in records(writer.logdir)] == [
        ("a", 5),
        ("a", 6),
        ("b", 0),
        ("t", 0),
        ("t", 1),
    ]


def test_walltimes_are_milliseconds(writer: LogWriter) -> None:
    import time

    before = int(time.time() * 1000)
    writer.add_scalar("a", 1, 0)
    writer.add_scalar("a", 1, 1, walltime=123)
    writer.add_text("t", "x", 0, walltime=456)
    first, second, third = [record.walltime for record in records(writer.logdir)]
    assert before <= first <= time.time() * 1000
    assert (second, third) == (123, 456)


def test_a_step_of_many_metrics(writer: LogWriter) -> None:
    writer.add_metrics({"a": 0.1, "b": np.float32(2), "c": paddle.to_tensor(3)}, 4)
    assert [(r.tag, r.step, r.data) for r in records(writer.logdir)] == [
        ("a", 4, 0.1),
        ("b", 4, 2.0),
        ("c", 4, 3.0),
    ]
    with pytest.raises(DataError, match="'x'"):
        writer.add_metrics({"a": 1, "b": "x"}, 5)
    assert len(records(writer.logdir)) == 3  # all or nothing


def test_a_group_of_scalars(writer: LogWriter) -> None:
    writer.add_scalars("loss", {"train": 0.1, "eval": 2}, 3)
    assert [record.data for record in records(writer.logdir)] == [
        SubScalar("train", 0.1),
        SubScalar("eval", 2.0),
    ]
    found = stock(writer.logdir, "scalars", "loss")
    assert [(item.id, item.tag_value.tag) for item in found] == [(3, "train"), (3, "eval")]
    writer.add_scalars("bytes", {b"cat": 1.0}, 3)  # type: ignore[dict-item]
    assert stock(writer.logdir, "scalars", "bytes")[0].tag_value.tag == "cat"
    with pytest.raises(DataError, match="dict"):
        writer.add_scalars("loss", [1, 2], 3)  # type: ignore[arg-type]


# -- tags ------------------------------------------------------------------------------------------


BAD_TAGS = [
    *(
        ("", "untitled"),
        ("  ", "untitled"),
        ("/loss", "loss"),
        ("a%b", "a_b"),
        ("a\nb", "a_b"),
        ("a\x00", "a_"),
    ),
    *(("\ud800", "_"), ("//", "untitled")),
]


def verbs(writer: LogWriter) -> dict[str, Callable[[str], None]]:
    """The verbs of VisualDL's writer by the kinds of their records, as calls of a tag."""
    grey = np.zeros((4, 5, 1), np.uint8)
    return {
        "scalar": lambda tag: writer.add_scalar(tag, 1, 0),
        "scalars": lambda tag: writer.add_scalars(tag, {"a": 1}, 0),
        "text": lambda tag: writer.add_text(tag, "x", 0),
        "image": lambda tag: writer.add_image(tag, grey, 0),
        "audio": lambda tag: writer.add_audio(tag, [0.0, 0.5], 0),
        "histogram": lambda tag: writer.add_histogram(tag, [1.0], 0),
        "embeddings": lambda tag: writer.add_embeddings(tag, [[1.0, 2.0]], ["a"]),
        "pr_curve": lambda tag: writer.add_pr_curve(tag, [0, 1], [0.1, 0.9], 0),
        "roc_curve": lambda tag: writer.add_roc_curve(tag, [0, 1], [0.1, 0.9], 0),
    }


@pytest.mark.parametrize(("tag", "better"), BAD_TAGS)
def test_tags_that_stock_took_and_cannot_serve_are_renamed_with_one_warning(
    writer: LogWriter, tag: str, better: str
) -> None:
    with pytest.warns(VizKitWarning, match=f"recorded as {better!r}") as caught:
        for add in verbs(writer).values():
            add(tag)
            add(tag)
    writer.flush()
    assert len(caught) <= len(verbs(writer))  # not one a record
    found = by_tag(writer.logdir)
    for kind in verbs(writer):
        name = better if kind == "scalar" else f"{better}/{kind}"
        assert [record.kind for record in found[name]] == [kind] * 2
        assert len(stock(writer.logdir, kind, name)) == 2


@pytest.mark.parametrize("tag", [*(tag for tag, _ in BAD_TAGS), 3])
def test_a_strict_writer_refuses_them_with_a_better_one(tmp_path: Path, tag: Any) -> None:
    writer = LogWriter(tmp_path, strict=True)
    for add in verbs(writer).values():
        with pytest.raises(TagError, match="tag"):
            add(tag)


def test_a_tag_that_is_no_text_is_refused_as_by_stock(writer: LogWriter) -> None:
    with pytest.raises(TagError, match="got 3"):
        writer.add_scalar(3, 1, 0)  # type: ignore[arg-type]


def test_the_tutorials_pr_and_roc_curves_of_one_tag_are_both_recorded(writer: LogWriter) -> None:
    with pytest.warns(VizKitWarning, match="'class0' holds pr_curve.*'class0/roc_curve'") as caught:
        for step in range(3):
            for number in range(10):
                writer.add_pr_curve(f"class{number}", [0, 1], [0.1, 0.9], step)
                writer.add_roc_curve(f"class{number}", [0, 1], [0.1, 0.9], step)
    assert len(caught) == 1
    found = by_tag(writer.logdir)
    for number in range(10):
        assert [record.step for record in found[f"class{number}"]] == [0, 1, 2]
        assert [record.step for record in found[f"class{number}/roc_curve"]] == [0, 1, 2]


@pytest.mark.parametrize("second", ["scalars", "text", "image", "histogram", "embeddings", "audio"])
def test_a_tag_of_two_kinds_is_told_apart_also_when_it_is_continued(tmp_path: Path, second: str) -> None:
    for _ in range(2):
        with LogWriter(tmp_path) as writer, pytest.warns(VizKitWarning, match="holds scalar") as caught:
            for _ in range(2):
                verbs(writer)["scalar"]("a")
                verbs(writer)[second]("a")
        assert len(caught) == 1
    assert {tag: len(found) for tag, found in by_tag(tmp_path).items() if tag[0] == "a"} == {
        "a": 4,
        f"a/{second}": 4,
    }


def test_visualdls_own_tags_are_kept_for_it(writer: LogWriter) -> None:
    with pytest.warns(VizKitWarning, match="recorded as 'hparam/scalar'"):
        writer.add_scalar("hparam", 1, 0)
    assert written(writer, "hparam/scalar") == 1.0


def test_metrics_have_the_names_of_their_scalars(writer: LogWriter) -> None:
    with pytest.warns(VizKitWarning, match="recorded as 'acc'") as caught:
        writer.add_hparams({"lr": 0.1}, ["/acc"])
        writer.add_scalar("/acc", 0.5, 0)
    assert len(caught) == 1
    assert written(writer, "hparam").metrics == ["acc"]
    assert written(writer, "acc") == 0.5


@pytest.mark.parametrize("tag", ["训练/损失", "loss", "a b", "a/b/c", "é", "x" * 500, "a?b&c=d#e", "<b>"])
def test_other_tags_are_kept(writer: LogWriter, tag: str) -> None:
    writer.add_scalar(tag, 1, 0)
    assert written(writer, tag) == 1.0


# -- hyper-parameters ------------------------------------------------------------------------------


def test_hparams_of_every_type(writer: LogWriter) -> None:
    given = collections.OrderedDict(
        {
            "bias": True, "np bool": np.bool_(False), "int": 3, "np int": np.int32(4), "float": 0.5,
            "np float": np.float32(0.25), "paddle": paddle.to_tensor(2.5), "text": "Adam", "none": None,
            "list": [1, (2, 3)], "array": np.array([1, 2]), "nan": math.nan, "inf": math.inf, "big": 2**70,
            "nested": {"a": 1, "deep": {"b": "x"}, "empty": {}}, "path": Path("x/y"), "class": paddle.nn.ReLU,
        }
    )  # fmt: skip
    writer.add_hparams(given, ("eval/acc",))
    read = written(writer, "hparam")
    expected = {
        "bias": True, "np bool": False, "int": 3, "np int": 4, "float": 0.5, "np float": 0.25, "paddle": 2.5,
        "text": "Adam", "none": None, "list": [1, [2, 3]], "array": [1, 2], "nan": math.nan, "inf": math.inf,
        "big": 2**70, "nested/a": 1, "nested/deep/b": "x", "nested/empty": {}, "path": "x/y",
        "class": str(paddle.nn.ReLU),
    }  # fmt: skip
    np.testing.assert_equal(read.hparams, expected)
    assert {k: type(v) for k, v in read.hparams.items()} == {k: type(v) for k, v in expected.items()}
    infos = stock(writer.logdir, "hparams", "hparam")[0].hparam.hparamInfos
    seen = {info.name: getattr(info, info.WhichOneof("type")) for info in infos}
    assert set(seen) == set(expected)
    assert (seen["bias"], seen["none"], seen["nan"], seen["list"]) == ("True", "None", "nan", "[1, [2, 3]]")
    assert (seen["int"], seen["float"], seen["text"]) == (3, 0.5, "Adam")


def test_hparams_from_argparse_and_dataclasses(writer: LogWriter) -> None:
    writer.add_hparams(argparse.Namespace(lr=0.1, sub=argparse.Namespace(x=1)), "eval/acc")
    read = written(writer, "hparam")
    assert (read.hparams, read.metrics) == ({"lr": 0.1, "sub/x": 1}, ["eval/acc"])


def test_hparams_given_later_are_added(writer: LogWriter, tmp_path: Path) -> None:
    writer.add_hparams({"lr": 0.1, "bs": 2}, ["a"])
    writer.add_hparams({"lr": 0.2}, ["b", "a"])
    read = written(writer, "hparam")
    assert (read.hparams, read.metrics) == ({"lr": 0.2, "bs": 2}, ["a", "b"])
    writer.close()
    with LogWriter(tmp_path) as again:
        again.add_hparams({"epochs": 3}, [])
        assert written(again, "hparam").hparams == {"lr": 0.2, "bs": 2, "epochs": 3}


@pytest.mark.parametrize(
    ("hparams", "metrics", "match"),
    [([1], [], "dict"), ({"a": 1}, 3, "list of tags"), ({"a": 1}, [3], "list of tags")],
)  # fmt: skip
def test_bad_hparams_are_refused(writer: LogWriter, hparams: Any, metrics: Any, match: str) -> None:
    with pytest.raises((DataError, TagError), match=match):
        writer.add_hparams(hparams, metrics)


# -- images ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("img", "dataformats", "expected"),
    [
        (RNG.integers(0, 256, (4, 5, 3), np.uint8), "HWC", lambda a: a),
        (RNG.integers(0, 256, (3, 4, 5), np.uint8), "CHW", lambda a: a.transpose(1, 2, 0)),
        (RNG.integers(0, 256, (4, 5), np.uint8), "HW", lambda a: a),
        (RNG.integers(0, 256, (4, 5, 4), np.uint8), "HWC", lambda a: a),
        (RNG.integers(0, 256, (1, 4, 5), np.uint8), "CHW", lambda a: a[0]),
        (RNG.random((4, 5)), "HW", lambda a: np.rint(a * 255)),
        (RNG.random((4, 5)).astype(np.float32) > 0.5, "HW", lambda a: a * 255),
        (paddle.to_tensor(np.full((3, 2, 2), 0.5, np.float32)), "CHW", lambda a: np.full((2, 2, 3), 128)),
    ],
)
def test_images(writer: LogWriter, img: Any, dataformats: str, expected: Any) -> None:
    before = np.array(img)
    writer.add_image("a", img, 3, dataformats=dataformats)
    np.testing.assert_array_equal(pixels(written(writer, "a")), expected(img))
    np.testing.assert_array_equal(np.array(img), before)
    assert stock(writer.logdir, "image", "a")[0].image.encoded_image_string == written(writer, "a")


def test_the_array_as_it_was_at_the_call_is_recorded(writer: LogWriter) -> None:
    image, values = np.zeros((300, 300), np.uint8), np.zeros(100000)
    for step in range(5):
        image[:], values[:] = step + 10, step
        writer.add_image("i", image, step, dataformats="HW")
        writer.add_histogram("h", values, step)
    image[:], values[:] = 99, 99
    writer.flush()
    assert [int(pixels(png).max()) for _, png in series(writer.logdir, "i")] == [10, 11, 12, 13, 14]
    assert [round(h.edges.mean()) for _, h in series(writer.logdir, "h")] == [0, 1, 2, 3, 4]


def test_small_records_do_not_overtake_large_ones(writer: LogWriter) -> None:
    """A reader takes a step that goes back for a resumed run."""
    for step in range(20):
        size = 400 if step % 4 == 0 else 4
        writer.add_image("i", np.zeros((size, size), np.uint8), step, dataformats="HW")
    writer.flush()
    assert [step for step, _ in series(writer.logdir, "i")] == list(range(20))


def test_bad_images_are_refused_at_the_call(writer: LogWriter) -> None:
    for img, dataformats in ((np.zeros((2, 32, 32)), "HWC"), (np.zeros(3), "HWC"), ("cat.png", "HWC")):
        with pytest.raises(DataError):
            writer.add_image("a", img, 0, dataformats=dataformats)


def test_image_matrix_leaves_the_list_alone(writer: LogWriter) -> None:
    imgs = [np.full((4, 4, 3), value, np.uint8) for value in (10, 20, 30, 40)]
    copies = [img.copy() for img in imgs]
    writer.add_image_matrix("a", imgs, 0, rows=2)
    merged = pixels(written(writer, "a"))
    assert merged.shape == (8, 8, 3)
    assert [merged[y, x, 0] for y in (1, 6) for x in (1, 6)] == [10, 20, 30, 40]
    assert len(imgs) == 4
    for img, copy in zip(imgs, copies, strict=True):
        np.testing.assert_array_equal(img, copy)


@pytest.mark.parametrize(
    ("dataformats", "shape"), [("CHW", (3, 1, 4, 6)), ("HW", (3, 4, 6)), ("HWC", (3, 4, 6, 3))]
)
def test_image_matrix_of_every_format(writer: LogWriter, dataformats: str, shape: tuple[int, ...]) -> None:
    writer.add_image_matrix("a", np.full(shape, 7, np.uint8), 0, rows=1, scale=2.0, dataformats=dataformats)
    assert pixels(written(writer, "a")).shape[:2] == (8, 36)
    with pytest.raises(DataError, match="scale 0"):
        writer.add_image_matrix("a", np.full(shape, 7, np.uint8), 0, scale=0)


@pytest.mark.parametrize(
    ("count", "rows", "found"), [(6, 4, (4, 2)), (6, 9, (6, 1)), (5, 0, (3, 2)), (4, -1, (2, 2))]
)
def test_rows_of_an_image_matrix(writer: LogWriter, count: int, rows: int, found: tuple[int, int]) -> None:
    writer.add_image_matrix("a", np.full((count, 4, 6, 3), 7, np.uint8), 0, rows=rows)
    assert pixels(written(writer, "a")).shape[:2] == (4 * found[0], 6 * found[1])


def test_a_figure_stays_open_and_as_it_was(writer: LogWriter) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(2, 1), dpi=50)
    axes.plot([1, 2])
    canvas = figure.canvas
    writer.add_figure("a", figure, 0)
    assert pixels(written(writer, "a")).shape[:2] == (50, 100)
    assert plt.fignum_exists(figure.number)
    assert figure.canvas is canvas
    for number, meant in enumerate((axes, plt, axes.lines[0])):
        writer.add_figure(f"meant{number}", meant, 0)
        assert np.array_equal(pixels(written(writer, f"meant{number}")), pixels(written(writer, "a")))
    plt.close(figure)
    with pytest.raises(DataError, match="figure"):
        writer.add_figure("a", "no figure", 1)  # type: ignore[arg-type]


# -- sounds, texts, embeddings ---------------------------------------------------------------------


def test_audio(writer: LogWriter) -> None:
    mono = RNG.integers(-32768, 32767, 800).astype(np.int16)
    writer.add_audio("mono", mono, 0, sample_rate=8000)
    stereo = np.stack([mono, -(mono // 2)], axis=1)
    writer.add_audio("stereo", stereo, 0, sample_rate=16000)
    writer.add_audio("float", np.array([0, 0.5, -1.0]), 0)
    for tag, samples in (("mono", mono[:, None]), ("stereo", stereo), ("float", [[0], [16384], [-32767]])):
        read = written(writer, tag)
        with wave.open(io.BytesIO(read.data)) as file:
            frames = np.frombuffer(file.readframes(9999), "<i2").reshape(-1, file.getnchannels())
        np.testing.assert_array_equal(frames, samples)
        assert stock(writer.logdir, "audio", tag)[0].audio.num_channels == len(samples[0])


def test_text(writer: LogWriter) -> None:
    writer.add_text("t", "hello 世界\n", 0)
    writer.add_text("t", b"bytes", 1)
    writer.add_text("t", 3.5, 2)
    assert series(writer.logdir, "t") == [(0, "hello 世界\n"), (1, "bytes"), (2, "3.5")]
    assert stock(writer.logdir, "text", "t")[0].text.encoded_text_string == "hello 世界\n"


@pytest.mark.parametrize(
    ("metadata", "header", "labels", "names"),
    [
        (None, None, [["0"], ["1"]], []),
        (["a", "b"], None, [["a"], ["b"]], []),
        (np.array([5, 6]), None, [["5"], ["6"]], []),
        ([["a", "b"], ["x", "y"]], None, [["a", "x"], ["b", "y"]], ["label_0", "label_1"]),
        ([["a", "b"], ["x", "y"]], ["one", "two"], [["a", "x"], ["b", "y"]], ["one", "two"]),
        (
            [["a", 1, "p"], ["b", 2, "q"]],
            None,
            [["a", "1", "p"], ["b", "2", "q"]],
            ["label_0", "label_1", "label_2"],
        ),
        (np.array([["a"], ["b"]]), ["one"], [["a"], ["b"]], ["one"]),
        (np.array([b"a", "\u00e9".encode()]), [b"one"], [["a"], ["\u00e9"]], ["one"]),
    ],
)
def test_embeddings(writer: LogWriter, metadata: Any, header: Any, labels: Any, names: Any) -> None:
    writer.add_embeddings("e", np.array([[1.0, 2], [3, 4]]), metadata, header)
    read = written(writer, "e")
    assert (read.vectors.tolist(), read.labels, read.header) == ([[1, 2], [3, 4]], labels, names)
    rows = stock(writer.logdir, "embeddings", "e")[0].embeddings.embeddings
    assert [list(row.vectors) for row in rows] == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("mat", "metadata", "header", "match"),
    [([[1, 2]], ["a", "b"], None, "1 vectors have 2 labels"), ([1, 2], None, None, "matrix"),
     (None, None, None, "mat"),
     ([[1, 2], [3]], None, None, "unequal"), ([[1, 2]], ["a"], ["x", "y"], "2 columns")],
)  # fmt: skip
def test_bad_embeddings_are_left_out_and_told(
    tmp_path: Path, mat: Any, metadata: Any, header: Any, match: str
) -> None:
    with LogWriter(tmp_path) as writer:
        with pytest.warns(VizKitWarning, match=match):
            writer.add_embeddings("e", mat, metadata, header)
        assert writer.lost == {"e": 1}
    with LogWriter(tmp_path, strict=True) as writer, pytest.raises(DataError, match=match):
        writer.add_embeddings("e", mat, metadata, header)


# -- histograms and curves -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [RNG.normal(size=1000), RNG.normal(size=(3, 4)).astype(np.float32), [1, 2, 2], np.array([True, False]),
     np.zeros(0), np.full(5, 3.0), np.arange(10, dtype=np.int8),
     paddle.to_tensor([1.0, 2.5], dtype="bfloat16")],
)  # fmt: skip
def test_histograms_equal_numpys(writer: LogWriter, values: Any) -> None:
    writer.add_histogram("h", values, 0, buckets=7)
    read = written(writer, "h")
    plain = np.array([1.0, 2.5]) if isinstance(values, paddle.Tensor) else np.asarray(values)
    counts, edges = np.histogram(plain.astype(np.uint8) if plain.dtype == bool else plain, bins=7)
    assert read.counts.tolist() == counts.tolist()
    np.testing.assert_allclose(read.edges, edges)
    proto = stock(writer.logdir, "histogram", "h")[0].histogram
    assert list(proto.hist) == counts.tolist()


def test_nan_and_inf_do_not_spoil_a_histogram(writer: LogWriter) -> None:
    writer.add_histogram("h", [0.0, 1.0, math.nan, math.inf, math.inf, -math.inf], 0, buckets=2)
    read = written(writer, "h")
    assert (read.counts.tolist(), read.nan, read.posinf, read.neginf) == ([1, 1], 1, 2, 1)
    with pytest.raises(DataError, match="real"):
        writer.add_histogram("h", [1j], 0)


@pytest.mark.parametrize("size", [200, 60_000])  # here and now, and on the worker
def test_curves_are_right_and_stock_reads_them(writer: LogWriter, size: int) -> None:
    labels = RNG.integers(0, 2, size)
    scores = np.clip(labels * 0.3 + RNG.random(size) * 0.7, 0, 1)
    writer.add_pr_curve("pr", labels, scores, 2, num_thresholds=11)
    writer.add_roc_curve("roc", labels, scores, 2, num_thresholds=11)
    pr, roc = written(writer, "pr"), written(writer, "roc")
    assert pr.ap == pytest.approx(average_precision_score(labels, scores), abs=1e-12)
    assert roc.auc == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    for k, threshold in enumerate(np.arange(11) / 10):
        assert pr.tp[k] == np.sum((scores >= threshold) & (labels == 1))
        assert roc.fpr[k] == pytest.approx(np.mean(scores[labels == 0] >= threshold), abs=1e-12)
        assert roc.tpr[k] == pytest.approx(np.mean(scores[labels == 1] >= threshold), abs=1e-12)
    proto = stock(writer.logdir, "roc_curve", "roc")[0].roc_curve
    np.testing.assert_array_equal(list(proto.tpr), roc.tpr)


def test_curves_of_every_class(writer: LogWriter) -> None:
    labels = RNG.integers(0, 3, 500)
    scores = RNG.random((500, 3)) + np.eye(3)[labels]
    scores /= scores.sum(axis=1, keepdims=True)
    writer.add_class_curves("eval", labels, scores, 4, class_names=["cat", "dog", "100%"])
    found = by_tag(writer.logdir)
    areas = []
    for index, name in enumerate(["cat", "dog", "100_"]):
        ap = average_precision_score(labels == index, scores[:, index])
        auc = roc_auc_score(labels == index, scores[:, index])
        areas.append((ap, auc))
        assert found[f"eval/pr/{name}"][0].data.ap == pytest.approx(ap, abs=1e-12)
        assert found[f"eval/roc/{name}"][0].data.auc == pytest.approx(auc, abs=1e-12)
        assert found[f"eval/ap/{name}"][0].data == pytest.approx(ap, abs=1e-12)
        assert found[f"eval/auc/{name}"][0].data == pytest.approx(auc, abs=1e-12)
    mean = np.mean(areas, axis=0)
    assert [found[f"eval/{kind}"][0].data for kind in ("ap", "auc")] == pytest.approx(
        mean.tolist(), abs=1e-12
    )
    assert {record.step for records in found.values() for record in records} == {4}
    writer.add_class_curves("binary", [0, 1, 1], [0.1, 0.9, 0.4], 0)
    assert written(writer, "binary/pr").ap == 1.0
    assert written(writer, "binary/auc") == 1.0
    spelt: Any = np.array([b"cat", b"dog"])
    writer.add_class_curves("bytes", [0, 1], np.eye(2), 0, class_names=spelt)
    assert written(writer, "bytes/pr/cat").ap == 1.0
    writer.add_confusion_matrix("c", [0, 1], [0, 1], 0, class_names=spelt)
    writer.flush()
    assert "cat" in written(writer, "c/counts") and "b'cat'" not in written(writer, "c/counts")
    with pytest.raises(DataError, match="2 classes"):
        writer.add_class_curves("bad", [0, 1], np.eye(2), 0, class_names=["a"])


@pytest.mark.parametrize("count", [1, 200_000])  # at once and on the worker
def test_bad_curves_are_left_out_and_told(tmp_path: Path, count: int) -> None:
    for labels, scores, match in (
        ([0, 1], [0.5, math.nan], "1 of 2 scores are NaN"),
        ([0, 2], [0.5, 0.5], "0 or 1"),
        ([0, 1, 1], [0.5, 0.5], "labels and predictions must be of equal length, got 3 and 2"),
    ):
        with LogWriter(tmp_path / str(len(match))) as writer:
            with pytest.warns(VizKitWarning, match=match if count == 1 else "not recorded"):
                writer.add_pr_curve("pr", labels * count, scores * count, 0)
                writer.add_roc_curve("roc", labels * count, scores * count, 0)
                writer.flush()
            writer.add_roc_curve("roc", [0, 1], [0.2, 0.8], 1)
            assert written(writer, "roc").auc == 1
            assert writer.lost == {"pr": 1, "roc": 1}
    with LogWriter(tmp_path / "strict", strict=True) as writer, pytest.raises(DataError, match="are NaN"):
        writer.add_pr_curve("pr", [0, 1], [0.5, math.nan], 0)


def test_what_the_worker_cannot_encode_is_warned_about_once(tmp_path: Path) -> None:
    bad = np.full(60_000, math.nan)
    with pytest.warns(VizKitWarning, match="pr: not recorded: 60000 of 60000 scores are NaN") as caught:
        writer = LogWriter(tmp_path)
        for step in range(3):
            writer.add_pr_curve("pr", np.zeros(60_000), bad, step)
        writer.add_scalar("a", 1, 0)
        writer.close()
    assert len(caught) == 1
    assert damage(log_of(tmp_path)) == []
    errors: list[tuple[str, Exception]] = []
    writer = LogWriter(tmp_path, on_error=lambda tag, error: errors.append((tag, error)))
    writer.add_pr_curve("pr", np.zeros(60_000), bad, 0)
    writer.close()
    assert [tag for tag, _ in errors] == ["pr"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_job_that_ends_its_thread_is_counted_and_the_next_ones_run(tmp_path: Path) -> None:
    with LogWriter(tmp_path) as writer, pytest.warns(VizKitWarning, match="eval: not recorded: .*SystemExit"):
        writer.defer("eval", lambda: sys.exit(3), 0)
        writer.add_histogram("h", [1.0, 2.0], 0)
        writer.flush()
        assert writer.lost == {"eval": 1}
        assert written(writer, "h").counts.sum() == 2


# -- the graph -------------------------------------------------------------------------------------


def test_a_models_graph_is_written_beside_the_log(
    writer: LogWriter, capsys: pytest.CaptureFixture[str]
) -> None:
    net = paddle.nn.Sequential(paddle.nn.Linear(4, 3), paddle.nn.ReLU())
    writer.add_graph(net, [paddle.static.InputSpec([-1, 4], "float32")], verbose=True)
    (path,) = Path(writer.logdir).glob("vdlgraph.*.log")
    graph = json.loads(path.read_text())
    assert any("Linear" in node["name"] for node in graph["nodes"])
    assert "operators" in capsys.readouterr().out
    writer.add_scalar("a", 1, 0)
    assert written(writer, "a") == 1.0  # the graph is no log


def test_a_deferred_job_adds_records_of_arrays_that_it_owns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[bool] = []

    def noted(value: Any, *, copy: bool, order: Any) -> Any:
        copied.append(copy)
        return to_array(value, copy=copy, order=order)

    monkeypatch.setattr("vizkit.writing.run_log.to_array", noted)
    failed: list[str] = []
    writer = LogWriter(str(tmp_path), on_error=lambda tag, error: failed.append(tag))

    def job() -> None:
        writer.add_histogram("a", np.arange(5000.0), 0)
        writer.add_scalar("b", 1.0, 0)
        raise RuntimeError

    writer.defer("job", job, 10)
    writer.flush()
    assert {record.tag for record in records(tmp_path)} == {"a", "b"}
    assert copied == [False]
    assert failed == ["job"]
    writer.close()
    with pytest.raises(ClosedError):
        writer.defer("job", job, 10)


# -- the import ------------------------------------------------------------------------------------


def test_import_vizkit_is_light() -> None:
    code = """
import sys
import vizkit
heavy = {"paddle", "visualdl", "matplotlib", "pandas", "numpy", "cv2", "PIL", "flask"} & set(sys.modules)
assert not heavy, heavy
assert vizkit.LogWriter.__name__ == "LogWriter"
assert "paddle" not in sys.modules and "matplotlib" not in sys.modules
"""
    done = python(code)
    assert done.returncode == 0, done.stderr


def test_public_names_exist() -> None:
    import vizkit

    names = vars(vizkit)["__all__"]
    assert sorted(names) == names
    for name in names:
        found = getattr(vizkit, name)
        assert getattr(found, "__module__", found.__name__).startswith("vizkit.")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        vizkit.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_a_full_disk_costs_its_records_and_raises_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[tuple[str, str]] = []
    with LogWriter(tmp_path, on_error=lambda tag, error: lost.append((tag, str(error)))) as writer:
        writer.add_scalar("a", 1.0, 0)

        def full(fd: int, data: bytes) -> int:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr("vizkit.writing.log_file._os_write", full)
            writer.add_scalar("a", 2.0, 1)
            writer.add_metrics({"b": 1.0, "c": 2.0}, 1)
            writer.add_text("t", "x", 1)
        writer.add_scalar("a", 3.0, 2)
    assert lost == [(tag, "[Errno 28] No space left on device") for tag in ("a", "b", "c", "t")]
    assert series(tmp_path, "a") == [(0, 1.0), (2, 3.0)]
    assert damage(writer.file_name) == []


def test_the_last_of_several_names_counts(tmp_path: Path) -> None:
    with LogWriter(tmp_path, display_name="first") as writer:
        writer.add_scalar("a", 1.0, 0)
        writer.add_meta(display_name="second")
        writer.add_meta("more", "third", 2)
        with pytest.warns(VizKitWarning, match="holds meta_data records already"):
            writer.add_scalar("more", 1.0, 0)
    assert [(record.tag, record.data) for record in records(tmp_path) if record.kind == "meta_data"] == [
        ("meta_data_tag", "second"),
        ("more", "third"),
    ]
    assert RunReader(tmp_path).display_name == "third"
    assert repr(writer) == f"LogWriter({str(tmp_path)!r}, closed)"


def test_boxes_are_refused_for_a_batch_of_images(writer: LogWriter) -> None:
    with pytest.raises(DataError, match="a mask and boxes go with one image"):
        writer.add_image("a", np.zeros((2, 4, 4, 3)), 0, dataformats="NHWC", boxes=[[0, 0, 1, 1]])


def test_no_graph_is_traced_if_nothing_is_recorded(tmp_path: Path) -> None:
    with LogWriter(tmp_path / "run", write_to_disk=False) as writer:
        writer.add_graph(paddle.nn.Linear(2, 2), [[1, 2]])
    assert not (tmp_path / "run").exists()
