"""Hooks into Paddle's trainings; the only package of VizKit that imports Paddle.

`callback` is for ``paddle.Model``, `watch` for your own loop, `log_model` saves a network,
`vizkit.autolog` is for code that is left as it is, and `steering` changes a training's course. Paddle is
imported when one of them is used.
"""

from vizkit._lazy import exports

__getattr__, __dir__, __all__ = exports(__name__)
