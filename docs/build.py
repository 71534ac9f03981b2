"""Builds the documentation in every language, with warnings as errors, and checks its links.

::

    python docs/build.py            # into docs/_build/html
    python docs/build.py --catalogs # bring docs/locale up to date with the English pages
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

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

_CODE = re.compile(r"`.*?`|!\[\]\(.*?\)")  # or a picture without a text
_WORDS = re.compile(r"[^\W\d_]")
_HEADER = b'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'  # no dates, no authors


def build(out: Path, languages: tuple[str, ...] = LANGUAGES) -> None:
    """Build the pages of each language into a directory of its name.

    Raises:
        subprocess.CalledProcessError: a page has a warning.
    """
    with ThreadPoolExecutor() as pool:
        options = "-W", "--keep-going", "-D"
        builds = [
            pool.submit(_sphinx, "html", out / each, *options, f"language={each}") for each in languages
        ]
    for done in builds:
        done.result()
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
        Those within the site that lead to no file or anchor, each with its page; and those out of the site,
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


def _templates(pot: Path) -> Iterator[tuple[Path, Path]]:
    """Extract the texts of the pages that are translated; yield each template with its page's path."""
    reference = "_build,reference/[!i]*"  # has no texts of its own, and would be slow
    _sphinx("gettext", pot, "-E", "-Q", "-D", f"exclude_patterns={reference}")
    for path in sorted(pot.rglob("*.pot")):
        page = path.relative_to(pot).with_suffix("")
        if any(page.match(pattern) for pattern in TRANSLATED):
            yield path, page


def update_catalogs() -> None:
    """Bring the catalogs of the pages that are translated up to date with their English text.

    A text that is new has no translation; one that was changed keeps the old one, marked as fuzzy.
    """
    pages = list(_templates(HERE / "_build" / "gettext"))
    for language in LANGUAGES[1:]:
        catalogs = HERE / "locale" / language / "LC_MESSAGES"
        targets = {(catalogs / page).with_suffix(".po"): path for path, page in pages}
        for old in set(catalogs.rglob("*.po")) - set(targets):
            old.unlink()
        for target, path in targets.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            known = _read(target, language) if target.exists() else Catalog(language)
            known.update(_read(path), update_creation_date=False)
            known.obsolete.clear()
            for message in known:
                message.user_comments = []
                if message.id and not message.string and not _WORDS.search(_CODE.sub("", message.id)):
                    message.string = message.id  # code alone is the same in every language
            with target.open("wb") as file:
                file.write(_HEADER)
                write_po(file, known, width=0, omit_header=True, no_location=True)


def missing_translations(pot: Path) -> list[str]:
    """Name the texts that have no translation, or only that of an earlier wording, each with its catalog.

    Args:
        pot: an empty directory to work in.
    """
    missing: list[str] = []
    for path, page in _templates(pot):
        for language in LANGUAGES[1:]:
            target = (HERE / "locale" / language / "LC_MESSAGES" / page).with_suffix(".po")
            known = _read(target, language) if target.exists() else Catalog(language)
            for text in (message.id for message in _read(path) if message.id):
                translated = known.get(text)
                if translated is None or not translated.string or translated.fuzzy:
                    missing.append(f"{target.relative_to(HERE)}: {text}")
    return missing


def _read(path: Path, language: str | None = None) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, language)


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    if "--catalogs" in arguments:
        update_catalogs()
        with TemporaryDirectory() as pot:
            missing = missing_translations(Path(pot) / "gettext")
        print(f"{len(missing)} texts have no translation", *missing, sep="\n  ")
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
