"""Fixtures that tests of writers share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def memory(tmp_path: Path) -> str:
    """A scheme of VisualDL's file layer, ``memory://``, which keeps files in ``tmp_path``."""
    from visualdl.io import bfile

    class Memory(bfile.LocalFileSystem):
        def _local(self, path: str) -> str:
            return str(tmp_path / path.removeprefix("memory://"))

        def exists(self, path: str) -> bool:
            return os.path.exists(self._local(path))

        def makedirs(self, path: str) -> None:
            os.makedirs(self._local(path), exist_ok=True)

        def append(self, path: str, content: bytes | str, binary_mode: bool = False) -> None:
            with open(self._local(path), "ab") as file:
                file.write(content if isinstance(content, bytes) else content.encode())

        write = append

        def read(
            self,
            path: str,
            binary_mode: bool = False,
            size: int | None = None,
            continue_from: dict[str, int] | None = None,
        ) -> tuple[bytes, dict[str, int]]:
            content: tuple[bytes, dict[str, int]] = super().read(
                self._local(path), binary_mode, size, continue_from
            )
            return content

    bfile.default_file_factory.register_filesystem("memory", Memory())
    return "memory://"
