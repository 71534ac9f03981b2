"""Two runs sample by sample: equal to loops over dicts, whatever the ids, their order, what is missing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike

from vizkit import Tracker, language, load
from vizkit.errors import QueryError, UnknownNameError
from vizkit.format.tables import TableColumn, TableColumns, Texts
from vizkit.media.images import enlarge
from vizkit.metrics.paired_tests import paired_bootstrap
from vizkit.reading import RunTables
from vizkit.runs.prediction_table import PredictionTable
from vizkit.runs.sample_comparison import diff_predictions
from vizkit.runs.sample_difference import SampleDifference
from vizkit.runs.table_frames import with_correct

stats = pytest.importorskip("scipy.stats")

NO_TABLES = cast("RunTables", None)  # there are no images
Row = tuple[Any, int, int, float, str | None]  # id, label, prediction, score, light


def column(values: Sequence[Any]) -> TableColumn:
    texts = any(isinstance(value, str) for value in values)
    return Texts.of(values) if texts else np.array(values)


def table(rows: Sequence[Row], run: str = "a") -> PredictionTable:
    columns = zip(*rows, strict=True) if rows else [()] * 5
    names = ("id", "label", "prediction", "score", "light")
    about = {"task": "classification", "slices": "light"}
    found = {name: column(values) for name, values in zip(names, columns, strict=True)}
    return PredictionTable(run, "eval/predictions", 3, with_correct(TableColumns(found, about)), NO_TABLES)


@st.composite
def tables(draw: st.DrawFn, ids: Any, sides: int = 2) -> list[list[Row]]:
    known = draw(st.lists(ids, min_size=3, max_size=30, unique=True))
    about = {i: (draw(st.integers(0, 2)), draw(st.sampled_from(["day", "night", None]))) for i in known}
    out = []
    for _ in range(sides):
        chosen = draw(st.permutations([*known, *draw(st.lists(st.sampled_from(known), max_size=2))]))
        chosen = chosen[: draw(st.integers(1, len(chosen)))]
        out.append([(i, about[i][0], draw(st.integers(0, 2)), draw(st.integers(0, 8)) / 8, about[i][1])
                    for i in chosen])  # fmt: skip
    return out


def once(*sides: Sequence[Row]) -> list[dict[Any, Row]]:
    twice = {row[0] for side in sides for row in side if [other[0] for other in side].count(row[0]) > 1}
    return [{row[0]: row for row in side if row[0] not in twice} for side in sides]


@pytest.mark.parametrize("ids", [st.integers(0, 10**6), st.text("abc", min_size=1)], ids=["numbers", "texts"])
@settings(max_examples=40)
@given(data=st.data())
def test_samples_are_those_of_a_loop(ids: Any, data: st.DataObject) -> None:
    rows = data.draw(tables(ids))
    a, b = once(*rows)
    shared = [key for key in a if key in b]
    if not shared:
        with pytest.raises(QueryError, match="no sample is in both"):
            diff_predictions(table(rows[0]), table(rows[1], "b"))
        return
    found = diff_predictions(table(rows[0]), table(rows[1], "b"))
    kinds: dict[str, list[Any]] = {"both_wrong": [], "mended": [], "broken": [], "both_right": []}
    for key in shared:
        kinds[[*kinds][(a[key][1] == a[key][2]) * 2 + (b[key][1] == b[key][2])]].append(key)
    for kind, keys in kinds.items():
        frame = getattr(found, kind)
        assert sorted(frame["id"]) == sorted(keys)
        assert list(frame["score_b"]) == sorted(frame["score_b"], reverse=True)
        assert [b[key][2] for key in frame["id"]] == list(frame["prediction_b"])
        assert [a[key][4] or "" for key in frame["id"]] == frame["light"].fillna("").tolist()
    assert (found.n, found.only_a, found.only_b) == (len(shared), len(a) - len(shared), len(b) - len(shared))
    assert found.repeated == sum(map(len, rows)) - len(a) - len(b)
    changed = len(kinds["mended"]) + len(kinds["broken"])
    assert found.p == pytest.approx(stats.binomtest(len(kinds["mended"]), changed).pvalue if changed else 1.0)
    assert found.mean_b == pytest.approx(np.mean([b[key][1] == b[key][2] for key in shared]))
    for label, row in found.by_class.iterrows():
        keys = [key for key in shared if a[key][1] == label]
        assert row.n == len(keys) and row.mended == len({*keys} & {*kinds["mended"]})
        assert row.a == pytest.approx(np.mean([a[key][1] == a[key][2] for key in keys]))
    for (name, light), row in found.by_slice.iterrows():
        keys = [key for key in shared if a[key][4] == light]
        assert name == "light" and row.n == len(keys) and row.broken == len({*keys} & {*kinds["broken"]})
    json.dumps(found.to_dict())
    assert found.verdict in repr(found)


@settings(max_examples=40)
@given(tables(st.integers(0, 30), sides=5))
def test_always_wrong_is_wrong_in_every_run_that_has_the_sample(rows: list[list[Row]]) -> None:
    a, b = once(*rows[:2])
    wrong = {key for key in a.keys() & b.keys() if a[key][1] != a[key][2] and b[key][1] != b[key][2]}
    if not a.keys() & b.keys():
        return
    for other in rows[2:]:
        wrong -= {row[0] for row in once(other, other)[0].values() if row[1] == row[2]}
    found = diff_predictions(table(rows[0]), table(rows[1], "b"), map(table, rows[2:]))
    assert {*found.always_wrong["id"]} == wrong == {*found.ids("always_wrong")}
    assert found.runs == 5


def ious(values: ArrayLike, **slices: ArrayLike) -> PredictionTable:
    columns: dict[str, TableColumn] = {"id": np.arange(np.size(values)), "iou": np.array(values)}
    columns |= {name: np.array(numbers) for name, numbers in slices.items()}
    about = {"task": "segmentation", "slices": "\n".join(slices)}
    return PredictionTable("a", "eval/predictions", 1, with_correct(TableColumns(columns, about)), NO_TABLES)


def test_a_metric_is_compared_by_its_mean_and_the_bootstrap() -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(0.2, 0.8, 200)
    b = a + rng.normal(0.02, 0.05, 200)
    b[3], a[5] = np.nan, np.nan
    found = diff_predictions(ious(a, area=a), ious(b))
    difference = (b - a)[np.isfinite(b - a)]
    assert (found.metric, found.mode, found.n, found.unknown) == ("iou", "max", 198, 2)
    assert (found.mean_b - found.mean_a, found.low, found.high, found.p) == pytest.approx(
        paired_bootstrap(difference)
    )
    assert found.better is True and "B is better: the mean iou of 198 samples" in found.verdict
    assert list(found.broken["id"]) == [i for i in np.argsort(b - a) if b[i] < a[i]]
    assert len(found.by_class) == 0 and len(found.both_wrong) == 0
    quarters = found.by_slice.reset_index()
    assert quarters["n"].sum() == 198 and len(quarters) == 4 and quarters["n"].between(48, 51).all()
    assert quarters["value"][0].startswith("[0.2") and quarters["value"][3].endswith("]")


def test_a_limit_makes_samples_right_or_wrong() -> None:
    found = diff_predictions(ious([0.4, 0.6, 0.9, 0.1]), ious([0.5, 0.4, 0.9, 0.2]), limit=0.5)
    assert [found.ids(kind) for kind in ("mended", "broken", "both_right", "both_wrong")] == [
        [0],
        [1],
        [2],
        [3],
    ]
    errors = diff_predictions(ious([4, 6, 9]), ious([5, 4, 9]), limit=5, mode="min")
    assert errors.ids("mended") == [1] and errors.mean_b == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("task", "counts", "metric", "expected"),
    [
        ("detection", {"labels": [2, 4, 0], "found": [[1, 4, 0], [2, 3, 0]], "detected": [9, 9, 9]}, "recall",
         ([0], [1])),
        ("labelling", {"tokens": [2, 4, 0], "wrong": [[1, 0, 0], [0, 1, 0]]}, "accuracy", ([0], [1])),
        ("generation", {"edits": [[1, 0, 3], [0, 1, 3]]}, "edits", ([0], [1])),
        ("regression", {"error": [[1, 0.1, 3], [0, 0.2, 3]]}, "error", ([0], [1])),
    ],
)  # fmt: skip
def test_each_task_has_its_metric(task: str, counts: Any, metric: str, expected: Any) -> None:
    sides = []
    for side in range(2):
        columns = {
            name: np.array(rows[side] if isinstance(rows[0], list) else rows) for name, rows in counts.items()
        }
        about = TableColumns({"id": np.arange(3), **columns}, {"task": task})
        sides.append(PredictionTable("ab"[side], "eval/predictions", 1, about, NO_TABLES))
    found = diff_predictions(sides[0], sides[1])
    assert (found.metric, found.unknown) == (metric, int(task in ("detection", "labelling")))
    assert (found.ids("mended"), found.ids("broken")) == expected
    assert len(found.mended[f"{metric}_b"]) == 1


def sure(n: int, mended: int, broken: int) -> SampleDifference:
    labels = np.zeros(n, int)
    predictions = np.zeros((2, n), int)
    predictions[0, :mended], predictions[1, mended : mended + broken] = 1, 1
    rows = [[(i, 0, int(p), 0.5, None) for i, p in enumerate(side)] for side in predictions]
    assert len(labels) == n
    return diff_predictions(table(rows[0], "run1"), table(rows[1], "run2"))


@pytest.mark.parametrize(
    ("changes", "better", "words"),
    [
        (
            (20, 4),
            True,
            "B is better: B mends 20 and breaks 4 of 100 samples; right are 80.00% in A, 96.00% in B",
        ),
        ((4, 20), False, "B is worse: B mends 4 and breaks 20"),
        ((5, 4), None, "which is better is open: B mends 5 and breaks 4"),
        ((0, 0), None, "A and B are right and wrong on the same samples, 100 in all"),
    ],
)
def test_the_verdict(changes: tuple[int, int], better: bool | None, words: str) -> None:
    found = sure(100, *changes)
    assert found.better is better and found.verdict.startswith(words)
    assert found.to_dict()["verdict"] == found.verdict


def test_the_verdict_in_chinese() -> None:
    try:
        language("zh")
        assert sure(100, 20, 4).verdict.startswith("B 更好：B 在 100 个样本中改对 20 个，改错 4 个")
        assert sure(100, 20, 4).to_dict()["verdict"].startswith("B is better")
    finally:
        language("en")


def test_the_table_says_what_was_left_out() -> None:
    a = [(i, 0, i % 2, 0.5, "day") for i in range(8)] + [(8, 1, 1, 0.5, None)] * 2
    b = [(i, int(i == 2), 0, 0.5, "day") for i in range(2, 12)]
    found = diff_predictions(table(a, "x\x1b"), table(b, "y"))
    text = repr(found)
    assert "A: x\\x1b at step 3, B: y at step 3; table eval/predictions" in text
    assert "not compared, as they are in one run alone: 2 samples of A, 3 of B" in text
    assert "not compared: 3 rows whose ids occur twice" in text
    assert "1 sample has another label in B" in text
    assert list(found.broken["label_b"]) == [1] and "mended: 3, 5, 7" in text
    assert text.count("\x1b") == 0 and "<script" not in found._repr_html_()


@pytest.mark.parametrize("ids", [[0.0, np.nan, 2.0], ["a", None, "b"]])
def test_samples_without_an_id_are_not_the_same_one(ids: list[Any]) -> None:
    rows = [(key, 0, 0, 0.5, None) for key in ids]
    found = diff_predictions(table(rows), table(rows[::-1], "b"))
    assert (found.n, found.unnamed, found.repeated) == (2, 2, 0)
    assert "not compared: 2 rows without an id" in repr(found)


def test_ids_that_differ_in_kind_are_shown() -> None:
    rows = [(3, 0, 0, 0.5, None)]
    with pytest.raises(QueryError, match=r"ids of A are such as \[3\], of B such as \['3'\]"):
        diff_predictions(table(rows), table([("3", *rows[0][1:])], "b"))


def test_an_order_that_may_have_changed_is_said() -> None:
    side = table([(0, 0, 0, 0.5, None), (1, 1, 0, 0.5, None)])
    columns = TableColumns(side.columns.columns, {"task": "classification", "ids": "unknown order"})
    doubtful = diff_predictions(side, side._replace(columns=columns))
    assert doubtful.in_doubt and "their order may have changed" in repr(doubtful)
    assert not diff_predictions(side, side).in_doubt


def test_samples_that_are_hardly_the_same_ones_have_no_verdict() -> None:
    # Ids that are places, of two evaluations in different orders: B seems to be better on all samples.
    labels = [k % 2 for k in range(40)]
    a = [(k, label, 1 - label, 0.5, None) for k, label in enumerate(labels)]
    for moved, wrong in ((0, 0), (10, 10), (11, 11)):
        b = [
            (k, 1 - y if k < moved else y, 1 - y if k < moved else y, 0.5, None) for k, y in enumerate(labels)
        ]
        found = diff_predictions(table(a), table(b, "b"))
        assert (found.relabelled, found.mismatched) == (wrong, moved > 10)
        assert found.better is (None if moved > 10 else True)
        assert ("hardly the same samples" in found.verdict) == (moved > 10)
        assert found.to_dict()["better"] is found.better


def test_labels_of_two_precisions_are_the_same() -> None:
    values = np.random.default_rng(0).normal(size=30)
    errors = np.arange(30) / 7

    def side(labels: Any, run: str) -> PredictionTable:
        columns: dict[str, TableColumn] = {"id": np.arange(30), "label": labels, "error": errors}
        return PredictionTable(
            run, "eval/predictions", 1, TableColumns(columns, {"task": "regression"}), NO_TABLES
        )

    narrow = values.astype(np.float32)
    assert diff_predictions(side(values, "a"), side(narrow, "b")).relabelled == 0
    assert (
        diff_predictions(side(narrow, "a"), side(np.nextafter(narrow, np.float32(9)), "b")).relabelled == 30
    )


def test_class_names_are_the_labels_in_their_order() -> None:
    names = ["zebra", "ant", "bee"]
    columns: dict[str, TableColumn] = {
        "id": np.arange(4),
        "label": Texts(np.array([0, 1, 1, 0]), names, category=True),
    }
    sides = [[0, 1, 0, 2], [0, 2, 1, 2]]
    about = {"task": "classification"}
    tables: list[dict[str, TableColumn]] = [
        {**columns, "prediction": Texts(np.array(side), names, category=True)} for side in sides
    ]
    both = [
        PredictionTable(run, "eval/predictions", 1, with_correct(TableColumns(found, about)), NO_TABLES)
        for run, found in zip("ab", tables, strict=True)
    ]
    found = diff_predictions(both[0], both[1])
    assert list(found.by_class.index) == ["zebra", "ant"]
    assert list(found.mended["prediction_a"]) == ["zebra"] and list(found.broken["prediction_b"]) == ["bee"]
    other = both[1]._replace(
        columns=TableColumns({**both[1].columns, "label": Texts(np.array([1, 0, 0, 1]), ["ant", "zebra"])})
    )
    assert diff_predictions(both[0], other).relabelled == 0


def test_what_cannot_be_compared() -> None:
    with pytest.raises(QueryError, match="has no column 'f1'; it has 'id', 'label'"):
        diff_predictions(table([(1, 0, 0, 0.5, "a")]), table([(1, 0, 0, 0.5, "a")]), metric="f1")
    with pytest.raises(QueryError, match="'light' of 'eval/predictions' holds no numbers"):
        diff_predictions(table([(1, 0, 0, 0.5, "a")]), table([(1, 0, 0, 0.5, "a")]), metric="light")
    with pytest.raises(QueryError, match="none of the 2 samples has a finite metric"):
        diff_predictions(ious([np.nan, 1]), ious([1, np.nan]))
    with pytest.raises(QueryError, match=r"ids of A are such as .*1.*, of B such as .*one"):
        diff_predictions(table([(1, 0, 0, 0.5, None)]), table([("one", 0, 0, 0.5, None)]))


def test_images_come_from_the_run_that_has_them(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (4, 6, 6), np.uint8)
    predictions = {"a": [1, 0, 1, 0], "b": [0, 1, 0, 0]}
    for name, found in predictions.items():
        with Tracker(tmp_path / name) as tracker:
            shown = [image if wrong else None for image, wrong in zip(images, found, strict=True)]
            columns = {"id": range(4), "label": [0] * 4, "prediction": found, "input": shown}
            tracker.log_table("eval/predictions", columns)
    difference = load(tmp_path).diff_samples("a", "b")
    for frame in (difference.mended, difference.broken):
        for row in frame.itertuples():
            np.testing.assert_array_equal(row.input.array()[..., 0], images[row.id])
    assert difference.both_right["input"].isna().all()
    page = difference._repr_html_()
    assert page.count("data:image/png;base64,") == 3 and "1: label 0, A 0, B 1" in page


def test_images_with_layers_show_both_predictions(tmp_path: Path) -> None:
    label = np.zeros((3, 16, 16), np.int64)
    label[:, 4:12, 3:9] = 1
    images = np.full((3, 3, 16, 16), 0.2, np.float32)
    guesses = {"a": np.roll(label, 5, axis=2), "b": label}
    for name, guess in guesses.items():
        with Tracker(tmp_path / name, system=False, strict=True) as tracker:
            with tracker.evaluation("maps", activation=None) as evaluation:
                evaluation.add(label, np.eye(2)[guess].transpose(0, 3, 1, 2), images)
            box = {"boxes": np.array([[3, 4, 9, 12.0]]), "labels": np.array([0])}
            found = {**box, "boxes": box["boxes"] + (5 if name == "a" else 0), "scores": np.array([0.9])}
            with tracker.evaluation("boxes", task="detection", class_names=["thing"]) as evaluation:
                evaluation.add([box], [found], images[:1])
    difference = load(tmp_path).diff_samples("a", "b", tag="maps")
    row = difference.mended.iloc[0]
    for one, name in ((row["input"], "a"), (row["input_b"], "b")):
        np.testing.assert_array_equal(one.layers().masks["prediction"], guesses[name][row["id"]])
        changed = (one.drawn() != one.array()).any(axis=2)
        np.testing.assert_array_equal(changed, guesses[name][row["id"]] == 1)
        assert not (one.drawn("label") == one.array()).all() and (one.drawn("none") == one.array()).all()
    assert difference._repr_html_().count("data:image/png;base64,") == 6
    one = load(tmp_path)["b"].predictions(tag="boxes")["input"][0]
    large = one.drawn()
    factor = len(large) // 16
    changed = (large != enlarge(one.array(), factor)).any(axis=2)
    assert changed[4 * factor : 12 * factor, 3 * factor].all() and not changed[13 * factor :].any()


def test_evaluations_are_compared_by_their_slices(tmp_path: Path) -> None:
    labels = np.arange(30) % 3
    for name in "ab":
        scores = np.eye(3)[np.where(np.arange(30) < (12 if name == "a" else 4), 0, labels)] * 0.8 + 0.1 / 1.5
        with Tracker(tmp_path / name) as tracker:
            options: Any = {"slices": {"light": ["day", "night"] * 15}, "class_names": ["ant", "bee", "cat"]}
            with tracker.evaluation("eval", activation=None, **options) as evaluation:
                for part in (slice(0, 20), slice(20, 30)):
                    size = [place // 10 for place in range(part.start, part.stop)]
                    evaluation.add(labels[part], scores[part], slices={"size": size})
    found = load(tmp_path).diff_samples("a", "b")
    assert [*found.by_slice.index] == [
        ("size", 0),
        ("size", 1),
        ("size", 2),
        ("light", "day"),
        ("light", "night"),
    ] or [*found.by_slice.index] == [
        ("light", "day"),
        ("light", "night"),
        ("size", 0),
        ("size", 1),
        ("size", 2),
    ]
    assert found.by_slice.loc[("size", 0), "mended"] == found.count("mended") - 2 == 4
    assert list(found.by_class.index) == ["ant", "bee", "cat"] and {*found.mended["prediction_a"]} == {"ant"}
    assert sorted(load(tmp_path).label_errors().samples["id"]) == [1, 2]  # which both take for ants


# ---- runs ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three runs that evaluate 40 samples, a fourth with another table, and one without any."""
    directory = tmp_path_factory.mktemp("log")
    labels = np.arange(40) % 4
    wrong = {"a": range(12), "b": range(4, 15), "c": range(5, 8)}
    for name, places in wrong.items():
        with Tracker(directory / name) as tracker:
            for step in (1, 2):
                predictions = labels.copy()
                predictions[[*places][: 20 * step]] = 0
                found = predictions if step == 2 else labels
                columns: dict[str, Any] = {"id": np.arange(40), "label": labels, "prediction": found}
                columns |= {"score": np.linspace(0.5, 0.9, 40), "light": ["day", "night"] * 20}
                columns |= {"label_score": np.where(found == labels, 0.9, 0.05), "iou": np.linspace(0, 1, 40)}
                tracker.log_table("eval/predictions", columns, step=step)
    with Tracker(directory / "d") as tracker:
        tracker.log_table("eval/predictions", {"id": np.arange(40), "number": labels})
    with Tracker(directory / "e") as tracker:
        tracker.log({"loss": 1.0}, step=1)
    return str(directory)


def test_runs_are_compared_by_their_last_tables(log: str) -> None:
    runs = load(log)
    found = runs.diff_samples("a", "b")
    wrong = {key for key in range(40) if key % 4}
    assert (found.a, found.b, found.steps, found.table) == ("a", "b", (2, 2), "eval/predictions")
    assert {*found.ids("mended")} == wrong & {*range(4)} and {*found.ids("broken")} == wrong & {
        *range(12, 15)
    }
    assert {*found.always_wrong["id"]} == wrong & {5, 6, 7} and found.runs == 3
    assert f"wrong in all runs (3): {', '.join(map(str, found.ids('always_wrong')))}" in repr(found)
    assert runs[:2].diff_samples(runs["a"], runs["b"], "eval").runs == 2
    assert {*load(log).diff_samples(runs["a"], runs["b"]).ids("always_wrong")} == wrong & {5, 6, 7}
    first = runs.diff_samples("a", "b", step=1)
    assert first.steps == (1, 1) and first.verdict.startswith("A and B are right and wrong on the same")
    assert [row.value for row in found.groups("light")] == ["day", "night"]
    assert [row.n for row in found.groups("score")] == [10, 10, 10, 10]
    assert runs.diff_samples("a", "b", metric="iou").better is None


def test_what_is_no_pair_of_runs_with_tables(log: str) -> None:
    runs = load(log)
    with pytest.raises(
        QueryError, match="samples are compared between two runs, but B means 5: a, b, c, d, e"
    ):
        runs.diff_samples("a", "*")
    with pytest.raises(UnknownNameError, match="no evaluation of 'e' with a table of predictions, 'eval'"):
        runs.diff_samples("a", "e")
    with pytest.raises(UnknownNameError, match="no evaluation of 'a' with a table of predictions, 'test'"):
        runs.diff_samples("a", "b", "test")
    with pytest.raises(UnknownNameError, match="table 'eval/predictions' at step '3'"):
        runs.diff_samples("a", "b", step=3)
    with pytest.raises(QueryError, match="'eval/predictions' of 'd' has no column 'correct'"):
        runs.diff_samples("a", "d")
    with pytest.raises(QueryError, match="the table 'eval/predictions' of 'a' has no column 'place'"):
        runs.diff_samples("a", "b").groups("place")


def test_label_errors_of_runs(log: str) -> None:
    runs = load(log)
    with pytest.raises(QueryError, match="of 'd' has no column 'label'; it has 'id', 'number'"):
        runs.label_errors()
    found = runs.label_errors(runs="a")
    assert found.runs == ("a",) and found.n == 40
    assert runs.label_errors(runs=runs["[ab]"]).runs == ("a", "b")
    with pytest.raises(QueryError, match="none of 1 runs has a table"):
        runs.label_errors(runs="e")
