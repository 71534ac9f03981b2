"""Links annotations and docstrings to public names.

An annotation tells where a class is defined (`vizkit.runs.run.Run`); the reference has it where it is public
(`vizkit.Run`). What is not in the reference (types of other libraries, private protocols) is shown without
a link; a public name that is spelt wrong is a warning.
"""

from __future__ import annotations

import re

from docutils.nodes import Element
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

_MISSPELT = re.compile(r"vizkit(\.(hooks|plots|metrics|repair|environment|data|errors))?\.[A-Z]\w*")


def _resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Element) -> Element | None:
    if node.get("refdomain") != "py" or node.get("reftype") not in ("class", "obj", "exc"):
        return None
    target = str(node["reftarget"])
    domain = env.domains.python_domain
    last = target.rpartition(".")[2]
    found = [
        name
        for name, entry in domain.objects.items()
        if name.rpartition(".")[2] == last and entry.objtype in ("class", "exception", "type")
    ]
    if len(found) == 1 and last[:1].isupper():
        node["reftarget"] = found[0]
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", found[0], node, content)
    return None if node["reftype"] == "obj" or _MISSPELT.fullmatch(target) else content


def _skip(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Leave out fields of named tuples: the class describes them."""
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else None


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("missing-reference", _resolve)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True}
