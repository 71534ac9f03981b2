"""What a chart carries along, read as the page reads it."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import Any

import numpy as np

from vizkit.charts import Chart
from vizkit.metrics.arrays import AnyArray


class Carried:
    """The head of a chart, and its arrays."""

    def __init__(self, chart: Chart) -> None:
        texts = re.findall(r'unpacked\(\s*"([^"]+)"', chart.html)
        body = gzip.decompress(base64.b64decode(texts[-1]))
        length = int.from_bytes(body[:4], "little")
        self.head: dict[str, Any] = json.loads(body[4 : 4 + length])
        self._arrays = body[4 + length :]

    def array(self, places: dict[str, Any], name: str) -> AnyArray:
        place = places[name]
        if place["type"] == "ramp":
            found: AnyArray = place["start"] + place["step"] * np.arange(place["count"])
            return found
        return np.frombuffer(self._arrays, np.dtype(place["type"]), place["count"], place["offset"])

    def curves(self, panel: int = 0) -> dict[str, dict[str, Any]]:
        """Name, or name and tag of several, -> curve."""
        found = self.head["panels"][panel]["curves"]
        several = len(self.head["panels"][panel]["tags"]) > 1
        return {f"{one['name']} {one['tag']}" if several else one["name"]: one for one in found}
