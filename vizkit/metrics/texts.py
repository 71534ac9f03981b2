"""Likeness of texts and of sequences of tags.

- Edit distance (Levenshtein): insertions, deletions and replacements, by the bit-parallel method of Myers
  (Journal of the ACM 46, 1999) and Hyyrö.
- Character and word error rate: edits of all texts over characters, or words between spaces, of all labels.
- Edit similarity: the mean of 1 - edits / the longer length; 1 for two empty texts.
- Entities: as seqeval and conlleval find them in tags such as ``B-PER``, ``I-PER``, ``E-PER``, ``S-PER``
  and ``O``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

__all__ = ["EntityCounts", "TextScores", "edit_distance", "entities_of", "looks_like_tags"]


def edit_distance(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Count the insertions, deletions and replacements that turn one sequence into the other."""
    if len(one) > len(other):
        one, other = other, one  # the longer loop is over the other, the wider numbers are of one
    if not one:
        return len(other)
    places: dict[Hashable, int] = {}
    for i, item in enumerate(one):
        places[item] = places.get(item, 0) | 1 << i
    last, mask, score = 1 << (len(one) - 1), (1 << len(one)) - 1, len(one)
    rising, falling = mask, 0  # steps down a column of the table of distances
    for item in other:
        equal = places.get(item, 0)
        across = (((equal & rising) + rising) ^ rising) | equal
        more, less = falling | (mask & ~(across | rising)), rising & across
        score += bool(more & last) - bool(less & last)
        more, less = more << 1 | 1, less << 1
        down = equal | falling
        rising, falling = (less | ~(down | more)) & mask, more & down & mask
    return score


@dataclass
class TextScores:
    """Sums over pairs of a label and a prediction.

    Attributes:
        count: number of pairs.
        exact: pairs of equal texts.
        edits: of characters.
        characters: of all labels.
        word_edits: of words.
        words: of all labels.
        similarity: the sum of edit similarities.
    """

    count: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0
    word_edits: int = 0
    words: int = 0
    similarity: float = 0.0

    def add(self, label: str, prediction: str) -> int:
        """Add a pair, and return its edit distance."""
        edits = edit_distance(label, prediction)
        words = label.split()
        self.count += 1
        self.exact += label == prediction
        self.edits += edits
        self.characters += len(label)
        self.word_edits += edit_distance(words, prediction.split())
        self.words += len(words)
        self.similarity += 1 - edits / (max(len(label), len(prediction)) or 1)
        return edits

    def numbers(self) -> dict[str, float]:
        """The metrics by their names; rates of labels without characters are left out."""
        out = {
            "exact match": self.exact / self.count,
            "edit distance": self.edits / self.count,
            "edit similarity": self.similarity / self.count,
        }
        if self.characters:
            out["cer"] = self.edits / self.characters
        if self.words:
            out["wer"] = self.word_edits / self.words
        return out


@dataclass
class EntityCounts:
    """Entities of labels, of predictions, and of both: of the same type and place."""

    label: int = 0
    predicted: int = 0
    right: int = 0

    def add(self, label: Sequence[str], prediction: Sequence[str]) -> None:
        """Add the tags of a sequence."""
        true, found = set(entities_of(label)), set(entities_of(prediction))
        self.label += len(true)
        self.predicted += len(found)
        self.right += len(true & found)

    def numbers(self) -> dict[str, float]:
        """Precision, recall and F1; 0 where there is nothing, as in seqeval."""
        both = self.label + self.predicted
        return {
            "entity precision": self.right / self.predicted if self.predicted else 0.0,
            "entity recall": self.right / self.label if self.label else 0.0,
            "entity f1": 2 * self.right / both if both else 0.0,
        }


def entities_of(tags: Sequence[str]) -> list[tuple[str, int, int]]:
    """The type, the first place and the place after the last of each entity.

    An entity begins with ``B`` or ``S``, or with another tag after ``O``, after the end of one or after one
    of another type.
    """
    found: list[tuple[str, int, int]] = []
    before, kind, start = "O", "", 0
    for i, tag in enumerate([*tags, "O"]):
        prefix, _, name = tag.partition("-")
        ends = before != "O" and (prefix in "OBS" or before in "ES" or name != kind)
        if ends:
            found.append((kind, start, i))
        if prefix != "O" and (ends or before == "O"):
            start = i
        before, kind = prefix, name
    return found


def looks_like_tags(names: Iterable[str]) -> bool:
    """True if names are ``O`` and tags such as ``B-PER``, so that entities can be counted."""
    every = list(names)
    return "O" in every and all(name == "O" or (name[:2] in ("B-", "I-", "E-", "S-")) for name in every)
