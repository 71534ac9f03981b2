"""Builds the documentation in every language, with warnings as errors, and checks its links.

::

    python docs/build.py            # into docs/_build/html
    python docs/build.py --catalogs # bring docs/locale up to date with the English pages
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "zh_CN")
TRANSLATED = ("index", "guides/*", "tutorial/*")  # the reference and what is about the project stay English

_FRONT = """\
<!doctype html>
<meta charset="utf-8">
<title>VizKit</title>
<script>location.replace((navigator.language.startsWith("zh") ? "zh_CN" : "en") + "/index.html")</script>
<a href="en/index.html">English</a> <a href="zh_CN/index.html">中文</a>
"""


def build(out: Path, languages: tuple[str, ...] = LANGUAGES) -> None:
    """Build the pages of each language into a directory of its name.

    Raises:
        subprocess.CalledProcessError: a page has a warning.
    """
    for language in languages:
        _sphinx("html", out / language, "-W", "--keep-going", "-D", f"language={language}")
    (out / "index.html").write_text(_FRONT, encoding="utf-8")


def _sphinx(builder: str, out: Path, *options: str) -> None:
    command = [sys.executable, "-m", "sphinx", "-q", "-b", builder, *options]
    quiet = {**os.environ, "GLOG_minloglevel": "2", "PYTHONWARNINGS": "ignore"}  # of what Paddle says
    subprocess.run([*command, "-d", out.parent / ".doctrees" / out.name, HERE, out], env=quiet, check=True)


class _Page(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.anchors = {"", "top"}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the links and anchors of an element."""
        for name, value in attrs:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


def check_links(out: Path) -> tuple[list[str], list[str]]:
    """Find the links that lead nowhere.

    Returns:
        Those within the site that lead to no file or anchor, each with its page; and the links out of the site,
        which are not followed.
    """
    pages: dict[Path, _Page] = {}
    for path in out.rglob("*.html"):
        pages[path] = _Page()
        pages[path].feed(path.read_text("utf-8"))
    broken: set[str] = set()
    external: set[str] = set()
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                external.add(link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].anchors if target in pages else {""}
            if not target.is_file() or (target in pages and unquote(parts.fragment) not in known):
                broken.add(f"{path.relative_to(out)}: {link}")
    return sorted(broken), sorted(link for link in external if link.startswith("http"))


def update_catalogs() -> None:
    """Bring the catalogs of the pages that are translated up to date with their English text."""
    pot = HERE / "_build" / "gettext"
    _sphinx("gettext", pot, "-W", "--keep-going")
    for path in pot.rglob("*.pot"):
        if not any(path.relative_to(pot).with_suffix("").match(pattern) for pattern in TRANSLATED):
            path.unlink()
    languages = [part for language in LANGUAGES if language != "en" for part in ("-l", language)]
    command = [sys.executable, "-m", "sphinx_intl", "update", "-p", pot, "-d", HERE / "locale", "-w", "0"]
    subprocess.run([*command, "--no-obsolete", *languages], check=True)
    for path in HERE.glob("locale/*/LC_MESSAGES/**/*.po"):
        path.write_text("".join(_plain(path)), encoding="utf-8")


def _plain(path: Path) -> Iterator[str]:
    """A catalog without its authors, dates and comments, so that it changes with its texts only."""
    noise = ("#", '"POT-Creation-Date', '"PO-Revision-Date', '"Last-Translator', '"Language-Team', '"Report-Msgid',
             '"Project-Id-Version', '"Generated-By', '"MIME-Version', '"Plural-Forms')
    with path.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith(noise) or line.startswith("#, fuzzy"))


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    if "--catalogs" in arguments:
        update_catalogs()
        return 0
    out = HERE / "_build" / "html"
    build(out)
    broken, external = check_links(out)
    print(f"{len(external)} links lead out of the site and are not followed:", *external, sep="\n  ")
    print(*(f"broken link: {link}" for link in broken), sep="\n", file=sys.stderr)
    print(f"The documentation is in {out}/index.html")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
