"""New tags for records that stock VisualDL cannot serve."""

from __future__ import annotations

from vizkit._language import tr
from vizkit.errors import TagError
from vizkit.format import wire
from vizkit.format.contents import with_texts
from vizkit.format.decode import decode_head, decode_record
from vizkit.format.encode import encode_hparams
from vizkit.format.tags import RESERVED, check_tag, clean_tag
from vizkit.format.types import HParams, Record

__all__ = ["Renames", "is_bad_tag", "retagged"]


def is_bad_tag(tag: str) -> bool:
    """Return True if stock VisualDL cannot serve a tag, or cannot read it (invalid UTF-8)."""
    try:
        check_tag(tag)
    except TagError:
        return True
    return "\ufffd" in tag


class Renames:
    """Rename tags so that stock VisualDL can serve them, with one kind of record under each.

    Args:
        kinds: tag -> kind of its records, as the reader has it.

    Attributes:
        wanted: True if any tag has to be renamed.
        done: the changes made, as texts.
    """

    def __init__(self, kinds: dict[str, str]) -> None:
        self._kinds = {**kinds, **RESERVED}
        self._taken = set(self._kinds)
        self._names: dict[tuple[str, str], str] = {}
        self.wanted = any(is_bad_tag(tag) or RESERVED.get(tag, kind) != kind for tag, kind in kinds.items())
        self.done: list[str] = []

    def renamed(self, data: bytes) -> bytes:
        """The frame of a record under its new tag."""
        head = decode_head(data)
        if head.kind == "hparams" and (frame := self._settings(decode_record(data))):
            return frame
        name = self._name(head.tag, head.kind)
        record = with_texts(data if name == head.tag else retagged(data, name))
        return len(record).to_bytes(8, "little") + record

    def _settings(self, record: Record) -> bytes | None:
        """The frame of hyper-parameters with the new tags of metrics; None if nothing changes."""
        before: HParams = record.data
        metrics = [self._name(tag, self._kinds[tag]) if tag in self._kinds else tag for tag in before.metrics]
        if metrics == before.metrics and not before.bare:
            return None
        self.done += [tr("wrote the hyper-parameter {name!r} as text", name=name) for name in before.bare]
        return encode_hparams(HParams(before.hparams, metrics, before.name), record.walltime)

    def _name(self, tag: str, kind: str) -> str:
        if (tag, kind) not in self._names:
            self._names[tag, kind] = self._new_name(tag, kind)
        return self._names[tag, kind]

    def _new_name(self, tag: str, kind: str) -> str:
        if kind in RESERVED.values():
            return tag
        name = clean_tag(tag).replace("\ufffd", "_") if is_bad_tag(tag) else tag
        if self._kinds.setdefault(tag, kind) != kind:
            name = f"{name}_{kind}"
        if name != tag:
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            self.done.append(
                tr("renamed the tag {tag!r} of {kind} records to {name!r}", tag=tag, kind=kind, name=name)
            )
        return name


def retagged(data: bytes, tag: str) -> bytes:
    """A record with another tag and all else unchanged.

    Raises:
        ValueError: the bytes are not a record.
    """
    named = (2, wire.BYTES, tag.encode("utf-8", "replace"))
    out = []
    for number, wire_type, value in wire.fields(data):
        if number == 1 and wire_type == wire.BYTES:
            # In its place: a record of another order is read much slower.
            fields = [named if field[0] == 2 else field for field in wire.fields(value)]
            value = b"".join(
                wire.field(*field) for field in (fields if named in fields else [named, *fields])
            )
        out.append(wire.field(number, wire_type, value))
    return b"".join(out)
