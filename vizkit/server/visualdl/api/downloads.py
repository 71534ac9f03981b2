"""Tables to download, as CSV or TSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator

from vizkit.runs.export import without_formula
from vizkit.server.visualdl.api.endpoint import APIRequest, StreamedAnswer

__all__ = ["ROWS_A_PART", "download"]

ROWS_A_PART = 20_000
"""Rows that are encoded and sent at a time."""


def download(rows: Iterable[Iterable[object]], request: APIRequest, name: str) -> StreamedAnswer:
    """Rows, the header among them, as a file: CSV if the query asks for it, or else TSV.

    Browsers open it in a spreadsheet: text that it would run as a formula begins with ``'``.
    """
    kind = "csv" if request.query.get("type") == "csv" else "tsv"

    def parts() -> Iterator[bytes]:
        with io.StringIO(newline="") as text:
            writer = csv.writer(text, delimiter="," if kind == "csv" else "\t")
            for number, row in enumerate(rows, start=1):
                writer.writerow(map(without_formula, row))
                if number % ROWS_A_PART == 0:
                    yield text.getvalue().encode("utf-8", "replace")
                    text.seek(0)
                    text.truncate()
            yield text.getvalue().encode("utf-8", "replace")

    headers = (("Content-Disposition", f'attachment; filename="{name}.{kind}"'),)
    return StreamedAnswer(parts(), "text/csv" if kind == "csv" else "text/tab-separated-values", headers)
