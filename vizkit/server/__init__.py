"""HTTP server of VisualDL's page and VizKit's workspace: ``vizkit.serve("log")``, ``vizkit serve log``."""

from vizkit.server.server import Server, serve

__all__ = ["Server", "serve"]
