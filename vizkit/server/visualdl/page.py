"""VisualDL's page, from the installed ``visualdl`` package.

Its files lie under a path that names their version, so that browsers cache them for good; the few that
are templates (the document and its settings) are requested each time.
"""

from __future__ import annotations

import json
import mimetypes
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from vizkit._language import LANGUAGES, mark, speaking, tr
from vizkit.server.http import Answer, no_file, preferred_language, redirect, respond
from vizkit.server.public_path import public_path_of
from vizkit.server.security import WORKER_POLICY, visualdl_policy
from vizkit.server.visualdl.mends import REVISION, mended
from vizkit.server.visualdl.stock import find_package

__all__ = ["VisualDLPage"]

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_WHILE = "public, max-age=600"  # files that workers load, by a path without the version
_TYPES = {
    ".js": "application/javascript",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".ico": "image/x-icon",
}
_SETTINGS = "__snowpack__/env.local.js"
_TEMPLATES = ("index.html", _SETTINGS)
_MOST_PUBLIC_PATHS = 20  # whose filled-in templates are kept
_LINK = (  # to VizKit's own page, in the margin beside what VisualDL draws
    '<a href="/vizkit/" title="VizKit" style="position:fixed;left:0;bottom:24px;z-index:9;width:18px;'
    "padding:8px 0;writing-mode:vertical-rl;font:600 11px/18px sans-serif;text-decoration:none;color:#fff;"
    'background:#1527c2;border-radius:0 5px 5px 0">VizKit</a>'
)
# Where a proxy has put an untold path before the page's, none of its files comes: it asks for whole paths.
_ASTRAY = """<script>(() => {
const [base, texts] = BASE_AND_TEXTS, path = location.pathname, at = path.indexOf("/app/");
if (path.startsWith(base + "/") || at < 1) return;
const text = document.body.appendChild(document.createElement("p"));
text.style.cssText = "margin:4em;font:16px/1.6 sans-serif";
const language = navigator.language.startsWith("zh") ? "zh" : "en";
text.textContent = texts[language] + " --public-path=" + path.slice(0, at);
})()</script>"""
_PROXY = mark("This page is behind a proxy that does not tell its path: start vizkit serve with")
_MISSING = {  # files that the page requests and VisualDL lacks
    "icons/dragger.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="16"/>',
}
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)


class VisualDLPage:
    """VisualDL's page, whose files are served below a path.

    Args:
        public_path: the path, such as ``/app``.
        token: let the page send the token of its address with every request.
        language: ``en`` or ``zh``; by default the browser's.
    """

    def __init__(self, public_path: str, *, token: bool = False, language: str | None = None) -> None:
        self.directory = os.path.join(find_package(), "server", "dist")
        self.public_path = public_path
        self.assets = f"{public_path}/visualdl-{version('visualdl')}-{REVISION}"
        self._language = language
        self._token = token
        self._files = {*_MISSING, *_files_below(self.directory)}
        self._prepared = lru_cache(len(self._files) + _MOST_PUBLIC_PATHS)(self._prepare)

    async def answer(self, http: Request) -> Response:
        """Answer a request below the page's path."""
        path: str = http.path_params.get("path", "")
        if path == _SETTINGS:
            return self._respond_anew(http, path)
        if path.startswith(self.assets[len(self.public_path) + 1 :] + "/"):
            inner = path.partition("/")[2]
            answer = None if inner in _TEMPLATES else self._read(inner)
            return respond(http, answer, _FOR_GOOD) if answer else no_file(http)
        if not path:
            return redirect(http, f"{self.public_path}/index")
        if "." in path.rpartition("/")[2]:
            answer = self._read(path)
            return respond(http, answer, _FOR_A_WHILE) if answer else no_file(http)
        response = self._respond_anew(http, "index.html")
        language = self._language or preferred_language(http.headers.get("accept-language", ""))
        response.set_cookie("vdl_lng", language, path=f"{public_path_of(http.scope)}/", samesite="strict")
        return response

    def _respond_anew(self, http: Request, path: str) -> Response:
        """The response for a filled-in template, which browsers request each time."""
        answer = self._read(path, public_path_of(http.scope))
        return respond(http, answer, "no-cache") if answer else no_file(http)

    def icon(self) -> Answer | None:
        """The icon of the page."""
        return self._read("favicon.ico")

    def _read(self, path: str, before: str = "") -> Answer | None:
        """A file of the page; None if there is none. Of what clients ask for, only files are remembered.

        ``before`` is the path that a proxy puts before the page's.
        """
        try:
            return self._prepared(path, before) if path in self._files else None
        except FileNotFoundError:  # uninstalled just now
            return None

    def _prepare(self, path: str, before: str) -> Answer:
        """A file of the page, filled in if it is a template."""
        if path in _MISSING:
            return Answer.of(_MISSING[path], "image/svg+xml")
        with open(os.path.join(self.directory, path), "rb") as file:
            content = file.read()
        content = mended(path, content)
        if path in _TEMPLATES:
            text = content.decode("utf-8")
            for name, value in self._settings(before).items():
                text = text.replace("{{" + name + "}}", value)
            link = _LINK.replace("/vizkit/", f"{before}/vizkit/")
            text = text.replace("</body>", f"{link}{_hint(f'{before}{self.public_path}')}</body>")
            content = text.encode()
        ending = os.path.splitext(path)[1]
        media = _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        policy = None
        if ending == ".html":
            policy = visualdl_policy(filter(None, _INLINE_SCRIPT.findall(content.decode("utf-8", "replace"))))
        elif ending == ".js":
            policy = WORKER_POLICY
        headers = (("Content-Security-Policy", policy),) if policy else ()
        return Answer.of(content, media, headers=headers, level=6)

    def _settings(self, before: str) -> dict[str, str]:
        """The values of the placeholders in templates."""
        return {
            "PUBLIC_PATH": f"{before}{self.assets}",
            "BASE_URI": f"{before}{self.public_path}",
            "API_URL": f"{before}{self.public_path}/api",
            "API_TOKEN_KEY": "token" if self._token else "",
            "TELEMETRY_ID": "",
            "THEME": "",
        }


def _hint(base: str) -> str:
    """A script that says which option lacks, where the document's address is not below a path."""
    texts = {}
    for one in LANGUAGES:
        with speaking(one):
            texts[one] = tr(_PROXY)
    given = json.dumps([base, texts]).replace("<", "\\u003c")
    return _ASTRAY.replace("BASE_AND_TEXTS", given)


def _files_below(directory: str) -> Iterator[str]:
    """Paths of all files below a directory, relative to it, with ``/``."""
    for path, _, names in os.walk(directory):
        below = os.path.relpath(path, directory).replace(os.sep, "/")
        yield from (name if below == "." else f"{below}/{name}" for name in names)
