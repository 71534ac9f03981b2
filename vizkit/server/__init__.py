"""VisualDL's page and VizKit's own over a log directory: ``vizkit.serve("log")``, ``vizkit serve log``."""

from vizkit.server.server import Server, serve

__all__ = ["Server", "serve"]
