"""Rows of a classifier's table: the best classes of its scores, their probabilities, and the loss.

Batches are copied when they are added, and reduced later, off the training's thread where there is another:
to the highest scores and the label's, and to what their probabilities are made of. Whether scores are logits
is known only when all of them have been seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from vizkit.format.tables import Texts
from vizkit.metrics.activation import Activation
from vizkit.metrics.arrays import AnyArray
from vizkit.writing.table_columns import Given
from vizkit.writing.tasks.sample_rows import SampleRows, joined_columns

__all__ = ["ScoreRows", "score_columns"]

_BEST = 3  # classes of a row
_CHUNK = 8 << 20  # bytes of scores that are reduced together
_PART = 1 << 18  # scores that are reduced at once: they stay in the processor's cache


class ScoreRows:
    """The rows of a classifier of one label a sample.

    Args:
        rows: where the reduced rows go.
        later: has a job run off the training's thread; None to run it at once.
    """

    def __init__(self, rows: SampleRows, later: Callable[[Callable[[], None], int], None] | None) -> None:
        self._rows = rows
        self._later = later
        self._waiting: list[tuple[AnyArray, AnyArray, dict[str, AnyArray]]] = []
        self._size = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of memory that are waiting."""
        return self._size

    def add(self, labels: AnyArray, scores: AnyArray, columns: dict[str, AnyArray]) -> None:
        """Add a batch; its arrays are kept.

        Args:
            labels: (n,) class numbers.
            scores: (n, c), two classes or more.
            columns: the ids, and whatever else there is of each sample.
        """
        self._waiting.append((labels, scores, columns))
        self._size += scores.nbytes
        if self._size >= _CHUNK:
            size, self._size = self._size, 0
            if self._later is None:
                self.reduce()
            else:
                self._later(self.reduce, size)

    def reduce(self) -> None:
        """Reduce all batches that are waiting."""
        with self._lock:
            waiting = [self._waiting.pop(0) for _ in range(len(self._waiting))]
            self._size = 0
            if waiting:
                labels = np.concatenate([batch[0] for batch in waiting])
                scores = np.concatenate([batch[1] for batch in waiting])
                columns = joined_columns([batch[2] for batch in waiting])
                self._rows.add({**columns, "label": labels, **_reduced(labels, scores)})


def _reduced(labels: AnyArray, scores: AnyArray) -> dict[str, AnyArray]:
    count, classes = scores.shape
    best = min(_BEST, classes)
    found = {f"class{k}": np.empty(count, np.int32) for k in range(best)}
    found |= {f"score{k}": np.empty(count, np.float32) for k in range(best)}
    found |= {name: np.empty(count, np.float32) for name in ("own", "rest")}
    step = max(1, _PART // classes)
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        for start in range(0, count, step):
            part = scores[start : start + step].astype(np.float32)  # a copy
            some, rows = slice(start, start + len(part)), np.arange(len(part))
            found["own"][some] = part[rows, labels[some]]
            highest = part.argmax(axis=1)
            top = part[rows, highest]
            others = np.exp(part - top[:, None])
            others[rows, highest] = 0
            found["rest"][some] = np.log1p(others.sum(axis=1, dtype=np.float64))
            for k in range(best):
                if k:
                    highest = part.argmax(axis=1)
                    top = part[rows, highest]
                found[f"class{k}"][some], found[f"score{k}"][some] = highest, top
                part[rows, highest] = -np.inf
    return found


def score_columns(
    reduced: dict[str, AnyArray], activation: Activation | None, names: Sequence[str] | None
) -> dict[str, Given]:
    """The columns of a table from the reduced rows.

    Args:
        reduced: what `ScoreRows` has added.
        activation: the function that makes probabilities; "auto" if it is not known: scores stay as they are
            then, and there is no loss.
        names: of the classes.
    """
    best, own, rest = reduced["score0"].astype(np.float64), reduced["own"], reduced["rest"]

    def probability(scores: AnyArray) -> AnyArray:
        with np.errstate(over="ignore", invalid="ignore"):
            if activation == "softmax":
                found: AnyArray = np.exp(scores - best - rest)
            elif activation == "sigmoid":
                found = 1 / (1 + np.exp(-scores.astype(np.float64)))
            else:
                return scores
        return found.astype(np.float32)

    def class_(codes: AnyArray) -> Given:
        return codes if names is None else Texts(codes, names, category=True)

    found: dict[str, Given] = {"id": reduced["id"], "label": class_(reduced["label"])}
    found |= {"prediction": class_(reduced["class0"]), "score": probability(reduced["score0"])}
    found["label_score"] = probability(own)
    with np.errstate(divide="ignore", invalid="ignore"):
        if activation == "softmax":
            found["loss"] = (rest - (own - best)).astype(np.float32)
        elif activation is None:
            found["loss"] = (-np.log(own)).astype(np.float32)
    if "class2" in reduced:  # of two classes the other one is known
        for k in range(1, _BEST):
            found |= {f"top{k + 1}": class_(reduced[f"class{k}"])}
            found |= {f"score{k + 1}": probability(reduced[f"score{k}"])}
    own_names = {
        "id",
        "label",
        "own",
        "rest",
        *(f"{part}{k}" for part in ("class", "score") for k in range(3)),
    }
    return found | {name: column for name, column in reduced.items() if name not in own_names}
