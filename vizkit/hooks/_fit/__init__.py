"""The callback for ``paddle.Model``."""
