"""Records of evaluations of texts: of generated ones, and of a class for each token.

===================================  =======================================================
tag                                  record
===================================  =======================================================
**generation**                       labels and outputs are texts, or tokens of a CTC loss; of
                                     several right texts the nearest to the output counts
``eval/exact match``                 fraction of outputs that equal their label
``eval/cer``, ``eval/wer``           character and word error rate
``eval/edit distance``,              mean edits of a text, and 1 - edits / length
``eval/edit similarity``
**labelling**                        labels and scores of each token; or class numbers, of which
                                     there are no perplexity and no curves
``eval/perplexity``                  exp of the mean cross entropy of a token
``eval/token acc``                   fraction of right tokens
``eval/exact match``                 fraction of sequences with all tokens right
``eval/entity f1`` (``precision``,   of entities, if the class names are tags such as
``recall``)                          ``B-PER``, ``I-PER``, ``O``
``eval/pr/<class>`` ...              up to 200 classes: what `vizkit.writing.evaluation` lists
**both**
``eval/samples``                     the same samples every time, as a table: label,
                                     prediction, the score of each token, input
``eval/worst``                       likewise, those with the most edits or wrong tokens
``eval/scores``                      once a run: what the scores were taken for
===================================  =======================================================

`vizkit.metrics.texts` defines the metrics. Tokens with ``ignore_index`` as label do not count. Tokens without
names, of a CTC loss, are written as numbers: they are words, and there is no ``cer``.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from vizkit._checks import describe
from vizkit._protocols import ArrayLike, StepLike
from vizkit.errors import DataError
from vizkit.format import encode
from vizkit.metrics.activation import ScoreEvidence
from vizkit.metrics.arrays import AnyArray, Bools, Floats, shape_of, to_real
from vizkit.metrics.confusion import MOST_COUNTED
from vizkit.metrics.ctc import decode_ctc, token_labels
from vizkit.metrics.evaluation_scores import ASSUMED, EvaluationScores
from vizkit.metrics.inputs import check_lengths, refuse_nan
from vizkit.metrics.texts import EntityCounts, TextScores, edit_distance, looks_like_tags
from vizkit.writing import evaluation
from vizkit.writing.evaluation import ClassNames
from vizkit.writing.tasks.choice import are_references
from vizkit.writing.tasks.samples import KeptSamples, content_of
from vizkit.writing.tasks.task import EvaluationTask, LabelledBatch, TaskOptions

__all__ = ["GenerationTask", "LabellingTask"]

_CHUNK = 1 << 20  # scores whose cross entropy is computed at once
_LONGEST = 2000  # characters of a text in a table


@dataclass(frozen=True)
class _Kept:
    """A sample; its tokens' scores as probabilities, and as if the network's outputs were logits."""

    label: str
    prediction: str
    content: str
    scores: str = ""
    scores_of_logits: str = ""


@dataclass(frozen=True, eq=False)
class _Texts:
    """Texts, with the scores of their tokens, or of each as a whole; empty where there are none."""

    texts: list[str]
    scores: list[Floats]
    scored: bool


class GenerationTask(EvaluationTask):
    """The texts of an evaluation."""

    name = "generation"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._texts = TextScores()
        self._numbered = False  # tokens without names are written as numbers
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    @property
    def samples(self) -> int:
        """Number of texts."""
        return self._texts.count

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch of texts."""
        labels, found = self._pairs_of(batch)
        outputs = found.texts
        check_lengths(labels, "outputs", outputs)
        edits = np.array([self._texts.add(*pair) for pair in zip(labels, outputs, strict=True)], np.int64)
        keys = self._rows.next_ids(batch.ids, len(labels))
        lengths = np.array([len(label) for label in labels], np.int64)
        columns: dict[str, AnyArray] = {
            "id": keys,
            "label": _objects(labels),
            "prediction": _objects(outputs),
        }
        columns |= {"edits": edits, "length": lengths}
        tokens = [_in_text(scores) for scores in found.scores]
        if found.scored:
            columns |= {"score": _means(found.scores), "token scores": _objects(tokens)}
        self._rows.add({**columns, **self._rows.extras(batch, len(labels))})
        self._rows.offer_images(batch, keys, edits > 0)
        badness = np.where(edits > 0, edits / np.maximum(lengths, 1), -np.inf)

        def kept(row: int) -> _Kept:
            return _Kept(labels[row], outputs[row], _content(batch, row), tokens[row])

        self._kept.offer(keys, badness, kept)

    def _pairs_of(self, batch: LabelledBatch) -> tuple[list[str], _Texts]:
        """The texts of labels and outputs."""
        ctc, names = self.options.ctc, self.options.class_names
        if are_references(batch.labels):
            given = _as_texts(batch.outputs, "outputs")
            return _nearest(cast("Sequence[Sequence[str]]", batch.labels), given.texts), given
        if ctc is None or len(shape_of(batch.outputs)) != 3:
            return _as_texts(batch.labels, "labels").texts, _as_texts(batch.outputs, "outputs")
        outputs, labels = cast("ArrayLike", batch.outputs), batch.labels
        ClassNames(shape_of(outputs)[-1], names, self.options.most_classes)  # that do not fit are refused
        steps: ArrayLike | None = None
        lengths: ArrayLike | None = None
        if isinstance(labels, (list, tuple)) and len(labels) == 3 and len(shape_of(labels[0])) == 2:
            labels, steps, lengths = cast("tuple[ArrayLike, ArrayLike, ArrayLike]", tuple(labels))
        softmax = self.options.activation is not None
        found = decode_ctc(outputs, ctc, softmax=softmax, lengths=steps)
        texts = _Texts([self._text_of(one.ids) for one in found], [one.scores for one in found], scored=True)
        if isinstance(labels, (list, tuple)) and all(isinstance(label, str) for label in labels):
            return _as_texts(labels, "labels").texts, texts
        tokens = token_labels(cast("ArrayLike", labels), ctc, lengths)
        return [self._text_of(each) for each in tokens], texts

    def _text_of(self, ids: AnyArray) -> str:
        names = self.options.class_names
        if names is None:
            self._numbered = True
            return " ".join(map(str, ids.tolist()))
        return "".join(names[k] for k in ids.tolist())

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        names = ("exact match", "edit distance", "edit similarity", "cer", "wer")
        return {f"{tag}/{name}": "scalar" for name in names} | _table_tags(tag)

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        metrics = self._texts.numbers()
        if self._numbered:  # digits are no characters of a text
            metrics = {name: metrics[name] for name in ("exact match", "wer") if name in metrics}
        numbers = {f"{tag}/{name}": value for name, value in metrics.items()}
        frames = [_scalars(numbers, without, step, now)]
        return b"".join([*frames, *_tables(tag, self._kept, step, now)])


class LabellingTask(EvaluationTask):
    """The tokens of an evaluation."""

    name = "labelling"

    def __init__(self, options: TaskOptions) -> None:
        super().__init__(options)
        self._classes = self._sequences = self._tokens = self._right = self._exact = 0
        self._decoded = False
        self._evidence = ScoreEvidence()
        self._losses = {"softmax": 0.0, "": 0.0}  # of logits, and of probabilities
        self._entities: EntityCounts | None = None
        self._curves: EvaluationScores | None = None
        self._kept: KeptSamples[_Kept] = KeptSamples(options.samples, options.worst)

    @property
    def samples(self) -> int:
        """Number of tokens that count."""
        return self._tokens

    @property
    def nbytes(self) -> int:
        """Bytes of memory in use."""
        return self._rows.nbytes + (0 if self._curves is None else self._curves.nbytes)

    def add(self, batch: LabelledBatch) -> None:
        """Add a batch of sequences."""
        scores = to_real(cast("ArrayLike", batch.outputs), "outputs")
        labels = to_real(cast("ArrayLike", batch.labels), "labels")
        if labels.ndim == 3 and labels.shape[2] == 1:
            labels = labels[:, :, 0]
        decoded = scores.ndim == 2 and scores.dtype.kind in "iu"  # to class numbers, as by a CRF
        if labels.shape != scores.shape[:2] or not (decoded or (scores.ndim == 3 and scores.shape[2] > 1)):
            raise DataError(
                "labels must be of shape [n, tokens] and outputs of shape [n, tokens, classes], or class "
                "numbers like the labels, got {labels} and {outputs}",
                labels=describe(batch.labels),
                outputs=describe(batch.outputs),
            )
        refuse_nan(scores)
        classes = self._told_classes() if decoded else scores.shape[2]
        if self._classes not in (0, classes):
            raise DataError(
                "scores of {classes} classes came after scores of {before}",
                classes=classes,
                before=self._classes,
            )
        counted: Bools = np.ones(labels.shape, bool)
        if self.options.ignore_index is not None:
            counted = labels != self.options.ignore_index
        ids = np.where(counted, labels, 0).astype(np.int64)
        if ids.size and (ids.min() < 0 or ids.max() >= classes):
            raise DataError(
                "labels of tokens must be from 0 to {last}, got {least} to {most}; ignore_index is for those "
                "that do not count",
                last=classes - 1,
                least=int(ids.min()),
                most=int(ids.max()),
            )
        if not self._classes:
            self._begin(classes, decoded=decoded)
        if decoded != self._decoded:
            raise DataError("outputs are scores in some batches, and class numbers in others")
        given, of_logits = (None, None) if decoded else self._add_losses(scores, ids, counted)
        chosen = np.where(counted, scores, 0).astype(np.int64) if decoded else scores.argmax(axis=2)
        if decoded and chosen.size and not 0 <= chosen.min() <= chosen.max() < classes:
            raise DataError(
                "predicted classes of tokens must be from 0 to {last}, got {least} to {most}",
                last=classes - 1,
                least=int(chosen.min()),
                most=int(chosen.max()),
            )
        if self._curves is not None:
            self._curves.add(ids[counted], scores[counted])
        wrong = ((chosen != ids) & counted).sum(axis=1)
        lengths = counted.sum(axis=1)
        self._sequences += len(ids)
        self._tokens += int(lengths.sum())
        self._right += int((lengths - wrong).sum())
        self._exact += int((wrong == 0).sum())
        keys = self._rows.next_ids(batch.ids, len(ids))
        columns: dict[str, AnyArray] = {"id": keys}
        for name, places in (("label", ids), ("prediction", chosen)) if self._rows.most else ():
            joined = [" ".join(self._named(row[some])) for row, some in zip(places, counted, strict=True)]
            columns[name] = _objects(joined)
        columns |= {"wrong": wrong, "tokens": lengths}
        known = given if self.options.activation is None else of_logits
        if self.options.activation != "auto" and known is not None:
            each = [row[some] for row, some in zip(known, counted, strict=True)]
            columns |= {"score": _means(each), "token scores": _objects([_in_text(row) for row in each])}
        self._rows.add({**columns, **self._rows.extras(batch, len(ids))})

        def kept(row: int) -> _Kept:
            names = [self._named(each[row][counted[row]]) for each in (ids, chosen)]
            both = [] if given is None or of_logits is None else [given, of_logits]
            shown = [_in_text(each[row][counted[row]]) for each in both]
            return _Kept(" ".join(names[0]), " ".join(names[1]), _content(batch, row), *shown)

        if self._entities is not None:
            for row, some in enumerate(counted):
                self._entities.add(self._named(ids[row][some]), self._named(chosen[row][some]))
        self._kept.offer(keys, np.where(wrong > 0, wrong / np.maximum(lengths, 1), -np.inf), kept)

    def _told_classes(self) -> int:
        """The number of classes, where outputs are class numbers."""
        names = self.options.class_names
        found = self.options.classes or (len(names) if names else 0)
        if not found:
            raise DataError("predictions are class ids: say how many with classes= or class_names=")
        return found

    def _begin(self, classes: int, *, decoded: bool) -> None:
        self._classes, self._decoded = classes, decoded
        options = self.options
        self._names()
        if options.class_names and looks_like_tags(options.class_names):
            self._entities = EntityCounts()
        if classes <= MOST_COUNTED and not decoded:
            self._curves = EvaluationScores(activation=options.activation, limit=options.limit)

    def _named(self, ids: AnyArray) -> list[str]:
        names = self.options.class_names
        return [str(k) if names is None else names[k] for k in ids.tolist()]

    def _names(self) -> ClassNames:
        return ClassNames(self._classes, self.options.class_names, self.options.most_classes)

    def _add_losses(self, scores: AnyArray, ids: AnyArray, counted: Bools) -> tuple[Floats, Floats]:
        """Add cross entropies, of logits and of probabilities as long as either is possible.

        Returns:
            The best score of each token, and the probability that it is of logits, shape (n, tokens).
        """
        told = self.options.activation
        flat, labels = scores.reshape(-1, self._classes), ids.reshape(-1)
        places = np.flatnonzero(counted)
        best = np.zeros((2, len(flat)))
        step = max(1, _CHUNK // self._classes)
        for start in range(0, len(places), step):
            some = places[start : start + step]
            part = flat[some].astype(np.float64)
            picked = part[np.arange(len(some)), labels[some]]
            top = part.max(axis=1)
            best[0, some] = top
            if told == "auto":
                self._evidence.add(part)
            if told is not None:
                total = np.log(np.exp(part - top[:, None]).sum(axis=1)) + top
                best[1, some] = np.exp(top - total)
                self._losses["softmax"] += float((total - picked).sum())
            if told is None or (told == "auto" and self._evidence.activation != "softmax"):
                with np.errstate(divide="ignore", invalid="ignore"):
                    self._losses[""] -= float(np.log(picked).sum())
        return best[0].reshape(ids.shape), best[1].reshape(ids.shape)

    def tags(self, tag: str) -> dict[str, str]:
        """All tags that may be recorded -> their kinds."""
        kinds = {} if self._curves is None else evaluation.evaluation_tags(tag, self._names())
        names = ["perplexity", "token acc", "exact match"]
        if self._entities is not None:
            names += self._entities.numbers()
        return kinds | {f"{tag}/{name}": "scalar" for name in names} | _table_tags(tag)

    def encode(
        self, tag: str, step: StepLike, now: int, without: Collection[str], *, explained: bool
    ) -> bytes:
        """Encode the records."""
        told = self.options.activation
        known = self._evidence.activation if told == "auto" else told
        numbers = {"token acc": self._right / self._tokens, "exact match": self._exact / self._sequences}
        if known != "auto" and not self._decoded:
            mean = self._losses["" if known is None else "softmax"] / self._tokens
            numbers["perplexity"] = math.exp(mean) if mean < 700 else math.inf
        if self._entities is not None:
            numbers |= self._entities.numbers()
        frames = [_scalars({f"{tag}/{name}": value for name, value in numbers.items()}, without, step, now)]
        if self._curves is not None:
            found = self._curves.result()
            frames.append(evaluation.encode_evaluation(tag, found, self._names(), step, now, without))
        if told == "auto" and not explained and not self._decoded:
            frames.append(encode.encode_text(f"{tag}/scores", ASSUMED[known], step, now))
        return b"".join([*frames, *_tables(tag, self._kept, step, now, known)])


def _objects(texts: Sequence[str]) -> AnyArray:
    found = np.empty(len(texts), object)
    found[:] = [text[:_LONGEST] for text in texts]
    return found


def _as_texts(values: object, name: str) -> _Texts:
    """Texts, or pairs of a text and its score or those of its tokens, as PaddleOCR decodes them."""
    each = list(cast("Sequence[object]", values)) if isinstance(values, (list, tuple)) else []
    if isinstance(values, np.ndarray) and values.dtype.kind in "UO":
        each = values.tolist()
    texts, scores = [], []
    for one in each:
        text, score = one if isinstance(one, (tuple, list)) and len(one) == 2 else (one, ())
        texts.append(text)
        scores.append(np.atleast_1d(to_real(cast("ArrayLike", score), "scores")).astype(np.float64))
    if not texts or not all(isinstance(text, str) for text in texts):
        raise DataError(
            "{name} of generated texts must be a list of texts, got {values}",
            name=name,
            values=describe(values),
        )
    return _Texts(cast("list[str]", texts), scores, scored=any(len(row) for row in scores))


def _nearest(references: Sequence[Sequence[str]], outputs: Sequence[str]) -> list[str]:
    """Of several right texts the one with the fewest edits from each output."""
    check_lengths(references, "outputs", outputs)
    return [
        min(some, key=lambda text: edit_distance(text, output))
        for some, output in zip(references, outputs, strict=True)
    ]


def _in_text(scores: Floats) -> str:
    return " ".join(f"{score:.2f}" for score in scores.tolist())


def _means(scores: Sequence[Floats]) -> Floats:
    """The mean score of each sample's tokens; NaN without tokens."""
    return np.array([row.mean() if len(row) else np.nan for row in scores])


def _content(batch: LabelledBatch, row: int) -> str:
    found = None if batch.inputs is None else content_of(batch, row, most=_LONGEST)
    return found if isinstance(found, str) else ""


def _scalars(numbers: dict[str, float], without: Collection[str], step: StepLike, now: int) -> bytes:
    kept = [(name, value) for name, value in numbers.items() if name not in without]
    return evaluation.encode_scalars(kept, step, now)


def _table_tags(tag: str) -> dict[str, str]:
    return {f"{tag}/{name}": "text" for name in ("samples", "worst", "scores")}


def _tables(
    tag: str, samples: KeptSamples[_Kept], step: StepLike, now: int, activation: str | None = None
) -> list[bytes]:
    frames = []
    for name, kept in (("samples", samples.followed()), ("worst", samples.worst())):
        if not kept:
            continue
        shown = {None: [one.scores for _, one in kept], "softmax": [one.scores_of_logits for _, one in kept]}
        scores = shown.get(activation, [])
        heads = ["sample", "label", "prediction", *(["scores"] if any(scores) else []), "input"]
        lines = ["\t".join(heads)]
        for row, (key, one) in enumerate(kept):
            found = [scores[row]] if any(scores) else []
            cells = (str(key), one.label, one.prediction, *found, one.content)
            lines.append("\t".join(" ".join(cell.split())[:_LONGEST] for cell in cells))
        frames.append(encode.encode_text(f"{tag}/{name}", "\n".join(lines), step, now))
    return frames
