"""Greedy decoding of the scores of a network that was trained with a CTC loss (Graves et al. 2006)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike
from vizkit.errors import DataError
from vizkit.metrics.arrays import AnyArray, to_real

__all__ = ["CTC", "Tokens", "decode_ctc", "token_labels"]


@dataclass(frozen=True)
class CTC:
    """How scores are decoded.

    Attributes:
        blank: the class between tokens.
        time_axis: the axis of the steps: 0 for scores of shape (steps, n, classes), as ``paddle.nn.CTCLoss``
            takes them, 1 for (n, steps, classes), as the networks of PaddleOCR give them.
    """

    blank: int = 0
    time_axis: int = 0


@dataclass(frozen=True, eq=False)
class Tokens:
    """The decoded tokens of a sample: their classes, and the probability of each at its first step."""

    ids: AnyArray
    scores: AnyArray


def decode_ctc(
    outputs: ArrayLike, ctc: CTC, *, softmax: bool = True, lengths: ArrayLike | None = None
) -> list[Tokens]:
    """Take the best class of each step, leave out repetitions, then blanks.

    Args:
        outputs: scores of three axes.
        ctc: how they are decoded.
        softmax: whether they are logits; else they are probabilities.
        lengths: how many steps of each sample count; by default all.

    Raises:
        DataError: scores of another shape, a blank that is no class, or too few lengths.
    """
    scores = to_real(outputs, "outputs")
    if scores.ndim != 3 or not 0 <= ctc.blank < scores.shape[-1]:
        raise DataError(
            "scores of a CTC loss must have three axes, the last of classes with the blank {blank}, got "
            "{outputs}",
            blank=ctc.blank,
            outputs=describe(outputs),
        )
    if ctc.time_axis == 0:
        scores = scores.transpose(1, 0, 2)
    count, steps, _ = scores.shape
    best = scores.argmax(axis=2)
    shares = scores.max(axis=2)
    if softmax:
        with np.errstate(over="ignore", invalid="ignore"):
            shares = 1 / np.exp(scores - shares[..., None], dtype=np.float64).sum(axis=2)
    given = np.full(count, steps) if lengths is None else to_real(lengths, "lengths").reshape(-1)
    if len(given) != count:
        raise DataError(
            "a length is needed for each of {count} samples, got {lengths}",
            count=count,
            lengths=describe(lengths),
        )
    first = np.ones((count, steps), bool)
    first[:, 1:] = best[:, 1:] != best[:, :-1]
    first &= (best != ctc.blank) & (np.arange(steps) < given[:, None])
    return [Tokens(best[row, some], shares[row, some]) for row, some in enumerate(first)]


def token_labels(labels: ArrayLike, ctc: CTC, lengths: ArrayLike | None = None) -> list[AnyArray]:
    """The tokens of each label, shape (n, most tokens): as many as ``lengths`` say, but for blanks and what
    is below 0, which fill up.
    """
    every = to_real(labels, "labels")
    if every.ndim != 2:
        raise DataError(
            "labels of a CTC loss must be of shape [n, tokens], got {labels}", labels=describe(labels)
        )
    counts = np.full(len(every), every.shape[1])
    if lengths is not None:
        counts = to_real(lengths, "lengths").reshape(-1)
    rows = [row[: int(count)].astype(np.int64) for row, count in zip(every, counts, strict=True)]
    return [row[(row >= 0) & (row != ctc.blank)] for row in rows]
