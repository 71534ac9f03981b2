"""Changes that the page makes: remarks on runs, and saved views."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from vizkit.reading import natural_key
from vizkit.server.workspace.api.answer_types import RemarksAnswer, SavedView, ViewsAnswer
from vizkit.server.workspace.api.state import WorkspaceState, named

__all__ = ["RemarksEdit", "ViewEdit", "ViewsQuery", "edit_remarks", "edit_view", "views_answer"]


@dataclass(frozen=True)
class RemarksEdit:
    """Labels, a note or archiving of a run; what is not given stays."""

    run: Annotated[str, "name of the run"]
    add: Annotated[list[str], "labels to add"] = field(default_factory=list)
    remove: Annotated[list[str], "labels to take off"] = field(default_factory=list)
    note: Annotated[str | None, "the note, as Markdown"] = None
    replaces: Annotated[str | None, "the note that it replaces: a conflict if there is another"] = None
    archived: Annotated[bool | None, "put the run away, or take it back"] = None


@dataclass(frozen=True)
class ViewEdit:
    """A view to save, rename or delete."""

    name: Annotated[str, "its name"]
    query: Annotated[str | None, "the query of its address; null deletes it"] = None
    known: Annotated[str | None, "the query that the editor knows under it; null: there is none"] = None
    instead_of: Annotated[str | None, "a view to delete with it: its former name"] = None


@dataclass(frozen=True)
class ViewsQuery:
    """The views that people saved."""


def edit_remarks(state: WorkspaceState, edit: RemarksEdit) -> RemarksAnswer:
    """Change the remarks on a run, and answer with them."""
    with state.runs() as runs:
        (run,) = named(runs, [edit.run])
    run.annotate(
        add=edit.add, remove=edit.remove, note=edit.note, archived=edit.archived, replaces=edit.replaces
    )
    with state.runs():
        state.note_remarks(run)
        return {"labels": run.labels, "note": run.note, "archived": run.archived}


def edit_view(state: WorkspaceState, edit: ViewEdit) -> ViewsAnswer:
    """Save, rename or delete a view, and answer with all."""
    state.views.edit(edit.name, edit.query, edit.known, edit.instead_of)
    return views_answer(state, ViewsQuery())


def views_answer(state: WorkspaceState, query: ViewsQuery) -> ViewsAnswer:
    """Answer with the saved views, in natural order."""
    found = state.views.content()
    return {
        "views": [SavedView(name=name, query=found[name]) for name in sorted(found, key=natural_key)],
        "edit": state.edit,
        "problems": [problem.message for problem in state.views.problems],
    }
