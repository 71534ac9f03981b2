"""The places in the data set of an evaluation's samples, in whatever order its loader takes them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from vizkit.hooks._fit.evaluation_images import indices_of
from vizkit.hooks._paddle import paddle

__all__ = ["SeenIndices"]


class SeenIndices:
    """The indices of each batch of a loader, for one evaluation.

    A sampler in a fixed order is asked. Another one draws as it goes, and is not to be asked twice: until
    `end`, the loader has this object in its place, which notes what it gives.

    Attributes:
        known: False once it is not known which samples a batch has.
    """

    def __init__(self, loader: paddle.io.DataLoader) -> None:
        self._loader = loader
        self._fixed = indices_of(loader)
        self._sampler: paddle.io.BatchSampler = None
        self._seen: deque[object] = deque()
        sampler = getattr(loader, "batch_sampler", None)
        notes = self._fixed is None and isinstance(sampler, paddle.io.BatchSampler)
        self.known = self._fixed is not None or notes
        if notes:
            self._sampler = sampler
            loader.batch_sampler = self

    def next(self) -> list[int] | None:
        """The indices of the next batch; None if they are not known."""
        found = next(self._fixed, None) if self._fixed is not None else self._noted()
        if not isinstance(found, list) or not all(type(index) is int for index in found):
            self.known = False
        return found if self.known else None  # type: ignore[return-value]

    def _noted(self) -> object:
        return list(rows) if self._seen and isinstance(rows := self._seen.popleft(), (list, tuple)) else None

    def end(self) -> None:
        """Give the loader its sampler back."""
        if self._sampler is not None and self._loader.batch_sampler is self:
            self._loader.batch_sampler = self._sampler

    # -- in the sampler's place ---------------------------------------------------------------------

    def __iter__(self) -> Iterator[object]:
        self._seen.clear()
        for rows in self._sampler:
            self._seen.append(rows)
            yield rows

    def __len__(self) -> int:
        return len(self._sampler)

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") or name == "_sampler":
            raise AttributeError(name)
        return getattr(self._sampler, name)
