"""luigigo builds Go programs as Luigi tasks, byte-identical to `go build`.

`luigi --module luigigo BuildBinary --project DIR` imports this module and finds the tasks. Importing it
without Luigi stays cheap: the tasks are loaded when they are first named.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from luigigo.tasks.actions import BuildCgo, CompilePackage, LinkBinary, PrepareProfile
    from luigigo.tasks.build import BuildBinary

__version__ = "0.1.0"
__all__ = ["BuildBinary", "BuildCgo", "CompilePackage", "LinkBinary", "PrepareProfile", "__version__"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        _require_linux()
        from luigigo.tasks import actions, build

        return getattr(build if name == "BuildBinary" else actions, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


def _require_linux() -> None:
    """Raise `ImportError` elsewhere; end Luigi's command, which would print a traceback for that."""
    from luigigo.supported import why_unsupported

    refusal = why_unsupported(sys.platform)
    if not refusal:
        return
    if "luigi.cmdline" in sys.modules:
        print(refusal, file=sys.stderr, flush=True)
        raise SystemExit(2)
    raise ImportError(refusal)


if "luigi" in sys.modules:
    _require_linux()
    from luigigo.tasks import build as _tasks  # noqa: F401  Luigi looks for tasks once the module is imported.
