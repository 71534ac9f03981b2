"""Adapters for the trainers of Paddle's suites: one function for each, of the suite's name.

They translate a suite's events into records, and import the suite when they are called. The tracker stays
open, since an evaluation may follow the training.
"""

from __future__ import annotations

from vizkit.hooks.suites._classification import paddleclas
from vizkit.hooks.suites._detection import paddledetection
from vizkit.hooks.suites._ocr import paddleocr
from vizkit.hooks.suites._science import paddlescience
from vizkit.hooks.suites._segmentation import paddleseg
from vizkit.hooks.suites._series import paddlets
from vizkit.hooks.suites._trainer import paddleformers, paddlenlp

__all__ = [
    "paddleclas",
    "paddledetection",
    "paddleformers",
    "paddlenlp",
    "paddleocr",
    "paddlescience",
    "paddleseg",
    "paddlets",
]
