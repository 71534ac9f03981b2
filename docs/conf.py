"""How Sphinx builds the documentation; `make docs` builds it in both languages."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import vizkit  # noqa: E402

project = "VizKit"
author = "The VizKit authors"
project_copyright = author
release = vizkit.__version__
version = release.partition(".dev")[0]

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "chinese_search",
    "notebook_pages",
    "public_names",
]
exclude_patterns = ["_build"]
nitpicky = True

# -- pages ------------------------------------------------------------------------------------------
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
copybutton_exclude = ".linenos, .gp, .go"

# -- the reference ----------------------------------------------------------------------------------
default_role = "py:obj"  # `Tracker` in a docstring is a link where there is such a name
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 100
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True
napoleon_attr_annotations = False  # attributes have them in the class's signature
nitpick_ignore_regex = [
    # Single backquotes also hold parameters, tags and values, which are no names to link to.
    (r"py:obj", r".*"),
]

# -- languages --------------------------------------------------------------------------------------
language = "en"
locale_dirs = ["locale"]
gettext_compact = False
gettext_location = False
gettext_uuid = False
LANGUAGES = {"en": "English", "zh_CN": "中文"}

# -- the look ---------------------------------------------------------------------------------------
html_theme = "furo"
html_title = f"VizKit {version}"
html_static_path = ["_static"]
templates_path = ["_templates"]
html_css_files = ["vizkit.css"]
html_show_sphinx = False
html_copy_source = False
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_context = {"languages": LANGUAGES}
