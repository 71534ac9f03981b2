"""Communication between the ranks of a distributed training."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from vizkit._checks import describe
from vizkit._protocols import ScalarLike
from vizkit._ranks import world_size
from vizkit.errors import DataError, VizKitError
from vizkit.hooks._paddle import paddle
from vizkit.metrics.arrays import to_float

__all__ = ["from_rank_0", "reduced"]

T = TypeVar("T")

_REDUCTIONS: dict[str, Callable[..., NDArray[np.float64]]] = {"mean": np.mean, "sum": np.sum, "max": np.max}
_BLOCK = 64  # numbers: rows of ranks that differ in their tags mostly have one length all the same


def from_rank_0(make: Callable[[], T]) -> T:
    """Call ``make`` on rank 0, and return its result on every rank. All ranks have to call this.

    Raises:
        VizKitError: there is no process group yet.
        Exception: an error of ``make`` on rank 0, on every rank.
    """
    _check_group("ranks='all'")
    shared: list[tuple[T | None, Exception | None] | None] = [None]
    if paddle.distributed.get_rank() == 0:
        try:
            shared = [(make(), None)]
        except Exception as error:
            # One that every process can unpickle.
            shared = [
                (None, error if isinstance(error, (VizKitError, OSError)) else VizKitError(repr(error)))
            ]
    paddle.distributed.broadcast_object_list(shared, src=0)
    value, failure = cast("tuple[T, Exception | None]", shared[0])
    if failure is not None:
        raise failure
    return value


def reduced(
    metrics: Mapping[str, ScalarLike], reduce: str, on_error: Callable[[str, Exception], None]
) -> dict[str, ScalarLike]:
    """Return the mean, sum or maximum of metrics over all ranks, in float64.

    All ranks have to call this, with the same tags. It is one collective call, with the same result on
    every rank.

    Args:
        metrics: tag -> this rank's number.
        reduce: ``"mean"``, ``"sum"`` or ``"max"``; NaN on one rank makes each of them NaN.
        on_error: called with the tag and the error of a value that is not a number. It takes part as
            NaN, since the other ranks wait.

    Raises:
        DataError: an unknown ``reduce``, or the ranks gave different tags.
        VizKitError: there is no process group yet.
    """
    if reduce not in _REDUCTIONS:
        raise DataError("reduce must be 'mean', 'sum' or 'max', got {reduce}", reduce=describe(reduce))
    if world_size() == 1:
        return dict(metrics)
    _check_group("reduce")
    own = metrics if isinstance(metrics, Mapping) else {}
    values = {str(tag): _number(str(tag), value, on_error) for tag, value in own.items()}
    tags, count = sorted(values), len(values)
    # As integers, which every device can send.
    row = np.zeros(1 + (count // _BLOCK + 1) * _BLOCK, np.int64)
    row[0] = zlib.crc32("\0".join([reduce, *tags]).encode("utf-8", "surrogatepass"))
    row[1 : 1 + count] = np.array([values[tag] for tag in tags], np.float64).view(np.int64)
    rows: list[paddle.Tensor] = []
    paddle.distributed.all_gather(rows, paddle.to_tensor(row))
    table = np.stack([part.numpy() for part in rows])
    if (table[:, 0] != row[0]).any():
        raise DataError(
            "reduce={reduce!r} needs the same tags on all ranks; here: {tags}",
            reduce=reduce,
            tags=", ".join(tags),
        )
    with np.errstate(invalid="ignore", over="ignore"):  # infinities are what they are
        result = _REDUCTIONS[reduce](table[:, 1 : 1 + count].view(np.float64), axis=0)
    return dict(zip(tags, result.tolist(), strict=True))


def _number(tag: str, value: ScalarLike, on_error: Callable[[str, Exception], None]) -> float:
    try:
        return to_float(value)
    except DataError as error:
        on_error(tag, error)
        return float("nan")


def _check_group(what: str) -> None:
    if not paddle.distributed.is_initialized():
        raise VizKitError(
            "{what} needs the process group: call paddle.distributed.init_parallel_env() before", what=what
        )
