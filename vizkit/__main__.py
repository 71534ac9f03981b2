"""``python -m vizkit``, the same as ``vizkit``."""

from vizkit.cli import main

main()
