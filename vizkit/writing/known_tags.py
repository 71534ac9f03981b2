"""The tags of a log that is written: the kind and last step of each, and what VisualDL could not serve."""

from __future__ import annotations

from collections.abc import Mapping

from vizkit.errors import TagError
from vizkit.format.tags import RESERVED, SECONDS, check_tag
from vizkit.writing.renamed_tags import RenamedTags

__all__ = ["KnownTags"]


class KnownTags:
    """The tags that a log has, each with one kind of records.

    Args:
        strict: refuse a tag that VisualDL could not serve, instead of taking the nearest that it can.

    Attributes:
        strict: as given.
        steps: tag -> step of its last record; those of new scalars are kept by the log's writer.
    """

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self._kinds = dict(RESERVED)
        self._renamed = RenamedTags()
        self.steps: dict[str, int | float] = {}

    def restore(self, kinds: Mapping[str, str], steps: Mapping[str, int | float]) -> None:
        """Take over the tags of a log that is continued."""
        self._kinds = {**kinds, **RESERVED}
        self.steps = dict(steps)

    def kind_of(self, tag: str) -> str | None:
        """The kind of a tag's records, None for a new tag."""
        return self._kinds.get(tag)

    @property
    def last_step(self) -> int:
        """The highest of `steps` of a scalar, -1 without one; tags whose steps are `SECONDS` do not count."""
        steps = [
            step
            for tag, step in self.steps.items()
            if self._kinds.get(tag) == "scalar" and not tag.startswith(SECONDS)
        ]
        return int(max(steps, default=-1))

    def tag_for(self, tag: str, kind: str) -> str:
        """The tag of a record: the one asked for, or the nearest that VisualDL can serve.

        Raises:
            TagError: ``tag`` is not text; or there is a nearer one, and tags are strict.
        """
        try:
            self.check(tag, kind)
        except TagError as error:
            if self.strict or not isinstance(tag, str):
                raise
            tag = self.rename(tag, kind, error)
            self._kinds[tag] = kind
        return tag

    def rename(self, tag: object, kind: str, error: TagError) -> str:
        """The tag in place of one that was refused; the first is warned about."""
        return self._renamed.rename(kind, tag, error, self.kind_of)

    def check(self, tag: str, kind: str) -> None:
        """Take a tag for records of a kind.

        Raises:
            TagError: VisualDL could not serve it, or it holds another kind of records.
        """
        known = self._kinds.get(tag) if isinstance(tag, str) else None
        if known == kind and tag not in RESERVED:
            return
        if known and known != kind:
            raise TagError(
                "tag {tag!r} holds {known} records already, and VisualDL's server does not start on "
                "a tag of two kinds; use another tag for the {kind}, such as {other!r}",
                tag=tag,
                known=known,
                kind=kind,
                other=tag + "/" + kind,
            )
        self._kinds[check_tag(tag)] = kind
