"""The API as a page uses it."""

from __future__ import annotations

import json
from typing import Any

import httpx
import numpy as np

from tests.helpers import PATIENCE
from vizkit.metrics.arrays import AnyArray

__all__ = ["Client"]


class Client:
    """A client of the API of a server."""

    def __init__(self, port: int) -> None:
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}/vizkit/api/", timeout=PATIENCE)

    def get(self, path: str, /, **query: Any) -> httpx.Response:
        return self.http.get(path, params=query)

    def json(self, path: str, /, **query: Any) -> Any:
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def curves(self, **query: Any) -> dict[str, Any]:
        """The head of curves, its arrays in place of where they are."""
        answer = self.get("curves", **query)
        assert answer.status_code == 200, answer.text
        length = int.from_bytes(answer.content[:4], "little")
        head = json.loads(answer.content[4 : 4 + length])
        behind = answer.content[4 + length :]

        def array(place: dict[str, Any]) -> AnyArray:
            if place["type"] == "ramp":
                return place["start"] + place["step"] * np.arange(place["count"])  # type: ignore[no-any-return]
            dtype = {"float64": "<f8", "float32": "<f4", "uint32": "<u4"}[place["type"]]
            assert place["offset"] % 8 == (length + 4) % 8 == 0
            return np.frombuffer(behind, dtype, place["count"], place["offset"])

        for curve in [*head["curves"], *head["groups"]]:
            for part in (curve["arrays"], curve.get("smooth") or {}):
                part.update({name: array(place) for name, place in part.items()})
        return dict(head)
