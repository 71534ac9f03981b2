"""The remarks of people on a run: labels, a note, archiving; kept in ``remarks.json`` beside its logs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from vizkit.errors import ConflictError, DataError
from vizkit.format.file_names import REMARKS_FILE
from vizkit.runs.edited_file import EditedFile

__all__ = ["Remarks", "RemarksFile"]

_LONGEST_LABEL = 200  # characters
_LONGEST_NOTE = 100_000
_MOST_LABELS = 1_000


@dataclass(frozen=True)
class Remarks:
    """The remarks on a run.

    Attributes:
        labels: short words, in the order in which they were given.
        note: a text, as Markdown.
        archived: the run is put away: lists leave it out, and say so.
    """

    labels: tuple[str, ...] = ()
    note: str = ""
    archived: bool = False

    def edited(
        self,
        add: Iterable[str] = (),
        remove: Iterable[str] = (),
        note: str | None = None,
        archived: bool | None = None,
        replaces: str | None = None,
    ) -> Remarks:
        """Return these remarks with some changes; what is None stays.

        Raises:
            ConflictError: there is another note than the one that ``replaces`` gives.
            DataError: a label is empty, has a line break or more than 200 characters; more than 1,000 labels;
                a note of more than 100,000 characters.
        """
        given = [add] if isinstance(add, str) else list(add)
        gone = {remove} if isinstance(remove, str) else set(remove)
        for label in given:
            if not label.strip() or len(label) > _LONGEST_LABEL or not label.isprintable():
                raise DataError(
                    "a label is a line of 1 to {most} characters, got {label!r}: longer texts are notes",
                    most=_LONGEST_LABEL,
                    label=label[:60],
                )
        labels = [label for label in dict.fromkeys([*self.labels, *given]) if label not in gone]
        if len(labels) > _MOST_LABELS:
            raise DataError(
                "a run has at most {most:,} labels, got {n:,}: remove some", most=_MOST_LABELS, n=len(labels)
            )
        if replaces is not None and replaces != self.note:
            raise ConflictError("the note has been changed meanwhile", current=self.note)
        if note is not None and len(note) > _LONGEST_NOTE:
            raise DataError(
                "a note has at most {most:,} characters, got {n:,}: shorten it",
                most=_LONGEST_NOTE,
                n=len(note),
            )
        return replace(
            self,
            labels=tuple(labels),
            note=self.note if note is None else note,
            archived=self.archived if archived is None else archived,
        )


class RemarksFile(EditedFile[dict[str, Remarks]]):
    """The remarks on the trainings of a directory, by their numbers as texts.

    Args:
        directory: the run directory.
    """

    most_bytes = 1 << 20
    patience = 60.0

    def __init__(self, directory: str) -> None:
        super().__init__(os.path.join(directory, REMARKS_FILE))

    def _empty(self) -> dict[str, Remarks]:
        return {}

    def _of_json(self, found: object) -> dict[str, Remarks]:
        if not isinstance(found, dict):
            raise DataError(
                "{path} holds a {kind}, not an object: correct or delete it",
                path=self.path,
                kind=type(found).__name__,
            )
        return {training: _remarks_of(one) for training, one in found.items() if isinstance(one, dict)}

    def _as_json(self, content: dict[str, Remarks]) -> object:
        return {training: asdict(one) for training, one in content.items() if one != Remarks()}

    def of(self, training: int) -> Remarks:
        """The remarks on a training, from 1 in the order of their start."""
        return self.content().get(str(training), Remarks())

    def edit(self, training: int, change: Callable[[Remarks], Remarks]) -> None:
        """Change the remarks on a training, whoever else edits at the same time.

        Raises:
            DataError: the file that is there cannot be read, and stays as it is.
            OSError: the file cannot be written.
        """
        name = str(training)
        self._rewrite(lambda content: {**content, name: change(content.get(name, Remarks()))})


def _remarks_of(content: Mapping[str, Any]) -> Remarks:
    labels, note = content.get("labels"), content.get("note")
    texts = [label for label in labels if isinstance(label, str)] if isinstance(labels, list) else []
    return Remarks(
        tuple(dict.fromkeys(texts[:_MOST_LABELS])),
        note if isinstance(note, str) else "",
        content.get("archived") is True,
    )
