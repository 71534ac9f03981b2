"""``vizkit serve``: its options, and its light start."""

from __future__ import annotations

import os
import platform
import tempfile
from pathlib import Path

import pytest

from tests.helpers import python

from .commands import Command, record


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
    own, visualdl, served = done.stdout.splitlines()
    place = f"http://127.0.0.1:{served.removeprefix('served ')}"
    assert (visualdl, own) == (f"{place}/app/index", f"{place}/vizkit/")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc that keeps them")
def test_large_arrays_are_given_back_when_they_are_freed() -> None:
    code = """
import sys
import numpy as np
from vizkit.cli.serve import _give_memory_back

if sys.argv[1] == "yes":
    _give_memory_back()
del_me = np.empty(24 << 20, np.uint8)
del del_me  # from now on glibc takes arrays of this size from its heap
place = np.empty(20 << 20, np.uint8).ctypes.data
heaps = [line.split()[0].split("-") for line in open("/proc/self/maps") if "[heap]" in line]
print(any(int(low, 16) <= place < int(high, 16) for low, high in heaps))
"""
    assert [python(code, told).stdout for told in ("no", "yes")] == ["True\n", "False\n"]


@pytest.mark.skipif(os.name == "nt", reason="permissions are others there")
def test_the_server_says_which_directories_it_may_not_list() -> None:
    # Root may list everything: it serves as another user, in a directory that is open to that one.
    code = """
import os, sys
import vizkit.server.server
from vizkit.cli.serve import run_server

def serve():
    return run_server(["--port", "0", sys.argv[1]])

os.environ["XDG_CACHE_HOME"] = sys.argv[1]
vizkit.server.server.Server.wait = lambda server: print("served", server.unlisted)
serve()  # all that it imports, which another user may not be able to read
if os.geteuid() == 0:
    os.setuid(65534)
serve()
"""
    with tempfile.TemporaryDirectory() as root:
        Path(root).chmod(0o755)
        record(Path(root) / "run", 32, 0)
        closed = Path(root) / "closed"
        closed.mkdir(mode=0)
        try:
            done = python(code, root)
        finally:
            closed.chmod(0o700)
    assert done.stdout.splitlines()[-1] == f"served ['{closed}']", done.stderr
    assert f"vizkit: {closed} may not be listed, its runs are left out" in done.stderr
