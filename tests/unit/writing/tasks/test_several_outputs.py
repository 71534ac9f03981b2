"""Networks that give several outputs, and which of them is evaluated."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import paddle
import pytest

from tests.helpers import by_tag
from vizkit import Tracker, VizKitWarning, load
from vizkit.errors import DataError
from vizkit.writing.tasks.several_outputs import evaluated_output
from vizkit.writing.tasks.task import LabelledBatch

RNG = np.random.default_rng(0)
LABELS = np.array([2, 0, 1, 1])
SCORES = RNG.normal(size=(4, 3))
WIDE = RNG.normal(size=(4, 7))
MAPS = RNG.integers(0, 4, (3, 8, 9))
MAP_SCORES = [RNG.normal(size=(3, 4, 8, 9)) for _ in range(3)]
Named = namedtuple("Named", "hidden logits")
Bare = namedtuple("Bare", "first second")


@pytest.mark.parametrize(
    ("labels", "outputs", "expected"),
    [
        (LABELS, {"hidden": WIDE, "logits": SCORES}, SCORES),
        (LABELS, OrderedDict(loss=np.float32(0.5), pred=SCORES), SCORES),
        (LABELS, {"anything": SCORES}, SCORES),
        (LABELS, Named(WIDE, SCORES), SCORES),
        (LABELS, Bare(SCORES, WIDE), SCORES),
        (LABELS, (np.array(0.7), SCORES), SCORES),  # a loss, as PaddleNLP's networks give it
        (LABELS, [SCORES, WIDE], SCORES),
        (LABELS[:2], [SCORES[:2], WIDE[:2]], SCORES[:2]),  # as many outputs as samples
        (MAPS, MAP_SCORES, MAP_SCORES[0]),
        (MAPS[:, None], MAP_SCORES, MAP_SCORES[0]),
    ],
)
def test_the_output_of_the_labels(labels: Any, outputs: Any, expected: Any) -> None:
    np.testing.assert_array_equal(evaluated_output(LabelledBatch(labels, outputs)).outputs, expected)


@pytest.mark.parametrize(
    ("labels", "outputs"),
    [
        (LABELS, list(SCORES)),  # one a sample
        (LABELS[:3], list(RNG.normal(size=(3, 3)))),
        (list(MAPS[:2]), [RNG.normal(size=(4, 2, 9)), RNG.normal(size=(4, 3, 9))]),
        (["a", "b"], ["a", ("b", 0.5)]),
        ([{"boxes": [], "labels": []}], [{"boxes": [], "labels": [], "scores": []}]),
        (LABELS, {"bbox": WIDE, "bbox_num": LABELS}),
        (None, SCORES),
        (3, SCORES),
    ],
)
def test_one_output_stays_as_it_is(labels: Any, outputs: Any) -> None:
    batch = LabelledBatch(labels, outputs)
    assert evaluated_output(batch) is batch


def test_a_dict_of_which_no_name_tells_is_refused_by_its_names() -> None:
    with pytest.raises(DataError, match=r"a dict of 'near', 'far': .* outputs\['near'\]"):
        evaluated_output(LabelledBatch(LABELS, {"near": SCORES, "far": SCORES}))


def test_a_loop_of_ones_own_takes_what_the_network_gives(tmp_path: Path) -> None:
    with Tracker(tmp_path, strict=True) as tracker:
        with tracker.evaluation("named", loss=paddle.nn.CrossEntropyLoss()) as evaluation:
            evaluation.add(LABELS, {"hidden": paddle.to_tensor(WIDE), "logits": paddle.to_tensor(SCORES)})
        with tracker.evaluation("maps", task="segmentation") as evaluation:
            evaluation.add(MAPS, MAP_SCORES)
    rows = load(tmp_path)[0].predictions(tag="named")
    assert rows.prediction.tolist() == SCORES.argmax(axis=1).tolist()
    right = (MAP_SCORES[0].argmax(axis=1) == MAPS).mean()
    assert by_tag(tmp_path)["maps/pixel acc"][0].data == pytest.approx(right)


@pytest.mark.parametrize("scores", [SCORES[0], SCORES[:1]])
def test_a_label_that_is_a_number_is_of_one_sample(tmp_path: Path, scores: Any) -> None:
    with Tracker(tmp_path, strict=True) as tracker, tracker.evaluation(activation="softmax") as evaluation:
        for label in (2, np.int32(1), paddle.to_tensor(0)):
            evaluation.add(label, scores)
    rows = load(tmp_path)[0].predictions()
    assert rows.label.tolist() == [2, 1, 0] and set(rows.prediction) == {int(SCORES[0].argmax())}


def test_labels_of_a_retrieval_are_texts(tmp_path: Path) -> None:
    names, vectors = np.array(["猫", "dog", "ant"])[LABELS], np.eye(3)[LABELS] + RNG.normal(0, 0.01, (4, 3))
    with Tracker(tmp_path, strict=True) as tracker:
        for tag, options in (("free", {}), ("named", {"class_names": ["ant", "dog", "猫"]})):
            with tracker.evaluation(tag, task="retrieval", **options) as evaluation:  # type: ignore[arg-type]
                evaluation.add(names[:1].tolist(), vectors[:1])
                evaluation.add(names[1:], vectors[1:])
    for tag in ("free", "named"):
        rows = load(tmp_path)[0].predictions(tag=tag)
        assert rows.label.tolist() == names.tolist()
        assert rows.prediction.tolist()[2:] == ["dog", "dog"]
        assert by_tag(tmp_path)[f"{tag}/recall@1"][0].data == 1


def recorded(
    root: Path, labels: Any, outputs: Any, strict: bool = True, added: Any = None, **options: Any
) -> Any:
    with Tracker(root, strict=strict) as tracker, tracker.evaluation(**options) as evaluation:
        evaluation.add(labels, outputs, **added or {})
    return by_tag(root)


def test_classes_of_boxes_are_names(tmp_path: Path) -> None:
    boxes = [[0, 0, 10, 10], [20, 20, 40, 50]]
    labels = {"boxes": boxes, "labels": ["人", "car"]}
    found = recorded(tmp_path, [labels], [labels | {"scores": [0.9, 0.8]}], class_names=["car", "人"])
    assert found["eval/ap/人"][0].data == pytest.approx(1)


def test_texts_beside_the_scores_of_a_ctc_loss_are_no_classes(tmp_path: Path) -> None:
    steps = np.eye(3)[[[1, 0, 2], [2, 2, 0]]].transpose(1, 0, 2)
    options: Any = {"loss": paddle.nn.CTCLoss(), "class_names": ["-", "a", "b"]}
    assert recorded(tmp_path, ["ab", "a"], 9 * steps, **options)["eval/exact match"][0].data == 0.5


def test_ids_are_paths_too(tmp_path: Path) -> None:
    ids = [PurePosixPath(f"data/{k}.png") for k in range(4)]
    recorded(tmp_path, LABELS, SCORES, added={"ids": ids}, activation="softmax")
    assert load(tmp_path)[0].predictions().id.tolist() == list(map(str, ids))


def test_maps_of_another_size_are_told_apart_from_other_tasks(tmp_path: Path) -> None:
    loss = paddle.nn.CrossEntropyLoss(axis=1)
    with pytest.warns(VizKitWarning, match="4 x 5 pixels and labels of 8 x 9"):
        recorded(tmp_path, MAPS, MAP_SCORES[0][:, :, ::2, ::2], strict=False, loss=loss)


def test_a_slice_with_the_name_of_a_column_says_so(tmp_path: Path) -> None:
    with pytest.warns(VizKitWarning, match="has the name of a column"):
        recorded(tmp_path, LABELS, SCORES, strict=False, added={"slices": {"label": ["a"] * 4}})
