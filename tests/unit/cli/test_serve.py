"""``vizkit serve``: its options, and its light start."""

from __future__ import annotations

import pytest

from tests.helpers import python

from .commands import Command


@pytest.mark.parametrize("port", ["65536", "-1", "http"])
def test_a_port_that_is_none_is_wrong_usage(port: str, vk: Command) -> None:
    said = vk("serve", "--port", port, at=None)
    assert said.code == 2 and f"from 0 to 65535, not '{port}'" in said.err


def test_serving_needs_nothing_of_the_other_commands() -> None:
    code = """
import sys
sys.argv = ["vizkit", "serve", "--port", "0", "log/sample"]
sys.modules["rich"] = sys.modules["typer"] = None
import vizkit.server.server
vizkit.server.server.Server.wait = lambda server: print("served", server.port)
from vizkit.cli import main
main()
"""
    done = python(code)
    assert done.returncode == 0, done.stderr
    visualdl, own, served = done.stdout.splitlines()
    place = f"http://127.0.0.1:{served.removeprefix('served ')}"
    assert (visualdl, own) == (f"{place}/app/index", f"{place}/vizkit/")
