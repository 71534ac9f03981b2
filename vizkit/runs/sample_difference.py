"""Two runs compared sample by sample: what the second mended, and what it broke."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from vizkit._language import english, tr
from vizkit.format.tables import References, TableColumn, TableColumns
from vizkit.metrics.arrays import AnyArray, Bools, Indices
from vizkit.runs.display import as_html, as_text
from vizkit.runs.prediction_table import CORRECT, PredictionTable
from vizkit.runs.sample_groups import GroupRow, group_rows
from vizkit.runs.sample_pairs import Pairs, row_values
from vizkit.runs.sample_tables import difference_table, gallery
from vizkit.runs.table_frames import table_frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Change", "Matched", "SampleDifference"]

Change = Literal["mended", "broken", "both_wrong", "both_right"]
_LEVEL = 0.05
_MOST_RELABELLED = 0.25  # of the samples: more are not corrected labels, but other samples
_PICTURES = 8  # of each kind


class Matched(NamedTuple):
    """The samples of both runs, n in all.

    Attributes:
        a, b: the two tables.
        pairs: rows of the same samples.
        before, after: (n,) the metric in A and in B; bools if samples are right or wrong.
        change: (n,) how much better B is; -1, 0 and 1 of bools.
        always_wrong: (n,) whether the sample is wrong in all runs.
    """

    a: PredictionTable
    b: PredictionTable
    pairs: Pairs
    before: AnyArray
    after: AnyArray
    change: AnyArray
    always_wrong: Bools


@dataclass(frozen=True, repr=False)
class SampleDifference:
    """The difference between two runs, sample by sample; printed, a verdict and where the changes are.

    Frames of samples have the columns ``id``, ``label``, ``prediction_a``, ``prediction_b``, ``score_a``,
    ``score_b``, the metric in both (``iou_a``, ``iou_b``), slices, and ``input``, as far as the tables do.
    Those that the network is most sure of in B come first, or those that changed most.

    Attributes:
        table: the name of the tables.
        a, b: names of the runs.
        steps: of the two tables.
        metric: ``"correct"``, or the column that was compared.
        limit: the value of the metric from which on a sample is right; None if each has a value of its own.
        mode: ``"max"`` or ``"min"``: the better direction of the metric.
        n: samples that were compared: those in both tables.
        only_a, only_b: samples that are in one table alone.
        repeated: rows that are left out since their id is not the only one in its table.
        unnamed: rows that are left out since they have no id.
        unknown: samples in both tables that lack a finite metric, left out.
        relabelled: samples with another label in B than in A; each is judged by its own.
        mean_a, mean_b: means of the metric; of right and wrong, the fraction that is right.
        low, high: the 95 % interval of ``mean_b - mean_a`` of the paired bootstrap; NaN of right and wrong.
        p: two-sided, of no difference: McNemar's exact test of right and wrong, else the paired bootstrap.
        runs: the number of runs that `always_wrong` means: all that have the table.
    """

    table: str
    a: str
    b: str
    steps: tuple[int | float, int | float]
    metric: str
    limit: float | None
    mode: str
    n: int
    only_a: int
    only_b: int
    repeated: int
    unnamed: int
    unknown: int
    relabelled: int
    mean_a: float
    mean_b: float
    low: float
    high: float
    p: float
    runs: int
    _matched: Matched = field(compare=False)

    @property
    def better(self) -> bool | None:
        """True if B is better than A, False if it is worse; None if the test does not tell (p of 5 %).

        Of samples that are hardly the same ones no test tells anything.
        """
        if not self.p < _LEVEL or self.mismatched:
            return None
        return (self.mean_b > self.mean_a) is (self.mode == "max" or self.judged)

    @property
    def in_doubt(self) -> bool:
        """True if ids are places in an order that may be another in B, as of a loader that shuffles."""
        return any(table.columns.about.get("ids") == "unknown order" for table in self._matched[:2])

    @property
    def mismatched(self) -> bool:
        """True if so many samples have another label in B that they are hardly the same ones."""
        return self.relabelled > _MOST_RELABELLED * self.n

    @property
    def judged(self) -> bool:
        """True if each sample is right or wrong, rather than more or less good."""
        return self._matched.before.dtype == np.bool_

    @property
    def verdict(self) -> str:
        """A sentence on what was found."""
        if self.mismatched:
            return tr(
                "{relabelled} of {n} samples have another label in B: they are hardly the same samples, and "
                "are not compared; pass ids= that tell samples apart in any order",
                relabelled=self.relabelled,
                n=self.n,
            )
        if self.judged and not self._matched.change.any():
            return tr("A and B are right and wrong on the same samples, {n} in all", n=self.n)
        found = tr("B is worse" if self.better is False else "which is better is open")
        found = tr("B is better") if self.better else found
        if self.judged:
            return tr(
                "{verdict}: B mends {mended} and breaks {broken} of {n} samples; right are {a:.2%} in A, "
                "{b:.2%} in B (McNemar's exact test, p = {p:.2g})",
                verdict=found,
                mended=self.count("mended"),
                broken=self.count("broken"),
                n=self.n,
                a=self.mean_a,
                b=self.mean_b,
                p=self.p,
            )
        return tr(
            "{verdict}: the mean {metric} of {n} samples is {a:.4g} in A, {b:.4g} in B; difference "
            "{difference:+.3g}, 95 % interval {low:+.3g} to {high:+.3g} (paired bootstrap, p = {p:.2g})",
            verdict=found,
            metric=self.metric,
            n=self.n,
            a=self.mean_a,
            b=self.mean_b,
            difference=self.mean_b - self.mean_a,
            low=self.low,
            high=self.high,
            p=self.p,
        )

    # -- samples ---------------------------------------------------------------------------------

    @property
    def mended(self) -> pd.DataFrame:
        """Samples that are wrong in A and right in B; better in B, if none is right or wrong."""
        return self._frame(self._rows("mended"))

    @property
    def broken(self) -> pd.DataFrame:
        """Samples that are right in A and wrong in B; worse in B, if none is right or wrong."""
        return self._frame(self._rows("broken"))

    @property
    def both_wrong(self) -> pd.DataFrame:
        """Samples that are wrong in A and in B."""
        return self._frame(self._rows("both_wrong"))

    @property
    def both_right(self) -> pd.DataFrame:
        """Samples that are right in A and in B."""
        return self._frame(self._rows("both_right"))

    @property
    def always_wrong(self) -> pd.DataFrame:
        """Samples of `both_wrong` that are wrong in every run that has them in a table of that name."""
        return self._frame(self._always())

    def count(self, change: Change) -> int:
        """The number of samples of a kind: ``"mended"``, ``"broken"``, ``"both_wrong"``, ``"both_right"``."""
        return int(self._chosen(change).sum())

    def ids(self, change: Change | Literal["always_wrong"]) -> list[Any]:
        """The ids of such samples, in the order of their frame."""
        rows = self._always() if change == "always_wrong" else self._rows(change)
        return row_values(self._matched.a.columns["id"][self._matched.pairs.a[rows]])

    def _chosen(self, change: Change) -> Bools:
        before, after, delta = self._matched.before, self._matched.after, self._matched.change
        if change in ("mended", "broken"):
            return np.asarray(delta > 0 if change == "mended" else delta < 0)
        if not self.judged:
            return np.zeros(self.n, np.bool_)
        return np.asarray(before & after if change == "both_right" else ~(before | after))

    def _rows(self, change: Change) -> Indices:
        rows = np.flatnonzero(self._chosen(change))
        matched = self._matched
        weight: AnyArray | None = np.abs(matched.change[rows])
        if self.judged:
            scores = matched.b.columns.get("score")
            weight = scores[matched.pairs.b[rows]] if isinstance(scores, np.ndarray) else None
        return rows if weight is None else rows[np.argsort(-weight, kind="stable")]

    def _always(self) -> Indices:
        rows = self._rows("both_wrong")
        return rows[self._matched.always_wrong[rows]]

    def _frame(self, rows: Indices) -> pd.DataFrame:
        a, b, pairs = self._matched[:3]
        columns: dict[str, TableColumn] = {}

        def add(name: str, table: PredictionTable, column: str, places: Indices) -> None:
            if column in table.columns:
                columns[name] = table.columns[column][places[rows]]

        add("id", a, "id", pairs.a)
        add("label", a, "label", pairs.a)
        if self.relabelled:
            add("label_b", b, "label", pairs.b)
        for column in ("prediction", "score"):
            add(f"{column}_a", a, column, pairs.a)
            add(f"{column}_b", b, column, pairs.b)
        if self.metric != CORRECT:
            columns[f"{self.metric}_a"] = a.numbers(self.metric)[pairs.a[rows]]
            columns[f"{self.metric}_b"] = b.numbers(self.metric)[pairs.b[rows]]
        for column in (*a.slices, "input"):
            add(column, a, column, pairs.a)
        frame = table_frame(TableColumns(columns), a.tables)
        if "input" in b.columns:  # an evaluation keeps the images of its errors first
            column_b = b.columns["input"][pairs.b[rows]]
            others = table_frame(TableColumns({"input": column_b}), b.tables)["input"]
            if isinstance(column_b, References) and column_b.layers is not None:
                frame["input_b"] = others  # with the predictions of B
            frame["input"] = (
                frame["input"].where(frame["input"].notna(), others) if "input" in frame else others
            )
        return frame

    # -- groups ----------------------------------------------------------------------------------

    def groups(self, column: str) -> list[GroupRow]:
        """The samples by the values of a column of A's table, as in `by_class` and `by_slice`.

        Raises:
            QueryError: there is no such column.
        """
        a, _, pairs, before, after, change, _ = self._matched
        values = a.column(column)[pairs.a]
        classes = column == "label" and a.has_classes
        return group_rows(values, before, after, change, exact=self.judged, classes=classes)

    @property
    def whole(self) -> GroupRow:
        """All samples as one group."""
        changed = self.count("mended"), self.count("broken")
        return GroupRow(None, self.n, self.mean_a, self.mean_b, *changed, self.p)

    @property
    def by_class(self) -> pd.DataFrame:
        """One row a class, indexed by ``label``; empty where the labels are no classes.

        Columns: ``n`` samples, ``a`` and ``b``: means of the metric, or fractions that are right,
        ``mended``, ``broken``, and ``p``: of each class, corrected for their number (Holm 1979).
        """
        import pandas as pd

        rows = self.groups("label") if self._matched.a.has_classes else []
        return pd.DataFrame(rows, columns=GroupRow._fields).set_index("value").rename_axis("label")

    @property
    def by_slice(self) -> pd.DataFrame:
        """One row a value of each slice, indexed by ``slice`` and ``value``; columns as of `by_class`."""
        import pandas as pd

        rows = [(name, *row) for name in self._matched.a.slices for row in self.groups(name)]
        return pd.DataFrame(rows, columns=["slice", *GroupRow._fields]).set_index(["slice", "value"])

    # -- printing --------------------------------------------------------------------------------

    def to_dict(self, columns: Sequence[str] | None = None) -> dict[str, Any]:
        """All of it for JSON: with the ids of the samples that changed and of those that stay wrong.

        Args:
            columns: whose groups are told; by default `grouped`.
        """
        fields = [name for name in self.__dataclass_fields__ if not name.startswith("_")]
        out: dict[str, Any] = {name: getattr(self, name) for name in fields}
        out |= {"steps": list(self.steps), "better": self.better, "verdict": english(self.verdict)}
        out |= {kind: self.ids(kind) for kind in ("mended", "broken", "both_wrong", "always_wrong")}
        groups = {
            column: [row._asdict() for row in self.groups(column)] for column in (columns or self.grouped)
        }
        return out | {"both_right": self.count("both_right"), "groups": groups}

    @property
    def grouped(self) -> list[str]:
        """The columns whose groups are printed: ``label``, if labels are classes, and the slices."""
        a = self._matched.a
        return [*(["label"] if a.has_classes else []), *a.slices]

    def __repr__(self) -> str:
        return as_text(difference_table(self, self.grouped))

    def _repr_html_(self) -> str:
        kinds: dict[str, Change] = {tr("mended"): "mended", tr("broken"): "broken"}
        shown = {title: self._frame(self._rows(kind)[:_PICTURES]) for title, kind in kinds.items()}
        pictures = [gallery(title, frame) for title, frame in shown.items()]
        return "".join([as_html(difference_table(self, self.grouped)), *pictures])
