"""Start of `vizkit.autolog` in a program that imports Paddle or VisualDL. Run by Python at its start.

`vizkit.run` puts its directory on ``PYTHONPATH``. It may be met by any Python, also one without VizKit.
"""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))


class _Waiting:
    """A finder that finds nothing, and notices the import that it waits for."""

    def find_spec(self, name, path=None, target=None):  # type: ignore[no-untyped-def]
        """Find a module that is waited for with the other finders, after `vizkit.autolog`."""
        if name not in ("paddle", "visualdl") or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        try:
            import vizkit

            vizkit.autolog(os.environ["VIZKIT_AUTOLOG"])
        except Exception as error:
            sys.stderr.write(f"vizkit: the training is not recorded: {type(error).__name__}: {error}\n")
            return None
        specs = (each.find_spec(name, path, target) for each in list(sys.meta_path))
        return next((spec for spec in specs if spec is not None), None)


def _run_the_next_one() -> None:
    """Import the ``sitecustomize`` that Python would have found without this one."""
    sys.path[:] = [path for path in sys.path if os.path.abspath(path) != _HERE]
    mine = sys.modules.pop("sitecustomize")
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401
    except ImportError as error:
        sys.modules["sitecustomize"] = mine
        if error.name != "sitecustomize":
            raise


if os.environ.get("VIZKIT_AUTOLOG", "0") != "0":
    sys.meta_path.insert(0, _Waiting())
_run_the_next_one()
