"""The rule of sessions, record by record: a slow model that the reader is compared with."""

from __future__ import annotations

from vizkit.format.tags import SECONDS
from vizkit.format.types import HParams, Record, SessionMark

OneSession = tuple[SessionMark, list[Record]]


def trainings(sessions: list[OneSession], hparams: list[HParams | None]) -> list[list[list[Record]]]:
    """The sessions of each training, as their records.

    Args:
        sessions: mark and records of each session.
        hparams: those that begin with a file of other hyper-parameters have these here.
    """
    found: list[list[list[Record]]] = []
    first: dict[str, tuple[int | float, int]] = {}
    several: set[str] = set()
    last: HParams | None = None
    for (mark, records), own in zip(sessions, hparams, strict=True):
        rows: dict[str, list[Record]] = {}
        for record in records:
            if record.kind == "scalar" and not record.tag.startswith(SECONDS):
                rows.setdefault(record.tag, []).append(record)
        common = several & set(rows)
        again = any(
            rows[tag][0].step <= first[tag][0] and rows[tag][0].walltime != first[tag][1] for tag in common
        )
        other = bool(own and last and own.hparams and last.hparams and own.hparams != last.hparams)
        last = own if own and own.hparams else last
        if not found or (mark != SessionMark.RESUMES and common and (again or other)):
            found.append([])
            first, several = {}, set()
        found[-1].append(records)
        for tag, some in rows.items():
            begin = some[0].step, some[0].walltime
            known = first.get(tag, begin)
            if some[0].step != some[-1].step or some[0].step != known[0]:
                several.add(tag)
            first[tag] = min(begin, known)
    return found or [[]]


def counting(sessions: list[list[Record]]) -> list[Record]:
    """The records of one tag that count: those that no later session supersedes, by step."""
    kept = [
        record
        for number, session in enumerate(sessions)
        for record in session
        if not any(step <= record.step for later in sessions[number + 1 :] for step in superseding(later))
    ]
    return sorted(kept, key=lambda record: record.step)


def superseding(session: list[Record]) -> list[int | float]:
    """The steps of a session's records of one tag, without single ones below those around them."""
    steps = [record.step for record in session]
    kept = []
    for place, step in enumerate(steps):
        before, after = steps[:place], steps[place + 1 :]
        lower = bool(before) and step < before[-1]
        if lower and after and after[0] >= before[-1]:
            continue
        if lower and not after and len(before) > 1 and before[-2] <= before[-1]:
            continue
        kept.append(step)
    return kept
