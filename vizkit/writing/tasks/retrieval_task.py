"""Records of an evaluation of a network that gives embeddings, as of metric learning.

===================================  =======================================================
tag                                  record
===================================  =======================================================
``eval/recall@1`` (``@5``, ``@10``)  fraction of samples with one of their class among the
                                     nearest 1 (5, 10) others
``eval/map@10``                      mean average precision of the nearest 10
``eval/embeddings``                  vectors of up to 1,000 samples, with label and id
``eval/scores``                      once a run: how many samples these numbers are of
===================================  =======================================================

`vizkit.metrics.retrieval` defines the metrics. Of more than 5,000 samples a choice is searched.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.format.tables import Texts
from vizkit.format.types import Embeddings
from vizkit.metrics.arrays import AnyArray, to_real
from vizkit.metrics.inputs import refuse_nan
from vizkit.metrics.named_classes import class_numbers, texts_in
from vizkit.metrics.projection import projected
from vizkit.metrics.retrieval import Retrieval, retrieve
from vizkit.writing.evaluation import encode_scalars
from vizkit.writing.table_columns import Given
from vizkit.writing.tasks.sample_rows import SampleRows, chosen_rows
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["RetrievalTask"]

_MOST = 5000  # samples that are searched: 25 million similarities
_SHOWN = 1000  # vectors that are recorded
_RECALLS = (1, 5, 10)


class RetrievalTask(EvaluationTask):
    """The embeddings of an evaluation."""

    name = "retrieval"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._rows = SampleRows(replace(options, predictions=_MOST))
        self._width = 0
        self._found_names: list[str] = []  # of labels that are texts
        self._found: tuple[dict[str, AnyArray], Retrieval] | None = None

    @property
    def samples(self) -> int:
        """Number of samples."""
        return self._rows.seen

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch."""
        vectors = to_real(cast("ArrayLike", batch.outputs), "outputs")
        labels = self._class_numbers(batch)
        if vectors.ndim != 2 or labels.dtype.kind not in "iu" or len(labels) != len(vectors):
            raise DataError(
                "labels must be class numbers of shape [n] and outputs embeddings of shape [n, d], got "
                "{labels} and {outputs}",
                labels=describe(batch.labels),
                outputs=describe(batch.outputs),
            )
        if self._width not in (0, vectors.shape[1]):
            raise DataError(
                "embeddings of {width} numbers came after some of {before}",
                width=vectors.shape[1],
                before=self._width,
            )
        names = self.options.class_names
        if names is not None and labels.size and not 0 <= labels.min() <= labels.max() < len(names):
            raise DataError(
                "labels must be from 0 to {last}, for which there are class names", last=len(names) - 1
            )
        refuse_nan(vectors)
        self._width = vectors.shape[1]
        keys = self._rows.next_ids(batch.ids, len(labels))
        columns = {"id": keys, "label": labels.astype(np.int64), "vectors": vectors.astype(np.float32)}
        self._rows.add({**columns, **self._rows.extras(batch, len(labels))})
        self._rows.offer_images(batch, keys)

    def _class_numbers(self, batch: LabelledBatch) -> AnyArray:
        """Labels as class numbers; texts are names: without ``class_names`` in the order they come in."""
        texts = texts_in(batch.labels)
        if texts is None:
            return to_real(cast("ArrayLike", batch.labels), "labels").reshape(-1)
        names = self.options.class_names
        if names is None:
            self._found_names = list(dict.fromkeys([*self._found_names, *texts]))
            names = self._found_names
        return class_numbers(texts, names)

    @property
    def _names(self) -> Sequence[str] | None:
        return self.options.class_names or self._found_names or None

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        scalars = dict.fromkeys([*(f"{tag}/recall@{k}" for k in _RECALLS), f"{tag}/map@10"], "scalar")
        return {**scalars, f"{tag}/embeddings": "embeddings", f"{tag}/scores": "text"}

    def _searched(self) -> tuple[dict[str, AnyArray], Retrieval]:
        if self._found is None:
            columns = self._rows.columns()
            if len(columns["id"]) < 2:
                raise DataError("retrieval needs two samples or more")
            self._found = columns, retrieve(columns["vectors"], columns["label"])
        return self._found

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        columns, found = self._searched()
        scalars = {f"{tag}/recall@{k}": found.recall(k) for k in _RECALLS}
        scalars[f"{tag}/map@10"] = found.mean_precision
        kept = [(name, value) for name, value in scalars.items() if name not in without and value == value]
        frames = [encode_scalars(kept, step, now)]
        rows = chosen_rows(columns["id"], columns["label"], _SHOWN)
        labels = [
            [self._named(label), str(key)]
            for label, key in zip(columns["label"][rows].tolist(), columns["id"][rows].tolist(), strict=True)
        ]
        embeddings = Embeddings(columns["vectors"][rows], labels, ["label", "id"])
        frames.append(encode.encode_embeddings(f"{tag}/embeddings", embeddings, step, now))
        if self.samples > len(columns["id"]) and not explained:
            said = (
                f"Retrieval is among {len(columns['id']):,} of {self.samples:,} samples, as many of each "
                "class as there can be, the same ones every time."
            )
            frames.append(encode.encode_text(f"{tag}/scores", said, step, now))
        return b"".join(frames)

    def _named(self, label: int) -> str:
        names = self._names
        return str(label) if names is None else names[label]

    def table(self) -> dict[str, Given]:
        """The columns of the table of predictions: the nearest neighbour predicts a sample's class."""
        if not self.options.predictions:
            return {}
        columns, found = self._searched()
        rows = chosen_rows(columns["id"], columns["label"], self.options.predictions)
        nearest = found.neighbours[:, 0]
        names = self._names

        def class_(labels: AnyArray) -> Given:
            return labels if names is None else Texts(labels, names, category=True)

        table: dict[str, Given] = {"id": columns["id"][rows], "label": class_(columns["label"][rows])}
        table["prediction"] = class_(columns["label"][nearest][rows])
        table |= {"score": found.similarity[rows].astype(np.float32), "nearest": columns["id"][nearest][rows]}
        table["average precision"] = found.precision[rows].astype(np.float32)
        map_ = projected(columns["vectors"]).astype(np.float32)[rows]
        table |= {"x": map_[:, 0], "y": map_[:, 1]}
        own = {"id", "label", "vectors"}
        return self._rows.finished(
            table | {name: column[rows] for name, column in columns.items() if name not in own}
        )
