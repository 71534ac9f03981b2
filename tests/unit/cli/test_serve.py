"""``vizkit serve``: its options, and its light start."""

from __future__ import annotations

import platform

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
