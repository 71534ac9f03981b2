from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import paddle
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from vizkit import DataError
from vizkit.data import Subset, subset

LABELS = [0, 1, 2, 2, 1, 0, 2, 2, 1, 0, 2, 2]  # 3 zeros, 3 ones, 6 twos


class Items(paddle.io.Dataset):
    """Pairs of an index and its label; counts how often one is loaded."""

    def __init__(self, as_label: Callable[[int], object] = int, labels: Sequence[int] = LABELS) -> None:
        self.loaded = 0
        self._numbers = labels
        self._as_label = as_label

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> tuple[int, object]:
        self.loaded += 1
        return index, self._as_label(self._numbers[index])


KINDS = {
    "int": int,
    "numpy": np.int64,
    "array": lambda label: np.array([label]),
    "0-d array": np.array,
    "tensor": lambda label: paddle.to_tensor([label]),
    "0-d tensor": paddle.to_tensor,
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_chosen_classes_are_kept_in_order_with_labels_of_every_kind(kind: str) -> None:
    small = subset(Items(KINDS[kind]), classes=[2, 0])
    assert [small[i][0] for i in range(len(small))] == [0, 2, 3, 5, 6, 7, 9, 10, 11]
    assert small.indices.tolist() == [0, 2, 3, 5, 6, 7, 9, 10, 11]
    assert small.labels.tolist() == [0, 2, 2, 0, 2, 2, 0, 2, 2]
    assert small.classes == [2, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_labels_are_remapped_to_their_place_and_stay_of_their_kind(kind: str) -> None:
    whole = Items(KINDS[kind])
    small = subset(whole, classes=[2, 0], remap=True)
    for place in range(len(small)):
        index, label = small[place]
        before = whole[index][1]
        assert int(np.asarray(label).item()) == {2: 0, 0: 1}[LABELS[index]] == small.labels[place]
        assert type(label) is type(before)
        assert getattr(label, "shape", None) == getattr(before, "shape", None)
        assert getattr(label, "dtype", None) == getattr(before, "dtype", None)


def test_a_fraction_is_taken_of_each_class() -> None:
    small = subset(Items(), fraction=0.34)
    assert np.bincount(small.labels).tolist() == [1, 1, 2]
    assert np.bincount(subset(Items(), fraction=0.01).labels).tolist() == [1, 1, 1]
    assert len(subset(Items(), fraction=1)) == len(LABELS)


@given(
    st.lists(st.integers(-2, 4), min_size=1, max_size=60),
    st.floats(0.01, 1),
    st.floats(0.01, 1),
    st.integers(0, 2**40),
)
def test_a_greater_fraction_or_other_classes_keep_the_samples(
    labels: list[int], first: float, second: float, seed: int
) -> None:
    fewer, more = (
        subset(labels, fraction=share, seed=seed, labels=labels) for share in sorted((first, second))
    )
    assert set(fewer.indices) <= set(more.indices)
    one = subset(labels, [labels[0]], fraction=min(first, second), seed=seed, labels=labels)
    assert one.indices.tolist() == [i for i in fewer.indices if labels[i] == labels[0]]
    again = subset(labels, fraction=max(first, second), seed=seed, labels=labels)
    assert again.indices.tolist() == more.indices.tolist()


def test_classes_of_one_size_are_drawn_independently() -> None:
    labels = [0] * 50 + [1] * 50
    taken = subset(labels, fraction=0.5, labels=labels).indices
    assert (taken[:25] + 50).tolist() != taken[25:].tolist()


def test_seeds_differ() -> None:
    labels = [0] * 100
    first, second = (subset(labels, fraction=0.5, seed=seed, labels=labels).indices for seed in (0, 1))
    assert first.tolist() != second.tolist()


@pytest.mark.parametrize("name", ["labels", "targets"])
def test_labels_that_the_data_set_has_are_used_instead_of_loading_it(name: str) -> None:
    whole = Items()
    setattr(whole, name, np.array(LABELS)[:, None])
    assert np.bincount(subset(whole, fraction=0.34).labels).tolist() == [1, 1, 2]
    assert whole.loaded == 0
    setattr(whole, name, [paddle.to_tensor([label]) for label in LABELS])
    assert len(subset(whole, [1])) == 3
    assert whole.loaded == 0


@pytest.mark.parametrize("names", [["cat", "dog", "cow"], ["cat"] * 12, [0.5] * 12, [0, 1]])
def test_an_attribute_labels_that_is_something_else_is_not_taken_for_them(
    names: list[object],
) -> None:
    whole = Items()
    whole.labels = names
    assert len(subset(whole, [1])) == 3
    assert whole.loaded == len(LABELS)  # each item once


def test_labels_may_be_given() -> None:
    images = [("image",)] * 12
    assert subset(images, [1], labels=LABELS).indices.tolist() == [1, 4, 8]
    assert subset(images, [1], labels=paddle.to_tensor(LABELS)).indices.tolist() == [1, 4, 8]


def test_labels_may_be_a_list_of_tensors_of_another_framework() -> None:
    class Label:
        def __init__(self, number: float) -> None:
            self.number = number

        def numpy(self) -> NDArray[Any]:
            return np.array(self.number)

    found = subset(["a", "b", "c"], [1], labels=[Label(1), Label(0), Label(1)])  # type: ignore[arg-type]
    assert [found[0], found[1]] == ["a", "c"]
    with pytest.raises(DataError, match="labels must be whole numbers"):
        subset(["a", "b"], labels=[Label(1), Label(0.5)])  # type: ignore[arg-type]


def test_a_subset_tells_its_size_and_classes() -> None:
    assert repr(subset([(0, 1), (1, 2), (2, 1)], [1])) == "<2 of 3 samples, classes [1]>"


def test_a_subset_of_a_subset() -> None:
    whole = Items()
    small = subset(subset(whole, [0, 2], remap=True), [1])  # the twos
    assert whole.loaded == len(LABELS)
    assert [small[i] for i in range(len(small))] == [(i, 1) for i, label in enumerate(LABELS) if label == 2]


def test_paddle_trains_on_a_subset() -> None:
    x = paddle.rand([12, 4])
    whole = paddle.io.TensorDataset([x, paddle.to_tensor(LABELS).unsqueeze(1)])
    small = subset(whole, [2, 0], remap=True)
    assert isinstance(small, (paddle.io.Dataset, Subset))
    model = paddle.Model(paddle.nn.Linear(4, 2))  # two outputs: a label of 2 would be an error
    model.prepare(paddle.optimizer.SGD(0.1, model.parameters()), paddle.nn.CrossEntropyLoss())
    model.fit(small, batch_size=4, verbose=0)
    seen = [label for _, labels in paddle.io.DataLoader(small, batch_size=4) for label in labels.flatten()]
    assert [int(label) for label in seen] == small.labels.tolist()


def test_a_subset_can_be_sent_to_another_process() -> None:
    small = pickle.loads(pickle.dumps(subset(list(enumerate(LABELS)), [2, 0], remap=True)))
    assert [small[i] for i in range(3)] == [(0, 1), (2, 0), (3, 0)]
    with pytest.raises(IndexError):
        small[9]


def test_it_works_without_paddle() -> None:
    code = (
        "import sys, vizkit.data as d; s = d.subset([(7, 0), (8, 1)], [1]); "
        "assert s[0] == (8, 1) and 'paddle' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


class Endless(paddle.io.IterableDataset):
    def __iter__(self) -> Iterator[tuple[int, int]]:
        yield 0, 1


@pytest.mark.parametrize(
    ("dataset", "options", "message"),
    [
        (Items(), {"classes": [0, 7]}, r"class 7 is not in the data set, which has \[0, 1, 2\]"),
        (Items(), {"classes": []}, "classes must be"),
        (Items(), {"classes": [0, 0]}, "classes must be"),
        (Items(), {"classes": ["cat"]}, "classes must be"),
        (Items(), {"classes": 0}, "classes must be"),
        (Items(), {"fraction": 0}, "fraction must be"),
        (Items(), {"fraction": 1.5}, "fraction must be"),
        (Items(), {"fraction": float("nan")}, "fraction must be"),
        (Items(), {"fraction": True}, "fraction must be"),
        (Items(), {"seed": -1}, "seed must be"),
        (Items(), {"labels": [0, 1]}, "one for each of the 12 items"),
        (Items(), {"labels": [0.5] * 12}, "labels must be whole numbers"),
        (Items(), {"labels": ["a"] * 12}, "labels must be whole numbers"),
        (Items(float), {}, "item 0 ends with 0.0, which is no class number"),
        (Items(lambda label: np.zeros((2, 2), int)), {}, "which is no class number"),
        ([(1,), (2,)], {}, r"has no labels: item 0 is \(1,\)"),
        ([np.zeros(3)], {}, "has no labels: item 0 is ndarray"),
        ([], {}, "is empty"),
        (Endless(), {}, "length"),
        (3, {}, "length"),
    ],
)
def test_bad_input_is_told_at_once(dataset: Items, options: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        subset(dataset, **options)
