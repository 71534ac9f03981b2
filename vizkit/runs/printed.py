"""Shared by the results of statistics over runs: a sentence, and a table for terminals and notebooks."""

from __future__ import annotations

from vizkit.runs.display import Table, as_html, as_text

__all__ = ["MOST_ROWS", "Printed"]

MOST_ROWS = 30
"""Rows of a printed table."""


class Printed:
    """A result that is printed as a table, with its sentence below."""

    @property
    def sentence(self) -> str:
        """The answer in one sentence, in VizKit's language."""
        raise NotImplementedError

    def table(self) -> Table:
        """The content of what is printed."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return as_text(self.table())

    def _repr_html_(self) -> str:
        return as_html(self.table())
