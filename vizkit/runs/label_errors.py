"""Labels that may be wrong: samples of which runs are sure that they belong to another class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from vizkit._language import tr, trn
from vizkit.errors import QueryError
from vizkit.format.tables import TableColumn, TableColumns, Texts
from vizkit.metrics.arrays import AnyArray, Floats, Indices, Ints
from vizkit.metrics.confident_learning import class_thresholds, confident_classes, likely_errors
from vizkit.runs.display import Cell, Table, as_html, as_text
from vizkit.runs.formatting import value_texts
from vizkit.runs.prediction_table import PredictionTable
from vizkit.runs.sample_pairs import equal_rows, pair_rows, row_values
from vizkit.runs.sample_tables import gallery
from vizkit.runs.table_frames import table_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LabelErrors", "find_label_errors"]

_LABEL, _LABEL_SCORE = "label", "label_score"
_AT_ONCE = 4_000_000  # scores that are compared together
_SHOWN = 12
_PICTURES = 8


class _Votes(NamedTuple):
    """The classes that a run gave its samples, and their scores; n samples, k classes of each.

    Attributes:
        labels: (n,) class numbers.
        label_scores: (n,) probabilities of these.
        classes: (k, n) the classes with the highest scores, the first first.
        scores: (k, n) their probabilities.
    """

    labels: Ints
    label_scores: AnyArray
    classes: AnyArray
    scores: AnyArray


@dataclass(frozen=True, repr=False)
class LabelErrors:
    """Labels that may be wrong, the most likely first; printed, the first of them.

    How many samples of a class belong to another is estimated from those that the network is as sure of as
    of that class's own (confident learning, Northcutt et al. 2021, see `vizkit.metrics.confident_learning`);
    so many are taken, and ranked by the margin: the score of the label less that of the other class.

    Attributes:
        table: the name of the tables.
        runs: names of the runs, whose scores were averaged.
        n: samples that were looked at: those that all runs have, with the same label and a finite score.
        left_out: the other samples of the first run.
        top: the classes of each sample whose scores are known; of more classes than these, a class with a
            low score is missed.
    """

    table: str
    runs: tuple[str, ...]
    n: int
    left_out: int
    top: int
    _columns: TableColumns = field(compare=False)
    _source: PredictionTable = field(compare=False)

    def __len__(self) -> int:
        return self._columns.rows

    @property
    def samples(self) -> pd.DataFrame:
        """One row a sample: ``id``, ``label``, ``suggested`` (the class that it may be), ``label_score`` and
        ``suggested_score`` (means over the runs), ``margin``, ``wrong_in`` (runs that predict another class
        than the label), slices and ``input``.
        """
        return table_frame(self._columns, self._source.tables)

    @property
    def by_class(self) -> pd.DataFrame:
        """How many samples of each ``label`` may be of each ``suggested`` class; the most first."""
        import pandas as pd

        names = ["label", "suggested"]
        pairs = [row_values(self._columns[name]) for name in names]
        counts = pd.Series([*zip(*pairs, strict=True)], dtype=object).value_counts()
        rows = [(*pair, n) for pair, n in counts.items()]
        return pd.DataFrame(rows, columns=[*names, "n"]).set_index(names)

    def to_dict(self) -> dict[str, Any]:
        """All of it for JSON, without images."""
        kept = {name: row_values(column) for name, column in self._columns.items() if name != "input"}
        rows = [dict(zip(kept, row, strict=True)) for row in zip(*kept.values(), strict=True)]
        out = {name: getattr(self, name) for name in ("table", "n", "left_out", "top")}
        return {**out, "runs": list(self.runs), "samples": rows}

    def _table(self) -> Table:
        title = trn(
            "{errors} of {labels} labels may be wrong, by the scores of {n} run",
            "{errors} of {labels} labels may be wrong, by the scores of {n} runs",
            len(self.runs),
            errors=len(self),
            labels=self.n,
        )
        header = {
            "id": "id",
            "label": tr("label"),
            "suggested": tr("may be"),
            "label_score": tr("score of the label"),
            "suggested_score": tr("of the other"),
            "wrong_in": tr("runs that say another"),
        }
        first = [row_values(self._columns[name][:_SHOWN]) for name in header]
        rows = [[*map(Cell, row)] for row in zip(*map(value_texts, first), strict=True)]
        notes = [tr("… {n} more", n=len(self) - _SHOWN)] if len(self) > _SHOWN else []
        if self.left_out:
            notes.append(
                tr(
                    "not looked at: {n} samples that not all runs have with the same label and a score",
                    n=self.left_out,
                )
            )
        return Table(title, [*header.values()] if rows else [], rows, notes)

    def __repr__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        first = table_frame(self._columns.take(slice(_PICTURES)), self._source.tables)
        return as_html(self._table()) + gallery("", first)


def find_label_errors(tables: Sequence[PredictionTable]) -> LabelErrors:
    """Find labels that may be wrong.

    Args:
        tables: predictions of one run or more, from networks that were not trained on these samples.

    Raises:
        QueryError: a table is not of a classifier with scores, or they share no sample.
    """
    source, *others = tables
    rows = [np.flatnonzero(np.isfinite(source.numbers(_LABEL_SCORE)))]
    for other in others:
        pairs = pair_rows(source.column("id")[rows[0]], other.column("id"))
        same = equal_rows(source.column(_LABEL)[rows[0][pairs.a]], other.column(_LABEL)[pairs.b])
        same &= np.isfinite(other.numbers(_LABEL_SCORE)[pairs.b])
        rows = [*(known[pairs.a[same]] for known in rows), pairs.b[same]]
    n = len(rows[0])
    if not n:
        raise QueryError("no sample is in the tables of all {n} runs with the same label", n=len(tables))
    votes = [_votes_of(table, places, source) for table, places in zip(tables, rows, strict=True)]
    labels = votes[0].labels
    count = 1 + max(int(max(vote.classes.max(), vote.labels.max())) for vote in votes)
    own: Floats = np.mean([vote.label_scores for vote in votes], axis=0, dtype=np.float64)
    thresholds = class_thresholds(labels, own, count)
    confident = np.empty(n, np.int64)
    higher = []  # the classes with a higher score than the label: places, classes, scores
    step = max(1, _AT_ONCE // count)
    for start in range(0, n, step):
        part = slice(start, start + step)
        mean = np.mean([_dense(vote, part, count) for vote in votes], axis=0)
        confident[part] = confident_classes(mean, thresholds)
        given = mean[np.arange(len(mean)), labels[part]]
        at, classes = np.nonzero(mean > given[:, None])
        higher.append((at + start, classes, mean[at, classes]))
    places, rivals, scores = (np.concatenate(each) for each in zip(*higher, strict=True))
    margins = own[places] - scores
    taken = likely_errors(labels, confident, count, places, rivals, -margins)
    taken = taken[np.lexsort((places[taken], margins[taken]))]
    taken = taken[np.sort(np.unique(places[taken], return_index=True)[1])]  # the best class of each
    wrong = places[taken]
    suggested: Ints = rivals[taken].astype(np.int64)
    picked = source.columns.take(rows[0][wrong])
    label = picked[_LABEL]
    columns: dict[str, TableColumn] = {
        "id": picked["id"],
        _LABEL: label,
        "suggested": Texts(suggested, label.values, label.category)
        if isinstance(label, Texts)
        else suggested,
        _LABEL_SCORE: own[wrong],
        "suggested_score": scores[taken],
        "margin": margins[taken],
        "wrong_in": np.sum([vote.classes[0, wrong] != labels[wrong] for vote in votes], axis=0),
    }
    columns |= {name: picked[name] for name in (*source.slices, "input") if name in picked}
    return LabelErrors(
        table=source.name,
        runs=tuple(table.run for table in tables),
        n=n,
        left_out=source.columns.rows - n,
        top=len(votes[0].classes),
        _columns=TableColumns(columns),
        _source=source,
    )


def _dense(votes: _Votes, part: slice, classes: int) -> AnyArray:
    """The scores of some samples (m, classes), 0 where they are not known."""
    labels = votes.labels[part]
    out, rows = np.zeros((len(labels), classes), np.float32), np.arange(len(labels))
    for chosen, scores in zip(votes.classes[:, part], votes.scores[:, part], strict=True):
        out[rows, chosen] = scores
    out[rows, labels] = votes.label_scores[part]
    if classes == 2 and len(votes.classes) == 1:
        out[rows, 1 - labels] = 1 - votes.label_scores[part]
    return out


def _votes_of(table: PredictionTable, rows: Indices, source: PredictionTable) -> _Votes:
    """The votes of a run; classes are numbered as by ``source``.

    Raises:
        QueryError: columns are missing, or labels are no classes.
    """
    names = [("prediction", "score")]
    while (pair := (f"top{len(names) + 1}", f"score{len(names) + 1}"))[0] in table.columns:
        names.append(pair)
    own = source.column(_LABEL)

    def numbers(name: str) -> AnyArray:
        column = table.column(name)[rows]
        if isinstance(column, Texts) and isinstance(own, Texts):
            places = {text: place for place, text in enumerate(own.values)}
            new = [places.setdefault(text, len(places)) for text in column.values]
            column = np.array([*new, -1])[column.codes]
        if not isinstance(column, np.ndarray) or column.dtype.kind not in "iub" or column.min(initial=0) < 0:
            raise QueryError(
                "column {name!r} of {table!r} of {run!r} holds no classes",
                name=name,
                table=table.name,
                run=table.run,
            )
        return column.astype(np.int64)

    label_scores = table.numbers(_LABEL_SCORE)[rows]
    if label_scores.min() < 0 or label_scores.max() > 1:
        raise QueryError(
            "the scores of {table!r} of {run!r} are no probabilities: record it with activation= or loss=",
            table=table.name,
            run=table.run,
        )
    return _Votes(
        numbers(_LABEL),
        label_scores,
        np.stack([numbers(name) for name, _ in names]),
        np.stack([table.numbers(name)[rows] for _, name in names]),
    )
