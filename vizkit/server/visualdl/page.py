"""VisualDL's page, from the installed ``visualdl`` package.

Its files lie under a path that names their version, so that a browser keeps them for good; the few that
are filled in (the document and its settings) are asked for again each time.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import os
import re
from functools import lru_cache
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from vizkit.server.answers import Answer
from vizkit.server.responses import no_file, redirect, respond
from vizkit.server.visualdl.stock import find_package

__all__ = ["FRAMES", "VisualDLPage", "preferred_language"]

FRAMES = "frame-ancestors 'self' http://localhost:* http://127.0.0.1:* vscode-webview:"
"""The policy for who may show a page in a frame: notebooks do."""

_FOR_GOOD = "public, max-age=31536000, immutable"
_FOR_A_WHILE = "public, max-age=600"  # what workers load, by a path without the version
_LANGUAGES = ("en", "zh")
_TYPES = {
    ".js": "application/javascript",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".ico": "image/x-icon",
}
_SCRIPT_POLICY = "default-src 'self'; script-src 'self' 'unsafe-eval'"  # a worker's own, with WebAssembly
_SETTINGS = "__snowpack__/env.local.js"
_LINK = (  # to VizKit's own page, in the margin beside what VisualDL draws
    '<a href="/vizkit/" title="VizKit" style="position:fixed;left:0;bottom:24px;z-index:9;width:18px;'
    "padding:8px 0;writing-mode:vertical-rl;font:600 11px/18px sans-serif;text-decoration:none;color:#fff;"
    'background:#1527c2;border-radius:0 5px 5px 0">VizKit</a>'
)
_MISSING = {  # what the page asks for and VisualDL does not have
    "icons/dragger.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="16"/>',
}
_INLINE = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.S)


class VisualDLPage:
    """Serves the page's files below a path.

    Args:
        public_path: where the page is, such as ``/app``.
        token: whether the page is to send a token that stands in its address.
        language: ``en`` or ``zh``; as the browser asks for by default.
    """

    def __init__(self, public_path: str, *, token: bool = False, language: str | None = None) -> None:
        self.directory = os.path.join(find_package(), "server", "dist")
        self.public_path = public_path
        self.assets = f"{public_path}/visualdl-{version('visualdl')}"
        self._language = language
        self._settings = {
            "PUBLIC_PATH": self.assets,
            "BASE_URI": public_path,
            "API_URL": f"{public_path}/api",
            "API_TOKEN_KEY": "token" if token else "",
            "TELEMETRY_ID": "",
            "THEME": "",
        }
        self._read = lru_cache(maxsize=None)(self._prepare)

    async def answer(self, http: Request) -> Response:
        """Answers a request below the page's path."""
        path: str = http.path_params.get("path", "")
        if path == _SETTINGS:
            return respond(http, self._read(path) or _nothing(), "no-cache")
        if path.startswith(self.assets[len(self.public_path) + 1 :] + "/"):
            inner = path.partition("/")[2]
            answer = None if inner == _SETTINGS else self._read(inner)
            return respond(http, answer, _FOR_GOOD) if answer else no_file()
        if not path:
            return redirect(http, f"{self.public_path}/index")
        if "." in path.rpartition("/")[2]:
            answer = self._read(path)
            return respond(http, answer, _FOR_A_WHILE) if answer else no_file()
        response = respond(http, self._read("index.html") or _nothing(), "no-cache")
        language = self._language or preferred_language(http.headers.get("accept-language", ""))
        response.set_cookie("vdl_lng", language, samesite="strict")
        return response

    def icon(self) -> Answer | None:
        """The icon of the page."""
        return self._read("favicon.ico")

    def _prepare(self, path: str) -> Answer | None:
        """A file of the page, filled in if it has places for that; None if there is none."""
        if path in _MISSING:
            return Answer.of(_MISSING[path], "image/svg+xml")
        full = os.path.normpath(os.path.join(self.directory, path))
        if "\0" in path or not full.startswith(self.directory + os.sep) or not os.path.isfile(full):
            return None
        with open(full, "rb") as file:
            content = file.read()
        if path in ("index.html", _SETTINGS):
            text = content.decode("utf-8")
            for name, value in self._settings.items():
                text = text.replace("{{" + name + "}}", value)
            text = text.replace("</body>", f"{_LINK}</body>")
            content = text.encode()
        ending = os.path.splitext(path)[1]
        media = _TYPES.get(ending) or mimetypes.guess_type(path)[0] or "application/octet-stream"
        policy = _policy(content) if ending == ".html" else _SCRIPT_POLICY if ending == ".js" else None
        headers = (("Content-Security-Policy", policy),) if policy else ()
        return Answer.of(content, media, headers=headers, level=6)


def _policy(document: bytes) -> str:
    """What a document may do: all from here, nothing from elsewhere, and its own inline scripts."""
    scripts = [script for script in _INLINE.findall(document.decode("utf-8", "replace")) if script]
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{one}'" for one in hashes)
    return (
        "default-src 'self'; "
        # The page of embeddings compiles its shaders' code; the worker runs WebAssembly.
        f"script-src 'self' 'unsafe-eval' {allowed}; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; "
        "font-src 'self' data:; worker-src 'self' blob:; connect-src 'self' blob: data:; "
        f"object-src 'none'; base-uri 'self'; form-action 'self'; {FRAMES}"
    )


def preferred_language(accepted: str) -> str:
    """The first of the page's languages in an ``Accept-Language`` header; any header will do."""
    wanted = []
    for place, part in enumerate(accepted.split(",")):
        name, _, weight = part.partition(";")
        match = re.fullmatch(r"\s*q\s*=\s*([0-9.]+)\s*", weight)
        try:
            quality = float(match[1]) if match else 1.0
        except ValueError:
            quality = 0.0
        short = name.strip().lower().partition("-")[0]
        if short in _LANGUAGES:
            wanted.append((-quality, place, short))
    return min(wanted)[2] if wanted else _LANGUAGES[0]


def _nothing() -> Answer:
    return Answer.of(b"", "text/plain")
